// Package account signs members in: with passwords, with links by mail, and programs with access tokens. Whoever proved who they
// are gets a session, whose secret a browser keeps in a cookie.
//
// What is secret is kept as a hash only. Nothing here tells who has an account: what an address that has none is answered, by
// which statements and after which time, is the same as for one that has.
package account

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/pursuing-equity/commons/ent"
	"github.com/pursuing-equity/commons/ent/accesstoken"
	"github.com/pursuing-equity/commons/ent/member"
	"github.com/pursuing-equity/commons/ent/predicate"
	"github.com/pursuing-equity/commons/internal/access"
	"github.com/pursuing-equity/commons/internal/admission"
	"github.com/pursuing-equity/commons/internal/audit"
	"github.com/pursuing-equity/commons/internal/casework"
	"github.com/pursuing-equity/commons/internal/community"
	"github.com/pursuing-equity/commons/internal/desk"
	"github.com/pursuing-equity/commons/internal/fault"
	"github.com/pursuing-equity/commons/internal/forum"
	"github.com/pursuing-equity/commons/internal/gid"
	"github.com/pursuing-equity/commons/internal/library"
	"github.com/pursuing-equity/commons/internal/mail"
	"github.com/pursuing-equity/commons/internal/moderation"
	"github.com/pursuing-equity/commons/internal/notify"
	"github.com/pursuing-equity/commons/internal/page"
	"github.com/pursuing-equity/commons/internal/review"
	"github.com/pursuing-equity/commons/internal/store"
	"github.com/pursuing-equity/commons/internal/viewer"
	"github.com/pursuing-equity/commons/internal/webhook"
)

// Service signs members in. All fields are needed but where it is said.
type Service struct {
	Moderation *moderation.Service
	Reviews    *review.Service

	Store     *store.Store
	Audit     *audit.Log
	Mail      *mail.Service
	Community *community.Service
	Forum     *forum.Service
	Notify    *notify.Service
	Library   *library.Service
	Casework  *casework.Service
	Webhooks  *webhook.Service // nil: nobody outside is told
	Desk      *desk.Service
	Admission *admission.Service
	Hasher    *Hasher
	Now       func() time.Time
	NewID     func(gid.Kind) gid.ID
	// PublicURL is what links begin with. It comes from the configuration and never from a request, whose Host header anybody can
	// write.
	PublicURL string
	// Taking says whether a call takes applications, to everybody who can see it: as long as one does, people make accounts for themselves.
	Taking  func(ctx context.Context, callID gid.ID) error
	Erasing chan struct{} // with room for one: signalled when somebody was erased; nil: FinishErasures is called at intervals only
}

// prefix lets scanners of leaked secrets recognise a token.
const prefix = "cmn_"

// Hash is what is kept of a token. SHA-256 is enough: a token has 256 random bits, there is nothing to guess.
func Hash(token string) []byte {
	h := sha256.Sum256([]byte(token))
	return h[:]
}

// NewToken is a fresh random token.
func NewToken() string { return newSecret(prefix) }

// newSecret is 256 random bits behind a prefix.
func newSecret(prefix string) string {
	b := make([]byte, 32)
	_, _ = rand.Read(b) // never fails: crypto/rand ends the process instead
	return prefix + base64.RawURLEncoding.EncodeToString(b)
}

// mostSecret is longer than any secret, in bytes.
const mostSecret = 100

// live are the sessions and tokens that have not ended.
func live(now time.Time) predicate.AccessToken {
	return accesstoken.And(accesstoken.RevokedAtIsNil(), accesstoken.Or(accesstoken.ExpiresAtIsNil(), accesstoken.ExpiresAtGT(now)))
}

// end ends sessions or tokens within the transaction. Who holds a websocket or an event stream open with one is sent away: a
// trigger in the database tells those who push events.
func (s *Service) end(ctx context.Context, tx *ent.Client, which predicate.AccessToken) error {
	if err := tx.AccessToken.Update().Where(which, accesstoken.RevokedAtIsNil()).SetRevokedAt(s.Now()).Exec(ctx); err != nil {
		return fmt.Errorf("end a sign-in: %w", err)
	}
	return nil
}

