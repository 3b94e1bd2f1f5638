// Package desk has what a member keeps for themselves: drafts, posts that are scheduled, bookmarks and reminders. Nobody else ever
// sees any of it, staff and administrators included.
//
// Every change holds the member's row first: under it is counted what is limited for each member, and the event that tells the
// member's other devices takes its number from it.
package desk

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/pursuing-equity/commons/ent"
	"github.com/pursuing-equity/commons/ent/member"
	"github.com/pursuing-equity/commons/internal/access"
	"github.com/pursuing-equity/commons/internal/event"
	"github.com/pursuing-equity/commons/internal/fault"
	"github.com/pursuing-equity/commons/internal/forum"
	"github.com/pursuing-equity/commons/internal/gid"
	"github.com/pursuing-equity/commons/internal/notify"
	"github.com/pursuing-equity/commons/internal/store"
	"github.com/pursuing-equity/commons/internal/viewer"
)

// Service keeps what is the members' own. All fields are needed.
type Service struct {
	Store  *store.Store
	Events *event.Log
	Forum  *forum.Service
	Notify *notify.Service
	Now    func() time.Time
	NewID  func(gid.Kind) gid.ID
	Logger *slog.Logger
}

// poll is how late a scheduled post or a reminder can be.
const poll = 5 * time.Second

// Run publishes and reminds what is due, until ctx ends. One runs in each process; they share the work.
func (s *Service) Run(ctx context.Context) {
	ctx = store.Upkeep(ctx)
	ticker := time.NewTicker(poll)
	defer ticker.Stop()
	for {
		if err := errors.Join(s.PublishDue(ctx), s.RemindDue(ctx)); err != nil && ctx.Err() == nil {
			s.Logger.WarnContext(ctx, "what is due waits", "error", err.Error())
		}
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

// hold keeps the member's row until the transaction ends. An account that was closed since its member signed in keeps nothing more.
func hold(ctx context.Context, tx *ent.Client, me gid.ID) error {
	active, err := tx.Member.Query().Where(member.ID(me), access.ActiveMembers(), store.LockRow).Select(member.FieldID).All(ctx)
	if err != nil {
		return fmt.Errorf("hold the member: %w", err)
	}
	if len(active) == 0 {
		return fault.New(fault.Unauthenticated, "This account is closed.")
	}
	return nil
}

// lock is hold for the program itself, which looks after what closed accounts keep, too.
func lock(ctx context.Context, tx *ent.Client, id gid.ID) error {
	if _, err := tx.Member.Query().Where(member.ID(id), store.LockRow).Select(member.FieldID).Only(ctx); err != nil {
		return fmt.Errorf("lock the member: %w", err)
	}
	return nil
}

// tell says to the member's devices that something of theirs has changed.
func (s *Service) tell(ctx context.Context, tx *ent.Client, me gid.ID, kind string, object gid.ID) error {
	return s.Events.AppendToMembers(ctx, tx, s.Now(), map[gid.ID]event.Entry{me: {Kind: kind, Object: object, Actor: me}})
}

// change runs a change of what is the viewer's own while it holds their row.
func (s *Service) change(ctx context.Context, v viewer.Viewer, do func(ctx context.Context, tx *ent.Client, me gid.ID) error) error {
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
