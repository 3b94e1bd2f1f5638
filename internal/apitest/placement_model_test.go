package apitest_test

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/pursuing-equity/commons/ent"
	"github.com/pursuing-equity/commons/ent/application"
	"github.com/pursuing-equity/commons/ent/auditentry"
	"github.com/pursuing-equity/commons/ent/call"
	"github.com/pursuing-equity/commons/ent/decision"
	"github.com/pursuing-equity/commons/ent/enrollment"
	"github.com/pursuing-equity/commons/ent/event"
	"github.com/pursuing-equity/commons/ent/organization"
	"github.com/pursuing-equity/commons/ent/schema"
	"github.com/pursuing-equity/commons/internal/admission"
	"github.com/pursuing-equity/commons/internal/apitest"
	"github.com/pursuing-equity/commons/internal/apitest/database"
	"github.com/pursuing-equity/commons/internal/app"
	"github.com/pursuing-equity/commons/internal/community"
	"github.com/pursuing-equity/commons/internal/fault"
	"github.com/pursuing-equity/commons/internal/gid"
	"github.com/pursuing-equity/commons/internal/placement"
)

// offices are processes that share a database and a clock, and in which nothing happens by itself.
func offices(t *testing.T, url string, n int, now func() time.Time) []*apitest.World {
	t.Helper()
	all := make([]*apitest.World, n)
	for i := range all {
		a, err := app.Open(context.Background(), app.Config{DatabaseURL: url, DataDir: t.TempDir(), Now: now, Logger: slog.New(slog.DiscardHandler)}) //nolint:usetesting // closed after the test's context has ended
		must0(t, err)
		t.Cleanup(func() { must0(t, a.Close()) })
		all[i] = &apitest.World{T: t, App: a}
	}
	return all
}

// applicant is what a model knows of an application.
type applicant struct {
	owner    *apitest.Person
	id       gid.ID
	state    application.State
	prepared *intended
	again    bool // it was declined once more by the last step
	expires  time.Time
}

// intended is a decision in preparation.
type intended struct {
	kind    decision.Kind
	rank    int // 0: none
	version int
}

// procedure is a call as it must be: a second set of the rules, in memory, as plain as can be.
type procedure struct {
	now        func() time.Time
	zone       *time.Location
	closes     time.Time
	days       int
	capacity   int
	most       int // offered and taken places that were ever allowed at once
	applicants []*applicant
	waiting    []*applicant // by rank
}

func (p *procedure) count(s application.State) int {
	n := 0
	for _, a := range p.applicants {
		if a.state == s {
			n++
		}
	}
	return n
}

func (p *procedure) free() int {
	return p.capacity - p.count(application.StateOFFERED) - p.count(application.StateADMITTED)
}

func (p *procedure) offer(a *applicant) {
	y, m, d := p.now().In(p.zone).Date()
	a.state, a.expires = application.StateOFFERED, time.Date(y, m, d+p.days, 23, 59, 0, 0, p.zone)
}

func (p *procedure) promote() {
	for p.free() > 0 && len(p.waiting) > 0 {
		p.offer(p.waiting[0])
		p.waiting = p.waiting[1:]
	}
}

func (p *procedure) unwait(a *applicant) {
	p.waiting = slices.DeleteFunc(p.waiting, func(w *applicant) bool { return w == a })
}

func decidableAgain(s application.State) bool {
	return slices.Contains([]application.State{
		application.StateSUBMITTED, application.StateDECLINED, application.StateOFFER_DECLINED, application.StateOFFER_EXPIRED,
	}, s)
}

// step is one thing that somebody tries. It returns what must come of it, by the model, after having changed the model, and what comes of it.
type step func(c *trial, a *applicant, pick func(n int) int) (want fault.Code, err error)

// trial is a call that is driven, with its model.
type trial struct {
	*procedure
	w               *apitest.World
	staff           *apitest.Person
	call            gid.ID
	pass            func(time.Duration)
	state           map[gid.ID]application.State // as it was in the database before the step
	events, entries map[gid.ID]int
}

// fine is that nothing is refused.
const fine fault.Code = ""

