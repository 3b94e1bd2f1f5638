package access

import (
	"entgo.io/ent/dialect/sql"

	"github.com/pursuing-equity/commons/ent/application"
	"github.com/pursuing-equity/commons/ent/member"
	"github.com/pursuing-equity/commons/ent/predicate"
	"github.com/pursuing-equity/commons/internal/fault"
	"github.com/pursuing-equity/commons/internal/gid"
	"github.com/pursuing-equity/commons/internal/viewer"
)

// followed is true for an application that the member writes, or that they handle as staff.
func followed(s *sql.Selector, m who) *sql.Predicate {
	return sql.Or(edited(s, m), staff(s, m))
}

// FollowedApplications are those that the viewer edits, and for staff all: of these they see how they come about, who writes them,
// every version of an answer, and events. Reviewers see what was submitted.
func FollowedApplications(v viewer.Viewer) predicate.Application {
	return where(v, never, followed)
}

// CanHandleApplications returns FORBIDDEN with a message for who is not staff.
func (a *Actor) CanHandleApplications(message string) error {
	if a.IsStaff() {
		return nil
	}
	return fault.Denied("%s", message)
}

// ApplicationFollowers are the active members who may follow the application now, by the rule of FollowedApplications.
func ApplicationFollowers(id gid.ID) predicate.Member {
	return func(s *sql.Selector) {
		a := from(s, application.Table, application.FieldID)
		a.Where(sql.And(sql.EQ(a.C(application.FieldID), id), followed(a, who{outer: s.C(member.FieldID)})))
		s.Where(sql.And(active(s), sql.Exists(a)))
	}
}
