package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"
)

// Password is a member's password, as argon2id makes it. It is a row of its own, so that no query of members carries it.
type Password struct{ ent.Schema }

// Mixin of Password.
func (Password) Mixin() []ent.Mixin { return []ent.Mixin{identified{}} }

// Annotations of Password.
func (Password) Annotations() []schema.Annotation { return table("passwords") }

// Fields of Password.
func (Password) Fields() []ent.Field {
	return []ent.Field{
		ref("member_id"),
		// hash is in the PHC string format, with its parameters and salt.
		field.String("hash").Sensitive(),
		field.Time("updated_at"),
	}
}

// Edges of Password.
func (Password) Edges() []ent.Edge {
	return []ent.Edge{
		owned("member", Member.Type, "member_id"),
	}
}

// Indexes of Password.
func (Password) Indexes() []ent.Index {
	return []ent.Index{
		index.Fields("member_id").Unique(),
	}
}
