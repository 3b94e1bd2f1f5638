package moderation

import (
	"context"
	"fmt"

	"entgo.io/ent/dialect/sql"

	"github.com/pursuing-equity/commons/ent"
	"github.com/pursuing-equity/commons/ent/flag"
	"github.com/pursuing-equity/commons/ent/moderationaction"
	"github.com/pursuing-equity/commons/ent/post"
	"github.com/pursuing-equity/commons/ent/space"
	"github.com/pursuing-equity/commons/ent/thread"
	"github.com/pursuing-equity/commons/internal/access"
	"github.com/pursuing-equity/commons/internal/fault"
	"github.com/pursuing-equity/commons/internal/gid"
	"github.com/pursuing-equity/commons/internal/page"
	"github.com/pursuing-equity/commons/internal/viewer"
)

// The orders of this package's lists: ids rise with time.
var (
	byFirst  = page.Order{Name: "flagged posts", Part: page.ByID}
	perPost  = page.Order{Name: "flags", Part: page.ByID}
	byNewest = page.Order{Name: "moderation actions", Part: page.ByID, Desc: true}
)

// flagsShown is how many flags of one post are shown.
const flagsShown = 50

// within is true for a flag on a post in a space.
func within(spaceID gid.ID) func(*sql.Selector) {
	return func(s *sql.Selector) {
		p := sql.Dialect(s.Dialect()).Select().From(sql.Table(post.Table).As("of_post"))
		t := sql.Table(thread.Table).As("of_thread")
		p.Join(t).On(p.C(post.FieldThreadID), t.C(thread.FieldID))
		p.Select(p.C(post.FieldID)).Where(sql.And(sql.ColumnsEQ(p.C(post.FieldID), s.C(flag.FieldPostID)), sql.EQ(t.C(thread.FieldSpaceID), spaceID)))
		s.Where(sql.Exists(p))
	}
}

// Queue is the posts with flags that wait for the viewer, by when each was first flagged: the first flag of each. It returns NOT_FOUND for
// a space that the viewer cannot see. At most two statements.
func (s *Service) Queue(ctx context.Context, v viewer.Viewer, spaceID *gid.ID, a page.Args) (*page.Connection[ent.Flag], error) {
	c := s.Store.Client(ctx)
	order, scope := byFirst, gid.ID{}
	q := c.Flag.Query().Where(first, access.JudgedFlags(v))
	if spaceID != nil {
		seen, err := c.Space.Query().Where(space.ID(*spaceID), access.VisibleSpaces(v)).Exist(ctx)
		if err != nil {
			return nil, fmt.Errorf("load space: %w", err)
		}
		if !seen {
			return nil, fault.Missing()
		}
		scope = *spaceID
		q.Where(within(scope))
	}
	w, err := a.Window(order, scope)
	if err != nil {
		return nil, err
	}
	rows, err := q.Where(order.Page(w)).All(ctx)
	if err != nil {
		return nil, fmt.Errorf("list flagged posts: %w", err)
	}
	return page.Build(order, w, scope, rows, func(f *ent.Flag) page.Key { return page.Key{ID: f.ID} }), nil
}

// OpenFlags are those on posts that wait, the oldest first, 50 at most of each post: one statement for all posts. It is for posts of Queue:
// whoever was given one may see all of its flags.
func (s *Service) OpenFlags(ctx context.Context, posts []gid.ID) ([][]*ent.Flag, error) {
	most := flagsShown
	pages, err := page.Each(perPost, page.Args{First: &most}, flag.FieldPostID, posts,
		func(f *ent.Flag) page.Key { return page.Key{ID: f.ID} },
		func(f *ent.Flag) gid.ID { return f.PostID },
		func(within func(*sql.Selector)) ([]*ent.Flag, error) {
			return s.Store.Client(ctx).Flag.Query().Where(within).All(ctx)
		}, func(s *sql.Selector) { s.Where(sql.IsNull(s.C(flag.FieldResolvedAt))) })
	if err != nil {
		return nil, err
	}
	flags := make([][]*ent.Flag, len(posts))
	for i, p := range pages {
		flags[i] = make([]*ent.Flag, len(p.Edges))
		for n, e := range p.Edges {
			flags[i][n] = e.Node
		}
	}
	return flags, nil
}

