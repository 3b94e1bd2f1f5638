package access

import (
	"entgo.io/ent/dialect/sql"

	"github.com/pursuing-equity/commons/ent/application"
	"github.com/pursuing-equity/commons/ent/call"
	"github.com/pursuing-equity/commons/ent/member"
	"github.com/pursuing-equity/commons/ent/predicate"
	"github.com/pursuing-equity/commons/ent/review"
	"github.com/pursuing-equity/commons/ent/reviewassignment"
	"github.com/pursuing-equity/commons/ent/roleassignment"
	"github.com/pursuing-equity/commons/internal/gid"
	"github.com/pursuing-equity/commons/internal/viewer"
)

// Who reviews: whomever staff ask, as long as they may sign in. The role REVIEWER on the platform makes somebody one of those who are asked
// when staff name nobody; by itself it shows nothing. A reviewer who is staff, too, knows the applicants of blind calls as all staff do;
// what they are conflicted with they do not review.

// ActiveReviewers are the active members who have the role REVIEWER on the platform.
func ActiveReviewers() predicate.Member {
	return func(s *sql.Selector) {
		s.Where(sql.And(active(s), platform(s, who{outer: s.C(member.FieldID)}, roleassignment.RoleREVIEWER)))
	}
}

// application of an assignment: true when what is said of it is true.
func assignedOne(s *sql.Selector, is func(a *sql.Selector) *sql.Predicate) *sql.Predicate {
	a := from(s, application.Table, application.FieldID)
	return sql.Exists(a.Where(sql.And(sql.ColumnsEQ(a.C(application.FieldID), s.C(reviewassignment.FieldApplicationID)), is(a))))
}

// ownAssignments is true for a current assignment of the member's whose application they may judge.
func ownAssignments(s *sql.Selector, m who) *sql.Predicate {
	return sql.And(
		m.is(s.C(reviewassignment.FieldReviewerID)), sql.IsNull(s.C(reviewassignment.FieldEndedAt)),
		assignedOne(s, func(a *sql.Selector) *sql.Predicate { return assessed(a, m) }))
}

// OwnReviewAssignments are the viewer's current ones whose applications they may judge: for anybody, staff included, what they review.
func OwnReviewAssignments(v viewer.Viewer) predicate.ReviewAssignment {
	return where(v, never, ownAssignments)
}

// VisibleReviewAssignments are the viewer's own, and for staff all.
func VisibleReviewAssignments(v viewer.Viewer) predicate.ReviewAssignment {
	return where(v, never, func(s *sql.Selector, m who) *sql.Predicate { return sql.Or(staff(s, m), ownAssignments(s, m)) })
}

// reviewerIs asks a rule about an assignment's application of the assignment's reviewer.
func reviewerIs(rule func(*sql.Selector, who) *sql.Predicate) predicate.ReviewAssignment {
	return func(s *sql.Selector) {
		reviewer := who{outer: s.C(reviewassignment.FieldReviewerID)}
		s.Where(assignedOne(s, func(a *sql.Selector) *sql.Predicate { return rule(a, reviewer) }))
	}
}

// EditorAssignments are those whose reviewers edit the application.
func EditorAssignments() predicate.ReviewAssignment { return reviewerIs(edited) }

// AffiliatedAssignments are those whose reviewers have or had a post at the organization that applies.
func AffiliatedAssignments() predicate.ReviewAssignment { return reviewerIs(affiliatedWith) }

// NamesakeAssignments are those whose reviewers have or had a post at an organization of the name of one that is not in the network.
func NamesakeAssignments() predicate.ReviewAssignment { return reviewerIs(namesake) }

// DeclaredAssignments are those of whose reviewers somebody declared a conflict of interest.
func DeclaredAssignments() predicate.ReviewAssignment { return reviewerIs(declared) }

// ConflictedAssignments are those whose reviewers must not judge, for any reason.
func ConflictedAssignments() predicate.ReviewAssignment { return reviewerIs(conflicted) }

// VacantAssignments are those by which nobody will judge: the reviewer must not, or can no longer sign in and has not said anything.
func VacantAssignments() predicate.ReviewAssignment {
	return func(s *sql.Selector) { s.Where(vacant(s)) }
}

func vacant(s *sql.Selector) *sql.Predicate {
	reviewer := who{outer: s.C(reviewassignment.FieldReviewerID)}
	here := from(s, member.Table, member.FieldID)
	here.Where(sql.And(reviewer.is(here.C(member.FieldID)), active(here)))
	return sql.Or(
		assignedOne(s, func(a *sql.Selector) *sql.Predicate { return conflicted(a, reviewer) }),
		sql.And(sql.NEQ(s.C(reviewassignment.FieldState), reviewassignment.StateCOMPLETED), sql.Not(sql.Exists(here))))
}

