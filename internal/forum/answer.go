package forum

import (
	"context"
	"fmt"

	"github.com/pursuing-equity/commons/ent"
	"github.com/pursuing-equity/commons/ent/post"
	"github.com/pursuing-equity/commons/ent/thread"
	"github.com/pursuing-equity/commons/internal/access"
	"github.com/pursuing-equity/commons/internal/fault"
	"github.com/pursuing-equity/commons/internal/gid"
	"github.com/pursuing-equity/commons/internal/viewer"
)

// AcceptAnswer says that a post answers the question of its thread, in the place of any other. For the question's author, and
// whoever moderates it. It returns INVALID_INPUT for a thread that is no question and for the post that asks it.
func (s *Service) AcceptAnswer(ctx context.Context, v viewer.Viewer, postID gid.ID) (*ent.Thread, error) {
	p, err := s.Post(ctx, v, postID)
	if fault.Is(err, fault.NotFound) {
		return nil, fault.Missing().At("postId")
	}
	if err != nil {
		return nil, err
	}
	t, err := s.change(ctx, v, p.ThreadID, func(ctx context.Context, tx *ent.Client, t *locked, u *ent.ThreadUpdate) error {
		if err := t.changeable(v); err != nil {
			return err
		}
		if t.Kind != thread.KindQUESTION {
			return fault.Invalid("postId", "Only a question has an accepted answer.")
		}
		p, err := tx.Post.Query().Where(post.ID(postID), post.ThreadID(t.ID)).Only(ctx)
		switch {
		case ent.IsNotFound(err): // it was moved meanwhile
			return fault.Missing().At("postId")
		case err != nil:
			return fmt.Errorf("load the answer: %w", err)
		case p.Seq == 1:
			return fault.Invalid("postId", "This post asks the question; accept one that answers it.")
		case p.DeletedAt != nil:
			return fault.Denied("This post was deleted.")
		case p.HiddenAt != nil:
			return hiddenPost()
		}
		u.SetAcceptedPostID(postID)
		return nil
	})
	if fault.Is(err, fault.NotFound) {
		return nil, fault.Missing().At("postId")
	}
	return t, err
}

// UnacceptAnswer says that a question has no answer yet. For its author, and whoever moderates it.
func (s *Service) UnacceptAnswer(ctx context.Context, v viewer.Viewer, id gid.ID) (*ent.Thread, error) {
	return s.change(ctx, v, id, func(_ context.Context, _ *ent.Client, t *locked, u *ent.ThreadUpdate) error {
		u.ClearAcceptedPostID()
		return t.changeable(v)
	})
}

// changeable says whether the viewer may change what a thread says of itself: its author, as long as they may write there, and whoever
// moderates it.
func (l *locked) changeable(v viewer.Viewer) error {
	if me, err := access.SignedIn(v); err == nil && me == l.AuthorID && l.rights.Write {
		return nil
	}
	return l.moderable()
}
