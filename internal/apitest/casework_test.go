package apitest_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pursuing-equity/commons/ent"
	"github.com/pursuing-equity/commons/ent/application"
	"github.com/pursuing-equity/commons/ent/decision"
	"github.com/pursuing-equity/commons/ent/roleassignment"
	"github.com/pursuing-equity/commons/ent/schema"
	"github.com/pursuing-equity/commons/internal/apitest"
	"github.com/pursuing-equity/commons/internal/gid"
)

const callApplications = `query($id: ID!, $filter: ApplicationFilter, $orderBy: ApplicationOrder, $after: Cursor, $first: Int! = 100) { node(id: $id) { ... on Call {
	applications(first: $first, after: $after, filter: $filter, orderBy: $orderBy) { edges { cursor node { id organizationName teamName state late submittedAt missing { key code } answers { key value } } }
		pageInfo { hasNextPage endCursor } } } } }`

// intake is a call with many applications, made without the API.
type intake struct {
	*apitest.World
	staff, reviewer, owner *apitest.Person
	call                   gid.ID
	requirements           []schema.Requirement
	applications           []*ent.Application
	documents              map[gid.ID][]string // the requirements that an application has documents for
	assigned, decided      map[gid.ID]bool
	reviews                map[gid.ID]int
	made                   int
}

func newIntake(w *apitest.World) *intake {
	c := &intake{
		World: w, staff: w.Role(w.Member("staff"), roleassignment.RoleSTAFF), reviewer: w.Member("reviewer"), owner: w.Member("owner"),
		documents: map[gid.ID][]string{}, assigned: map[gid.ID]bool{}, decided: map[gid.ID]bool{}, reviews: map[gid.ID]int{},
		requirements: []schema.Requirement{
			{Key: "letter", Kind: "LETTER", Label: "Letter", Signers: []string{"CEO", "BOARD_CHAIR"}}, {Key: "video", Kind: "VIDEO", Label: "Video", Optional: true},
		},
	}
	w.Tx(func(ctx context.Context, tx *ent.Client) error {
		offering, err := offeringOf(ctx, tx, w)
		if err != nil {
			return err
		}
		c.call, err = callOf(ctx, tx, w, offering, c.requirements...)
		return err
	})
	return c
}

