package account

import (
	"context"
	"fmt"
	"time"

	"github.com/pursuing-equity/commons/ent"
	"github.com/pursuing-equity/commons/ent/accesstoken"
	"github.com/pursuing-equity/commons/ent/identity"
	"github.com/pursuing-equity/commons/ent/member"
	"github.com/pursuing-equity/commons/ent/onetimetoken"
	"github.com/pursuing-equity/commons/internal/access"
	"github.com/pursuing-equity/commons/internal/fault"
	"github.com/pursuing-equity/commons/internal/gid"
	"github.com/pursuing-equity/commons/internal/input"
	"github.com/pursuing-equity/commons/internal/mail"
	"github.com/pursuing-equity/commons/internal/notify"
	"github.com/pursuing-equity/commons/internal/viewer"
)

const (
	linkLasts       = 15 * time.Minute
	invitationLasts = 7 * 24 * time.Hour
)

// linkPrefix begins the token of a link, for scanners of leaked secrets.
const linkPrefix = "cml_"

// mailedPurposes are those of the links that this package mails.
func mailedPurposes() []onetimetoken.Purpose {
	return []onetimetoken.Purpose{onetimetoken.PurposeSIGN_IN, onetimetoken.PurposeRESET_PASSWORD, onetimetoken.PurposeCHANGE_EMAIL, onetimetoken.PurposeINVITATION}
}

// void is the one answer to a link that does nothing, whatever the reason.
func void() *fault.Error {
	return fault.Invalid("token", "This link is not valid: it was used, it is too old, or a newer one was sent. Ask for another one.")
}

// RequestLink has a link mailed that signs in or, for a closed or suspended account, one to an archive of the member's data. The answer is the same whether anybody has the address or not, and so is what is
// done: that is found out when the mail is made (see Compose). It returns RATE_LIMITED for a network address that asks for too
// many; a mail address that has had enough is silently sent none.
func (s *Service) RequestLink(ctx context.Context, v viewer.Viewer, email string) error {
	return s.requestMail(ctx, v, MailSignIn, email)
}

// RequestReset has a link mailed that sets a new password, by the same rules as RequestLink.
func (s *Service) RequestReset(ctx context.Context, v viewer.Viewer, email string) error {
	return s.requestMail(ctx, v, MailReset, email)
}

func (s *Service) requestMail(ctx context.Context, v viewer.Viewer, template, email string) error {
	var c input.Checker
	email = c.Email("email", email)
	if err := c.Err(); err != nil {
		return err
	}
	send, err := s.throttleLink(ctx, v, template, email)
	if err != nil || !send {
		return err
	}
	return s.Store.InTx(ctx, func(ctx context.Context, tx *ent.Client) error {
		mails := []mail.Mail{{Address: email, Template: template}}
		if template == MailSignIn { // of the two one is sent at most: who may not sign in gets a link to their data
			mails = append(mails, mail.Mail{Address: email, Template: MailExport})
		}
		return s.Mail.Send(ctx, tx, mails...)
	})
}

// newLink makes a token that does one thing once. Older ones of the same member and purpose are void from now on. It returns
// UNAUTHENTICATED for a member who is not active, and when the session that asked for it, if one is given, has ended since: a mail may
// have waited for long, and who was locked out meanwhile gets nothing.
func (s *Service) newLink(ctx context.Context, purpose onetimetoken.Purpose, memberID gid.ID, email string, lasts time.Duration, session *gid.ID) (string, error) {
	token := newSecret(linkPrefix)
	err := s.Store.InTx(ctx, func(ctx context.Context, tx *ent.Client) error {
		if _, err := lockActive(ctx, tx, memberID); err != nil { // of two that are made at once one is void
			return err
		}
		now := s.Now()
		if session != nil {
			running, err := tx.AccessToken.Query().Where(accesstoken.ID(*session), accesstoken.MemberID(memberID), live(now)).Exist(ctx)
			if err != nil {
				return fmt.Errorf("look for the session: %w", err)
			}
			if !running {
				return refused()
			}
		}
		if err := s.voidLinks(ctx, tx, memberID, purpose); err != nil {
			return err
		}
		return tx.OneTimeToken.Create().SetID(s.NewID(gid.OneTimeToken)).SetCreatedAt(now).SetHash(Hash(token)).SetPurpose(purpose).
			SetMemberID(memberID).SetEmail(email).SetExpiresAt(now.Add(lasts)).Exec(ctx)
	})
	if err != nil {
		return "", fmt.Errorf("make a link: %w", err)
	}
	return token, nil
}

// voidLinks makes a member's unused links void.
func (s *Service) voidLinks(ctx context.Context, tx *ent.Client, memberID gid.ID, purposes ...onetimetoken.Purpose) error {
	err := tx.OneTimeToken.Update().Where(onetimetoken.MemberID(memberID), onetimetoken.PurposeIn(purposes...), onetimetoken.UsedAtIsNil()).
		SetUsedAt(s.Now()).Exec(ctx)
	if err != nil {
		return fmt.Errorf("make links void: %w", err)
	}
	return nil
}

