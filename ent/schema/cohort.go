package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"
)

// Cohort is one run of an offering with the teams that take part in it.
type Cohort struct{ ent.Schema }

// Mixin of Cohort.
func (Cohort) Mixin() []ent.Mixin { return []ent.Mixin{identified{}} }

// Annotations of Cohort.
func (Cohort) Annotations() []schema.Annotation { return table("cohorts") }

// Fields of Cohort.
func (Cohort) Fields() []ent.Field {
	return []ent.Field{
		ref("offering_id"),
		field.String("name"),
		day("starts_on"),
		day("ends_on"),
		field.Time("updated_at"),
		optionalTime("archived_at"),
	}
}

// Edges of Cohort.
func (Cohort) Edges() []ent.Edge {
	return []ent.Edge{
		owned("offering", Offering.Type, "offering_id"),
	}
}

// Indexes of Cohort.
func (Cohort) Indexes() []ent.Index {
	return []ent.Index{
		index.Fields("offering_id", "name").Unique(),
		index.Fields("name", "id"),
	}
}