// grow makes n more applications in random states, with random answers and documents, the same each time.
func (c *intake) grow(n int) {
	c.T.Helper()
	r := rand.New(rand.NewPCG(1, uint64(c.made)))
	states := []application.State{"DRAFT", "DRAFT", "SUBMITTED", "SUBMITTED", "SUBMITTED", "INFORMATION_REQUESTED", "OFFERED", "WAITLISTED", "DECLINED", "WITHDRAWN"}
	kinds := []application.OrganizationKind{"CLINIC", "HOSPITAL", "PAYER"}
	names := []string{"North Clinic", "south clinic", "Care 100%", "Åsa_Health", "zeta"}
	start := c.App.Config.Now().Add(-30 * 24 * time.Hour)
	for from := 0; from < n; from += 250 {
		c.Tx(func(ctx context.Context, tx *ent.Client) error {
			var apps []*ent.ApplicationCreate
			var editors []*ent.ApplicationEditorCreate
			var answers []*ent.AnswerCreate
			var documents []*ent.DocumentCreate
			var assignments []*ent.ReviewAssignmentCreate
			var reviews []*ent.ReviewCreate
			var decisions []*ent.DecisionCreate
			for i := from; i < min(from+250, n); i++ {
				id, number := c.NewID(gid.Application), c.made+len(apps)+1
				at := start.Add(time.Duration(r.IntN(29*24*60)) * time.Minute)
				state := states[r.IntN(len(states))]
				a := tx.Application.Create().SetID(id).SetCreatedAt(start).SetUpdatedAt(at).SetCallID(c.call).SetOrganizationName(names[r.IntN(len(names))]).
					SetOrganizationKind(kinds[r.IntN(len(kinds))]).SetTeamName(fmt.Sprintf("Team %d", number)).SetNumber(number).SetState(state)
				if state != "DRAFT" {
					a.SetReviewPoints(number * 7919 % 10_000).SetSubmittedAt(at).SetLate(r.IntN(3) == 0).SetSubmissions(1)
				}
				apps = append(apps, a)
				editors = append(editors, tx.ApplicationEditor.Create().SetID(c.NewID(gid.ApplicationEditor)).SetCreatedAt(start).SetApplicationID(id).
					SetMemberID(c.owner.ID).SetOwner(true).SetAddedByID(c.owner.ID))
				for key, values := range map[string][]string{"why": {"", "Eq", "Equity in care", "Equity, always"}, "people": {"", "2", "12", "3"}, "agree": {"", "yes", "yes", "yes"}} {
					if v := values[r.IntN(len(values))]; v != "" || r.IntN(2) == 0 {
						answers = append(answers, tx.Answer.Create().SetID(c.NewID(gid.Answer)).SetCreatedAt(at).SetUpdatedAt(at).SetApplicationID(id).SetKey(key).SetValue(v).
							SetEditorID(c.owner.ID))
					}
				}
				for _, part := range [][2]string{{"letter", "CEO"}, {"letter", "BOARD_CHAIR"}, {"video", ""}} {
					if r.IntN(4) > 0 {
						c.documents[id] = append(c.documents[id], part[0])
						documents = append(documents, tx.Document.Create().SetID(c.NewID(gid.Document)).SetCreatedAt(at).SetApplicationID(id).SetRequirement(part[0]).
							SetSigner(part[1]).SetURL("https://example.org/").SetAddedByID(c.owner.ID))
					}
				}
				if r.IntN(3) == 0 {
					c.assigned[id] = true
					assignment := c.NewID(gid.ReviewAssignment)
					assignments = append(assignments, tx.ReviewAssignment.Create().SetID(assignment).SetCreatedAt(at).SetUpdatedAt(at).SetApplicationID(id).
						SetReviewerID(c.reviewer.ID).SetAssignedByID(c.staff.ID))
					if r.IntN(2) == 0 {
						c.reviews[id]++
						reviews = append(reviews, tx.Review.Create().SetID(c.NewID(gid.Review)).SetAssignmentID(assignment).SetCreatedAt(at).SetUpdatedAt(at).
							SetScores([]schema.Score{}).SetSubmittedAt(at))
					}
				}
				if r.IntN(5) == 0 {
					c.decided[id] = true
					decisions = append(decisions, tx.Decision.Create().SetID(c.NewID(gid.Decision)).SetCreatedAt(at).SetUpdatedAt(at).SetApplicationID(id).SetCallID(c.call).
						SetKind(decision.KindACCEPT).SetDeciderID(c.staff.ID))
				}
			}
			rows, err := tx.Application.CreateBulk(apps...).Save(ctx)
			if err != nil {
				return err
			}
			c.applications, c.made = append(c.applications, rows...), c.made+len(rows)
			for _, save := range []func(context.Context) error{
				tx.ApplicationEditor.CreateBulk(editors...).Exec, tx.Answer.CreateBulk(answers...).Exec, tx.Document.CreateBulk(documents...).Exec,
				tx.ReviewAssignment.CreateBulk(assignments...).Exec, tx.Review.CreateBulk(reviews...).Exec, tx.Decision.CreateBulk(decisions...).Exec,
			} {
				if err := save(ctx); err != nil {
					return err
				}
			}
			return tx.Call.UpdateOneID(c.call).SetLastNumber(c.made).Exec(ctx)
		})
	}
}

// list is all that a filter lets through, page by page.
func (c *intake) list(t *testing.T, filter vars, order string, size int) (ids []string, rows []*apitest.Response) {
	t.Helper()
	var after any
	for {
		r := c.staff.Must(callApplications, vars{"id": c.call, "filter": filter, "orderBy": order, "after": after, "first": size})
		for i := range r.Len("node.applications.edges") {
			ids = append(ids, r.String(fmt.Sprintf("node.applications.edges.%d.node.id", i)))
		}
		rows = append(rows, r)
		if r.At("node.applications.pageInfo.hasNextPage") != true {
			return ids, rows
		}
		after = r.At("node.applications.pageInfo.endCursor")
	}
}

