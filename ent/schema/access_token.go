package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/dialect/entsql"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"
)

// AccessToken signs a member in. Only its hash is kept.
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
		field.Bytes("hash").MaxLen(32).Immutable(),
		field.String("name").Default(""),
		field.Enum("scope").Values("READ", "WRITE"),
		optionalTime("expires_at"),
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
		index.Fields("member_id", "id"),
		index.Fields("expires_at").Annotations(entsql.IndexWhere("expires_at IS NOT NULL")), // what expired since a moment ago
	}
}
