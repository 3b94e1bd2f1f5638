package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/dialect/entsql"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/edge"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"
)

// Answer is what an application says to one question now. Earlier versions are kept in answer_versions.
type Answer struct{ ent.Schema }

// Mixin of Answer.
func (Answer) Mixin() []ent.Mixin { return []ent.Mixin{identified{}} }

// Annotations of Answer.
func (Answer) Annotations() []schema.Annotation { return table("answers") }

// Fields of Answer.
func (Answer) Fields() []ent.Field {
	return []ent.Field{
		ref("application_id"),
		// key is the question's.
		field.String("key").Immutable(),
		// value is text, a number, a date, an option, or yes: read by the question's kind. A list of options has one a line.
		field.Text("value").Default(""),
		optionalRef("file_id"),
		field.Int("version").Default(1),
		movableRef("editor_id"),
		field.Time("updated_at"),
	}
}

// Edges of Answer.
func (Answer) Edges() []ent.Edge {
	return []ent.Edge{
		owned("application", Application.Type, "application_id"),
		optionalEdge("file", File.Type, "file_id"),
		edge.To("editor", Member.Type).Field("editor_id").Unique().Required().Annotations(entsql.OnDelete(entsql.Restrict)),
	}
}

// Indexes of Answer.
func (Answer) Indexes() []ent.Index {
	return []ent.Index{
		index.Fields("application_id", "key").Unique(),
		index.Fields("editor_id"),
		index.Fields("file_id").Annotations(entsql.IndexWhere("file_id IS NOT NULL")),
	}
}
