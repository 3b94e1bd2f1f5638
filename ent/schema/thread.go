package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/dialect/entsql"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/edge"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"
)

// Thread is a discussion in a space. Its row numbers its posts and its events.
type Thread struct{ ent.Schema }

// Mixin of Thread.
func (Thread) Mixin() []ent.Mixin { return []ent.Mixin{identified{}} }

// Annotations of Thread.
func (Thread) Annotations() []schema.Annotation { return table("threads") }

// Fields of Thread.
func (Thread) Fields() []ent.Field {
	return []ent.Field{
		movableRef("space_id"),
		ref("author_id"),
		field.String("title"),
		field.Enum("kind").Values("DISCUSSION", "QUESTION", "ANNOUNCEMENT", "INTRODUCTION", "LEARNING_NOTE").Default("DISCUSSION"),
		// accepted_post_id is the answer to a question that its author or a moderator accepted.
		optionalRef("accepted_post_id"),
		// merged_into_id is the thread to which all posts went.
		optionalRef("merged_into_id"),
		field.Bool("pinned").Default(false),
		field.Bool("locked").Default(false),
		field.String("lock_reason").Default(""),
		// locked_by_id is whose words lock_reason are.
		optionalRef("locked_by_id"),
		// post_seq is the number of the newest post, event_seq of the newest event; both are dense and start at 1.
		field.Int("post_seq").Default(0),
		field.Int("event_seq").Default(0),
		// deleted_posts counts the tombstones, so that the others need not be counted.
		field.Int("deleted_posts").Default(0),
		// last_post_id is the newest post, tombstone or not.
		optionalRef("last_post_id"),
		field.Time("last_activity_at"),
		field.Time("updated_at"),
	}
}

// Edges of Thread.
func (Thread) Edges() []ent.Edge {
	return []ent.Edge{
		edge.To("space", Space.Type).Field("space_id").Unique().Required().Annotations(entsql.OnDelete(entsql.Restrict)),
		owned("author", Member.Type, "author_id"),
	}
}

// Indexes of Thread.
func (Thread) Indexes() []ent.Index {
	return []ent.Index{
		index.Fields("space_id", "last_activity_at", "id").Annotations(entsql.DescColumns("last_activity_at", "id")),
		index.Fields("space_id", "kind", "last_activity_at", "id").Annotations(entsql.DescColumns("last_activity_at", "id")),
		index.Fields("space_id", "last_activity_at", "id").StorageKey("thread_pinned").Annotations(entsql.DescColumns("last_activity_at", "id"), entsql.IndexWhere("pinned")),
		index.Fields("merged_into_id").StorageKey("thread_merged").Annotations(entsql.IndexWhere("merged_into_id IS NOT NULL")),
		index.Fields("author_id", "id"),
	}
}
