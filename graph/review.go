package graph

import (
	"context"

	"github.com/pursuing-equity/commons/ent"
	"github.com/pursuing-equity/commons/internal/gid"
)

func callID(c *ent.Call) gid.ID { return c.ID }

// reviewed loads the applications of assignments: who sees the one sees the other.
func (r *Resolver) reviewed(ctx context.Context, of []*ent.ReviewAssignment) ([]*ent.Application, error) {
	return byID(each(of, func(a *ent.ReviewAssignment) gid.ID { return a.ApplicationID }), func(a *ent.Application) gid.ID { return a.ID },
		func(ids []gid.ID) ([]*ent.Application, error) { return r.Reviewing.Applications(ctx, ids) })
}

// percent shows points, which are kept times 100; nil before a review is submitted.
func percent(r *ent.Review) *float64 {
	if r.SubmittedAt == nil {
		return nil
	}
	return new(float64(r.Points) / 100)
}
