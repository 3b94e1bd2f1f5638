package community

import (
	"context"
	"slices"

	"github.com/pursuing-equity/commons/ent"
	"github.com/pursuing-equity/commons/ent/affiliation"
	"github.com/pursuing-equity/commons/ent/call"
	"github.com/pursuing-equity/commons/ent/enrollment"
	"github.com/pursuing-equity/commons/ent/offering"
	"github.com/pursuing-equity/commons/ent/roleassignment"
	"github.com/pursuing-equity/commons/ent/space"
	"github.com/pursuing-equity/commons/ent/sponsorship"
	"github.com/pursuing-equity/commons/ent/teammembership"
	"github.com/pursuing-equity/commons/internal/access"
	"github.com/pursuing-equity/commons/internal/gid"
	"github.com/pursuing-equity/commons/internal/page"
	"github.com/pursuing-equity/commons/internal/viewer"
)

// The lists with a small natural bound: each takes one statement for all parents, and returns a list a parent, in their order.

func group[T any](parents []gid.ID, rows []*T, err error, parent func(*T) gid.ID) ([][]*T, error) {
	if err != nil {
		return nil, err
	}
	of := make(map[gid.ID][]*T, len(parents))
	for _, row := range rows {
		of[parent(row)] = append(of[parent(row)], row)
	}
	out := make([][]*T, len(parents))
	for i, p := range parents {
		if out[i] = of[p]; out[i] == nil {
			out[i] = []*T{}
		}
	}
	return out, nil
}

// Affiliations are members' posts at organizations, the current ones first.
func (s *Service) Affiliations(ctx context.Context, v viewer.Viewer, members []gid.ID) ([][]*ent.Affiliation, error) {
	rows, err := s.Store.Client(ctx).Affiliation.Query().
		Where(page.AnyOf(affiliation.FieldMemberID, members), access.VisibleAffiliations(v)).Order(affiliation.ByID()).All(ctx)
	today := s.today()
	ended := func(a *ent.Affiliation) int {
		if a.EndsOn != nil && a.EndsOn.Before(today) {
			return 1
		}
		return 0
	}
	slices.SortStableFunc(rows, func(a, b *ent.Affiliation) int { return ended(a) - ended(b) })
	return group(members, rows, err, func(a *ent.Affiliation) gid.ID { return a.MemberID })
}

// PrimaryAffiliations are those that members are shown with; nil for those who have none.
func (s *Service) PrimaryAffiliations(ctx context.Context, v viewer.Viewer, members []gid.ID) ([]*ent.Affiliation, error) {
	rows, err := s.Store.Client(ctx).Affiliation.Query().
		Where(page.AnyOf(affiliation.FieldMemberID, members), affiliation.IsPrimary(true), access.VisibleAffiliations(v)).All(ctx)
	lists, err := group(members, rows, err, func(a *ent.Affiliation) gid.ID { return a.MemberID })
	return firsts(lists), err
}

// firsts are the only ones of lists that have one or none.
func firsts[T any](lists [][]*T) []*T {
	out := make([]*T, len(lists))
	for i, l := range lists {
		if len(l) > 0 {
			out[i] = l[0]
		}
	}
	return out
}

// MemberTeams are members' current places in teams.
func (s *Service) MemberTeams(ctx context.Context, v viewer.Viewer, members []gid.ID) ([][]*ent.TeamMembership, error) {
	rows, err := s.Store.Client(ctx).TeamMembership.Query().
		Where(page.AnyOf(teammembership.FieldMemberID, members), teammembership.EndsOnIsNil(), access.VisibleTeamMemberships(v)).
		Order(teammembership.ByID()).All(ctx)
	return group(members, rows, err, func(m *ent.TeamMembership) gid.ID { return m.MemberID })
}

// MemberRoles are members' current roles, as far as they are for the viewer to see.
func (s *Service) MemberRoles(ctx context.Context, v viewer.Viewer, members []gid.ID) ([][]*ent.RoleAssignment, error) {
	rows, err := s.Store.Client(ctx).RoleAssignment.Query().
		Where(page.AnyOf(roleassignment.FieldMemberID, members), access.CurrentRoleAssignments(), access.VisibleRoleAssignments(v)).
		Order(roleassignment.ByID()).All(ctx)
	return group(members, rows, err, func(r *ent.RoleAssignment) gid.ID { return r.MemberID })
}

// TeamEnrollments are teams' places in cohorts, the oldest first.
func (s *Service) TeamEnrollments(ctx context.Context, v viewer.Viewer, teams []gid.ID) ([][]*ent.Enrollment, error) {
	rows, err := s.Store.Client(ctx).Enrollment.Query().
		Where(page.AnyOf(enrollment.FieldTeamID, teams), access.VisibleEnrollments(v)).Order(enrollment.ByID()).All(ctx)
	return group(teams, rows, err, func(e *ent.Enrollment) gid.ID { return e.TeamID })
}

// TeamSpaces are the spaces of teams; nil where the viewer may not read them.
func (s *Service) TeamSpaces(ctx context.Context, v viewer.Viewer, teams []gid.ID) ([]*ent.Space, error) {
	rows, err := s.Store.Client(ctx).Space.Query().Where(page.AnyOf(space.FieldTeamID, teams), access.VisibleSpaces(v)).All(ctx)
	lists, err := group(teams, rows, err, func(sp *ent.Space) gid.ID { return *sp.TeamID })
	return firsts(lists), err
}

// CohortSpaces are the spaces of cohorts; nil where the viewer may not read them.
func (s *Service) CohortSpaces(ctx context.Context, v viewer.Viewer, cohorts []gid.ID) ([]*ent.Space, error) {
	rows, err := s.Store.Client(ctx).Space.Query().Where(page.AnyOf(space.FieldCohortID, cohorts), access.VisibleSpaces(v)).All(ctx)
	lists, err := group(cohorts, rows, err, func(sp *ent.Space) gid.ID { return *sp.CohortID })
	return firsts(lists), err
}

// ProgramOfferings are the offerings of programs, by name.
func (s *Service) ProgramOfferings(ctx context.Context, programs []gid.ID) ([][]*ent.Offering, error) {
	rows, err := s.Store.Client(ctx).Offering.Query().
		Where(page.AnyOf(offering.FieldProgramID, programs)).Order(offering.ByName(), offering.ByID()).All(ctx)
	return group(programs, rows, err, func(o *ent.Offering) gid.ID { return o.ProgramID })
}

// OfferingSponsorships are who pays for offerings, in the order in which they came.
func (s *Service) OfferingSponsorships(ctx context.Context, offerings []gid.ID) ([][]*ent.Sponsorship, error) {
	rows, err := s.Store.Client(ctx).Sponsorship.Query().
		Where(page.AnyOf(sponsorship.FieldOfferingID, offerings)).Order(sponsorship.ByID()).All(ctx)
	return group(offerings, rows, err, func(sp *ent.Sponsorship) gid.ID { return sp.OfferingID })
}

// OfferingCalls are the calls for applications to offerings that the viewer can see, the latest first.
func (s *Service) OfferingCalls(ctx context.Context, v viewer.Viewer, offerings []gid.ID) ([][]*ent.Call, error) {
	rows, err := s.Store.Client(ctx).Call.Query().
		Where(page.AnyOf(call.FieldOfferingID, offerings), access.VisibleCalls(v)).Order(ent.Desc(call.FieldOpensAt, call.FieldID)).All(ctx)
	return group(offerings, rows, err, func(c *ent.Call) gid.ID { return c.OfferingID })
}
