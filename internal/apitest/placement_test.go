package apitest_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pursuing-equity/commons/ent"
	"github.com/pursuing-equity/commons/ent/accesstoken"
	"github.com/pursuing-equity/commons/ent/application"
	"github.com/pursuing-equity/commons/ent/auditentry"
	"github.com/pursuing-equity/commons/ent/call"
	"github.com/pursuing-equity/commons/ent/decision"
	"github.com/pursuing-equity/commons/ent/event"
	"github.com/pursuing-equity/commons/ent/mail"
	"github.com/pursuing-equity/commons/ent/schema"
	"github.com/pursuing-equity/commons/ent/space"
	"github.com/pursuing-equity/commons/internal/apitest"
	"github.com/pursuing-equity/commons/internal/apitest/database"
	"github.com/pursuing-equity/commons/internal/gid"
)

const (
	prepareDecision = `mutation($input: PrepareDecisionInput!) { prepareDecision(input: $input) { decision { id version kind } errors { code message path } } }`
	discardDecision = `mutation($input: DiscardDecisionInput!) { discardDecision(input: $input) { application { preparedDecision { id } decision { kind } } errors { code message path } } }`
	release         = `mutation($input: ReleaseDecisionsInput!) { releaseDecisions(input: $input) { released { offered waitlisted declined promoted heldBack joining } call { places { free offered admitted waiting prepared } } errors { code message path } } }`
	acceptOffer     = `mutation($input: AcceptOfferInput!) { acceptOffer(input: $input) { application { state enrollment { id state team { id name space { id } organization { name } } fee { amount { amount currency } due { amount } sponsorship { sponsorName } } } } errors { code message path } } }`
	declineOffer    = `mutation($input: DeclineOfferInput!) { declineOffer(input: $input) { application { state } errors { code message path } } }`
	moveInWaitlist  = `mutation($input: MoveInWaitlistInput!) { moveInWaitlist(input: $input) { application { id } errors { code message path } } }`
	leaveWaitlist   = `mutation($input: LeaveWaitlistInput!) { leaveWaitlist(input: $input) { application { state } errors { code message path } } }`
	closeWaitlist   = `mutation($input: CloseWaitlistInput!) { closeWaitlist(input: $input) { call { places { waiting } } errors { code message path } } }`
	giveUp          = `mutation($input: WithdrawEnrollmentInput!) { withdrawEnrollment(input: $input) { enrollment { state } errors { code message path } } }`
	recordFee       = `mutation($input: RecordFeeInput!) { recordFee(input: $input) { enrollment { fee { amount { amount currency } waived { amount } due { amount } note version recordedBy { name } } } errors { code message path } } }`
	standing        = `query($id: ID!) { node(id: $id) { ... on Application { state updatedAt decision { kind reason note rank expiresAt answer } preparedDecision { id } } } }`
	waitlist        = `query($id: ID!) { node(id: $id) { ... on Call { places { free } waitlist(first: 10) { edges { node { rank application { id } } } } } } }`
)

// admissions is a call with a cohort whose sponsor pays the fee, and applications that were submitted.
type admissions struct {
	*apitest.World
	staff                           *apitest.Person
	host                            *apitest.Person
	network, offering, cohort, call gid.ID
	people                          []*apitest.Person
	ids                             []gid.ID
}

// newAdmissions makes a call with so many places and an application of each of so many people.
func newAdmissions(w *apitest.World, capacity, people int) *admissions {
	a := &admissions{World: w, staff: w.Role(w.Member("staff"), "STAFF"), host: w.Member("host")}
	a.network = w.Space(space.KindNETWORK, "Network", a.host)
	w.Tx(func(ctx context.Context, tx *ent.Client) (err error) {
		if a.offering, err = offeringOf(ctx, tx, w); err != nil {
			return err
		}
		if err := tx.Offering.UpdateOneID(a.offering).SetFeeAmount(3_000_000).SetSupports([]schema.Support{{Kind: "COACHING", Label: "Coaching"}}).Exec(ctx); err != nil {
			return err
		}
		return tx.Sponsorship.Create().SetID(w.NewID(gid.Sponsorship)).SetCreatedAt(w.App.Config.Now()).SetOfferingID(a.offering).SetSponsorName("Foundation").
			SetWaivedAmount(3_000_000).SetCurrency("USD").SetAcknowledgement("Thank you").Exec(ctx)
	})
	a.cohort = a.newCohort("2023")
	a.call = a.newCall(capacity)
	for i := range people {
		p := w.Member(fmt.Sprintf("p%d", i))
		a.people, a.ids = append(a.people, p), append(a.ids, a.apply(p))
	}
	return a
}

