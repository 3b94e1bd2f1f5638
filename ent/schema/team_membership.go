package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/dialect/entsql"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"
)

// TeamMembership is a member's dated place in a team.
type TeamMembership struct{ ent.Schema }

// Mixin of TeamMembership.
func (TeamMembership) Mixin() []ent.Mixin { return []ent.Mixin{identified{}} }

// Annotations of TeamMembership.
func (TeamMembership) Annotations() []schema.Annotation { return table("team_memberships") }

// Fields of TeamMembership.
func (TeamMembership) Fields() []ent.Field {
	return []ent.Field{
		ref("team_id"),
		ref("member_id"),
		field.Enum("role").Values("LEAD", "SENIOR_LEADER", "DATA_LEAD", "COMMUNITY_PARTNER", "MEMBER"),
		day("starts_on"),
		optionalDay("ends_on"),
		field.Time("updated_at"),
	}
}

// Edges of TeamMembership.
func (TeamMembership) Edges() []ent.Edge {
	return []ent.Edge{
		owned("team", Team.Type, "team_id"),
		owned("member", Member.Type, "member_id"),
	}
}

// Indexes of TeamMembership.
func (TeamMembership) Indexes() []ent.Index {
	return []ent.Index{
		index.Fields("team_id", "member_id").Unique().StorageKey("team_membership_current").Annotations(entsql.IndexWhere("ends_on IS NULL")),
		index.Fields("team_id", "id"),
		index.Fields("member_id", "team_id"),
	}
}
