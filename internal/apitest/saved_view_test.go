package apitest_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/pursuing-equity/commons/ent"
	"github.com/pursuing-equity/commons/ent/application"
	"github.com/pursuing-equity/commons/ent/member"
	"github.com/pursuing-equity/commons/ent/savedview"
	"github.com/pursuing-equity/commons/internal/apitest"
)

const (
	createView = `mutation($input: CreateSavedViewInput!) { createSavedView(input: $input) { savedView { id name shared filter { states text complete minReviews submittedFrom } } errors { code path } } }`
	updateView = `mutation($input: UpdateSavedViewInput!) { updateSavedView(input: $input) { savedView { name shared filter { states text } } errors { code path } } }`
	deleteView = `mutation($input: DeleteSavedViewInput!) { deleteSavedView(input: $input) { deletedId errors { code path } } }`
	seeViews   = `query($id: ID!) { node(id: $id) { ... on Call { savedViews { id name shared owner { id } filter { states } } } } }`
	statistics = `query($id: ID!) { node(id: $id) { ... on Call { statistics { total late completeDrafts incompleteDrafts assignedReviews submittedReviews states { state count }
		organizationKinds { kind count } days { day count } } } } }`
)

func TestSavedViews(t *testing.T) {
	apitest.Each(t, func(w *apitest.World) {
		c := newIntake(w)
		other := w.Role(w.Member("other"), "STAFF")
		from := time.Date(2022, 10, 1, 12, 0, 0, 0, time.UTC)
		in := vars{"callId": c.call, "name": "To read", "idempotencyKey": "k", "filter": vars{"states": []string{"DRAFT"}, "text": "clinic", "complete": false, "minReviews": 2, "submittedFrom": from}}
		id := ""
		w.T.Run("a view keeps a filter under a name", func(t *testing.T) {
			r := c.staff.Must(createView, input(in))
			id = r.String("createSavedView.savedView.id")
			if again := c.staff.Must(createView, input(in)); again.String("createSavedView.savedView.id") != id {
				t.Error(again)
			}
			f := "createSavedView.savedView.filter."
			if r.String(f+"states.0") != "DRAFT" || r.String(f+"text") != "clinic" || r.At(f+"complete") != false || r.At(f+"minReviews") != 2.0 ||
				r.String(f+"submittedFrom") != "2022-10-01T12:00:00Z" {
				t.Error(r)
			}
			if r := c.staff.Do(createView, input(vars{"callId": c.call, "name": "To read", "filter": vars{}})); r.Code() != "ALREADY_EXISTS" {
				t.Error(r)
			}
			if r := c.staff.Do(createView, input(vars{"callId": c.call, "name": "x", "filter": vars{"text": ""}})); r.Code() != "INVALID_INPUT" ||
				r.String("createSavedView.errors.0.path.0") != "filter" {
				t.Error(r)
			}
		})
		w.T.Run("others of the staff see it once it is shared, and never change it", func(t *testing.T) {
			if r := other.Must(seeViews, vars{"id": c.call}); r.Len("node.savedViews") != 0 {
				t.Error(r)
			}
			if r := other.Do(updateView, input(vars{"savedViewId": id, "name": "Mine"})); r.Code() != "NOT_FOUND" {
				t.Error(r)
			}
			c.staff.Must(updateView, input(vars{"savedViewId": id, "shared": true, "name": "Read these", "filter": vars{"states": []string{"SUBMITTED"}}}))
			if r := other.Must(seeViews, vars{"id": c.call}); r.Len("node.savedViews") != 1 || r.String("node.savedViews.0.filter.states.0") != "SUBMITTED" ||
				r.String("node.savedViews.0.owner.id") != c.staff.ID.String() {
				t.Error(r)
			}
			for _, m := range []string{updateView, deleteView} {
				if r := other.Do(m, input(vars{"savedViewId": id})); r.Code() != "FORBIDDEN" {
					t.Error(r)
				}
			}
			if r := c.owner.Must(seeViews, vars{"id": c.call}); r.Len("node.savedViews") != 0 {
				t.Error(r)
			}
		})
		w.T.Run("a member keeps fifty of a call", func(t *testing.T) {
			for i := range 49 {
				c.staff.Must(createView, input(vars{"callId": c.call, "name": fmt.Sprint(i), "filter": vars{}}))
			}
			if r := c.staff.Do(createView, input(vars{"callId": c.call, "name": "fifty-first", "filter": vars{}})); r.Code() != "LIMIT_REACHED" {
				t.Error(r)
			}
			c.staff.Must(deleteView, input(vars{"savedViewId": id}))
			if r := c.staff.Do(deleteView, input(vars{"savedViewId": id})); r.Code() != "NOT_FOUND" {
				t.Error(r)
			}
		})
		w.T.Run("who is erased keeps none", func(t *testing.T) {
			w.Tx(func(ctx context.Context, tx *ent.Client) error {
				return tx.Member.Update().Where(member.ID(c.staff.ID)).SetStatus(member.StatusERASED).SetErasingHandle(c.staff.Handle).Exec(ctx)
			})
			if err := w.App.Accounts.FinishErasures(w.System()); err != nil {
				t.Fatal(err)
			}
			if n := w.App.Store.Client(w.System()).SavedView.Query().Where(savedview.OwnerID(c.staff.ID)).CountX(w.System()); n != 0 {
				t.Errorf("%d are left", n)
			}
		})
	})
}

