package apitest_test

import (
	"context"
	"testing"
	"time"

	"github.com/pursuing-equity/commons/ent"
	"github.com/pursuing-equity/commons/ent/application"
	"github.com/pursuing-equity/commons/internal/apitest"
	"github.com/pursuing-equity/commons/internal/gid"
)

func TestReviewersSeeNothingOfADraft(t *testing.T) {
	apitest.Each(t, func(w *apitest.World) {
		ada, rev, staff := w.Member("ada"), w.Member("rev"), w.Role(w.Member("staff"), "STAFF")
		var id gid.ID
		w.Tx(func(ctx context.Context, tx *ent.Client) error {
			offering, err := offeringOf(ctx, tx, w)
			if err != nil {
				return err
			}
			call, err := judgedCallOf(ctx, tx, w, offering, false)
			if err != nil {
				return err
			}
			if id, err = submittedOf(ctx, tx, w, call, ada); err != nil {
				return err
			}
			if _, err := assignedOf(ctx, tx, w, id, rev, staff); err != nil {
				return err
			}
			return tx.Application.UpdateOneID(id).SetState(application.StateINFORMATION_REQUESTED).SetReopened([]string{"why"}).
				SetInformationDueAt(w.App.Config.Now().Add(1 << 50)).
				SetUpdatedAt(w.App.Config.Now().Add(time.Hour)).Exec(ctx)
		})
		look := func(p *apitest.Person) *apitest.Response {
			return p.Must(`query($id: ID!) { node(id: $id) { ... on Application { updatedAt missing { key } } } }`, vars{"id": id})
		}
		before := look(rev)
		if before.Len("node.missing") != 0 || before.String("node.updatedAt") == "" {
			w.T.Error(before)
		}
		if r := look(staff); r.String("node.updatedAt") == before.String("node.updatedAt") {
			w.T.Error(r)
		}
		ada.Must(saveAnswer, input(vars{"applicationId": id, "key": "why", "value": "Equity", "expectedVersion": 0}))
		ada.Must(saveAnswer, input(vars{"applicationId": id, "key": "why", "value": "", "expectedVersion": 1}))
		if after := look(rev); after.Body != before.Body {
			w.T.Errorf("a reviewer sees what its editors do\n%s\n%s", before.Body, after.Body)
		}
		for who, p := range map[string]*apitest.Person{"an editor": ada, "staff": staff} {
			if r := look(p); r.Len("node.missing") == 0 {
				w.T.Errorf("%s: %v", who, r)
			}
		}
	})
}
