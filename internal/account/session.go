package account

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/pursuing-equity/commons/ent"
	"github.com/pursuing-equity/commons/ent/accesstoken"
	"github.com/pursuing-equity/commons/ent/auditentry"
	"github.com/pursuing-equity/commons/ent/member"
	"github.com/pursuing-equity/commons/internal/access"
	"github.com/pursuing-equity/commons/internal/audit"
	"github.com/pursuing-equity/commons/internal/fault"
	"github.com/pursuing-equity/commons/internal/gid"
	"github.com/pursuing-equity/commons/internal/store"
	"github.com/pursuing-equity/commons/internal/viewer"
	"github.com/pursuing-equity/commons/internal/webhook"
)

const (
	// sessionIdle is how long a session lasts after its secret was last renewed; use renews it.
	sessionIdle = 14 * 24 * time.Hour
	// sessionMost is how long it lasts at all.
	sessionMost = 90 * 24 * time.Hour
	// renewEvery is how old the secret gets: a stolen one is good for that long, or until the owner's browser is used again.
	renewEvery = time.Hour
	// previousLasts is how long the secret before is still good: requests were on their way with it.
	previousLasts = time.Minute
	// usedEvery is how exactly the last use of a session or token is known.
	usedEvery = 5 * time.Minute
	// mostSessions is how many a member has at once; the oldest ends for a new one.
	mostSessions = 50
)

// sessionPrefix tells a session's secret from an access token: neither is good in the place of the other.
const sessionPrefix = "cms_"

// Way is how somebody proved who they are. The audit log bears it.
type Way string

// The ways of this package. Another one names itself.
const (
	ByPassword   Way = "password"
	ByLink       Way = "link"
	ByReset      Way = "password reset"
	ByInvitation Way = "invitation"
	BySignUp     Way = "sign-up"
)

// Started is a session that began. The secret belongs into the browser's cookie and is kept nowhere else.
type Started struct {
	Member  *ent.Member
	Secret  string        // empty for a session that runs already
	Lasts   time.Duration // of the cookie
	Expires time.Time     // of the session, whatever happens
}

// refused is the one answer to who may not sign in, whatever the reason.
func refused() *fault.Error {
	return fault.New(fault.Unauthenticated, "The mail address or the password is not right.")
}

// StartSession signs a member in whose identity the caller has checked in some way, in the browser that v asks from. The secret
// is always a new one: whatever the browser held before is not adopted, and a session that it was in ends. It returns
// UNAUTHENTICATED for a member who is not active.
func (s *Service) StartSession(ctx context.Context, v viewer.Viewer, memberID gid.ID, way Way, browser string) (*Started, error) {
	var started *Started
	err := s.Store.InTx(ctx, func(ctx context.Context, tx *ent.Client) error {
		m, err := lockActive(ctx, tx, memberID)
		if err != nil {
			return err
		}
		started, err = s.startSession(ctx, tx, v, m, way, browser)
		return err
	})
	return started, err
}

// lockActive loads a member who may sign in and holds the row: who changes how somebody signs in does that under this lock. It
// returns UNAUTHENTICATED for everybody else.
func lockActive(ctx context.Context, tx *ent.Client, id gid.ID) (*ent.Member, error) {
	m, err := tx.Member.Query().Where(member.ID(id), access.ActiveMembers(), store.LockRow).Only(ctx)
	if ent.IsNotFound(err) {
		return nil, refused()
	}
	if err != nil {
		return nil, fmt.Errorf("load the member who signs in: %w", err)
	}
	return m, nil
}

// startSession is StartSession in a transaction that holds the member.
func (s *Service) startSession(ctx context.Context, tx *ent.Client, v viewer.Viewer, m *ent.Member, way Way, browser string) (*Started, error) {
	now := s.Now()
	if v.InBrowser() {
		if err := s.end(ctx, tx, accesstoken.ID(v.TokenID())); err != nil {
			return nil, err
		}
	}
	running, err := tx.AccessToken.Query().Where(accesstoken.MemberID(m.ID), accesstoken.KindEQ(accesstoken.KindSESSION), live(now)).
		Order(accesstoken.ByID()).IDs(ctx)
	if err != nil {
		return nil, fmt.Errorf("load sessions: %w", err)
	}
	if n := len(running) - mostSessions + 1; n > 0 {
		if err := s.end(ctx, tx, accesstoken.IDIn(running[:n]...)); err != nil {
			return nil, err
		}
	}
	secret, id := newSecret(sessionPrefix), s.NewID(gid.AccessToken)
	started := &Started{Member: m, Secret: secret, Lasts: sessionIdle, Expires: now.Add(sessionMost)}
	err = tx.AccessToken.Create().SetID(id).SetCreatedAt(now).SetMemberID(m.ID).SetKind(accesstoken.KindSESSION).SetHash(Hash(secret)).
		SetScope(accesstoken.ScopeWRITE).SetName(browserName(browser)).SetAddress(v.Address()).SetLastUsedAt(now).SetRenewedAt(now).
		SetExpiresAt(now.Add(sessionIdle)).SetLastExpiresAt(started.Expires).Exec(ctx)
	if err != nil {
		return nil, fmt.Errorf("create session: %w", err)
	}
	if err := s.tellIfFirst(ctx, tx, m.ID, now); err != nil {
		return nil, err
	}
	me := viewer.Session(m.ID, id).At(v.Address())
	return started, s.Audit.Append(ctx, tx, me, audit.Entry{Action: audit.SignedIn, Subject: id, Reason: string(way)})
}

