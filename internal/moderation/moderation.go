// Package moderation has what members do against harm: they keep others from reaching them with blocks and mutes, and flag posts to
// those who moderate a space; and what those do about it. Posts themselves are hidden by internal/forum, under the thread's lock.
package moderation

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/pursuing-equity/commons/ent"
	"github.com/pursuing-equity/commons/ent/member"
	"github.com/pursuing-equity/commons/internal/access"
	"github.com/pursuing-equity/commons/internal/audit"
	"github.com/pursuing-equity/commons/internal/event"
	"github.com/pursuing-equity/commons/internal/forum"
	"github.com/pursuing-equity/commons/internal/gid"
	"github.com/pursuing-equity/commons/internal/notify"
	"github.com/pursuing-equity/commons/internal/store"
	"github.com/pursuing-equity/commons/internal/viewer"
)

// Service has the rules of moderation. All fields but Unlimited are needed.
type Service struct {
	Store  *store.Store
	Events *event.Log
	Audit  *audit.Log
	Forum  *forum.Service
	Notify *notify.Service
	Now    func() time.Time
	NewID  func(gid.Kind) gid.ID
	Logger *slog.Logger

	Unlimited bool // no rates hold
}

// alone runs a change by who has signed in, while their own row is held: what is counted for them is looked at under this lock.
func (s *Service) alone(ctx context.Context, v viewer.Viewer, do func(ctx context.Context, tx *ent.Client, me gid.ID) error) error {
	me, err := access.SignedIn(v)
	if err != nil {
		return err
	}
	return s.Store.InTx(ctx, func(ctx context.Context, tx *ent.Client) error {
		if err := hold(ctx, tx, me); err != nil {
			return err
		}
		return do(ctx, tx, me)
	})
}

func hold(ctx context.Context, tx *ent.Client, id gid.ID) error {
	if _, err := tx.Member.Query().Where(member.ID(id), store.LockRow).Only(ctx); err != nil {
		return fmt.Errorf("lock member: %w", err)
	}
	return nil
}
