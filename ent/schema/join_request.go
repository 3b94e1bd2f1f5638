package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"
)

// JoinRequest asks to belong to a group whose address somebody was told. A row is made whether there is such a group or not.
type JoinRequest struct{ ent.Schema }

// Mixin of JoinRequest.
func (JoinRequest) Mixin() []ent.Mixin { return []ent.Mixin{identified{}} }

// Annotations of JoinRequest.
func (JoinRequest) Annotations() []schema.Annotation { return table("join_requests") }

// Fields of JoinRequest.
func (JoinRequest) Fields() []ent.Field {
	return []ent.Field{
		ref("member_id"),
		// address is what was typed; it names a group only for those who belong to it.
		field.String("address").Immutable(),
		field.Text("message").Default("").Immutable(),
		field.Enum("state").Values("PENDING", "ACCEPTED", "DECLINED").Default("PENDING"),
		optionalRef("decided_by_id"),
		optionalTime("decided_at"),
	}
}

// Edges of JoinRequest.
func (JoinRequest) Edges() []ent.Edge {
	return []ent.Edge{
		owned("member", Member.Type, "member_id"),
	}
}

// Indexes of JoinRequest.
func (JoinRequest) Indexes() []ent.Index {
	return []ent.Index{
		index.Fields("address", "id"),
		index.Fields("member_id", "id"),
	}
}