// newTrial makes a call in a zone that changes its clocks, and drafts.
func newTrial(w *apitest.World, now func() time.Time, pass func(time.Duration), zone string, capacity, people int) (*trial, error) {
	location, err := time.LoadLocation(zone)
	if err != nil {
		return nil, err
	}
	c := &trial{
		procedure: &procedure{now: now, zone: location, days: 14, capacity: capacity, most: capacity}, w: w, pass: pass,
		staff: w.Role(w.Member("staff"), "STAFF"), state: map[gid.ID]application.State{}, events: map[gid.ID]int{}, entries: map[gid.ID]int{},
	}
	var offering gid.ID
	name := w.NewID(gid.Program).String()
	w.Tx(func(ctx context.Context, tx *ent.Client) error {
		program := w.NewID(gid.Program)
		offering = w.NewID(gid.Offering)
		if err := tx.Program.Create().SetID(program).SetCreatedAt(now()).SetSlug(name).SetName("Program").SetStartsOn(now()).SetEndsOn(now()).Exec(ctx); err != nil {
			return err
		}
		return tx.Offering.Create().SetID(offering).SetCreatedAt(now()).SetProgramID(program).SetSlug(name).SetName("Offering").
			SetSupports(nil).SetFeeAmount(1).SetFeeCurrency("USD").SetTeamCapacity(10).Exec(ctx)
	})
	cohort, err := w.App.Community.CreateCohort(c.staff.Context(), c.staff.Viewer, community.NewCohort{OfferingID: offering, Name: "C", StartsOn: now(), EndsOn: now()})
	if err != nil {
		return nil, err
	}
	c.closes = now().Add(60 * 24 * time.Hour)
	w.Tx(func(ctx context.Context, tx *ent.Client) error {
		if c.call, err = callOf(ctx, tx, w, offering, schema.Requirement{Key: "form", Kind: "FORM", Label: "Form"}); err != nil {
			return err
		}
		return tx.Call.UpdateOneID(c.call).SetTimeZone(zone).SetCohortID(cohort.ID).SetCapacity(capacity).SetDueAt(c.closes).SetClosesAt(c.closes).Exec(ctx)
	})
	for i := range people {
		owner := w.Member("p")
		name := fmt.Sprintf("Clinic %s %d", owner.Handle, i)
		a, err := w.App.Admission.Start(owner.Context(), owner.Viewer, admission.NewApplication{CallID: c.call, OrganizationName: &name, OrganizationKind: new(organization.KindCLINIC), TeamName: "Team"})
		if err != nil {
			return nil, err
		}
		for key, value := range map[string]string{"why": "Equity", "agree": "yes"} {
			if _, _, err := w.App.Admission.SaveAnswer(owner.Context(), owner.Viewer, admission.AnswerPatch{ApplicationID: a.ID, Key: key, Value: value}); err != nil {
				return nil, err
			}
		}
		c.applicants = append(c.applicants, &applicant{owner: owner, id: a.ID, state: application.StateDRAFT})
		if i > 1 { // so that more of the steps are legal
			if _, err := submitting(c, c.applicants[i], nil); err != nil {
				return nil, err
			}
		}
	}
	_, err = c.look()
	return c, err
}

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

func steps() map[string]step {
	return map[string]step{ // what leads on has several names: it is tried more often
		"submit": submitting, "withdraw": withdrawing, "prepare": preparing, "prepare another": preparing, "prepare a third": preparing, "discard": discarding,
		"release": releasing, "release again": releasing, "release a third": releasing, "accept": accepting, "accept another": accepting, "decline": refusing, "decline another": refusing, "leave the waitlist": leaving,
		"move in the waitlist": moving, "move another": moving, "close the waitlist": closing, "give a place up": givingUp, "end offers": ending, "enlarge": enlarging, "wait": waitingOn,
	}
}

