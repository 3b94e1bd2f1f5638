package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/dialect/entsql"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"
)

// Application is an organization's wish to take part, from draft to decision. State is what its applicants see; decisions in preparation are apart.
type Application struct{ ent.Schema }

// Mixin of Application.
func (Application) Mixin() []ent.Mixin { return []ent.Mixin{identified{}} }

// Annotations of Application.
func (Application) Annotations() []schema.Annotation { return table("applications") }

// Fields of Application.
func (Application) Fields() []ent.Field {
	return []ent.Field{
		ref("call_id"),
		// organization_id is absent while the organization is not in the network: then its name and kind are what the applicants say.
		optionalRef("organization_id"),
		field.String("organization_name"),
		field.Enum("organization_kind").Values("HEALTH_SYSTEM", "HOSPITAL", "CLINIC", "PAYER", "COMMUNITY_PARTNER", "OTHER").Default("OTHER"),
		field.String("team_name").Default(""),
		// started_by_id is who started it, whoever owns it now.
		optionalRef("started_by_id"),
		// number is dense within the call.
		field.Int("number").Immutable(),
		field.Enum("state").Values("DRAFT", "SUBMITTED", "INFORMATION_REQUESTED", "OFFERED", "WAITLISTED", "DECLINED", "ADMITTED", "OFFER_DECLINED", "OFFER_EXPIRED", "WITHDRAWN").Default("DRAFT"),
		field.Text("state_reason").Default(""),
		// reopened are the keys of the questions and requirements that a request for information reopened.
		field.JSON("reopened", []string{}).Optional(),
		field.Text("information_request").Default(""),
		optionalTime("information_due_at"),
		// submitted_at is when it was first submitted; late is whether that was after the due instant that applied to it.
		optionalTime("submitted_at"),
		field.Bool("late").Default(false),
		// submissions is the number of its newest submission; each is a frozen version.
		field.Int("submissions").Default(0),
		// extended_until is the newest extension's instant; it takes the place of the call's due and closing instants.
		optionalTime("extended_until"),
		// next_reminder_at is when its editors are to be reminded next; absent when there is nothing to remind of.
		optionalTime("next_reminder_at"),
		// review_points is the mean of the points of its reviews that count, times 1,000; absent while there is none. internal/tally keeps it.
		field.Int("review_points").Optional().Nillable(),
		// event_seq is the number of the newest event of its stream.
		field.Int("event_seq").Default(0),
		field.Int("version").Default(1),
		field.Time("updated_at"),
	}
}

// Edges of Application.
func (Application) Edges() []ent.Edge {
	return []ent.Edge{
		owned("call", Call.Type, "call_id"),
		optionalEdge("organization", Organization.Type, "organization_id"),
		optionalEdge("started_by", Member.Type, "started_by_id"),
	}
}

// Indexes of Application.
func (Application) Indexes() []ent.Index {
	return []ent.Index{
		index.Fields("call_id", "number").Unique(),
		index.Fields("call_id", "state", "number"),
		index.Fields("call_id", "organization_name", "id"),
		index.Fields("call_id", "submitted_at", "id"),
		index.Fields("call_id", "updated_at", "id"),
		index.Fields("call_id", "review_points", "id"),
		index.Fields("organization_id"),
		index.Fields("started_by_id", "created_at"),
		index.Fields("next_reminder_at").Annotations(entsql.IndexWhere("next_reminder_at IS NOT NULL")),
	}
}
