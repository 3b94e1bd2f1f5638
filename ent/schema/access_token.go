package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/dialect/entsql"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"
)

// AccessToken signs a member in: a personal token that programs send, or a session that a browser holds in a cookie. Only its
// hash is kept.
type AccessToken struct{ ent.Schema }

// Mixin of AccessToken.
func (AccessToken) Mixin() []ent.Mixin { return []ent.Mixin{identified{}} }

// Annotations of AccessToken.
func (AccessToken) Annotations() []schema.Annotation { return table("access_tokens") }

// Fields of AccessToken.
func (AccessToken) Fields() []ent.Field {
	return []ent.Field{
		ref("member_id"),
		// hash is SHA-256 of the token, which has 256 random bits.
		field.Bytes("hash").MaxLen(32),
		field.Enum("kind").Values("PERSONAL", "SESSION", "FEED").Default("PERSONAL").Immutable(),
		// previous_hash is good for a moment after a session's cookie was renewed at renewed_at: requests were on their way.
		field.Bytes("previous_hash").MaxLen(32).Optional().Nillable(),
		optionalTime("renewed_at"),
		// name is what the member called a token, or the browser that a session is in.
		field.String("name").Default(""),
		// address is where it was last used from.
		field.String("address").Default(""),
		field.Enum("scope").Values("READ", "WRITE"),
		// expires_at of a session moves on while it is used, until last_expires_at.
		optionalTime("expires_at"),
		optionalTime("last_expires_at"),
		optionalTime("revoked_at"),
		optionalTime("last_used_at"),
	}
}

// Edges of AccessToken.
func (AccessToken) Edges() []ent.Edge {
	return []ent.Edge{
		owned("member", Member.Type, "member_id"),
	}
}

// Indexes of AccessToken.
func (AccessToken) Indexes() []ent.Index {
	return []ent.Index{
		index.Fields("hash").Unique(),
		index.Fields("previous_hash").Annotations(entsql.IndexWhere("previous_hash IS NOT NULL")),
		index.Fields("member_id", "id"),
		index.Fields("expires_at").Annotations(entsql.IndexWhere("expires_at IS NOT NULL")), // what expired since a moment ago
	}
}
