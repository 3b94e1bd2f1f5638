package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/dialect/entsql"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"
)

// SignerRequest asks somebody by mail to read and sign a letter, through a link that works once until it expires. Only the hash of its secret is kept.
type SignerRequest struct{ ent.Schema }

// Mixin of SignerRequest.
func (SignerRequest) Mixin() []ent.Mixin { return []ent.Mixin{identified{}} }

// Annotations of SignerRequest.
func (SignerRequest) Annotations() []schema.Annotation { return table("signer_requests") }

// Fields of SignerRequest.
func (SignerRequest) Fields() []ent.Field {
	return []ent.Field{
		ref("application_id"),
		field.String("requirement").Immutable(),
		field.String("signer").Immutable(),
		field.String("name").Immutable(),
		field.String("email").Immutable(),
		// letter is the text that is signed; it never changes after the request.
		field.Text("letter").Immutable(),
		field.Bytes("letter_hash").MaxLen(32).Immutable(),
		// token_hash is made when the mail is sent, and anew when it is sent again.
		field.Bytes("token_hash").MaxLen(32).Optional().Nillable(),
		field.Time("expires_at"),
		field.Enum("state").Values("PENDING", "SIGNED", "REFUSED", "CANCELLED").Default("PENDING"),
		// signed_name is the name that was typed; the address is whence it was.
		field.String("signed_name").Default(""),
		optionalTime("answered_at"),
		field.String("address").Default(""),
		field.Text("refusal").Default(""),
		ref("requester_id"),
	}
}

// Edges of SignerRequest.
func (SignerRequest) Edges() []ent.Edge {
	return []ent.Edge{
		owned("application", Application.Type, "application_id"),
		owned("requester", Member.Type, "requester_id"),
	}
}

// Indexes of SignerRequest.
func (SignerRequest) Indexes() []ent.Index {
	return []ent.Index{
		index.Fields("application_id", "requirement", "signer").Unique().StorageKey("signer_request_pending").Annotations(entsql.IndexWhere("answered_at IS NULL")),
		index.Fields("application_id", "id"),
		index.Fields("token_hash").Unique().StorageKey("signer_request_token").Annotations(entsql.IndexWhere("token_hash IS NOT NULL")),
		index.Fields("requester_id"),
	}
}
