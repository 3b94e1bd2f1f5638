package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"
)

// IdempotencyRecord remembers the result of a creating mutation under the client's key.
type IdempotencyRecord struct{ ent.Schema }

// Mixin of IdempotencyRecord.
func (IdempotencyRecord) Mixin() []ent.Mixin { return []ent.Mixin{identified{}} }

// Annotations of IdempotencyRecord.
func (IdempotencyRecord) Annotations() []schema.Annotation { return table("idempotency_records") }

// Fields of IdempotencyRecord.
func (IdempotencyRecord) Fields() []ent.Field {
	return []ent.Field{
		ref("member_id"),
		field.String("key").Immutable(),
		field.String("operation").Immutable(),
		field.Bytes("payload_hash").MaxLen(32).Immutable(),
		ref("result_id"),
	}
}

// Edges of IdempotencyRecord.
func (IdempotencyRecord) Edges() []ent.Edge {
	return []ent.Edge{
		owned("member", Member.Type, "member_id"),
	}
}

// Indexes of IdempotencyRecord.
func (IdempotencyRecord) Indexes() []ent.Index {
	return []ent.Index{
		index.Fields("member_id", "key").Unique(),
		index.Fields("created_at"),
	}
}
