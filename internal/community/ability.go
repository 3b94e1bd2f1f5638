package community

import (
	"context"
	"fmt"

	"entgo.io/ent/dialect/sql"

	"github.com/pursuing-equity/commons/ent"
	"github.com/pursuing-equity/commons/ent/post"
	"github.com/pursuing-equity/commons/ent/readstate"
	"github.com/pursuing-equity/commons/ent/space"
	"github.com/pursuing-equity/commons/ent/spacemembership"
	"github.com/pursuing-equity/commons/ent/thread"
	"github.com/pursuing-equity/commons/internal/access"
	"github.com/pursuing-equity/commons/internal/gid"
	"github.com/pursuing-equity/commons/internal/page"
	"github.com/pursuing-equity/commons/internal/viewer"
)

// What the viewer may do with objects, and what they have in them: a few statements for all of the objects. What was archived
// is not changed by anybody.

// CanUpdateOrganizations says of each organization whether the viewer may change it.
func (s *Service) CanUpdateOrganizations(ctx context.Context, v viewer.Viewer, organizations []*ent.Organization) ([]bool, error) {
	actor, err := access.Load(ctx, s.Store.Client(ctx), v)
	if err != nil {
		return nil, err
	}
	can := make([]bool, len(organizations))
	for i, o := range organizations {
		can[i] = o.ArchivedAt == nil && actor.CanUpdateOrganization(o.ID)
	}
	return can, nil
}

// CanUpdateTeams says of each team whether the viewer may change it and its memberships.
func (s *Service) CanUpdateTeams(ctx context.Context, v viewer.Viewer, teams []*ent.Team) ([]bool, error) {
	c := s.Store.Client(ctx)
	actor, err := access.Load(ctx, c, v)
	if err != nil {
		return nil, err
	}
	may, err := actor.CanUpdateTeams(ctx, c, teams...)
	if err != nil {
		return nil, err
	}
	can := make([]bool, len(teams))
	for i, t := range teams {
		can[i] = t.ArchivedAt == nil && may[t.ID]
	}
	return can, nil
}

// CanUpdateCohorts says of each cohort whether the viewer may change it and enroll teams in it.
func (s *Service) CanUpdateCohorts(ctx context.Context, v viewer.Viewer, cohorts []*ent.Cohort) ([]bool, error) {
	actor, err := access.Load(ctx, s.Store.Client(ctx), v)
	if err != nil {
		return nil, err
	}
	can := make([]bool, len(cohorts))
	for i, c := range cohorts {
		can[i] = c.ArchivedAt == nil && actor.CanUpdateCohort(c.ID)
	}
	return can, nil
}

// SpaceAbilities are what the viewer may do in a space.
type SpaceAbilities struct{ CreateThread, Update bool }

// SpaceAbilities says of each space what the viewer may do in it.
func (s *Service) SpaceAbilities(ctx context.Context, v viewer.Viewer, spaces []*ent.Space) ([]SpaceAbilities, error) {
	c := s.Store.Client(ctx)
	actor, err := access.Load(ctx, c, v)
	if err != nil {
		return nil, err
	}
	rights, err := actor.Spaces(ctx, c, spaces...)
	if err != nil {
		return nil, err
	}
	can := make([]SpaceAbilities, len(spaces))
	for i, sp := range spaces {
		r := rights[sp.ID]
		can[i] = SpaceAbilities{CreateThread: r.Write, Update: r.Manage && sp.ArchivedAt == nil}
	}
	return can, nil
}

// ViewerMemberships are the viewer's own current places in spaces; nil where they have none.
func (s *Service) ViewerMemberships(ctx context.Context, v viewer.Viewer, spaces []gid.ID) ([]*ent.SpaceMembership, error) {
	me, ok := v.MemberID()
	if !ok {
		return make([]*ent.SpaceMembership, len(spaces)), nil
	}
	rows, err := s.Store.Client(ctx).SpaceMembership.Query().
		Where(spacemembership.MemberID(me), page.AnyOf(spacemembership.FieldSpaceID, spaces), access.CurrentSpaceMemberships()).All(ctx)
	lists, err := group(spaces, rows, err, func(m *ent.SpaceMembership) gid.ID { return m.SpaceID })
	return firsts(lists), err
}

