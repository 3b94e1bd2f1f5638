package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"
)

// Review is what a reviewer says about an application: scores by the call's rubric, comments, a recommendation.
type Review struct{ ent.Schema }

// Mixin of Review.
func (Review) Mixin() []ent.Mixin { return []ent.Mixin{identified{}} }

// Annotations of Review.
func (Review) Annotations() []schema.Annotation { return table("reviews") }

// Fields of Review.
func (Review) Fields() []ent.Field {
	return []ent.Field{
		ref("assignment_id"),
		field.JSON("scores", []Score{}),
		field.Text("comment").Default(""),
		field.Enum("recommendation").Values("ACCEPT", "WAITLIST", "DECLINE").Optional().Nillable(),
		// points is the weighted sum of the scores in per cent of what can be had, times 100; kept so that lists can be ordered by it.
		field.Int("points").Default(0),
		optionalTime("submitted_at"),
		field.Int("version").Default(1),
		field.Time("updated_at"),
	}
}

// Edges of Review.
func (Review) Edges() []ent.Edge {
	return []ent.Edge{
		owned("assignment", ReviewAssignment.Type, "assignment_id"),
	}
}

// Indexes of Review.
func (Review) Indexes() []ent.Index {
	return []ent.Index{
		index.Fields("assignment_id").Unique(),
	}
}