func TestCallStatistics(t *testing.T) {
	apitest.Each(t, func(w *apitest.World) {
		c := newIntake(w)
		zone, err := time.LoadLocation("America/New_York")
		if err != nil {
			t.Fatal(err)
		}
		read := func() *apitest.Response { return c.staff.Must(statistics, vars{"id": c.call}) }
		if r := read(); r.At("node.statistics.total") != 0.0 || r.Len("node.statistics.days") != 0 {
			w.T.Error(r)
		}
		few := w.LeastStatements(func() { read() })
		c.grow(200)
		// Two at midnight in New York, a minute apart, on the day on which clocks go back.
		edge := time.Date(2022, 11, 6, 0, 0, 0, 0, zone)
		w.Tx(func(ctx context.Context, tx *ent.Client) error {
			n := 0
			for i, a := range c.applications {
				if a.SubmittedAt == nil || n == 2 {
					continue
				}
				at := edge.Add(time.Duration(n-1) * time.Minute).UTC()
				n++
				if c.applications[i], err = tx.Application.UpdateOneID(a.ID).SetSubmittedAt(at).Save(ctx); err != nil {
					return err
				}
			}
			return nil
		})
		states, kinds, days, late, assigned, submitted := map[string]int{}, map[string]int{}, map[string]int{}, 0, 0, 0
		for _, a := range c.applications {
			states[string(a.State)]++
			kinds[string(a.OrganizationKind)]++
			if a.SubmittedAt != nil {
				days[a.SubmittedAt.In(zone).Format(time.DateOnly)]++
			}
			if a.Late {
				late++
			}
			if c.assigned[a.ID] {
				assigned++
			}
			submitted += c.reviews[a.ID]
		}
		r := read()
		counts := func(list, key string, want map[string]int) {
			if r.Len("node.statistics."+list) != len(want) {
				w.T.Errorf("%s: %d, want %d", list, r.Len("node.statistics."+list), len(want))
			}
			for i := range r.Len("node.statistics." + list) {
				at := fmt.Sprintf("node.statistics.%s.%d.", list, i)
				if got := r.At(at + "count"); got != float64(want[r.String(at+key)]) {
					w.T.Errorf("%s %s: %v, want %d", list, r.String(at+key), got, want[r.String(at+key)])
				}
			}
		}
		counts("states", "state", states)
		counts("organizationKinds", "kind", kinds)
		counts("days", "day", days)
		whole, _ := c.list(w.T, vars{"complete": true, "states": []string{"DRAFT"}}, "NUMBER", 100)
		for field, want := range map[string]int{
			"total": len(c.applications), "late": late, "assignedReviews": assigned, "submittedReviews": submitted, "completeDrafts": len(whole),
			"incompleteDrafts": states[string(application.StateDRAFT)] - len(whole),
		} {
			if got := r.At("node.statistics." + field); got != float64(want) {
				w.T.Errorf("%s: %v, want %d", field, got, want)
			}
		}
		if days["2022-11-05"] != 1 || days["2022-11-06"] != 1 {
			w.T.Error("the edge of a day was not tried")
		}
		if n := w.LeastStatements(func() { read() }); n > few || n > 12 {
			w.T.Errorf("%d statements, and %d for none", n, few)
		}
	})
}