// look finds what a link that can still be used is about, and uses nothing. A link to an address that is no longer the
// member's is void, except one that makes it theirs.
func (s *Service) look(ctx context.Context, c *ent.Client, purpose onetimetoken.Purpose, token string) (*ent.OneTimeToken, *ent.Member, error) {
	if len(token) > mostSecret {
		return nil, nil, void()
	}
	t, err := c.OneTimeToken.Query().Where(onetimetoken.Hash(Hash(token)), onetimetoken.PurposeEQ(purpose), onetimetoken.UsedAtIsNil(),
		onetimetoken.ExpiresAtGT(s.Now()), onetimetoken.HasMemberWith(access.ActiveMembers())).WithMember().Only(ctx)
	if ent.IsNotFound(err) {
		return nil, nil, void()
	}
	if err != nil {
		return nil, nil, fmt.Errorf("load link: %w", err)
	}
	m := t.Edges.Member
	if purpose != onetimetoken.PurposeCHANGE_EMAIL && t.Email != m.Email {
		return nil, nil, void()
	}
	return t, m, nil
}

// use uses a link up and holds its member. Of several at once one succeeds.
func (s *Service) use(ctx context.Context, tx *ent.Client, purpose onetimetoken.Purpose, token string) (*ent.OneTimeToken, *ent.Member, error) {
	t, _, err := s.look(ctx, tx, purpose, token)
	if err != nil {
		return nil, nil, err
	}
	m, err := lockActive(ctx, tx, t.MemberID)
	if fault.Is(err, fault.Unauthenticated) {
		return nil, nil, void()
	}
	if err != nil {
		return nil, nil, err
	}
	n, err := tx.OneTimeToken.Update().Where(onetimetoken.ID(t.ID), onetimetoken.UsedAtIsNil()).SetUsedAt(s.Now()).Save(ctx)
	if err != nil {
		return nil, nil, fmt.Errorf("use link: %w", err)
	}
	if n != 1 || purpose != onetimetoken.PurposeCHANGE_EMAIL && t.Email != m.Email {
		return nil, nil, void()
	}
	if purpose != onetimetoken.PurposeCHANGE_EMAIL && m.MailRefusedAt != nil { // the link was mailed to the member's address, and is here
		if err := notify.MailArrives(tx.Member.Update().Where(member.ID(m.ID))).Exec(ctx); err != nil {
			return nil, nil, fmt.Errorf("note that mail arrives: %w", err)
		}
	}
	return t, m, nil
}

// SignInWithLink starts a session for the link's member and uses the link up. It returns INVALID_INPUT for one that is void.
func (s *Service) SignInWithLink(ctx context.Context, v viewer.Viewer, token, browser string) (*Started, error) {
	var started *Started
	err := s.Store.InTx(ctx, func(ctx context.Context, tx *ent.Client) error {
		_, m, err := s.use(ctx, tx, onetimetoken.PurposeSIGN_IN, token)
		if err != nil {
			return err
		}
		started, err = s.startSession(ctx, tx, v, m, ByLink, browser)
		return err
	})
	return started, err
}

// ResetPassword gives the link's member a new password, ends all their sessions, starts one and uses the link up. It is what one does
// when somebody else was in: so it revokes access tokens and removes identities, too, which a thief may have left as doors.
func (s *Service) ResetPassword(ctx context.Context, v viewer.Viewer, token, text, browser string) (*Started, error) {
	return s.setPasswordByLink(ctx, v, onetimetoken.PurposeRESET_PASSWORD, ByReset, token, text, browser)
}

// shutOut takes away every way in but the mail address.
func (s *Service) shutOut(ctx context.Context, tx *ent.Client, id gid.ID) error {
	if err := s.end(ctx, tx, accesstoken.MemberID(id)); err != nil {
		return err
	}
	if _, err := tx.Identity.Delete().Where(identity.MemberID(id)).Exec(ctx); err != nil {
		return fmt.Errorf("remove identities: %w", err)
	}
	return nil
}

// AcceptInvitation signs somebody in for the first time, with a password if they choose one; without, they sign in with links.
func (s *Service) AcceptInvitation(ctx context.Context, v viewer.Viewer, token, text, browser string) (*Started, error) {
	return s.setPasswordByLink(ctx, v, onetimetoken.PurposeINVITATION, ByInvitation, token, text, browser)
}

func (s *Service) setPasswordByLink(ctx context.Context, v viewer.Viewer, purpose onetimetoken.Purpose, way Way, token, text, browser string) (*Started, error) {
	_, m, err := s.look(ctx, s.Store.Client(ctx), purpose, token) // hashing is dear: not for a link that is void
	if err != nil {
		return nil, err
	}
	hash := ""
	if text != "" || purpose == onetimetoken.PurposeRESET_PASSWORD {
		if hash, err = s.newHash(ctx, "password", text, m); err != nil {
			return nil, err
		}
	}
	var started *Started
	err = s.Store.InTx(ctx, func(ctx context.Context, tx *ent.Client) error {
		_, m, err := s.use(ctx, tx, purpose, token)
		if err != nil {
			return err
		}
		if hash != "" {
			// Whoever asks has proved by the link who they are, though nobody is signed in yet.
			if purpose == onetimetoken.PurposeRESET_PASSWORD {
				if err := s.shutOut(ctx, tx, m.ID); err != nil {
					return err
				}
			}
			if err := s.setPassword(ctx, tx, viewer.Member(m.ID, gid.ID{}, viewer.Write).At(v.Address()), m, hash); err != nil {
				return err
			}
		}
		started, err = s.startSession(ctx, tx, v, m, way, browser)
		return err
	})
	return started, err
}

// activeWith is the active member with an address, nil when there is none.
func (s *Service) activeWith(ctx context.Context, email string) (*ent.Member, error) {
	m, err := s.Store.Client(ctx).Member.Query().Where(member.Email(email), access.ActiveMembers()).Only(ctx)
	if ent.IsNotFound(err) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("load the member of an address: %w", err)
	}
	return m, nil
}
