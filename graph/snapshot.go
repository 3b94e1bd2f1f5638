package graph

import (
	"context"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/pursuing-equity/commons/internal/store"
)

// Snapshot makes a query that asks for eventCursor read everything from one view of the database, so that the cursor agrees
// with what was read. Other queries need no view of their own.
type Snapshot struct{ Store *store.Store }

var _ interface {
	graphql.HandlerExtension
	graphql.ResponseInterceptor
} = Snapshot{}

// ExtensionName is for the executor.
func (Snapshot) ExtensionName() string { return "Snapshot" }

// Validate accepts every schema.
func (Snapshot) Validate(graphql.ExecutableSchema) error { return nil }

// InterceptResponse runs the query inside of the view.
func (s Snapshot) InterceptResponse(ctx context.Context, next graphql.ResponseHandler) *graphql.Response {
	oc := graphql.GetOperationContext(ctx)
	if oc.Operation.Operation != ast.Query || !asksForCursor(oc) {
		return next(ctx)
	}
	var resp *graphql.Response
	err := s.Store.Snapshot(ctx, func(ctx context.Context) error {
		resp = next(ctx)
		return nil
	})
	if err != nil {
		graphql.AddError(ctx, err)
		return &graphql.Response{Data: []byte("null"), Errors: graphql.GetErrors(ctx)}
	}
	return resp
}

func asksForCursor(oc *graphql.OperationContext) bool {
	for _, f := range graphql.CollectFields(oc, oc.Operation.SelectionSet, []string{"Query"}) {
		if f.Name == "eventCursor" {
			return true
		}
	}
	return false
}
