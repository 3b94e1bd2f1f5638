package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/dialect/entsql"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/edge"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"
)

// Resource is a file, link, video, tool or framework text that teams work with.
type Resource struct{ ent.Schema }

// Mixin of Resource.
func (Resource) Mixin() []ent.Mixin { return []ent.Mixin{identified{}} }

// Annotations of Resource.
func (Resource) Annotations() []schema.Annotation { return table("resources") }

// Fields of Resource.
func (Resource) Fields() []ent.Field {
	return []ent.Field{
		field.Enum("kind").Values("FILE", "LINK", "VIDEO", "TOOL", "FRAMEWORK"),
		field.String("title"),
		field.Text("summary").Default(""),
		field.String("url").Default(""),
		// file_id is what was uploaded, in place of a url.
		optionalRef("file_id"),
		field.String("licence").Default(""),
		field.Enum("audience").Values("PUBLIC", "NETWORK", "SPACE", "ENTITLED"),
		optionalRef("space_id"),
		// version is the number of the newest version; older ones are in resource_versions.
		field.Int("version").Default(1),
		ref("author_id"),
		field.Time("updated_at"),
		optionalTime("archived_at"),
	}
}

// Edges of Resource.
func (Resource) Edges() []ent.Edge {
	return []ent.Edge{
		optionalEdge("space", Space.Type, "space_id"),
		owned("author", Member.Type, "author_id"),
		optionalEdge("file", File.Type, "file_id"),
		edge.To("frameworks", Framework.Type),
	}
}

// Indexes of Resource.
func (Resource) Indexes() []ent.Index {
	return []ent.Index{
		index.Fields("updated_at", "id").Annotations(entsql.DescColumns("updated_at", "id")),
		index.Fields("space_id", "updated_at", "id").Annotations(entsql.DescColumns("updated_at", "id")),
		index.Fields("file_id").Annotations(entsql.IndexWhere("file_id IS NOT NULL")),
	}
}
