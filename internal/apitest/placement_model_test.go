package apitest_test

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"testing"
	"time"

	"github.com/pursuing-equity/commons/ent"
	"github.com/pursuing-equity/commons/ent/application"
	"github.com/pursuing-equity/commons/ent/auditentry"
	"github.com/pursuing-equity/commons/ent/decision"
	"github.com/pursuing-equity/commons/ent/enrollment"
	"github.com/pursuing-equity/commons/ent/event"
	"github.com/pursuing-equity/commons/ent/organization"
	"github.com/pursuing-equity/commons/ent/schema"
	"github.com/pursuing-equity/commons/internal/admission"
	"github.com/pursuing-equity/commons/internal/apitest"
	"github.com/pursuing-equity/commons/internal/app"
	"github.com/pursuing-equity/commons/internal/community"
	"github.com/pursuing-equity/commons/internal/fault"
	"github.com/pursuing-equity/commons/internal/gid"
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
		if d.ApplicationID != c.waiting[i].id || d.Rank == nil {
			say("the waitlist differs at %d: rank %v", i, d.Rank)
		}
	}
	return wrong, nil
}
