package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"
)

// ThreadTag is a word that a thread is found by.
type ThreadTag struct{ ent.Schema }

// Mixin of ThreadTag.
func (ThreadTag) Mixin() []ent.Mixin { return []ent.Mixin{identified{}} }

// Annotations of ThreadTag.
func (ThreadTag) Annotations() []schema.Annotation { return table("thread_tags") }

// Fields of ThreadTag.
func (ThreadTag) Fields() []ent.Field {
	return []ent.Field{
		ref("thread_id"),
		field.String("tag").Immutable(),
	}
}

// Edges of ThreadTag.
func (ThreadTag) Edges() []ent.Edge {
	return []ent.Edge{
		owned("thread", Thread.Type, "thread_id"),
	}
}

// Indexes of ThreadTag.
func (ThreadTag) Indexes() []ent.Index {
	return []ent.Index{
		index.Fields("thread_id", "tag").Unique(),
		index.Fields("tag", "thread_id"),
	}
}
