package account

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/pursuing-equity/commons/ent"
	"github.com/pursuing-equity/commons/ent/accesstoken"
	"github.com/pursuing-equity/commons/ent/identity"
	"github.com/pursuing-equity/commons/ent/member"
	"github.com/pursuing-equity/commons/ent/password"
	"github.com/pursuing-equity/commons/internal/access"
	"github.com/pursuing-equity/commons/internal/audit"
	"github.com/pursuing-equity/commons/internal/community"
	"github.com/pursuing-equity/commons/internal/fault"
	"github.com/pursuing-equity/commons/internal/gid"
	"github.com/pursuing-equity/commons/internal/input"
	"github.com/pursuing-equity/commons/internal/mail"
	"github.com/pursuing-equity/commons/internal/notify"
	"github.com/pursuing-equity/commons/internal/store"
	"github.com/pursuing-equity/commons/internal/viewer"
)

// mostName is the longest name of a member, in characters.
const mostName = 120

// Invitation is who to invite.
type Invitation struct {
	Name, Email, TimeZone string
	IdempotencyKey        *string `json:"-"`
}

// check returns the invitation as it is stored.
func (in Invitation) check() (Invitation, error) {
	var c input.Checker
	in.Name = c.Line("name", in.Name, 1, mostName)
	in.Email = c.Email("email", in.Email)
	if _, err := time.LoadLocation(in.TimeZone); err != nil || in.TimeZone == "" || in.TimeZone == "Local" {
		c.Refuse("timeZone", "This must be a name in the IANA database: America/New_York.")
	}
	return in, c.Err()
}

// InviteMember makes a member and mails them a link with which they sign in for the first time. Somebody who has an account and
// never signed in, because a roster was imported or the first link was lost, is sent a new link and stays as they are. It is for
// staff, who can see every member's address anyway: so ALREADY_EXISTS, for who did sign in or whose account is closed, tells them
// nothing new; everybody else gets FORBIDDEN whatever the address.
func (s *Service) InviteMember(ctx context.Context, v viewer.Viewer, in Invitation) (*ent.Member, error) {
	me, err := access.SignedIn(v)
	if err != nil {
		return nil, err
	}
	in, err = in.check()
	if err != nil {
		return nil, err
	}
	var id gid.ID
	err = s.Store.InTx(ctx, func(ctx context.Context, tx *ent.Client) (err error) {
		actor, err := access.Load(ctx, tx, v)
		if err != nil {
			return err
		}
		if err := actor.CanInvite(); err != nil {
			return err
		}
		once := store.Once{Member: me, Operation: "inviteMember", Key: in.IdempotencyKey, Payload: in, At: s.Now()}
		id, err = once.Do(ctx, tx, func() (gid.ID, error) { return s.invite(ctx, tx, v, me, in) })
		return err
	})
	if err != nil {
		return nil, err
	}
	m, err := s.Store.Client(ctx).Member.Get(ctx, id)
	if err != nil {
		return nil, fmt.Errorf("load who was invited: %w", err)
	}
	return m, nil
}

func (s *Service) invite(ctx context.Context, tx *ent.Client, v viewer.Viewer, me gid.ID, in Invitation) (gid.ID, error) {
	inviter, err := tx.Member.Get(ctx, me)
	if err != nil {
		return gid.ID{}, fmt.Errorf("load who invites: %w", err)
	}
	m, err := tx.Member.Query().Where(member.Email(in.Email)).Only(ctx)
	switch {
	case ent.IsNotFound(err):
		if m, err = s.newMember(ctx, tx, in); err != nil {
			return gid.ID{}, err
		}
	case err != nil:
		return gid.ID{}, fmt.Errorf("look for the address: %w", err)
	default:
		waits, err := neverSignedIn(ctx, tx, m.ID)
		if err != nil {
			return gid.ID{}, err
		}
		if !waits {
			return gid.ID{}, fault.New(fault.AlreadyExists, "Somebody with this address has an account.").At("email")
		}
	}
	if err := s.Audit.Append(ctx, tx, v, audit.Entry{Action: audit.MemberInvited, Subject: m.ID}); err != nil {
		return gid.ID{}, err
	}
	return m.ID, s.Mail.Send(ctx, tx, mail.Mail{Address: m.Email, Template: MailInvitation, Data: map[string]string{dataInviter: inviter.Name}})
}

// neverSignedIn reports whether an active member has no way to sign in but links, and never did.
func neverSignedIn(ctx context.Context, tx *ent.Client, id gid.ID) (bool, error) {
	active, err := tx.Member.Query().Where(member.ID(id), access.ActiveMembers()).Exist(ctx)
	if err != nil || !active {
		return false, err
	}
	for _, exists := range []func(context.Context) (bool, error){
		tx.Password.Query().Where(password.MemberID(id)).Exist,
		tx.Identity.Query().Where(identity.MemberID(id)).Exist,
		tx.AccessToken.Query().Where(accesstoken.MemberID(id)).Exist,
	} {
		if has, err := exists(ctx); err != nil || has {
			return false, err
		}
	}
	return true, nil
}

func (s *Service) newMember(ctx context.Context, tx *ent.Client, in Invitation) (*ent.Member, error) {
	id, now := s.NewID(gid.Member), s.Now()
	name := community.HandleOf(in.Name)
	taken, err := tx.Member.Query().Where(member.Handle(name)).Exist(ctx)
	if err != nil {
		return nil, fmt.Errorf("look for the handle: %w", err)
	}
	if taken || name == "" || notify.Reserved(name) {
		text := id.String()
		name = strings.Trim(name+"-"+text[len(text)-10:len(text)-4], "-") // characters out of the id's random part are free
	}
	m, err := tx.Member.Create().SetID(id).SetCreatedAt(now).SetUpdatedAt(now).SetEmail(in.Email).SetHandle(name).SetName(in.Name).SetTimeZone(in.TimeZone).Save(ctx)
	if err != nil {
		return nil, store.RetryOnConflict(fmt.Errorf("create member: %w", err))
	}
	return m, community.IndexMember(ctx, tx, m)
}
