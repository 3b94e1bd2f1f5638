package apitest_test

import (
	"context"
	"fmt"
	"maps"
	"testing"

	"github.com/pursuing-equity/commons/ent"
	"github.com/pursuing-equity/commons/ent/application"
	"github.com/pursuing-equity/commons/ent/decision"
	"github.com/pursuing-equity/commons/ent/mail"
	"github.com/pursuing-equity/commons/ent/reviewassignment"
	"github.com/pursuing-equity/commons/internal/apitest"
	"github.com/pursuing-equity/commons/internal/gid"
	"github.com/pursuing-equity/commons/internal/review"
)

// bulkOf has staff do something to all applications of the call, and returns how it ended.
func (c *intake) bulkOf(more vars) *apitest.Response {
	c.T.Helper()
	in := vars{"callId": c.call, "filter": vars{}}
	maps.Copy(in, more)
	return over(c.World, c.staff, c.staff.Must(startBulk, input(in)).String("startBulkAction.bulkAction.id"))
}

// dry is the same as a dry run.
func dry(what vars) vars {
	out := maps.Clone(what)
	out["dryRun"] = true
	return out
}

func TestBulkAssignReviewers(t *testing.T) {
	apitest.Each(t, func(w *apitest.World) {
		c := newIntake(w)
		c.grow(40)
		able, torn := w.Member("able"), w.Member("torn")
		reviewable := 0
		var against gid.ID
		for _, a := range c.applications {
			if a.State == application.StateSUBMITTED || a.State == application.StateINFORMATION_REQUESTED {
				reviewable++
				against = a.ID
			}
		}
		c.staff.Must(declareConflict, input(vars{"applicationId": against, "memberId": torn.ID}))
		assigned := func(p *apitest.Person) int {
			return w.App.Store.Client(w.System()).ReviewAssignment.Query().Where(reviewassignment.ReviewerID(p.ID)).CountX(w.System())
		}
		letters := func() map[string]bool { // nobody gets two for one action
			out := map[string]bool{}
			for _, m := range w.App.Store.Client(w.System()).Mail.Query().Where(mail.Template(review.MailAssigned)).AllX(w.System()) {
				if out[m.Data["reviewer"]] {
					t.Errorf("two mails to %s", m.Address)
				}
				out[m.Data["reviewer"]] = true
			}
			return out
		}
		try := vars{"kind": "ASSIGN_REVIEWERS", "reviewerIds": []gid.ID{able.ID, torn.ID}}
		w.T.Run("a dry run says who cannot be assigned, and assigns nobody", func(t *testing.T) {
			if got := c.bulkOf(dry(try)); got.Int("node.done") != 40 || got.Int("node.failureCount") != 40-reviewable+1 || assigned(able)+assigned(torn)+len(letters()) != 0 {
				t.Error(got, assigned(able), letters())
			}
		})
		w.T.Run("each application gets all reviewers or none, and they get one mail", func(t *testing.T) {
			got := c.bulkOf(try)
			if got.Int("node.failureCount") != 40-reviewable+1 || assigned(able) != reviewable-1 || assigned(torn) != reviewable-1 || len(letters()) != 2 {
				t.Error(got, assigned(able), assigned(torn), letters())
			}
			for i := range got.Len("node.failures") {
				if code := got.String(fmt.Sprintf("node.failures.%d.code", i)); code != "FORBIDDEN" {
					t.Error(code)
				}
			}
		})
		w.T.Run("again it changes nothing, and nobody is told", func(t *testing.T) {
			if got := c.bulkOf(try); got.Int("node.failureCount") != 40-reviewable+1 || assigned(able) != reviewable-1 || len(letters()) != 2 {
				t.Error(got, assigned(able), letters())
			}
		})
		w.T.Run("who was assigned before it was cancelled is told", func(t *testing.T) {
			late, stopped := w.Member("late"), w.NewID(gid.BulkAction)
			w.Tx(func(ctx context.Context, tx *ent.Client) error {
				now := w.App.Config.Now()
				err := tx.BulkAction.Create().SetID(stopped).SetCreatedAt(now).SetCallID(c.call).SetActorID(c.staff.ID).SetKind("ASSIGN_REVIEWERS").
					SetInput(map[string]any{"kind": "ASSIGN_REVIEWERS", "reviewers": []string{late.ID.String()}}).SetTargets([]string{against.String(), against.String()}).SetDone(1).
					SetState("RUNNING").SetLeasedUntil(now.Add(1 << 40)).Exec(ctx)
				if err == nil {
					_, err = assignedOf(ctx, tx, w, against, late, c.staff)
				}
				return err
			})
			c.staff.Must(cancelBulk, input(vars{"bulkActionId": stopped}))
			if !letters()[late.ID.String()] {
				t.Error(letters())
			}
		})
		w.T.Run("reviewers are named, each once", func(t *testing.T) {
			for _, ids := range [][]gid.ID{nil, {able.ID, able.ID}} {
				if r := c.staff.Do(startBulk, input(vars{"callId": c.call, "filter": vars{}, "kind": "ASSIGN_REVIEWERS", "reviewerIds": ids})); r.Code() != "INVALID_INPUT" ||
					r.String("startBulkAction.errors.0.path.0") != "reviewerIds" {
					t.Error(r)
				}
			}
			if got := c.bulkOf(vars{"kind": "ASSIGN_REVIEWERS", "reviewerIds": []gid.ID{w.NewID(gid.Member)}}); got.Int("node.failureCount") != 40 || got.String("node.failures.0.code") != "NOT_FOUND" {
				t.Error(got)
			}
		})
	})
}

