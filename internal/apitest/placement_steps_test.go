package apitest_test

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/pursuing-equity/commons/ent"
	"github.com/pursuing-equity/commons/ent/application"
	"github.com/pursuing-equity/commons/ent/call"
	"github.com/pursuing-equity/commons/ent/decision"
	"github.com/pursuing-equity/commons/ent/enrollment"
	"github.com/pursuing-equity/commons/internal/fault"
	"github.com/pursuing-equity/commons/internal/gid"
	"github.com/pursuing-equity/commons/internal/placement"
)

func submitting(c *trial, a *applicant, _ func(int) int) (fault.Code, error) {
	_, err := c.w.App.Admission.Submit(a.owner.Context(), a.owner.Viewer, a.id, nil)
	switch {
	case a.state == application.StateWITHDRAWN:
		return fault.Forbidden, err
	case a.state != application.StateDRAFT:
		return fault.AlreadyExists, err
	case !c.now().Before(c.closes):
		return fault.CallClosed, err
	}
	a.state = application.StateSUBMITTED
	return fine, err
}

func withdrawing(c *trial, a *applicant, _ func(int) int) (fault.Code, error) {
	_, err := c.w.App.Admission.Withdraw(a.owner.Context(), a.owner.Viewer, a.id)
	switch a.state {
	case application.StateWITHDRAWN:
	case application.StateDRAFT, application.StateSUBMITTED:
		a.state = application.StateWITHDRAWN
	default:
		return fault.Forbidden, err
	}
	return fine, err
}

func preparing(c *trial, a *applicant, pick func(int) int) (fault.Code, error) {
	a = c.rather(a, pick, application.StateSUBMITTED)
	in := placement.DecisionDraft{ApplicationID: a.id, Kind: []decision.Kind{decision.KindACCEPT, decision.KindWAITLIST, decision.KindDECLINE, decision.KindWAITLIST}[pick(4)]}
	rank := pick(4)
	if rank > 0 && in.Kind == decision.KindWAITLIST {
		in.Rank = &rank
	} else {
		rank = 0
	}
	if a.prepared != nil {
		in.ExpectedVersion = a.prepared.version
	}
	stale := pick(8) == 0
	if stale {
		in.ExpectedVersion++
	}
	_, _, err := c.w.App.Placement.Prepare(c.staff.Context(), c.staff.Viewer, in)
	switch {
	case !decidableAgain(a.state):
		return fault.Forbidden, err
	case a.prepared != nil && a.prepared.kind == in.Kind && a.prepared.rank == rank:
		return fine, err
	case stale:
		return fault.StaleVersion, err
	case a.prepared == nil:
		a.prepared = &intended{in.Kind, rank, 1}
	default:
		*a.prepared = intended{in.Kind, rank, a.prepared.version + 1}
	}
	return fine, err
}

func discarding(c *trial, a *applicant, _ func(int) int) (fault.Code, error) {
	version := 1
	if a.prepared != nil {
		version = a.prepared.version
	}
	_, err := c.w.App.Placement.Discard(c.staff.Context(), c.staff.Viewer, a.id, version)
	a.prepared = nil
	return fine, err
}

