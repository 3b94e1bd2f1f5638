package apitest_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/pursuing-equity/commons/ent"
	"github.com/pursuing-equity/commons/internal/apitest"
	"github.com/pursuing-equity/commons/internal/gid"
)

const (
	waitlistPage = `query($id: ID!, $first: Int, $after: Cursor) { node(id: $id) { ... on Call { waitlist(first: $first, after: $after) {
		edges { cursor node { rank application { id } } } } } } }`
)

// listedAs are the indexes and ranks of a page of the waitlist.
func (a *admissions) listedAs(after any) (_, last string) {
	a.T.Helper()
	r := a.staff.Must(waitlistPage, vars{"id": a.call, "first": 3, "after": after})
	var out []string
	for n := range r.Len("node.waitlist.edges") {
		at := fmt.Sprintf("node.waitlist.edges.%d.", n)
		last = r.String(at + "cursor")
		for i, id := range a.ids {
			if id.String() == r.String(at+"node.application.id") {
				out = append(out, fmt.Sprintf("%d:%d", r.Int(at+"node.rank"), i))
			}
		}
	}
	return strings.Join(out, " "), last
}

// places gives the call more places behind everybody's back, so that nobody is promoted.
func (a *admissions) places(n int) {
	a.Tx(func(ctx context.Context, tx *ent.Client) error {
		return tx.Call.UpdateOneID(a.call).SetCapacity(n).Exec(ctx)
	})
}

func TestAWaitlistIsReadOnWhileItMoves(t *testing.T) {
	apitest.Each(t, func(w *apitest.World) {
		a := newAdmissions(w, 1, 10)
		a.prepare("ACCEPT", "WAITLIST", "WAITLIST", "WAITLIST", "WAITLIST", "WAITLIST", "WAITLIST", "WAITLIST", "WAITLIST")
		a.staff.Must(release, input(vars{"callId": a.call}))
		first, behind := a.listedAs(nil)
		if first != "1:1 2:2 3:3" {
			w.T.Fatal(first)
		}
		w.T.Run("who is promoted or leaves moves nobody to another page", func(t *testing.T) {
			a.places(3)
			must0(t, w.App.Placement.FillFree(w.System()))
			if got, _ := a.listedAs(behind); got != "2:4 3:5 4:6" {
				t.Error(got)
			}
			a.people[3].Must(leaveWaitlist, input(vars{"applicationId": a.ids[3]}))
			if got, _ := a.listedAs(behind); got != "1:4 2:5 3:6" {
				t.Error(got)
			}
		})
		w.T.Run("ranks that staff give count from 1, however many have left", func(t *testing.T) {
			a.staff.Must(moveInWaitlist, input(vars{"applicationId": a.ids[7], "rank": 2}))
			a.staff.Must(moveInWaitlist, input(vars{"applicationId": a.ids[4], "rank": 3}))
			if got := a.waiting(); got != "7 5 4 6 8" {
				t.Error(got)
			}
			a.staff.Must(moveInWaitlist, input(vars{"applicationId": a.ids[5], "rank": 100}))
			if got := a.waiting(); got != "7 4 6 8 5" {
				t.Error(got)
			}
			a.staff.Must(prepareDecision, input(vars{"applicationId": a.ids[9], "kind": "WAITLIST", "rank": 2, "expectedVersion": 0}))
			a.staff.Must(release, input(vars{"callId": a.call}))
			if got := a.waiting(); got != "7 4 9 6 8 5" {
				t.Error(got)
			}
		})
	})
}

func TestADryRunSaysWhoIsPromoted(t *testing.T) {
	apitest.Each(t, func(w *apitest.World) {
		a := newAdmissions(w, 1, 5)
		a.prepare("ACCEPT", "WAITLIST", "WAITLIST")
		a.staff.Must(release, input(vars{"callId": a.call}))
		a.places(2)
		a.staff.Must(prepareDecision, input(vars{"applicationId": a.ids[3], "kind": "DECLINE", "expectedVersion": 0}))
		cohort := func(id *gid.ID) {
			a.Tx(func(ctx context.Context, tx *ent.Client) error {
				return tx.Call.UpdateOneID(a.call).ClearCohortID().SetNillableCohortID(id).Exec(ctx)
			})
		}
		promoted := func(dry bool) int {
			r := a.staff.Must(release, input(vars{"callId": a.call, "dryRun": dry}))
			if got := r.Int("releaseDecisions.released.declined"); got != 1 {
				w.T.Errorf("%d declined", got)
			}
			return r.Int("releaseDecisions.released.promoted")
		}
		w.T.Run("nobody without a cohort, and declining needs none", func(t *testing.T) {
			cohort(nil)
			if n := promoted(true); n != 0 {
				t.Errorf("%d, dry", n)
			}
			if n := promoted(false); n != 0 || a.state(3) != "DECLINED" {
				t.Error(n, a.state(3))
			}
		})
		w.T.Run("as many as are free, with declines alone, too", func(t *testing.T) {
			cohort(&a.cohort)
			a.staff.Must(prepareDecision, input(vars{"applicationId": a.ids[4], "kind": "DECLINE", "expectedVersion": 0}))
			if n := promoted(true); n != 1 || a.state(1) != "WAITLISTED" {
				t.Errorf("%d, dry", n)
			}
			if n := promoted(false); n != 1 || a.state(1) != "OFFERED" {
				t.Error(n, a.state(1))
			}
		})
	})
}
