package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/index"
)

// DraftAttachment keeps a file for a draft: the draft holds it, or one of the earlier versions that are kept does.
type DraftAttachment struct{ ent.Schema }

// Mixin of DraftAttachment.
func (DraftAttachment) Mixin() []ent.Mixin { return []ent.Mixin{identified{}} }

// Annotations of DraftAttachment.
func (DraftAttachment) Annotations() []schema.Annotation { return table("draft_attachments") }

// Fields of DraftAttachment.
func (DraftAttachment) Fields() []ent.Field {
	return []ent.Field{
		ref("draft_id"),
		ref("file_id"),
	}
}

// Edges of DraftAttachment.
func (DraftAttachment) Edges() []ent.Edge {
	return []ent.Edge{
		owned("draft", Draft.Type, "draft_id"),
		owned("file", File.Type, "file_id"),
	}
}

// Indexes of DraftAttachment.
func (DraftAttachment) Indexes() []ent.Index {
	return []ent.Index{
		index.Fields("draft_id", "file_id").Unique(),
		index.Fields("file_id"),
	}
}