// FlagCounts says of each post of Queue how many flags on it wait: one statement.
func (s *Service) FlagCounts(ctx context.Context, posts []gid.ID) ([]int, error) {
	var rows []struct {
		PostID gid.ID `json:"post_id"`
		Count  int    `json:"count"`
	}
	err := s.Store.Client(ctx).Flag.Query().Where(page.AnyOf(flag.FieldPostID, posts), flag.ResolvedAtIsNil()).
		Modify(func(s *sql.Selector) {
			s.Select(s.C(flag.FieldPostID), sql.As(sql.Count("*"), "count")).GroupBy(s.C(flag.FieldPostID))
		}).Scan(ctx, &rows)
	if err != nil {
		return nil, fmt.Errorf("count flags: %w", err)
	}
	of := make(map[gid.ID]int, len(rows))
	for _, r := range rows {
		of[r.PostID] = r.Count
	}
	counts := make([]int, len(posts))
	for i, id := range posts {
		counts[i] = of[id]
	}
	return counts, nil
}

// OpenCount is how many posts have flags that wait for the viewer.
func (s *Service) OpenCount(ctx context.Context, v viewer.Viewer) (int, error) {
	n, err := s.Store.Client(ctx).Flag.Query().Where(first, access.JudgedFlags(v)).Count(ctx)
	if err != nil {
		return 0, fmt.Errorf("count flagged posts: %w", err)
	}
	return n, nil
}

// OpenCounts says of each space how many posts in it have flags that wait for the viewer: one statement.
func (s *Service) OpenCounts(ctx context.Context, v viewer.Viewer, spaces []gid.ID) ([]int, error) {
	var rows []struct {
		SpaceID gid.ID `json:"space_id"`
		Count   int    `json:"count"`
	}
	err := s.Store.Client(ctx).Flag.Query().Where(first, access.JudgedFlags(v)).Modify(func(s *sql.Selector) {
		p, t := sql.Table(post.Table).As("of_post"), sql.Table(thread.Table).As("of_thread")
		s.Join(p).On(s.C(flag.FieldPostID), p.C(post.FieldID)).Join(t).On(p.C(post.FieldThreadID), t.C(thread.FieldID))
		in := make([]any, len(spaces))
		for i, id := range spaces {
			in[i] = id
		}
		s.Where(sql.In(t.C(thread.FieldSpaceID), in...))
		s.Select(sql.As(t.C(thread.FieldSpaceID), "space_id"), sql.As(sql.Count("*"), "count")).GroupBy(t.C(thread.FieldSpaceID))
	}).Scan(ctx, &rows)
	if err != nil {
		return nil, fmt.Errorf("count flagged posts: %w", err)
	}
	of := make(map[gid.ID]int, len(rows))
	for _, r := range rows {
		of[r.SpaceID] = r.Count
	}
	counts := make([]int, len(spaces))
	for i, id := range spaces {
		counts[i] = of[id]
	}
	return counts, nil
}

// Actions are what those who moderate spaces did there, the newest first: for themselves, and none for anybody else. One statement for all.
func (s *Service) Actions(ctx context.Context, v viewer.Viewer, spaces []gid.ID, a page.Args) ([]*page.Connection[ent.ModerationAction], error) {
	return page.Each(byNewest, a, moderationaction.FieldSpaceID, spaces,
		func(m *ent.ModerationAction) page.Key { return page.Key{ID: m.ID} },
		func(m *ent.ModerationAction) gid.ID { return *m.SpaceID },
		func(within func(*sql.Selector)) ([]*ent.ModerationAction, error) {
			return s.Store.Client(ctx).ModerationAction.Query().Where(within, access.ModerationLog(v)).All(ctx)
		})
}

// Moderators say who did each act, nil where that is not for the viewer to know: one statement.
func (s *Service) Moderators(ctx context.Context, v viewer.Viewer, acts []*ent.ModerationAction) ([]gid.ID, error) {
	ids := make([]gid.ID, len(acts))
	for i, m := range acts {
		ids[i] = m.ID
	}
	known, err := s.Store.Client(ctx).ModerationAction.Query().Where(page.AnyOf(moderationaction.FieldID, ids), access.ModerationLog(v)).IDs(ctx)
	if err != nil {
		return nil, fmt.Errorf("look for what the viewer moderates: %w", err)
	}
	is := make(map[gid.ID]bool, len(known))
	for _, id := range known {
		is[id] = true
	}
	who := make([]gid.ID, len(acts))
	for i, m := range acts {
		if is[m.ID] {
			who[i] = m.ModeratorID
		}
	}
	return who, nil
}
