// Package mail brings mail to people. A mail is written down in the transaction of what it tells of and sent afterwards, again
// and again until the mail server takes it, by whichever process comes first.
package mail

import (
	"context"
	"fmt"
	"time"

	"github.com/pursuing-equity/commons/ent"
	"github.com/pursuing-equity/commons/internal/gid"
)

// Service writes mail down. All fields are needed.
type Service struct {
	Now   func() time.Time
	NewID func(gid.Kind) gid.ID
}

// Mail is what to send. It holds no secret: the template makes links when it is sent.
type Mail struct {
	Address  string // where to; whether an account has it is looked up when it is sent
	Template string
	Data     map[string]string
}

// Send writes mail down within the transaction of ctx.
func (s *Service) Send(ctx context.Context, tx *ent.Client, mails ...Mail) error {
	now := s.Now()
	rows := make([]*ent.MailCreate, len(mails))
	for i, m := range mails {
		rows[i] = tx.Mail.Create().SetID(s.NewID(gid.Mail)).SetCreatedAt(now).SetNextAt(now).SetAddress(m.Address).SetTemplate(m.Template).SetData(m.Data)
	}
	if err := tx.Mail.CreateBulk(rows...).Exec(ctx); err != nil {
		return fmt.Errorf("write mail down: %w", err)
	}
	return nil
}
