package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"
)

// Identity is a member as an OpenID provider knows them.
type Identity struct{ ent.Schema }

// Mixin of Identity.
func (Identity) Mixin() []ent.Mixin { return []ent.Mixin{identified{}} }

// Annotations of Identity.
func (Identity) Annotations() []schema.Annotation { return table("identities") }

// Fields of Identity.
func (Identity) Fields() []ent.Field {
	return []ent.Field{
		ref("member_id"),
		field.String("issuer").Immutable(),
		field.String("subject").Immutable(),
	}
}

// Edges of Identity.
func (Identity) Edges() []ent.Edge {
	return []ent.Edge{
		owned("member", Member.Type, "member_id"),
	}
}

// Indexes of Identity.
func (Identity) Indexes() []ent.Index {
	return []ent.Index{
		index.Fields("issuer", "subject").Unique(),
		index.Fields("member_id"),
	}
}
