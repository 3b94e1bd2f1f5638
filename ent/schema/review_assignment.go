package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/dialect/entsql"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"
)

// ReviewAssignment asks a reviewer to review an application.
type ReviewAssignment struct{ ent.Schema }

// Mixin of ReviewAssignment.
func (ReviewAssignment) Mixin() []ent.Mixin { return []ent.Mixin{identified{}} }

// Annotations of ReviewAssignment.
func (ReviewAssignment) Annotations() []schema.Annotation { return table("review_assignments") }

// Fields of ReviewAssignment.
func (ReviewAssignment) Fields() []ent.Field {
	return []ent.Field{
		ref("application_id"),
		ref("reviewer_id"),
		ref("assigned_by_id"),
		field.Enum("state").Values("ASSIGNED", "COMPLETED", "DECLINED", "REMOVED").Default("ASSIGNED"),
		// ended_at is when it was declined or removed.
		optionalTime("ended_at"),
		// end_reason is why, as the reviewer or staff said; for staff.
		field.Text("end_reason").Default(""),
		field.Time("updated_at"),
	}
}

// Edges of ReviewAssignment.
func (ReviewAssignment) Edges() []ent.Edge {
	return []ent.Edge{
		owned("application", Application.Type, "application_id"),
		owned("reviewer", Member.Type, "reviewer_id"),
		owned("assigned_by", Member.Type, "assigned_by_id"),
	}
}

// Indexes of ReviewAssignment.
func (ReviewAssignment) Indexes() []ent.Index {
	return []ent.Index{
		index.Fields("application_id", "reviewer_id").Unique().StorageKey("review_assignment_current").Annotations(entsql.IndexWhere("ended_at IS NULL")),
		index.Fields("application_id", "id"),
		index.Fields("reviewer_id", "id"),
		index.Fields("assigned_by_id"),
	}
}
