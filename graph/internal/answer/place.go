package answer

import (
	"context"

	"github.com/99designs/gqlgen/graphql"
)

// Place is a field in a selection set, or an element of the list that a field is: what is the same for all objects that have it.
// An operation is executed in sequence, so one place serves all of them in turn.
type Place struct {
	graphql.CollectedField
	// Ctx holds the field's context, as gqlgen's resolvers expect it. Nil until Begin.
	Ctx context.Context
	// Field is the field's context itself.
	Field *graphql.FieldContext

	key     []byte
	err     error // what is wrong with its arguments
	told    bool  // whether gqlgen has reported that for the object at hand
	index   int   // of the element at hand
	element *Place
	objects []typed
}

type typed struct {
	name   string
	object *Object
}

// Object is a selection set on one type.
type Object struct{ Fields []Place }

// Root is the place of an operation's own selection set.
func Root(ctx context.Context, field graphql.CollectedField) *Place {
	return &Place{CollectedField: field, Ctx: ctx, Field: graphql.GetFieldContext(ctx)}
}

// Object is the place's selection set on a type, with fragments and conditions applied.
func (p *Place) Object(oc *graphql.OperationContext, name string, implementors []string) *Object {
	for i := range p.objects {
		if p.objects[i].name == name {
			return p.objects[i].object
		}
	}
	collected := graphql.CollectFields(oc, p.Selections, implementors)
	o := &Object{Fields: make([]Place, len(collected))}
	for i, f := range collected {
		o.Fields[i] = Place{CollectedField: f, key: append(appendString(nil, f.Alias), ':')}
	}
	p.objects = append(p.objects, typed{name, o})
	return o
}

// Begin gives the place its context, made from its parent's. An error of its arguments has been reported for the object at hand.
func (p *Place) Begin(parent context.Context, fc *graphql.FieldContext, err error) {
	p.Ctx, p.Field = graphql.WithFieldContext(parent, fc), fc
	p.err, p.told = err, err != nil
}

// Element is the place of the list's elements.
func (p *Place) Element() *Place {
	if p.element == nil {
		e := &Place{CollectedField: p.CollectedField}
		e.Field = &graphql.FieldContext{Index: &e.index}
		e.Ctx = graphql.WithFieldContext(p.Ctx, e.Field)
		p.element = e
	}
	return p.element
}

// At is the element at an index.
func (p *Place) At(i int) { p.index = i }

// Resolve calls a field's resolver. When it fails the error is reported, and ok is false.
func Resolve[T any](oc *graphql.OperationContext, p *Place, resolve func(context.Context, *graphql.FieldContext) (T, error)) (v T, ok bool) {
	if p.err != nil {
		if !p.told {
			oc.Error(p.Ctx, p.err)
		}
		p.told = false
		return v, false
	}
	defer func() {
		if r := recover(); r != nil {
			oc.Error(p.Ctx, oc.Recover(p.Ctx, r))
			ok = false
		}
	}()
	v, err := resolve(p.Ctx, p.Field)
	if err != nil {
		oc.Error(p.Ctx, graphql.AddFieldLocationToError(p.Ctx, err))
		return v, false
	}
	return v, true
}

// Foreign writes what a marshaler of others makes of a value; it is false for null.
func Foreign(w *Writer, m graphql.Marshaler) bool {
	if m == graphql.Null {
		return false
	}
	m.MarshalGQL(w)
	return true
}
