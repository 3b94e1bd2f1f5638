package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/dialect/entsql"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"
)

// SpaceExport is an archive of what was said in a space, which somebody asked for. It and its bytes are kept for a day.
type SpaceExport struct{ ent.Schema }

// Mixin of SpaceExport.
func (SpaceExport) Mixin() []ent.Mixin { return []ent.Mixin{identified{}} }

// Annotations of SpaceExport.
func (SpaceExport) Annotations() []schema.Annotation { return table("space_exports") }

// Fields of SpaceExport.
func (SpaceExport) Fields() []ent.Field {
	return []ent.Field{
		ref("space_id"),
		ref("requester_id"),
		// next_at is when to put it together; while a process does, when another one may; absent once it is there or given up.
		optionalTime("next_at"),
		field.Int("attempts").Default(0),
		// posts is how many posts are written by now, and size how many bytes the archive has once it is there.
		field.Int("posts").Default(0),
		field.Int64("size").Default(0),
		// kept_id is under which id its bytes are in the storage, another one for each attempt; absent: under its own.
		optionalRef("kept_id"),
		optionalTime("finished_at"),
		optionalTime("failed_at"),
	}
}

// Edges of SpaceExport.
func (SpaceExport) Edges() []ent.Edge {
	return []ent.Edge{
		owned("space", Space.Type, "space_id"),
		owned("requester", Member.Type, "requester_id"),
	}
}

// Indexes of SpaceExport.
func (SpaceExport) Indexes() []ent.Index {
	return []ent.Index{
		index.Fields("space_id", "id"),
		index.Fields("requester_id"),
		index.Fields("created_at"),
		// At most one at a time is put together for a space.
		index.Fields("space_id").Unique().StorageKey("space_export_open").Annotations(entsql.IndexWhere("next_at IS NOT NULL")),
		index.Fields("next_at").StorageKey("space_export_due").Annotations(entsql.IndexWhere("next_at IS NOT NULL")),
	}
}
