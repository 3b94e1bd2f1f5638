package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/dialect/entsql"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"
)

// Conflict is a conflict of interest that somebody declared. Those that follow from affiliations are not stored: access reads them from the affiliations.
type Conflict struct{ ent.Schema }

// Mixin of Conflict.
func (Conflict) Mixin() []ent.Mixin { return []ent.Mixin{identified{}} }

// Annotations of Conflict.
func (Conflict) Annotations() []schema.Annotation { return table("conflicts") }

// Fields of Conflict.
func (Conflict) Fields() []ent.Field {
	return []ent.Field{
		ref("application_id"),
		ref("member_id"),
		field.Text("note").Default(""),
		ref("declared_by_id"),
		optionalTime("ended_at"),
	}
}

// Edges of Conflict.
func (Conflict) Edges() []ent.Edge {
	return []ent.Edge{
		owned("application", Application.Type, "application_id"),
		owned("member", Member.Type, "member_id"),
		owned("declared_by", Member.Type, "declared_by_id"),
	}
}

// Indexes of Conflict.
func (Conflict) Indexes() []ent.Index {
	return []ent.Index{
		index.Fields("application_id", "member_id").Unique().StorageKey("conflict_current").Annotations(entsql.IndexWhere("ended_at IS NULL")),
		index.Fields("member_id", "application_id"),
		index.Fields("declared_by_id"),
	}
}
