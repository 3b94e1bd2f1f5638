package apitest_test

import (
	"context"
	"testing"
	"time"

	"github.com/pursuing-equity/commons/ent"
	"github.com/pursuing-equity/commons/ent/member"
	"github.com/pursuing-equity/commons/internal/apitest"
	"github.com/pursuing-equity/commons/internal/gid"
)

func TestMoreTimeIsNeverLess(t *testing.T) {
	apitest.Each(t, func(w *apitest.World) {
		ada := w.Member("ada")
		call, id := draftFor(w, ada)
		completed(w, ada.Client, id)
		now := w.App.Config.Now()
		move := func(due, closes time.Duration) {
			w.Tx(func(ctx context.Context, tx *ent.Client) error {
				return tx.Call.UpdateOneID(call).SetDueAt(now.Add(due)).SetClosesAt(now.Add(closes)).Exec(ctx)
			})
		}
		w.Tx(func(ctx context.Context, tx *ent.Client) error {
			return tx.Application.UpdateOneID(id).SetExtendedUntil(now.Add(-time.Hour)).Exec(ctx)
		})
		move(-2*time.Hour, time.Hour) // the extension is over, and all others can still submit, late
		edits := `query($id: ID!) { node(id: $id) { ... on Application { viewerCanEdit } } }`
		if r := ada.Must(edits, vars{"id": id}); r.At("node.viewerCanEdit") != true {
			w.T.Error(r)
		}
		move(time.Hour, 2*time.Hour) // the call was put off afterwards
		if r := ada.Must(submit, input(vars{"applicationId": id})); r.At("submitApplication.application.late") != false {
			w.T.Error(r)
		}
	})
}

func TestWhoWroteAnApplicationDoesNotJudgeIt(t *testing.T) {
	apitest.Each(t, func(w *apitest.World) {
		staff, ada, ben, eve := w.Role(w.Member("staff"), "STAFF"), w.Member("ada"), w.Member("ben"), w.Member("eve")
		w.Space("NETWORK", "Network", ada, ben, eve)
		_, id := draftFor(w, ada)
		for _, who := range []*apitest.Person{ben, eve} {
			ada.Must(addEditor, input(vars{"applicationId": id, "memberId": who.ID}))
		}
		completed(w, ben.Client, id)
		ada.Must(submit, input(vars{"applicationId": id}))
		for _, who := range []*apitest.Person{ben, eve} {
			who.Must(removeEditor, input(vars{"applicationId": id, "memberId": who.ID}))
		}
		r := staff.Must(assign, input(vars{"applicationIds": []gid.ID{id}, "reviewerIds": []gid.ID{ben.ID, eve.ID}}))
		if r.String("assignReviewers.outcomes.0.result") != "CONFLICTED" || r.String("assignReviewers.outcomes.1.result") != "ASSIGNED" {
			w.T.Error(r)
		}
	})
}

// What reviewers say who must not judge counts nowhere, and who cannot sign in any more is not waited for.
func TestAssignmentsThatComeToNothing(t *testing.T) {
	apitest.Each(t, func(w *apitest.World) {
		staff, ada := w.Role(w.Member("staff"), "STAFF"), w.Member("ada")
		one, two, three := w.Member("one"), w.Member("two"), w.Member("three")
		var call, id gid.ID
		w.Tx(func(ctx context.Context, tx *ent.Client) error {
			offering, err := offeringOf(ctx, tx, w)
			if err != nil {
				return err
			}
			if call, err = judgedCallOf(ctx, tx, w, offering, false); err != nil {
				return err
			}
			if id, err = submittedOf(ctx, tx, w, call, ada); err != nil {
				return err
			}
			for _, who := range []*apitest.Person{one, two} {
				a, err := assignedOf(ctx, tx, w, id, who, staff)
				if err != nil {
					return err
				}
				if who == one {
					if _, err := reviewOf(ctx, tx, w, a, 5_000); err != nil {
						return err
					}
				}
			}
			return tx.Member.UpdateOneID(two.ID).SetStatus(member.StatusDEACTIVATED).Exec(ctx)
		})
		look := func(want int) {
			w.T.Helper()
			r := staff.Must(`query($id: ID!) { node(id: $id) { ... on Call { applications(first: 5, filter: { minReviews: 1 }) { edges { node { id } } }
				statistics { submittedReviews } reviewProgress { unfilledCount } } } }`, vars{"id": call})
			if r.Len("node.applications.edges") != want || r.Int("node.statistics.submittedReviews") != want || r.Int("node.reviewProgress.unfilledCount") != 1 {
				w.T.Errorf("not %d: %v", want, r)
			}
		}
		look(1)
		plan := func(want int) {
			w.T.Helper()
			r := staff.Must(spread, input(vars{"callId": call, "reviewerIds": []gid.ID{three.ID, staff.ID}, "dryRun": true}))
			if r.Int("assignBalanced.plan.assignedCount") != want {
				w.T.Error(r)
			}
		}
		plan(1)
		one.Must(declareConflict, input(vars{"applicationId": id}))
		look(0)
		plan(2)
	})
}

func TestABlindReviewerDoesNotLearnWhoWasAdmitted(t *testing.T) {
	apitest.Each(t, func(w *apitest.World) {
		a := newAdmissions(w, 2, 1)
		judge := func(want string) {
			w.T.Helper()
			w.Tx(func(ctx context.Context, tx *ent.Client) error {
				return tx.Call.UpdateOneID(a.call).SetBlind(want == "").Exec(ctx)
			})
			r := a.host.Must(`query($id: ID!) { node(id: $id) { ... on Application { state enrollment { team { name } } } } }`, vars{"id": a.ids[0]})
			if r.String("node.state") != "ADMITTED" || r.String("node.enrollment.team.name") != want {
				w.T.Errorf("%q: %v", want, r)
			}
		}
		a.staff.Must(assign, input(vars{"applicationIds": a.ids, "reviewerIds": []gid.ID{a.host.ID}}))
		a.prepare("ACCEPT")
		a.staff.Must(release, input(vars{"callId": a.call}))
		a.people[0].Must(acceptOffer, input(vars{"applicationId": a.ids[0]}))
		judge("Team")
		judge("")
	})
}
