package schema

import (
	"entgo.io/ent"
	"entgo.io/ent/schema"
	"entgo.io/ent/schema/field"
	"entgo.io/ent/schema/index"
)

// AuditEntry is who did what to which object, from where and why. Rows are only ever added: a trigger refuses everything else.
type AuditEntry struct{ ent.Schema }

// Mixin of AuditEntry.
func (AuditEntry) Mixin() []ent.Mixin { return []ent.Mixin{identified{}} }

// Annotations of AuditEntry.
func (AuditEntry) Annotations() []schema.Annotation { return table("audit_entries") }

// Fields of AuditEntry.
func (AuditEntry) Fields() []ent.Field {
	return []ent.Field{
		// actor_id is the member who acted; absent when the program itself did, or somebody who had not signed in.
		optionalRef("actor_id"),
		field.String("action").Immutable(),
		// subject_id is what it was done to.
		optionalRef("subject_id"),
		// space_id is set for what happened in a space that is hidden: only those who may see the space see the entry.
		optionalRef("space_id"),
		field.String("reason").Default("").Immutable(),
		field.String("address").Default("").Immutable(),
	}
}

// Indexes of AuditEntry.
func (AuditEntry) Indexes() []ent.Index {
	return []ent.Index{
		index.Fields("subject_id", "id"),
		index.Fields("actor_id", "id"),
		index.Fields("space_id", "id"),
	}
}