func releasing(c *trial, _ *applicant, pick func(int) int) (fault.Code, error) {
	in := placement.Release{CallID: c.call, BeyondCapacity: max(0, pick(5)-3), DryRun: pick(5) == 0}
	_, _, err := c.w.App.Placement.Release(c.staff.Context(), c.staff.Viewer, in)
	by := map[decision.Kind][]*applicant{}
	for _, a := range c.applicants {
		if a.prepared != nil && decidableAgain(a.state) {
			by[a.prepared.kind] = append(by[a.prepared.kind], a)
		}
	}
	accepted := by[decision.KindACCEPT]
	if len(accepted) > max(0, c.free())+in.BeyondCapacity {
		return fault.CapacityReached, err
	}
	if in.DryRun || len(by) == 0 {
		return fine, err
	}
	for _, a := range accepted {
		c.offer(a)
	}
	for _, a := range by[decision.KindDECLINE] {
		a.again = a.state == application.StateDECLINED
		a.state = application.StateDECLINED
	}
	ranks := make(map[*applicant]int)
	for i, a := range c.waiting {
		ranks[a] = i + 1
	}
	fresh := by[decision.KindWAITLIST]
	// Of one rank, who waits longer comes first, and then the older decision.
	slices.SortFunc(fresh, func(a, b *applicant) int { return strings.Compare(c.decision(a).String(), c.decision(b).String()) })
	for _, a := range fresh {
		a.state, ranks[a] = application.StateWAITLISTED, cmp.Or(a.prepared.rank, 1_000_000)
		c.waiting = append(c.waiting, a)
	}
	slices.SortStableFunc(c.waiting, func(a, b *applicant) int { return ranks[a] - ranks[b] })
	for _, list := range by {
		for _, a := range list {
			a.prepared = nil
		}
	}
	c.promote()
	c.most = max(c.most, c.capacity, c.count(application.StateOFFERED)+c.count(application.StateADMITTED))
	return fine, err
}

// decision is the id of the newest decision by which an application waits, or waited.
func (c *trial) decision(a *applicant) gid.ID {
	ids := c.w.App.Store.Client(c.w.System()).Decision.Query().Where(decision.ApplicationID(a.id), decision.KindEQ(decision.KindWAITLIST)).Order(decision.ByID()).IDsX(c.w.System())
	return ids[len(ids)-1]
}

// rather is an applicant who stands where a step leads on, half of the time when there is one.
func (c *trial) rather(a *applicant, pick func(int) int, where application.State) *applicant {
	var there []*applicant
	for _, other := range c.applicants {
		if other.state == where {
			there = append(there, other)
		}
	}
	if len(there) == 0 || pick(2) == 0 {
		return a
	}
	return there[pick(len(there))]
}

func accepting(c *trial, a *applicant, pick func(int) int) (fault.Code, error) {
	a = c.rather(a, pick, application.StateOFFERED)
	_, err := c.w.App.Placement.Accept(a.owner.Context(), a.owner.Viewer, a.id)
	switch {
	case a.state == application.StateADMITTED:
		return fine, err
	case a.state == application.StateOFFER_EXPIRED, a.state == application.StateOFFERED && !c.now().Before(a.expires):
		return fault.OfferExpired, err
	case a.state != application.StateOFFERED:
		return fault.Forbidden, err
	case c.count(application.StateADMITTED) >= c.capacity:
		return fault.CapacityReached, err
	}
	a.state = application.StateADMITTED
	return fine, err
}

func refusing(c *trial, a *applicant, pick func(int) int) (fault.Code, error) {
	a = c.rather(a, pick, application.StateOFFERED)
	_, err := c.w.App.Placement.Decline(a.owner.Context(), a.owner.Viewer, a.id)
	switch {
	case a.state == application.StateOFFER_DECLINED:
		return fine, err
	case a.state == application.StateOFFER_EXPIRED, a.state == application.StateOFFERED && !c.now().Before(a.expires):
		return fault.OfferExpired, err
	case a.state != application.StateOFFERED:
		return fault.Forbidden, err
	}
	a.state = application.StateOFFER_DECLINED
	c.promote()
	return fine, err
}

func leaving(c *trial, a *applicant, pick func(int) int) (fault.Code, error) {
	a = c.rather(a, pick, application.StateWAITLISTED)
	_, err := c.w.App.Placement.LeaveWaitlist(a.owner.Context(), a.owner.Viewer, a.id)
	switch a.state {
	case application.StateWITHDRAWN:
	case application.StateWAITLISTED:
		a.state = application.StateWITHDRAWN
		c.unwait(a)
	default:
		return fault.Forbidden, err
	}
	return fine, err
}

func moving(c *trial, a *applicant, pick func(int) int) (fault.Code, error) {
	a = c.rather(a, pick, application.StateWAITLISTED)
	to := 1 + pick(6)
	_, err := c.w.App.Placement.MoveInWaitlist(c.staff.Context(), c.staff.Viewer, a.id, to)
	if a.state != application.StateWAITLISTED {
		return fault.Forbidden, err
	}
	c.unwait(a)
	c.waiting = slices.Insert(c.waiting, min(to-1, len(c.waiting)), a)
	return fine, err
}

