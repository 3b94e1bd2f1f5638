package graph

import (
	"context"
	"slices"

	"github.com/99designs/gqlgen/graphql"

	"github.com/pursuing-equity/commons/ent"
	"github.com/pursuing-equity/commons/graph/generated"
	"github.com/pursuing-equity/commons/graph/model"
	"github.com/pursuing-equity/commons/internal/access"
	"github.com/pursuing-equity/commons/internal/fault"
	"github.com/pursuing-equity/commons/internal/gid"
	"github.com/pursuing-equity/commons/internal/page"
	"github.com/pursuing-equity/commons/internal/viewer"
)

func (r *Resolver) node(ctx context.Context, v viewer.Viewer, id gid.ID) (model.Node, error) {
	found, err := access.FindColumns(ctx, r.Store.Client(ctx), v, columns(ctx), id)
	if err != nil {
		return nil, err
	}
	if found[id] == nil {
		return nil, fault.Missing()
	}
	return found[id], nil
}

// columns are, for a kind, those that hold what is asked of the present field's objects; nil, which means all, when any of that needs a resolver.
func columns(ctx context.Context) func(gid.Kind) []string {
	return func(kind gid.Kind) []string {
		kept := generated.Kept[kind]
		asked := graphql.CollectFields(graphql.GetOperationContext(ctx), graphql.GetFieldContext(ctx).Field.Selections, kept.Types)
		columns := make([]string, 0, len(asked)+1)
		columns = append(columns, "id")
		for _, f := range asked {
			column, found := kept.Columns[f.Name]
			if !found && f.Name != "__typename" {
				return nil
			}
			if found && !slices.Contains(columns, column) {
				columns = append(columns, column)
			}
		}
		return columns
	}
}

// nodes adds an error at the place of each that is missing, and returns the others.
func (r *Resolver) nodes(ctx context.Context, v viewer.Viewer, ids []gid.ID) ([]model.Node, error) {
	if len(ids) > page.Max {
		return nil, fault.Invalid("ids", "Ask for at most %d objects at once.", page.Max)
	}
	found, err := access.FindColumns(ctx, r.Store.Client(ctx), v, columns(ctx), ids...)
	if err != nil {
		return nil, err
	}
	nodes := make([]model.Node, len(ids))
	for i, id := range ids {
		if nodes[i] = found[id]; nodes[i] == nil {
			graphql.AddError(graphql.WithPathContext(ctx, graphql.NewPathWithIndex(i)), fault.Missing())
		}
	}
	return nodes, nil
}

// viewer is the member who asks, or nil.
func (r *Resolver) viewer(ctx context.Context, v viewer.Viewer) (*ent.Member, error) {
	me, ok := v.MemberID()
	if !ok {
		return nil, nil
	}
	m, err := r.members(ctx, []gid.ID{me})
	if err != nil {
		return nil, err
	}
	return m[0], nil
}
