package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"
)

// SearchDocument is the searchable text of one object. Each database indexes it in its own way: see internal/store.
type SearchDocument struct{ ent.Schema }

// Annotations of SearchDocument.
func (SearchDocument) Annotations() []schema.Annotation { return table("search_documents") }

// Fields of SearchDocument.
func (SearchDocument) Fields() []ent.Field {
	return []ent.Field{
		field.Int64("id").Immutable(),
		field.Enum("kind").Values("THREAD", "POST", "RESOURCE", "MEMBER", "ORGANIZATION", "APPLICATION").Immutable(),
		ref("object_id"),
		// thread_id is set for threads and posts, so that one semi-join decides about both.
		optionalRef("thread_id"),
		field.String("title").Default(""),
		field.Text("body").Default(""),
	}
}

// Indexes of SearchDocument.
func (SearchDocument) Indexes() []ent.Index {
	return []ent.Index{
		index.Fields("object_id").Unique(),
		index.Fields("thread_id"),
	}
}
