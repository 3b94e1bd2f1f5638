package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/dialect"
	"entgo.io/ent/dialect/entsql"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"
)

// Event is one line of the event log, in the order of its stream.
type Event struct{ ent.Schema }

// Annotations of Event.
func (Event) Annotations() []schema.Annotation { return table("events") }

// Fields of Event.
func (Event) Fields() []ent.Field {
	return []ent.Field{
		field.Int64("id").Immutable(),
		// xid is the writing transaction on PostgreSQL, where ids do not commit in order; 0 on SQLite, where they do.
		field.Int64("xid").Immutable().Annotations(entsql.DefaultExprs(map[string]string{
			dialect.Postgres: "(pg_current_xact_id()::text)::bigint",
			dialect.SQLite:   "0",
		})).Optional(),
		// stream_id is a thread or a member; seq is dense within it.
		ref("stream_id"),
		field.Int("seq").Immutable(),
		field.String("kind").Immutable(),
		ref("object_id"),
		optionalRef("actor_id"),
		field.Time("created_at").Immutable(),
	}
}

// Indexes of Event.
func (Event) Indexes() []ent.Index {
	return []ent.Index{
		index.Fields("stream_id", "seq").Unique(),
		index.Fields("xid", "id"),
		index.Fields("created_at"),
	}
}
