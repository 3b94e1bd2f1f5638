package server

import (
	"container/list"
	"context"
	"crypto/sha256"
	"errors"
	"strings"
	"sync"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"
	"github.com/vektah/gqlparser/v2/parser"
	"github.com/vektah/gqlparser/v2/validator"
	"github.com/vektah/gqlparser/v2/validator/rules"

	"github.com/pursuing-equity/commons/internal/fault"
)

// documents turns text into checked documents and keeps the most recently used ones. Refused documents are not kept: an
// attacker would push out those that clients use.
type documents struct {
	schema     *ast.Schema
	limits     Limits
	hideSchema bool     // no introspection, and no suggestions of what the schema has
	trusted    *trusted // the only documents that run; nil: any does

	mu     sync.Mutex
	byHash map[[sha256.Size]byte]*list.Element
	recent *list.List // of *cachedDocument, the latest first
	bytes  int
}

type cachedDocument struct {
	hash  [sha256.Size]byte
	text  string
	doc   *ast.QueryDocument
	bytes int
	named bool // a client sent it with its hash, and may send the hash alone from now on
}

func newDocuments(schema *ast.Schema, limits Limits, hideSchema bool) *documents {
	return &documents{
		schema: schema, limits: limits, hideSchema: hideSchema,
		byHash: map[[sha256.Size]byte]*list.Element{}, recent: list.New(),
	}
}

// maxValidationErrors is how many mistakes a client hears of at once.
const maxValidationErrors = 10

// find returns the document that a request is about, by its text or by its name, and completes the request with the text.
func (d *documents) find(req *request) (*ast.QueryDocument, error) {
	if d.trusted != nil {
		return d.trusted.find(req)
	}
	hash, err := req.hash()
	switch {
	case err != nil:
		return nil, err
	case req.Query == "":
		c := d.cached(hash, false)
		if c == nil || !c.named {
			return nil, persistedQueryNotFound()
		}
		req.Query = c.text
		return c.doc, nil
	case hash == [sha256.Size]byte{}:
		return d.get(req.Query)
	case hash != sha256.Sum256([]byte(req.Query)):
		return nil, fault.New(fault.BadRequest, "The hash is not that of the query.")
	}
	doc, err := d.get(req.Query)
	if err == nil {
		d.cached(hash, true)
	}
	return doc, err
}

// cached is the document with a hash; nil when it is not kept. It can be named by its hash from now on, if so asked.
func (d *documents) cached(hash [sha256.Size]byte, name bool) *cachedDocument {
	d.mu.Lock()
	defer d.mu.Unlock()
	e, ok := d.byHash[hash]
	if !ok {
		return nil
	}
	d.recent.MoveToFront(e)
	c := e.Value.(*cachedDocument) //nolint:errcheck // the list holds nothing else
	c.named = c.named || name
	found := *c
	return &found
}

// get returns a document that is within its budget and valid. Its error is a fault or a gqlerror.List with codes. The
// document is shared: nobody may change it.
func (d *documents) get(text string) (*ast.QueryDocument, error) {
	hash := sha256.Sum256([]byte(text))
	if c := d.cached(hash, false); c != nil {
		return c.doc, nil
	}

	tokens, err := scanDocument(text, d.limits.Tokens)
	if err != nil {
		return nil, err
	}
	doc, err := d.check(text)
	if err != nil {
		return nil, err
	}
	d.keep(&cachedDocument{hash: hash, text: text, doc: doc, bytes: len(text) + 256*tokens})
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
	if err := checkBudget(doc, d.limits, d.hideSchema); err != nil {
		return nil, err
	}
	if errs := validator.ValidateWithRules(d.schema, doc, validationRules(d.hideSchema)); len(errs) > 0 {
		return nil, coded(errs[:min(len(errs), maxValidationErrors)], fault.ValidationFailed)
	}
	return doc, nil
}

// validationRules are those of the specification; without suggestions where what the schema has is nobody's business.
func validationRules(hideSchema bool) *rules.Rules {
	r := rules.NewDefaultRules()
	if hideSchema {
		for _, quiet := range []validator.Rule{
			rules.FieldsOnCorrectTypeRuleWithoutSuggestions, rules.KnownArgumentNamesRuleWithoutSuggestions, rules.KnownTypeNamesRuleWithoutSuggestions,
			rules.ScalarLeafsRuleWithoutSuggestions, rules.ValuesOfCorrectTypeRuleWithoutSuggestions,
		} {
			r.RemoveRule(strings.TrimSuffix(quiet.Name, "WithoutSuggestions"))
			r.AddRule(quiet.Name, quiet.RuleFunc)
		}
	}
	return r
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