// WithConflicted joins applications with those of some members who must not judge them, and selects the pairs as application_id and member_id.
func WithConflicted(members []gid.ID) func(*sql.Selector) {
	return func(s *sql.Selector) {
		m := sql.Table(member.Table).As("who")
		args := make([]any, len(members))
		for i, id := range members {
			args[i] = id
		}
		s.Join(m).OnP(sql.And(sql.In(m.C(member.FieldID), args...), conflicted(s, who{outer: m.C(member.FieldID)})))
		s.Select(sql.As(s.C(application.FieldID), "application_id"), sql.As(m.C(member.FieldID), "member_id"))
	}
}

// ToBeAssigned are the applications that wait for a decision and have fewer reviewers who may judge them than their call wants.
func ToBeAssigned() predicate.Application {
	return func(s *sql.Selector) {
		has := sql.Dialect(s.Dialect()).Select(sql.Count("*")).From(sql.Table(reviewassignment.Table))
		has.Where(sql.And(
			sql.ColumnsEQ(has.C(reviewassignment.FieldApplicationID), s.C(application.FieldID)), sql.IsNull(has.C(reviewassignment.FieldEndedAt)),
			sql.Not(vacant(has))))
		wanted := from(s, call.Table, call.FieldReviewsWanted)
		wanted.Where(sql.ColumnsEQ(wanted.C(call.FieldID), s.C(application.FieldCallID)))
		s.Where(sql.And(
			sql.In(s.C(application.FieldState), application.StateSUBMITTED, application.StateINFORMATION_REQUESTED),
			sql.P(func(b *sql.Builder) { b.WriteString("(").Join(has).WriteString(") < (").Join(wanted).WriteString(")") })))
	}
}

// counted is true for a review that was submitted, by a reviewer who is still asked and may judge.
func counted(s *sql.Selector) *sql.Predicate {
	by := from(s, reviewassignment.Table, reviewassignment.FieldID)
	by.Where(sql.And(
		sql.ColumnsEQ(by.C(reviewassignment.FieldID), s.C(review.FieldAssignmentID)), sql.IsNull(by.C(reviewassignment.FieldEndedAt)),
		assignedOne(by, func(a *sql.Selector) *sql.Predicate {
			return sql.Not(conflicted(a, who{outer: by.C(reviewassignment.FieldReviewerID)}))
		})))
	return sql.And(sql.NotNull(s.C(review.FieldSubmittedAt)), sql.Exists(by))
}

// CountedReviews are those that count: submitted, by reviewers who are still asked and may judge.
func CountedReviews() predicate.Review { return func(s *sql.Selector) { s.Where(counted(s)) } }

// reviews is true for the member's own review, as long as they may judge, and for what others said about the same application, once the
// member has said what they think. In a blind call nobody reads others' reviews: those might name the applicants.
func reviews(s *sql.Selector, m who) *sql.Predicate {
	own := from(s, reviewassignment.Table, reviewassignment.FieldID)
	own.Where(sql.And(sql.ColumnsEQ(own.C(reviewassignment.FieldID), s.C(review.FieldAssignmentID)), ownAssignments(own, m)))
	theirs := from(s, reviewassignment.Table, reviewassignment.FieldID)
	done := sql.Dialect(s.Dialect()).Select().From(sql.Table(reviewassignment.Table).As("done"))
	done.Select(done.C(reviewassignment.FieldID)).Where(sql.And(
		m.is(done.C(reviewassignment.FieldReviewerID)), sql.IsNull(done.C(reviewassignment.FieldEndedAt)),
		sql.EQ(done.C(reviewassignment.FieldState), reviewassignment.StateCOMPLETED),
		sql.ColumnsEQ(done.C(reviewassignment.FieldApplicationID), theirs.C(reviewassignment.FieldApplicationID))))
	theirs.Where(sql.And(
		sql.ColumnsEQ(theirs.C(reviewassignment.FieldID), s.C(review.FieldAssignmentID)), sql.Exists(done),
		assignedOne(theirs, func(a *sql.Selector) *sql.Predicate { return reviewed(a, m) })))
	return sql.Or(sql.Exists(own), sql.And(counted(s), sql.Exists(theirs)))
}

// VisibleReviews are the viewer's own, those of others about what the viewer has reviewed, but in blind calls, and for staff all that were
// submitted: what is not finished is its author's.
func VisibleReviews(v viewer.Viewer) predicate.Review {
	return where(v, never, func(s *sql.Selector, m who) *sql.Predicate {
		return sql.Or(sql.And(staff(s, m), sql.NotNull(s.C(review.FieldSubmittedAt))), reviews(s, m))
	})
}

// VisibleConflicts are, for staff, those that were declared.
func VisibleConflicts(v viewer.Viewer) predicate.Conflict { return where(v, never, staff) }
