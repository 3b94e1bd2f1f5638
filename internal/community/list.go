package community

import (
	"context"
	"fmt"

	"entgo.io/ent/dialect/sql"

	"github.com/pursuing-equity/commons/ent"
	"github.com/pursuing-equity/commons/ent/cohort"
	"github.com/pursuing-equity/commons/ent/enrollment"
	"github.com/pursuing-equity/commons/ent/organization"
	"github.com/pursuing-equity/commons/ent/program"
	"github.com/pursuing-equity/commons/ent/spacemembership"
	"github.com/pursuing-equity/commons/ent/team"
	"github.com/pursuing-equity/commons/ent/teammembership"
	"github.com/pursuing-equity/commons/internal/access"
	"github.com/pursuing-equity/commons/internal/gid"
	"github.com/pursuing-equity/commons/internal/page"
	"github.com/pursuing-equity/commons/internal/viewer"
)

// The orders of this package's lists.
var (
	organizationsByName = byName("organizations")
	teamsByName         = byName("teams")
	membersByName       = byName("members")
	cohortsByName       = byName("cohorts")
	spacesByName        = byName("spaces")
	organizationTeams   = byName("organization.teams")
	cohortTeams         = byName("cohort.teams")
	offeringCohorts     = byName("offering.cohorts")
	teamMemberships     = page.Order{Name: "team.memberships", Part: page.ByID}
	cohortEnrollments   = page.Order{Name: "cohort.enrollments", Part: page.ByID}
	spaceMemberships    = page.Order{Name: "space.memberships", Part: page.ByID}
	spaceBreakGlasses   = page.Order{Name: "space.breakGlasses", Part: page.ByID, Desc: true}
	spaceJoinRequests   = page.Order{Name: "space.joinRequests", Part: page.ByID}
)

// byName orders a list of what has a name.
func byName(list string) page.Order {
	return page.Order{Name: list, Column: "name", Part: page.ByText}
}

func organizationKey(o *ent.Organization) page.Key { return page.Key{Text: o.Name, ID: o.ID} }
func teamKey(t *ent.Team) page.Key                 { return page.Key{Text: t.Name, ID: t.ID} }
func memberKey(m *ent.Member) page.Key             { return page.Key{Text: m.Name, ID: m.ID} }
func cohortKey(c *ent.Cohort) page.Key             { return page.Key{Text: c.Name, ID: c.ID} }
func spaceKey(s *ent.Space) page.Key               { return page.Key{Text: s.Name, ID: s.ID} }

// root is a page of a list that belongs to no object: one statement.
func root[T any](o page.Order, a page.Args, key func(*T) page.Key, load func(within func(*sql.Selector)) ([]*T, error)) (*page.Connection[T], error) {
	w, err := a.Window(o, gid.ID{})
	if err != nil {
		return nil, err
	}
	rows, err := load(o.Page(w))
	if err != nil {
		return nil, fmt.Errorf("list %s: %w", o.Name, err)
	}
	return page.Build(o, w, gid.ID{}, rows, key), nil
}

// Organizations are those that live and that the viewer can see, by name.
func (s *Service) Organizations(ctx context.Context, v viewer.Viewer, a page.Args) (*page.Connection[ent.Organization], error) {
	return root(organizationsByName, a, organizationKey, func(within func(*sql.Selector)) ([]*ent.Organization, error) {
		return s.Store.Client(ctx).Organization.Query().Where(organization.ArchivedAtIsNil(), access.VisibleOrganizations(v), within).All(ctx)
	})
}

// Teams are those that live and that the viewer can see, by name.
func (s *Service) Teams(ctx context.Context, v viewer.Viewer, a page.Args) (*page.Connection[ent.Team], error) {
	return root(teamsByName, a, teamKey, func(within func(*sql.Selector)) ([]*ent.Team, error) {
		return s.Store.Client(ctx).Team.Query().Where(team.ArchivedAtIsNil(), access.VisibleTeams(v), within).All(ctx)
	})
}

// Cohorts are those that live and that the viewer can see, by name.
func (s *Service) Cohorts(ctx context.Context, v viewer.Viewer, a page.Args) (*page.Connection[ent.Cohort], error) {
	return root(cohortsByName, a, cohortKey, func(within func(*sql.Selector)) ([]*ent.Cohort, error) {
		return s.Store.Client(ctx).Cohort.Query().Where(cohort.ArchivedAtIsNil(), access.VisibleCohorts(v), within).All(ctx)
	})
}

// Spaces are those that the viewer may read, by name, archived ones too.
func (s *Service) Spaces(ctx context.Context, v viewer.Viewer, a page.Args) (*page.Connection[ent.Space], error) {
	return root(spacesByName, a, spaceKey, func(within func(*sql.Selector)) ([]*ent.Space, error) {
		return s.Store.Client(ctx).Space.Query().Where(access.VisibleSpaces(v), within).All(ctx)
	})
}

// Programs are all of them, by name; a handful.
func (s *Service) Programs(ctx context.Context) ([]*ent.Program, error) {
	return s.Store.Client(ctx).Program.Query().Order(program.ByName(), program.ByID()).All(ctx)
}

