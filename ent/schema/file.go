package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/dialect/entsql"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/edge"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"
)

// File is something that a member uploaded. The row is made once the bytes are stored and were checked.
type File struct{ ent.Schema }

// Mixin of File.
func (File) Mixin() []ent.Mixin { return []ent.Mixin{identified{}} }

// Annotations of File.
func (File) Annotations() []schema.Annotation { return table("files") }

// Fields of File.
func (File) Fields() []ent.Field {
	return []ent.Field{
		ref("owner_id"),
		field.Enum("purpose").Values("AVATAR", "RESOURCE", "POST", "APPLICATION").Immutable(),
		field.String("name"),
		// media_type is what the content is, whatever the sender called it.
		field.String("media_type").Immutable(),
		field.Int64("size").Immutable(),
		// hash is SHA-256 of what is stored.
		field.Bytes("hash").MaxLen(32).Immutable(),
		// attached_at is when something first referred to it; what nothing refers to is deleted after a day.
		optionalTime("attached_at"),
		// deleted_at is set when its bytes are to go.
		optionalTime("deleted_at"),
	}
}

// Edges of File.
func (File) Edges() []ent.Edge {
	return []ent.Edge{
		owned("owner", Member.Type, "owner_id"),
		edge.From("resources", Resource.Type).Ref("file"),
		edge.From("resource_versions", ResourceVersion.Type).Ref("file"),
	}
}

// Indexes of File.
func (File) Indexes() []ent.Index {
	return []ent.Index{
		index.Fields("owner_id", "id"),
		index.Fields("created_at").StorageKey("file_unattached").Annotations(entsql.IndexWhere("attached_at IS NULL")),
		index.Fields("deleted_at").Annotations(entsql.IndexWhere("deleted_at IS NOT NULL")),
	}
}
