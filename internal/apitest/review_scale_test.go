package apitest_test

import (
	"context"
	"testing"
	"time"

	"github.com/pursuing-equity/commons/ent"
	"github.com/pursuing-equity/commons/ent/application"
	"github.com/pursuing-equity/commons/internal/apitest"
	"github.com/pursuing-equity/commons/internal/gid"
	"github.com/pursuing-equity/commons/internal/server"
)

// judge gives a call so many more applications, each with the reviews of three of the reviewers in turn.
func judge(w *apitest.World, call gid.ID, owner *apitest.Person, reviewers []*apitest.Person, applications int) {
	w.T.Helper()
	const batch = 500
	now := w.App.Config.Now()
	w.Tx(func(ctx context.Context, tx *ent.Client) error {
		c, err := tx.Call.Get(ctx, call)
		if err != nil {
			return err
		}
		var as []*ent.ApplicationCreate
		var asks []*ent.ReviewAssignmentCreate
		var says []*ent.ReviewCreate
		for n := range applications {
			id := w.NewID(gid.Application)
			as = append(as, tx.Application.Create().SetID(id).SetCreatedAt(now).SetUpdatedAt(now).SetCallID(call).SetNumber(c.LastNumber+n+1).
				SetOrganizationName("Clinic").SetState(application.StateSUBMITTED).SetSubmissions(1).SetSubmittedAt(now))
			for i := range 3 {
				asked := w.NewID(gid.ReviewAssignment)
				asks = append(asks, tx.ReviewAssignment.Create().SetID(asked).SetCreatedAt(now).SetUpdatedAt(now).SetApplicationID(id).
					SetReviewerID(reviewers[(n+i)%len(reviewers)].ID).SetAssignedByID(owner.ID).SetState("COMPLETED"))
				says = append(says, tx.Review.Create().SetID(w.NewID(gid.Review)).SetCreatedAt(now).SetUpdatedAt(now).SetAssignmentID(asked).SetScores(nil).
					SetPoints((n*37+i*1_500)%10_001).SetSubmittedAt(now))
			}
			if len(as) == batch/4 || n == applications-1 {
				if err := tx.Application.CreateBulk(as...).Exec(ctx); err != nil {
					return err
				}
				if err := tx.ReviewAssignment.CreateBulk(asks...).Exec(ctx); err != nil {
					return err
				}
				if err := tx.Review.CreateBulk(says...).Exec(ctx); err != nil {
					return err
				}
				as, asks, says = nil, nil, nil
			}
		}
		return tx.Call.UpdateOne(c).SetLastNumber(c.LastNumber + applications).Exec(ctx)
	})
}

// The figures of a call take as many statements for 2,000 applications with three reviews each as for two, and little time.
func TestReviewFigures(t *testing.T) {
	now := time.Now().UTC().Truncate(time.Microsecond) // it stands still: so a sign-in that was looked up once is known
	apitest.Each(t, func(w *apitest.World) {
		staff := w.Role(w.Member("staff"), "STAFF")
		reviewers := []*apitest.Person{w.Member("one"), w.Member("two"), w.Member("three"), w.Member("four"), w.Member("five")}
		var call gid.ID
		w.Tx(func(ctx context.Context, tx *ent.Client) error {
			offering, err := offeringOf(ctx, tx, w)
			if err == nil {
				call, err = judgedCallOf(ctx, tx, w, offering, false)
			}
			return err
		})
		const mine = `{ myReviewAssignments(first: 100) { edges { node { conflicted conflictReasons application { number organizationName answers { key } } review { points } } } } }`
		ask := func() (figured, listed int64) {
			return w.LeastStatements(func() { staff.Must(figures, vars{"id": call}) }), w.LeastStatements(func() { reviewers[0].Must(mine, nil) })
		}
		judge(w, call, staff, reviewers, 5)
		figured, listed := ask()
		judge(w, call, staff, reviewers, 1_995)
		began := time.Now()
		r := staff.Must(figures, vars{"id": call})
		took := time.Since(began)
		if r.Int("node.reviewCalibration.count") != 6_000 || r.Len("node.reviewCalibration.reviewers") != 5 || r.Len("node.reviewCalibration.applications") != 20 {
			w.T.Error(r)
		}
		if f, l := ask(); f != figured || l != listed {
			w.T.Errorf("%d and %d statements, not %d and %d as with five applications", f, l, figured, listed)
		}
		w.T.Logf("progress and calibration of 6,000 reviews took %v and %d statements", took, figured)
		if took > 5*time.Second*raceFactor {
			w.T.Errorf("it took %v", took)
		}
		began = time.Now()
		r = staff.Must(spread, input(vars{"callId": call, "dryRun": true, "reviewerIds": []gid.ID{reviewers[0].ID, reviewers[1].ID}}))
		w.T.Logf("a plan for 2,000 applications took %v", time.Since(began))
		if r.Int("assignBalanced.plan.assignedCount") != 0 || r.Int("assignBalanced.plan.unfilledCount") != 0 {
			w.T.Error(r)
		}
	}, apitest.Clock(func() time.Time { return now }), apitest.Limits(server.Limits{Deadline: 10 * time.Second * raceFactor}))
}
