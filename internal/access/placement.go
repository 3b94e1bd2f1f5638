package access

import (
	"context"
	"fmt"

	"entgo.io/ent/dialect/sql"

	"github.com/pursuing-equity/commons/ent"
	"github.com/pursuing-equity/commons/ent/applicationeditor"
	"github.com/pursuing-equity/commons/ent/decision"
	"github.com/pursuing-equity/commons/ent/member"
	"github.com/pursuing-equity/commons/ent/predicate"
	"github.com/pursuing-equity/commons/ent/team"
	"github.com/pursuing-equity/commons/internal/gid"
	"github.com/pursuing-equity/commons/internal/page"
	"github.com/pursuing-equity/commons/internal/viewer"
)

// VisibleDecisions are all for staff, and for an application's editors those that were released. Nobody else, reviewers included, learns more
// than the application's state.
func VisibleDecisions(v viewer.Viewer) predicate.Decision {
	return where(v, never, func(s *sql.Selector, m who) *sql.Predicate { return sql.Or(staff(s, m), received(s, m)) })
}

// ReceivedDecisions are those that were released about applications that the viewer edits.
func ReceivedDecisions(v viewer.Viewer) predicate.Decision { return where(v, never, received) }

func received(s *sql.Selector, m who) *sql.Predicate {
	of := from(s, applicationeditor.Table, applicationeditor.FieldID)
	of.Where(sql.And(
		sql.ColumnsEQ(of.C(applicationeditor.FieldApplicationID), s.C(decision.FieldApplicationID)), m.is(of.C(applicationeditor.FieldMemberID))))
	return sql.And(sql.NotNull(s.C(decision.FieldReleasedAt)), sql.Exists(of))
}

// VisibleWaitlists are the decisions by which applications wait, for staff: applicants see their own decision, and not who else waits.
func VisibleWaitlists(v viewer.Viewer) predicate.Decision { return where(v, never, staff) }

// DecidableApplications are those that the viewer may decide: for staff all with which they have no conflict of interest.
func DecidableApplications(v viewer.Viewer) predicate.Application {
	return where(v, never, func(s *sql.Selector, m who) *sql.Predicate {
		return sql.And(staff(s, m), sql.Not(conflicted(s, m)))
	})
}

// ApplicationWriters are the editors of an application who may sign in.
func ApplicationWriters(applicationID gid.ID) predicate.Member {
	return func(s *sql.Selector) {
		of := from(s, applicationeditor.Table, applicationeditor.FieldMemberID)
		of.Where(sql.EQ(of.C(applicationeditor.FieldApplicationID), applicationID))
		s.Where(sql.And(active(s), sql.In(s.C(member.FieldID), of)))
	}
}

// CanSeeFees says of each enrollment whether the viewer may see what it costs: staff, and the leads of the team and of its organization. It
// takes at most two statements.
func (a *Actor) CanSeeFees(ctx context.Context, c *ent.Client, enrollments []*ent.Enrollment) ([]bool, error) {
	can := make([]bool, len(enrollments))
	if _, ok := a.viewer.MemberID(); !ok && !a.IsStaff() {
		return can, nil
	}
	var leads map[gid.ID]bool
	if !a.IsStaff() {
		ids := make([]gid.ID, len(enrollments))
		for i, e := range enrollments {
			ids[i] = e.TeamID
		}
		teams, err := c.Team.Query().Where(page.AnyOf(team.FieldID, ids)).All(ctx)
		if err != nil {
			return nil, fmt.Errorf("load teams: %w", err)
		}
		if leads, err = a.CanUpdateTeams(ctx, c, teams...); err != nil {
			return nil, err
		}
	}
	for i, e := range enrollments {
		can[i] = a.IsStaff() || leads[e.TeamID]
	}
	return can, nil
}