// UnreadCounts are how many posts the viewer has not read in each of the spaces that they belong to, and zero in the others: one
// statement over threads' and readers' counters, as forum.Unread counts one thread. Posts are read for those only who block somebody.
func (s *Service) UnreadCounts(ctx context.Context, v viewer.Viewer, spaces []gid.ID) ([]int, error) {
	counts := make([]int, len(spaces))
	me, ok := v.MemberID()
	if !ok {
		return counts, nil
	}
	var rows []struct {
		SpaceID gid.ID `sql:"space_id"`
		Unread  int    `sql:"unread"`
	}
	states := sql.Table(readstate.Table).As("r")
	unread := func(sel *sql.Selector) string {
		n := fmt.Sprintf("%s - coalesce(%s, 0) - coalesce(%s, %s)", sel.C(thread.FieldPostSeq),
			states.C(readstate.FieldLastReadSeq), states.C(readstate.FieldUncounted), sel.C(thread.FieldDeletedPosts))
		return sql.As(fmt.Sprintf("sum(CASE WHEN %s > 0 THEN %s ELSE 0 END)", n, n), "unread")
	}
	mine := space.HasMembershipsWith(spacemembership.MemberID(me), access.CurrentSpaceMemberships())
	err := s.Store.Client(ctx).Thread.Query().
		Where(page.AnyOf(thread.FieldSpaceID, spaces), thread.HasSpaceWith(mine), func(sel *sql.Selector) {
			sel.LeftJoin(states).OnP(sql.And(
				sql.ColumnsEQ(states.C(readstate.FieldThreadID), sel.C(thread.FieldID)), sql.EQ(states.C(readstate.FieldMemberID), me)))
		}).
		GroupBy(thread.FieldSpaceID).Aggregate(unread).Scan(ctx, &rows)
	if err != nil {
		return nil, fmt.Errorf("count unread posts: %w", err)
	}
	of := make(map[gid.ID]int, len(rows))
	for _, row := range rows {
		of[row.SpaceID] = row.Unread
	}
	unheard, err := s.unheard(ctx, v, spaces)
	if err != nil {
		return nil, err
	}
	for i, id := range spaces {
		counts[i] = max(0, of[id]-unheard[id])
	}
	return counts, nil
}

// unheard is how many of the posts that are counted as unread in spaces come from whom the viewer does not hear from: one statement, and
// for who has such posts another one.
func (s *Service) unheard(ctx context.Context, v viewer.Viewer, spaces []gid.ID) (map[gid.ID]int, error) {
	var rows []struct {
		ThreadID gid.ID `sql:"thread_id"`
		Posts    int    `sql:"posts"`
	}
	err := s.Store.Client(ctx).Post.Query().
		Where(post.HasThreadWith(page.AnyOf(thread.FieldSpaceID, spaces)), access.UnheardUnreadPosts(v)).
		GroupBy(post.FieldThreadID).Aggregate(ent.As(ent.Count(), "posts")).Scan(ctx, &rows)
	if err != nil || len(rows) == 0 {
		return nil, err
	}
	posts := make(map[gid.ID]int, len(rows))
	ids := make([]gid.ID, len(rows))
	for i, row := range rows {
		posts[row.ThreadID], ids[i] = row.Posts, row.ThreadID
	}
	threads, err := s.Store.Client(ctx).Thread.Query().Where(page.AnyOf(thread.FieldID, ids)).Select(thread.FieldID, thread.FieldSpaceID).All(ctx)
	if err != nil {
		return nil, fmt.Errorf("load threads: %w", err)
	}
	in := make(map[gid.ID]int)
	for _, t := range threads {
		in[t.SpaceID] += posts[t.ID]
	}
	return in, nil
}
