package schema

import (
	"entgo.io/ent"
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
		field.Time("opens_at"),
		field.Time("due_at"),
		field.Time("closes_at"),
		field.String("time_zone"),
		field.JSON("requirements", []Requirement{}),
	}
}

// Edges of Call.
func (Call) Edges() []ent.Edge {
	return []ent.Edge{
		owned("offering", Offering.Type, "offering_id"),
	}
}

// Indexes of Call.
func (Call) Indexes() []ent.Index {
	return []ent.Index{
		index.Fields("offering_id", "opens_at"),
	}
}
