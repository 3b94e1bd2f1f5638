package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"
)

// ApplicationEditor is a member who writes an application with others.
type ApplicationEditor struct{ ent.Schema }

// Mixin of ApplicationEditor.
func (ApplicationEditor) Mixin() []ent.Mixin { return []ent.Mixin{identified{}} }

// Annotations of ApplicationEditor.
func (ApplicationEditor) Annotations() []schema.Annotation { return table("application_editors") }

// Fields of ApplicationEditor.
func (ApplicationEditor) Fields() []ent.Field {
	return []ent.Field{
		ref("application_id"),
		ref("member_id"),
		// owner may add and remove editors, submit and withdraw; there is always one.
		field.Bool("owner").Default(false),
		ref("added_by_id"),
	}
}

// Edges of ApplicationEditor.
func (ApplicationEditor) Edges() []ent.Edge {
	return []ent.Edge{
		owned("application", Application.Type, "application_id"),
		owned("member", Member.Type, "member_id"),
		owned("added_by", Member.Type, "added_by_id"),
	}
}

// Indexes of ApplicationEditor.
func (ApplicationEditor) Indexes() []ent.Index {
	return []ent.Index{
		index.Fields("application_id", "member_id").Unique(),
		index.Fields("member_id", "application_id"),
		index.Fields("added_by_id"),
	}
}
