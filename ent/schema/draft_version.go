package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"
)

// DraftVersion is what a draft said in one version of it.
type DraftVersion struct{ ent.Schema }

// Mixin of DraftVersion.
func (DraftVersion) Mixin() []ent.Mixin { return []ent.Mixin{identified{}} }

// Annotations of DraftVersion.
func (DraftVersion) Annotations() []schema.Annotation { return table("draft_versions") }

// Fields of DraftVersion.
func (DraftVersion) Fields() []ent.Field {
	return []ent.Field{
		ref("draft_id"),
		field.Int("version").Immutable(),
		field.String("title"),
		field.Text("body"),
		field.String("kind").Default(""),
		field.Strings("tags").Optional(),
		field.Strings("attachments").Optional(),
	}
}

// Edges of DraftVersion.
func (DraftVersion) Edges() []ent.Edge {
	return []ent.Edge{
		owned("draft", Draft.Type, "draft_id"),
	}
}

// Indexes of DraftVersion.
func (DraftVersion) Indexes() []ent.Index {
	return []ent.Index{
		index.Fields("draft_id", "version").Unique(),
	}
}
