package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/dialect/entsql"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"
)

// ResourceVersion is what a resource was in one version of it.
type ResourceVersion struct{ ent.Schema }

// Mixin of ResourceVersion.
func (ResourceVersion) Mixin() []ent.Mixin { return []ent.Mixin{identified{}} }

// Annotations of ResourceVersion.
func (ResourceVersion) Annotations() []schema.Annotation { return table("resource_versions") }

// Fields of ResourceVersion.
func (ResourceVersion) Fields() []ent.Field {
	return []ent.Field{
		ref("resource_id"),
		ref("author_id"),
		field.Int("number").Immutable(),
		field.String("title"),
		field.Text("summary").Default(""),
		field.String("url").Default(""),
		optionalRef("file_id"),
		field.String("licence").Default(""),
		field.String("note").Default(""),
	}
}

// Edges of ResourceVersion.
func (ResourceVersion) Edges() []ent.Edge {
	return []ent.Edge{
		owned("resource", Resource.Type, "resource_id"),
		owned("author", Member.Type, "author_id"),
		optionalEdge("file", File.Type, "file_id"),
	}
}

// Indexes of ResourceVersion.
func (ResourceVersion) Indexes() []ent.Index {
	return []ent.Index{
		index.Fields("resource_id", "number").Unique(),
		index.Fields("file_id").Annotations(entsql.IndexWhere("file_id IS NOT NULL")), // what holds a file, at each download
	}
}
