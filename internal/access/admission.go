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

// conflicted is true for an application that the member must not judge: they edit it, they have or had a post at the organization that
// applies, whenever that was, or somebody declared it and it has not ended. An organization that is not in the network is known
// by its name alone, and the same name is enough.
func conflicted(s *sql.Selector, m who) *sql.Predicate {
	named := from(s, organization.Table, organization.FieldID)
	named.Where(sql.And(sql.IsNull(s.C(application.FieldOrganizationID)), sql.P(func(b *sql.Builder) {
		b.WriteString("lower(").Ident(named.C(organization.FieldName)).WriteString(") = lower(").Ident(s.C(application.FieldOrganizationName)).WriteString(")")
	})))
	posts := from(s, affiliation.Table, affiliation.FieldID)
	posts.Where(sql.And(m.is(posts.C(affiliation.FieldMemberID)), sql.Or(
		sql.ColumnsEQ(posts.C(affiliation.FieldOrganizationID), s.C(application.FieldOrganizationID)),
		sql.In(posts.C(affiliation.FieldOrganizationID), named))))
	declared := from(s, conflict.Table, conflict.FieldID)
	declared.Where(sql.And(
		sql.ColumnsEQ(declared.C(conflict.FieldApplicationID), s.C(application.FieldID)), m.is(declared.C(conflict.FieldMemberID)),
		sql.IsNull(declared.C(conflict.FieldEndedAt))))
	return sql.Or(sql.Exists(posts), edited(s, m), sql.Exists(declared))
}

// reviewed is true for a submitted application that the member is to review and may judge. Those to a blind call are left out: what names the
// applicants has to be left out of them first.
func reviewed(s *sql.Selector, m who) *sql.Predicate {
	assigned := from(s, reviewassignment.Table, reviewassignment.FieldID)
	assigned.Where(sql.And(
		sql.ColumnsEQ(assigned.C(reviewassignment.FieldApplicationID), s.C(application.FieldID)), m.is(assigned.C(reviewassignment.FieldReviewerID)),
		sql.IsNull(assigned.C(reviewassignment.FieldEndedAt))))
	open := from(s, call.Table, call.FieldID)
	open.Where(sql.And(sql.ColumnsEQ(open.C(call.FieldID), s.C(application.FieldCallID)), sql.EQ(open.C(call.FieldBlind), false)))
	return sql.And(
		sql.Exists(assigned), sql.Exists(open), sql.GT(s.C(application.FieldSubmissions), 0), sql.NEQ(s.C(application.FieldState), application.StateWITHDRAWN),
		sql.Not(conflicted(s, m)))
}

// VisibleApplications are those that the viewer edits, those that they review and may judge, and for staff all.
func VisibleApplications(v viewer.Viewer) predicate.Application {
	return where(v, never, func(s *sql.Selector, m who) *sql.Predicate {
		return sql.Or(edited(s, m), staff(s, m), reviewed(s, m))
	})
}

// EditedApplications are those of which the viewer is an editor.
func EditedApplications(v viewer.Viewer) predicate.Application {
	return where(v, never, edited)
}

// Unconflicted are the applications that a member has no conflict of interest with.
func Unconflicted(memberID gid.ID) predicate.Application {
	return func(s *sql.Selector) { s.Where(sql.Not(conflicted(s, who{id: memberID}))) }
}