func (a *admissions) newCohort(name string) gid.ID {
	a.T.Helper()
	r := a.staff.Must(`mutation($input: CreateCohortInput!) { createCohort(input: $input) { cohort { id } errors { code message } } }`,
		input(vars{"offeringId": a.offering, "name": name, "startsOn": "2023-01-01", "endsOn": "2024-06-30"}))
	return must(a.T, r.String("createCohort.cohort.id"))
}

func (a *admissions) newCall(capacity int) (id gid.ID) {
	a.Tx(func(ctx context.Context, tx *ent.Client) (err error) {
		if id, err = callOf(ctx, tx, a.World, a.offering); err != nil {
			return err
		}
		return tx.Call.UpdateOneID(id).SetTitle("Learning Network").SetCapacity(capacity).SetCohortID(a.cohort).Exec(ctx)
	})
	return id
}

// apply makes an application that was submitted.
func (a *admissions) apply(p *apitest.Person) (id gid.ID) {
	a.Tx(func(ctx context.Context, tx *ent.Client) (err error) {
		if id, err = applicationOf(ctx, tx, a.World, a.call, p); err != nil {
			return err
		}
		return tx.Application.UpdateOneID(id).SetOrganizationName("Clinic of " + p.Handle).SetTeamName("Team").SetState(application.StateSUBMITTED).
			SetSubmissions(1).SetSubmittedAt(a.App.Config.Now()).Exec(ctx)
	})
	return id
}

// prepare prepares decisions about the first applications, in their order; WAITLIST with the ranks 1, 2 and so on.
func (a *admissions) prepare(kinds ...string) {
	a.T.Helper()
	rank := 0
	for i, kind := range kinds {
		in := vars{"applicationId": a.ids[i], "kind": kind, "reason": "Because of " + kind, "note": "Between us", "expectedVersion": 0}
		if kind == "WAITLIST" {
			rank++
			in["rank"] = rank
		}
		a.staff.Must(prepareDecision, input(in))
	}
}

func (a *admissions) state(i int) string {
	a.T.Helper()
	return a.people[i].Must(standing, vars{"id": a.ids[i]}).String("node.state")
}

// waiting are the indexes of those who wait, by rank.
func (a *admissions) waiting() string {
	a.T.Helper()
	r := a.staff.Must(waitlist, vars{"id": a.call})
	var out []string
	for n := range r.Len("node.waitlist.edges") {
		at := fmt.Sprintf("node.waitlist.edges.%d.node.", n)
		if r.Int(at+"rank") != n+1 {
			a.T.Errorf("rank %d at %d", r.Int(at+"rank"), n)
		}
		for i, id := range a.ids {
			if id.String() == r.String(at+"application.id") {
				out = append(out, fmt.Sprint(i))
			}
		}
	}
	return strings.Join(out, " ")
}

// mails are how many mails tell of an application's state.
func (a *admissions) mails(i int, state string) int {
	n := 0
	for _, m := range a.App.Store.Client(a.System()).Mail.Query().Where(mail.Template("decision")).AllX(a.System()) {
		if m.Data["application"] == a.ids[i].String() && m.Data["state"] == state {
			n++
		}
	}
	return n
}

