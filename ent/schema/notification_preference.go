package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"
)

// NotificationPreference is how a member wants to be told outside the app.
type NotificationPreference struct{ ent.Schema }

// Mixin of NotificationPreference.
func (NotificationPreference) Mixin() []ent.Mixin { return []ent.Mixin{identified{}} }

// Annotations of NotificationPreference.
func (NotificationPreference) Annotations() []schema.Annotation {
	return table("notification_preferences")
}

// Fields of NotificationPreference.
func (NotificationPreference) Fields() []ent.Field {
	return []ent.Field{
		ref("member_id"),
		// direct_mail is for what is meant for the member: mentions, replies, direct conversations.
		field.Enum("direct_mail").Values("INSTANT", "HOURLY", "DAILY", "WEEKLY", "NEVER").Default("INSTANT"),
		// watched_mail is for the rest.
		field.Enum("watched_mail").Values("INSTANT", "HOURLY", "DAILY", "WEEKLY", "NEVER").Default("DAILY"),
		// digest_hour is an hour of the member's day, and digest_weekday a day of their week, 1 is Monday.
		field.Int("digest_hour").Default(8),
		field.Int("digest_weekday").Default(1),
		// quiet_from and quiet_until are minutes of the member's day between which no mail is sent; they may go over midnight.
		field.Int("quiet_from").Optional().Nillable(),
		field.Int("quiet_until").Optional().Nillable(),
		field.Time("updated_at"),
	}
}

// Edges of NotificationPreference.
func (NotificationPreference) Edges() []ent.Edge {
	return []ent.Edge{
		owned("member", Member.Type, "member_id"),
	}
}

// Indexes of NotificationPreference.
func (NotificationPreference) Indexes() []ent.Index {
	return []ent.Index{
		index.Fields("member_id").Unique(),
	}
}
