package notify

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/pursuing-equity/commons/ent"
	"github.com/pursuing-equity/commons/ent/notification"
	"github.com/pursuing-equity/commons/internal/event"
	"github.com/pursuing-equity/commons/internal/gid"
)

// Remind tells a member of a post because they wanted to be reminded of it: what they were told of it before comes up again unread, or
// they are told anew. The caller holds the member's row and has looked whether they can still see the post.
func (s *Service) Remind(ctx context.Context, tx *ent.Client, memberID gid.ID, p *ent.Post, at time.Time) error {
	n, err := tx.Notification.Query().Where(notification.RecipientID(memberID), notification.PostID(p.ID)).Only(ctx)
	var id gid.ID
	switch {
	case ent.IsNotFound(err):
		id = s.NewID(gid.Notification)
		err = tx.Notification.Create().SetID(id).SetCreatedAt(at).SetRecipientID(memberID).SetActorID(memberID).
			SetThreadID(p.ThreadID).SetPostID(p.ID).SetReasons([]string{string(Reminder)}).Exec(ctx)
	case err == nil:
		id = n.ID
		reasons := n.Reasons
		if !slices.Contains(reasons, string(Reminder)) {
			reasons = append(reasons, string(Reminder))
		}
		err = tx.Notification.UpdateOneID(id).SetReasons(reasons).ClearReadAt().Exec(ctx)
	}
	if err != nil {
		return fmt.Errorf("remind of %s: %w", p.ID, err)
	}
	return s.Events.AppendToMembers(ctx, tx, at, map[gid.ID]event.Entry{memberID: {Kind: event.NotificationCreated, Object: id, Actor: memberID}})
}
