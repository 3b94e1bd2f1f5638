package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/dialect/entsql"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"
)

// Bookmark is a post that a member keeps for later, with a note and perhaps an instant at which to be reminded.
type Bookmark struct{ ent.Schema }

// Mixin of Bookmark.
func (Bookmark) Mixin() []ent.Mixin { return []ent.Mixin{identified{}} }

// Annotations of Bookmark.
func (Bookmark) Annotations() []schema.Annotation { return table("bookmarks") }

// Fields of Bookmark.
func (Bookmark) Fields() []ent.Field {
	return []ent.Field{
		ref("member_id"),
		ref("post_id"),
		field.Text("note").Default(""),
		optionalTime("remind_at"),
		optionalTime("reminded_at"),
	}
}

// Edges of Bookmark.
func (Bookmark) Edges() []ent.Edge {
	return []ent.Edge{
		owned("member", Member.Type, "member_id"),
		owned("post", Post.Type, "post_id"),
	}
}

// Indexes of Bookmark.
func (Bookmark) Indexes() []ent.Index {
	return []ent.Index{
		index.Fields("member_id", "post_id").Unique(),
		index.Fields("member_id", "id").Annotations(entsql.DescColumns("id")),
		index.Fields("post_id"),
		index.Fields("remind_at").StorageKey("bookmark_due").Annotations(entsql.IndexWhere("remind_at IS NOT NULL")),
	}
}