func TestStaffListApplications(t *testing.T) {
	apitest.Each(t, func(w *apitest.World) {
		c := newIntake(w)
		c.grow(120)
		by := make(map[string]*ent.Application)
		for _, a := range c.applications {
			by[a.ID.String()] = a
		}
		complete := map[string]bool{} // as the applications themselves say
		_, pages := c.list(w.T, nil, "NUMBER", 50)
		for _, r := range pages {
			for i := range r.Len("node.applications.edges") {
				at := fmt.Sprintf("node.applications.edges.%d.node.", i)
				complete[r.String(at+"id")] = r.Len(at+"missing") == 0
			}
		}
		w.T.Run("each order has everything once", func(t *testing.T) {
			for order, sorted := range map[string]func(a, b *ent.Application) int{
				"NUMBER":       func(a, b *ent.Application) int { return a.Number - b.Number },
				"ORGANIZATION": func(a, b *ent.Application) int { return 0 }, // by the database's collation
				"UPDATED_AT":   func(a, b *ent.Application) int { return b.UpdatedAt.Compare(a.UpdatedAt) },
				"SUBMITTED_AT": func(a, b *ent.Application) int { return b.SubmittedAt.Compare(*a.SubmittedAt) },
			} {
				ids, _ := c.list(t, nil, order, 7)
				rows := make([]*ent.Application, len(ids))
				for i, id := range ids {
					rows[i] = by[id]
				}
				want := 0
				for _, a := range c.applications {
					if order != "SUBMITTED_AT" || a.SubmittedAt != nil {
						want++
					}
				}
				if len(slices.Compact(slices.Sorted(slices.Values(ids)))) != want || !slices.IsSortedFunc(rows, sorted) {
					t.Errorf("%s: %d of %d", order, len(ids), want)
				}
			}
		})
		w.T.Run("each filter lets through what it says", func(t *testing.T) {
			middle := c.App.Config.Now().Add(-15 * 24 * time.Hour)
			for name, try := range map[string]struct {
				filter vars
				holds  func(a *ent.Application) bool
			}{
				"nothing":          {vars{}, func(*ent.Application) bool { return true }},
				"states":           {vars{"states": []string{"DRAFT", "OFFERED"}}, func(a *ent.Application) bool { return a.State == "DRAFT" || a.State == "OFFERED" }},
				"kinds":            {vars{"organizationKinds": []string{"PAYER"}}, func(a *ent.Application) bool { return a.OrganizationKind == "PAYER" }},
				"text":             {vars{"text": "CLINIC"}, func(a *ent.Application) bool { return strings.Contains(strings.ToLower(a.OrganizationName), "clinic") }},
				"text of wildcard": {vars{"text": "%"}, func(a *ent.Application) bool { return strings.Contains(a.OrganizationName, "%") }},
				"text of a team":   {vars{"text": "team 11"}, func(a *ent.Application) bool { return strings.HasPrefix(a.TeamName, "Team 11") }},
				"late":             {vars{"late": true}, func(a *ent.Application) bool { return a.Late }},
				"complete":         {vars{"complete": true}, func(a *ent.Application) bool { return complete[a.ID.String()] }},
				"incomplete":       {vars{"complete": false}, func(a *ent.Application) bool { return !complete[a.ID.String()] }},
				"with a document":  {vars{"withDocument": "video"}, func(a *ent.Application) bool { return slices.Contains(c.documents[a.ID], "video") }},
				"without one":      {vars{"withoutDocument": "letter"}, func(a *ent.Application) bool { return !slices.Contains(c.documents[a.ID], "letter") }},
				"a reviewer":       {vars{"reviewerId": c.reviewer.ID}, func(a *ent.Application) bool { return c.assigned[a.ID] }},
				"reviews":          {vars{"minReviews": 1}, func(a *ent.Application) bool { return c.reviews[a.ID] >= 1 }},
				"no reviews":       {vars{"maxReviews": 0}, func(a *ent.Application) bool { return c.reviews[a.ID] == 0 }},
				"decided":          {vars{"decisionPrepared": true}, func(a *ent.Application) bool { return c.decided[a.ID] }},
				"undecided":        {vars{"decisionPrepared": false}, func(a *ent.Application) bool { return !c.decided[a.ID] }},
				"submitted from":   {vars{"submittedFrom": middle}, func(a *ent.Application) bool { return a.SubmittedAt != nil && !a.SubmittedAt.Before(middle) }},
				"submitted before": {vars{"submittedBefore": middle}, func(a *ent.Application) bool { return a.SubmittedAt != nil && a.SubmittedAt.Before(middle) }},
				"several": {vars{"states": []string{"SUBMITTED"}, "complete": true, "late": false},
					func(a *ent.Application) bool { return a.State == "SUBMITTED" && complete[a.ID.String()] && !a.Late }},
			} {
				var want []string
				for _, a := range c.applications {
					if try.holds(a) {
						want = append(want, a.ID.String())
					}
				}
				got, _ := c.list(t, try.filter, "NUMBER", 9)
				if !slices.Equal(got, want) || len(want) == 0 {
					t.Errorf("%s: %d of %d", name, len(got), len(want))
				}
			}
		})
		w.T.Run("a filter that breaks its limits is refused", func(t *testing.T) {
			for field, value := range map[string]any{"text": "", "minReviews": -1, "maxReviews": 1001, "withDocument": strings.Repeat("x", 201)} {
				if r := c.staff.Do(callApplications, vars{"id": c.call, "filter": vars{field: value}}); r.Code() != "INVALID_INPUT" {
					t.Errorf("%s: %v", field, r)
				}
			}
		})
		w.T.Run("for everybody else the list is empty", func(t *testing.T) {
			for _, p := range []*apitest.Person{c.owner, c.reviewer} {
				if r := p.Must(callApplications, vars{"id": c.call}); r.Len("node.applications.edges") != 0 {
					t.Error(r)
				}
			}
		})
	})
}

