package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"
)

// PollOption is one answer that a poll offers.
type PollOption struct{ ent.Schema }

// Mixin of PollOption.
func (PollOption) Mixin() []ent.Mixin { return []ent.Mixin{identified{}} }

// Annotations of PollOption.
func (PollOption) Annotations() []schema.Annotation { return table("poll_options") }

// Fields of PollOption.
func (PollOption) Fields() []ent.Field {
	return []ent.Field{
		ref("poll_id"),
		field.Int("position").Immutable(),
		field.String("label"),
		// votes is kept by internal/forum under the thread's lock.
		field.Int("votes").Default(0),
	}
}

// Edges of PollOption.
func (PollOption) Edges() []ent.Edge {
	return []ent.Edge{
		owned("poll", Poll.Type, "poll_id"),
	}
}

// Indexes of PollOption.
func (PollOption) Indexes() []ent.Index {
	return []ent.Index{
		index.Fields("poll_id", "position").Unique(),
	}
}
