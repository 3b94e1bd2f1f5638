package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"
)

// Offering is one way to take part in a program; it decides what its teams are entitled to.
type Offering struct{ ent.Schema }

// Mixin of Offering.
func (Offering) Mixin() []ent.Mixin { return []ent.Mixin{identified{}} }

// Annotations of Offering.
func (Offering) Annotations() []schema.Annotation { return table("offerings") }

// Fields of Offering.
func (Offering) Fields() []ent.Field {
	return []ent.Field{
		ref("program_id"),
		field.String("slug"),
		field.String("name"),
		field.Text("summary").Default(""),
		field.Text("outcome").Default(""),
		// supports are what the offering's teams are entitled to: data, not code.
		field.JSON("supports", []Support{}),
		// fee_amount is in the currency's minor unit: 3000000 is 30,000 dollars.
		field.Int("fee_amount"),
		field.String("fee_currency"),
		// team_capacity is about how many teams a cohort of it takes.
		field.Int("team_capacity"),
		field.Int("version").Default(1),
	}
}

// Edges of Offering.
func (Offering) Edges() []ent.Edge {
	return []ent.Edge{
		owned("program", Program.Type, "program_id"),
	}
}

// Indexes of Offering.
func (Offering) Indexes() []ent.Index {
	return []ent.Index{
		index.Fields("slug").Unique(),
		index.Fields("program_id", "name", "id"),
	}
}
