package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/dialect/entsql"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"
)

// Entitlement is what a support of an offering opens for the offering's teams: a space or a resource.
type Entitlement struct{ ent.Schema }

// Mixin of Entitlement.
func (Entitlement) Mixin() []ent.Mixin { return []ent.Mixin{identified{}} }

// Annotations of Entitlement.
func (Entitlement) Annotations() []schema.Annotation { return table("entitlements") }

// Fields of Entitlement.
func (Entitlement) Fields() []ent.Field {
	return []ent.Field{
		ref("offering_id"),
		// support is the kind of one of the offering's supports; without that support it opens nothing.
		field.String("support").Immutable(),
		optionalRef("space_id"),
		optionalRef("resource_id"),
		// team_roles are the roles in a team for which it opens; none means all.
		field.JSON("team_roles", []string{}).Optional(),
	}
}

// Edges of Entitlement.
func (Entitlement) Edges() []ent.Edge {
	return []ent.Edge{
		owned("offering", Offering.Type, "offering_id"),
		optionalEdge("space", Space.Type, "space_id"),
		optionalEdge("resource", Resource.Type, "resource_id"),
	}
}

// Indexes of Entitlement.
func (Entitlement) Indexes() []ent.Index {
	return []ent.Index{
		index.Fields("offering_id", "support", "space_id").Unique().StorageKey("entitlement_space").Annotations(entsql.IndexWhere("space_id IS NOT NULL")),
		index.Fields("offering_id", "support", "resource_id").Unique().StorageKey("entitlement_resource").Annotations(entsql.IndexWhere("resource_id IS NOT NULL")),
		index.Fields("space_id").Annotations(entsql.IndexWhere("space_id IS NOT NULL")),
		index.Fields("resource_id").Annotations(entsql.IndexWhere("resource_id IS NOT NULL")),
	}
}
