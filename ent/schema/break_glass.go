package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"
)

// BreakGlass lets an administrator read a hidden space for a while. Its members see who, when and why.
type BreakGlass struct{ ent.Schema }

// Mixin of BreakGlass.
func (BreakGlass) Mixin() []ent.Mixin { return []ent.Mixin{identified{}} }

// Annotations of BreakGlass.
func (BreakGlass) Annotations() []schema.Annotation { return table("break_glasses") }

// Fields of BreakGlass.
func (BreakGlass) Fields() []ent.Field {
	return []ent.Field{
		ref("space_id"),
		ref("member_id"),
		field.String("reason").Immutable(),
		field.Time("ends_at"),
	}
}

// Edges of BreakGlass.
func (BreakGlass) Edges() []ent.Edge {
	return []ent.Edge{
		owned("space", Space.Type, "space_id"),
		owned("member", Member.Type, "member_id"),
	}
}

// Indexes of BreakGlass.
func (BreakGlass) Indexes() []ent.Index {
	return []ent.Index{
		index.Fields("member_id", "ends_at"),
		index.Fields("space_id", "id"),
		index.Fields("ends_at"),
	}
}
