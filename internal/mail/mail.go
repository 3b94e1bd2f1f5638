// Package mail brings mail to people. A mail is written down in the transaction of what it tells of and sent afterwards, again
// and again until the mail server takes it, by whichever process comes first.
//
// A mail arrives at least once. A process that dies between the mail server's yes and the deletion of the row leaves a mail that
// is sent once more, when its lease has run out. Both have the same Message-ID, by which receivers can drop the double, unless a
// link was made for each: then the newer one counts.
package mail

import (
	"context"
	"fmt"
	"time"

	"github.com/pursuing-equity/commons/ent"
	"github.com/pursuing-equity/commons/internal/audit"
	"github.com/pursuing-equity/commons/internal/gid"
	"github.com/pursuing-equity/commons/internal/store"
)

// Service writes mail down, and shows staff what could not be sent. All fields but Wake are needed.
type Service struct {
	Store *store.Store
	Audit *audit.Log
	Now   func() time.Time
	NewID func(gid.Kind) gid.ID
	Wake  func() // called when mail has been committed: Sender.Wake; nil: it is found by the poll
}

// Mail is what to send. It holds no secret: links are made when it is sent.
type Mail struct {
	Address  string // where to; whether an account has it is looked up when it is sent
	Template string
	Data     map[string]string
	Until    *time.Time // when it is worth nothing any more, because what it leads to is over; nil: when such mail is
}

// Send writes mail down within the transaction of ctx.
func (s *Service) Send(ctx context.Context, tx *ent.Client, mails ...Mail) error {
	now := s.Now()
	rows := make([]*ent.MailCreate, len(mails))
	for i, m := range mails {
		rows[i] = tx.Mail.Create().SetID(s.NewID(gid.Mail)).SetCreatedAt(now).SetNextAt(now).SetAddress(m.Address).SetTemplate(m.Template).SetData(m.Data).SetNillableUntil(m.Until)
	}
	if err := tx.Mail.CreateBulk(rows...).Exec(ctx); err != nil {
		return fmt.Errorf("write mail down: %w", err)
	}
	if s.Wake != nil {
		store.AfterCommit(ctx, s.Wake)
	}
	return nil
}
