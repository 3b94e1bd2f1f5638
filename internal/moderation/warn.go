package moderation

import (
	"context"
	"fmt"
	"time"

	"github.com/pursuing-equity/commons/ent"
	"github.com/pursuing-equity/commons/ent/moderationaction"
	"github.com/pursuing-equity/commons/ent/notice"
	"github.com/pursuing-equity/commons/ent/space"
	"github.com/pursuing-equity/commons/ent/spacemembership"
	"github.com/pursuing-equity/commons/internal/access"
	"github.com/pursuing-equity/commons/internal/audit"
	"github.com/pursuing-equity/commons/internal/event"
	"github.com/pursuing-equity/commons/internal/fault"
	"github.com/pursuing-equity/commons/internal/gid"
	"github.com/pursuing-equity/commons/internal/input"
	"github.com/pursuing-equity/commons/internal/notify"
	"github.com/pursuing-equity/commons/internal/page"
	"github.com/pursuing-equity/commons/internal/store"
	"github.com/pursuing-equity/commons/internal/viewer"
)

// NewWarning is a member to warn: one who belongs to a space, or wrote a post.
type NewWarning struct {
	MemberID        gid.ID
	SpaceID, PostID *gid.ID
	Text            string
	IdempotencyKey  *string `json:"-"`
}

// warning is one as it was checked.
type warning struct {
	space  *ent.Space
	post   *ent.Post // nil for none
	member gid.ID
	text   string
	at     time.Time
}

// WarnMember tells a member what they did wrong. It returns NOT_FOUND for a post or a space that the viewer cannot see and for a member who
// did not write the one or does not belong to the other, and FORBIDDEN to who does not moderate it and to who would warn themselves.
func (s *Service) WarnMember(ctx context.Context, v viewer.Viewer, in NewWarning) (*ent.ModerationAction, error) {
	me, err := access.SignedIn(v)
	if err != nil {
		return nil, err
	}
	var check input.Checker
	in.Text = check.Text("text", in.Text, 1, maxReason)
	if (in.SpaceID == nil) == (in.PostID == nil) {
		check.Refuse("spaceId", "Name a space or a post.")
	}
	if err := check.Err(); err != nil {
		return nil, err
	}
	var id gid.ID
	err = s.Store.InTx(ctx, func(ctx context.Context, tx *ent.Client) (err error) {
		once := store.Once{Member: me, Operation: "warnMember", Key: in.IdempotencyKey, Payload: in, At: s.Now()}
		id, err = once.Do(ctx, tx, func() (gid.ID, error) {
			w, err := s.warned(ctx, tx, v, me, in)
			if err != nil {
				return gid.ID{}, err
			}
			return s.warn(ctx, tx, v, w)
		})
		return err
	})
	if err != nil {
		return nil, err
	}
	return s.action(ctx, v, id)
}

// warned finds whom to warn, and for what.
func (s *Service) warned(ctx context.Context, tx *ent.Client, v viewer.Viewer, me gid.ID, in NewWarning) (warning, error) {
	w := warning{member: in.MemberID, text: in.Text, at: s.Now()}
	if in.PostID != nil {
		j, err := s.Forum.Judge(ctx, tx, v, *in.PostID, w.at)
		if err != nil {
			return w, err
		}
		if j.Post.AuthorID != in.MemberID {
			return w, fault.Missing().At("memberId")
		}
		w.space, w.post = j.Space, j.Post
		return w, nil
	}
	sp, rights, err := access.Space(ctx, tx, v, *in.SpaceID)
	switch {
	case fault.Is(err, fault.NotFound):
		return w, fault.Missing().At("spaceId")
	case err != nil:
		return w, err
	case sp.Kind == space.KindDIRECT:
		return w, fault.Denied("Nobody moderates a direct conversation.")
	case !rights.Moderate:
		return w, fault.Denied("Only those who moderate this space can do that.")
	case me == in.MemberID:
		return w, fault.Denied("Nobody warns themselves.")
	}
	belongs, err := tx.SpaceMembership.Query().
		Where(spacemembership.SpaceID(sp.ID), spacemembership.MemberID(in.MemberID), access.CurrentSpaceMemberships()).Exist(ctx)
	if err != nil {
		return w, fmt.Errorf("look for the member: %w", err)
	}
	if !belongs {
		return w, fault.Missing().At("memberId")
	}
	w.space = sp
	return w, nil
}

