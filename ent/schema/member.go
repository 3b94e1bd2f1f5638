package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/dialect/entsql"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"
)

// Member is a person with an account.
type Member struct{ ent.Schema }

// Mixin of Member.
func (Member) Mixin() []ent.Mixin { return []ent.Mixin{identified{}} }

// Annotations of Member.
func (Member) Annotations() []schema.Annotation { return table("members") }

// Fields of Member.
func (Member) Fields() []ent.Field {
	return []ent.Field{
		field.String("email"),
		field.String("handle"),
		field.String("name"),
		field.String("pronouns").Default(""),
		field.String("title").Default(""),
		field.Text("about").Default(""),
		field.String("avatar_url").Default(""),
		field.String("time_zone"),
		field.Strings("expertise").Optional(),
		// interests are what the member chose to show, so that others with the same find them.
		field.Strings("interests").Optional(),
		// shows_presence lets others see when the member is here.
		field.Bool("shows_presence").Default(true),
		field.Enum("status").Values("ACTIVE", "DEACTIVATED", "ERASED").Default("ACTIVE"),
		// suspended_until keeps the member from signing in; they remain a member.
		optionalTime("suspended_until"),
		// avatar_file_id is an uploaded picture; it goes before avatar_url.
		optionalRef("avatar_file_id"),
		// erasing_handle is what an erased member was called, while what they left is still being scrubbed; absent once it is.
		field.String("erasing_handle").Optional().Nillable(),
		// mail_refusals is on how many days of late their address was refused for good, the last time at mail_refused_at; from
		// mail_bouncing_at on they are sent no notifications by mail. See internal/notify/bounce.go.
		field.Int("mail_refusals").Default(0),
		optionalTime("mail_refused_at"),
		optionalTime("mail_bouncing_at"),
		// event_seq numbers the events of the member's own stream; internal/event keeps it.
		field.Int("event_seq").Default(0),
		field.Time("updated_at"),
	}
}

// Indexes of Member.
func (Member) Indexes() []ent.Index {
	return []ent.Index{
		index.Fields("email").Unique(),
		index.Fields("handle").Unique(),
		index.Fields("name", "id"),
		index.Fields("time_zone", "name", "id"),
		index.Fields("avatar_file_id").Annotations(entsql.IndexWhere("avatar_file_id IS NOT NULL")),
		index.Fields("erasing_handle").StorageKey("member_erasing").Annotations(entsql.IndexWhere("erasing_handle IS NOT NULL")),
	}
}
