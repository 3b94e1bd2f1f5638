package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/dialect/entsql"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"
)

// Notice tells one member of something that is no post: of an application that they review or write, or of a warning.
type Notice struct{ ent.Schema }

// Mixin of Notice.
func (Notice) Mixin() []ent.Mixin { return []ent.Mixin{identified{}} }

// Annotations of Notice.
func (Notice) Annotations() []schema.Annotation { return table("notices") }

// Fields of Notice. Either application_id or warning_id is there.
func (Notice) Fields() []ent.Field {
	return []ent.Field{
		ref("recipient_id"),
		field.Enum("reason").Immutable().Values("REVIEW_ASSIGNED", "REVIEW_REOPENED", "EDITOR_ADDED", "APPLICATION_REMINDER", "INFORMATION_REQUESTED",
			"EXTENSION_GRANTED", "SIGNATURE_ANSWERED", "APPLICATION_DECIDED", "WARNED"),
		optionalRef("application_id"),
		optionalRef("warning_id"),
		// told_at is when the member was told last: there is one notice for what they are told again.
		field.Time("told_at"),
		optionalTime("read_at"),
	}
}

// Edges of Notice.
func (Notice) Edges() []ent.Edge {
	return []ent.Edge{
		owned("recipient", Member.Type, "recipient_id"),
		optionalEdge("application", Application.Type, "application_id"),
		optionalEdge("warning", ModerationAction.Type, "warning_id"),
	}
}

// Indexes of Notice.
func (Notice) Indexes() []ent.Index {
	return []ent.Index{
		index.Fields("recipient_id", "application_id", "reason").Unique(),
		index.Fields("warning_id").Unique(),
		index.Fields("application_id"),
		index.Fields("recipient_id", "told_at", "id").StorageKey("notice_told"),
		index.Fields("recipient_id").StorageKey("notice_unread").Annotations(entsql.IndexWhere("read_at IS NULL")),
	}
}
