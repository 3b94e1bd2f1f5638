package apitest_test

import (
	"context"
	"testing"
	"time"

	"github.com/pursuing-equity/commons/ent"
	"github.com/pursuing-equity/commons/ent/auditentry"
	"github.com/pursuing-equity/commons/ent/space"
	"github.com/pursuing-equity/commons/internal/apitest"
	"github.com/pursuing-equity/commons/internal/gid"
	"github.com/pursuing-equity/commons/internal/viewer"
)

const (
	addEditor = `mutation($input: AddApplicationEditorInput!) { addApplicationEditor(input: $input) { application { editors { owner member { id } } }
		errors { code message path } } }`
	removeEditor = `mutation($input: RemoveApplicationEditorInput!) { removeApplicationEditor(input: $input) { application { id } errors { code message path } } }`
	transfer     = `mutation($input: TransferApplicationInput!) { transferApplication(input: $input) { application { editors { owner member { id } } }
		errors { code message path } } }`
	followApplication = `subscription($id: ID!, $after: Cursor) { applicationEvents(applicationId: $id, after: $after) { __typename cursor
		... on AnswerSaved { answer { key value version } editor { id } } ... on EditorAdded { member { id } } ... on EditorRemoved { member { id } }
		... on OwnerChanged { member { id } } ... on ApplicationSubmitted { application { state } } ... on ApplicationChanged { application { state } } } }`
)

// drafted is a call that takes applications, and a draft of somebody's to it.
func drafted(w *apitest.World, owner *apitest.Person) (call, application gid.ID) {
	w.Tx(func(ctx context.Context, tx *ent.Client) error {
		offering, err := offeringOf(ctx, tx, w)
		if err != nil {
			return err
		}
		if call, err = callOf(ctx, tx, w, offering); err != nil {
			return err
		}
		application, err = applicationOf(ctx, tx, w, call, owner)
		return err
	})
	return call, application
}

