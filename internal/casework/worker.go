package casework

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/pursuing-equity/commons/ent"
	"github.com/pursuing-equity/commons/ent/bulkaction"
	"github.com/pursuing-equity/commons/internal/fault"
	"github.com/pursuing-equity/commons/internal/gid"
	"github.com/pursuing-equity/commons/internal/store"
	"github.com/pursuing-equity/commons/internal/viewer"
)

const (
	bulkLease = 30 * time.Second // for which a worker has a bulk action to itself; it is renewed with each application
	bulkPoll  = 5 * time.Second  // how late the work of a worker that died is found, after its lease
	told      = 20               // applications between two events
)

// bulk wakes the worker of this process.
type bulk struct{ woken chan struct{} }

func newBulk() bulk { return bulk{make(chan struct{}, 1)} }

func (b bulk) wake() {
	select {
	case b.woken <- struct{}{}:
	default: // it is about to look
	}
}

// Run does what bulk actions are to do until ctx ends: this process's share of it. Each application is done in a transaction that also counts it as
// done, so that after a kill, and with several workers at once, none is done twice and none is left out.
func (s *Service) Run(ctx context.Context) {
	ctx = store.Upkeep(viewer.NewContext(ctx, viewer.System("bulk actions")))
	again := time.NewTicker(bulkPoll)
	defer again.Stop()
	for {
		for {
			did, err := s.WorkOnce(ctx)
			if err != nil && ctx.Err() == nil {
				s.Logger.WarnContext(ctx, "bulk action not done, trying again", "error", err)
			}
			if err != nil || !did {
				break
			}
		}
		select {
		case <-ctx.Done():
			return
		case <-s.bulk.woken:
		case <-again.C:
		}
	}
}

// WorkOnce takes one bulk action that nobody works on and does all of it. It reports whether there was one.
func (s *Service) WorkOnce(ctx context.Context) (bool, error) {
	b, err := s.lease(ctx)
	if err != nil || b == nil {
		return false, err
	}
	for {
		more, err := s.step(ctx, b.ID, b.Targets)
		if err != nil || !more {
			return true, err
		}
	}
}

// lease takes a bulk action that is not over.
func (s *Service) lease(ctx context.Context) (*ent.BulkAction, error) {
	now := s.Now()
	free := bulkaction.And(bulkaction.FinishedAtIsNil(), bulkaction.Or(bulkaction.LeasedUntilIsNil(), bulkaction.LeasedUntilLT(now)))
	// A look comes first: a process with nothing to do must not ask for the write lock.
	if some, err := s.Store.Client(ctx).BulkAction.Query().Where(free).Exist(ctx); err != nil || !some {
		return nil, err
	}
	var taken *ent.BulkAction
	err := s.Store.InTx(ctx, func(ctx context.Context, tx *ent.Client) error {
		taken = nil
		rows, err := tx.BulkAction.Query().
			Where(free, store.LockFreeRows).
			Order(bulkaction.ByID()).Limit(1).All(ctx)
		if err != nil || len(rows) == 0 {
			return err
		}
		taken = rows[0]
		return tx.BulkAction.UpdateOneID(taken.ID).SetState(bulkaction.StateRUNNING).SetLeasedUntil(now.Add(bulkLease)).Exec(ctx)
	})
	if err != nil {
		return nil, fmt.Errorf("take a bulk action: %w", err)
	}
	return taken, nil
}

// errDry takes back what a dry run has done.
var errDry = errors.New("it was a dry run")

