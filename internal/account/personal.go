package account

import (
	"context"
	"fmt"
	"time"

	"github.com/pursuing-equity/commons/ent"
	"github.com/pursuing-equity/commons/ent/accesstoken"
	"github.com/pursuing-equity/commons/internal/access"
	"github.com/pursuing-equity/commons/internal/audit"
	"github.com/pursuing-equity/commons/internal/fault"
	"github.com/pursuing-equity/commons/internal/gid"
	"github.com/pursuing-equity/commons/internal/input"
	"github.com/pursuing-equity/commons/internal/store"
	"github.com/pursuing-equity/commons/internal/viewer"
)

const (
	mostTokens    = 50
	mostTokenName = 100
	tokenLasts    = 366 * 24 * time.Hour // a year, whichever
)

// NewAccessToken is a token for a program to make.
type NewAccessToken struct {
	Name           string
	Scope          accesstoken.Scope
	ExpiresAt      time.Time
	IdempotencyKey *string `json:"-"`
}

// CreateAccessToken makes a token for a program of the viewer's. Its secret is returned here and never again: a request that is
// repeated with its idempotency key gets the token without it. It needs a browser session, so that a token that was stolen does
// not make others that last. It returns LIMIT_REACHED for who has 50.
func (s *Service) CreateAccessToken(ctx context.Context, v viewer.Viewer, in NewAccessToken) (t *ent.AccessToken, secret string, err error) {
	me, err := access.InBrowser(v)
	if err != nil {
		return nil, "", err
	}
	var c input.Checker
	now := s.Now()
	in.Name = c.Line("name", in.Name, 1, mostTokenName)
	if !in.ExpiresAt.After(now) || in.ExpiresAt.After(now.Add(tokenLasts)) {
		c.Refuse("expiresAt", "This must be in the future, and within a year.")
	}
	if err := c.Err(); err != nil {
		return nil, "", err
	}
	var id gid.ID
	err = s.Store.InTx(ctx, func(ctx context.Context, tx *ent.Client) (err error) {
		secret = ""
		if _, err := lockActive(ctx, tx, me); err != nil { // the count is looked at under this lock
			return err
		}
		once := store.Once{Member: me, Operation: "createAccessToken", Key: in.IdempotencyKey, Payload: in, At: now}
		id, err = once.Do(ctx, tx, func() (gid.ID, error) {
			has, err := tx.AccessToken.Query().Where(access.OwnAccessTokens(v), accesstoken.KindEQ(accesstoken.KindPERSONAL), live(now)).Count(ctx)
			if err != nil {
				return gid.ID{}, fmt.Errorf("count access tokens: %w", err)
			}
			if has >= mostTokens {
				return gid.ID{}, fault.New(fault.LimitReached, "You have %d access tokens. Revoke one that you no longer need.", has)
			}
			secret = NewToken()
			id := s.NewID(gid.AccessToken)
			err = tx.AccessToken.Create().SetID(id).SetCreatedAt(now).SetMemberID(me).SetKind(accesstoken.KindPERSONAL).SetHash(Hash(secret)).
				SetName(in.Name).SetScope(in.Scope).SetExpiresAt(in.ExpiresAt).Exec(ctx)
			if err != nil {
				return gid.ID{}, fmt.Errorf("create access token: %w", err)
			}
			return id, s.Audit.Append(ctx, tx, v, audit.Entry{Action: audit.AccessTokenCreated, Subject: id})
		})
		return err
	})
	if err != nil {
		return nil, "", err
	}
	if t, err = s.Store.Client(ctx).AccessToken.Get(ctx, id); err != nil {
		return nil, "", fmt.Errorf("load access token: %w", err)
	}
	return t, secret, nil
}

// RevokeAccessToken ends one of the viewer's tokens at once, on open sockets too. It needs a browser session, or the token itself:
// a program may sign itself out. It returns NOT_FOUND for what is none of theirs, or is over.
func (s *Service) RevokeAccessToken(ctx context.Context, v viewer.Viewer, id gid.ID) error {
	if v.TokenID() != id {
		if _, err := access.InBrowser(v); err != nil {
			return err
		}
	}
	return s.Store.InTx(ctx, func(ctx context.Context, tx *ent.Client) error {
		mine, err := tx.AccessToken.Query().
			Where(accesstoken.ID(id), access.OwnAccessTokens(v), accesstoken.KindEQ(accesstoken.KindPERSONAL), live(s.Now())).Exist(ctx)
		if err != nil {
			return fmt.Errorf("load access token: %w", err)
		}
		if !mine {
			return fault.Missing().At("accessTokenId")
		}
		if err := s.end(ctx, tx, accesstoken.ID(id)); err != nil {
			return err
		}
		return s.Audit.Append(ctx, tx, v, audit.Entry{Action: audit.AccessTokenRevoked, Subject: id})
	})
}
