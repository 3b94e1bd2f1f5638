package notify

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/pursuing-equity/commons/ent"
	"github.com/pursuing-equity/commons/ent/member"
	"github.com/pursuing-equity/commons/ent/notification"
	"github.com/pursuing-equity/commons/internal/event"
	"github.com/pursuing-equity/commons/internal/gid"
)

// Remind tells a member of a post because they wanted to be reminded of it: what they were told of it before comes up again unread, or
// they are told anew; by mail too, as they want what is meant for them. The caller holds the member's row and has looked whether they can still see the post.
func (s *Service) Remind(ctx context.Context, tx *ent.Client, memberID gid.ID, p *ent.Post, at time.Time) error {
	due, err := s.reminderDue(ctx, tx, memberID, at)
	if err != nil {
		return err
	}
	n, err := tx.Notification.Query().Where(notification.RecipientID(memberID), notification.PostID(p.ID)).Only(ctx)
	var id gid.ID
	switch {
	case ent.IsNotFound(err):
		id = s.NewID(gid.Notification)
		err = tx.Notification.Create().SetID(id).SetCreatedAt(at).SetToldAt(at).SetRecipientID(memberID).SetActorID(memberID).
			SetThreadID(p.ThreadID).SetPostID(p.ID).SetReasons([]string{string(Reminder)}).SetNillableMailDueAt(due).Exec(ctx)
	case err == nil:
		id = n.ID
		reasons := n.Reasons
		if !slices.Contains(reasons, string(Reminder)) {
			reasons = append(reasons, string(Reminder))
		}
		// The mail that it waits for until now tells of the reminder too, or the reminder's mail of it: whichever is first, and none is
		// written twice.
		u := tx.Notification.UpdateOneID(id).SetReasons(reasons).SetNews(true).SetToldAt(at).ClearReadAt().ClearRestReadAt()
		if due != nil && (n.MailDueAt == nil || due.Before(*n.MailDueAt)) {
			u.SetMailDueAt(*due)
		}
		err = u.Exec(ctx)
	}
	if err != nil {
		return fmt.Errorf("remind of %s: %w", p.ID, err)
	}
	return s.Events.AppendToMembers(ctx, tx, at, map[gid.ID]event.Entry{memberID: {Kind: event.NotificationCreated, Object: id, Actor: memberID}})
}

// reminderDue is when a member is told of a reminder by mail; nil: never.
func (s *Service) reminderDue(ctx context.Context, tx *ent.Client, memberID gid.ID, at time.Time) (*time.Time, error) {
	m, err := tx.Member.Query().Where(member.ID(memberID)).Select(member.FieldID, member.FieldTimeZone, member.FieldMailBouncingAt).Only(ctx)
	if err != nil {
		return nil, fmt.Errorf("load whom to remind: %w", err)
	}
	wants, err := preferences(ctx, tx, []gid.ID{memberID})
	if err != nil {
		return nil, err
	}
	return mailDueAt(m, wants[memberID], true, at), nil
}
