package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"
)

// WebhookEndpoint is an address outside to which events are sent.
type WebhookEndpoint struct{ ent.Schema }

// Mixin of WebhookEndpoint.
func (WebhookEndpoint) Mixin() []ent.Mixin { return []ent.Mixin{identified{}} }

// Annotations of WebhookEndpoint.
func (WebhookEndpoint) Annotations() []schema.Annotation { return table("webhook_endpoints") }

// Fields of WebhookEndpoint.
func (WebhookEndpoint) Fields() []ent.Field {
	return []ent.Field{
		ref("owner_id"),
		field.String("url"),
		field.String("description").Default(""),
		// secret signs what is sent (Standard Webhooks); it is sealed with the instance's key.
		field.Bytes("secret"),
		// previous_secret signs beside it until it ends, so that a secret can be renewed without a gap.
		field.Bytes("previous_secret").Optional().Nillable(),
		optionalTime("previous_secret_ends_at"),
		field.Strings("events"),
		// failing_since is when the first delivery failed after which none has arrived.
		optionalTime("failing_since"),
		optionalTime("disabled_at"),
		field.Time("updated_at"),
	}
}

// Edges of WebhookEndpoint.
func (WebhookEndpoint) Edges() []ent.Edge {
	return []ent.Edge{
		owned("owner", Member.Type, "owner_id"),
	}
}

// Indexes of WebhookEndpoint.
func (WebhookEndpoint) Indexes() []ent.Index {
	return []ent.Index{
		index.Fields("owner_id"),
	}
}
