package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/edge"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"
)

// Framework is an improvement framework that resources are tagged with.
type Framework struct{ ent.Schema }

// Mixin of Framework.
func (Framework) Mixin() []ent.Mixin { return []ent.Mixin{identified{}} }

// Annotations of Framework.
func (Framework) Annotations() []schema.Annotation { return table("frameworks") }

// Fields of Framework.
func (Framework) Fields() []ent.Field {
	return []ent.Field{
		field.String("name"),
		field.Text("summary").Default(""),
	}
}

// Edges of Framework. Without the way back, a framework could tag one resource only.
func (Framework) Edges() []ent.Edge {
	return []ent.Edge{
		edge.From("resources", Resource.Type).Ref("frameworks"),
	}
}

// Indexes of Framework.
func (Framework) Indexes() []ent.Index {
	return []ent.Index{
		index.Fields("name").Unique(),
	}
}
