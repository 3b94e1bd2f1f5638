package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/dialect/entsql"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"
)

// RoleAssignment gives a member a role within a scope until it ends.
type RoleAssignment struct{ ent.Schema }

// Mixin of RoleAssignment.
func (RoleAssignment) Mixin() []ent.Mixin { return []ent.Mixin{identified{}} }

// Annotations of RoleAssignment.
func (RoleAssignment) Annotations() []schema.Annotation { return table("role_assignments") }

// Fields of RoleAssignment.
func (RoleAssignment) Fields() []ent.Field {
	return []ent.Field{
		ref("member_id"),
		field.Enum("role").Values("ADMIN", "STAFF", "REVIEWER", "EXPERT", "FACILITATOR", "LEAD"),
		field.Enum("scope").Values("PLATFORM", "COHORT", "ORGANIZATION", "TEAM", "SPACE"),
		// scope_id names the cohort, organization, team or space; absent for the platform.
		optionalRef("scope_id"),
		optionalTime("ends_at"),
	}
}

// Edges of RoleAssignment.
func (RoleAssignment) Edges() []ent.Edge {
	return []ent.Edge{
		owned("member", Member.Type, "member_id"),
	}
}

// Indexes of RoleAssignment.
func (RoleAssignment) Indexes() []ent.Index {
	return []ent.Index{
		index.Fields("member_id", "role", "scope", "scope_id"),
		index.Fields("scope_id", "role"),
		index.Fields("ends_at").Annotations(entsql.IndexWhere("ends_at IS NOT NULL")), // what ended since a moment ago
	}
}
