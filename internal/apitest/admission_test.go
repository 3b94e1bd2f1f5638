package apitest_test

import (
	"context"
	"testing"
	"time"

	"github.com/pursuing-equity/commons/ent"
	"github.com/pursuing-equity/commons/ent/application"
	"github.com/pursuing-equity/commons/ent/schema"
	"github.com/pursuing-equity/commons/internal/apitest"
	"github.com/pursuing-equity/commons/internal/community"
	"github.com/pursuing-equity/commons/internal/gid"
)

const (
	startApplication = `mutation($input: StartApplicationInput!) { startApplication(input: $input) { application { id state organizationName viewerCanEdit missing { key signer code } call { state questions { key } } }
		errors { code message path } } }`
	saveAnswer = `mutation($input: SaveAnswerInput!) { saveAnswer(input: $input) { application { id missing { key } } answer { key value version } errors { code message path } } }`
	submit     = `mutation($input: SubmitApplicationInput!) { submitApplication(input: $input) { application { id state late submittedAt submissionHash missing { key } viewerCanEdit answers { key value } }
		errors { code message path } } }`
	withdraw        = `mutation($input: WithdrawApplicationInput!) { withdrawApplication(input: $input) { application { state } errors { code message path } } }`
	lookApplication = `query($id: ID!) { node(id: $id) { ... on Application { id organizationName teamName state answers { key value } } } }`
)

// callOf is a published call to an offering that is open for ten hours and then late for two. Its form asks why, how many and for consent.
func callOf(ctx context.Context, tx *ent.Client, w *apitest.World, offering gid.ID, requirements ...schema.Requirement) (gid.ID, error) {
	now, id := w.App.Config.Now(), w.NewID(gid.Call)
	err := tx.Call.Create().SetID(id).SetCreatedAt(now).SetOfferingID(offering).SetOpensAt(now.Add(-time.Hour)).SetDueAt(now.Add(10 * time.Hour)).
		SetClosesAt(now.Add(12 * time.Hour)).SetTimeZone("America/New_York").SetRequirements(requirements).SetPublishedAt(now).SetFormVersion(1).Exec(ctx)
	if err != nil {
		return id, err
	}
	least := 3.0
	return id, tx.FormVersion.Create().SetID(w.NewID(gid.FormVersion)).SetCreatedAt(now).SetUpdatedAt(now).SetPublishedAt(now).SetCallID(id).SetNumber(1).
		SetQuestions([]schema.Question{
			{Key: "why", Kind: "TEXT", Label: "Why?", Required: true, MinLength: 5, MaxLength: 60},
			{Key: "people", Kind: "NUMBER", Label: "How many?", Min: &least},
			{Key: "agree", Kind: "CONSENT", Label: "Do you agree?", Required: true},
		}).Exec(ctx)
}

// applicationOf is a draft that somebody owns.
func applicationOf(ctx context.Context, tx *ent.Client, w *apitest.World, call gid.ID, owner *apitest.Person) (gid.ID, error) {
	now, id := w.App.Config.Now(), w.NewID(gid.Application)
	n, err := tx.Call.Get(ctx, call)
	if err != nil {
		return id, err
	}
	if err := tx.Call.UpdateOne(n).SetLastNumber(n.LastNumber + 1).Exec(ctx); err != nil {
		return id, err
	}
	err = tx.Application.Create().SetID(id).SetCreatedAt(now).SetUpdatedAt(now).SetCallID(call).SetOrganizationName("Clinic").SetTeamName(id.String()).
		SetNumber(n.LastNumber + 1).Exec(ctx)
	if err != nil {
		return id, err
	}
	return id, tx.ApplicationEditor.Create().SetID(w.NewID(gid.ApplicationEditor)).SetCreatedAt(now.Add(-48 * time.Hour)).SetApplicationID(id).SetMemberID(owner.ID).
		SetOwner(true).SetAddedByID(owner.ID).Exec(ctx)
}

// offeringOf is an offering of a program of its own.
func offeringOf(ctx context.Context, tx *ent.Client, w *apitest.World) (gid.ID, error) {
	now, program, offering := w.App.Config.Now(), w.NewID(gid.Program), w.NewID(gid.Offering)
	if err := tx.Program.Create().SetID(program).SetCreatedAt(now).SetSlug("p").SetName("Program").SetStartsOn(now).SetEndsOn(now).Exec(ctx); err != nil {
		return offering, err
	}
	return offering, tx.Offering.Create().SetID(offering).SetCreatedAt(now).SetProgramID(program).SetSlug("o").SetName("Offering").
		SetSupports(nil).SetFeeAmount(0).SetFeeCurrency("USD").SetTeamCapacity(10).Exec(ctx)
}

