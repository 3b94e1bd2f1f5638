package forum

import (
	"context"
	"fmt"
	"strings"

	"entgo.io/ent/dialect/sql"

	"github.com/pursuing-equity/commons/ent"
	"github.com/pursuing-equity/commons/ent/post"
	"github.com/pursuing-equity/commons/ent/postrevision"
	"github.com/pursuing-equity/commons/ent/reaction"
	"github.com/pursuing-equity/commons/ent/thread"
	"github.com/pursuing-equity/commons/ent/threadtag"
	"github.com/pursuing-equity/commons/internal/access"
	"github.com/pursuing-equity/commons/internal/gid"
	"github.com/pursuing-equity/commons/internal/page"
	"github.com/pursuing-equity/commons/internal/store"
	"github.com/pursuing-equity/commons/internal/viewer"
)

// The orders of this package's lists.
var (
	byActivity = page.Order{Name: "threads", Column: thread.FieldLastActivityAt, Part: page.ByTime, Desc: true}
	bySeq      = page.Order{Name: "posts", Column: post.FieldSeq, Part: page.ByInt}
	byVersion  = page.Order{Name: "revisions", Column: postrevision.FieldVersion, Part: page.ByInt, Desc: true}
)

// ThreadFilter narrows a list of threads; nil fields narrow nothing.
type ThreadFilter struct {
	Kind   *thread.Kind
	Tag    *string
	Pinned *bool
}

// order is the list's. The filter is in its name, so that a cursor of another list is told apart.
func (f ThreadFilter) order() page.Order {
	o := byActivity
	if f.Kind != nil {
		o.Name += " of kind " + string(*f.Kind)
	}
	if f.Pinned != nil {
		o.Name += fmt.Sprintf(" pinned %t", *f.Pinned)
	}
	if f.Tag != nil {
		o.Name += " tagged " + *f.Tag
	}
	return o
}

// within is true for a thread that is listed: merged ones are in no list.
func (f ThreadFilter) within(s *sql.Selector) {
	s.Where(sql.IsNull(s.C(thread.FieldMergedIntoID)))
	if f.Kind != nil {
		s.Where(sql.EQ(s.C(thread.FieldKind), *f.Kind))
	}
	if f.Pinned != nil && *f.Pinned {
		s.Where(sql.P(func(b *sql.Builder) { b.Ident(s.C(thread.FieldPinned)) })) // as the index on pinned threads says it
	} else if f.Pinned != nil {
		s.Where(sql.Not(sql.P(func(b *sql.Builder) { b.Ident(s.C(thread.FieldPinned)) })))
	}
	if f.Tag != nil {
		tagged := sql.Dialect(s.Dialect()).Select().From(sql.Table(threadtag.Table))
		tagged.Select(tagged.C(threadtag.FieldThreadID)).Where(sql.EQ(tagged.C(threadtag.FieldTag), strings.ToLower(*f.Tag)))
		s.Where(sql.In(s.C(thread.FieldID), tagged))
	}
}

// Threads are the threads of spaces, the most recently active first: one statement for all spaces. With unread, what UnreadCounts says of them
// is loaded beside them.
func (s *Service) Threads(ctx context.Context, v viewer.Viewer, spaces []gid.ID, f ThreadFilter, a page.Args, unread bool) ([]*page.Connection[ent.Thread], error) {
	return page.Each(f.order(), a, thread.FieldSpaceID, spaces,
		func(t *ent.Thread) page.Key { return page.Key{Time: t.LastActivityAt, ID: t.ID} },
		func(t *ent.Thread) gid.ID { return t.SpaceID },
		func(within func(*sql.Selector)) ([]*ent.Thread, error) {
			q := s.Store.Client(ctx).Thread.Query().Where(within, access.VisibleThreads(v))
			if unread {
				q.Modify(besideUnread(v))
			}
			return q.All(ctx)
		}, f.within)
}

