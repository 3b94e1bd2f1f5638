package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/dialect/entsql"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"
)

// Draft is what a member has begun to write: a thread or a post, kept on the server, perhaps to be published at an instant.
type Draft struct{ ent.Schema }

// Mixin of Draft.
func (Draft) Mixin() []ent.Mixin { return []ent.Mixin{identified{}} }

// Annotations of Draft.
func (Draft) Annotations() []schema.Annotation { return table("drafts") }

// Fields of Draft.
func (Draft) Fields() []ent.Field {
	return []ent.Field{
		ref("member_id"),
		// space_id is where a new thread would go, and thread_id where a post would; one of the two.
		optionalRef("space_id"),
		optionalRef("thread_id"),
		optionalRef("reply_to_id"),
		field.String("title").Default(""),
		field.Text("body").Default(""),
		// kind and tags are a new thread's; kind is empty until its author has chosen one.
		field.String("kind").Default(""),
		field.Strings("tags").Optional(),
		// attachments are the ids of the files that the post would hold, in their order; DraftAttachment keeps them.
		field.Strings("attachments").Optional(),
		field.Int("version").Default(1),
		// publish_at is when it is to be published by itself; while a process tries, when another one may.
		optionalTime("publish_at"),
		// failure says why it could not be published: a code of a fault.
		field.String("failure").Default(""),
		field.Time("updated_at"),
	}
}

// Edges of Draft.
func (Draft) Edges() []ent.Edge {
	return []ent.Edge{
		owned("member", Member.Type, "member_id"),
		optionalEdge("space", Space.Type, "space_id"),
		optionalEdge("thread", Thread.Type, "thread_id"),
		optionalEdge("reply_to", Post.Type, "reply_to_id"),
	}
}

// Indexes of Draft.
func (Draft) Indexes() []ent.Index {
	return []ent.Index{
		index.Fields("member_id", "updated_at", "id").Annotations(entsql.DescColumns("updated_at", "id")),
		index.Fields("publish_at").StorageKey("draft_due").Annotations(entsql.IndexWhere("publish_at IS NOT NULL")),
	}
}