// warn writes a warning down, and tells the member's devices.
func (s *Service) warn(ctx context.Context, tx *ent.Client, v viewer.Viewer, w warning) (gid.ID, error) {
	act := audit.Act{Kind: moderationaction.KindWARN, Action: audit.MemberWarned, Space: w.space, Member: w.member, Reason: w.text}
	if w.post != nil {
		act.Post, act.Thread = w.post.ID, w.post.ThreadID
	}
	id, err := s.Audit.Act(ctx, tx, v, act)
	if err != nil {
		return id, err
	}
	err = s.Events.AppendToMembers(ctx, tx, w.at, map[gid.ID]event.Entry{w.member: {Kind: event.MemberWarned, Object: id}})
	switch {
	case err != nil:
		return id, err
	case w.post == nil:
		return id, s.Notify.TellNotices(ctx, tx, notice.ReasonWARNED, []notify.About{{Recipient: w.member, Subject: id}}, w.at)
	}
	return id, s.Notify.Moderated(ctx, tx, w.post, notify.Warned, []gid.ID{w.member}, w.at)
}

// AcknowledgeWarning notes that the viewer has read a warning of theirs. It returns NOT_FOUND for anything else.
func (s *Service) AcknowledgeWarning(ctx context.Context, v viewer.Viewer, id gid.ID) (*ent.ModerationAction, error) {
	if _, err := access.SignedIn(v); err != nil {
		return nil, err
	}
	err := s.Store.InTx(ctx, func(ctx context.Context, tx *ent.Client) error {
		w, err := tx.ModerationAction.Query().Where(moderationaction.ID(id), access.OwnWarnings(v), store.LockRow).Only(ctx)
		if ent.IsNotFound(err) {
			return fault.Missing().At("warningId")
		}
		if err != nil {
			return fmt.Errorf("load warning: %w", err)
		}
		if w.SeenAt != nil {
			return nil
		}
		now := s.Now()
		if err := tx.ModerationAction.UpdateOneID(id).SetSeenAt(now).Exec(ctx); err != nil {
			return fmt.Errorf("acknowledge a warning: %w", err)
		}
		return s.Notify.ReadNotices(ctx, tx, now, notice.WarningID(id))
	})
	if err != nil {
		return nil, err
	}
	return s.action(ctx, v, id)
}

func (s *Service) action(ctx context.Context, v viewer.Viewer, id gid.ID) (*ent.ModerationAction, error) {
	found, err := s.ActionsByID(ctx, v, []gid.ID{id})
	if err == nil && len(found) == 0 {
		err = fault.Missing()
	}
	if err != nil {
		return nil, err
	}
	return found[0], nil
}

// ActionsByID loads acts that the viewer can see: one statement.
func (s *Service) ActionsByID(ctx context.Context, v viewer.Viewer, ids []gid.ID) ([]*ent.ModerationAction, error) {
	rows, err := s.Store.Client(ctx).ModerationAction.Query().Where(page.AnyOf(moderationaction.FieldID, ids), access.VisibleModerationActions(v)).All(ctx)
	if err != nil {
		return nil, fmt.Errorf("load moderation actions: %w", err)
	}
	return rows, nil
}

// Warnings are those given to the viewer, the newest first: 100 at most. One statement.
func (s *Service) Warnings(ctx context.Context, v viewer.Viewer) ([]*ent.ModerationAction, error) {
	rows, err := s.Store.Client(ctx).ModerationAction.Query().Where(access.OwnWarnings(v)).Order(ent.Desc(moderationaction.FieldID)).Limit(newest).All(ctx)
	if err != nil {
		return nil, fmt.Errorf("load warnings: %w", err)
	}
	return rows, nil
}
