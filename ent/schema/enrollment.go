package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/dialect/entsql"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"
)

// Enrollment is a team's place in a cohort, with its state and the reason for it.
type Enrollment struct{ ent.Schema }

// Mixin of Enrollment.
func (Enrollment) Mixin() []ent.Mixin { return []ent.Mixin{identified{}} }

// Annotations of Enrollment.
func (Enrollment) Annotations() []schema.Annotation { return table("enrollments") }

// Fields of Enrollment.
func (Enrollment) Fields() []ent.Field {
	return []ent.Field{
		ref("cohort_id"),
		ref("team_id"),
		field.Enum("state").Values("ENROLLED", "WITHDRAWN", "COMPLETED"),
		field.String("reason").Default(""),
		// application_id is what led to it; absent when staff enrolled the team by hand.
		optionalRef("application_id"),
		// What the place costs, what of it is waived and who pays that, in the currency's minor unit; absent while nobody recorded it.
		field.Int("fee_amount").Optional().Nillable(),
		field.Int("waived_amount").Optional().Nillable(),
		field.String("fee_currency").Default(""),
		optionalRef("sponsorship_id"),
		field.Text("fee_note").Default(""),
		field.Time("updated_at"),
	}
}

// Edges of Enrollment.
func (Enrollment) Edges() []ent.Edge {
	return []ent.Edge{
		owned("cohort", Cohort.Type, "cohort_id"),
		owned("team", Team.Type, "team_id"),
		optionalEdge("application", Application.Type, "application_id"),
		optionalEdge("sponsorship", Sponsorship.Type, "sponsorship_id"),
	}
}

// Indexes of Enrollment.
func (Enrollment) Indexes() []ent.Index {
	return []ent.Index{
		index.Fields("cohort_id", "team_id").Unique(),
		index.Fields("team_id", "cohort_id"),
		index.Fields("application_id").Unique().StorageKey("enrollment_application").Annotations(entsql.IndexWhere("application_id IS NOT NULL")),
		index.Fields("sponsorship_id").Annotations(entsql.IndexWhere("sponsorship_id IS NOT NULL")),
	}
}
