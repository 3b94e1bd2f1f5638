package account

import (
	"context"
	"fmt"
	"unicode/utf8"

	"entgo.io/ent/dialect/sql"

	"github.com/pursuing-equity/commons/ent"
	"github.com/pursuing-equity/commons/ent/member"
	"github.com/pursuing-equity/commons/ent/password"
	"github.com/pursuing-equity/commons/internal/access"
	"github.com/pursuing-equity/commons/internal/audit"
	"github.com/pursuing-equity/commons/internal/fault"
	"github.com/pursuing-equity/commons/internal/gid"
	"github.com/pursuing-equity/commons/internal/input"
	"github.com/pursuing-equity/commons/internal/mail"
	"github.com/pursuing-equity/commons/internal/store"
	"github.com/pursuing-equity/commons/internal/viewer"
)

// SignInWithPassword starts a session. A wrong password, an account without one, one that is suspended or closed, and none at all
// get the same UNAUTHENTICATED after the same statements and the same hashing. It returns RATE_LIMITED after too many tries, and
// UNAVAILABLE while too many people sign in at once.
func (s *Service) SignInWithPassword(ctx context.Context, v viewer.Viewer, email, text, browser string) (*Started, error) {
	email = lower(email)
	if utf8.RuneCountInString(email) > mostEmail || utf8.RuneCountInString(normal(text)) > mostPassword {
		return nil, refused() // nobody has one like that
	}
	if err := s.throttlePassword(ctx, v, email); err != nil {
		return nil, err
	}
	kept, err := s.Store.Client(ctx).Password.Query().Where(password.HasMemberWith(member.Email(email), access.ActiveMembers())).Only(ctx)
	if err != nil && !ent.IsNotFound(err) {
		return nil, store.Fault(fmt.Errorf("load the password: %w", err))
	}
	hash := ""
	if kept != nil {
		hash = kept.Hash
	}
	right, stale, err := s.Hasher.Verify(ctx, hash, text)
	if err != nil {
		return nil, err
	}
	if !right {
		return nil, refused()
	}
	renewed := ""
	if stale {
		if renewed, err = s.Hasher.Hash(ctx, text); err != nil {
			return nil, err
		}
	}
	var started *Started
	err = s.Store.InTx(ctx, func(ctx context.Context, tx *ent.Client) error {
		m, err := lockActive(ctx, tx, kept.MemberID)
		if err != nil {
			return err
		}
		if err := unchanged(ctx, tx, kept); err != nil {
			return err
		}
		if renewed != "" {
			if err := tx.Password.UpdateOneID(kept.ID).SetHash(renewed).Exec(ctx); err != nil {
				return fmt.Errorf("hash the password anew: %w", err)
			}
		}
		started, err = s.startSession(ctx, tx, v, m, ByPassword, browser)
		return err
	})
	return started, err
}

// unchanged refuses a password that was changed while it was compared: the change has ended all sessions, and no new one may come
// of the old password. The transaction holds the member.
func unchanged(ctx context.Context, tx *ent.Client, kept *ent.Password) error {
	same, err := tx.Password.Query().Where(password.ID(kept.ID), password.Hash(kept.Hash)).Exist(ctx)
	if err != nil {
		return fmt.Errorf("load the password again: %w", err)
	}
	if !same {
		return refused()
	}
	return nil
}

// passwordOf is a member's password, nil when they have none.
func passwordOf(ctx context.Context, c *ent.Client, memberID gid.ID) (*ent.Password, error) {
	p, err := c.Password.Query().Where(password.MemberID(memberID)).Only(ctx)
	if ent.IsNotFound(err) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("load the password: %w", err)
	}
	return p, nil
}

// proven checks that the viewer knows their present password, if they have one, and returns it. It returns INVALID_INPUT at a
// path for a wrong one.
func (s *Service) proven(ctx context.Context, v viewer.Viewer, me gid.ID, path, text string) (*ent.Password, error) {
	kept, err := passwordOf(ctx, s.Store.Client(ctx), me)
	if err != nil || kept == nil {
		return nil, err
	}
	if err := s.throttlePassword(ctx, v, me.String()); err != nil {
		return nil, err
	}
	right, _, err := s.Hasher.Verify(ctx, kept.Hash, text)
	if err != nil {
		return nil, err
	}
	if !right {
		return nil, fault.Invalid(path, "This is not your present password.")
	}
	return kept, nil
}

