package community

import (
	"context"

	"entgo.io/ent/dialect/sql"

	"github.com/pursuing-equity/commons/ent"
	"github.com/pursuing-equity/commons/ent/affiliation"
	"github.com/pursuing-equity/commons/ent/cohort"
	"github.com/pursuing-equity/commons/ent/enrollment"
	"github.com/pursuing-equity/commons/ent/member"
	"github.com/pursuing-equity/commons/ent/memberterm"
	"github.com/pursuing-equity/commons/ent/organization"
	"github.com/pursuing-equity/commons/ent/predicate"
	"github.com/pursuing-equity/commons/ent/team"
	"github.com/pursuing-equity/commons/ent/teammembership"
	"github.com/pursuing-equity/commons/internal/access"
	"github.com/pursuing-equity/commons/internal/gid"
	"github.com/pursuing-equity/commons/internal/page"
	"github.com/pursuing-equity/commons/internal/viewer"
)

// MemberFilter narrows the directory; what is nil does not. Every condition is about what the viewer can see anyway: who belongs to a
// hidden space, or to a cohort or an organization that the viewer cannot see, is not asked.
type MemberFilter struct {
	Status                              *member.Status // ACTIVE when nil
	CohortID, OrganizationID            *gid.ID
	Name, Expertise, Interest, TimeZone *string
}

func (s *Service) conditions(v viewer.Viewer, f MemberFilter) []predicate.Member {
	status := member.StatusACTIVE
	if f.Status != nil {
		status = *f.Status
	}
	all := []predicate.Member{member.StatusEQ(status), access.VisibleMembers(v)}
	if f.CohortID != nil {
		all = append(all, inCohort(v, *f.CohortID))
	}
	if f.OrganizationID != nil {
		all = append(all, s.ofOrganization(v, *f.OrganizationID))
	}
	if f.Name != nil && Fold(*f.Name) != "" {
		all = append(all, Named(*f.Name))
	}
	if f.Expertise != nil {
		all = append(all, HasTopic(memberterm.KindEXPERTISE, *f.Expertise))
	}
	if f.Interest != nil {
		all = append(all, HasTopic(memberterm.KindINTEREST, *f.Interest))
	}
	if f.TimeZone != nil {
		all = append(all, member.TimeZone(*f.TimeZone))
	}
	return all
}

// table begins a sub-select of a column with conditions.
func table(outer *sql.Selector, name, column string, where ...func(*sql.Selector)) *sql.Selector {
	s := sql.Dialect(outer.Dialect()).Select().From(sql.Table(name))
	s.Select(s.C(column))
	for _, w := range where {
		w(s)
	}
	return s
}

func within(column string, of *sql.Selector) func(*sql.Selector) {
	return func(s *sql.Selector) { s.Where(sql.In(s.C(column), of)) }
}

// inCohort are the members of teams that take part in a cohort now.
func inCohort(v viewer.Viewer, id gid.ID) predicate.Member {
	return func(s *sql.Selector) {
		cohorts := table(s, cohort.Table, cohort.FieldID, cohort.ID(id), access.VisibleCohorts(v))
		teams := table(s, enrollment.Table, enrollment.FieldTeamID, enrollment.StateEQ(enrollment.StateENROLLED), within(enrollment.FieldCohortID, cohorts))
		places := table(s, teammembership.Table, teammembership.FieldMemberID, teammembership.EndsOnIsNil(), within(teammembership.FieldTeamID, teams))
		within(member.FieldID, places)(s)
	}
}

// ofOrganization are the members with a post at an organization now, and those of its teams.
func (s *Service) ofOrganization(v viewer.Viewer, id gid.ID) predicate.Member {
	today := s.today()
	return func(s *sql.Selector) {
		organizations := table(s, organization.Table, organization.FieldID, organization.ID(id), access.VisibleOrganizations(v))
		posts := table(s, affiliation.Table, affiliation.FieldMemberID, affiliation.Or(affiliation.EndsOnIsNil(), affiliation.EndsOnGTE(today)),
			within(affiliation.FieldOrganizationID, organizations))
		teams := table(s, team.Table, team.FieldID, within(team.FieldOrganizationID, organizations.Clone()))
		places := table(s, teammembership.Table, teammembership.FieldMemberID, teammembership.EndsOnIsNil(), within(teammembership.FieldTeamID, teams))
		s.Where(sql.Or(sql.In(s.C(member.FieldID), posts), sql.In(s.C(member.FieldID), places)))
	}
}

// Members are those whom the viewer can see and whom the filter lets through, by name.
func (s *Service) Members(ctx context.Context, v viewer.Viewer, f MemberFilter, a page.Args) (*page.Connection[ent.Member], error) {
	return root(membersByName, a, memberKey, func(within func(*sql.Selector)) ([]*ent.Member, error) {
		return s.Store.Client(ctx).Member.Query().Where(s.conditions(v, f)...).Where(within).All(ctx)
	})
}