func closing(c *trial, _ *applicant, pick func(int) int) (fault.Code, error) {
	if pick(4) > 0 { // it ends much
		return fine, nil
	}
	_, err := c.w.App.Placement.CloseWaitlist(c.staff.Context(), c.staff.Viewer, c.call, "It begins.")
	for _, a := range c.waiting {
		a.state = application.StateDECLINED
	}
	c.waiting = nil
	return fine, err
}

func givingUp(c *trial, a *applicant, pick func(int) int) (fault.Code, error) {
	a = c.rather(a, pick, application.StateADMITTED)
	ctx := c.w.System()
	e, err := c.w.App.Store.Client(ctx).Enrollment.Query().Where(enrollment.ApplicationID(a.id)).Only(ctx)
	if err != nil {
		if a.state != application.StateADMITTED && ent.IsNotFound(err) {
			return fine, nil
		}
		return fine, err
	}
	_, err = c.w.App.Community.WithdrawEnrollment(c.staff.Context(), c.staff.Viewer, e.ID, "No time")
	if a.state == application.StateADMITTED {
		a.state = application.StateWITHDRAWN
		c.promote()
	}
	return fine, err
}

func ending(c *trial, _ *applicant, _ func(int) int) (fault.Code, error) {
	err := errors.Join(c.w.App.Placement.ExpireDue(c.w.System()), c.w.App.Placement.FillFree(c.w.System()))
	for _, a := range c.applicants {
		if a.state == application.StateOFFERED && !c.now().Before(a.expires) {
			a.state = application.StateOFFER_EXPIRED
		}
	}
	c.promote()
	return fine, err
}

func enlarging(c *trial, _ *applicant, pick func(int) int) (fault.Code, error) {
	if pick(6) > 0 {
		return fine, nil
	}
	c.capacity++
	c.most = max(c.most, c.capacity)
	return fine, c.w.Change(func(ctx context.Context, tx *ent.Client) error {
		return tx.Call.Update().Where(call.ID(c.call)).SetCapacity(c.capacity).Exec(ctx)
	})
}

// tick is how much time passes from one step to the next. Within a step it stands still.
const tick = time.Millisecond

// waitingOn lets time pass: hours, days, or exactly until an offer lapses or a moment before.
func waitingOn(c *trial, a *applicant, pick func(int) int) (fault.Code, error) {
	left := a.expires.Sub(c.now())
	switch way := pick(6); {
	case way == 0 && left > tick: // the next step is at the very instant
		c.pass(left - tick)
	case way == 1 && left > 2*tick: // or a moment before
		c.pass(left - 2*tick)
	case way < 4:
		c.pass(time.Duration(1+pick(72)) * time.Hour)
	default:
		c.pass(time.Duration(1+pick(20)) * 24 * time.Hour)
	}
	return fine, nil
}

// begin offers the places and has the others wait, so that those steps are legal, too, that need it and that chance alone seldom leads to.
func (c *trial) begin() error {
	for i, a := range c.applicants[2:] {
		choice := 1 // to wait, at the first rank
		if i < c.capacity {
			choice = 0 // an offer
		}
		if _, err := preparing(c, a, func(n int) int { return map[int]int{4: choice, 8: 1}[n] }); err != nil {
			return err
		}
	}
	_, err := releasing(c, nil, func(int) int { return 1 })
	return err
}

func steps() map[string]step {
	return map[string]step{ // what leads on has several names: it is tried more often
		"submit": submitting, "withdraw": withdrawing, "prepare": preparing, "prepare another": preparing, "prepare a third": preparing, "discard": discarding,
		"release": releasing, "release again": releasing, "release a third": releasing, "accept": accepting, "accept another": accepting, "decline": refusing, "decline another": refusing, "leave the waitlist": leaving,
		"move in the waitlist": moving, "move another": moving, "move a third": moving, "close the waitlist": closing, "give a place up": givingUp, "end offers": ending, "enlarge": enlarging, "wait": waitingOn,
	}
}
