package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"
)

// ModerationAction is what a moderator did to a post, a thread or a member, and why.
type ModerationAction struct{ ent.Schema }

// Mixin of ModerationAction.
func (ModerationAction) Mixin() []ent.Mixin { return []ent.Mixin{identified{}} }

// Annotations of ModerationAction.
func (ModerationAction) Annotations() []schema.Annotation { return table("moderation_actions") }

// Fields of ModerationAction.
func (ModerationAction) Fields() []ent.Field {
	return []ent.Field{
		field.Enum("kind").Values("HIDE", "UNHIDE", "LOCK", "UNLOCK", "WARN", "SUSPEND").Immutable(),
		ref("moderator_id"),
		// member_id is to whom it was done: who wrote the post, who is warned.
		optionalRef("member_id"),
		optionalRef("space_id"),
		optionalRef("thread_id"),
		optionalRef("post_id"),
		field.Text("reason").Default(""),
		// ends_at is when a suspension ends.
		optionalTime("ends_at"),
		// seen_at is when the member acknowledged a warning.
		optionalTime("seen_at"),
	}
}

// Edges of ModerationAction.
func (ModerationAction) Edges() []ent.Edge {
	return []ent.Edge{
		owned("moderator", Member.Type, "moderator_id"),
		optionalEdge("member", Member.Type, "member_id"),
		optionalEdge("space", Space.Type, "space_id"),
		optionalEdge("thread", Thread.Type, "thread_id"),
		optionalEdge("post", Post.Type, "post_id"),
	}
}

// Indexes of ModerationAction.
func (ModerationAction) Indexes() []ent.Index {
	return []ent.Index{
		index.Fields("member_id", "id"),
		index.Fields("space_id", "id"),
		index.Fields("post_id"),
		index.Fields("moderator_id"),
	}
}
