package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"
)

// SavedView is a filter of a list of applications that somebody of the staff kept under a name.
type SavedView struct{ ent.Schema }

// Mixin of SavedView.
func (SavedView) Mixin() []ent.Mixin { return []ent.Mixin{identified{}} }

// Annotations of SavedView.
func (SavedView) Annotations() []schema.Annotation { return table("saved_views") }

// Fields of SavedView.
func (SavedView) Fields() []ent.Field {
	return []ent.Field{
		ref("call_id"),
		ref("owner_id"),
		field.String("name"),
		// filter is the list's filter as the API takes it.
		field.JSON("filter", map[string]any{}),
		field.Bool("shared").Default(false),
		field.Time("updated_at"),
	}
}

// Edges of SavedView.
func (SavedView) Edges() []ent.Edge {
	return []ent.Edge{
		owned("call", Call.Type, "call_id"),
		owned("owner", Member.Type, "owner_id"),
	}
}

// Indexes of SavedView.
func (SavedView) Indexes() []ent.Index {
	return []ent.Index{
		index.Fields("call_id", "owner_id", "name").Unique(),
		index.Fields("owner_id"),
	}
}
