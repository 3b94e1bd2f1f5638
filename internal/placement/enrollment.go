package placement

import (
	"context"
	"fmt"

	"github.com/pursuing-equity/commons/ent"
	"github.com/pursuing-equity/commons/ent/application"
	"github.com/pursuing-equity/commons/ent/decision"
	"github.com/pursuing-equity/commons/ent/enrollment"
	"github.com/pursuing-equity/commons/internal/audit"
	"github.com/pursuing-equity/commons/internal/fault"
	"github.com/pursuing-equity/commons/internal/gid"
	"github.com/pursuing-equity/commons/internal/store"
	"github.com/pursuing-equity/commons/internal/viewer"
)

// HoldPlace locks the call and the application that an enrollment came of: for community.Service, before it changes the enrollment.
func (s *Service) HoldPlace(ctx context.Context, tx *ent.Client, applicationID gid.ID) error {
	_, err := place(ctx, tx, applicationID)
	return err
}

// place locks the call of an application, and then the application.
func place(ctx context.Context, tx *ent.Client, id gid.ID) (*held, error) {
	a, err := tx.Application.Get(ctx, id)
	if err != nil {
		return nil, fmt.Errorf("load the application: %w", err)
	}
	h := &held{}
	if h.call, err = hold(ctx, tx, a.CallID, ""); err != nil {
		return nil, err
	}
	if h.Application, err = tx.Application.Query().Where(application.ID(id), store.LockRow).Only(ctx); err != nil {
		return nil, fmt.Errorf("lock the application: %w", err)
	}
	return h, nil
}

// PlaceChanged follows the enrollment that an application led to, within the transaction that changes it: a withdrawn one gives the place to the
// next on the waitlist, and one that is resumed takes a place again, or returns CAPACITY_REACHED.
func (s *Service) PlaceChanged(ctx context.Context, tx *ent.Client, v viewer.Viewer, applicationID gid.ID, state enrollment.State) error {
	a, err := place(ctx, tx, applicationID)
	if err != nil {
		return err
	}
	now := s.Now()
	switch {
	case state == enrollment.StateWITHDRAWN && a.State == application.StateADMITTED:
		d, err := standing(ctx, tx, a.ID)
		if err != nil {
			return err
		}
		if err := tx.Decision.UpdateOne(d).SetSupersededAt(now).Exec(ctx); err != nil {
			return fmt.Errorf("give a place up: %w", err)
		}
		if err := s.pass(ctx, tx, v, now, []gid.ID{a.ID}, passage{to: application.StateWITHDRAWN, action: audit.PlaceGivenUp}); err != nil {
			return err
		}
		_, err = s.promote(ctx, tx, a.call, now)
		return err
	case state != enrollment.StateWITHDRAWN && a.State == application.StateWITHDRAWN:
		offered, admitted, err := places(ctx, tx, a.CallID)
		if err != nil {
			return err
		}
		if offered+admitted >= a.call.Capacity {
			return fault.New(fault.CapacityReached, "All %d places are offered or taken.", a.call.Capacity).At("enrollmentId")
		}
		d, err := tx.Decision.Query().Where(decision.ApplicationID(a.ID), decision.AnswerEQ(decision.AnswerCONFIRMED)).
			Order(decision.ByID()).All(ctx)
		if err != nil {
			return fmt.Errorf("load the offer that was taken: %w", err)
		}
		if len(d) == 0 {
			return fmt.Errorf("application %s was enrolled without an offer", a.ID)
		}
		if err := tx.Decision.UpdateOne(d[len(d)-1]).ClearSupersededAt().Exec(ctx); err != nil {
			return store.RetryOnConflict(err)
		}
		return s.pass(ctx, tx, v, now, []gid.ID{a.ID}, passage{to: application.StateADMITTED, action: audit.PlaceGivenBack})
	}
	return nil
}
