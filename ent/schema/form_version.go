package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"
)

// FormVersion is a numbered version of a call's form. What was published never changes; a new version takes its place.
type FormVersion struct{ ent.Schema }

// Mixin of FormVersion.
func (FormVersion) Mixin() []ent.Mixin { return []ent.Mixin{identified{}} }

// Annotations of FormVersion.
func (FormVersion) Annotations() []schema.Annotation { return table("form_versions") }

// Fields of FormVersion.
func (FormVersion) Fields() []ent.Field {
	return []ent.Field{
		ref("call_id"),
		field.Int("number").Immutable(),
		field.JSON("questions", []Question{}),
		// published_at is when applicants first saw it; the version before a published one is a draft of staff.
		optionalTime("published_at"),
		field.Time("updated_at"),
	}
}

// Edges of FormVersion.
func (FormVersion) Edges() []ent.Edge {
	return []ent.Edge{
		owned("call", Call.Type, "call_id"),
	}
}

// Indexes of FormVersion.
func (FormVersion) Indexes() []ent.Index {
	return []ent.Index{
		index.Fields("call_id", "number").Unique(),
	}
}
