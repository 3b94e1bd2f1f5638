package forum

import (
	"context"
	"fmt"

	"entgo.io/ent/dialect/sql"

	"github.com/pursuing-equity/commons/ent"
	"github.com/pursuing-equity/commons/ent/post"
	"github.com/pursuing-equity/commons/ent/postrevision"
	"github.com/pursuing-equity/commons/ent/reaction"
	"github.com/pursuing-equity/commons/ent/thread"
	"github.com/pursuing-equity/commons/internal/access"
	"github.com/pursuing-equity/commons/internal/gid"
	"github.com/pursuing-equity/commons/internal/page"
	"github.com/pursuing-equity/commons/internal/viewer"
)

// The orders of this package's lists.
var (
	byActivity = page.Order{Name: "threads", Column: thread.FieldLastActivityAt, Part: page.ByTime, Desc: true}
	bySeq      = page.Order{Name: "posts", Column: post.FieldSeq, Part: page.ByInt}
	byVersion  = page.Order{Name: "revisions", Column: postrevision.FieldVersion, Part: page.ByInt, Desc: true}
)

// Threads are the threads of spaces, the most recently active first: one statement for all spaces.
func (s *Service) Threads(ctx context.Context, v viewer.Viewer, spaces []gid.ID, a page.Args) ([]*page.Connection[ent.Thread], error) {
	return page.Each(byActivity, a, thread.FieldSpaceID, spaces,
		func(t *ent.Thread) page.Key { return page.Key{Time: t.LastActivityAt, ID: t.ID} },
		func(t *ent.Thread) gid.ID { return t.SpaceID },
		func(within func(*sql.Selector)) ([]*ent.Thread, error) {
			return s.Store.Client(ctx).Thread.Query().Where(within, access.VisibleThreads(v)).All(ctx)
		})
}

// Posts are the posts of threads by number, tombstones included, of whom the viewer hears: one statement for all threads.
func (s *Service) Posts(ctx context.Context, v viewer.Viewer, threads []gid.ID, a page.Args) ([]*page.Connection[ent.Post], error) {
	return page.Each(bySeq, a, post.FieldThreadID, threads,
		func(p *ent.Post) page.Key { return page.Key{Int: int64(p.Seq)} },
		func(p *ent.Post) gid.ID { return p.ThreadID },
		func(within func(*sql.Selector)) ([]*ent.Post, error) {
			return s.Store.Client(ctx).Post.Query().Where(within, access.VisiblePosts(v), access.HeardPosts(v)).All(ctx)
		})
}

// Revisions are what posts said before, the newest first: one statement for all posts.
func (s *Service) Revisions(ctx context.Context, v viewer.Viewer, posts []gid.ID, a page.Args) ([]*page.Connection[ent.PostRevision], error) {
	return page.Each(byVersion, a, postrevision.FieldPostID, posts,
		func(r *ent.PostRevision) page.Key { return page.Key{Int: int64(r.Version)} },
		func(r *ent.PostRevision) gid.ID { return r.PostID },
		func(within func(*sql.Selector)) ([]*ent.PostRevision, error) {
			return s.Store.Client(ctx).PostRevision.Query().Where(within, access.VisiblePostRevisions(v)).All(ctx)
		})
}

// ReactionOf is one emoji that the viewer used on a post.
type ReactionOf struct {
	Post  gid.ID
	Emoji string
}

// ReactionGroup is how many members reacted to a post with one emoji.
type ReactionGroup struct {
	Post  *ent.Post
	Emoji string
	Count int
}

// Reactions are a post's, in the order in which each emoji was first used.
func Reactions(p *ent.Post) []*ReactionGroup {
	groups := make([]*ReactionGroup, len(p.ReactionCounts))
	for i, c := range p.ReactionCounts {
		groups[i] = &ReactionGroup{Post: p, Emoji: c.Emoji, Count: c.Count}
	}
	return groups
}

// ViewerReactions are the viewer's own reactions to posts: one statement, none when nobody reacted.
func (s *Service) ViewerReactions(ctx context.Context, v viewer.Viewer, posts []*ent.Post) (map[ReactionOf]bool, error) {
	me, ok := v.MemberID()
	var ids []gid.ID
	for _, p := range posts {
		if len(p.ReactionCounts) > 0 {
			ids = append(ids, p.ID)
		}
	}
	if !ok || len(ids) == 0 {
		return nil, nil
	}
	rows, err := s.Store.Client(ctx).Reaction.Query().Where(reaction.MemberID(me), page.AnyOf(reaction.FieldPostID, ids)).All(ctx)
	if err != nil {
		return nil, fmt.Errorf("load the viewer's reactions: %w", err)
	}
	mine := make(map[ReactionOf]bool, len(rows))
	for _, r := range rows {
		mine[ReactionOf{r.PostID, r.Emoji}] = true
	}
	return mine, nil
}
