package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"
)

// Organization is a health system, hospital, clinic, payer or community partner that takes part.
type Organization struct{ ent.Schema }

// Mixin of Organization.
func (Organization) Mixin() []ent.Mixin { return []ent.Mixin{identified{}} }

// Annotations of Organization.
func (Organization) Annotations() []schema.Annotation { return table("organizations") }

// Fields of Organization.
func (Organization) Fields() []ent.Field {
	return []ent.Field{
		field.String("name"),
		field.Enum("kind").Values("HEALTH_SYSTEM", "HOSPITAL", "CLINIC", "PAYER", "COMMUNITY_PARTNER", "OTHER"),
		field.String("city").Default(""),
		field.String("region").Default(""),
		field.String("country").Default(""),
		field.String("website_url").Default(""),
		field.Text("about").Default(""),
		field.Time("updated_at"),
		optionalTime("archived_at"),
	}
}

// Indexes of Organization.
func (Organization) Indexes() []ent.Index {
	return []ent.Index{
		index.Fields("name").Unique(),
		index.Fields("name", "id"),
	}
}