func TestDecisionsAreReleasedTogether(t *testing.T) {
	apitest.Each(t, func(w *apitest.World) {
		a := newAdmissions(w, 1, 4)
		ctx := w.System()
		before := a.people[0].Must(standing, vars{"id": a.ids[0]}).Body
		a.prepare("ACCEPT", "ACCEPT", "WAITLIST", "DECLINE")
		w.T.Run("until then nobody but staff learns of them", func(t *testing.T) {
			if after := a.people[0].Must(standing, vars{"id": a.ids[0]}).Body; after != before {
				t.Errorf("%s\n%s", before, after)
			}
			if n := w.App.Store.Client(ctx).Event.Query().CountX(ctx) + w.App.Store.Client(ctx).Mail.Query().CountX(ctx); n != 0 {
				t.Errorf("%d events and mails", n)
			}
			if r := a.people[0].Do(prepareDecision, input(vars{"applicationId": a.ids[0], "kind": "ACCEPT", "expectedVersion": 1})); r.Code() != "FORBIDDEN" {
				t.Error(r)
			}
			if r := a.people[0].Do(prepareDecision, input(vars{"applicationId": a.ids[1], "kind": "ACCEPT", "expectedVersion": 1})); r.Code() != "NOT_FOUND" {
				t.Error(r)
			}
		})
		w.T.Run("they change, and nobody overwrites another's", func(t *testing.T) {
			again := vars{"applicationId": a.ids[3], "kind": "DECLINE", "reason": "Because of DECLINE", "note": "Between us", "expectedVersion": 0}
			if r := a.staff.Must(prepareDecision, input(again)); r.Int("prepareDecision.decision.version") != 1 {
				t.Error(r)
			}
			again["kind"] = "ACCEPT"
			if r := a.staff.Do(prepareDecision, input(again)); r.Code() != "STALE_VERSION" || r.String("prepareDecision.decision.kind") != "DECLINE" {
				t.Error(r)
			}
			if r := a.staff.Do(prepareDecision, input(vars{"applicationId": a.ids[3], "kind": "DECLINE", "rank": 1, "expectedVersion": 1})); r.Code() != "INVALID_INPUT" {
				t.Error(r)
			}
			if r := a.staff.Must(discardDecision, input(vars{"applicationId": a.ids[3], "expectedVersion": 1})); r.At("discardDecision.application.preparedDecision") != nil {
				t.Error(r)
			}
			a.staff.Must(prepareDecision, input(vars{"applicationId": a.ids[3], "kind": "DECLINE", "reason": "Because of DECLINE", "expectedVersion": 0}))
		})
		w.T.Run("without a cohort, or with too few places, it is refused and changes nothing", func(t *testing.T) {
			w.Tx(func(ctx context.Context, tx *ent.Client) error {
				return tx.Call.UpdateOneID(a.call).ClearCohortID().Exec(ctx)
			})
			if r := a.staff.Do(release, input(vars{"callId": a.call})); r.Code() != "COHORT_REQUIRED" {
				t.Error(r)
			}
			w.Tx(func(ctx context.Context, tx *ent.Client) error {
				return tx.Call.UpdateOneID(a.call).SetCohortID(a.cohort).Exec(ctx)
			})
			if r := a.staff.Do(release, input(vars{"callId": a.call})); r.Code() != "CAPACITY_REACHED" {
				t.Error(r)
			}
			if r := a.staff.Must(release, input(vars{"callId": a.call, "dryRun": true, "beyondCapacity": 1})); r.Int("releaseDecisions.released.offered") != 2 || r.Int("releaseDecisions.call.places.prepared") != 4 {
				t.Error(r)
			}
			if a.state(0) != "SUBMITTED" {
				t.Error(a.state(0))
			}
		})
		w.T.Run("then all see them at once, and each is told once", func(t *testing.T) {
			a.staff.Must(release, input(vars{"callId": a.call, "beyondCapacity": 1}))
			a.staff.Must(release, input(vars{"callId": a.call, "beyondCapacity": 1}))
			for i, want := range []string{"OFFERED", "OFFERED", "WAITLISTED", "DECLINED"} {
				r := a.people[i].Must(standing, vars{"id": a.ids[i]})
				if r.String("node.state") != want || a.mails(i, want) != 1 || r.At("node.decision.note") != nil || r.At("node.decision.rank") != nil {
					t.Errorf("%s: %s, %d mails", want, r.Body, a.mails(i, want))
				}
				entries := w.App.Store.Client(ctx).AuditEntry.Query().Where(auditentry.SubjectID(a.ids[i]), auditentry.ActionNEQ("DECISION_PREPARED"), auditentry.ActionNEQ("DECISION_DISCARDED")).CountX(ctx)
				changed := w.App.Store.Client(ctx).Event.Query().Where(event.Kind("APPLICATION_CHANGED")).CountX(ctx)
				if told := w.App.Store.Client(ctx).Event.Query().CountX(ctx) - changed; entries != 1 || changed != 4 || told != 4 {
					t.Errorf("%d entries, %d changed, %d told", entries, changed, told)
				}
			}
			released := w.App.Store.Client(ctx).Decision.Query().Where(decision.ReleasedAtNotNil()).AllX(ctx)
			for _, d := range released {
				if !d.ReleasedAt.Equal(*released[0].ReleasedAt) {
					t.Error("they were released at several instants")
				}
			}
			zone, err := time.LoadLocation("America/New_York")
			must0(t, err)
			y, m, d := released[0].ReleasedAt.In(zone).Date()
			got := a.people[0].Must(standing, vars{"id": a.ids[0]}).String("node.decision.expiresAt")
			if want := time.Date(y, m, d+14, 23, 59, 0, 0, zone); got != want.UTC().Format(time.RFC3339) {
				t.Errorf("%s, not %v", got, want)
			}
		})
		w.T.Run("a letter says where it stands to who edits it, and to nobody else", func(t *testing.T) {
			data := map[string]string{"application": a.ids[0].String(), "state": "OFFERED"}
			letter, err := w.App.Placement.Letter(ctx, a.people[0].Handle+"@example.org", data)
			must0(t, err)
			if letter == nil || !strings.Contains(fmt.Sprint(letter.Parts), "23:59 (America/New_York)") || !strings.Contains(fmt.Sprint(letter.Parts), "Because of ACCEPT") {
				t.Errorf("%v", letter)
			}
			if other, err := w.App.Placement.Letter(ctx, a.people[1].Handle+"@example.org", data); err != nil || other != nil {
				t.Error(other, err)
			}
			data["state"] = "WAITLISTED"
			if gone, err := w.App.Placement.Letter(ctx, a.people[0].Handle+"@example.org", data); err != nil || gone != nil {
				t.Error(gone, err)
			}
		})
		w.T.Run("who was declined can be decided again, and until its release the old decision is what they see", func(t *testing.T) {
			a.staff.Must(prepareDecision, input(vars{"applicationId": a.ids[3], "kind": "WAITLIST", "expectedVersion": 0}))
			if r := a.people[3].Must(standing, vars{"id": a.ids[3]}); r.String("node.decision.kind") != "DECLINE" || r.At("node.preparedDecision") != nil {
				t.Error(r)
			}
			a.staff.Must(release, input(vars{"callId": a.call}))
			if got := a.waiting(); got != "2 3" || a.state(3) != "WAITLISTED" {
				t.Error(got)
			}
			a.staff.Must(moveInWaitlist, input(vars{"applicationId": a.ids[3], "rank": 1}))
			if got := a.waiting(); got != "3 2" {
				t.Error(got)
			}
			if r := a.people[2].Must(leaveWaitlist, input(vars{"applicationId": a.ids[2]})); r.String("leaveWaitlist.application.state") != "WITHDRAWN" {
				t.Error(r)
			}
			if r := a.staff.Must(closeWaitlist, input(vars{"callId": a.call, "reason": "It begins."})); r.Int("closeWaitlist.call.places.waiting") != 0 {
				t.Error(r)
			}
			if r := a.people[3].Must(standing, vars{"id": a.ids[3]}); r.String("node.decision.reason") != "It begins." || r.String("node.state") != "DECLINED" {
				t.Error(r)
			}
		})
	})
}