// look compares the database with the model, and with itself before the step: whatever stands elsewhere now has an event and an entry in the audit log, and what does not
// has no event.
func (c *trial) look() ([]string, error) {
	ctx := c.w.System()
	db := c.w.App.Store.Client(ctx)
	var wrong []string
	say := func(format string, args ...any) { wrong = append(wrong, fmt.Sprintf(format, args...)) }
	rows, err := db.Application.Query().Where(application.CallID(c.call)).All(ctx)
	if err != nil {
		return nil, err
	}
	by := make(map[gid.ID]*ent.Application)
	for _, r := range rows {
		by[r.ID] = r
	}
	taken, admitted := 0, 0
	for i, a := range c.applicants {
		row := by[a.id]
		if row.State != a.state {
			say("%d is %s and must be %s", i, row.State, a.state)
		}
		switch row.State {
		case application.StateADMITTED:
			admitted++
			taken++
		case application.StateOFFERED:
			taken++
		}
		events, err := db.Event.Query().Where(event.StreamID(a.id)).Count(ctx)
		if err != nil {
			return nil, err
		}
		entries, err := db.AuditEntry.Query().Where(auditentry.SubjectID(a.id), auditentry.ActionNotIn("DECISION_PREPARED", "DECISION_DISCARDED", "WAITLIST_MOVED")).Count(ctx)
		if err != nil {
			return nil, err
		}
		before, known := c.state[a.id]
		if moved := known && (before != row.State || a.again); moved && (events == c.events[a.id] || entries == c.entries[a.id]) {
			say("%d went from %s to %s with %d events and %d entries of the audit log", i, before, row.State, events-c.events[a.id], entries-c.entries[a.id])
		} else if known && !moved && (events != c.events[a.id] || entries != c.entries[a.id]) {
			say("%d stayed %s with %d events and %d entries of the audit log", i, before, events-c.events[a.id], entries-c.entries[a.id])
		}
		if events != row.EventSeq {
			say("%d has %d events and the number %d", i, events, row.EventSeq)
		}
		a.again = false
		c.state[a.id], c.events[a.id], c.entries[a.id] = row.State, events, entries
		active, err := db.Enrollment.Query().Where(enrollment.ApplicationID(a.id), enrollment.StateEQ(enrollment.StateENROLLED)).Count(ctx)
		if err != nil {
			return nil, err
		}
		if (active == 1) != (row.State == application.StateADMITTED) {
			say("%d is %s with %d enrollments", i, row.State, active)
		}
		prepared, err := db.Decision.Query().Where(decision.ApplicationID(a.id), decision.ReleasedAtIsNil(), decision.SupersededAtIsNil()).Count(ctx)
		if err != nil {
			return nil, err
		}
		if (prepared == 1) != (a.prepared != nil) {
			say("%d has %d decisions in preparation", i, prepared)
		}
	}
	if admitted > c.capacity || taken > c.most {
		say("of %d places %d are taken, and %d with offers, of at most %d", c.capacity, admitted, taken, c.most)
	}
	list, err := db.Decision.Query().Where(decision.CallID(c.call), decision.KindEQ(decision.KindWAITLIST), decision.ReleasedAtNotNil(), decision.SupersededAtIsNil(),
		decision.HasApplicationWith(application.StateEQ(application.StateWAITLISTED))).Order(decision.ByRank()).All(ctx)
	if err != nil {
		return nil, err
	}
	if len(list) != len(c.waiting) {
		say("%d wait, and %d must", len(list), len(c.waiting))
		return wrong, nil
	}
	for i, d := range list {
		if d.ApplicationID != c.waiting[i].id || d.Rank == nil || *d.Rank != i+1 {
			say("the waitlist differs at %d: rank %v", i, d.Rank)
		}
	}
	return wrong, nil
}

// TestPlacesStepByStep drives calls, applications and decisions through what is legal and what is not, over changes of clocks, and compares them
// with a model after every step: what fails is shrunk.
func TestPlacesStepByStep(t *testing.T) {
	checks := "40"
	if raceFactor > 1 {
		checks = "3"
	}
	must0(t, flag.Set("rapid.checks", checks))
	must0(t, flag.Set("rapid.steps", "50"))
	must0(t, flag.Set("rapid.nofailfile", "true"))
	database.Each(t, func(t *testing.T, url string) {
		var ahead atomic.Int64
		start := time.Now().UTC().Truncate(time.Millisecond)
		now := func() time.Time { return start.Add(time.Duration(ahead.Load())) }
		w := offices(t, url, 1, now)[0]
		w.Space("NETWORK", "Network", w.Member("host"))
		accepted := map[string]int{}
		began := time.Now()
		rapid.Check(t, func(rt *rapid.T) {
			zone := rapid.SampledFrom([]string{"America/New_York", "Europe/London", "Australia/Lord_Howe", "America/Santiago"}).Draw(rt, "zone")
			c, err := newTrial(w, now, func(d time.Duration) { ahead.Add(int64(d)) }, zone, rapid.SampledFrom([]int{0, 1, 1, 2}).Draw(rt, "capacity"), 5)
			if err != nil {
				rt.Fatal(err)
			}
			actions := map[string]func(*rapid.T){"": func(rt *rapid.T) {
				if found, err := c.look(); err != nil || len(found) > 0 {
					rt.Fatalf("%v %q", err, found)
				}
			}}
			for name, do := range steps() {
				actions[name] = func(rt *rapid.T) {
					c.pass(tick)
					a := c.applicants[rapid.IntRange(0, len(c.applicants)-1).Draw(rt, "who")]
					want, err := do(c, a, func(n int) int { return rapid.IntRange(0, n-1).Draw(rt, "choice") })
					var got fault.Code
					if faults := fault.All(err); len(faults) > 0 {
						got = faults[0].Code
					} else if err != nil {
						rt.Fatal(err)
					}
					if got != want {
						rt.Fatalf("answered %q, and must be %q: %v", got, want, err)
					}
					if got == fine {
						accepted[name]++
					}
				}
			}
			rt.Repeat(actions)
		})
		t.Logf("%v; accepted were %v", time.Since(began), accepted)
		for _, names := range [][]string{
			{"submit"}, {"withdraw"}, {"prepare", "prepare another", "prepare a third"}, {"release", "release again", "release a third"},
			{"accept", "accept another"}, {"decline", "decline another"}, {"leave the waitlist"}, {"move in the waitlist", "move another"}, {"give a place up"},
		} {
			if !slices.ContainsFunc(names, func(name string) bool { return accepted[name] > 0 }) {
				t.Errorf("nobody could ever %s", names[0])
			}
		}
	})
}

