package graph

import (
	"github.com/pursuing-equity/commons/graph/model"
	"github.com/pursuing-equity/commons/internal/webhook"
)

func newWebhookEndpoint(in model.CreateWebhookEndpointInput) webhook.NewEndpoint {
	return webhook.NewEndpoint{URL: in.URL, Description: in.Description, Events: in.Events, IdempotencyKey: optional(in.IdempotencyKey)}
}

func webhookEndpointPatch(in model.UpdateWebhookEndpointInput) webhook.EndpointPatch {
	return webhook.EndpointPatch{
		URL: patched(in.URL), Description: patched(in.Description), Events: patchedList(in.Events), Enabled: optional(in.Enabled),
	}
}
