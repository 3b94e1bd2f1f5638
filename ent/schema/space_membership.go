package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/dialect/entsql"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"
)

// SpaceMembership lets a member read and write in a space. Rows of derived spaces follow team memberships and enrollments.
type SpaceMembership struct{ ent.Schema }

// Mixin of SpaceMembership.
func (SpaceMembership) Mixin() []ent.Mixin { return []ent.Mixin{identified{}} }

// Annotations of SpaceMembership.
func (SpaceMembership) Annotations() []schema.Annotation { return table("space_memberships") }

// Fields of SpaceMembership.
func (SpaceMembership) Fields() []ent.Field {
	return []ent.Field{
		ref("space_id"),
		ref("member_id"),
		field.Enum("role").Values("MEMBER", "FACILITATOR").Default("MEMBER"),
		// derived rows are kept by internal/community; the others are made and ended by people.
		field.Bool("derived").Default(false),
		field.Time("starts_at"),
		optionalTime("ends_at"),
	}
}

// Edges of SpaceMembership.
func (SpaceMembership) Edges() []ent.Edge {
	return []ent.Edge{
		owned("space", Space.Type, "space_id"),
		owned("member", Member.Type, "member_id"),
	}
}

// Indexes of SpaceMembership.
func (SpaceMembership) Indexes() []ent.Index {
	return []ent.Index{
		index.Fields("space_id", "member_id").Unique(),
		index.Fields("member_id", "space_id"),
		index.Fields("space_id", "id"),
		index.Fields("ends_at").Annotations(entsql.IndexWhere("ends_at IS NOT NULL")), // what ended since a moment ago
	}
}
