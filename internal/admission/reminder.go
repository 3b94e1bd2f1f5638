package admission

import (
	"context"
	"fmt"
	"time"

	"github.com/pursuing-equity/commons/ent"
	"github.com/pursuing-equity/commons/ent/application"
	"github.com/pursuing-equity/commons/ent/call"
	"github.com/pursuing-equity/commons/internal/gid"
	"github.com/pursuing-equity/commons/internal/page"
	"github.com/pursuing-equity/commons/internal/store"
	"github.com/pursuing-equity/commons/internal/viewer"
)

// reminders are how long before it is due the editors of an application that was not submitted are reminded, the earliest first.
var reminders = [...]time.Duration{7 * 24 * time.Hour, 2 * 24 * time.Hour, 6 * time.Hour}

const (
	remindEvery = 30 * time.Second
	remindBatch = 100

	turnEvery = time.Second
	turnBatch = 100
)

// Due is when an application to a call is due.
func Due(c *ent.Call, a *ent.Application) time.Time {
	due, _ := dueOf(c, a)
	return due
}

// dueOf is when an application is due, and whether anything of it is still to be submitted.
func dueOf(c *ent.Call, a *ent.Application) (due time.Time, waits bool) {
	switch {
	case a.State == application.StateINFORMATION_REQUESTED && a.InformationDueAt != nil:
		return *a.InformationDueAt, true
	default:
		return later(c.DueAt, a.ExtendedUntil), a.State == application.StateDRAFT
	}
}

// reminderAfter is the first instant after another one at which to remind of something that is due; nil when there is none.
func reminderAfter(due, after time.Time) *time.Time {
	for _, before := range reminders {
		if at := due.Add(-before); at.After(after) {
			return &at
		}
	}
	return nil
}

// planned has an update say when to remind next; nil for never.
func planned(update *ent.ApplicationUpdateOne, next *time.Time) *ent.ApplicationUpdateOne {
	if next == nil {
		return update.ClearNextReminderAt()
	}
	return update.SetNextReminderAt(*next)
}

// Run reminds editors and tells of calls that the clock turns, until ctx ends. Any number of processes may.
func (s *Service) Run(ctx context.Context) {
	ctx = viewer.NewContext(ctx, viewer.System("remind editors"))
	tick, turn := time.NewTicker(remindEvery), time.NewTicker(turnEvery)
	defer tick.Stop()
	defer turn.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
			if err := s.Remind(store.Upkeep(ctx)); err != nil && ctx.Err() == nil {
				s.Logger.WarnContext(ctx, "editors not reminded yet", "error", err)
			}
		case <-turn.C:
			if err := s.Turn(store.Upkeep(ctx)); err != nil && ctx.Err() == nil {
				s.Logger.WarnContext(ctx, "followers of calls not told yet that the clock has turned them", "error", err)
			}
		}
	}
}

// Remind writes down the mail that reminds of what is due soon: once for each instant, with the mail in the transaction that moves on to the next
// one. What was missed by more than one instant is reminded of once, and what is due already not at all.
func (s *Service) Remind(ctx context.Context) error {
	ctx = viewer.NewContext(ctx, viewer.System("remind editors"))
	for {
		now := s.Now()
		waits, err := s.Store.Client(ctx).Application.Query().Where(application.NextReminderAtLTE(now)).Exist(ctx)
		if err != nil || !waits {
			return err
		}
		n := 0
		err = s.Store.InTx(ctx, func(ctx context.Context, tx *ent.Client) error {
			rows, err := tx.Application.Query().Where(application.NextReminderAtLTE(now), store.LockFreeRows).
				Order(application.ByID()).Limit(remindBatch).All(ctx)
			if err != nil {
				return fmt.Errorf("find what is to be reminded of: %w", err)
			}
			n = len(rows)
			return s.remind(ctx, tx, rows, now)
		})
		if err != nil || n < remindBatch {
			return err
		}
	}
}

func (s *Service) remind(ctx context.Context, tx *ent.Client, rows []*ent.Application, now time.Time) error {
	ids := make([]gid.ID, len(rows))
	for i, a := range rows {
		ids[i] = a.CallID
	}
	calls, err := tx.Call.Query().Where(page.AnyOf(call.FieldID, ids)).All(ctx)
	if err != nil {
		return fmt.Errorf("load the calls: %w", err)
	}
	by := make(map[gid.ID]*ent.Call, len(calls))
	for _, c := range calls {
		by[c.ID] = c
	}
	for _, a := range rows {
		due, waits := dueOf(by[a.CallID], a)
		next := reminderAfter(due, now)
		if !waits {
			next = nil
		}
		if err := planned(tx.Application.UpdateOneID(a.ID), next).Exec(ctx); err != nil {
			return fmt.Errorf("move on to the next reminder: %w", err)
		}
		this := reminderAfter(due, a.NextReminderAt.Add(-time.Microsecond)) // to come when what is due was put off
		if waits && now.Before(due) && this != nil && !this.After(now) {
			if err := s.notify(ctx, tx, a.ID, mailReminder, a.ID); err != nil {
				return err
			}
		}
	}
	return nil
}

// PutOff plans the reminders of a call's drafts anew, within the transaction that moves its due instant: one statement.
func (s *Service) PutOff(ctx context.Context, tx *ent.Client, c *ent.Call) error {
	update := tx.Application.Update().Where(application.CallID(c.ID), application.StateEQ(application.StateDRAFT),
		application.Or(application.ExtendedUntilIsNil(), application.ExtendedUntilLTE(c.DueAt)))
	if next := reminderAfter(c.DueAt, s.Now()); next != nil {
		update.SetNextReminderAt(*next)
	} else {
		update.ClearNextReminderAt()
	}
	if err := update.Exec(ctx); err != nil {
		return fmt.Errorf("plan the reminders anew: %w", err)
	}
	return nil
}
