package account

import (
	"context"
	"fmt"

	"github.com/pursuing-equity/commons/ent"
	"github.com/pursuing-equity/commons/ent/accesstoken"
	"github.com/pursuing-equity/commons/ent/password"
	"github.com/pursuing-equity/commons/internal/access"
	"github.com/pursuing-equity/commons/internal/gid"
	"github.com/pursuing-equity/commons/internal/viewer"
)

// Account is how a member signs in: theirs to see and nobody else's.
type Account struct {
	Email  string
	Member gid.ID
	viewer viewer.Viewer
}

// Viewer is who asks for their own account.
func (a *Account) Viewer() viewer.Viewer { return a.viewer }

// Session is a browser that a member is signed in with.
type Session struct {
	*ent.AccessToken
	Current bool // the one that the viewer asks with
}

// Account is the viewer's own; nil when nobody signed in.
func (s *Service) Account(ctx context.Context, v viewer.Viewer) (*Account, error) {
	m, err := s.Who(ctx, v)
	if err != nil || m == nil {
		return nil, err
	}
	return &Account{Email: m.Email, Member: m.ID, viewer: v}, nil
}

// HasPassword reports whether the member can sign in with a password.
func (s *Service) HasPassword(ctx context.Context, a *Account) (bool, error) {
	has, err := s.Store.Client(ctx).Password.Query().Where(password.MemberID(a.Member)).Exist(ctx)
	if err != nil {
		return false, fmt.Errorf("look for a password: %w", err)
	}
	return has, nil
}

// Sessions are the member's, the newest first: 50 at most.
func (s *Service) Sessions(ctx context.Context, a *Account) ([]*Session, error) {
	rows, err := s.owned(ctx, a, accesstoken.KindSESSION)
	sessions := make([]*Session, len(rows))
	for i, t := range rows {
		sessions[i] = &Session{AccessToken: t, Current: t.ID == a.viewer.TokenID()}
	}
	return sessions, err
}

// AccessTokens are the member's, the newest first; the newest 100.
func (s *Service) AccessTokens(ctx context.Context, a *Account) ([]*ent.AccessToken, error) {
	return s.owned(ctx, a, accesstoken.KindPERSONAL)
}

// owned are the account's sessions or tokens that have not ended.
func (s *Service) owned(ctx context.Context, a *Account, kind accesstoken.Kind) ([]*ent.AccessToken, error) {
	rows, err := s.Store.Client(ctx).AccessToken.Query().Where(access.OwnAccessTokens(a.viewer), accesstoken.KindEQ(kind), live(s.Now())).
		Order(ent.Desc(accesstoken.FieldID)).Limit(mostListed).All(ctx)
	if err != nil {
		return nil, fmt.Errorf("load sign-ins: %w", err)
	}
	return rows, nil
}

// mostListed bounds a list of sessions or tokens. Only an operator's own commands could make more.
const mostListed = 100

// Who is the member who asks, nil when nobody signed in.
func (s *Service) Who(ctx context.Context, v viewer.Viewer) (*ent.Member, error) {
	me, ok := v.MemberID()
	if !ok {
		return nil, nil
	}
	m, err := s.Store.Client(ctx).Member.Get(ctx, me)
	if err != nil {
		return nil, fmt.Errorf("load who asks: %w", err)
	}
	return m, nil
}