// TestTheLastPlacesInParallel has many want few places at once, in two processes where there can be two, while offers end, are turned down and given up.
func TestTheLastPlacesInParallel(t *testing.T) {
	database.Each(t, func(t *testing.T, url string) {
		var ahead atomic.Int64
		now := func() time.Time {
			return time.Now().UTC().Truncate(time.Microsecond).Add(time.Duration(ahead.Load()))
		}
		many := 2
		if strings.HasPrefix(url, "sqlite:") {
			many = 1
		}
		worlds := offices(t, url, many, now)
		w := worlds[0]
		w.Space("NETWORK", "Network", w.Member("host"))
		for round := range 6 {
			capacity := 1 + round%3
			c, err := newTrial(w, now, nil, "America/New_York", capacity, 10)
			must0(t, err)
			for i, a := range c.applicants {
				if a.state == application.StateDRAFT {
					_, err := submitting(c, a, nil)
					must0(t, err)
				}
				kind := decision.KindACCEPT
				if i >= 6 {
					kind = decision.KindWAITLIST
				}
				_, _, err := w.App.Placement.Prepare(c.staff.Context(), c.staff.Viewer, placement.DecisionDraft{ApplicationID: a.id, Kind: kind})
				must0(t, err)
			}
			_, _, err = w.App.Placement.Release(c.staff.Context(), c.staff.Viewer, placement.Release{CallID: c.call, BeyondCapacity: 6})
			must0(t, err)
			var won, refused atomic.Int64
			var all sync.WaitGroup
			for i, a := range c.applicants[:6] {
				for j := range 2 { // each twice, by both processes
					s := worlds[(i+j)%many].App.Placement
					all.Go(func() {
						_, err := s.Accept(a.owner.Context(), a.owner.Viewer, a.id)
						switch {
						case err == nil:
							won.Add(1)
						case fault.Is(err, fault.CapacityReached):
							refused.Add(1)
						default:
							t.Error(err)
						}
					})
				}
			}
			all.Go(func() { must0(t, worlds[many-1].App.Placement.FillFree(w.System())) })
			all.Wait()
			ctx := w.System()
			count := func(s application.State) int {
				return w.App.Store.Client(ctx).Application.Query().Where(application.CallID(c.call), application.StateEQ(s)).CountX(ctx)
			}
			if count(application.StateADMITTED) != capacity || int(won.Load()) != 2*capacity || int(refused.Load()) != 12-2*capacity {
				t.Errorf("%d places: %d are admitted, %d answers said so, %d said no", capacity, count(application.StateADMITTED), won.Load(), refused.Load())
			}
			// All others turn theirs down, while the winners give theirs up: those who wait get the places, and no more than there are.
			for i, a := range c.applicants[:6] {
				s := worlds[i%many].App
				all.Go(func() {
					if _, err := s.Placement.Decline(a.owner.Context(), a.owner.Viewer, a.id); err != nil && !fault.Is(err, fault.Forbidden) {
						t.Error(err)
					}
					e, err := s.Store.Client(ctx).Enrollment.Query().Where(enrollment.ApplicationID(a.id)).Only(ctx)
					if err == nil {
						_, err = s.Community.WithdrawEnrollment(c.staff.Context(), c.staff.Viewer, e.ID, "")
					}
					if err != nil && !ent.IsNotFound(err) {
						t.Error(err)
					}
				})
			}
			all.Wait()
			if offered, waiting := count(application.StateOFFERED), count(application.StateWAITLISTED); offered != capacity || waiting != 4-capacity || count(application.StateADMITTED) != 0 {
				t.Errorf("%d places: %d are offered and %d wait", capacity, offered, waiting)
			}
		}
	})
}
