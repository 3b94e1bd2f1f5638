package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"
)

// OneTimeToken is what a link in a mail carries: it does one thing, once, within its time. Only its hash is kept.
type OneTimeToken struct{ ent.Schema }

// Mixin of OneTimeToken.
func (OneTimeToken) Mixin() []ent.Mixin { return []ent.Mixin{identified{}} }

// Annotations of OneTimeToken.
func (OneTimeToken) Annotations() []schema.Annotation { return table("one_time_tokens") }

// Fields of OneTimeToken.
func (OneTimeToken) Fields() []ent.Field {
	return []ent.Field{
		field.Bytes("hash").MaxLen(32).Immutable(),
		field.Enum("purpose").Values("SIGN_IN", "RESET_PASSWORD", "CHANGE_EMAIL", "INVITATION", "EXPORT", "SIGN_UP").Immutable(),
		// member_id is whose account it is about.
		ref("member_id"),
		// email is where it was sent; for CHANGE_EMAIL the new address. A link to an address that is no longer the member's is void.
		field.String("email").Immutable(),
		field.Time("expires_at").Immutable(),
		optionalTime("used_at"),
	}
}

// Edges of OneTimeToken.
func (OneTimeToken) Edges() []ent.Edge {
	return []ent.Edge{
		owned("member", Member.Type, "member_id"),
	}
}

// Indexes of OneTimeToken.
func (OneTimeToken) Indexes() []ent.Index {
	return []ent.Index{
		index.Fields("hash").Unique(),
		index.Fields("member_id", "purpose"),
		index.Fields("expires_at"),
	}
}
