package desk

import (
	"context"
	"errors"
	"fmt"

	"github.com/pursuing-equity/commons/ent"
	"github.com/pursuing-equity/commons/ent/bookmark"
	"github.com/pursuing-equity/commons/ent/post"
	"github.com/pursuing-equity/commons/internal/access"
	"github.com/pursuing-equity/commons/internal/event"
	"github.com/pursuing-equity/commons/internal/gid"
	"github.com/pursuing-equity/commons/internal/viewer"
)

// RemindDue notifies members of what they wanted to be reminded of and can still see. Whatever happens meanwhile, each is reminded once.
func (s *Service) RemindDue(ctx context.Context) error {
	ctx = viewer.NewContext(ctx, viewer.System("remind members"))
	for {
		due, err := s.Store.Client(ctx).Bookmark.Query().Where(bookmark.RemindAtLTE(s.Now())).Order(bookmark.ByRemindAt(), bookmark.ByID()).Limit(batch).All(ctx)
		if err != nil {
			return fmt.Errorf("find what is to be reminded of: %w", err)
		}
		if len(due) == 0 {
			return nil
		}
		var failed error
		for _, b := range due {
			failed = errors.Join(failed, s.remindOf(ctx, b.ID, b.MemberID))
		}
		if failed != nil || ctx.Err() != nil {
			return errors.Join(failed, ctx.Err())
		}
	}
}

// remindOf reminds a member of a bookmark that was due a moment ago: another process may have done it, or the member have changed it.
func (s *Service) remindOf(ctx context.Context, id, memberID gid.ID) error {
	return s.Store.InTx(ctx, func(ctx context.Context, tx *ent.Client) error {
		if err := lock(ctx, tx, memberID); err != nil {
			return err
		}
		now := s.Now()
		b, err := tx.Bookmark.Query().Where(bookmark.ID(id), bookmark.RemindAtLTE(now)).Only(ctx)
		if ent.IsNotFound(err) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("load bookmark: %w", err)
		}
		if err := tx.Bookmark.UpdateOneID(id).ClearRemindAt().SetRemindedAt(now).Exec(ctx); err != nil {
			return fmt.Errorf("note that %s was reminded of: %w", id, err)
		}
		p, err := tx.Post.Query().Where(post.ID(b.PostID), post.DeletedAtIsNil(), post.HiddenAtIsNil(), access.VisiblePosts(viewer.Member(memberID, gid.ID{}, viewer.Read))).Only(ctx)
		if ent.IsNotFound(err) { // nothing that the member can look at
			return nil
		}
		if err != nil {
			return fmt.Errorf("load the post to be reminded of: %w", err)
		}
		if err := s.Notify.Remind(ctx, tx, memberID, p, now); err != nil {
			return err
		}
		return s.tell(ctx, tx, memberID, event.BookmarkChanged, p.ID)
	})
}