func TestApplications(t *testing.T) {
	later(t, func(w *apitest.World, pass func(time.Duration)) {
		ada, eve, staff, reviewer := w.Member("ada"), w.Member("eve"), w.Role(w.Member("staff"), "STAFF"), w.Member("reviewer")
		o, err := w.App.Community.CreateOrganization(staff.Context(), staff.Viewer, community.NewOrganization{Name: "Clinic", Kind: "CLINIC"})
		if err != nil {
			w.T.Fatal(err)
		}
		var learning, action gid.ID
		w.Tx(func(ctx context.Context, tx *ent.Client) error {
			offering, err := offeringOf(ctx, tx, w)
			if err != nil {
				return err
			}
			if learning, err = callOf(ctx, tx, w, offering, schema.Requirement{Key: "form", Kind: "FORM", Label: "Form"}); err != nil {
				return err
			}
			action, err = callOf(ctx, tx, w, offering, schema.Requirement{Key: "letter", Kind: "LETTER", Label: "Letter", Signers: []string{"CEO", "BOARD_CHAIR"}})
			if err != nil {
				return err
			}
			now := w.App.Config.Now() // tokens live for an hour
			if err := tx.Call.Update().SetDueAt(now.Add(20 * time.Minute)).SetClosesAt(now.Add(40 * time.Minute)).Exec(ctx); err != nil {
				return err
			}
			return tx.Affiliation.Create().SetID(w.NewID(gid.Affiliation)).SetCreatedAt(now).SetMemberID(ada.ID).SetOrganizationID(o.ID).Exec(ctx)
		})
		var id string
		say := func(key, value string, version int) *apitest.Response {
			return ada.Must(saveAnswer, input(vars{"applicationId": id, "key": key, "value": value, "expectedVersion": version}))
		}
		w.T.Run("who has a post at an organization applies for it, and others do not learn that it is there", func(t *testing.T) {
			in := vars{"callId": learning, "organizationId": o.ID, "teamName": "North", "idempotencyKey": "k"}
			begun := ada.Must(startApplication, input(in))
			id = begun.String("startApplication.application.id")
			if begun.String("startApplication.application.organizationName") != "Clinic" || begun.At("startApplication.application.viewerCanEdit") != true ||
				begun.Len("startApplication.application.missing") != 2 || begun.Len("startApplication.application.call.questions") != 3 {
				t.Fatal(begun)
			}
			if again := ada.Must(startApplication, input(in)); again.String("startApplication.application.id") != id {
				t.Fatal(again)
			}
			if r := ada.Do(startApplication, input(vars{"callId": learning, "organizationId": o.ID, "teamName": "north"})); r.Code() != "ALREADY_EXISTS" {
				t.Fatal(r)
			}
			there := eve.Do(startApplication, input(vars{"callId": learning, "organizationId": o.ID}))
			none := eve.Do(startApplication, input(vars{"callId": learning, "organizationId": w.NewID(gid.Organization)}))
			if there.Code() != "NOT_FOUND" || there.Code() != none.Code() {
				t.Fatal(there, none)
			}
		})
		w.T.Run("answers are checked by the form, and nobody overwrites another's", func(t *testing.T) {
			for key, value := range map[string]string{"people": "two", "agree": "no", "none": "x", "why": "1234567890123456789012345678901234567890123456789012345678901"} {
				if r := ada.Do(saveAnswer, input(vars{"applicationId": id, "key": key, "value": value, "expectedVersion": 0})); r.Code() != "INVALID_INPUT" {
					t.Errorf("%s: %v", key, r)
				}
			}
			if r := ada.Do(saveAnswer, input(vars{"applicationId": id, "key": "people", "value": "2", "expectedVersion": 0})); r.Code() != "INVALID_INPUT" {
				t.Error(r)
			}
			say("why", "Eq", 0)
			if r := say("why", "Eq", 0); r.At("saveAnswer.answer.version") != 1.0 {
				t.Error(r)
			}
			r := ada.Do(saveAnswer, input(vars{"applicationId": id, "key": "why", "value": "Mine", "expectedVersion": 0}))
			if r.Code() != "STALE_VERSION" || r.String("saveAnswer.answer.value") != "Eq" {
				t.Error(r)
			}
		})
		w.T.Run("outsiders find nothing, and staff read and do not write", func(t *testing.T) {
			if r := eve.Do(lookApplication, vars{"id": id}); r.Code() != "NOT_FOUND" {
				t.Error(r)
			}
			if r := staff.Must(lookApplication, vars{"id": id}); r.String("node.teamName") != "North" {
				t.Error(r)
			}
			for who, code := range map[*apitest.Person]string{eve: "NOT_FOUND", staff: "FORBIDDEN"} {
				if r := who.Do(saveAnswer, input(vars{"applicationId": id, "key": "why", "value": "Theirs", "expectedVersion": 1})); r.Code() != code {
					t.Error(r)
				}
				if r := who.Do(submit, input(vars{"applicationId": id})); r.Code() != code {
					t.Error(r)
				}
			}
		})
		w.T.Run("it is refused with each part that is missing, and then frozen", func(t *testing.T) {
			if r := ada.Do(submit, input(vars{"applicationId": id})); r.Code() != "INVALID_INPUT" || r.Len("submitApplication.errors") != 2 ||
				r.String("submitApplication.errors.0.path.1") != "why" || r.String("submitApplication.errors.1.path.1") != "agree" {
				t.Fatal(r)
			}
			say("why", "Equity in care", 1)
			say("agree", "yes", 0)
			r := ada.Must(submit, input(vars{"applicationId": id, "idempotencyKey": "s"}))
			if r.String("submitApplication.application.state") != "SUBMITTED" || r.At("submitApplication.application.late") != false ||
				len(r.String("submitApplication.application.submissionHash")) != 64 || r.At("submitApplication.application.viewerCanEdit") != false {
				t.Fatal(r)
			}
			ada.Must(submit, input(vars{"applicationId": id, "idempotencyKey": "s"}))
			if r := ada.Do(submit, input(vars{"applicationId": id})); r.Code() != "ALREADY_EXISTS" {
				t.Error(r)
			}
			if r := ada.Do(saveAnswer, input(vars{"applicationId": id, "key": "why", "value": "Later words", "expectedVersion": 2})); r.Code() != "FORBIDDEN" {
				t.Error(r)
			}
		})
		w.T.Run("a reviewer reads what they are to review, until a conflict of interest is found", func(t *testing.T) {
			at := must(t, id)
			w.Tx(func(ctx context.Context, tx *ent.Client) error {
				now := w.App.Config.Now()
				a, err := tx.Application.Query().Where(application.StateEQ(application.StateSUBMITTED)).Only(ctx)
				if err != nil {
					return err
				}
				return tx.ReviewAssignment.Create().SetID(w.NewID(gid.ReviewAssignment)).SetCreatedAt(now).SetUpdatedAt(now).SetApplicationID(a.ID).
					SetReviewerID(reviewer.ID).SetAssignedByID(staff.ID).Exec(ctx)
			})
			if r := reviewer.Must(lookApplication, vars{"id": at}); r.Len("node.answers") != 2 {
				t.Fatal(r)
			}
			w.Tx(func(ctx context.Context, tx *ent.Client) error { // a post that has ended
				long := w.App.Config.Now().Add(-10_000 * time.Hour)
				return tx.Affiliation.Create().SetID(w.NewID(gid.Affiliation)).SetCreatedAt(long).SetMemberID(reviewer.ID).SetOrganizationID(o.ID).
					SetStartsOn(long).SetEndsOn(long).Exec(ctx)
			})
			if r := reviewer.Do(lookApplication, vars{"id": at}); r.Code() != "NOT_FOUND" {
				t.Fatal(r)
			}
			if r := reviewer.Must(`{ applications(first: 10) { edges { node { id } } } }`, nil); r.Len("applications.edges") != 0 {
				t.Fatal(r)
			}
		})
		w.T.Run("without the letters it is refused, late it is marked, and closed it is closed", func(t *testing.T) {
			complete := func(call gid.ID) string {
				r := eve.Must(startApplication, input(vars{"callId": call, "organizationName": "Care", "organizationKind": "PAYER"}))
				of := r.String("startApplication.application.id")
				eve.Must(saveAnswer, input(vars{"applicationId": of, "key": "why", "value": "Equity", "expectedVersion": 0}))
				eve.Must(saveAnswer, input(vars{"applicationId": of, "key": "agree", "value": "yes", "expectedVersion": 0}))
				return of
			}
			letterless, other := complete(action), complete(learning)
			r := eve.Do(submit, input(vars{"applicationId": letterless}))
			if r.Code() != "INVALID_INPUT" || r.Len("submitApplication.errors") != 2 || r.String("submitApplication.errors.1.path.2") != "BOARD_CHAIR" {
				t.Fatal(r)
			}
			pass(21 * time.Minute)
			if r := eve.Must(submit, input(vars{"applicationId": other})); r.At("submitApplication.application.late") != true {
				t.Fatal(r)
			}
			if r := eve.Must(withdraw, input(vars{"applicationId": other})); r.String("withdrawApplication.application.state") != "WITHDRAWN" {
				t.Fatal(r)
			}
			pass(20 * time.Minute)
			for _, r := range []*apitest.Response{
				eve.Do(submit, input(vars{"applicationId": letterless})),
				eve.Do(saveAnswer, input(vars{"applicationId": letterless, "key": "why", "value": "Too late", "expectedVersion": 1})),
				eve.Do(startApplication, input(vars{"callId": action, "organizationName": "New", "organizationKind": "PAYER"})),
			} {
				if r.Code() != "CALL_CLOSED" {
					t.Error(r)
				}
			}
		})
	})
}
