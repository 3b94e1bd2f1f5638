package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"
)

// Block is that a member does not want to hear from another one. A blocked member cannot write to them either; a muted one can and is not heard.
type Block struct{ ent.Schema }

// Mixin of Block.
func (Block) Mixin() []ent.Mixin { return []ent.Mixin{identified{}} }

// Annotations of Block.
func (Block) Annotations() []schema.Annotation { return table("blocks") }

// Fields of Block.
func (Block) Fields() []ent.Field {
	return []ent.Field{
		ref("member_id"),
		ref("blocked_id"),
		field.Enum("kind").Values("BLOCK", "MUTE"),
	}
}

// Edges of Block.
func (Block) Edges() []ent.Edge {
	return []ent.Edge{
		owned("member", Member.Type, "member_id"),
		owned("blocked", Member.Type, "blocked_id"),
	}
}

// Indexes of Block.
func (Block) Indexes() []ent.Index {
	return []ent.Index{
		index.Fields("member_id", "blocked_id").Unique(),
		index.Fields("blocked_id", "member_id"),
	}
}
