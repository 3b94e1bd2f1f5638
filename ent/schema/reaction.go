package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"
)

// Reaction is one member's emoji on a post.
type Reaction struct{ ent.Schema }

// Mixin of Reaction.
func (Reaction) Mixin() []ent.Mixin { return []ent.Mixin{identified{}} }

// Annotations of Reaction.
func (Reaction) Annotations() []schema.Annotation { return table("reactions") }

// Fields of Reaction.
func (Reaction) Fields() []ent.Field {
	return []ent.Field{
		ref("post_id"),
		ref("member_id"),
		field.String("emoji").Immutable(),
	}
}

// Edges of Reaction.
func (Reaction) Edges() []ent.Edge {
	return []ent.Edge{
		owned("post", Post.Type, "post_id"),
		owned("member", Member.Type, "member_id"),
	}
}

// Indexes of Reaction.
func (Reaction) Indexes() []ent.Index {
	return []ent.Index{
		index.Fields("post_id", "member_id", "emoji").Unique(),
		index.Fields("member_id", "post_id"),
	}
}