// ChangePassword gives the viewer a new password; the present one is needed if there is one. All their other sessions end, and the
// links that they were sent are void. It needs a browser session, so that a token that was stolen does not become an account that was.
func (s *Service) ChangePassword(ctx context.Context, v viewer.Viewer, present, text string) error {
	me, err := access.InBrowser(v)
	if err != nil {
		return err
	}
	m, err := s.Store.Client(ctx).Member.Get(ctx, me)
	if err != nil {
		return fmt.Errorf("load the member: %w", err)
	}
	kept, err := s.proven(ctx, v, me, "present", present)
	if err != nil {
		return err
	}
	hash, err := s.newHash(ctx, "password", text, m)
	if err != nil {
		return err
	}
	return s.Store.InTx(ctx, func(ctx context.Context, tx *ent.Client) error {
		m, err := lockActive(ctx, tx, me)
		if err != nil {
			return err
		}
		if kept != nil {
			if err := unchanged(ctx, tx, kept); err != nil {
				return err
			}
		}
		return s.setPassword(ctx, tx, v, m, hash)
	})
}

// newHash checks a new password and hashes it.
func (s *Service) newHash(ctx context.Context, path, text string, m *ent.Member) (string, error) {
	var c input.Checker
	text = checkPassword(&c, path, text, m)
	if err := c.Err(); err != nil {
		return "", err
	}
	return s.Hasher.Hash(ctx, text)
}

// setPassword keeps a new password, ends the member's sessions but the viewer's, makes their links void and tells them by mail. The
// transaction holds the member.
func (s *Service) setPassword(ctx context.Context, tx *ent.Client, v viewer.Viewer, m *ent.Member, hash string) error {
	kept, err := passwordOf(ctx, tx, m.ID)
	if err != nil {
		return err
	}
	now := s.Now()
	if kept != nil {
		err = tx.Password.UpdateOneID(kept.ID).SetHash(hash).SetUpdatedAt(now).Exec(ctx)
	} else {
		err = tx.Password.Create().SetID(s.NewID(gid.Password)).SetCreatedAt(now).SetUpdatedAt(now).SetMemberID(m.ID).SetHash(hash).Exec(ctx)
	}
	if err != nil {
		return fmt.Errorf("keep the password: %w", err)
	}
	if err := s.endOthers(ctx, tx, v, m.ID); err != nil {
		return err
	}
	if err := s.voidLinks(ctx, tx, m.ID, mailedPurposes()...); err != nil {
		return err
	}
	if err := s.Audit.Append(ctx, tx, v, audit.Entry{Action: audit.PasswordChanged, Subject: m.ID}); err != nil {
		return err
	}
	return s.Mail.Send(ctx, tx, mail.Mail{Address: m.Email, Template: MailPasswordChanged})
}

// SetFirstPasswords gives each member with one of the mail addresses a password, unless they have one. It is for demo data: nobody is
// told and nothing is written into the audit log.
func (s *Service) SetFirstPasswords(ctx context.Context, emails []string, text string) error {
	without := member.And(member.EmailIn(emails...), access.ActiveMembers(), func(m *sql.Selector) {
		p := sql.Dialect(m.Dialect()).Select(password.FieldMemberID).From(sql.Table(password.Table))
		m.Where(sql.NotIn(m.C(member.FieldID), p))
	})
	ids, err := s.Store.Client(ctx).Member.Query().Where(without).IDs(ctx)
	if err != nil || len(ids) == 0 {
		return err
	}
	hash, err := s.Hasher.Hash(ctx, text)
	if err != nil {
		return err
	}
	now := s.Now()
	return s.Store.InTx(ctx, func(ctx context.Context, tx *ent.Client) error {
		rows := make([]*ent.PasswordCreate, len(ids))
		for i, id := range ids {
			rows[i] = tx.Password.Create().SetID(s.NewID(gid.Password)).SetCreatedAt(now).SetUpdatedAt(now).SetMemberID(id).SetHash(hash)
		}
		return store.RetryOnConflict(tx.Password.CreateBulk(rows...).Exec(ctx))
	})
}
