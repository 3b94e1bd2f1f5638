package account

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/pursuing-equity/commons/ent"
	"github.com/pursuing-equity/commons/ent/member"
	"github.com/pursuing-equity/commons/ent/onetimetoken"
	"github.com/pursuing-equity/commons/internal/access"
	"github.com/pursuing-equity/commons/internal/fault"
	"github.com/pursuing-equity/commons/internal/gid"
	"github.com/pursuing-equity/commons/internal/viewer"
)

// The templates of the mail that this package writes. Compose gives each its values.
const (
	MailSignIn          = "sign-in"          // name, link, minutes
	MailReset           = "reset-password"   // name, link, minutes
	MailPasswordChanged = "password-changed" // name, reset: the page where to ask for a reset
	MailConfirmEmail    = "confirm-email"    // to the new address: name, link, minutes
	MailEmailAsked      = "email-asked"      // to the old address, when somebody asked: name, email: the new one, reset
	MailEmailChanged    = "email-changed"    // to the old address, when it was done: name, email: the new one
	MailInvitation      = "invitation"       // name, inviter, link, days
	MailExport          = "export-link"      // to who may not sign in and asked for a link: name, link to their own data
	MailIdentityLinked  = "identity-linked"  // name, provider: what people call it
	MailSignUp          = "sign-up"          // to who has no account: link, hours
	MailSignUpKnown     = "sign-up-known"    // to who has one: name, link to the page where they sign in
)

// Templates are all of them.
func Templates() []string {
	return []string{MailSignIn, MailReset, MailPasswordChanged, MailConfirmEmail, MailEmailAsked, MailEmailChanged, MailInvitation, MailExport, MailIdentityLinked, MailSignUp, MailSignUpKnown}
}

// The pages that links lead to. The token is in the URL's fragment: browsers send it to no server, so that it is in no log of
// ours or of a proxy and in no Referer header. The page's script takes it out of the address bar, and sends it with POST once a
// person has pressed the button: a scanner that opens the link, even one that runs scripts, uses nothing up.
const (
	pageSignIn       = "/sign-in"
	pageLink         = "/sign-in/link"
	pageReset        = "/sign-in/reset"
	pageConfirmEmail = "/sign-in/email"
	pageInvitation   = "/sign-in/invitation"
	pageSignUp       = "/sign-in/sign-up"
)

// The keys of a mail's data.
const (
	dataMember  = "member"  // whose address is to change
	dataEmail   = "email"   // the new address
	dataSession = "session" // in which it was asked for: once that is over, whoever it was has lost it
	dataInviter = "inviter" // the name of who invites

	dataProvider = "provider" // what people call it
	dataName     = "name"     // of who wants an account
	dataZone     = "zone"     // theirs
	dataCall     = "call"     // that they want to apply to
)

// Compose returns the values for a template, or false when nothing is to be sent: for instance because no active account has the
// address. Whoever sends mail calls it right before sending, each time it is sent: links are made here, and a newer one makes an
// older one void. So no secret waits in the queue. It returns an error for a template that is not of this package.
func (s *Service) Compose(ctx context.Context, template, address string, data map[string]string) (values map[string]string, send bool, err error) {
	ctx = viewer.NewContext(ctx, viewer.System("compose mail"))
	switch template {
	case MailSignIn:
		return s.composeLink(ctx, onetimetoken.PurposeSIGN_IN, pageLink, address, data)
	case MailReset:
		return s.composeLink(ctx, onetimetoken.PurposeRESET_PASSWORD, pageReset, address, data)
	case MailInvitation:
		return s.composeLink(ctx, onetimetoken.PurposeINVITATION, pageInvitation, address, data)
	case MailConfirmEmail:
		return s.composeConfirmation(ctx, address, data)
	case MailPasswordChanged, MailEmailAsked, MailIdentityLinked:
		m, err := s.activeWith(ctx, address)
		if err != nil || m == nil {
			return nil, false, err
		}
		return map[string]string{"name": m.Name, "email": data[dataEmail], "provider": data[dataProvider], "reset": s.PublicURL + pageSignIn}, true, nil
	case MailEmailChanged: // to an address that is nobody's any more
		m, err := s.memberOf(ctx, data)
		if err != nil || m == nil {
			return nil, false, err
		}
		return map[string]string{"name": m.Name, "email": data[dataEmail]}, true, nil
	case MailExport:
		return s.composeExport(ctx, address)
	case MailSignUp:
		return s.composeSignUp(ctx, address, data)
	case MailSignUpKnown:
		m, err := s.activeWith(ctx, address)
		if err != nil || m == nil {
			return nil, false, err
		}
		return map[string]string{"name": m.Name, "link": s.PublicURL + pageSignIn}, true, nil
	default:
		return nil, false, fmt.Errorf("compose mail: there is no template %q", template)
	}
}