// The journey of the last place: contested by two at once, given up, offered to the next who waits, not taken in time, offered again.
func TestTheLastPlace(t *testing.T) {
	t.Parallel()
	database.Each(t, func(t *testing.T, url string) {
		var ahead atomic.Int64
		clock := apitest.Clock(func() time.Time {
			return time.Now().UTC().Truncate(time.Microsecond).Add(time.Duration(ahead.Load()))
		})
		w := apitest.Serve(t, url, clock)
		other := w // a file of SQLite has one server
		if !strings.HasPrefix(url, "sqlite:") {
			other = apitest.Serve(t, url, clock)
		}
		a := newAdmissions(w, 1, 4)
		opened := w.Space(space.KindWORKGROUP, "Coaching", a.host)
		a.staff.Must(grantEntitlement, input(vars{"offeringId": a.offering, "support": "COACHING", "spaceId": opened}))
		a.prepare("ACCEPT", "ACCEPT", "WAITLIST", "WAITLIST")
		a.staff.Must(release, input(vars{"callId": a.call, "beyondCapacity": 1}))
		thread := w.Thread(a.host, opened, "T", "B")
		look := func(i int) string {
			return a.people[i].Do(`query($id: ID!) { node(id: $id) { ... on Thread { title } } }`, vars{"id": thread}).Code()
		}

		var replies [2]*apitest.Response
		var both sync.WaitGroup
		for i, on := range []*apitest.World{w, other} {
			client := on.As(on.Token(a.people[i], accesstoken.ScopeWRITE))
			both.Go(func() { replies[i] = client.Do(acceptOffer, input(vars{"applicationId": a.ids[i]})) })
		}
		both.Wait()
		winner, loser := 0, 1
		if replies[0].Code() != "" {
			winner, loser = 1, 0
		}
		if replies[winner].Code() != "" || replies[loser].Code() != "CAPACITY_REACHED" || a.state(winner) != "ADMITTED" || a.state(loser) != "OFFERED" {
			t.Fatalf("%v\n%v", replies[0], replies[1])
		}
		enrolled := a.people[winner].Must(acceptOffer, input(vars{"applicationId": a.ids[winner]})) // sent twice
		e := "acceptOffer.application.enrollment."
		if enrolled.String(e+"team.organization.name") != "Clinic of "+a.people[winner].Handle || enrolled.Int(e+"fee.amount.amount") != 3_000_000 ||
			enrolled.Int(e+"fee.due.amount") != 0 || enrolled.String(e+"fee.sponsorship.sponsorName") != "Foundation" || enrolled.At(e+"team.space.id") == nil {
			t.Error(enrolled)
		}
		if n := w.App.Store.Client(w.System()).Enrollment.Query().CountX(w.System()); n != 1 || a.mails(winner, "ADMITTED") != 1 {
			t.Errorf("%d enrollments", n)
		}
		if look(winner) != "" || look(loser) != "NOT_FOUND" {
			t.Errorf("what the support opens: %q for who was admitted, %q for who was not", look(winner), look(loser))
		}

		live := a.people[winner].Subscribe(`subscription($id: ID!) { threadEvents(threadId: $id) { cursor } }`, vars{"id": thread})
		w.Eventually("it is open", func() bool { n, _ := w.App.Events.Subscriptions(); return n == 1 })
		a.people[winner].Must(giveUp, input(vars{"enrollmentId": enrolled.String(e + "id"), "reason": "No time"}))
		w.Quiet() // the subscription has ended
		live.Close()
		if look(winner) != "NOT_FOUND" || a.state(winner) != "WITHDRAWN" {
			t.Errorf("%q, %s", look(winner), a.state(winner))
		}
		if a.state(2) != "WAITLISTED" { // the other offer stands
			t.Errorf("one place, two offers: %s", a.state(2))
		}
		if r := a.people[loser].Must(declineOffer, input(vars{"applicationId": a.ids[loser]})); r.String("declineOffer.application.state") != "OFFER_DECLINED" {
			t.Error(r)
		}
		a.people[loser].Must(declineOffer, input(vars{"applicationId": a.ids[loser]}))
		if a.state(2) != "OFFERED" || a.waiting() != "3" || a.mails(2, "OFFERED") != 1 {
			t.Errorf("%s, %s wait, %d mails", a.state(2), a.waiting(), a.mails(2, "OFFERED"))
		}

		d := w.App.Store.Client(w.System()).Decision.Query().Where(decision.ApplicationID(a.ids[2]), decision.SupersededAtIsNil()).OnlyX(w.System())
		ahead.Add(int64(d.ExpiresAt.Sub(w.App.Config.Now())))
		for _, p := range append(a.people, a.staff) {
			p.Client = w.As(w.Token(p, accesstoken.ScopeWRITE))
		}
		if r := a.people[2].Do(acceptOffer, input(vars{"applicationId": a.ids[2]})); r.Code() != "OFFER_EXPIRED" {
			t.Error(r)
		}
		both.Go(func() { must0(t, w.App.Placement.ExpireDue(w.System())) })
		both.Go(func() { must0(t, other.App.Placement.ExpireDue(other.System())) })
		both.Wait()
		if a.state(2) != "OFFER_EXPIRED" || a.state(3) != "OFFERED" || a.waiting() != "" || a.mails(3, "OFFERED") != 1 || a.mails(2, "OFFER_EXPIRED") != 1 {
			t.Errorf("%s, %s, %s wait", a.state(2), a.state(3), a.waiting())
		}
		if r := a.people[2].Do(declineOffer, input(vars{"applicationId": a.ids[2]})); r.Code() != "OFFER_EXPIRED" {
			t.Error(r)
		}
		if r := a.people[3].Must(acceptOffer, input(vars{"applicationId": a.ids[3]})); r.String("acceptOffer.application.state") != "ADMITTED" {
			t.Error(r)
		}
	})
}

