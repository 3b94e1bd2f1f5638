package graph

import (
	"context"

	"github.com/99designs/gqlgen/graphql"

	"github.com/pursuing-equity/commons/ent"
	"github.com/pursuing-equity/commons/graph/model"
	"github.com/pursuing-equity/commons/internal/access"
	"github.com/pursuing-equity/commons/internal/fault"
	"github.com/pursuing-equity/commons/internal/gid"
	"github.com/pursuing-equity/commons/internal/page"
	"github.com/pursuing-equity/commons/internal/viewer"
)

func (r *Resolver) node(ctx context.Context, v viewer.Viewer, id gid.ID) (model.Node, error) {
	found, err := access.Find(ctx, r.Store.Client(ctx), v, id)
	if err != nil {
		return nil, err
	}
	if found[id] == nil {
		return nil, fault.Missing()
	}
	return found[id], nil
}

// nodes adds an error at the place of each that is missing, and returns the others.
func (r *Resolver) nodes(ctx context.Context, v viewer.Viewer, ids []gid.ID) ([]model.Node, error) {
	if len(ids) > page.Max {
		return nil, fault.Invalid("ids", "Ask for at most %d objects at once.", page.Max)
	}
	found, err := access.Find(ctx, r.Store.Client(ctx), v, ids...)
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
