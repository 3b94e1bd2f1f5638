package apitest_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/pursuing-equity/commons/graph"
	"github.com/pursuing-equity/commons/internal/apitest"
	"github.com/pursuing-equity/commons/internal/apitest/database"
	"github.com/pursuing-equity/commons/internal/apitest/invariant"
)

const demoCalls = `{ calls(first: 10) { edges { node { id title state dueLocal formVersion requirements { kind signers } rubric { key } questions { kind }
  places { capacity offered admitted free waiting prepared } } } } }`

const demoApplications = `query($call: ID!, $after: Cursor) { node(id: $call) { ... on Call { applications(first: 20, after: $after) { pageInfo { hasNextPage endCursor } edges { node {
  id number state late submittedAt missing { key } answers { key } submissions { number }
  decision { kind answer releasedAt } preparedDecision { kind } enrollment { state fee { amount { amount } waived { amount } } }
  reviewAssignments { state conflictReasons reviewer { handle } review { recommendation scores { comment } } } conflicts { endedAt member { handle } }
  signerRequests { state } extensions { until } informationRequest } } } } } }`

// seen counts the values at places in what was answered, by the names of their enums.
type seen map[string]map[string]int

func (s seen) note(enum string, value any) {
	text, ok := value.(string)
	if !ok {
		return
	}
	if s[enum] == nil {
		s[enum] = map[string]int{}
	}
	s[enum][text]++
}

// wantAll wants each value of an enum of the SDL at least once: one that is new and that the demo lacks fails here.
func (s seen) wantAll(t *testing.T, enums ...string) {
	t.Helper()
	sdl, err := gqlparser.LoadSchema(&ast.Source{Name: "schema.graphql", Input: graph.SDL()})
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range enums {
		for _, v := range sdl.Types[name].EnumValues {
			if s[name][v.Name] == 0 {
				t.Errorf("the demo shows no %s.%s: %v", name, v.Name, s[name])
			}
		}
	}
}