// ErrNoMember says that no active member has the mail address.
var ErrNoMember = errors.New("no active member has this mail address")

// Issue makes a token for the active member with the mail address; it is shown once and kept as a hash. It lasts for the
// given time, or until it is revoked when that is zero.
func (s *Service) Issue(ctx context.Context, email, name string, scope accesstoken.Scope, lasts time.Duration) (string, error) {
	token := NewToken()
	err := s.Store.InTx(ctx, func(ctx context.Context, tx *ent.Client) error {
		m, err := tx.Member.Query().Where(member.Email(lower(email)), access.ActiveMembers()).Only(ctx)
		if ent.IsNotFound(err) {
			return ErrNoMember
		}
		if err != nil {
			return fmt.Errorf("find member: %w", err)
		}
		now := s.Now()
		create := tx.AccessToken.Create().SetID(s.NewID(gid.AccessToken)).SetCreatedAt(now).SetMemberID(m.ID).SetHash(Hash(token)).SetName(name).SetScope(scope)
		if lasts > 0 {
			create.SetExpiresAt(now.Add(lasts))
		}
		return create.Exec(ctx)
	})
	return token, err
}

// lower is a mail address as it is kept.
func lower(email string) string { return strings.ToLower(strings.TrimSpace(email)) }

// SignIn says who an access token signs in, and until when. The address is the network's. It returns UNAUTHENTICATED for one that is unknown, expired or revoked,
// and for a member who is not active: always in the same words. It is one statement, and one more every few minutes.
func (s *Service) SignIn(ctx context.Context, token, address string) (viewer.Viewer, time.Time, error) {
	ctx = viewer.NewContext(ctx, viewer.System("sign in"))
	invalid := fault.New(fault.Unauthenticated, "This token is not valid: it is unknown, expired or revoked.")
	if !strings.HasPrefix(token, prefix) || len(token) > mostSecret {
		return viewer.Viewer{}, time.Time{}, invalid
	}
	t, err := s.Store.Client(ctx).AccessToken.Query().Where(accesstoken.Hash(Hash(token)),
		accesstoken.KindEQ(accesstoken.KindPERSONAL), accesstoken.RevokedAtIsNil(), accesstoken.HasMemberWith(access.ActiveMembers())).Modify(access.BesideRole).Only(ctx)
	if ent.IsNotFound(err) {
		return viewer.Viewer{}, time.Time{}, invalid
	}
	if err != nil {
		return viewer.Viewer{}, time.Time{}, store.Fault(fmt.Errorf("sign in: %w", err))
	}
	var expires time.Time
	if t.ExpiresAt != nil {
		if expires = *t.ExpiresAt; !expires.After(s.Now()) {
			return viewer.Viewer{}, time.Time{}, invalid
		}
	}
	s.used(ctx, t, address)
	scope := viewer.Read
	if t.Scope == accesstoken.ScopeWRITE {
		scope = viewer.Write
	}
	v, err := access.Standing(viewer.Member(t.MemberID, t.ID, scope), t)
	return v, expires, err
}

// Ended returns those of the sessions and tokens that no longer sign anybody in: one statement.
func (s *Service) Ended(ctx context.Context, tokens []gid.ID) ([]gid.ID, error) {
	ctx = viewer.NewContext(ctx, viewer.System("check tokens"))
	good, err := s.Store.Client(ctx).AccessToken.Query().Where(page.AnyOf(accesstoken.FieldID, tokens), live(s.Now()),
		accesstoken.HasMemberWith(access.ActiveMembers())).IDs(ctx)
	if err != nil {
		return nil, fmt.Errorf("check tokens: %w", err)
	}
	is := make(map[gid.ID]bool, len(good))
	for _, id := range good {
		is[id] = true
	}
	var ended []gid.ID
	for _, id := range tokens {
		if !is[id] {
			ended = append(ended, id)
		}
	}
	return ended, nil
}
