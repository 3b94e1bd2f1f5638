package forum

import (
	"context"
	"fmt"

	"entgo.io/ent/dialect/sql"

	"github.com/pursuing-equity/commons/ent"
	"github.com/pursuing-equity/commons/ent/post"
	"github.com/pursuing-equity/commons/ent/postrevision"
	"github.com/pursuing-equity/commons/internal/diff"
	"github.com/pursuing-equity/commons/internal/gid"
	"github.com/pursuing-equity/commons/internal/page"
)

// edition is one version of a post.
type edition struct {
	post    gid.ID
	version int
}

// Diffs are what became of each revision in the version after it: at most two statements for all.
func (s *Service) Diffs(ctx context.Context, revisions []*ent.PostRevision) ([][]*diff.Run, error) {
	text := make(map[edition]string, len(revisions))
	for _, r := range revisions {
		text[edition{r.PostID, r.Version}] = r.Body
	}
	next := func(r *ent.PostRevision) edition { return edition{r.PostID, r.Version + 1} }
	var posts []gid.ID
	for _, r := range revisions {
		if _, known := text[next(r)]; !known {
			posts = append(posts, r.PostID)
		}
	}
	current, err := s.Store.Client(ctx).Post.Query().Where(page.AnyOf(post.FieldID, posts)).Select(post.FieldID, post.FieldVersion, post.FieldBody).All(ctx)
	if err != nil {
		return nil, fmt.Errorf("load posts: %w", err)
	}
	for _, p := range current {
		text[edition{p.ID, p.Version}] = p.Body
	}
	var rest []*sql.Predicate
	for _, r := range revisions {
		if _, known := text[next(r)]; !known {
			rest = append(rest, sql.And(sql.EQ(postrevision.FieldPostID, r.PostID), sql.EQ(postrevision.FieldVersion, r.Version+1)))
		}
	}
	if len(rest) > 0 {
		more, err := s.Store.Client(ctx).PostRevision.Query().Where(func(s *sql.Selector) { s.Where(sql.Or(rest...)) }).All(ctx)
		if err != nil {
			return nil, fmt.Errorf("load revisions: %w", err)
		}
		for _, r := range more {
			text[edition{r.PostID, r.Version}] = r.Body
		}
	}
	diffs := make([][]*diff.Run, len(revisions))
	for i, r := range revisions {
		diffs[i] = append([]*diff.Run{}, diff.Words(r.Body, text[next(r)])...)
	}
	return diffs, nil
}
