package desk

import (
	"context"
	"fmt"

	"entgo.io/ent/dialect/sql"

	"github.com/pursuing-equity/commons/ent"
	"github.com/pursuing-equity/commons/ent/bookmark"
	"github.com/pursuing-equity/commons/ent/draft"
	"github.com/pursuing-equity/commons/ent/draftversion"
	"github.com/pursuing-equity/commons/internal/gid"
	"github.com/pursuing-equity/commons/internal/notify"
	"github.com/pursuing-equity/commons/internal/page"
)

// eraseBatch is how many rows are deleted or changed at once.
const eraseBatch = 1000

// Erase deletes what a member kept for themselves. It may be broken off at any moment, and done again changes nothing more.
func (s *Service) Erase(ctx context.Context, id gid.ID) error {
	err := page.Walk(eraseBatch, draftID, func(within func(*sql.Selector)) ([]*ent.Draft, error) {
		return s.Store.Client(ctx).Draft.Query().Where(draft.MemberID(id), within).Select(draft.FieldID).All(ctx)
	}, func(rows []*ent.Draft) error {
		return s.Store.InTx(ctx, func(ctx context.Context, tx *ent.Client) error {
			_, err := remove(ctx, tx, s.Now(), page.AnyOf(draft.FieldID, ids(rows, draftID)))
			return err
		})
	})
	if err != nil {
		return fmt.Errorf("erase drafts: %w", err)
	}
	err = page.Walk(eraseBatch, bookmarkID, func(within func(*sql.Selector)) ([]*ent.Bookmark, error) {
		return s.Store.Client(ctx).Bookmark.Query().Where(bookmark.MemberID(id), within).Select(bookmark.FieldID).All(ctx)
	}, func(rows []*ent.Bookmark) error {
		return s.Store.InTx(ctx, func(ctx context.Context, tx *ent.Client) error {
			_, err := tx.Bookmark.Delete().Where(page.AnyOf(bookmark.FieldID, ids(rows, bookmarkID))).Exec(ctx)
			return err
		})
	})
	if err != nil {
		return fmt.Errorf("erase bookmarks: %w", err)
	}
	return nil
}

func draftID(d *ent.Draft) gid.ID          { return d.ID }
func versionID(d *ent.DraftVersion) gid.ID { return d.ID }
func bookmarkID(b *ent.Bookmark) gid.ID    { return b.ID }

func ids[T any](rows []*T, id func(*T) gid.ID) []gid.ID {
	out := make([]gid.ID, len(rows))
	for i, row := range rows {
		out[i] = id(row)
	}
	return out
}

// EraseMentions writes another handle in place of an erased member's wherever others mention them in drafts and notes, as it is done in
// posts.
func (s *Service) EraseMentions(ctx context.Context, handle, instead string) error {
	mentions, rename := "@"+handle, func(text string) string { return notify.Rename(text, handle, instead) }
	err := page.Walk(eraseBatch, draftID, func(within func(*sql.Selector)) ([]*ent.Draft, error) {
		return s.Store.Client(ctx).Draft.Query().Where(draft.Or(draft.BodyContainsFold(mentions), draft.TitleContainsFold(mentions)), within).All(ctx)
	}, func(rows []*ent.Draft) error {
		return s.Store.InTx(ctx, func(ctx context.Context, tx *ent.Client) error {
			for _, d := range rows {
				// What its author has written since was written after the handle was gone.
				err := tx.Draft.Update().Where(draft.ID(d.ID), draft.Version(d.Version)).SetBody(rename(d.Body)).SetTitle(rename(d.Title)).Exec(ctx)
				if err != nil {
					return err
				}
			}
			return nil
		})
	})
	if err != nil {
		return fmt.Errorf("erase mentions in drafts: %w", err)
	}
	err = page.Walk(eraseBatch, versionID, func(within func(*sql.Selector)) ([]*ent.DraftVersion, error) {
		return s.Store.Client(ctx).DraftVersion.Query().
			Where(draftversion.Or(draftversion.BodyContainsFold(mentions), draftversion.TitleContainsFold(mentions)), within).All(ctx)
	}, func(rows []*ent.DraftVersion) error {
		return s.Store.InTx(ctx, func(ctx context.Context, tx *ent.Client) error {
			for _, d := range rows {
				err := tx.DraftVersion.Update().Where(draftversion.ID(d.ID)).SetBody(rename(d.Body)).SetTitle(rename(d.Title)).Exec(ctx)
				if err != nil {
					return err
				}
			}
			return nil
		})
	})
	if err != nil {
		return fmt.Errorf("erase mentions in versions of drafts: %w", err)
	}
	err = page.Walk(eraseBatch, bookmarkID, func(within func(*sql.Selector)) ([]*ent.Bookmark, error) {
		return s.Store.Client(ctx).Bookmark.Query().Where(bookmark.NoteContainsFold(mentions), within).All(ctx)
	}, func(rows []*ent.Bookmark) error {
		return s.Store.InTx(ctx, func(ctx context.Context, tx *ent.Client) error {
			for _, b := range rows {
				if err := tx.Bookmark.Update().Where(bookmark.ID(b.ID), bookmark.Note(b.Note)).SetNote(rename(b.Note)).Exec(ctx); err != nil {
					return err
				}
			}
			return nil
		})
	})
	if err != nil {
		return fmt.Errorf("erase mentions in notes: %w", err)
	}
	return nil
}