func TestBulkPrepareDecision(t *testing.T) {
	apitest.Each(t, func(w *apitest.World) {
		c := newIntake(w)
		c.grow(40)
		submitted, taken := 0, 0
		var one *ent.Application
		for _, a := range c.applications {
			if a.State != application.StateSUBMITTED {
				continue
			}
			if submitted++; c.decided[a.ID] {
				taken++
			} else {
				one = a
			}
		}
		prepared := func() int {
			return w.App.Store.Client(w.System()).Decision.Query().Where(decision.KindEQ(decision.KindDECLINE), decision.ReleasedAtIsNil(), decision.SupersededAtIsNil()).CountX(w.System())
		}
		try := vars{"kind": "PREPARE_DECISION", "filter": vars{"states": []string{"SUBMITTED"}}, "decision": "DECLINE", "message": "Too many applied.", "note": "Next year."}
		w.T.Run("a dry run prepares nothing", func(t *testing.T) {
			if got := c.bulkOf(dry(try)); got.Int("node.done") != submitted || got.Int("node.failureCount") != taken || prepared() != 0 {
				t.Error(got, prepared())
			}
		})
		w.T.Run("what somebody has prepared before stays", func(t *testing.T) {
			got := c.bulkOf(try)
			if taken == 0 || got.Int("node.failureCount") != taken || got.String("node.failures.0.code") != "STALE_VERSION" || prepared() != submitted-taken {
				t.Error(got, prepared(), taken)
			}
			r := c.staff.Must(`query($id: ID!) { node(id: $id) { ... on Application { state preparedDecision { kind reason note decider { id } } } } }`, vars{"id": one.ID})
			if r.String("node.preparedDecision.reason") != "Too many applied." || r.String("node.preparedDecision.note") != "Next year." || r.String("node.state") != "SUBMITTED" ||
				r.String("node.preparedDecision.decider.id") != c.staff.ID.String() {
				t.Error(r)
			}
			if r := c.owner.Must(`query($id: ID!) { node(id: $id) { ... on Application { decision { id } preparedDecision { id } } } }`, vars{"id": one.ID}); r.At("node.decision") != nil ||
				r.At("node.preparedDecision") != nil {
				t.Error(r)
			}
		})
		w.T.Run("again it changes nothing; what cannot be decided says so", func(t *testing.T) {
			if got := c.bulkOf(try); got.Int("node.failureCount") != taken || prepared() != submitted-taken {
				t.Error(got, prepared())
			}
			drafts := maps.Clone(try)
			drafts["filter"] = vars{"states": []string{"DRAFT"}}
			if got := c.bulkOf(drafts); got.Int("node.failureCount") != got.Int("node.done") || got.String("node.failures.0.code") != "FORBIDDEN" {
				t.Error(got)
			}
		})
		w.T.Run("what is decided must be said", func(t *testing.T) {
			if r := c.staff.Do(startBulk, input(vars{"callId": c.call, "filter": vars{}, "kind": "PREPARE_DECISION"})); r.Code() != "INVALID_INPUT" ||
				r.String("startBulkAction.errors.0.path.0") != "decision" {
				t.Error(r)
			}
		})
	})
}
