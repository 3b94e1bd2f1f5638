package graph

import (
	"context"

	"github.com/99designs/gqlgen/graphql"

	"github.com/pursuing-equity/commons/internal/sibling"
)

// together resolves a field of an object and of all objects that were loaded with it in one go: resolve gets them all and
// returns a result for each, in their order. Every field that needs SQL is resolved this way.
func together[T any, P interface {
	*T
	Siblings() *sibling.Group[T]
}, R any](ctx context.Context, obj P, resolve func([]*T) ([]R, error)) (R, error) {
	return sibling.Resolve(obj.Siblings(), (*T)(obj), graphql.GetFieldContext(ctx).Field.Field, resolve)
}
