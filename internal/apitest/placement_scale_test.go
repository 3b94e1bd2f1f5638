package apitest_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/pursuing-equity/commons/ent"
	"github.com/pursuing-equity/commons/ent/application"
	"github.com/pursuing-equity/commons/ent/decision"
	"github.com/pursuing-equity/commons/ent/mail"
	"github.com/pursuing-equity/commons/internal/apitest"
	"github.com/pursuing-equity/commons/internal/apitest/database"
	"github.com/pursuing-equity/commons/internal/gid"
)

// decided makes applications to a call of which every third is accepted, waits or is declined, in preparation.
func (a *admissions) decided(call gid.ID, many int) {
	for from := 0; from < many; from += 500 {
		a.Tx(func(ctx context.Context, tx *ent.Client) error {
			now := a.App.Config.Now()
			var apps []*ent.ApplicationCreate
			var editors []*ent.ApplicationEditorCreate
			var decisions []*ent.DecisionCreate
			for i := from; i < min(many, from+500); i++ {
				id := a.NewID(gid.Application)
				apps = append(apps, tx.Application.Create().SetID(id).SetCreatedAt(now).SetUpdatedAt(now).SetCallID(call).SetOrganizationName(fmt.Sprint("Clinic ", i)).
					SetNumber(i+1).SetState(application.StateSUBMITTED).SetSubmissions(1).SetSubmittedAt(now))
				editors = append(editors, tx.ApplicationEditor.Create().SetID(a.NewID(gid.ApplicationEditor)).SetCreatedAt(now).SetApplicationID(id).
					SetMemberID(a.host.ID).SetOwner(true).SetAddedByID(a.host.ID))
				decisions = append(decisions, tx.Decision.Create().SetID(a.NewID(gid.Decision)).SetCreatedAt(now).SetUpdatedAt(now).SetApplicationID(id).SetCallID(call).
					SetKind([]decision.Kind{decision.KindACCEPT, decision.KindWAITLIST, decision.KindDECLINE}[i%3]).SetDeciderID(a.staff.ID))
			}
			if err := tx.Application.CreateBulk(apps...).Exec(ctx); err != nil {
				return err
			}
			if err := tx.ApplicationEditor.CreateBulk(editors...).Exec(ctx); err != nil {
				return err
			}
			return tx.Decision.CreateBulk(decisions...).Exec(ctx)
		})
	}
}

// Two thousand decisions are released in one transaction, in about as many statements as a few.
func TestTwoThousandDecisionsAreReleased(t *testing.T) {
	apitest.Each(t, func(w *apitest.World) {
		const many = 2_000
		a := newAdmissions(w, 0, 0)
		few := a.newCall(10)
		a.decided(few, 6)
		a.call = a.newCall(many)
		a.decided(a.call, many)
		some := w.Statements(func() { a.staff.Must(release, input(vars{"callId": few})) })
		began := time.Now()
		all := w.Statements(func() { a.staff.Must(release, input(vars{"callId": a.call})) })
		took := time.Since(began)
		ctx := w.System()
		for state, want := range map[application.State]int{application.StateOFFERED: 1334, application.StateWAITLISTED: 0, application.StateDECLINED: 666} {
			if n := w.App.Store.Client(ctx).Application.Query().Where(application.CallID(a.call), application.StateEQ(state)).CountX(ctx); n != want {
				t.Errorf("%d are %s, want %d", n, state, want)
			}
		}
		if n := w.App.Store.Client(ctx).Mail.Query().Where(mail.Template("decision")).CountX(ctx); n != many+667+6+2 { // the waitlist got places at once, and is told of both
			t.Errorf("%d mails", n)
		}
		t.Logf("%d decisions in %v and %d statements; 6 in %d", many, took, all, some)
		if all > some+20 || took > 10*time.Second*time.Duration(raceFactor) {
			t.Errorf("%d decisions took %v and %d statements, 6 took %d", many, took, all, some)
		}
	})
}

// Offers end and their places are offered again once, however often the server that does it is killed on the way.
func TestEndingOffersSurvivesKills(t *testing.T) {
	database.Each(t, func(t *testing.T, url string) {
		const many = 120
		v := newVictim(t, url)
		a := &admissions{World: v.World, staff: v.Member("staff"), host: v.Member("host")}
		v.Tx(func(ctx context.Context, tx *ent.Client) (err error) {
			if a.offering, err = offeringOf(ctx, tx, v.World); err != nil {
				return err
			}
			a.cohort = v.NewID(gid.Cohort)
			now := v.App.Config.Now()
			return tx.Cohort.Create().SetID(a.cohort).SetCreatedAt(now).SetUpdatedAt(now).SetOfferingID(a.offering).SetName("C").SetStartsOn(now).SetEndsOn(now).Exec(ctx)
		})
		for range many { // each with an offer that lapsed, and one who waits
			call := a.newCall(1)
			a.decided(call, 2)
			v.Tx(func(ctx context.Context, tx *ent.Client) error {
				now := v.App.Config.Now()
				for kind, state := range map[decision.Kind]application.State{decision.KindACCEPT: application.StateOFFERED, decision.KindWAITLIST: application.StateWAITLISTED} {
					d, err := tx.Decision.Query().Where(decision.CallID(call), decision.KindEQ(kind)).Only(ctx)
					if err != nil {
						return err
					}
					u := tx.Decision.UpdateOne(d).SetReleasedAt(now.Add(-time.Hour))
					if kind == decision.KindACCEPT {
						u.SetExpiresAt(now.Add(-time.Minute))
					} else {
						u.SetRank(1)
					}
					if err := u.Exec(ctx); err != nil {
						return err
					}
					if err := tx.Application.UpdateOneID(d.ApplicationID).SetState(state).Exec(ctx); err != nil {
						return err
					}
				}
				return tx.Call.UpdateOneID(call).SetReleasedAt(now).Exec(ctx)
			})
		}
		client := v.App.Store.Client(v.System())
		ended := func() int {
			return client.Application.Query().Where(application.StateEQ(application.StateOFFER_EXPIRED)).CountX(v.System())
		}
		amidst := 0
		for _, n := range []int{5, many / 3, 2 * many / 3} {
			if got := v.killAt(n, ended); got > 0 && got < many {
				amidst++
			}
		}
		if amidst == 0 {
			t.Error("it was never killed in the middle: this proves nothing")
		}
		must0(t, v.server.Start(t.Context()))
		v.until("all offers have ended", func() bool { return ended() == many })
		must0(t, v.server.Kill())
		offers := client.Decision.Query().Where(decision.KindEQ(decision.KindACCEPT), decision.AnswerIsNil()).CountX(v.System())
		offered := client.Application.Query().Where(application.StateEQ(application.StateOFFERED)).CountX(v.System())
		mails := client.Mail.Query().Where(mail.Template("decision")).CountX(v.System())
		if offers != many || offered != many || mails != 2*many {
			t.Errorf("%d offers, %d offered, %d mails; want %d and %d", offers, offered, mails, many, 2*many)
		}
		t.Logf("killed in the middle %d times of 3", amidst)
	})
}
