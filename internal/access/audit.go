package access

import (
	"entgo.io/ent/dialect/sql"

	"github.com/pursuing-equity/commons/ent/accesstoken"
	"github.com/pursuing-equity/commons/ent/auditentry"
	"github.com/pursuing-equity/commons/ent/moderationaction"
	"github.com/pursuing-equity/commons/ent/post"
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

// judgement is true for an entry of what moderators decide about posts and members.
func judgement(s *sql.Selector) *sql.Predicate {
	return sql.In(s.C(auditentry.FieldAction), "POST_HIDDEN", "POST_RESTORED", "FLAGS_RESOLVED", "MEMBER_WARNED")
}

// judgedThere is true for an entry of a judgement that the member may read: they moderate the space, and it is neither of the flags on a post of
// theirs nor a warning to them.
func judgedThere(s *sql.Selector, m who) *sql.Predicate {
	subject := s.C(auditentry.FieldSubjectID)
	own := from(s, post.Table, post.FieldID)
	own.Where(sql.And(sql.ColumnsEQ(own.C(post.FieldID), subject), m.is(own.C(post.FieldAuthorID))))
	warned := from(s, moderationaction.Table, moderationaction.FieldID)
	warned.Where(sql.And(sql.ColumnsEQ(warned.C(moderationaction.FieldID), subject), ownWarning(warned, m)))
	return sql.And(
		sql.In(s.C(auditentry.FieldSpaceID), moderatedSpaceIDs(s, m)),
		sql.Not(sql.And(sql.EQ(s.C(auditentry.FieldAction), "FLAGS_RESOLVED"), sql.Exists(own))),
		sql.Not(sql.Exists(warned)),
	)
}

// VisibleAuditEntries are those of what the viewer did and of what was done to them, for administrators all. Those that happened in a
// hidden space are for who can see the space, and what moderators decided there about others for who moderates it; they are for nobody else,
// even who acted: they may have left it since.
func VisibleAuditEntries(v viewer.Viewer) predicate.AuditEntry {
	return where(v, never, func(s *sql.Selector, m who) *sql.Predicate {
		in := s.C(auditentry.FieldSpaceID)
		return sql.Or(
			sql.And(sql.In(in, visibleSpaceIDs(s, m)), sql.Or(sql.Not(judgement(s)), judgedThere(s, m))),
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