func TestApplicationEditors(t *testing.T) {
	apitest.Each(t, func(w *apitest.World) {
		ada, ben, cyd, staff := w.Member("ada"), w.Member("ben"), w.Member("cyd"), w.Role(w.Member("staff"), "STAFF")
		stranger := w.Member("stranger")
		w.Space(space.KindNETWORK, "Network", ada, ben, cyd)
		_, id := drafted(w, ada)
		with := func(who *apitest.Person) vars { return input(vars{"applicationId": id, "memberId": who.ID}) }

		w.T.Run("only the owner adds editors, and only whom they can see", func(t *testing.T) {
			if r := ben.Do(addEditor, with(cyd)); r.Code() != "NOT_FOUND" {
				t.Error(r)
			}
			if r := staff.Do(addEditor, with(cyd)); r.Code() != "FORBIDDEN" {
				t.Error(r)
			}
			there, none := ada.Do(addEditor, with(stranger)), ada.Do(addEditor, input(vars{"applicationId": id, "memberId": w.NewID(gid.Member)}))
			if there.Code() != "NOT_FOUND" || none.Code() != "NOT_FOUND" {
				t.Error(there, none)
			}
			if r := ada.Do(addEditor, input(vars{"applicationId": id})); r.Code() != "INVALID_INPUT" {
				t.Error(r)
			}
			ada.Must(addEditor, input(vars{"applicationId": id, "handle": ben.Handle}))
			if r := ada.Must(addEditor, with(ben)); r.Len("addApplicationEditor.application.editors") != 2 || r.At("addApplicationEditor.application.editors.0.owner") != true {
				t.Error(r)
			}
			if r := ben.Do(addEditor, with(cyd)); r.Code() != "FORBIDDEN" {
				t.Error(r)
			}
		})
		w.T.Run("editors write together and see each other's answers as they come; who is removed sees no more at once", func(t *testing.T) {
			hers, his := ada.Subscribe(followApplication, vars{"id": id}), ben.Subscribe(followApplication, vars{"id": id})
			w.Eventually("both are open", func() bool { n, _ := w.App.Events.Subscriptions(); return n == 2 })
			if r := cyd.FirstOf(`subscription($id: ID!) { applicationEvents(applicationId: $id) { cursor } }`, vars{"id": id}); r != "NOT_FOUND" {
				t.Error(r)
			}
			ben.Must(saveAnswer, input(vars{"applicationId": id, "key": "why", "value": "Equity", "expectedVersion": 0}))
			first := hers.Next()
			if first.String("applicationEvents.__typename") != "AnswerSaved" || first.String("applicationEvents.editor.id") != ben.ID.String() ||
				first.String("applicationEvents.answer.value") != "Equity" {
				t.Fatal(first)
			}
			his.Next()
			ada.Must(removeEditor, with(ben))
			if got := hers.Next(); got.String("applicationEvents.__typename") != "EditorRemoved" || got.String("applicationEvents.member.id") != ben.ID.String() {
				t.Error(got)
			}
			if code := his.Failure(); code != "NOT_FOUND" {
				t.Errorf("his subscription ended with %q", code)
			}
			if r := ben.Do(lookApplication, vars{"id": id}); r.Code() != "NOT_FOUND" {
				t.Error(r)
			}
			if r := ben.Do(saveAnswer, input(vars{"applicationId": id, "key": "why", "value": "Later", "expectedVersion": 1})); r.Code() != "NOT_FOUND" {
				t.Error(r)
			}
			resumed := ada.Subscribe(followApplication, vars{"id": id, "after": first.String("applicationEvents.cursor")})
			if got := resumed.Next(); got.String("applicationEvents.__typename") != "EditorRemoved" {
				t.Error(got)
			}
		})
		w.T.Run("there is one owner always: they hand over before they leave, and staff can for them", func(t *testing.T) {
			if r := ada.Do(removeEditor, with(ada)); r.Code() != "FORBIDDEN" {
				t.Error(r)
			}
			if r := ada.Do(transfer, with(ben)); r.Code() != "NOT_FOUND" {
				t.Error(r)
			}
			ada.Must(addEditor, with(ben))
			ada.Must(addEditor, with(cyd))
			if r := cyd.Do(transfer, with(cyd)); r.Code() != "FORBIDDEN" {
				t.Error(r)
			}
			ada.Must(transfer, with(ben))
			if r := staff.Must(transfer, with(cyd)); r.String("transferApplication.application.editors.0.member.id") != cyd.ID.String() || r.At("transferApplication.application.editors.1.owner") != false {
				t.Error(r)
			}
			staff.Must(transfer, with(cyd))
			if r := ada.Must(removeEditor, with(ada)); r.At("removeApplicationEditor.application") != nil {
				t.Error(r)
			}
			ctx := viewer.NewContext(w.T.Context(), viewer.System("test"))
			if n, err := w.App.Store.Client(ctx).AuditEntry.Query().Where(auditentry.Action("APPLICATION_HANDED_OVER")).Count(ctx); err != nil || n != 2 {
				t.Error(n, err)
			}
		})
		w.T.Run("an application has twenty editors, and those of an organization have a post there", func(t *testing.T) {
			w.Tx(func(ctx context.Context, tx *ent.Client) error {
				now, o := w.App.Config.Now(), w.NewID(gid.Organization)
				if err := tx.Organization.Create().SetID(o).SetCreatedAt(now).SetUpdatedAt(now).SetName("O").SetKind("CLINIC").Exec(ctx); err != nil {
					return err
				}
				if err := tx.Affiliation.Create().SetID(w.NewID(gid.Affiliation)).SetCreatedAt(now).SetMemberID(ada.ID).SetOrganizationID(o).SetEndsOn(now.Add(-1000 * time.Hour)).Exec(ctx); err != nil {
					return err
				}
				return tx.Application.UpdateOneID(id).SetOrganizationID(o).Exec(ctx)
			})
			if r := cyd.Do(addEditor, with(ada)); r.Code() != "INVALID_INPUT" || r.String("addApplicationEditor.errors.0.path.0") != "memberId" {
				t.Error(r)
			}
		})
	})
}