// tellIfFirst tells those outside who want to know that a member signs in for the first time. The audit log knows: sessions are forgotten.
func (s *Service) tellIfFirst(ctx context.Context, tx *ent.Client, id gid.ID, at time.Time) error {
	if wanted, err := s.Webhooks.Wanted(ctx, tx, webhook.MemberJoined); err != nil || !wanted {
		return err
	}
	before, err := tx.AuditEntry.Query().Where(auditentry.ActorID(id), auditentry.Action(string(audit.SignedIn))).Exist(ctx)
	if err != nil || before {
		return err
	}
	return s.Webhooks.Tell(ctx, tx, at, webhook.Happening{Event: webhook.MemberJoined, Data: map[string]any{"memberId": id.String()}})
}

// Resumed is a session that a cookie is good for.
type Resumed struct {
	Viewer  viewer.Viewer
	Expires time.Time
	// Secret is new when it is time for one, and empty otherwise. It lasts for Lasts.
	Secret string
	Lasts  time.Duration
}

// Resume says whom the secret of a cookie signs in. It returns UNAUTHENTICATED for one that is unknown, expired, ended or
// renewed since, and for a member who is not active: always in the same words. It is one statement, and one more every few
// minutes.
//
// About once an hour the secret is renewed. Of requests that come at once with the old one a single one gets the new one; the
// others are good for a minute more.
func (s *Service) Resume(ctx context.Context, secret, address string) (*Resumed, error) {
	ctx = viewer.NewContext(ctx, viewer.System("resume a session"))
	over := fault.New(fault.Unauthenticated, "This session is over. Sign in again.")
	if !strings.HasPrefix(secret, sessionPrefix) || len(secret) > mostSecret {
		return nil, over
	}
	now, hash := s.Now(), Hash(secret)
	t, err := s.Store.Client(ctx).AccessToken.Query().Where(
		accesstoken.Or(accesstoken.Hash(hash), accesstoken.And(accesstoken.PreviousHash(hash), accesstoken.RenewedAtGT(now.Add(-previousLasts)))),
		accesstoken.KindEQ(accesstoken.KindSESSION), live(now), accesstoken.HasMemberWith(access.ActiveMembers())).Modify(access.BesideRole).Only(ctx)
	if ent.IsNotFound(err) {
		return nil, over
	}
	if err != nil {
		return nil, store.Fault(fmt.Errorf("resume a session: %w", err))
	}
	v, err := access.Standing(viewer.Session(t.MemberID, t.ID), t)
	if err != nil {
		return nil, err
	}
	r := &Resumed{Viewer: v}
	if t.LastExpiresAt != nil {
		r.Expires = *t.LastExpiresAt
	}
	if string(t.Hash) != string(hash) {
		return r, nil
	}
	if t.RenewedAt != nil && now.Sub(*t.RenewedAt) < renewEvery {
		s.used(ctx, t, address)
		return r, nil
	}
	r.Secret, r.Lasts, err = s.renew(ctx, t, address)
	if err != nil {
		return nil, store.Fault(err)
	}
	return r, nil
}

// renew gives a session a new secret, unless another request was first.
func (s *Service) renew(ctx context.Context, t *ent.AccessToken, address string) (secret string, lasts time.Duration, err error) {
	now := s.Now()
	expires := now.Add(sessionIdle)
	if t.LastExpiresAt != nil && t.LastExpiresAt.Before(expires) {
		expires = *t.LastExpiresAt
	}
	secret = newSecret(sessionPrefix)
	n := 0
	err = s.Store.InTx(ctx, func(ctx context.Context, tx *ent.Client) (err error) {
		n, err = tx.AccessToken.Update().Where(accesstoken.ID(t.ID), accesstoken.Hash(t.Hash), accesstoken.RevokedAtIsNil()).
			SetHash(Hash(secret)).SetPreviousHash(t.Hash).SetRenewedAt(now).SetExpiresAt(expires).SetLastUsedAt(now).SetAddress(address).Save(ctx)
		return err
	})
	if err != nil {
		return "", 0, fmt.Errorf("renew a session: %w", err)
	}
	if n == 0 {
		return "", 0, nil
	}
	return secret, expires.Sub(now), nil
}

