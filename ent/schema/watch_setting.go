package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/dialect/entsql"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"
)

// WatchSetting is how much of a space or a thread a member wants to hear. The thread's goes before the space's.
type WatchSetting struct{ ent.Schema }

// Mixin of WatchSetting.
func (WatchSetting) Mixin() []ent.Mixin { return []ent.Mixin{identified{}} }

// Annotations of WatchSetting.
func (WatchSetting) Annotations() []schema.Annotation { return table("watch_settings") }

// Fields of WatchSetting.
func (WatchSetting) Fields() []ent.Field {
	return []ent.Field{
		ref("member_id"),
		// One of the two.
		optionalRef("space_id"),
		optionalRef("thread_id"),
		field.Enum("level").Values("WATCHING", "TRACKING", "NORMAL", "MUTED"),
		field.Time("updated_at"),
	}
}

// Edges of WatchSetting.
func (WatchSetting) Edges() []ent.Edge {
	return []ent.Edge{
		owned("member", Member.Type, "member_id"),
		optionalEdge("space", Space.Type, "space_id"),
		optionalEdge("thread", Thread.Type, "thread_id"),
	}
}

// Indexes of WatchSetting.
func (WatchSetting) Indexes() []ent.Index {
	return []ent.Index{
		index.Fields("member_id", "space_id").Unique().StorageKey("watch_space").Annotations(entsql.IndexWhere("space_id IS NOT NULL")),
		index.Fields("member_id", "thread_id").Unique().StorageKey("watch_thread").Annotations(entsql.IndexWhere("thread_id IS NOT NULL")),
		index.Fields("space_id", "level", "member_id").StorageKey("watch_space_level").Annotations(entsql.IndexWhere("space_id IS NOT NULL")),
		index.Fields("thread_id", "level", "member_id").StorageKey("watch_thread_level").Annotations(entsql.IndexWhere("thread_id IS NOT NULL")),
	}
}