// The demo holds the program's calls with applications in every state, each as its viewers are to see it.
func TestDemoAdmission(t *testing.T) {
	t.Parallel()
	database.Each(t, func(t *testing.T, url string) {
		w := apitest.Serve(t, url)
		if err := w.App.LoadDemo(t.Context(), 1, 1); err != nil {
			t.Fatal(err)
		}
		tokens, err := w.App.DemoTokens(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		as := func(account string) *apitest.Client { return w.As(tokens[account+"@demo.example"]) }
		calls := as("staff").Must(demoCalls, nil)
		var open string
		t.Run("staff see both calls with applications in every state", func(t *testing.T) { open = demoStates(t, as("staff"), calls) })
		t.Run("the public list shows the open call, and that two were before", func(t *testing.T) {
			r := w.As("").Must(`{ open: calls(state: OPEN, first: 5) { edges { node { id title questions { kind } } } } all: calls(first: 5) { edges { node { state applications(first: 1) { edges { node { id } } } } } } }`, nil)
			if r.Len("open.edges") != 1 || r.String("open.edges.0.node.id") != open || r.Len("all.edges") != 3 || r.Len("all.edges.0.node.applications.edges") != 0 || r.Len("all.edges.2.node.applications.edges") != 0 {
				t.Errorf("calls: %s", r.Body)
			}
		})
		t.Run("a newcomer starts an application", func(t *testing.T) {
			r := as("outsider").Must(`mutation($input: StartApplicationInput!) { startApplication(input: $input) { application { state call { state } missing { key } } errors { code } } }`,
				input(vars{"callId": open, "organizationName": "Vandermeer Clinic", "organizationKind": "CLINIC"}))
			if r.String("startApplication.application.state") != "DRAFT" || r.Len("startApplication.application.missing") < 5 {
				t.Errorf("started: %s", r.Body)
			}
		})
		t.Run("an applicant sees their decision and its fee, and nothing of the reviews", func(t *testing.T) {
			r := as("lead").Must(`{ applications(first: 10) { edges { node { number state decision { kind answer rank note } reviewAssignments { state } conflicts { note } signerRequests { state }
				enrollment { state fee { due { amount } sponsorship { sponsorName } } } } } } }`, nil)
			const mine = "applications.edges.0.node."
			if r.Len("applications.edges") != 1 || r.String(mine+"state") != "ADMITTED" || r.String(mine+"decision.answer") != "CONFIRMED" || r.At(mine+"number") != nil ||
				r.At(mine+"decision.rank") != nil || r.Len(mine+"reviewAssignments") != 0 || r.Len(mine+"signerRequests") < 2 || r.Int(mine+"enrollment.fee.due.amount") != 0 {
				t.Errorf("the lead's: %s", r.Body)
			}
		})
		t.Run("a reviewer sees what they review, and nothing of what they must not judge", func(t *testing.T) { demoReviewer(t, as("reviewer"), as("staff"), calls) })
		t.Run("moderators have flags to decide, and have hidden and warned", func(t *testing.T) {
			demoModeration(t, w, as("staff"), as("member"))
		})
		// Workers have looked at it by now, and found nothing to do.
		again := as("staff").Must(demoCalls, nil)
		for i := range 3 {
			for _, what := range []string{"offered", "admitted", "free", "waiting", "prepared"} {
				if at := fmt.Sprintf("calls.edges.%d.node.places.%s", i, what); again.Int(at) != calls.Int(at) {
					t.Errorf("%s is %d, and was %d", at, again.Int(at), calls.Int(at))
				}
			}
		}
		invariant.Check(w.System(), t, w.App.Store.Client(w.System()))
	})
}

// pages calls see for each application of a call, with its path.
func pages(c *apitest.Client, call string, see func(r *apitest.Response, at string)) {
	var after any
	for {
		r := c.Must(demoApplications, vars{"call": call, "after": after})
		for i := range r.Len("node.applications.edges") {
			see(r, fmt.Sprintf("node.applications.edges.%d.node.", i))
		}
		if r.At("node.applications.pageInfo.hasNextPage") != true {
			return
		}
		after = r.At("node.applications.pageInfo.endCursor")
	}
}

// demoStates looks at what staff see, and returns the open call.
func demoStates(t *testing.T, staff *apitest.Client, calls *apitest.Response) string {
	t.Helper()
	all := seen{}
	open, kinds := "", map[string]bool{}
	type expected struct {
		state                  string
		admitted, applications int
	}
	decided := map[string]expected{"2022-11-01T23:59:59": {"CLOSED", 39, 50}, "2022-10-21T23:59:59": {"CLOSED", 10, 20}}
	for i := range calls.Len("calls.edges") {
		at, here, n := fmt.Sprintf("calls.edges.%d.node.", i), seen{}, 0
		want, closed := decided[calls.String(at+"dueLocal")]
		if !closed {
			want, open = expected{"OPEN", 0, 5}, calls.String(at+"id")
		}
		if calls.String(at+"state") != want.state || calls.Int(at+"places.admitted") != want.admitted || calls.Len(at+"rubric") < 3 || calls.Int(at+"formVersion") != 1 {
			t.Errorf("call %d: %v", i, calls.At(at[:len(at)-1]))
		}
		for j := range calls.Len(at + "questions") {
			kinds[calls.String(fmt.Sprintf("%squestions.%d.kind", at, j))] = true
		}
		pages(staff, calls.String(at+"id"), func(r *apitest.Response, at string) {
			n++
			all.look(t, r, at)
			here.note("ApplicationState", r.At(at+"state"))
			if r.Int(at+"number") != n {
				t.Errorf("application %d has number %d", n, r.Int(at+"number"))
			}
		})
		if n < want.applications {
			t.Errorf("%d applications", n)
		}
		if !closed {
			continue
		}
		here.wantAll(t, "ApplicationState")
		if calls.Int(at+"places.free") != 0 || calls.Int(at+"places.waiting") != 2 || calls.Int(at+"places.prepared") != 1 {
			t.Errorf("places %v", calls.At(at+"places"))
		}
	}
	if len(kinds) != 7 {
		t.Errorf("forms ask %v", kinds)
	}
	all.wantAll(t, "ApplicationState", "ReviewAssignmentState", "ReviewRecommendation", "DecisionKind", "OfferAnswer", "SignerRequestState", "EnrollmentState")
	for _, what := range []string{"late", "extended", "asked", "submitted twice", "comment", "conflict", "ended conflict", "prepared", "paid", "waived"} {
		if all["what"][what] == 0 {
			t.Errorf("the demo has nothing %s", what)
		}
	}
	return open
}

// look notes what an application has, and wants it to fit its state.
func (s seen) look(t *testing.T, r *apitest.Response, at string) {
	t.Helper()
	is := func(what string, so bool) {
		if so {
			s.note("what", what)
		}
	}
	state := r.String(at + "state")
	s.note("ApplicationState", state)
	s.note("DecisionKind", r.At(at+"decision.kind"))
	s.note("OfferAnswer", r.At(at+"decision.answer"))
	s.note("EnrollmentState", r.At(at+"enrollment.state"))
	is("late", r.At(at+"late") == true)
	is("extended", r.Len(at+"extensions") > 0)
	is("asked", r.String(at+"informationRequest") != "")
	is("submitted twice", r.Len(at+"submissions") > 1)
	is("prepared", r.At(at+"preparedDecision.kind") != nil)
	if r.At(at+"enrollment") != nil {
		waived := r.Int(at + "enrollment.fee.waived.amount")
		is("waived", waived == r.Int(at+"enrollment.fee.amount.amount"))
		is("paid", waived == 0)
	}
	for i := range r.Len(at + "signerRequests") {
		s.note("SignerRequestState", r.At(fmt.Sprintf("%ssignerRequests.%d.state", at, i)))
	}
	for i := range r.Len(at + "conflicts") {
		ended := r.At(fmt.Sprintf("%sconflicts.%d.endedAt", at, i))
		is("conflict", ended == nil)
		is("ended conflict", ended != nil)
	}
	for i := range r.Len(at + "reviewAssignments") {
		one := fmt.Sprintf("%sreviewAssignments.%d.", at, i)
		s.note("ReviewAssignmentState", r.At(one+"state"))
		s.note("ReviewRecommendation", r.At(one+"review.recommendation"))
		if current := r.String(one+"state") == "ASSIGNED" || r.String(one+"state") == "COMPLETED"; current && r.Len(one+"conflictReasons") > 0 {
			t.Errorf("%s reviews in a conflict of interest: %v", r.String(one+"reviewer.handle"), r.At(one+"conflictReasons"))
		}
		for j := range r.Len(one + "review.scores") {
			is("comment", r.String(fmt.Sprintf("%sreview.scores.%d.comment", one, j)) != "")
		}
	}
	decided := !slices.Contains([]string{"DRAFT", "SUBMITTED", "INFORMATION_REQUESTED", "WITHDRAWN"}, state)
	if draft := state == "DRAFT"; draft != (r.Len(at+"missing") > 0) || draft != (r.At(at+"submittedAt") == nil) || decided != (r.At(at+"decision") != nil && state != "WITHDRAWN") ||
		(state == "ADMITTED") != (r.At(at+"enrollment") != nil && r.String(at+"enrollment.state") != "WITHDRAWN") {
		t.Errorf("what application %s has does not fit: %v", r.String(at+"id"), r.At(at[:len(at)-1]))
	}
}

func demoReviewer(t *testing.T, reviewer, staff *apitest.Client, calls *apitest.Response) {
	t.Helper()
	r := reviewer.Must(`{ done: myReviewAssignments(state: COMPLETED, first: 100) { edges { node { conflicted application { id } review { points } } } }
		open: myReviewAssignments(state: ASSIGNED, first: 100) { edges { node { application { id organizationName } } } } calls(first: 5) { edges { node { applications(first: 5) { edges { node { id } } } } } } }`, nil)
	if r.Len("done.edges") < 20 || r.Len("calls.edges.0.node.applications.edges") != 0 {
		t.Errorf("the reviewer's: %d done", r.Len("done.edges"))
	}
	for i := range r.Len("done.edges") {
		if at := fmt.Sprintf("done.edges.%d.node.", i); r.At(at+"conflicted") != false || r.At(at+"review.points") == nil {
			t.Errorf("%v", r.At(at[:len(at)-1]))
		}
	}
	hidden := 0
	for i := range 3 {
		pages(staff, calls.String(fmt.Sprintf("calls.edges.%d.node.id", i)), func(r *apitest.Response, at string) {
			for j := range r.Len(at + "conflicts") {
				one := fmt.Sprintf("%sconflicts.%d.", at, j)
				if r.String(one+"member.handle") != "reviewer" || r.At(one+"endedAt") != nil {
					continue
				}
				hidden++
				if n := reviewer.Do(`query($id: ID!) { node(id: $id) { id } }`, vars{"id": r.String(at + "id")}); n.Code() != "NOT_FOUND" {
					t.Errorf("the reviewer sees what they have a conflict with: %s", n.Body)
				}
			}
		})
	}
	if hidden == 0 {
		t.Error("the reviewer has no conflict of interest")
	}
}

func demoModeration(t *testing.T, w *apitest.World, staff, member *apitest.Client) {
	t.Helper()
	r := staff.Must(`{ moderationQueue(first: 10) { edges { flagCount flags { reason state } node { body } } } }`, nil)
	if r.Len("moderationQueue.edges") != 2 || r.String("moderationQueue.edges.0.node.body") == "" || r.Int("moderationQueue.edges.0.flagCount")+r.Int("moderationQueue.edges.1.flagCount") != 3 {
		t.Errorf("queue: %s", r.Body)
	}
	states, acts := seen{}, seen{}
	for _, f := range w.App.Store.Client(w.System()).Flag.Query().AllX(w.System()) {
		states.note("FlagState", string(f.State))
	}
	states.wantAll(t, "FlagState")
	spaces := member.Must(apitest.Operation(t, "spaces"), vars{"first": 100})
	for i := range spaces.Len("spaces.edges") {
		if at := fmt.Sprintf("spaces.edges.%d.node.", i); spaces.String(at+"kind") == "NETWORK" {
			r = staff.Must(`query($id: ID!) { space: node(id: $id) { ... on Space { moderationActions(first: 10) { edges { node { kind reason post { id hiddenBody } } } } } } }`, vars{"id": spaces.String(at + "id")})
		}
	}
	for i := range r.Len("space.moderationActions.edges") {
		at := fmt.Sprintf("space.moderationActions.edges.%d.node.", i)
		acts.note("acts", r.At(at+"kind"))
		if r.String(at+"kind") != "HIDE" {
			continue
		}
		p := member.Must(`query($id: ID!) { node(id: $id) { ... on Post { body hiddenBody hiddenAt } } }`, vars{"id": r.String(at + "post.id")})
		if r.String(at+"post.hiddenBody") == "" || p.String("node.body") != "" || p.At("node.hiddenBody") != nil || p.At("node.hiddenAt") == nil {
			t.Errorf("a hidden post: %s", p.Body)
		}
	}
	if acts["acts"]["HIDE"] != 1 || acts["acts"]["WARN"] != 1 {
		t.Errorf("moderators did %v: %s", acts, r.Body)
	}
}
