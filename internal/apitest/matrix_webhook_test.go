package apitest_test

import (
	"maps"

	"github.com/pursuing-equity/commons/ent/webhookendpoint"
	"github.com/pursuing-equity/commons/internal/gid"
	"github.com/pursuing-equity/commons/internal/webhook"
)

// webhookRows are the lines of webhooks.
func webhookRows() matrix {
	endpoint := func(more vars) func(c *cast) vars {
		return in(func(c *cast) vars {
			v := vars{"endpointId": c.objects["endpoint"]}
			maps.Copy(v, more)
			return v
		})
	}
	staff := codes("NOT_FOUND", "staff", "admin")
	return matrix{
		queries: map[string]row{
			"webhookEndpoints": {"webhookEndpoints { id }", none, cells("0", "staff admin=1")},
		},
		fields: map[string]row{
			"WebhookEndpoint.deliveries": {"", of("endpoint"), cells("NOT_FOUND", "staff admin=1")},
		},
		mutations: map[string]row{
			"createWebhookEndpoint": {"endpoint { id } secret", in(func(*cast) vars {
				return vars{"url": "https://hooks.example.org/", "events": []string{"SPACE_CREATED"}}
			}), codes("FORBIDDEN")}, // of staff, too: it takes a sign-in with a browser
			"updateWebhookEndpoint":  {"endpoint { id }", endpoint(vars{"description": "D"}), staff},
			"rotateWebhookSecret":    {"endpoint { id }", endpoint(nil), codes("FORBIDDEN", "browser=NOT_FOUND")},
			"deleteWebhookEndpoint":  {"deletedId", in(func(c *cast) vars { return vars{"endpointId": c.spareWebhook()} }), staff},
			"pingWebhookEndpoint":    {"delivery { id }", endpoint(nil), staff},
			"replayWebhookDelivery":  {"delivery { id }", in(func(c *cast) vars { return vars{"deliveryId": c.objects["delivery"]} }), staff},
			"replayFailedDeliveries": {"count", endpoint(vars{"since": "2023-01-01T00:00:00Z"}), staff},
		},
	}
}

// newWebhook is an endpoint with a delivery.
func (c *cast) newWebhook() {
	c.objects["endpoint"] = c.newEndpoint()
	d, err := c.App.Webhooks.Ping(c.staff.Context(), c.staff.Viewer, c.objects["endpoint"], nil)
	c.objects["delivery"] = made(c, d, err).ID
}

func (c *cast) newEndpoint() gid.ID {
	e, _, err := c.App.Webhooks.CreateEndpoint(c.staff.Context(), inBrowser(c.staff),
		webhook.NewEndpoint{URL: "https://hooks.example.org/", Events: []webhook.Event{webhook.SpaceCreated}})
	return made(c, e, err).ID
}

// spareWebhook is an endpoint to delete: there may be few, so that one is made when the last one is gone.
func (c *cast) spareWebhook() gid.ID {
	there, err := c.App.Store.Client(c.System()).WebhookEndpoint.Query().Where(webhookendpoint.ID(c.objects["spare"])).Exist(c.System())
	if !made(c, there, err) {
		c.objects["spare"] = c.newEndpoint()
	}
	return c.objects["spare"]
}
