package graph

import (
	"context"

	"github.com/pursuing-equity/commons/ent"
	"github.com/pursuing-equity/commons/ent/cohort"
	"github.com/pursuing-equity/commons/ent/member"
	"github.com/pursuing-equity/commons/ent/offering"
	"github.com/pursuing-equity/commons/ent/organization"
	"github.com/pursuing-equity/commons/ent/post"
	"github.com/pursuing-equity/commons/ent/program"
	"github.com/pursuing-equity/commons/ent/space"
	"github.com/pursuing-equity/commons/ent/team"
	"github.com/pursuing-equity/commons/ent/thread"
	"github.com/pursuing-equity/commons/internal/gid"
	"github.com/pursuing-equity/commons/internal/page"
	"github.com/pursuing-equity/commons/internal/store"
)

// The loaders of edges: one statement for all parents of a level. They check nothing: an edge that leads from something visible
// to something that may be hidden is a domain's to load.

// each maps parents to the ids that an edge leads to.
func each[P any](parents []*P, id func(*P) gid.ID) []gid.ID {
	ids := make([]gid.ID, len(parents))
	for i, p := range parents {
		ids[i] = id(p)
	}
	return ids
}

// maybe is an optional edge's id, zero when there is none.
func maybe(id *gid.ID) gid.ID {
	if id == nil {
		return gid.ID{}
	}
	return *id
}

// byID loads the rows of ids, in their order; nil for a zero id and for one that is not there.
func byID[T any](ids []gid.ID, id func(*T) gid.ID, load func(distinct []gid.ID) ([]*T, error)) ([]*T, error) {
	at := make(map[gid.ID]*T, len(ids))
	distinct := make([]gid.ID, 0, len(ids))
	for _, i := range ids {
		if _, seen := at[i]; !seen && !i.IsZero() {
			at[i] = nil
			distinct = append(distinct, i)
		}
	}
	out := make([]*T, len(ids))
	if len(distinct) == 0 {
		return out, nil
	}
	rows, err := load(distinct)
	if err != nil {
		return nil, err
	}
	for _, row := range rows {
		at[id(row)] = row
	}
	for i, want := range ids {
		out[i] = at[want]
	}
	return out, nil
}

// kinship is a pointer to an ent row whose copies can know each other.
type kinship[T any] interface {
	*T
	Kin(rows []*T) []*T
}

// keptByID is byID for rows that are kept for a moment.
func keptByID[T any, P kinship[T]](ctx context.Context, kept *store.Kept[T], ids []gid.ID, id func(*T) gid.ID, load func(distinct []gid.ID) ([]*T, error)) ([]*T, error) {
	return byID(ids, id, func(ids []gid.ID) ([]*T, error) {
		rows, err := kept.Find(ctx, ids, load)
		if err != nil {
			return nil, err
		}
		return P(nil).Kin(rows), nil
	})
}

func (r *Resolver) members(ctx context.Context, ids []gid.ID) ([]*ent.Member, error) {
	return keptByID(ctx, r.Kept.Members, ids, memberID, func(ids []gid.ID) ([]*ent.Member, error) {
		return r.Store.Client(ctx).Member.Query().Where(page.AnyOf(member.FieldID, ids)).All(ctx)
	})
}

func (r *Resolver) organizations(ctx context.Context, ids []gid.ID) ([]*ent.Organization, error) {
	return keptByID(ctx, r.Kept.Organizations, ids, organizationID, func(ids []gid.ID) ([]*ent.Organization, error) {
		return r.Store.Client(ctx).Organization.Query().Where(page.AnyOf(organization.FieldID, ids)).All(ctx)
	})
}

func (r *Resolver) teams(ctx context.Context, ids []gid.ID) ([]*ent.Team, error) {
	return keptByID(ctx, r.Kept.Teams, ids, teamID, func(ids []gid.ID) ([]*ent.Team, error) {
		return r.Store.Client(ctx).Team.Query().Where(page.AnyOf(team.FieldID, ids)).All(ctx)
	})
}

func (r *Resolver) cohorts(ctx context.Context, ids []gid.ID) ([]*ent.Cohort, error) {
	return byID(ids, func(c *ent.Cohort) gid.ID { return c.ID }, func(ids []gid.ID) ([]*ent.Cohort, error) {
		return r.Store.Client(ctx).Cohort.Query().Where(page.AnyOf(cohort.FieldID, ids)).All(ctx)
	})
}

func (r *Resolver) offerings(ctx context.Context, ids []gid.ID) ([]*ent.Offering, error) {
	return keptByID(ctx, r.Kept.Offerings, ids, offeringID, func(ids []gid.ID) ([]*ent.Offering, error) {
		return r.Store.Client(ctx).Offering.Query().Where(page.AnyOf(offering.FieldID, ids)).All(ctx)
	})
}

func (r *Resolver) programs(ctx context.Context, ids []gid.ID) ([]*ent.Program, error) {
	return keptByID(ctx, r.Kept.Programs, ids, programID, func(ids []gid.ID) ([]*ent.Program, error) {
		return r.Store.Client(ctx).Program.Query().Where(page.AnyOf(program.FieldID, ids)).All(ctx)
	})
}

func (r *Resolver) spaces(ctx context.Context, ids []gid.ID) ([]*ent.Space, error) {
	return byID(ids, func(s *ent.Space) gid.ID { return s.ID }, func(ids []gid.ID) ([]*ent.Space, error) {
		return r.Store.Client(ctx).Space.Query().Where(page.AnyOf(space.FieldID, ids)).All(ctx)
	})
}

func (r *Resolver) threads(ctx context.Context, ids []gid.ID) ([]*ent.Thread, error) {
	return byID(ids, func(t *ent.Thread) gid.ID { return t.ID }, func(ids []gid.ID) ([]*ent.Thread, error) {
		return r.Store.Client(ctx).Thread.Query().Where(page.AnyOf(thread.FieldID, ids)).All(ctx)
	})
}

func (r *Resolver) posts(ctx context.Context, ids []gid.ID) ([]*ent.Post, error) {
	return byID(ids, func(p *ent.Post) gid.ID { return p.ID }, func(ids []gid.ID) ([]*ent.Post, error) {
		return r.Store.Client(ctx).Post.Query().Where(page.AnyOf(post.FieldID, ids)).All(ctx)
	})
}

// files leaves out what is not served any more.
func (r *Resolver) files(ctx context.Context, ids []gid.ID) ([]*ent.File, error) {
	return byID(ids, func(f *ent.File) gid.ID { return f.ID }, func(ids []gid.ID) ([]*ent.File, error) {
		return r.Files.Served(ctx, ids)
	})
}
