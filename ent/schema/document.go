package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/dialect/entsql"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"
)

// Document is what an application holds for a requirement: a signed letter, a video, something else.
type Document struct{ ent.Schema }

// Mixin of Document.
func (Document) Mixin() []ent.Mixin { return []ent.Mixin{identified{}} }

// Annotations of Document.
func (Document) Annotations() []schema.Annotation { return table("documents") }

// Fields of Document.
func (Document) Fields() []ent.Field {
	return []ent.Field{
		ref("application_id"),
		// requirement is the key of the call's requirement.
		field.String("requirement").Immutable(),
		// signer is the role that signed it, for a letter.
		field.String("signer").Default("").Immutable(),
		// file_id is what was uploaded; url leads to a video elsewhere; letters signed through a link have neither.
		optionalRef("file_id"),
		field.String("url").Default(""),
		optionalRef("signer_request_id"),
		ref("added_by_id"),
		optionalTime("removed_at"),
	}
}

// Edges of Document.
func (Document) Edges() []ent.Edge {
	return []ent.Edge{
		owned("application", Application.Type, "application_id"),
		optionalEdge("file", File.Type, "file_id"),
		optionalEdge("signer_request", SignerRequest.Type, "signer_request_id"),
		owned("added_by", Member.Type, "added_by_id"),
	}
}

// Indexes of Document.
func (Document) Indexes() []ent.Index {
	return []ent.Index{
		index.Fields("application_id", "requirement", "signer").Unique().StorageKey("document_current").Annotations(entsql.IndexWhere("removed_at IS NULL")),
		index.Fields("application_id", "id"),
		index.Fields("file_id").Annotations(entsql.IndexWhere("file_id IS NOT NULL")),
		index.Fields("signer_request_id").Annotations(entsql.IndexWhere("signer_request_id IS NOT NULL")),
		index.Fields("added_by_id"),
	}
}
