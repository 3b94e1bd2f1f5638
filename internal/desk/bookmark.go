package desk

import (
	"context"
	"fmt"
	"time"

	"github.com/pursuing-equity/commons/ent"
	"github.com/pursuing-equity/commons/ent/bookmark"
	"github.com/pursuing-equity/commons/ent/post"
	"github.com/pursuing-equity/commons/internal/access"
	"github.com/pursuing-equity/commons/internal/event"
	"github.com/pursuing-equity/commons/internal/fault"
	"github.com/pursuing-equity/commons/internal/gid"
	"github.com/pursuing-equity/commons/internal/input"
	"github.com/pursuing-equity/commons/internal/viewer"
)

const (
	maxBookmarks = 2_000 // of one member
	maxNote      = 2_000
)

// BookmarkPatch is what to say of a post that is kept for later; nil leaves a field as it is.
type BookmarkPatch struct {
	Note     *string
	RemindAt *time.Time // zero for never
}

// BookmarkPost keeps a post for later, or changes what was said of it. It returns NOT_FOUND for a post that the viewer cannot see and
// LIMIT_REACHED for one bookmark too many. Doing it again changes nothing.
func (s *Service) BookmarkPost(ctx context.Context, v viewer.Viewer, postID gid.ID, patch BookmarkPatch) (*ent.Bookmark, error) {
	var check input.Checker
	if patch.Note != nil {
		patch.Note = new(check.Text("note", *patch.Note, 0, maxNote))
	}
	if patch.RemindAt != nil && !patch.RemindAt.IsZero() {
		patch.RemindAt = new(s.future(&check, "remindAt", *patch.RemindAt))
	}
	if err := check.Err(); err != nil {
		return nil, err
	}
	var id gid.ID
	err := s.change(ctx, v, func(ctx context.Context, tx *ent.Client, me gid.ID) error {
		if err := seen(ctx, "postId", tx.Post.Query().Where(post.ID(postID), access.VisiblePosts(v)).Exist); err != nil {
			return err
		}
		old, err := tx.Bookmark.Query().Where(bookmark.MemberID(me), bookmark.PostID(postID)).Only(ctx)
		switch {
		case ent.IsNotFound(err):
			if id, err = s.add(ctx, tx, me, postID, patch); err != nil {
				return err
			}
		case err != nil:
			return fmt.Errorf("load bookmark: %w", err)
		default:
			id = old.ID
			u := tx.Bookmark.UpdateOneID(id).SetNillableNote(patch.Note)
			if patch.RemindAt != nil {
				remind(*patch.RemindAt, func(at time.Time) { u.SetRemindAt(at) }, func() { u.ClearRemindAt() })
			}
			if err := u.Exec(ctx); err != nil {
				return fmt.Errorf("change bookmark: %w", err)
			}
		}
		return s.tell(ctx, tx, me, event.BookmarkChanged, postID)
	})
	if err != nil {
		return nil, err
	}
	b, err := s.Store.Client(ctx).Bookmark.Query().Where(bookmark.ID(id), access.VisibleBookmarks(v)).Only(ctx)
	if ent.IsNotFound(err) {
		return nil, fault.Missing().At("postId")
	}
	return b, err
}

func remind(at time.Time, set func(time.Time), forget func()) {
	if at.IsZero() {
		forget()
		return
	}
	set(at)
}

func (s *Service) add(ctx context.Context, tx *ent.Client, me, postID gid.ID, patch BookmarkPatch) (gid.ID, error) {
	n, err := tx.Bookmark.Query().Where(bookmark.MemberID(me)).Count(ctx)
	if err != nil {
		return gid.ID{}, fmt.Errorf("count bookmarks: %w", err)
	}
	if n >= maxBookmarks {
		return gid.ID{}, fault.New(fault.LimitReached, "You keep %d bookmarks already: remove one first.", maxBookmarks)
	}
	id := s.NewID(gid.Bookmark)
	c := tx.Bookmark.Create().SetID(id).SetCreatedAt(s.Now()).SetMemberID(me).SetPostID(postID).SetNillableNote(patch.Note)
	if patch.RemindAt != nil && !patch.RemindAt.IsZero() {
		c.SetRemindAt(*patch.RemindAt)
	}
	if err := c.Exec(ctx); err != nil {
		return gid.ID{}, fmt.Errorf("create bookmark: %w", err)
	}
	return id, nil
}

// RemoveBookmark lets go of a post that the viewer kept. It returns NOT_FOUND for a post that they cannot see. Doing it again changes
// nothing.
func (s *Service) RemoveBookmark(ctx context.Context, v viewer.Viewer, postID gid.ID) (*ent.Post, error) {
	err := s.change(ctx, v, func(ctx context.Context, tx *ent.Client, me gid.ID) error {
		if err := seen(ctx, "postId", tx.Post.Query().Where(post.ID(postID), access.VisiblePosts(v)).Exist); err != nil {
			return err
		}
		n, err := tx.Bookmark.Delete().Where(bookmark.MemberID(me), bookmark.PostID(postID)).Exec(ctx)
		if err != nil {
			return fmt.Errorf("delete bookmark: %w", err)
		}
		if n == 0 {
			return nil
		}
		return s.tell(ctx, tx, me, event.BookmarkChanged, postID)
	})
	if err != nil {
		return nil, err
	}
	return s.Forum.Post(ctx, v, postID)
}
