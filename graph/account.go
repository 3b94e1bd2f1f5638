package graph

import (
	"context"

	"github.com/pursuing-equity/commons/graph/model"
	"github.com/pursuing-equity/commons/internal/account"
	"github.com/pursuing-equity/commons/internal/viewer"
)

func newAccessToken(in model.CreateAccessTokenInput) account.NewAccessToken {
	return account.NewAccessToken{Name: in.Name, Scope: in.Scope, ExpiresAt: in.ExpiresAt, IdempotencyKey: optional(in.IdempotencyKey)}
}

func invitation(in model.InviteMemberInput) account.Invitation {
	return account.Invitation{Name: in.Name, Email: in.Email, TimeZone: in.TimeZone, IdempotencyKey: optional(in.IdempotencyKey)}
}

// ownAccount is what a payload shows after a change of it, unless the change failed.
func (r *Resolver) ownAccount(ctx context.Context, v viewer.Viewer, failed error) (*account.Account, error) {
	if failed != nil {
		return nil, failed
	}
	return r.Accounts.Account(ctx, v)
}

// orNull is a text, or null for the empty one.
func orNull(text string) *string {
	if text == "" {
		return nil
	}
	return &text
}
