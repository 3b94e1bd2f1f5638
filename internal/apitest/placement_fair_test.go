package apitest_test

import (
	"context"
	"testing"
	"time"

	"github.com/pursuing-equity/commons/ent"
	"github.com/pursuing-equity/commons/ent/application"
	"github.com/pursuing-equity/commons/internal/apitest"
)

func TestWhoDoesNotAnswerInTimeIsDecided(t *testing.T) {
	apitest.Each(t, func(w *apitest.World) {
		a := newAdmissions(w, 2, 2)
		a.prepare("ACCEPT", "DECLINE")
		for _, id := range a.ids {
			a.staff.Must(askMore, input(vars{"applicationId": id, "keys": []string{"why"}, "text": "Why now?", "dueLocal": "2099-01-01T17:00"}))
		}
		if r := a.staff.Must(release, input(vars{"callId": a.call})); r.Int("releaseDecisions.released.heldBack") != 2 || a.state(1) != "INFORMATION_REQUESTED" {
			w.T.Fatal(r)
		}
		w.Tx(func(ctx context.Context, tx *ent.Client) error {
			return tx.Application.UpdateOneID(a.ids[1]).SetInformationDueAt(w.App.Config.Now().Add(-time.Second)).Exec(ctx)
		})
		r := a.staff.Must(release, input(vars{"callId": a.call}))
		if r.Int("releaseDecisions.released.heldBack") != 1 || r.Int("releaseDecisions.released.declined") != 1 || a.state(0) != "INFORMATION_REQUESTED" || a.state(1) != "DECLINED" {
			w.T.Fatal(r)
		}
		asked := a.people[1].Must(`query($id: ID!) { node(id: $id) { ... on Application { informationRequest informationDueAt reopened } } }`, vars{"id": a.ids[1]})
		if asked.String("node.informationRequest") != "" || asked.At("node.informationDueAt") != nil || asked.Len("node.reopened") != 0 {
			w.T.Error(asked)
		}
	})
}

func TestATeamTakesOnePlaceOfACohort(t *testing.T) {
	apitest.Each(t, func(w *apitest.World) {
		a := newAdmissions(w, 2, 1)
		a.people, a.ids = append(a.people, a.people[0]), append(a.ids, a.apply(a.people[0])) // one organization, by its name and by its id
		a.prepare("ACCEPT", "ACCEPT")
		a.staff.Must(release, input(vars{"callId": a.call}))
		a.people[0].Must(acceptOffer, input(vars{"applicationId": a.ids[0]}))
		if r := a.people[0].Do(acceptOffer, input(vars{"applicationId": a.ids[1]})); r.Code() != "ALREADY_EXISTS" || a.state(1) != string(application.StateOFFERED) {
			w.T.Errorf("%v, %s", r, a.state(1))
		}
		if n := w.App.Store.Client(w.System()).Enrollment.Query().CountX(w.System()); n != 1 {
			w.T.Errorf("%d enrollments", n)
		}
	})
}

func TestStaffWithAConflictOfInterestDecideNothing(t *testing.T) {
	apitest.Each(t, func(w *apitest.World) {
		a := newAdmissions(w, 0, 3)
		biased := w.Role(w.Member("biased"), "STAFF")
		a.prepare("DECLINE", "WAITLIST", "WAITLIST")
		w.T.Run("staff recuse themselves, asked to review or not", func(t *testing.T) {
			first := biased.Must(declareConflict, input(vars{"applicationId": a.ids[0]})).String("declareConflict.conflict.id")
			if again := biased.Must(declareConflict, input(vars{"applicationId": a.ids[0], "memberId": biased.ID})); again.String("declareConflict.conflict.id") != first {
				w.T.Error(again)
			}
			biased.Must(declareConflict, input(vars{"applicationId": a.ids[2]}))
			if r := biased.Do(endConflict, input(vars{"conflictId": first})); r.Code() != "FORBIDDEN" {
				w.T.Errorf("who has a conflict says that it is none: %v", r)
			}
		})
		if r := biased.Do(discardDecision, input(vars{"applicationId": a.ids[0], "expectedVersion": 1})); r.Code() != "FORBIDDEN" {
			w.T.Error(r)
		}
		a.staff.Must(release, input(vars{"callId": a.call}))
		if r := biased.Do(moveInWaitlist, input(vars{"applicationId": a.ids[2], "rank": 1})); r.Code() != "FORBIDDEN" || a.waiting() != "1 2" {
			w.T.Error(r, a.waiting())
		}
		a.staff.Must(moveInWaitlist, input(vars{"applicationId": a.ids[2], "rank": 1}))
		if a.waiting() != "2 1" {
			w.T.Error(a.waiting())
		}
	})
}