// Completeness is told in SQL and in Go: they agree whatever the form asks and whatever stands there.
func TestCompletenessIsOne(t *testing.T) {
	apitest.Each(t, func(w *apitest.World) {
		c := newIntake(w)
		least, most := 3.0, 40.0
		form := []schema.Question{
			{Key: "short", Kind: "TEXT", MinLength: 3, MaxLength: 5}, {Key: "free", Kind: "TEXT"}, {Key: "one", Kind: "CHOICE", Options: []string{"A", "B b"}},
			{Key: "some", Kind: "CHOICES", Options: []string{"A", "AA", "B b"}}, {Key: "many", Kind: "NUMBER", Min: &least, Max: &most}, {Key: "any", Kind: "NUMBER"},
			{Key: "day", Kind: "DATE"}, {Key: "agree", Kind: "CONSENT"},
		}
		values := []string{"", "", "x", "abc", "äöü", "äöüäöü", "A", "AA", "B b", "A\nB b", "A\nAA", "AA\nA\nB b", "A\nC", "3", "2.5", "40", "40.5", "1e1", "-7", "12 000", "2022-11-01", "yes"}
		r := rand.New(rand.NewPCG(3, 4))
		right := map[string]string{"short": "abc", "free": "x", "one": "B b", "some": "A\nAA", "many": "12", "any": "-7", "day": "2022-11-01", "agree": "yes"}
		said := func(key, otherwise string) string { // mostly what the question takes
			if r.IntN(4) > 0 {
				return right[key]
			}
			return otherwise
		}
		c.grow(150)
		for round := range 4 {
			for i := range form {
				form[i].Required = r.IntN(4) == 0
			}
			w.Tx(func(ctx context.Context, tx *ent.Client) error {
				if err := tx.FormVersion.Update().SetQuestions(form).Exec(ctx); err != nil {
					return err
				}
				if err := tx.Call.UpdateOneID(c.call).SetRequirements(c.requirements[:1-round%2]).Exec(ctx); err != nil {
					return err
				}
				if _, err := tx.Answer.Delete().Exec(ctx); err != nil {
					return err
				}
				var rows []*ent.AnswerCreate
				for _, a := range c.applications {
					for _, q := range form {
						if !q.Required && r.IntN(3) > 0 || r.IntN(6) == 0 {
							continue
						}
						rows = append(rows, tx.Answer.Create().SetID(w.NewID(gid.Answer)).SetCreatedAt(a.CreatedAt).SetUpdatedAt(a.CreatedAt).SetApplicationID(a.ID).
							SetKey(q.Key).SetValue(said(q.Key, values[r.IntN(len(values))])).SetEditorID(c.owner.ID))
					}
				}
				return tx.Answer.CreateBulk(rows...).Exec(ctx)
			})
			lacking := map[string]int{}
			_, pages := c.list(w.T, nil, "NUMBER", 100)
			for _, r := range pages {
				for i := range r.Len("node.applications.edges") {
					at := fmt.Sprintf("node.applications.edges.%d.node.", i)
					lacking[r.String(at+"id")] = r.Len(at + "missing")
				}
			}
			whole, _ := c.list(w.T, vars{"complete": true}, "NUMBER", 100)
			part, _ := c.list(w.T, vars{"complete": false}, "NUMBER", 100)
			for _, id := range whole {
				if lacking[id] != 0 {
					w.T.Errorf("%s is not complete", id)
				}
			}
			for _, id := range part {
				if lacking[id] == 0 {
					w.T.Errorf("%s is complete", id)
				}
			}
			if len(whole)+len(part) != len(c.applications) {
				w.T.Errorf("%d complete and %d not", len(whole), len(part))
			}
			w.T.Logf("round %d: %d complete", round, len(whole))
		}
	})
}
