package account

import (
	"context"
	"fmt"

	"github.com/pursuing-equity/commons/ent"
	"github.com/pursuing-equity/commons/ent/member"
	"github.com/pursuing-equity/commons/ent/onetimetoken"
	"github.com/pursuing-equity/commons/internal/access"
	"github.com/pursuing-equity/commons/internal/audit"
	"github.com/pursuing-equity/commons/internal/input"
	"github.com/pursuing-equity/commons/internal/mail"
	"github.com/pursuing-equity/commons/internal/notify"
	"github.com/pursuing-equity/commons/internal/store"
	"github.com/pursuing-equity/commons/internal/viewer"
)

// RequestEmail has a link mailed to a new address of the viewer's, which makes it theirs, and a notice to the present one. The
// present password is needed if there is one, and a browser session. Whether somebody has the new address is not told: they get no
// link then. It returns RATE_LIMITED as RequestLink does.
func (s *Service) RequestEmail(ctx context.Context, v viewer.Viewer, email, present string) error {
	me, err := access.InBrowser(v)
	if err != nil {
		return err
	}
	var c input.Checker
	email = c.Email("email", email)
	if err := c.Err(); err != nil {
		return err
	}
	if _, err := s.proven(ctx, v, me, "present", present); err != nil {
		return err
	}
	send, err := s.throttleLink(ctx, v, MailConfirmEmail, email)
	if err != nil || !send {
		return err
	}
	return s.Store.InTx(ctx, func(ctx context.Context, tx *ent.Client) error {
		m, err := lockActive(ctx, tx, me)
		if err != nil {
			return err
		}
		return s.Mail.Send(ctx, tx,
			mail.Mail{Address: email, Template: MailConfirmEmail, Data: map[string]string{dataMember: me.String(), dataSession: v.TokenID().String()}},
			mail.Mail{Address: m.Email, Template: MailEmailAsked, Data: map[string]string{dataEmail: email}})
	})
}

// ConfirmEmail gives the link's member the address that the link went to, and uses it up: the member's other links are void, and
// the old address is told. It signs nobody in. It returns INVALID_INPUT for a link that is void, and for an address that somebody
// has by now.
func (s *Service) ConfirmEmail(ctx context.Context, v viewer.Viewer, token string) error {
	return s.Store.InTx(ctx, func(ctx context.Context, tx *ent.Client) error {
		t, m, err := s.use(ctx, tx, onetimetoken.PurposeCHANGE_EMAIL, token)
		if err != nil {
			return err
		}
		taken, err := tx.Member.Query().Where(member.Email(t.Email)).Exist(ctx)
		if err != nil {
			return fmt.Errorf("look for the address: %w", err)
		}
		if taken {
			return void()
		}
		change := notify.MailArrives(tx.Member.Update().Where(member.ID(m.ID)))
		if err := change.SetEmail(t.Email).SetUpdatedAt(s.Now()).Exec(ctx); err != nil {
			return store.RetryOnConflict(fmt.Errorf("change the address: %w", err))
		}
		if err := s.voidLinks(ctx, tx, m.ID, mailedPurposes()...); err != nil {
			return err
		}
		// Whoever asks has proved by the link who they are, whether they are signed in or not.
		by := viewer.Member(m.ID, v.TokenID(), viewer.Write).At(v.Address())
		if err := s.Audit.Append(ctx, tx, by, audit.Entry{Action: audit.EmailChanged, Subject: m.ID}); err != nil {
			return err
		}
		return s.Mail.Send(ctx, tx, mail.Mail{Address: m.Email, Template: MailEmailChanged, Data: map[string]string{dataMember: m.ID.String(), dataEmail: t.Email}})
	})
}
