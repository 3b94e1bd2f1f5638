package forum

import (
	"context"
	"fmt"

	"github.com/pursuing-equity/commons/ent"
	"github.com/pursuing-equity/commons/ent/block"
	"github.com/pursuing-equity/commons/ent/post"
	"github.com/pursuing-equity/commons/internal/access"
	"github.com/pursuing-equity/commons/internal/gid"
	"github.com/pursuing-equity/commons/internal/page"
	"github.com/pursuing-equity/commons/internal/viewer"
)

// UnheardIn is how many of the posts that Unread counts in each of some threads come from whom the viewer does not hear from: take it off.
// It is one statement, which reads posts only for who blocks or mutes somebody.
func (s *Service) UnheardIn(ctx context.Context, v viewer.Viewer, threads []gid.ID) (map[gid.ID]int, error) {
	counts := make(map[gid.ID]int)
	if _, ok := v.MemberID(); !ok || len(threads) == 0 {
		return counts, nil
	}
	var rows []struct {
		ThreadID gid.ID `sql:"thread_id"`
		Posts    int    `sql:"posts"`
	}
	err := s.Store.Client(ctx).Post.Query().
		Where(page.AnyOf(post.FieldThreadID, threads), access.UnheardUnreadPosts(v)).
		GroupBy(post.FieldThreadID).Aggregate(ent.As(ent.Count(), "posts")).Scan(ctx, &rows)
	if err != nil {
		return nil, fmt.Errorf("count posts that are not heard: %w", err)
	}
	for _, r := range rows {
		counts[r.ThreadID] = r.Posts
	}
	return counts, nil
}

// UnreadCounts are how many posts of each thread the viewer has not read, of whom they hear: two statements, whatever the number of threads.
func (s *Service) UnreadCounts(ctx context.Context, v viewer.Viewer, threads []*ent.Thread) ([]int, error) {
	counts := make([]int, len(threads))
	if !v.IsMember() {
		return counts, nil
	}
	ids := make([]gid.ID, len(threads))
	for i, t := range threads {
		ids[i] = t.ID
	}
	states, err := s.ReadStates(ctx, v, ids)
	if err != nil {
		return nil, err
	}
	unheard, err := s.UnheardIn(ctx, v, ids)
	if err != nil {
		return nil, err
	}
	for i, t := range threads {
		counts[i] = max(0, Unread(t, states[t.ID])-unheard[t.ID])
	}
	return counts, nil
}

// LastPosts are the newest posts of threads that the viewer hears of: one statement, and another one where the newest is not heard.
func (s *Service) LastPosts(ctx context.Context, v viewer.Viewer, threads []*ent.Thread) ([]*ent.Post, error) {
	ids := make([]gid.ID, 0, len(threads))
	for _, t := range threads {
		if t.LastPostID != nil {
			ids = append(ids, *t.LastPostID)
		}
	}
	rows, err := s.Store.Client(ctx).Post.Query().Where(page.AnyOf(post.FieldID, ids), access.HeardPosts(v)).All(ctx)
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