// Posts are the posts of threads by number, tombstones included, of whom the viewer hears: one statement for all threads.
func (s *Service) Posts(ctx context.Context, v viewer.Viewer, threads []gid.ID, a page.Args) ([]*page.Connection[ent.Post], error) {
	return page.Each(bySeq, a, post.FieldThreadID, threads,
		func(p *ent.Post) page.Key { return page.Key{Int: int64(p.Seq)} },
		func(p *ent.Post) gid.ID { return p.ThreadID },
		func(within func(*sql.Selector)) ([]*ent.Post, error) {
			q := s.Store.Client(ctx).Post.Query().Where(within, access.VisiblePosts(v), access.HeardPosts(v))
			if me, ok := v.MemberID(); ok {
				q.Modify(besideReactions(me))
			}
			return q.All(ctx)
		})
}

// ownReactions is the column of a member's reactions beside a post: the emoji with spaces between them.
const ownReactions = "own_reactions"

// besideReactions puts a member's reactions beside each post that somebody reacted to.
func besideReactions(me gid.ID) func(*sql.Selector) {
	return func(s *sql.Selector) {
		joined := "string_agg"
		if store.OnSQLite(s) {
			joined = "group_concat"
		}
		r := sql.Dialect(s.Dialect()).Select().From(sql.Table(reaction.Table))
		r.Select(joined + "(" + r.C(reaction.FieldEmoji) + ", ' ')")
		r.Where(sql.And(sql.ColumnsEQ(r.C(reaction.FieldPostID), s.C(post.FieldID)), sql.EQ(r.C(reaction.FieldMemberID), me)))
		s.AppendSelectExprAs(sql.P(func(b *sql.Builder) {
			b.WriteString("CASE WHEN ").Ident(s.C(post.FieldReactionCounts)).WriteString(" IS NOT NULL THEN ")
			b.Wrap(func(b *sql.Builder) { b.Join(r) }).WriteString(" END")
		}), ownReactions)
	}
}

// beside reads what besideReactions put beside a post; not ok when the post was loaded without it.
func beside(p *ent.Post) (emoji []string, ok bool) {
	value, err := p.Value(ownReactions)
	if err != nil {
		return nil, false
	}
	switch value := value.(type) {
	case string:
		return strings.Fields(value), true
	case []byte:
		return strings.Fields(string(value)), true
	}
	return nil, true
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

// Reactions are a post's, in the order in which each emoji was first used; none of a hidden one.
func Reactions(p *ent.Post) []*ReactionGroup {
	if p.HiddenAt != nil {
		return []*ReactionGroup{}
	}
	groups := make([]*ReactionGroup, len(p.ReactionCounts))
	for i, c := range p.ReactionCounts {
		groups[i] = &ReactionGroup{Post: p, Emoji: c.Emoji, Count: c.Count}
	}
	return groups
}

// ViewerReactions are the viewer's own reactions to posts: one statement, none when nobody reacted and for posts of a list, which have them beside
// them.
func (s *Service) ViewerReactions(ctx context.Context, v viewer.Viewer, posts []*ent.Post) (map[ReactionOf]bool, error) {
	me, ok := v.MemberID()
	if !ok {
		return nil, nil
	}
	mine := make(map[ReactionOf]bool)
	var ids []gid.ID
	for _, p := range posts {
		if len(p.ReactionCounts) == 0 {
			continue
		}
		own, ok := beside(p)
		if !ok {
			ids = append(ids, p.ID)
		}
		for _, emoji := range own {
			mine[ReactionOf{p.ID, emoji}] = true
		}
	}
	if len(ids) == 0 {
		return mine, nil
	}
	rows, err := s.Store.Client(ctx).Reaction.Query().Where(reaction.MemberID(me), page.AnyOf(reaction.FieldPostID, ids)).All(ctx)
	if err != nil {
		return nil, fmt.Errorf("load the viewer's reactions: %w", err)
	}
	for _, r := range rows {
		mine[ReactionOf{r.PostID, r.Emoji}] = true
	}
	return mine, nil
}
