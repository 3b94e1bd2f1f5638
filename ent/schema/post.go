package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/dialect/entsql"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/edge"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"
)

// Post is one contribution to a thread. A deleted post stays as a tombstone with an empty body.
type Post struct{ ent.Schema }

// Mixin of Post.
func (Post) Mixin() []ent.Mixin { return []ent.Mixin{identified{}} }

// Annotations of Post.
func (Post) Annotations() []schema.Annotation { return table("posts") }

// Fields of Post.
func (Post) Fields() []ent.Field {
	return []ent.Field{
		// thread_id and seq change when a thread is merged or split; a tombstone with moved_to_id stays in the old place.
		movableRef("thread_id"),
		ref("author_id"),
		optionalRef("reply_to_id"),
		field.Int("seq"),
		// quote is what of the post that it answers it repeats; it goes when that post is deleted.
		field.Text("quote").Default(""),
		field.Text("body"),
		// body_html is the sanitised rendering of body, made when body is written.
		field.Text("body_html"),
		field.Int("version").Default(1),
		// reaction_counts are kept by internal/forum under the thread's lock.
		field.JSON("reaction_counts", []ReactionCount{}).Optional(),
		optionalTime("edited_at"),
		optionalTime("deleted_at"),
		// hidden_at is set by moderators. The text moves to hidden_body, for them and its author: whatever shows body shows nothing.
		optionalTime("hidden_at"),
		field.Text("hidden_body").Default(""),
		optionalRef("hidden_by_id"),
		field.Text("hidden_reason").Default(""),
		optionalRef("moved_to_id"),
	}
}

// Edges of Post.
func (Post) Edges() []ent.Edge {
	return []ent.Edge{
		edge.To("thread", Thread.Type).Field("thread_id").Unique().Required().Annotations(entsql.OnDelete(entsql.Restrict)),
		owned("author", Member.Type, "author_id"),
		// Written from both sides: a lone unique edge to the own type would be one-to-one, and a post has many replies.
		edge.To("replies", Post.Type).Annotations(entsql.OnDelete(entsql.Restrict)).
			From("reply_to").Field("reply_to_id").Unique(),
	}
}

// Indexes of Post.
func (Post) Indexes() []ent.Index {
	return []ent.Index{
		index.Fields("thread_id", "seq").Unique(),
		index.Fields("author_id", "id"),
		// Who quotes a post is asked when it is deleted.
		index.Fields("reply_to_id").StorageKey("post_quoting").Annotations(entsql.IndexWhere("length(quote) > 0")),
	}
}
