package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/dialect/entsql"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"
)

// AnswerVersion is an earlier version of an answer.
type AnswerVersion struct{ ent.Schema }

// Mixin of AnswerVersion.
func (AnswerVersion) Mixin() []ent.Mixin { return []ent.Mixin{identified{}} }

// Annotations of AnswerVersion.
func (AnswerVersion) Annotations() []schema.Annotation { return table("answer_versions") }

// Fields of AnswerVersion.
func (AnswerVersion) Fields() []ent.Field {
	return []ent.Field{
		ref("answer_id"),
		field.Int("version").Immutable(),
		field.Text("value").Default(""),
		optionalRef("file_id"),
		ref("editor_id"),
	}
}

// Edges of AnswerVersion.
func (AnswerVersion) Edges() []ent.Edge {
	return []ent.Edge{
		owned("answer", Answer.Type, "answer_id"),
		optionalEdge("file", File.Type, "file_id"),
		owned("editor", Member.Type, "editor_id"),
	}
}

// Indexes of AnswerVersion.
func (AnswerVersion) Indexes() []ent.Index {
	return []ent.Index{
		index.Fields("answer_id", "version").Unique(),
		index.Fields("editor_id"),
		index.Fields("file_id").Annotations(entsql.IndexWhere("file_id IS NOT NULL")),
	}
}