// OrganizationTeams are the teams of organizations by name: one statement for all of them.
func (s *Service) OrganizationTeams(ctx context.Context, v viewer.Viewer, organizations []gid.ID, a page.Args) ([]*page.Connection[ent.Team], error) {
	return page.Each(organizationTeams, a, team.FieldOrganizationID, organizations, teamKey,
		func(t *ent.Team) gid.ID { return t.OrganizationID },
		func(within func(*sql.Selector)) ([]*ent.Team, error) {
			return s.Store.Client(ctx).Team.Query().Where(within).All(ctx)
		}, access.VisibleTeams(v))
}

// OfferingCohorts are the cohorts of offerings by name: one statement for all of them.
func (s *Service) OfferingCohorts(ctx context.Context, v viewer.Viewer, offerings []gid.ID, a page.Args) ([]*page.Connection[ent.Cohort], error) {
	return page.Each(offeringCohorts, a, cohort.FieldOfferingID, offerings, cohortKey,
		func(c *ent.Cohort) gid.ID { return c.OfferingID },
		func(within func(*sql.Selector)) ([]*ent.Cohort, error) {
			return s.Store.Client(ctx).Cohort.Query().Where(within).All(ctx)
		}, access.VisibleCohorts(v))
}

// TeamMemberships are the current memberships of teams in the order in which they began: one statement for all teams.
func (s *Service) TeamMemberships(ctx context.Context, v viewer.Viewer, teams []gid.ID, a page.Args) ([]*page.Connection[ent.TeamMembership], error) {
	return page.Each(teamMemberships, a, teammembership.FieldTeamID, teams,
		func(m *ent.TeamMembership) page.Key { return page.Key{ID: m.ID} },
		func(m *ent.TeamMembership) gid.ID { return m.TeamID },
		func(within func(*sql.Selector)) ([]*ent.TeamMembership, error) {
			// Hundreds on a page: their row's own times, which nothing shows, take longer to read than all the rest of them.
			return s.Store.Client(ctx).TeamMembership.Query().Where(within).Select(teammembership.FieldTeamID, teammembership.FieldMemberID,
				teammembership.FieldRole, teammembership.FieldStartsOn, teammembership.FieldEndsOn).All(ctx)
		}, teammembership.EndsOnIsNil(), access.OfOpenAccounts, access.VisibleTeamMemberships(v))
}

// CohortEnrollments are all enrollments of cohorts, the oldest first: one statement for all cohorts.
func (s *Service) CohortEnrollments(ctx context.Context, v viewer.Viewer, cohorts []gid.ID, a page.Args) ([]*page.Connection[ent.Enrollment], error) {
	return page.Each(cohortEnrollments, a, enrollment.FieldCohortID, cohorts,
		func(e *ent.Enrollment) page.Key { return page.Key{ID: e.ID} },
		func(e *ent.Enrollment) gid.ID { return e.CohortID },
		func(within func(*sql.Selector)) ([]*ent.Enrollment, error) {
			return s.Store.Client(ctx).Enrollment.Query().Where(within).All(ctx)
		}, access.VisibleEnrollments(v))
}

// CohortTeams are the teams that take part in cohorts now, by name: two statements for all cohorts.
func (s *Service) CohortTeams(ctx context.Context, v viewer.Viewer, cohorts []gid.ID, a page.Args) ([]*page.Connection[ent.Team], error) {
	enrolled := enrollment.StateEQ(enrollment.StateENROLLED)
	through := page.Through{Table: enrollment.Table, Parent: enrollment.FieldCohortID, Child: enrollment.FieldTeamID, Where: enrolled}
	return page.EachThrough(cohortTeams, a, through, cohorts, teamKey,
		func(within func(*sql.Selector)) ([]*ent.Team, error) {
			return s.Store.Client(ctx).Team.Query().Where(within).All(ctx)
		},
		func(parents, children []gid.ID) ([]page.Link, error) {
			rows, err := s.Store.Client(ctx).Enrollment.Query().
				Where(page.AnyOf(enrollment.FieldCohortID, parents), page.AnyOf(enrollment.FieldTeamID, children), enrolled).
				Select(enrollment.FieldCohortID, enrollment.FieldTeamID).All(ctx)
			if err != nil {
				return nil, fmt.Errorf("load enrollments: %w", err)
			}
			links := make([]page.Link, len(rows))
			for i, e := range rows {
				links[i] = page.Link{Parent: e.CohortID, Child: e.TeamID}
			}
			return links, nil
		}, access.VisibleTeams(v))
}

// SpaceMemberships are the current memberships of spaces in the order in which they were made: one statement for all spaces.
func (s *Service) SpaceMemberships(ctx context.Context, v viewer.Viewer, spaces []gid.ID, a page.Args) ([]*page.Connection[ent.SpaceMembership], error) {
	return page.Each(spaceMemberships, a, spacemembership.FieldSpaceID, spaces,
		func(m *ent.SpaceMembership) page.Key { return page.Key{ID: m.ID} },
		func(m *ent.SpaceMembership) gid.ID { return m.SpaceID },
		func(within func(*sql.Selector)) ([]*ent.SpaceMembership, error) {
			return s.Store.Client(ctx).SpaceMembership.Query().Where(within).All(ctx)
		}, access.CurrentSpaceMemberships(), access.VisibleSpaceMemberships(v))
}
