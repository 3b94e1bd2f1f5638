package server

import (
	"container/list"
	"context"
	"crypto/sha256"
	"errors"
	"sync"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"
	"github.com/vektah/gqlparser/v2/parser"
	"github.com/vektah/gqlparser/v2/validator"

	"github.com/pursuing-equity/commons/internal/fault"
)

// documents turns text into checked documents and keeps the most recently used ones. Refused documents are not kept: an
// attacker would push out those that clients use.
type documents struct {
	schema *ast.Schema
	limits Limits

	mu     sync.Mutex
	byHash map[[sha256.Size]byte]*list.Element
	recent *list.List // of *cachedDocument, the latest first
	bytes  int
}

type cachedDocument struct {
	hash  [sha256.Size]byte
	doc   *ast.QueryDocument
	bytes int
}

func newDocuments(schema *ast.Schema, limits Limits) *documents {
	return &documents{schema: schema, limits: limits, byHash: map[[sha256.Size]byte]*list.Element{}, recent: list.New()}
}

// maxValidationErrors is how many mistakes a client hears of at once.
const maxValidationErrors = 10

// get returns a document that is within its budget and valid. Its error is a fault or a gqlerror.List with codes. The
// document is shared: nobody may change it.
func (d *documents) get(text string) (*ast.QueryDocument, error) {
	hash := sha256.Sum256([]byte(text))
	d.mu.Lock()
	if e, ok := d.byHash[hash]; ok {
		d.recent.MoveToFront(e)
		doc := e.Value.(*cachedDocument).doc //nolint:errcheck // the list holds nothing else
		d.mu.Unlock()
		return doc, nil
	}
	d.mu.Unlock()

	tokens, err := scanDocument(text, d.limits.Tokens)
	if err != nil {
		return nil, err
	}
	doc, err := d.check(text)
	if err != nil {
		return nil, err
	}
	d.keep(&cachedDocument{hash: hash, doc: doc, bytes: len(text) + 256*tokens})
	return doc, nil
}

func (d *documents) check(text string) (*ast.QueryDocument, error) {
	doc, err := parser.ParseQuery(&ast.Source{Input: text})
	if err != nil {
		return nil, coded(err, fault.ParseFailed)
	}
	if len(doc.Operations) == 0 {
		return nil, fault.New(fault.ValidationFailed, "The document holds no operation.")
	}
	if err := checkBudget(doc, d.limits); err != nil {
		return nil, err
	}
	if errs := validator.ValidateWithRules(d.schema, doc, nil); len(errs) > 0 {
		return nil, coded(errs[:min(len(errs), maxValidationErrors)], fault.ValidationFailed)
	}
	return doc, nil
}

func (d *documents) keep(c *cachedDocument) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if _, ok := d.byHash[c.hash]; ok {
		return
	}
	d.byHash[c.hash] = d.recent.PushFront(c)
	for d.bytes += c.bytes; d.bytes > d.limits.DocumentCacheBytes && d.recent.Len() > 1; {
		last := d.recent.Remove(d.recent.Back()).(*cachedDocument) //nolint:errcheck // the list holds nothing else
		delete(d.byHash, last.hash)
		d.bytes -= last.bytes
	}
}

// coded gives the parser's and the validator's errors their code. Their messages concern the client's own text.
func coded(err error, code fault.Code) gqlerror.List {
	var list gqlerror.List
	ok := errors.As(err, &list)
	if !ok {
		list = gqlerror.List{gqlerror.WrapIfUnwrapped(err)}
	}
	out := make(gqlerror.List, len(list))
	for i, e := range list {
		out[i] = &gqlerror.Error{Message: e.Message, Locations: e.Locations, Extensions: map[string]any{"code": code}}
	}
	return out
}

// preparedDocument hands gqlgen's executor the document that the pipeline has checked already, in place of a cache.
type preparedDocument struct{}

type documentKey struct{}

func withDocument(ctx context.Context, doc *ast.QueryDocument) context.Context {
	return context.WithValue(ctx, documentKey{}, doc)
}

// Get returns the context's document, whatever the text.
func (preparedDocument) Get(ctx context.Context, _ string) (*ast.QueryDocument, bool) {
	doc, ok := ctx.Value(documentKey{}).(*ast.QueryDocument)
	return doc, ok
}

// Add does nothing: documents keeps them.
func (preparedDocument) Add(context.Context, string, *ast.QueryDocument) {}
