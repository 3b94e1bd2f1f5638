package admission

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/pursuing-equity/commons/ent"
	"github.com/pursuing-equity/commons/ent/call"
	"github.com/pursuing-equity/commons/ent/member"
	"github.com/pursuing-equity/commons/internal/access"
	"github.com/pursuing-equity/commons/internal/event"
	"github.com/pursuing-equity/commons/internal/fault"
	"github.com/pursuing-equity/commons/internal/gid"
	"github.com/pursuing-equity/commons/internal/page"
	"github.com/pursuing-equity/commons/internal/store"
	"github.com/pursuing-equity/commons/internal/viewer"
)

// tellCall writes one event to the stream of a call that the transaction has locked.
func (s *Service) tellCall(ctx context.Context, tx *ent.Client, v viewer.Viewer, c *ent.Call, kind string) error {
	actor, _ := v.MemberID()
	seq, err := s.Events.Append(ctx, tx, c.ID, c.EventSeq, s.Now(), event.Entry{Kind: kind, Object: c.ID, Actor: actor})
	if err != nil {
		return err
	}
	if err := tx.Call.UpdateOneID(c.ID).SetEventSeq(seq).Exec(ctx); err != nil {
		return fmt.Errorf("number a call's stream: %w", err)
	}
	return nil
}

// CallSource is what follows a call: NOT_FOUND when the viewer cannot see it. A published call stays, so that who is not signed in never loses it.
func (s *Service) CallSource(ctx context.Context, v viewer.Viewer, id gid.ID, after *page.Cursor) (event.Source, error) {
	_, err := s.callSeen(ctx, s.Store.Client(ctx), v, id)
	return event.Source{Stream: id, After: after, Public: true, Readers: func(ctx context.Context, members []gid.ID) ([]gid.ID, error) {
		return s.Store.Client(ctx).Member.Query().Where(page.AnyOf(member.FieldID, members), access.CallFollowers(id)).IDs(ctx)
	}}, err
}

// CallShown is a call as the viewer sees it now, with those of its events that they are shown: what staff prepare is for staff alone.
func (s *Service) CallShown(ctx context.Context, v viewer.Viewer, id gid.ID, events []*ent.Event) (*ent.Call, []*ent.Event, error) {
	c, err := s.callSeen(ctx, s.Store.Client(ctx), v, id)
	if fault.Is(err, fault.NotFound) {
		return nil, nil, nil // it was deleted, or they are staff no more: the subscription ends
	}
	if err != nil {
		return nil, nil, err
	}
	staff, err := s.CanUpdateCalls(ctx, v, []*ent.Call{c})
	if err != nil {
		return nil, nil, err
	}
	return c, slices.DeleteFunc(slices.Clone(events), func(e *ent.Event) bool {
		prepared := e.Kind == event.CallPrepared || c.PublishedAt == nil || e.CreatedAt.Before(*c.PublishedAt)
		return prepared && !staff[0]
	}), nil
}

// turnsAfter is the first instant after another one at which the clock makes a call's state another one; nil when it never does again.
func turnsAfter(c *ent.Call, after time.Time) *time.Time {
	for _, at := range []time.Time{c.OpensAt, c.DueAt, c.ClosesAt} {
		if at.After(after) {
			return &at
		}
	}
	return nil
}

// turning has an update say when the clock turns a call next; nil for never.
func turning(update *ent.CallUpdateOne, next *time.Time) *ent.CallUpdateOne {
	if next == nil {
		return update.ClearTurnsAt()
	}
	return update.SetTurnsAt(*next)
}

// Turn tells those who follow calls that the clock has opened or closed them, or that applications are late from now on: once for each instant,
// and of those that were missed together once.
func (s *Service) Turn(ctx context.Context) error {
	v := viewer.System("turn calls")
	ctx = viewer.NewContext(ctx, v)
	for {
		now := s.Now()
		waits, err := s.Store.Client(ctx).Call.Query().Where(call.TurnsAtLTE(now)).Exist(ctx)
		if err != nil || !waits {
			return err
		}
		n := 0
		err = s.Store.InTx(ctx, func(ctx context.Context, tx *ent.Client) error {
			rows, err := tx.Call.Query().Where(call.TurnsAtLTE(now), store.LockFreeRows).Order(call.ByID()).Limit(turnBatch).All(ctx)
			if err != nil {
				return fmt.Errorf("find the calls that turn: %w", err)
			}
			n = len(rows)
			for _, c := range rows {
				if err := turning(tx.Call.UpdateOneID(c.ID), turnsAfter(c, now)).Exec(ctx); err != nil {
					return fmt.Errorf("plan a call's next turn: %w", err)
				}
				if err := s.tellCall(ctx, tx, v, c, event.CallChanged); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil || n < turnBatch {
			return err
		}
	}
}