func (s *Service) composeLink(ctx context.Context, purpose onetimetoken.Purpose, page, address string, data map[string]string) (map[string]string, bool, error) {
	m, err := s.activeWith(ctx, address)
	if err != nil || m == nil {
		return nil, false, err
	}
	lasts := linkLasts
	if purpose == onetimetoken.PurposeINVITATION {
		lasts = invitationLasts
	}
	return s.composed(ctx, purpose, page, m, address, lasts, data, nil)
}

// composeExport makes a link to the data of somebody whose account is closed or suspended: it cannot be signed in to, and the data
// remain theirs.
func (s *Service) composeExport(ctx context.Context, address string) (map[string]string, bool, error) {
	m, err := s.Store.Client(ctx).Member.Query().Where(member.Email(address), member.StatusNEQ(member.StatusERASED), member.Not(access.ActiveMembers())).Only(ctx)
	if ent.IsNotFound(err) {
		return nil, false, nil
	}
	if err != nil {
		return nil, false, fmt.Errorf("load the member of an address: %w", err)
	}
	link, err := s.ExportLink(ctx, m.ID)
	if fault.Is(err, fault.NotFound) { // erased a moment ago
		return nil, false, nil
	}
	return map[string]string{"name": m.Name, "link": link}, err == nil, err
}

// composeConfirmation makes the link that gives a member a new address, unless somebody has it by now.
func (s *Service) composeConfirmation(ctx context.Context, address string, data map[string]string) (map[string]string, bool, error) {
	m, err := s.memberOf(ctx, data)
	if err != nil || m == nil {
		return nil, false, err
	}
	taken, err := s.Store.Client(ctx).Member.Query().Where(member.Email(address)).Exist(ctx)
	if err != nil {
		return nil, false, fmt.Errorf("look for the address: %w", err)
	}
	if taken {
		return nil, false, nil
	}
	session, err := gid.Parse(data[dataSession])
	if err != nil {
		return nil, false, fmt.Errorf("compose mail: %w", err)
	}
	return s.composed(ctx, onetimetoken.PurposeCHANGE_EMAIL, pageConfirmEmail, m, address, linkLasts, data, &session)
}

func (s *Service) composed(ctx context.Context, purpose onetimetoken.Purpose, page string, m *ent.Member, address string, lasts time.Duration, data map[string]string, session *gid.ID) (map[string]string, bool, error) {
	token, err := s.newLink(ctx, purpose, m.ID, address, lasts, session)
	if fault.Is(err, fault.Unauthenticated) { // suspended a moment ago, or the session that asked is over
		return nil, false, nil
	}
	if err != nil {
		return nil, false, err
	}
	return map[string]string{
		"name": m.Name, "inviter": data[dataInviter], "link": s.PublicURL + page + "#" + token,
		"minutes": strconv.Itoa(int(lasts.Minutes())), "days": strconv.Itoa(int(lasts.Hours()) / 24),
	}, true, nil
}

// memberOf is the active member that a mail's data names, nil when there is none.
func (s *Service) memberOf(ctx context.Context, data map[string]string) (*ent.Member, error) {
	id, err := gid.Parse(data[dataMember])
	if err != nil {
		return nil, fmt.Errorf("compose mail: %w", err)
	}
	m, err := s.Store.Client(ctx).Member.Query().Where(member.ID(id), access.ActiveMembers()).Only(ctx)
	if ent.IsNotFound(err) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("load the member of a mail: %w", err)
	}
	return m, nil
}
