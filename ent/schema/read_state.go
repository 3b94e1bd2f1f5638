package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"
)

// ReadState is how far a member has read a thread.
type ReadState struct{ ent.Schema }

// Mixin of ReadState.
func (ReadState) Mixin() []ent.Mixin { return []ent.Mixin{identified{}} }

// Annotations of ReadState.
func (ReadState) Annotations() []schema.Annotation { return table("read_states") }

// Fields of ReadState.
func (ReadState) Fields() []ent.Field {
	return []ent.Field{
		ref("thread_id"),
		ref("member_id"),
		field.Int("last_read_seq").Default(0),
		// uncounted is how many posts after last_read_seq are never unread: the member's own and tombstones.
		field.Int("uncounted").Default(0),
		field.Time("updated_at"),
	}
}

// Edges of ReadState.
func (ReadState) Edges() []ent.Edge {
	return []ent.Edge{
		owned("thread", Thread.Type, "thread_id"),
		owned("member", Member.Type, "member_id"),
	}
}

// Indexes of ReadState.
func (ReadState) Indexes() []ent.Index {
	return []ent.Index{
		index.Fields("member_id", "thread_id").Unique(),
		index.Fields("thread_id", "last_read_seq"),
	}
}
