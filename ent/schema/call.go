package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/dialect/entsql"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"
)

// Call is a call for applications to an offering; its deadlines are instants in a named zone.
type Call struct{ ent.Schema }

// Mixin of Call.
func (Call) Mixin() []ent.Mixin { return []ent.Mixin{identified{}} }

// Annotations of Call.
func (Call) Annotations() []schema.Annotation { return table("calls") }

// Fields of Call.
func (Call) Fields() []ent.Field {
	return []ent.Field{
		ref("offering_id"),
		field.String("title").Default(""),
		field.Text("summary").Default(""),
		// Each deadline is kept as the local time that was announced (2022-11-01T17:00), the zone, and the instant that both made then.
		field.Time("opens_at"),
		field.Time("due_at"),
		field.Time("closes_at"),
		field.String("opens_local").Default(""),
		field.String("due_local").Default(""),
		field.String("closes_local").Default(""),
		field.String("time_zone"),
		field.JSON("requirements", []Requirement{}),
		field.JSON("rubric", []Criterion{}).Optional(),
		// cohort_id is where admitted teams are enrolled; there must be one before decisions are released.
		optionalRef("cohort_id"),
		// capacity is how many places there are; 0 until staff said so.
		field.Int("capacity").Default(0),
		// offer_days is how long an offered place stands.
		field.Int("offer_days").Default(14),
		// blind hides from reviewers who applies.
		field.Bool("blind").Default(false),
		// reviews_wanted is how many reviews each application is to have.
		field.Int("reviews_wanted").Default(2),
		// form_version is the number of the newest published version of its form; 0 while there is none.
		field.Int("form_version").Default(0),
		// last_number is the number of its newest application.
		field.Int("last_number").Default(0),
		// published_at is when everybody could first see it; a call that is not published is seen by staff alone.
		optionalTime("published_at"),
		// released_at is when decisions were last released.
		optionalTime("released_at"),
		// turns_at is when the clock makes its state another one next; absent when it never does, and before it is published.
		optionalTime("turns_at"),
		field.Int("event_seq").Default(0),
		field.Int("version").Default(1),
		optionalTime("updated_at"),
	}
}

// Edges of Call.
func (Call) Edges() []ent.Edge {
	return []ent.Edge{
		owned("offering", Offering.Type, "offering_id"),
		optionalEdge("cohort", Cohort.Type, "cohort_id"),
	}
}

// Indexes of Call.
func (Call) Indexes() []ent.Index {
	return []ent.Index{
		index.Fields("offering_id", "opens_at"),
		index.Fields("turns_at").Annotations(entsql.IndexWhere("turns_at IS NOT NULL")),
		index.Fields("cohort_id").Annotations(entsql.IndexWhere("cohort_id IS NOT NULL")),
	}
}
