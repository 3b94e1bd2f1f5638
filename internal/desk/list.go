package desk

import (
	"context"
	"fmt"

	"entgo.io/ent/dialect/sql"

	"github.com/pursuing-equity/commons/ent"
	"github.com/pursuing-equity/commons/ent/bookmark"
	"github.com/pursuing-equity/commons/ent/draft"
	"github.com/pursuing-equity/commons/ent/draftversion"
	"github.com/pursuing-equity/commons/internal/access"
	"github.com/pursuing-equity/commons/internal/gid"
	"github.com/pursuing-equity/commons/internal/page"
	"github.com/pursuing-equity/commons/internal/viewer"
)

// The orders of this package's lists.
var (
	lastSaved = page.Order{Name: "drafts", Column: draft.FieldUpdatedAt, Part: page.ByTime, Desc: true}
	newest    = page.Order{Name: "bookmarks", Part: page.ByID, Desc: true}
)

// Drafts are the viewer's own, those that were saved last first.
func (s *Service) Drafts(ctx context.Context, v viewer.Viewer, a page.Args) (*page.Connection[ent.Draft], error) {
	me, err := access.SignedIn(v)
	if err != nil {
		return nil, err
	}
	w, err := a.Window(lastSaved, me)
	if err != nil {
		return nil, err
	}
	rows, err := s.Store.Client(ctx).Draft.Query().Where(draft.MemberID(me), access.VisibleDrafts(v), lastSaved.Page(w)).All(ctx)
	return page.Build(lastSaved, w, me, rows, func(d *ent.Draft) page.Key { return page.Key{Time: d.UpdatedAt, ID: d.ID} }), err
}

// Versions are what drafts said before, the newest first: one statement for all drafts.
func (s *Service) Versions(ctx context.Context, drafts []gid.ID) ([][]*ent.DraftVersion, error) {
	rows, err := s.Store.Client(ctx).DraftVersion.Query().Where(page.AnyOf(draftversion.FieldDraftID, drafts)).
		Order(draftversion.ByVersion(sql.OrderDesc())).All(ctx)
	if err != nil {
		return nil, fmt.Errorf("load versions of drafts: %w", err)
	}
	of := make(map[gid.ID][]*ent.DraftVersion, len(drafts))
	for _, r := range rows {
		of[r.DraftID] = append(of[r.DraftID], r)
	}
	out := make([][]*ent.DraftVersion, len(drafts))
	for i, id := range drafts {
		if out[i] = of[id]; out[i] == nil {
			out[i] = []*ent.DraftVersion{}
		}
	}
	return out, nil
}

// Bookmarks are the viewer's own, the newest first, of posts that they can still see.
func (s *Service) Bookmarks(ctx context.Context, v viewer.Viewer, a page.Args) (*page.Connection[ent.Bookmark], error) {
	me, err := access.SignedIn(v)
	if err != nil {
		return nil, err
	}
	w, err := a.Window(newest, me)
	if err != nil {
		return nil, err
	}
	rows, err := s.Store.Client(ctx).Bookmark.Query().Where(bookmark.MemberID(me), access.VisibleBookmarks(v), newest.Page(w)).All(ctx)
	return page.Build(newest, w, me, rows, func(b *ent.Bookmark) page.Key { return page.Key{ID: b.ID} }), err
}

// BookmarksOf are the viewer's bookmarks of posts, in their order: one statement; nil for a post that has none.
func (s *Service) BookmarksOf(ctx context.Context, v viewer.Viewer, posts []gid.ID) ([]*ent.Bookmark, error) {
	out := make([]*ent.Bookmark, len(posts))
	me, ok := v.MemberID()
	if !ok {
		return out, nil
	}
	rows, err := s.Store.Client(ctx).Bookmark.Query().Where(bookmark.MemberID(me), page.AnyOf(bookmark.FieldPostID, posts)).All(ctx)
	if err != nil {
		return nil, fmt.Errorf("load bookmarks: %w", err)
	}
	of := make(map[gid.ID]*ent.Bookmark, len(rows))
	for _, b := range rows {
		of[b.PostID] = b
	}
	for i, id := range posts {
		out[i] = of[id]
	}
	return out, nil
}
