package forum

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"entgo.io/ent/dialect/sql"

	"github.com/pursuing-equity/commons/ent"
	"github.com/pursuing-equity/commons/ent/block"
	"github.com/pursuing-equity/commons/ent/post"
	"github.com/pursuing-equity/commons/ent/readstate"
	"github.com/pursuing-equity/commons/ent/thread"
	"github.com/pursuing-equity/commons/internal/access"
	"github.com/pursuing-equity/commons/internal/gid"
	"github.com/pursuing-equity/commons/internal/page"
	"github.com/pursuing-equity/commons/internal/viewer"
)

// unreadPosts is the column of besideUnread.
const unreadPosts = "unread_posts"

// besideUnread puts beside each thread how many of its posts the viewer has not read, of whom they hear. Posts are read only for who blocks or
// mutes somebody.
func besideUnread(v viewer.Viewer) func(*sql.Selector) {
	return func(q *sql.Selector) {
		me, _ := v.MemberID()
		state := sql.Dialect(q.Dialect()).Select().From(sql.Table(readstate.Table))
		state.Select(state.C(readstate.FieldLastReadSeq) + " + " + state.C(readstate.FieldUncounted))
		state.Where(sql.And(sql.ColumnsEQ(state.C(readstate.FieldThreadID), q.C(thread.FieldID)), sql.EQ(state.C(readstate.FieldMemberID), me)))
		unheard := sql.Dialect(q.Dialect()).Select(sql.Count("*")).From(sql.Table(post.Table))
		unheard.Where(sql.ColumnsEQ(unheard.C(post.FieldThreadID), q.C(thread.FieldID)))
		access.UnheardUnreadPosts(v)(unheard)
		q.AppendSelectExprAs(sql.P(func(b *sql.Builder) {
			b.Ident(q.C(thread.FieldPostSeq)).WriteString(" - COALESCE(")
			b.Wrap(func(b *sql.Builder) { b.Join(state) }).WriteString(", ").Ident(q.C(thread.FieldDeletedPosts)).WriteString(") - ")
			b.Wrap(func(b *sql.Builder) { b.Join(unheard) })
		}), unreadPosts)
	}
}

// unreadBeside reads what besideUnread put beside a thread; not ok when the thread was loaded without it.
func unreadBeside(t *ent.Thread) (count int, ok bool) {
	value, err := t.Value(unreadPosts)
	n, is := value.(int64)
	return max(0, int(n)), err == nil && is
}

// UnreadCounts are how many posts of each thread the viewer has not read, of whom they hear: one statement, whatever the number of threads,
// and none where it stands beside them.
func (s *Service) UnreadCounts(ctx context.Context, v viewer.Viewer, threads []*ent.Thread) ([]int, error) {
	counts := make([]int, len(threads))
	if !v.IsMember() || len(threads) == 0 {
		return counts, nil
	}
	missing := make(map[gid.ID][]int) // one thread may be asked about more than once
	for i, t := range threads {
		var ok bool
		if counts[i], ok = unreadBeside(t); !ok {
			missing[t.ID] = append(missing[t.ID], i)
		}
	}
	if len(missing) == 0 {
		return counts, nil
	}
	rows, err := s.Store.Client(ctx).Thread.Query().Where(page.AnyOf(thread.FieldID, slices.Collect(maps.Keys(missing)))).Select(thread.FieldID).Modify(besideUnread(v)).All(ctx)
	if err != nil {
		return nil, fmt.Errorf("count unread posts: %w", err)
	}
	for _, t := range rows {
		for _, i := range missing[t.ID] {
			counts[i], _ = unreadBeside(t)
		}
	}
	return counts, nil
}

// LastPosts are the newest posts of threads that the viewer hears of: one statement, and another one where the newest is not heard.
func (s *Service) LastPosts(ctx context.Context, v viewer.Viewer, threads []*ent.Thread, part Part) ([]*ent.Post, error) {
	ids := make([]gid.ID, 0, len(threads))
	for _, t := range threads {
		if t.LastPostID != nil {
			ids = append(ids, *t.LastPostID)
		}
	}
	rows, err := part.of(s.Store.Client(ctx).Post.Query().Where(page.AnyOf(post.FieldID, ids), access.HeardPosts(v))).All(ctx)
	if err != nil {
		return nil, fmt.Errorf("load last posts: %w", err)
	}
	last := make(map[gid.ID]*ent.Post, len(threads))
	for _, p := range rows {
		last[p.ThreadID] = p
	}
	var missing []gid.ID
	for _, t := range threads {
		if t.LastPostID != nil && last[t.ID] == nil {
			missing = append(missing, t.ID)
		}
	}
	if len(missing) > 0 {
		one := 1
		pages, err := s.Posts(ctx, v, missing, page.Args{Last: &one})
		if err != nil {
			return nil, err
		}
		for _, found := range pages {
			for _, e := range found.Edges {
				last[e.Node.ThreadID] = e.Node
			}
		}
	}
	out := make([]*ent.Post, len(threads))
	for i, t := range threads {
		out[i] = last[t.ID]
	}
	return out, nil
}

// ViewerMutes says of each post whether the viewer blocks or mutes its author: one statement.
func (s *Service) ViewerMutes(ctx context.Context, v viewer.Viewer, posts []*ent.Post) ([]bool, error) {
	authors := make([]gid.ID, len(posts))
	for i, p := range posts {
		authors[i] = p.AuthorID
	}
	rows, err := s.Store.Client(ctx).Block.Query().Where(access.OwnBlocks(v), page.AnyOf(block.FieldBlockedID, authors)).All(ctx)
	if err != nil {
		return nil, fmt.Errorf("load the viewer's blocks: %w", err)
	}
	mutes := make(map[gid.ID]bool, len(rows))
	for _, b := range rows {
		mutes[b.BlockedID] = true
	}
	is := make([]bool, len(posts))
	for i, a := range authors {
		is[i] = mutes[a]
	}
	return is, nil
}
