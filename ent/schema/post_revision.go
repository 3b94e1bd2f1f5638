package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"
)

// PostRevision is what a post said in one version of it.
type PostRevision struct{ ent.Schema }

// Mixin of PostRevision.
func (PostRevision) Mixin() []ent.Mixin { return []ent.Mixin{identified{}} }

// Annotations of PostRevision.
func (PostRevision) Annotations() []schema.Annotation { return table("post_revisions") }

// Fields of PostRevision.
func (PostRevision) Fields() []ent.Field {
	return []ent.Field{
		ref("post_id"),
		ref("editor_id"),
		field.Int("version").Immutable(),
		field.Text("body"),
	}
}

// Edges of PostRevision.
func (PostRevision) Edges() []ent.Edge {
	return []ent.Edge{
		owned("post", Post.Type, "post_id"),
		owned("editor", Member.Type, "editor_id"),
	}
}

// Indexes of PostRevision.
func (PostRevision) Indexes() []ent.Index {
	return []ent.Index{
		index.Fields("post_id", "version").Unique(),
	}
}
