package community

import (
	"context"

	"github.com/pursuing-equity/commons/ent"
	"github.com/pursuing-equity/commons/ent/spacemembership"
	"github.com/pursuing-equity/commons/internal/access"
	"github.com/pursuing-equity/commons/internal/gid"
	"github.com/pursuing-equity/commons/internal/page"
	"github.com/pursuing-equity/commons/internal/viewer"
)

// What the viewer may do with objects, and what they have in them: a few statements for all of the objects. What was archived
// is not changed by anybody.

// CanUpdateOrganizations says of each organization whether the viewer may change it.
func (s *Service) CanUpdateOrganizations(ctx context.Context, v viewer.Viewer, organizations []*ent.Organization) ([]bool, error) {
	actor, err := access.Load(ctx, s.Store.Client(ctx), v)
	if err != nil {
		return nil, err
	}
	can := make([]bool, len(organizations))
	for i, o := range organizations {
		can[i] = o.ArchivedAt == nil && actor.CanUpdateOrganization(o.ID)
	}
	return can, nil
}

// CanUpdateTeams says of each team whether the viewer may change it and its memberships.
func (s *Service) CanUpdateTeams(ctx context.Context, v viewer.Viewer, teams []*ent.Team) ([]bool, error) {
	c := s.Store.Client(ctx)
	actor, err := access.Load(ctx, c, v)
	if err != nil {
		return nil, err
	}
	may, err := actor.CanUpdateTeams(ctx, c, teams...)
	if err != nil {
		return nil, err
	}
	can := make([]bool, len(teams))
	for i, t := range teams {
		can[i] = t.ArchivedAt == nil && may[t.ID]
	}
	return can, nil
}

// CanUpdateCohorts says of each cohort whether the viewer may change it and enroll teams in it.
func (s *Service) CanUpdateCohorts(ctx context.Context, v viewer.Viewer, cohorts []*ent.Cohort) ([]bool, error) {
	actor, err := access.Load(ctx, s.Store.Client(ctx), v)
	if err != nil {
		return nil, err
	}
	can := make([]bool, len(cohorts))
	for i, c := range cohorts {
		can[i] = c.ArchivedAt == nil && actor.CanUpdateCohort(c.ID)
	}
	return can, nil
}

// SpaceAbilities are what the viewer may do in a space.
type SpaceAbilities struct{ CreateThread, Update bool }

// SpaceAbilities says of each space what the viewer may do in it.
func (s *Service) SpaceAbilities(ctx context.Context, v viewer.Viewer, spaces []*ent.Space) ([]SpaceAbilities, error) {
	c := s.Store.Client(ctx)
	actor, err := access.Load(ctx, c, v)
	if err != nil {
		return nil, err
	}
	rights, err := actor.Spaces(ctx, c, spaces...)
	if err != nil {
		return nil, err
	}
	can := make([]SpaceAbilities, len(spaces))
	for i, sp := range spaces {
		r := rights[sp.ID]
		can[i] = SpaceAbilities{CreateThread: r.Write, Update: r.Manage && sp.ArchivedAt == nil}
	}
	return can, nil
}

// ViewerMemberships are the viewer's own current places in spaces; nil where they have none.
func (s *Service) ViewerMemberships(ctx context.Context, v viewer.Viewer, spaces []gid.ID) ([]*ent.SpaceMembership, error) {
	me, ok := v.MemberID()
	if !ok {
		return make([]*ent.SpaceMembership, len(spaces)), nil
	}
	rows, err := s.Store.Client(ctx).SpaceMembership.Query().
		Where(spacemembership.MemberID(me), page.AnyOf(spacemembership.FieldSpaceID, spaces), access.CurrentSpaceMemberships()).All(ctx)
	lists, err := group(spaces, rows, err, func(m *ent.SpaceMembership) gid.ID { return m.SpaceID })
	return firsts(lists), err
}
