package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"
)

// MemberTerm is a word or a topic by which a member is found: a word of the name or the handle, something that they can be asked about,
// or something that interests them. It repeats what the member's row says, in a form that an index can answer for.
type MemberTerm struct{ ent.Schema }

// Mixin of MemberTerm.
func (MemberTerm) Mixin() []ent.Mixin { return []ent.Mixin{identified{}} }

// Annotations of MemberTerm.
func (MemberTerm) Annotations() []schema.Annotation { return table("member_terms") }

// Fields of MemberTerm.
func (MemberTerm) Fields() []ent.Field {
	return []ent.Field{
		ref("member_id"),
		field.Enum("kind").Values("NAME", "EXPERTISE", "INTEREST").Immutable(),
		// term is folded, and bytes: these both databases order alike, so that an index finds what begins with a text.
		field.Bytes("term").Immutable(),
		// label is the topic as the member wrote it; empty for a word of a name.
		field.String("label").Default("").Immutable(),
	}
}

// Edges of MemberTerm.
func (MemberTerm) Edges() []ent.Edge {
	return []ent.Edge{
		owned("member", Member.Type, "member_id"),
	}
}

// Indexes of MemberTerm.
func (MemberTerm) Indexes() []ent.Index {
	return []ent.Index{
		index.Fields("kind", "term", "member_id").Unique(),
		index.Fields("member_id"),
	}
}
