package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/dialect/entsql"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"
)

// Mail waits to be sent. It holds no secret: links are made when it is sent. The row is deleted once the mail server has taken it.
type Mail struct{ ent.Schema }

// Mixin of Mail.
func (Mail) Mixin() []ent.Mixin { return []ent.Mixin{identified{}} }

// Annotations of Mail.
func (Mail) Annotations() []schema.Annotation { return table("mails") }

// Fields of Mail.
func (Mail) Fields() []ent.Field {
	return []ent.Field{
		// address is where to; whether an account has it is looked up when the mail is sent.
		field.String("address").Immutable(),
		// template says what the mail is, and data what stands in it.
		field.String("template").Immutable(),
		field.JSON("data", map[string]string{}).Optional().Immutable(),
		field.Int("attempts").Default(0),
		// next_at is when to try; while a process tries, when another one may; and when it has failed for good, when it is forgotten.
		field.Time("next_at"),
		field.String("last_error").Default(""),
		optionalTime("failed_at"), // for good: it is kept for staff
		// until is when the mail is worth nothing any more, because its link is dead; empty when it has none that dies sooner than such mail.
		field.Time("until").Optional().Nillable().Immutable(),
		// retried_at is when staff wanted it tried again: from then on it is worth as much as a new one.
		optionalTime("retried_at"),
	}
}

// Indexes of Mail.
func (Mail) Indexes() []ent.Index {
	return []ent.Index{
		index.Fields("next_at"),
		index.Fields("address"),
		index.Fields("id").StorageKey("mail_failed").Annotations(entsql.IndexWhere("failed_at IS NOT NULL")),
	}
}
