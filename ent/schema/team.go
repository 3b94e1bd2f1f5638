package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"
)

// Team is an organization's group in the program.
type Team struct{ ent.Schema }

// Mixin of Team.
func (Team) Mixin() []ent.Mixin { return []ent.Mixin{identified{}} }

// Annotations of Team.
func (Team) Annotations() []schema.Annotation { return table("teams") }

// Fields of Team.
func (Team) Fields() []ent.Field {
	return []ent.Field{
		ref("organization_id"),
		field.String("name"),
		field.Text("about").Default(""),
		field.Time("updated_at"),
		optionalTime("archived_at"),
	}
}

// Edges of Team.
func (Team) Edges() []ent.Edge {
	return []ent.Edge{
		owned("organization", Organization.Type, "organization_id"),
	}
}

// Indexes of Team.
func (Team) Indexes() []ent.Index {
	return []ent.Index{
		index.Fields("organization_id", "name").Unique(),
		index.Fields("name", "id"),
	}
}
