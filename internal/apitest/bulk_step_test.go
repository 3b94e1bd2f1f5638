package apitest_test

import (
	"context"
	"strings"
	"testing"

	"github.com/pursuing-equity/commons/ent"
	"github.com/pursuing-equity/commons/ent/application"
	"github.com/pursuing-equity/commons/ent/bulkaction"
	"github.com/pursuing-equity/commons/internal/apitest"
	"github.com/pursuing-equity/commons/internal/gid"
)

// A bulk action that fails with each of its applications reads and writes as much for the last one as for the first.
func TestBulkActionsTakeEvenSteps(t *testing.T) {
	apitest.Each(t, func(w *apitest.World) {
		const many = 150
		c := newIntake(w)
		c.grow(many)
		id := w.NewID(gid.BulkAction)
		var targets []string
		w.Tx(func(ctx context.Context, tx *ent.Client) error {
			ids, err := tx.Application.Query().Where(application.CallID(c.call)).Order(application.ByNumber()).IDs(ctx)
			if err != nil {
				return err
			}
			for _, a := range ids {
				targets = append(targets, a.String())
			}
			if err := tx.Application.Update().SetState(application.StateWITHDRAWN).Exec(ctx); err != nil {
				return err
			}
			now := w.App.Config.Now()
			return tx.BulkAction.Create().SetID(id).SetCreatedAt(now).SetCallID(c.call).SetActorID(c.staff.ID).SetKind("REMIND").
				SetInput(map[string]any{"kind": "REMIND"}).SetTargets(targets).SetState(bulkaction.StateRUNNING).SetLeasedUntil(now.Add(1 << 50)).Exec(ctx)
		})
		whole := 0
		for _, s := range w.App.Store.Record(func() {
			w.Tx(func(ctx context.Context, tx *ent.Client) error {
				return tx.BulkAction.UpdateOneID(id).ClearLeasedUntil().Exec(ctx)
			})
			if _, err := w.App.Casework.WorkOnce(w.System()); err != nil {
				w.T.Fatal(err)
			}
			over := w.App.Store.Client(w.System()).BulkAction.Query().Where(bulkaction.ID(id), bulkaction.FinishedAtNotNil())
			w.Eventually("it is over", func() bool { return over.ExistX(w.System()) })
		}) {
			if strings.Contains(s.Query, "targets") || strings.Contains(s.Query, "outcomes") {
				whole++
			}
		}
		if whole > 10 {
			w.T.Errorf("%d statements for %d applications read or write something of all of them", whole, many)
		}
		r := c.staff.Must(lookBulk, vars{"id": id, "skip": len(targets) - 2})
		if r.Int("node.failureCount") != len(targets) || r.Int("node.done") != len(targets) || r.Len("node.failures") != 2 ||
			r.String("node.failures.1.application.id") != targets[len(targets)-1] || r.String("node.failures.1.code") != "FORBIDDEN" {
			w.T.Error(r)
		}
		if r := c.staff.Must(lookBulk, vars{"id": id}); r.Len("node.failures") < 2 || r.String("node.failures.0.application.id") != targets[0] {
			w.T.Error(r)
		}
	})
}
