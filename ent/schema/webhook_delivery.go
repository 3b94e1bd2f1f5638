package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/dialect/entsql"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"
)

// WebhookDelivery is one event for one endpoint, and what became of it.
type WebhookDelivery struct{ ent.Schema }

// Mixin of WebhookDelivery.
func (WebhookDelivery) Mixin() []ent.Mixin { return []ent.Mixin{identified{}} }

// Annotations of WebhookDelivery.
func (WebhookDelivery) Annotations() []schema.Annotation { return table("webhook_deliveries") }

// Fields of WebhookDelivery.
func (WebhookDelivery) Fields() []ent.Field {
	return []ent.Field{
		ref("endpoint_id"),
		field.String("event").Immutable(),
		field.JSON("payload", map[string]any{}).Immutable(),
		field.Int("attempts").Default(0),
		// next_at is when to try; while a process tries, when another one may; absent once it is delivered or given up.
		optionalTime("next_at"),
		optionalTime("delivered_at"),
		optionalTime("failed_at"),
		field.Int("status").Default(0),
		field.String("last_error").Default(""),
		field.Int("duration_ms").Default(0),
	}
}

// Edges of WebhookDelivery.
func (WebhookDelivery) Edges() []ent.Edge {
	return []ent.Edge{
		owned("endpoint", WebhookEndpoint.Type, "endpoint_id"),
	}
}

// Indexes of WebhookDelivery.
func (WebhookDelivery) Indexes() []ent.Index {
	return []ent.Index{
		index.Fields("endpoint_id", "id").Annotations(entsql.DescColumns("id")),
		index.Fields("next_at").StorageKey("webhook_due").Annotations(entsql.IndexWhere("next_at IS NOT NULL")),
		index.Fields("created_at"),
	}
}
