package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"
)

// Program is a dated undertaking with one or more offerings.
type Program struct{ ent.Schema }

// Mixin of Program.
func (Program) Mixin() []ent.Mixin { return []ent.Mixin{identified{}} }

// Annotations of Program.
func (Program) Annotations() []schema.Annotation { return table("programs") }

// Fields of Program.
func (Program) Fields() []ent.Field {
	return []ent.Field{
		field.String("slug"),
		field.String("name"),
		field.Text("summary").Default(""),
		day("starts_on"),
		day("ends_on"),
	}
}

// Indexes of Program.
func (Program) Indexes() []ent.Index {
	return []ent.Index{
		index.Fields("slug").Unique(),
		index.Fields("name", "id"),
	}
}
