package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/index"
)

// PollVote is one member's choice of an option.
type PollVote struct{ ent.Schema }

// Mixin of PollVote.
func (PollVote) Mixin() []ent.Mixin { return []ent.Mixin{identified{}} }

// Annotations of PollVote.
func (PollVote) Annotations() []schema.Annotation { return table("poll_votes") }

// Fields of PollVote.
func (PollVote) Fields() []ent.Field {
	return []ent.Field{
		ref("poll_id"),
		ref("option_id"),
		ref("member_id"),
	}
}

// Edges of PollVote.
func (PollVote) Edges() []ent.Edge {
	return []ent.Edge{
		owned("poll", Poll.Type, "poll_id"),
		owned("option", PollOption.Type, "option_id"),
		owned("member", Member.Type, "member_id"),
	}
}

// Indexes of PollVote.
func (PollVote) Indexes() []ent.Index {
	return []ent.Index{
		index.Fields("option_id", "member_id").Unique(),
		index.Fields("poll_id", "member_id"),
		index.Fields("member_id"),
	}
}
