package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/dialect/entsql"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/edge"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"
)

// Space is where people talk: the network, a cohort, a team, an affinity group, a workgroup, a direct conversation.
type Space struct{ ent.Schema }

// Mixin of Space.
func (Space) Mixin() []ent.Mixin { return []ent.Mixin{identified{}} }

// Annotations of Space.
func (Space) Annotations() []schema.Annotation { return table("spaces") }

// Fields of Space.
func (Space) Fields() []ent.Field {
	return []ent.Field{
		field.Enum("kind").Values("NETWORK", "COHORT", "TEAM", "AFFINITY", "WORKGROUP", "DIRECT").Immutable(),
		field.String("name").Default(""),
		field.Text("about").Default(""),
		optionalRef("cohort_id"),
		optionalRef("team_id"),
		// join_address is a secret word with which one asks to join an affinity group; random, and renewed at will.
		field.String("join_address").Optional().Nillable(),
		field.Time("updated_at"),
		optionalTime("archived_at"),
	}
}

// Edges of Space.
func (Space) Edges() []ent.Edge {
	return []ent.Edge{
		optionalEdge("cohort", Cohort.Type, "cohort_id"),
		optionalEdge("team", Team.Type, "team_id"),
		edge.From("memberships", SpaceMembership.Type).Ref("space"),
	}
}

// Indexes of Space.
func (Space) Indexes() []ent.Index {
	return []ent.Index{
		index.Fields("cohort_id").Unique().StorageKey("space_cohort").Annotations(entsql.IndexWhere("cohort_id IS NOT NULL")),
		index.Fields("team_id").Unique().StorageKey("space_team").Annotations(entsql.IndexWhere("team_id IS NOT NULL")),
		index.Fields("join_address").Unique().StorageKey("space_join_address").Annotations(entsql.IndexWhere("join_address IS NOT NULL")),
		index.Fields("name", "id"),
	}
}
