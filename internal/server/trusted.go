package server

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"

	"github.com/pursuing-equity/commons/internal/fault"
)

// trusted are the documents of a manifest, when no others run. They were checked at the start and are kept for good.
type trusted struct {
	byName map[string]trustedDocument // by the manifest's name, which is a hash of the maker's choice, and by SHA-256
}

type trustedDocument struct {
	text string
	doc  *ast.QueryDocument
}

// trust checks every document of a manifest, or says which one is wrong.
func (d *documents) trust(manifest map[string]string) (*trusted, error) {
	t := &trusted{byName: make(map[string]trustedDocument, 2*len(manifest))}
	for _, name := range slices.Sorted(maps.Keys(manifest)) {
		text := manifest[name]
		doc, err := d.get(text)
		if err != nil {
			return nil, fmt.Errorf("the trusted document %q: %w", name, err)
		}
		hash := sha256.Sum256([]byte(text))
		t.byName[hex.EncodeToString(hash[:])] = trustedDocument{text, doc}
		t.byName[name] = trustedDocument{text, doc}
	}
	return t, nil
}

// find returns the document that a request names, or whose text it sends.
func (t *trusted) find(req *request) (*ast.QueryDocument, error) {
	name := req.Hash
	if req.DocumentID != "" {
		name = req.DocumentID
	}
	named := name != ""
	if !named {
		hash := sha256.Sum256([]byte(req.Query))
		name = hex.EncodeToString(hash[:])
	}
	found, ok := t.byName[name]
	if !ok {
		found, ok = t.byName[strings.TrimPrefix(name, hashPrefix)]
	}
	switch {
	case !ok && named && req.Query == "":
		return nil, persistedQueryNotFound()
	case !ok, req.Query != "" && req.Query != found.text:
		return nil, fault.New(fault.DocumentNotTrusted, "This server runs only the documents that it was given at its start.")
	}
	req.Query = found.text
	return found.doc, nil
}

// hashPrefix begins a documentId that is a hash
// (https://github.com/graphql/graphql-over-http/blob/main/spec/Appendix%20A%20--%20Persisted%20Documents.md).
const hashPrefix = "sha256:"

// hash is the SHA-256 by which the request names its document; zero when it has only the text. A documentId of another form
// names nothing here, and is nobody's business beside a text.
func (r *request) hash() (hash [sha256.Size]byte, err error) {
	name := r.Hash
	if id := strings.ToLower(strings.TrimPrefix(r.DocumentID, hashPrefix)); isHash(id) {
		if name != "" && name != id {
			return hash, fault.New(fault.BadRequest, "documentId and extensions.persistedQuery name two documents.")
		}
		name = id
	}
	_, err = hex.Decode(hash[:], []byte(name))
	return hash, err
}

// persistedQueryNotFound asks a client that follows Apollo's protocol to send the text as well. Some clients look for the code and
// some for this very message.
func persistedQueryNotFound() error {
	return fault.New(fault.PersistedQueryNotFound, "PersistedQueryNotFound")
}
