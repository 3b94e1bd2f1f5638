package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"
)

// Sponsorship says who pays for an offering, what is waived and how that is acknowledged.
type Sponsorship struct{ ent.Schema }

// Mixin of Sponsorship.
func (Sponsorship) Mixin() []ent.Mixin { return []ent.Mixin{identified{}} }

// Annotations of Sponsorship.
func (Sponsorship) Annotations() []schema.Annotation { return table("sponsorships") }

// Fields of Sponsorship.
func (Sponsorship) Fields() []ent.Field {
	return []ent.Field{
		ref("offering_id"),
		field.String("sponsor_name"),
		field.String("sponsor_url").Default(""),
		// waived_amount is in the currency's minor unit, for each team.
		field.Int("waived_amount"),
		field.String("currency"),
		field.Text("acknowledgement"),
	}
}

// Edges of Sponsorship.
func (Sponsorship) Edges() []ent.Edge {
	return []ent.Edge{
		owned("offering", Offering.Type, "offering_id"),
	}
}

// Indexes of Sponsorship.
func (Sponsorship) Indexes() []ent.Index {
	return []ent.Index{
		index.Fields("offering_id", "id"),
	}
}
