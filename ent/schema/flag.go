package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/dialect/entsql"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"
)

// Flag is a member's word to the moderators that a post does harm.
type Flag struct{ ent.Schema }

// Mixin of Flag.
func (Flag) Mixin() []ent.Mixin { return []ent.Mixin{identified{}} }

// Annotations of Flag.
func (Flag) Annotations() []schema.Annotation { return table("flags") }

// Fields of Flag.
func (Flag) Fields() []ent.Field {
	return []ent.Field{
		ref("post_id"),
		ref("reporter_id"),
		field.Enum("reason").Values("HARASSMENT", "DISCRIMINATION", "PRIVACY", "MISINFORMATION", "SPAM", "OFF_TOPIC", "OTHER").Immutable(),
		field.Text("note").Default(""),
		field.Enum("state").Values("OPEN", "UPHELD", "DISMISSED").Default("OPEN"),
		optionalRef("resolver_id"),
		optionalTime("resolved_at"),
		field.Text("resolution").Default(""),
	}
}

// Edges of Flag.
func (Flag) Edges() []ent.Edge {
	return []ent.Edge{
		owned("post", Post.Type, "post_id"),
		owned("reporter", Member.Type, "reporter_id"),
		optionalEdge("resolver", Member.Type, "resolver_id"),
	}
}

// Indexes of Flag.
func (Flag) Indexes() []ent.Index {
	return []ent.Index{
		index.Fields("post_id", "reporter_id").Unique().StorageKey("flag_open").Annotations(entsql.IndexWhere("resolved_at IS NULL")),
		index.Fields("post_id", "id"),
		index.Fields("reporter_id"),
		index.Fields("id").StorageKey("flag_queue").Annotations(entsql.IndexWhere("resolved_at IS NULL")),
	}
}
