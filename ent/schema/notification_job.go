package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"
)

// NotificationJob is a post of which many are still to be told. The row is deleted when all were.
type NotificationJob struct{ ent.Schema }

// Mixin of NotificationJob.
func (NotificationJob) Mixin() []ent.Mixin { return []ent.Mixin{identified{}} }

// Annotations of NotificationJob.
func (NotificationJob) Annotations() []schema.Annotation { return table("notification_jobs") }

// Fields of NotificationJob.
func (NotificationJob) Fields() []ent.Field {
	return []ent.Field{
		ref("post_id"),
		ref("thread_id"),
		// after_id is the last member of whom it is known whether they are to be told: members are gone through by id.
		optionalRef("after_id"),
		field.Int("attempts").Default(0),
		// next_at is when to go on; while a process does, when another one may.
		field.Time("next_at"),
		field.String("last_error").Default(""),
	}
}

// Edges of NotificationJob.
func (NotificationJob) Edges() []ent.Edge {
	return []ent.Edge{
		owned("post", Post.Type, "post_id"),
		owned("thread", Thread.Type, "thread_id"),
	}
}

// Indexes of NotificationJob.
func (NotificationJob) Indexes() []ent.Index {
	return []ent.Index{
		index.Fields("post_id").Unique(),
		index.Fields("next_at"),
	}
}
