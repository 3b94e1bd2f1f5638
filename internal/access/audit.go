package access

import (
	"entgo.io/ent/dialect/sql"

	"github.com/pursuing-equity/commons/ent/accesstoken"
	"github.com/pursuing-equity/commons/ent/auditentry"
	"github.com/pursuing-equity/commons/ent/predicate"
	"github.com/pursuing-equity/commons/ent/roleassignment"
	"github.com/pursuing-equity/commons/ent/spacemembership"
	"github.com/pursuing-equity/commons/internal/gid"
	"github.com/pursuing-equity/commons/internal/viewer"
)

// done is true for an entry of what was done to a member: to the account itself, or to a role, a place in a space or a sign-in of
// theirs.
func done(s *sql.Selector, to who) *sql.Predicate {
	subject := s.C(auditentry.FieldSubjectID)
	of := func(table, column string) *sql.Predicate {
		ids := from(s, table, "id")
		return sql.In(subject, ids.Where(to.is(ids.C(column))))
	}
	return sql.Or(
		to.is(subject),
		of(roleassignment.Table, roleassignment.FieldMemberID),
		of(spacemembership.Table, spacemembership.FieldMemberID),
		of(accesstoken.Table, accesstoken.FieldMemberID),
	)
}

// VisibleAuditEntries are those of what the viewer did and of what was done to them, for administrators all; of those that happened
// in a hidden space, all for who can see the space and none for anybody else, even who acted: they may have left it since.
func VisibleAuditEntries(v viewer.Viewer) predicate.AuditEntry {
	return where(v, never, func(s *sql.Selector, m who) *sql.Predicate {
		in := s.C(auditentry.FieldSpaceID)
		return sql.Or(
			sql.In(in, visibleSpaceIDs(s, m)),
			sql.And(sql.IsNull(in), sql.Or(administrator(s, m), m.is(s.C(auditentry.FieldActorID)), done(s, m))),
		)
	})
}

// AuditEntriesAbout are those of what was done to an object. For a member they include what was done to their roles, their places
// in spaces and their sign-ins.
func AuditEntriesAbout(id gid.ID) predicate.AuditEntry {
	return func(s *sql.Selector) {
		if id.Kind() == gid.Member {
			s.Where(done(s, who{id: id}))
			return
		}
		s.Where(sql.EQ(s.C(auditentry.FieldSubjectID), id))
	}
}

// CanSeeAddress says whether the viewer may see from where somebody acted: administrators, and who acted.
func (a *Actor) CanSeeAddress(actor *gid.ID) bool {
	me, ok := a.viewer.MemberID()
	return a.IsAdmin() || ok && actor != nil && *actor == me
}
