package apitest_test

import (
	"net/netip"
	"testing"

	"github.com/pursuing-equity/commons/ent/roleassignment"
	"github.com/pursuing-equity/commons/ent/space"
	"github.com/pursuing-equity/commons/ent/webhookdelivery"
	"github.com/pursuing-equity/commons/internal/apitest/database"
	"github.com/pursuing-equity/commons/internal/app"
	"github.com/pursuing-equity/commons/internal/gid"
	"github.com/pursuing-equity/commons/internal/webhook"
)

// Each event arrives at its endpoint, however often the server that sends it is killed on the way: perhaps twice, and then with the same id and body.
func TestWebhooksSurviveKills(t *testing.T) {
	database.Each(t, func(t *testing.T, url string) {
		const many = 400
		v := newVictim(t, url, func(c *app.Config) { c.WebhookAllow = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")} })
		v.server.Env = append(v.server.Env, "COMMONS_WEBHOOK_ALLOW=127.0.0.0/8")
		r := newReceiver(t, nil)
		staff, ada := v.Role(v.Member("staff"), roleassignment.RoleSTAFF), v.Member("ada")
		network := v.Space(space.KindNETWORK, "Network", ada)
		thread := v.Thread(ada, network, "Much", "first")
		_, _, err := v.App.Webhooks.CreateEndpoint(staff.Context(), inBrowser(staff), webhook.NewEndpoint{URL: r.URL, Events: []webhook.Event{webhook.PostCreated}})
		must0(t, err)
		posts := map[string]bool{}
		for range many {
			posts[v.Post(ada, thread, "one more").String()] = true
		}
		arrived := func() int {
			seen := map[string]bool{}
			for _, h := range r.all() {
				seen[h.id] = true
			}
			return len(seen)
		}
		amidst := 0
		for _, n := range []int{1, many / 3, 2 * many / 3} {
			if got := v.killAt(n, arrived); got > 0 && got < many {
				amidst++
			}
			v.expire("webhook_deliveries", "next_at")
		}
		if amidst == 0 {
			t.Error("it was never killed in the middle: this proves nothing")
		}
		must0(t, v.server.Start(t.Context()))
		client := v.App.Store.Client(v.System())
		v.until("all is delivered", func() bool {
			return !client.WebhookDelivery.Query().Where(webhookdelivery.DeliveredAtIsNil()).ExistX(v.System())
		})
		must0(t, v.server.Kill())
		bodies, told := map[string]string{}, map[string]int{}
		for _, h := range r.all() {
			if before, again := bodies[h.id]; again && before != string(h.body) {
				t.Errorf("%s came as %s and as %s", h.id, before, h.body)
			} else if !again {
				id, _ := h.data["postId"].(string)
				told[id]++
			}
			bodies[h.id] = string(h.body)
		}
		for id := range posts {
			if told[id] != 1 {
				t.Errorf("%s was told of in %d deliveries", id, told[id])
			}
		}
		var before gid.ID
		for _, d := range client.WebhookDelivery.Query().Order(webhookdelivery.ByID()).AllX(v.System()) {
			if _, came := bodies[d.ID.String()]; !came || d.Status != 200 || d.Attempts < 1 || d.NextAt != nil || d.FailedAt != nil || d.ID.String() <= before.String() {
				t.Errorf("the log has %+v", d)
			}
			before = d.ID
		}
		if len(bodies) != many || len(told) != many {
			t.Errorf("%d deliveries of %d posts, want %d", len(bodies), len(told), many)
		}
		t.Logf("killed in the middle %d times of 3; %d deliveries came twice", amidst, len(r.all())-many)
	})
}
