package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/dialect/entsql"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/edge"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"
)

// Notification tells one member of one post, with every reason for it.
type Notification struct{ ent.Schema }

// Mixin of Notification.
func (Notification) Mixin() []ent.Mixin { return []ent.Mixin{identified{}} }

// Annotations of Notification.
func (Notification) Annotations() []schema.Annotation { return table("notifications") }

// Fields of Notification.
func (Notification) Fields() []ent.Field {
	return []ent.Field{
		ref("recipient_id"),
		ref("actor_id"),
		movableRef("thread_id"),
		ref("post_id"),
		field.Strings("reasons"),
		// told_at is when the member was told last: of the post, or of something more about it. Groups are ordered by it. It is absent in what a process
		// wrote that did not know it yet.
		optionalTime("told_at"),
		optionalTime("read_at"),
		// mentions says that one of the reasons is a mention, so that these can be counted by themselves.
		field.Bool("mentions").Default(false),
		// duty says that it is about moderation: it is told of whoever wrote the post, too, and not only of what the post says.
		field.Bool("duty").Default(false),
		// flagged says that of moderation it tells of flags alone: only who moderates there now may know of it.
		field.Bool("flagged").Default(false),
		// news says that there is a reason that is not of moderation.
		field.Bool("news").Default(true),
		// rest_read_at is when what else it tells of was read, while flags make it unread again.
		optionalTime("rest_read_at"),
		// mail_due_at is when it is to be told by mail unless it is read before; while a process writes the mail, when another one may.
		optionalTime("mail_due_at"),
		optionalTime("mailed_at"),
	}
}

// Edges of Notification.
func (Notification) Edges() []ent.Edge {
	return []ent.Edge{
		owned("recipient", Member.Type, "recipient_id"),
		owned("actor", Member.Type, "actor_id"),
		edge.To("thread", Thread.Type).Field("thread_id").Unique().Required().Annotations(entsql.OnDelete(entsql.Restrict)),
		owned("post", Post.Type, "post_id"),
	}
}

// Indexes of Notification.
func (Notification) Indexes() []ent.Index {
	return []ent.Index{
		index.Fields("recipient_id", "post_id").Unique(),
		index.Fields("post_id"),
		index.Fields("recipient_id", "id").Annotations(entsql.DescColumns("id")),
		index.Fields("recipient_id", "told_at", "id").StorageKey("notification_told"),
		index.Fields("recipient_id", "thread_id", "told_at", "id").StorageKey("notification_group_told"),
		index.Fields("recipient_id", "thread_id").StorageKey("notification_unread").Annotations(entsql.IndexWhere("read_at IS NULL")),
		index.Fields("mail_due_at", "recipient_id").StorageKey("notification_mail_due").Annotations(entsql.IndexWhere("mail_due_at IS NOT NULL")),
	}
}