// used writes down when and from where a session or token was last used, every few minutes at most. That it fails must not keep
// anybody out.
func (s *Service) used(ctx context.Context, t *ent.AccessToken, address string) {
	now := s.Now()
	if t.LastUsedAt != nil && now.Sub(*t.LastUsedAt) < usedEvery {
		return
	}
	_ = s.Store.InTx(store.Upkeep(ctx), func(ctx context.Context, tx *ent.Client) error {
		return tx.AccessToken.Update().Where(accesstoken.ID(t.ID), accesstoken.Or(accesstoken.LastUsedAtIsNil(), accesstoken.LastUsedAtLT(now.Add(-usedEvery)))).
			SetLastUsedAt(now).SetAddress(address).Exec(ctx)
	})
}

// SignOut ends the session that the viewer asks with. Who has none is signed out already.
func (s *Service) SignOut(ctx context.Context, v viewer.Viewer) error {
	if !v.InBrowser() {
		return nil
	}
	return s.Store.InTx(ctx, func(ctx context.Context, tx *ent.Client) error {
		if err := s.end(ctx, tx, accesstoken.ID(v.TokenID())); err != nil {
			return err
		}
		return s.Audit.Append(ctx, tx, v, audit.Entry{Action: audit.SignedOut, Subject: v.TokenID()})
	})
}

// EndSession ends one of the viewer's sessions. It returns NOT_FOUND for what is none of them, or is over.
func (s *Service) EndSession(ctx context.Context, v viewer.Viewer, id gid.ID) error {
	if _, err := access.InBrowser(v); err != nil {
		return err
	}
	return s.Store.InTx(ctx, func(ctx context.Context, tx *ent.Client) error {
		mine, err := tx.AccessToken.Query().
			Where(accesstoken.ID(id), access.OwnAccessTokens(v), accesstoken.KindEQ(accesstoken.KindSESSION), live(s.Now())).Exist(ctx)
		if err != nil {
			return fmt.Errorf("load session: %w", err)
		}
		if !mine {
			return fault.Missing().At("sessionId")
		}
		if err := s.end(ctx, tx, accesstoken.ID(id)); err != nil {
			return err
		}
		return s.Audit.Append(ctx, tx, v, audit.Entry{Action: audit.SessionEnded, Subject: id})
	})
}

// EndOtherSessions ends all of the viewer's sessions but the one that they ask with.
func (s *Service) EndOtherSessions(ctx context.Context, v viewer.Viewer) error {
	me, err := access.InBrowser(v)
	if err != nil {
		return err
	}
	return s.Store.InTx(ctx, func(ctx context.Context, tx *ent.Client) error {
		if _, err := lockActive(ctx, tx, me); err != nil { // who signs in at this moment ends too, or comes later
			return err
		}
		return s.endOthers(ctx, tx, v, me)
	})
}

// endOthers ends a member's sessions but the viewer's, in a transaction that holds the member.
func (s *Service) endOthers(ctx context.Context, tx *ent.Client, v viewer.Viewer, memberID gid.ID) error {
	all := tx.AccessToken.Query().Where(accesstoken.MemberID(memberID), accesstoken.KindEQ(accesstoken.KindSESSION), live(s.Now()))
	if v.InBrowser() {
		all.Where(accesstoken.IDNEQ(v.TokenID()))
	}
	others, err := all.IDs(ctx)
	if err != nil {
		return fmt.Errorf("load sessions: %w", err)
	}
	if len(others) == 0 {
		return nil
	}
	if err := s.end(ctx, tx, accesstoken.IDIn(others...)); err != nil {
		return err
	}
	for _, id := range others {
		if err := s.Audit.Append(ctx, tx, v, audit.Entry{Action: audit.SessionEnded, Subject: id}); err != nil {
			return err
		}
	}
	return nil
}

// browserName is what a person knows a browser by, out of its User-Agent header.
func browserName(agent string) string {
	first := func(pairs ...string) string {
		for i := 0; i < len(pairs); i += 2 {
			if strings.Contains(agent, pairs[i]) {
				return pairs[i+1]
			}
		}
		return ""
	}
	// Each browser names those that it wants to be taken for, so the order matters.
	name := first("Edg", "Edge", "OPR/", "Opera", "Firefox/", "Firefox", "FxiOS", "Firefox", "CriOS", "Chrome", "Chrome/", "Chrome", "Safari/", "Safari")
	system := first("iPhone", "iPhone", "iPad", "iPad", "Android", "Android", "Windows", "Windows", "Mac OS X", "macOS", "CrOS", "ChromeOS", "Linux", "Linux")
	switch {
	case name != "" && system != "":
		return name + " on " + system
	case name != "":
		return name
	default:
		return "Unknown browser"
	}
}
