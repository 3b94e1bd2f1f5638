package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/dialect/entsql"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"
)

// BulkAction is one thing that staff do to many applications, by a worker, with a report of each.
type BulkAction struct{ ent.Schema }

// Mixin of BulkAction.
func (BulkAction) Mixin() []ent.Mixin { return []ent.Mixin{identified{}} }

// Annotations of BulkAction.
func (BulkAction) Annotations() []schema.Annotation { return table("bulk_actions") }

// Fields of BulkAction.
func (BulkAction) Fields() []ent.Field {
	return []ent.Field{
		ref("call_id"),
		ref("actor_id"),
		field.String("kind").Immutable(),
		// input is what the action takes beside the applications.
		field.JSON("input", map[string]any{}),
		field.JSON("targets", []string{}),
		field.Bool("dry_run").Default(false).Immutable(),
		field.Enum("state").Values("WAITING", "RUNNING", "DONE", "CANCELLED").Default("WAITING"),
		// done is how many targets were dealt with, in their order, and failed how many bulk_failures there are of them. What went wrong in an
		// earlier version is in outcomes.
		field.Int("done").Default(0),
		field.Int("failed").Default(0),
		field.JSON("outcomes", []BulkOutcome{}).Optional(),
		optionalTime("leased_until"),
		optionalTime("finished_at"),
		field.Int("event_seq").Default(0),
	}
}

// Edges of BulkAction.
func (BulkAction) Edges() []ent.Edge {
	return []ent.Edge{
		owned("call", Call.Type, "call_id"),
		owned("actor", Member.Type, "actor_id"),
	}
}

// Indexes of BulkAction.
func (BulkAction) Indexes() []ent.Index {
	return []ent.Index{
		index.Fields("call_id", "id"),
		index.Fields("actor_id"),
		index.Fields("leased_until").StorageKey("bulk_action_open").Annotations(entsql.IndexWhere("finished_at IS NULL")),
	}
}