// step does the next application of a bulk action, and reports whether there is another one. What it reads and writes does not grow with how many
// there are: which ones they are does not change, and is handed in. What the application cannot take is written down
// as its outcome, in a transaction of its own: the other was rolled back.
func (s *Service) step(ctx context.Context, id gid.ID, targets []string) (more bool, err error) {
	var at int
	var refused *fault.Error
	err = s.Store.InTx(ctx, func(ctx context.Context, tx *ent.Client) error {
		b, w, err := s.held(ctx, tx, id, targets)
		if err != nil || b == nil || b.Done == len(b.Targets) {
			more = false
			if err == nil && b != nil {
				err = s.advance(ctx, tx, b, nil)
			}
			return err
		}
		at = b.Done
		if err := s.act(ctx, tx, b, w); err != nil {
			return err
		}
		if b.DryRun {
			return errDry
		}
		more = at+1 < len(b.Targets)
		return s.advance(ctx, tx, b, nil)
	})
	switch {
	case err == nil:
		return more, nil
	case errors.Is(err, errDry):
	case errors.As(err, &refused):
	case ctx.Err() != nil || fault.Is(store.Fault(err), fault.Unavailable):
		return false, err // the lease runs out, and somebody goes on here
	default:
		s.Logger.ErrorContext(ctx, "bulk action failed with an application", "bulk_action", id.String(), "error", err)
		refused = fault.New(fault.Internal, "This went wrong. The server's log says why.")
	}
	err = s.Store.InTx(ctx, func(ctx context.Context, tx *ent.Client) error {
		b, _, err := s.held(ctx, tx, id, targets)
		if err != nil || b == nil || b.Done != at { // it was cancelled, or somebody else went on
			more = false
			return err
		}
		more = at+1 < len(b.Targets)
		return s.advance(ctx, tx, b, refused)
	})
	return more, err
}

// held locks a bulk action that is being done; nil when it is over. What may be long of it is not read.
func (s *Service) held(ctx context.Context, tx *ent.Client, id gid.ID, targets []string) (*ent.BulkAction, Work, error) {
	short := slices.DeleteFunc(slices.Clone(bulkaction.Columns), func(column string) bool {
		return column == bulkaction.FieldTargets || column == bulkaction.FieldOutcomes
	})
	b, err := tx.BulkAction.Query().Where(bulkaction.ID(id), store.LockRow).Select(short...).Only(ctx)
	if err != nil {
		return nil, Work{}, fmt.Errorf("hold a bulk action: %w", err)
	}
	b.Targets = targets
	if b.FinishedAt != nil {
		return nil, Work{}, nil
	}
	w, err := workOf(b)
	return b, w, err
}

// act does the work to the next application, as the member who started it and with the rights that they have now.
func (s *Service) act(ctx context.Context, tx *ent.Client, b *ent.BulkAction, w Work) error {
	target, err := gid.Parse(b.Targets[b.Done])
	if err != nil {
		return fmt.Errorf("read a target: %w", err)
	}
	v, err := s.stillStaff(ctx, tx, b.ActorID)
	if err != nil {
		if fault.Is(err, fault.NotFound) {
			err = fault.Denied("Who started this is not staff any more.")
		}
		return err
	}
	a, there := acts()[w.Kind]
	if !there {
		return fault.New(fault.InvalidInput, "There is no such kind.")
	}
	return a.do(store.Joined(viewer.NewContext(ctx, v)), s, tx, v, b, w, target)
}

// advance counts an application as dealt with, with what was refused or nil, and finishes with the last one. The bulk action is held.
func (s *Service) advance(ctx context.Context, tx *ent.Client, b *ent.BulkAction, refused *fault.Error) error {
	now := s.Now()
	done := min(b.Done+1, len(b.Targets))
	u := tx.BulkAction.UpdateOneID(b.ID).Select(bulkaction.FieldID).SetDone(done).SetLeasedUntil(now.Add(bulkLease))
	if refused != nil {
		if err := s.fail(ctx, tx, b, refused); err != nil {
			return err
		}
		u.AddFailed(1)
	}
	if done == len(b.Targets) {
		u.SetState(bulkaction.StateDONE).SetFinishedAt(now).ClearLeasedUntil()
		if err := s.end(ctx, tx, b); err != nil {
			return err
		}
	} else if done%told != 0 {
		if err := u.Exec(ctx); err != nil {
			return fmt.Errorf("move a bulk action on: %w", err)
		}
		return nil
	}
	return s.tell(ctx, tx, b, u, b.ActorID)
}

// fail writes down what was refused of the next application.
func (s *Service) fail(ctx context.Context, tx *ent.Client, b *ent.BulkAction, refused *fault.Error) error {
	target, err := gid.Parse(b.Targets[b.Done])
	if err != nil {
		return fmt.Errorf("read a target: %w", err)
	}
	err = tx.BulkFailure.Create().SetID(s.NewID(gid.BulkFailure)).SetCreatedAt(s.Now()).SetBulkActionID(b.ID).SetNumber(b.Failed + 1).
		SetApplicationID(target).SetCode(string(refused.Code)).SetMessage(refused.Message).Exec(ctx)
	if err != nil {
		return fmt.Errorf("write a failure down: %w", err)
	}
	return nil
}
