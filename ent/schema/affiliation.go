package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/dialect/entsql"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"
)

// Affiliation is a member's dated post at an organization.
type Affiliation struct{ ent.Schema }

// Mixin of Affiliation.
func (Affiliation) Mixin() []ent.Mixin { return []ent.Mixin{identified{}} }

// Annotations of Affiliation.
func (Affiliation) Annotations() []schema.Annotation { return table("affiliations") }

// Fields of Affiliation.
func (Affiliation) Fields() []ent.Field {
	return []ent.Field{
		ref("member_id"),
		ref("organization_id"),
		field.String("title").Default(""),
		field.Bool("is_primary").Default(false),
		optionalDay("starts_on"),
		optionalDay("ends_on"),
	}
}

// Edges of Affiliation.
func (Affiliation) Edges() []ent.Edge {
	return []ent.Edge{
		owned("member", Member.Type, "member_id"),
		owned("organization", Organization.Type, "organization_id"),
	}
}

// Indexes of Affiliation.
func (Affiliation) Indexes() []ent.Index {
	return []ent.Index{
		index.Fields("member_id").Unique().StorageKey("affiliation_primary").Annotations(entsql.IndexWhere("is_primary")),
		index.Fields("member_id", "organization_id"),
		index.Fields("organization_id", "id"),
	}
}
