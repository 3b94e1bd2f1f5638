package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"
)

// PostAttachment is a file that a post holds.
type PostAttachment struct{ ent.Schema }

// Mixin of PostAttachment.
func (PostAttachment) Mixin() []ent.Mixin { return []ent.Mixin{identified{}} }

// Annotations of PostAttachment.
func (PostAttachment) Annotations() []schema.Annotation { return table("post_attachments") }

// Fields of PostAttachment.
func (PostAttachment) Fields() []ent.Field {
	return []ent.Field{
		ref("post_id"),
		ref("file_id"),
		field.Int("position").Immutable(),
	}
}

// Edges of PostAttachment.
func (PostAttachment) Edges() []ent.Edge {
	return []ent.Edge{
		owned("post", Post.Type, "post_id"),
		owned("file", File.Type, "file_id"),
	}
}

// Indexes of PostAttachment.
func (PostAttachment) Indexes() []ent.Index {
	return []ent.Index{
		index.Fields("post_id", "file_id").Unique(),
		index.Fields("file_id"),
	}
}
