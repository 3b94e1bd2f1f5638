package account

import (
	"context"
	"fmt"
	"time"

	"github.com/pursuing-equity/commons/ent"
	"github.com/pursuing-equity/commons/ent/auditentry"
	"github.com/pursuing-equity/commons/ent/identity"
	"github.com/pursuing-equity/commons/ent/member"
	"github.com/pursuing-equity/commons/internal/access"
	"github.com/pursuing-equity/commons/internal/audit"
	"github.com/pursuing-equity/commons/internal/fault"
	"github.com/pursuing-equity/commons/internal/gid"
	"github.com/pursuing-equity/commons/internal/mail"
	"github.com/pursuing-equity/commons/internal/openid"
	"github.com/pursuing-equity/commons/internal/store"
	"github.com/pursuing-equity/commons/internal/viewer"
)

// ByIdentity is signing in with an OpenID provider.
const ByIdentity Way = "OpenID Connect"

// rememberOnce is longer than anything that can be used once stays good.
const rememberOnce = 10 * time.Minute

// unrecognised is the one answer to an identity that signs nobody in, whatever the reason.
func unrecognised() *fault.Error {
	return fault.New(fault.Unauthenticated, "No account is connected with this identity. Sign in by mail, and connect it then.")
}

// SignInWithIdentity starts a session for whom an OpenID provider has identified. Issuer and subject say who it is.
//
// One who comes for the first time is recognised by mail address: if the provider vouches for the address, an active member has it,
// and that member is connected with no other identity of the provider and never removed one. From then on the address does not
// matter: it may become somebody else's. Nobody becomes a member in this way: a provider knows many people who are not in the program, and those who are have been invited. It returns
// UNAUTHENTICATED, always in the same words, for who is not recognised and for a member who is not active.
func (s *Service) SignInWithIdentity(ctx context.Context, v viewer.Viewer, who openid.Identity, provider, browser string) (*Started, error) {
	var started *Started
	err := s.Store.InTx(ctx, func(ctx context.Context, tx *ent.Client) error {
		m, err := s.recognise(ctx, tx, v, who, provider)
		if err != nil {
			return err
		}
		started, err = s.startSession(ctx, tx, v, m, ByIdentity, browser)
		return err
	})
	return started, err
}

func (s *Service) recognise(ctx context.Context, tx *ent.Client, v viewer.Viewer, who openid.Identity, provider string) (*ent.Member, error) {
	known, err := tx.Identity.Query().Where(identity.Issuer(who.Issuer), identity.Subject(who.Subject)).Only(ctx)
	if err == nil {
		m, err := lockActive(ctx, tx, known.MemberID)
		if fault.Is(err, fault.Unauthenticated) {
			return nil, unrecognised()
		}
		return m, err
	}
	if !ent.IsNotFound(err) {
		return nil, fmt.Errorf("look for the identity: %w", err)
	}
	if who.Email == "" {
		return nil, unrecognised()
	}
	m, err := tx.Member.Query().Where(member.Email(who.Email), access.ActiveMembers(), store.LockRow).Only(ctx)
	if ent.IsNotFound(err) {
		return nil, unrecognised()
	}
	if err != nil {
		return nil, fmt.Errorf("look for the identity's address: %w", err)
	}
	there, err := tx.Identity.Query().Where(identity.MemberID(m.ID), identity.Issuer(who.Issuer)).All(ctx)
	if err != nil {
		return nil, fmt.Errorf("look for identities: %w", err)
	}
	if len(there) == 1 && there[0].Subject == who.Subject { // connected by another request while this one waited for the member
		return m, nil
	}
	removed, err := tx.AuditEntry.Query().Where(auditentry.ActorID(m.ID), auditentry.Action(string(audit.IdentityUnlinked))).Exist(ctx)
	if err != nil {
		return nil, fmt.Errorf("look for removed identities: %w", err)
	}
	if len(there) > 0 || removed {
		return nil, unrecognised()
	}
	return m, s.connect(ctx, tx, viewer.Member(m.ID, gid.ID{}, viewer.Write).At(v.Address()), m, who, provider)
}

