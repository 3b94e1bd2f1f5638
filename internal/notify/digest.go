package notify

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"github.com/pursuing-equity/commons/ent"
	"github.com/pursuing-equity/commons/ent/member"
	"github.com/pursuing-equity/commons/ent/notification"
	"github.com/pursuing-equity/commons/ent/predicate"
	"github.com/pursuing-equity/commons/internal/access"
	"github.com/pursuing-equity/commons/internal/gid"
	"github.com/pursuing-equity/commons/internal/mail"
	"github.com/pursuing-equity/commons/internal/page"
	"github.com/pursuing-equity/commons/internal/store"
)

const (
	digestBatch = 50   // members whose mail one transaction writes down
	digestRows  = 2000 // notifications that it takes at most; what is left of a member's goes in another mail
)

// Template is what a mail about notifications is called in the queue; one about hidden spaces alone is access.PrivateMail there.
const Template = "notifications"

// What a queued mail is of: a member's notifications that were put into it at an instant.
const (
	dataMember = "member"
	dataAt     = "at"
)

func mailDue(now time.Time) predicate.Notification {
	return notification.And(notification.MailDueAtNotNil(), notification.MailDueAtLTE(now))
}

// Digest writes down the mail that is due, one for each member with everything of theirs that is: in a number of statements that grows
// with the batches and not with the members. What the mail says is looked up when it is sent.
func (w *Worker) Digest(ctx context.Context) error {
	for more := true; more && ctx.Err() == nil; {
		now := w.Now()
		// A look comes first, so that a process with nothing to do never asks for the write lock.
		some, err := w.Store.Client(ctx).Notification.Query().Where(mailDue(now)).Exist(store.Upkeep(ctx))
		if err != nil || !some {
			return err
		}
		err = w.Store.InTx(ctx, func(ctx context.Context, tx *ent.Client) error {
			rows, err := tx.Notification.Query().Where(mailDue(now), store.LockFreeRows).
				Order(notification.ByMailDueAt(), notification.ByRecipientID()).Limit(digestRows).
				Select(notification.FieldID, notification.FieldRecipientID).All(ctx)
			if err != nil || len(rows) == 0 {
				more = false
				return err
			}
			var ids, members []gid.ID
			seen := make(map[gid.ID]bool)
			for _, n := range rows {
				if !seen[n.RecipientID] {
					if len(members) == digestBatch {
						continue
					}
					seen[n.RecipientID] = true
					members = append(members, n.RecipientID)
				}
				ids = append(ids, n.ID)
			}
			people, err := tx.Member.Query().Where(page.AnyOf(member.FieldID, members), member.MailBouncingAtIsNil(), access.ActiveMembers()).All(ctx)
			if err != nil {
				return fmt.Errorf("find whom to write: %w", err)
			}
			if err := tx.Notification.Update().Where(page.AnyOf(notification.FieldID, ids)).ClearMailDueAt().SetMailedAt(now).Exec(ctx); err != nil {
				return fmt.Errorf("take notifications for mail: %w", err)
			}
			open, err := tx.Notification.Query().Where(page.AnyOf(notification.FieldID, ids), notification.HasThreadWith(access.ThreadsInTheOpen())).
				Select(notification.FieldRecipientID).All(ctx)
			if err != nil {
				return fmt.Errorf("find what may be known of: %w", err)
			}
			template := make(map[gid.ID]string, len(people))
			for _, n := range open {
				template[n.RecipientID] = Template
			}
			mails := make([]mail.Mail, len(people))
			for i, m := range people {
				mails[i] = mail.Mail{Address: m.Email, Template: cmp.Or(template[m.ID], access.PrivateMail), Data: map[string]string{dataMember: m.ID.String(), dataAt: now.Format(time.RFC3339Nano)}}
			}
			if len(mails) == 0 {
				return nil
			}
			return w.Mail.Send(ctx, tx, mails...)
		})
		if err != nil {
			return fmt.Errorf("write down mail about notifications: %w", err)
		}
	}
	return nil
}
