package access

import (
	"entgo.io/ent/dialect/sql"

	"github.com/pursuing-equity/commons/ent/affiliation"
	"github.com/pursuing-equity/commons/ent/application"
	"github.com/pursuing-equity/commons/ent/applicationeditor"
	"github.com/pursuing-equity/commons/ent/call"
	"github.com/pursuing-equity/commons/ent/conflict"
	"github.com/pursuing-equity/commons/ent/organization"
	"github.com/pursuing-equity/commons/ent/predicate"
	"github.com/pursuing-equity/commons/ent/reviewassignment"
	"github.com/pursuing-equity/commons/internal/gid"
	"github.com/pursuing-equity/commons/internal/viewer"
)

// edited is true for an application of which the member is an editor.
func edited(s *sql.Selector, m who) *sql.Predicate {
	of := from(s, applicationeditor.Table, applicationeditor.FieldID)
	return sql.Exists(of.Where(sql.And(
		sql.ColumnsEQ(of.C(applicationeditor.FieldApplicationID), s.C(application.FieldID)), m.is(of.C(applicationeditor.FieldMemberID)))))
}

// affiliatedWith is true for an application of an organization at which the member has or had a post, whenever that was.
func affiliatedWith(s *sql.Selector, m who) *sql.Predicate {
	posts := from(s, affiliation.Table, affiliation.FieldID)
	return sql.Exists(posts.Where(sql.And(
		m.is(posts.C(affiliation.FieldMemberID)), sql.ColumnsEQ(posts.C(affiliation.FieldOrganizationID), s.C(application.FieldOrganizationID)))))
}

// namesake is true for an application of an organization that is not in the network, and is known by its name alone, when the member has or
// had a post at one of the same name.
func namesake(s *sql.Selector, m who) *sql.Predicate {
	same := from(s, organization.Table, organization.FieldID)
	same.Where(sql.And(sql.IsNull(s.C(application.FieldOrganizationID)), sql.P(func(b *sql.Builder) {
		b.WriteString("lower(").Ident(same.C(organization.FieldName)).WriteString(") = lower(").Ident(s.C(application.FieldOrganizationName)).WriteString(")")
	})))
	posts := from(s, affiliation.Table, affiliation.FieldID)
	return sql.Exists(posts.Where(sql.And(m.is(posts.C(affiliation.FieldMemberID)), sql.In(posts.C(affiliation.FieldOrganizationID), same))))
}

// declared is true for an application for which somebody declared a conflict of the member's that has not ended.
func declared(s *sql.Selector, m who) *sql.Predicate {
	said := from(s, conflict.Table, conflict.FieldID)
	return sql.Exists(said.Where(sql.And(
		sql.ColumnsEQ(said.C(conflict.FieldApplicationID), s.C(application.FieldID)), m.is(said.C(conflict.FieldMemberID)),
		sql.IsNull(said.C(conflict.FieldEndedAt)))))
}

// conflicted is true for an application that the member must not judge, for any of the reasons above, and when they edit it.
func conflicted(s *sql.Selector, m who) *sql.Predicate {
	return sql.Or(affiliatedWith(s, m), namesake(s, m), edited(s, m), declared(s, m))
}

// assessed is true for a submitted application that the member is to review and may judge.
func assessed(s *sql.Selector, m who) *sql.Predicate {
	assigned := from(s, reviewassignment.Table, reviewassignment.FieldID)
	assigned.Where(sql.And(
		sql.ColumnsEQ(assigned.C(reviewassignment.FieldApplicationID), s.C(application.FieldID)), m.is(assigned.C(reviewassignment.FieldReviewerID)),
		sql.IsNull(assigned.C(reviewassignment.FieldEndedAt))))
	return sql.And(
		sql.Exists(assigned), sql.GT(s.C(application.FieldSubmissions), 0), sql.NEQ(s.C(application.FieldState), application.StateWITHDRAWN),
		sql.Not(conflicted(s, m)))
}

// reviewed is true for one that the member judges and whose applicants they may know: not in a blind call.
func reviewed(s *sql.Selector, m who) *sql.Predicate {
	open := from(s, call.Table, call.FieldID)
	open.Where(sql.And(sql.ColumnsEQ(open.C(call.FieldID), s.C(application.FieldCallID)), sql.EQ(open.C(call.FieldBlind), false)))
	return sql.And(assessed(s, m), sql.Exists(open))
}

// VisibleApplications are those that the viewer edits, those that they review and may judge, and for staff all. Who applies, and what they
// handed in, is for NamedApplications and FollowedApplications to say.
func VisibleApplications(v viewer.Viewer) predicate.Application {
	return where(v, never, func(s *sql.Selector, m who) *sql.Predicate {
		return sql.Or(edited(s, m), staff(s, m), assessed(s, m))
	})
}

// named is true for an application whose applicants the member may know.
func named(s *sql.Selector, m who) *sql.Predicate {
	return sql.Or(edited(s, m), staff(s, m), reviewed(s, m))
}

// NamedApplications are the visible ones whose applicants the viewer may know: all but those that they review in a blind call. Whatever can
// name an applicant (names, editors, signers, documents, files, texts about the application, search) is for these alone.
func NamedApplications(v viewer.Viewer) predicate.Application { return where(v, never, named) }

// NumberedApplications are the visible ones whose numbers the viewer may know: staff's and those that they review. To who writes one its number
// would tell how many others apply.
func NumberedApplications(v viewer.Viewer) predicate.Application { return where(v, never, judging) }

// judging is true for an application that the member handles as staff, or reviews and may judge.
func judging(s *sql.Selector, m who) *sql.Predicate { return sql.Or(staff(s, m), assessed(s, m)) }

// JudgedApplications are those that the viewer reviews and may judge, and for staff all.
func JudgedApplications(v viewer.Viewer) predicate.Application { return where(v, never, judging) }

// EditedApplications are those of which the viewer is an editor.
func EditedApplications(v viewer.Viewer) predicate.Application {
	return where(v, never, edited)
}

// Unconflicted are the applications that a member has no conflict of interest with.
func Unconflicted(memberID gid.ID) predicate.Application {
	return func(s *sql.Selector) { s.Where(sql.Not(conflicted(s, who{id: memberID}))) }
}
