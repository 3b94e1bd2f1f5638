// Package account signs members in. Access tokens are the first way; sessions and passwords come beside them.
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
	"github.com/pursuing-equity/commons/internal/access"
	"github.com/pursuing-equity/commons/internal/audit"
	"github.com/pursuing-equity/commons/internal/community"
	"github.com/pursuing-equity/commons/internal/fault"
	"github.com/pursuing-equity/commons/internal/forum"
	"github.com/pursuing-equity/commons/internal/gid"
	"github.com/pursuing-equity/commons/internal/library"
	"github.com/pursuing-equity/commons/internal/notify"
	"github.com/pursuing-equity/commons/internal/page"
	"github.com/pursuing-equity/commons/internal/store"
	"github.com/pursuing-equity/commons/internal/viewer"
)

// Service signs members in. All fields are needed but where it is said.
type Service struct {
	Store     *store.Store
	Audit     *audit.Log
	Community *community.Service
	Forum     *forum.Service
	Notify    *notify.Service
	Library   *library.Service
	Now       func() time.Time
	NewID     func(gid.Kind) gid.ID
	PublicURL string        // what links begin with; empty: links are paths on this server
	Erasing   chan struct{} // with room for one: signalled when somebody was erased; nil: FinishErasures is called at intervals only
}

// prefix lets scanners of leaked secrets recognise a token.
const prefix = "cmn_"

// Hash is what is kept of a token. SHA-256 is enough: a token has 256 random bits, there is nothing to guess.
func Hash(token string) []byte {
	h := sha256.Sum256([]byte(token))
	return h[:]
}

// NewToken is a fresh random token.
func NewToken() string {
	b := make([]byte, 32)
	_, _ = rand.Read(b) // never fails: crypto/rand ends the process instead
	return prefix + base64.RawURLEncoding.EncodeToString(b)
}

// ErrNoMember says that no active member has the mail address.
var ErrNoMember = errors.New("no active member has this mail address")

// Issue makes a token for the active member with the mail address; it is shown once and kept as a hash. It lasts for the
// given time, or until it is revoked when that is zero.
func (s *Service) Issue(ctx context.Context, email, name string, scope accesstoken.Scope, lasts time.Duration) (string, error) {
	token := NewToken()
	err := s.Store.InTx(ctx, func(ctx context.Context, tx *ent.Client) error {
		m, err := tx.Member.Query().Where(member.Email(strings.ToLower(strings.TrimSpace(email))), access.ActiveMembers()).Only(ctx)
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

// SignIn says who a token signs in, and until when. It returns UNAUTHENTICATED for one that is unknown, expired or revoked,
// and for a member who is not active: always in the same words.
func (s *Service) SignIn(ctx context.Context, token string) (viewer.Viewer, time.Time, error) {
	ctx = viewer.NewContext(ctx, viewer.System("sign in"))
	refused := fault.New(fault.Unauthenticated, "This token is not valid: it is unknown, expired or revoked.")
	if !strings.HasPrefix(token, prefix) || len(token) > 100 {
		return viewer.Viewer{}, time.Time{}, refused
	}
	t, err := s.Store.Client(ctx).AccessToken.Query().Where(accesstoken.Hash(Hash(token)), accesstoken.RevokedAtIsNil(),
		accesstoken.HasMemberWith(access.ActiveMembers())).Only(ctx)
	if ent.IsNotFound(err) {
		return viewer.Viewer{}, time.Time{}, refused
	}
	if err != nil {
		return viewer.Viewer{}, time.Time{}, store.Fault(fmt.Errorf("sign in: %w", err))
	}
	var expires time.Time
	if t.ExpiresAt != nil {
		if expires = *t.ExpiresAt; !expires.After(s.Now()) {
			return viewer.Viewer{}, time.Time{}, refused
		}
	}
	scope := viewer.Read
	if t.Scope == accesstoken.ScopeWRITE {
		scope = viewer.Write
	}
	return viewer.Member(t.MemberID, t.ID, scope), expires, nil
}

// Ended returns those of the tokens that no longer sign anybody in: one statement.
func (s *Service) Ended(ctx context.Context, tokens []gid.ID) ([]gid.ID, error) {
	ctx = viewer.NewContext(ctx, viewer.System("check tokens"))
	good, err := s.Store.Client(ctx).AccessToken.Query().Where(page.AnyOf(accesstoken.FieldID, tokens), accesstoken.RevokedAtIsNil(),
		accesstoken.Or(accesstoken.ExpiresAtIsNil(), accesstoken.ExpiresAtGT(s.Now())),
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
