package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"
)

// Extension gives one application more time than the call does. The newest counts.
type Extension struct{ ent.Schema }

// Mixin of Extension.
func (Extension) Mixin() []ent.Mixin { return []ent.Mixin{identified{}} }

// Annotations of Extension.
func (Extension) Annotations() []schema.Annotation { return table("extensions") }

// Fields of Extension.
func (Extension) Fields() []ent.Field {
	return []ent.Field{
		ref("application_id"),
		field.Time("until").Immutable(),
		// until_local is the local time in the call's zone that was promised: 2022-11-11T17:00.
		field.String("until_local").Immutable(),
		field.Text("reason").Default("").Immutable(),
		ref("granted_by_id"),
	}
}

// Edges of Extension.
func (Extension) Edges() []ent.Edge {
	return []ent.Edge{
		owned("application", Application.Type, "application_id"),
		owned("granted_by", Member.Type, "granted_by_id"),
	}
}

// Indexes of Extension.
func (Extension) Indexes() []ent.Index {
	return []ent.Index{
		index.Fields("application_id", "id"),
		index.Fields("granted_by_id"),
	}
}
