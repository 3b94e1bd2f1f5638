package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"
)

// BulkFailure is an application that a bulk action could not do its work on.
type BulkFailure struct{ ent.Schema }

// Mixin of BulkFailure.
func (BulkFailure) Mixin() []ent.Mixin { return []ent.Mixin{identified{}} }

// Annotations of BulkFailure.
func (BulkFailure) Annotations() []schema.Annotation { return table("bulk_failures") }

// Fields of BulkFailure.
func (BulkFailure) Fields() []ent.Field {
	return []ent.Field{
		ref("bulk_action_id"),
		// number counts the failures of the bulk action, from 1.
		field.Int("number").Immutable(),
		ref("application_id"),
		field.String("code").Immutable(),
		field.Text("message").Immutable(),
	}
}

// Edges of BulkFailure.
func (BulkFailure) Edges() []ent.Edge {
	return []ent.Edge{
		owned("bulk_action", BulkAction.Type, "bulk_action_id"),
		owned("application", Application.Type, "application_id"),
	}
}

// Indexes of BulkFailure.
func (BulkFailure) Indexes() []ent.Index {
	return []ent.Index{
		index.Fields("bulk_action_id", "number").Unique(),
		index.Fields("application_id"),
	}
}