// ConnectIdentity lets the viewer sign in with an identity from now on. It needs a browser session. It returns ALREADY_EXISTS for an
// identity that signs somebody else in, and for a second one of the same provider; for one that is connected already it does nothing.
func (s *Service) ConnectIdentity(ctx context.Context, v viewer.Viewer, who openid.Identity, provider string) error {
	me, err := access.InBrowser(v)
	if err != nil {
		return err
	}
	return s.Store.InTx(ctx, func(ctx context.Context, tx *ent.Client) error {
		m, err := lockActive(ctx, tx, me)
		if err != nil {
			return err
		}
		there, err := tx.Identity.Query().
			Where(identity.Issuer(who.Issuer), identity.Or(identity.Subject(who.Subject), identity.MemberID(me))).All(ctx)
		if err != nil {
			return fmt.Errorf("look for identities: %w", err)
		}
		if len(there) == 1 && there[0].Subject == who.Subject && there[0].MemberID == me {
			return nil
		}
		if len(there) > 0 {
			return fault.New(fault.AlreadyExists, "This identity, or another one of the same provider, is connected already. Remove that first.")
		}
		return s.connect(ctx, tx, v, m, who, provider)
	})
}

// connect writes an identity down, and tells its member by mail. The transaction holds the member.
func (s *Service) connect(ctx context.Context, tx *ent.Client, v viewer.Viewer, m *ent.Member, who openid.Identity, provider string) error {
	id := s.NewID(gid.Identity)
	err := tx.Identity.Create().SetID(id).SetCreatedAt(s.Now()).SetMemberID(m.ID).SetIssuer(who.Issuer).SetSubject(who.Subject).Exec(ctx)
	if err != nil {
		return store.RetryOnConflict(fmt.Errorf("connect an identity: %w", err))
	}
	if err := s.Audit.Append(ctx, tx, v, audit.Entry{Action: audit.IdentityLinked, Subject: id, Reason: who.Issuer}); err != nil {
		return err
	}
	return s.Mail.Send(ctx, tx, mail.Mail{Address: m.Email, Template: MailIdentityLinked, Data: map[string]string{dataProvider: provider}})
}

// UnlinkIdentity takes an identity of the viewer's away: it no longer signs them in. Sessions that it began go on. It needs a browser
// session, and returns NOT_FOUND for what is none of theirs.
func (s *Service) UnlinkIdentity(ctx context.Context, v viewer.Viewer, id gid.ID) error {
	me, err := access.InBrowser(v)
	if err != nil {
		return err
	}
	return s.Store.InTx(ctx, func(ctx context.Context, tx *ent.Client) error {
		n, err := tx.Identity.Delete().Where(identity.ID(id), identity.MemberID(me)).Exec(ctx)
		if err != nil {
			return fmt.Errorf("remove an identity: %w", err)
		}
		if n == 0 {
			return fault.Missing().At("identityId")
		}
		return s.Audit.Append(ctx, tx, v, audit.Entry{Action: audit.IdentityUnlinked, Subject: id})
	})
}

// Identities are those that sign the account's member in, the oldest first: one of each provider.
func (s *Service) Identities(ctx context.Context, a *Account) ([]*ent.Identity, error) {
	rows, err := s.Store.Client(ctx).Identity.Query().Where(identity.MemberID(a.Member)).Order(identity.ByID()).Limit(mostListed).All(ctx)
	if err != nil {
		return nil, fmt.Errorf("load identities: %w", err)
	}
	return rows, nil
}

// UseOnce returns an error from the second use of a name on, in all processes together, for as long as names are remembered: ten
// minutes.
func (s *Service) UseOnce(ctx context.Context, name string) error {
	wait, err := s.Store.Take(ctx, "once "+name, store.Throttle{Burst: 1, Refill: rememberOnce}, s.Now())
	if err == nil && wait > 0 {
		err = fault.New(fault.Unauthenticated, "This was done already.")
	}
	return err
}
