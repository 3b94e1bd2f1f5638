package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/dialect/entsql"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/edge"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"
)

// Decision is what staff decided about an application. It is prepared in private and released with the others of the call.
type Decision struct{ ent.Schema }

// Mixin of Decision.
func (Decision) Mixin() []ent.Mixin { return []ent.Mixin{identified{}} }

// Annotations of Decision.
func (Decision) Annotations() []schema.Annotation { return table("decisions") }

// Fields of Decision.
func (Decision) Fields() []ent.Field {
	return []ent.Field{
		ref("application_id"),
		// call_id is the application's; places and ranks are counted by call.
		ref("call_id"),
		field.Enum("kind").Values("ACCEPT", "WAITLIST", "DECLINE"),
		// reason is for the applicants, note for staff.
		field.Text("reason").Default(""),
		field.Text("note").Default(""),
		// rank orders the waitlist, the least first, with gaps where somebody left; in preparation it is the place that is wanted, from 1.
		field.Int("rank").Optional().Nillable(),
		movableRef("decider_id"),
		optionalTime("released_at"),
		// expires_at is when an offer that was not answered lapses.
		optionalTime("expires_at"),
		field.Enum("answer").Values("CONFIRMED", "DECLINED", "EXPIRED").Optional().Nillable(),
		optionalTime("answered_at"),
		// superseded_at is when another decision, or a withdrawal, took its place.
		optionalTime("superseded_at"),
		field.Int("version").Default(1),
		field.Time("updated_at"),
	}
}

// Edges of Decision.
func (Decision) Edges() []ent.Edge {
	return []ent.Edge{
		owned("application", Application.Type, "application_id"),
		owned("call", Call.Type, "call_id"),
		edge.To("decider", Member.Type).Field("decider_id").Unique().Required().Annotations(entsql.OnDelete(entsql.Restrict)),
	}
}

// Indexes of Decision.
func (Decision) Indexes() []ent.Index {
	return []ent.Index{
		index.Fields("application_id").Unique().StorageKey("decision_current").Annotations(entsql.IndexWhere("superseded_at IS NULL")),
		index.Fields("application_id", "id"),
		index.Fields("call_id", "kind", "rank", "id"),
		index.Fields("expires_at").StorageKey("decision_offers").Annotations(entsql.IndexWhere("answered_at IS NULL")),
		index.Fields("decider_id"),
	}
}
