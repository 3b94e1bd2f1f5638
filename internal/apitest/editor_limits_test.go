package apitest_test

import (
	"fmt"
	"testing"

	"github.com/pursuing-equity/commons/ent/auditentry"
	"github.com/pursuing-equity/commons/ent/mail"
	"github.com/pursuing-equity/commons/ent/space"
	"github.com/pursuing-equity/commons/internal/apitest"
)

func TestEditorsComeAndGo(t *testing.T) {
	apitest.Each(t, func(w *apitest.World) {
		ada, ben := w.Member("ada"), w.Member("ben")
		w.Space(space.KindNETWORK, "Network", ada, ben)
		call, id := drafted(w, ada)
		client := w.App.Store.Client(w.System())
		w.T.Run("who is added and removed over and over has one mail, and each time is in the audit log", func(t *testing.T) {
			with := input(vars{"applicationId": id, "memberId": ben.ID})
			for range 3 {
				ada.Must(addEditor, with)
				ada.Must(removeEditor, with)
			}
			mails := 0
			for _, m := range client.Mail.Query().Where(mail.Address(ben.Handle + "@example.org")).AllX(w.System()) {
				if m.Data["kind"] == "editor" {
					mails++
				}
			}
			if mails != 1 {
				t.Errorf("%d mails", mails)
			}
			for _, action := range []string{"EDITOR_ADDED", "EDITOR_REMOVED"} {
				if n := client.AuditEntry.Query().Where(auditentry.Action(action), auditentry.SubjectID(id), auditentry.ActorID(ada.ID), auditentry.Reason(ben.ID.String())).CountX(w.System()); n != 3 {
					t.Errorf("%s: %d entries", action, n)
				}
			}
		})
		w.T.Run("what was handed over since counts to the ten that one starts in a day", func(t *testing.T) {
			for n := range 11 {
				r := ada.Do(startApplication, input(vars{"callId": call, "organizationName": "Care", "organizationKind": "PAYER", "teamName": fmt.Sprint(n)}))
				if n == 10 {
					if r.Code() != "LIMIT_REACHED" {
						t.Error(r)
					}
					return
				}
				started := must(t, r.String("startApplication.application.id"))
				ada.Must(addEditor, input(vars{"applicationId": started, "memberId": ben.ID}))
				ada.Must(transfer, input(vars{"applicationId": started, "memberId": ben.ID}))
				ada.Must(removeEditor, input(vars{"applicationId": started, "memberId": ada.ID}))
			}
		})
	})
}
