package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"
)

// Submission is a frozen version of an application: what was submitted, with the hash that the receipt names.
type Submission struct{ ent.Schema }

// Mixin of Submission.
func (Submission) Mixin() []ent.Mixin { return []ent.Mixin{identified{}} }

// Annotations of Submission.
func (Submission) Annotations() []schema.Annotation { return table("submissions") }

// Fields of Submission.
func (Submission) Fields() []ent.Field {
	return []ent.Field{
		ref("application_id"),
		field.Int("number").Immutable(),
		field.Int("form_version").Immutable(),
		field.JSON("content", SubmittedContent{}),
		// hash is SHA-256 of the content as it is stored.
		field.Bytes("hash").MaxLen(32).Immutable(),
		ref("submitter_id"),
	}
}

// Edges of Submission.
func (Submission) Edges() []ent.Edge {
	return []ent.Edge{
		owned("application", Application.Type, "application_id"),
		owned("submitter", Member.Type, "submitter_id"),
	}
}

// Indexes of Submission.
func (Submission) Indexes() []ent.Index {
	return []ent.Index{
		index.Fields("application_id", "number").Unique(),
		index.Fields("submitter_id"),
	}
}
