package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"
)

// PostLink is an object of the graph that a post links to. Whether a reader may see the object is asked when it is shown.
type PostLink struct{ ent.Schema }

// Mixin of PostLink.
func (PostLink) Mixin() []ent.Mixin { return []ent.Mixin{identified{}} }

// Annotations of PostLink.
func (PostLink) Annotations() []schema.Annotation { return table("post_links") }

// Fields of PostLink.
func (PostLink) Fields() []ent.Field {
	return []ent.Field{
		ref("post_id"),
		ref("object_id"),
		field.Int("position").Immutable(),
	}
}

// Edges of PostLink.
func (PostLink) Edges() []ent.Edge {
	return []ent.Edge{
		owned("post", Post.Type, "post_id"),
	}
}

// Indexes of PostLink.
func (PostLink) Indexes() []ent.Index {
	return []ent.Index{
		index.Fields("post_id", "object_id").Unique(),
	}
}
