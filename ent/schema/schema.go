// Package schema is the model: one entity a file, with its fields, edges, indexes and unique rules, and no behaviour.
//
// Ids are gid.ID. Instants are UTC microseconds and set by services, never by a default here. A field that is kept in
// step by a service (a counter, a last post) says so in its comment.
package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/dialect"
	"entgo.io/ent/dialect/entsql"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/edge"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/mixin"

	"github.com/pursuing-equity/commons/internal/gid"
)

// identified gives an entity its id and the instant of its making.
type identified struct{ mixin.Schema }

// Fields of the mixin.
func (identified) Fields() []ent.Field {
	return []ent.Field{
		field.UUID("id", gid.ID{}).Immutable().SchemaType(idColumn()),
		field.Time("created_at").Immutable(),
	}
}

func idColumn() map[string]string {
	return map[string]string{dialect.SQLite: "blob", dialect.Postgres: "uuid"}
}

// ref is a column that holds the id of another row.
func ref(name string) ent.Field {
	return field.UUID(name, gid.ID{}).Immutable().SchemaType(idColumn())
}

// movableRef is a reference that may change.
func movableRef(name string) ent.Field {
	return field.UUID(name, gid.ID{}).SchemaType(idColumn())
}

// optionalRef is a reference that may be absent.
func optionalRef(name string) ent.Field {
	return field.UUID(name, gid.ID{}).Optional().Nillable().SchemaType(idColumn())
}

// day is a date without a time of day, kept as midnight UTC.
func day(name string) ent.Field {
	return field.Time(name).SchemaType(dayColumn())
}

func optionalDay(name string) ent.Field {
	return field.Time(name).Optional().Nillable().SchemaType(dayColumn())
}

func dayColumn() map[string]string {
	return map[string]string{dialect.Postgres: "date", dialect.SQLite: "date"}
}

// optionalTime is an instant that may be absent: archived_at, read_at.
func optionalTime(name string) ent.Field {
	return field.Time(name).Optional().Nillable()
}

// owned is an edge to the row that this one belongs to. Rows are never deleted from under their children: services
// retire them.
func owned(name string, t any, column string) ent.Edge {
	return edge.To(name, t).Field(column).Unique().Required().Immutable().Annotations(entsql.OnDelete(entsql.Restrict))
}

// optionalEdge is an edge that may be absent.
func optionalEdge(name string, t any, column string) ent.Edge {
	return edge.To(name, t).Field(column).Unique().Annotations(entsql.OnDelete(entsql.Restrict))
}

func table(name string) []schema.Annotation {
	return []schema.Annotation{entsql.Annotation{Table: name}}
}

// Support is something that an offering entitles its teams to. Supports are data: access and pages read them.
type Support struct {
	Kind        string `json:"kind"`
	Label       string `json:"label"`
	Description string `json:"description,omitempty"`
}

// Requirement is something that an application must hold: a form, a letter and by whom it is signed, a video, something else.
type Requirement struct {
	Key      string   `json:"key,omitempty"`
	Kind     string   `json:"kind"` // FORM, LETTER, VIDEO or OTHER
	Label    string   `json:"label"`
	Help     string   `json:"help,omitempty"`
	Signers  []string `json:"signers,omitempty"`
	Letter   string   `json:"letter,omitempty"` // the text that signers are shown, before applicants change it
	Optional bool     `json:"optional,omitempty"`
}

// Question is one question of a form. Which of the limits apply depends on its kind.
type Question struct {
	Key         string   `json:"key"`
	Section     string   `json:"section,omitempty"` // the heading that it stands under, with its neighbours of the same
	Kind        string   `json:"kind"`              // TEXT, CHOICE, CHOICES, NUMBER, DATE, FILE or CONSENT
	Label       string   `json:"label"`
	Help        string   `json:"help,omitempty"`
	Required    bool     `json:"required,omitempty"`
	MinLength   int      `json:"minLength,omitempty"`
	MaxLength   int      `json:"maxLength,omitempty"`
	Options     []string `json:"options,omitempty"`
	Min         *float64 `json:"min,omitempty"`
	Max         *float64 `json:"max,omitempty"`
	Identifying bool     `json:"identifying,omitempty"` // left out of a blind review
}

// Criterion is one line of a rubric: scores from 0 to Max, weighted.
type Criterion struct {
	Key         string `json:"key"`
	Label       string `json:"label"`
	Description string `json:"description,omitempty"`
	Max         int    `json:"max"`
	Weight      int    `json:"weight"`
	// CommentRequired says that a score without a comment will not do.
	CommentRequired bool `json:"commentRequired,omitempty"`
}

// Score is what a reviewer gave for one criterion.
type Score struct {
	Criterion string `json:"criterion"`
	Points    int    `json:"points"`
	Comment   string `json:"comment,omitempty"`
}

// SubmittedContent is an application as it was submitted.
type SubmittedContent struct {
	OrganizationName string              `json:"organizationName"`
	OrganizationKind string              `json:"organizationKind"`
	TeamName         string              `json:"teamName"`
	Answers          []SubmittedAnswer   `json:"answers"`
	Documents        []SubmittedDocument `json:"documents"`
}

// SubmittedAnswer is an answer as it was submitted.
type SubmittedAnswer struct {
	Key     string `json:"key"`
	Value   string `json:"value"`
	FileID  string `json:"fileId,omitempty"`
	Version int    `json:"version"`
}

// SubmittedDocument is a document as it was submitted.
type SubmittedDocument struct {
	ID          string `json:"id"`
	Requirement string `json:"requirement"`
	Signer      string `json:"signer,omitempty"`
}

// BulkOutcome is what became of one target of a bulk action that went wrong.
type BulkOutcome struct {
	Target  string `json:"target"`
	Code    string `json:"code"`
	Message string `json:"message"`
}

// ReactionCount is how many members reacted to a post with one emoji.
type ReactionCount struct {
	Emoji string `json:"emoji"`
	Count int    `json:"count"`
}
