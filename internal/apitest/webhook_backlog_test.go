package apitest_test

import (
	"context"
	"testing"
	"time"

	"github.com/pursuing-equity/commons/ent"
	"github.com/pursuing-equity/commons/ent/roleassignment"
	"github.com/pursuing-equity/commons/ent/webhookdelivery"
	"github.com/pursuing-equity/commons/internal/apitest"
	"github.com/pursuing-equity/commons/internal/gid"
)

// An endpoint that very much waits for is disabled at once. The rest is given up by and by.
func TestDisablingWithABacklog(t *testing.T) {
	apitest.Each(t, func(w *apitest.World) {
		staff := w.Role(w.Member("staff"), roleassignment.RoleSTAFF)
		id, _ := endpoint(w, staff, newReceiver(w.T, nil).URL, "SPACE_CREATED")
		c := w.App.Store.Client(w.System())
		later := w.App.Config.Now().Add(time.Hour)
		const many, part = 5500, 500
		for range many / part {
			w.Tx(func(ctx context.Context, tx *ent.Client) error {
				rows := make([]*ent.WebhookDeliveryCreate, part)
				for i := range rows {
					rows[i] = tx.WebhookDelivery.Create().SetID(w.NewID(gid.WebhookDelivery)).SetCreatedAt(w.App.Config.Now()).SetEndpointID(must(w.T, id)).
						SetEvent("SPACE_CREATED").SetPayload(map[string]any{"type": "space.created"}).SetNextAt(later)
				}
				return tx.WebhookDelivery.CreateBulk(rows...).Exec(ctx)
			})
		}
		if r := staff.Must(updateEndpoint, input(vars{"endpointId": id, "enabled": false})); r.At("updateWebhookEndpoint.endpoint.enabled") != false {
			t.Errorf("%s", r.Body)
		}
		waits := func() int { return c.WebhookDelivery.Query().Where(webhookdelivery.NextAtNotNil()).CountX(w.System()) }
		if n := waits(); n != many-5000 {
			t.Errorf("%d of %d are left", n, many)
		}
		c.WebhookDelivery.Update().Where(webhookdelivery.NextAtNotNil()).SetNextAt(w.App.Config.Now().Add(-time.Second)).ExecX(w.System())
		w.App.Webhooks.Wake()
		w.Eventually("the sender gave up the rest", func() bool { return waits() == 0 })
	}, apitest.Webhooks())
}