func TestPlacesThatBecomeFreeOtherwise(t *testing.T) {
	apitest.Each(t, func(w *apitest.World) {
		a := newAdmissions(w, 1, 3)
		a.prepare("ACCEPT", "WAITLIST", "WAITLIST")
		a.staff.Must(release, input(vars{"callId": a.call}))
		won := a.people[0].Must(acceptOffer, input(vars{"applicationId": a.ids[0]})).String("acceptOffer.application.enrollment.id")
		w.T.Run("a higher capacity is offered", func(t *testing.T) {
			w.Tx(func(ctx context.Context, tx *ent.Client) error {
				return tx.Call.Update().Where(call.ID(a.call)).SetCapacity(2).Exec(ctx)
			})
			must0(t, w.App.Placement.FillFree(w.System()))
			if a.state(1) != "OFFERED" || a.waiting() != "2" {
				t.Errorf("%s, %s wait", a.state(1), a.waiting())
			}
		})
		update := `mutation($input: UpdateEnrollmentInput!) { updateEnrollment(input: $input) { enrollment { state } errors { code message path } } }`
		w.T.Run("an enrollment that staff withdraw frees its place, and takes none that is gone", func(t *testing.T) {
			a.staff.Must(update, input(vars{"enrollmentId": won, "state": "WITHDRAWN"}))
			if a.state(0) != "WITHDRAWN" || a.state(2) != "OFFERED" {
				t.Errorf("%s, %s", a.state(0), a.state(2))
			}
			if r := a.staff.Do(update, input(vars{"enrollmentId": won, "state": "ENROLLED"})); r.Code() != "ARCHIVED" { // its team went with it
				t.Error(r)
			}
		})
		w.T.Run("the next application of an organization joins it, and not another's team", func(t *testing.T) {
			w.Tx(func(ctx context.Context, tx *ent.Client) error {
				return tx.Application.UpdateOneID(a.ids[1]).SetOrganizationName(strings.ToUpper("Clinic of " + a.people[0].Handle)).Exec(ctx)
			})
			r := a.people[1].Must(acceptOffer, input(vars{"applicationId": a.ids[1]}))
			if got := r.String("acceptOffer.application.enrollment.team.name"); got != "Team (2023)" {
				t.Error(got)
			}
			if got := r.String("acceptOffer.application.enrollment.team.organization.name"); got != "Clinic of "+a.people[0].Handle {
				t.Error(got)
			}
			won = r.String("acceptOffer.application.enrollment.id")
		})
		w.T.Run("what it costs is recorded, and nobody overwrites another's", func(t *testing.T) {
			in := vars{"enrollmentId": won, "amount": 3_000_000, "waivedAmount": 1_000_000, "currency": "USD", "expectedVersion": 0}
			if r := a.staff.Do(recordFee, input(in)); r.Code() != "INVALID_INPUT" {
				t.Error(r)
			}
			in["note"] = "A small clinic"
			r := a.staff.Must(recordFee, input(in))
			a.staff.Must(recordFee, input(in))
			fee := "recordFee.enrollment.fee."
			if r.Int(fee+"due.amount") != 2_000_000 || r.Int(fee+"version") != 1 || r.String(fee+"recordedBy.name") != "staff" {
				t.Error(r)
			}
			in["amount"] = 2_000_000
			if r := a.staff.Do(recordFee, input(in)); r.Code() != "STALE_VERSION" {
				t.Error(r)
			}
			seen := `query($id: ID!) { node(id: $id) { ... on Enrollment { fee { note } } } }`
			if r := a.people[1].Must(seen, vars{"id": won}); r.String("node.fee.note") != "A small clinic" { // who leads the team
				t.Error(r)
			}
			if r := a.host.Must(seen, vars{"id": won}); r.At("node.fee") != nil {
				t.Error(r)
			}
		})
	})
}
