package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"
)

// Poll is a question with options that a post asks its readers.
type Poll struct{ ent.Schema }

// Mixin of Poll.
func (Poll) Mixin() []ent.Mixin { return []ent.Mixin{identified{}} }

// Annotations of Poll.
func (Poll) Annotations() []schema.Annotation { return table("polls") }

// Fields of Poll.
func (Poll) Fields() []ent.Field {
	return []ent.Field{
		ref("post_id"),
		field.String("question"),
		// multiple lets a member choose several options.
		field.Bool("multiple").Default(false),
		// voters is how many members have voted; internal/forum keeps it.
		field.Int("voters").Default(0),
		optionalTime("closes_at"),
	}
}

// Edges of Poll.
func (Poll) Edges() []ent.Edge {
	return []ent.Edge{
		owned("post", Post.Type, "post_id"),
	}
}

// Indexes of Poll.
func (Poll) Indexes() []ent.Index {
	return []ent.Index{
		index.Fields("post_id").Unique(),
	}
}
