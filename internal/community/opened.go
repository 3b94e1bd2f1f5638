package community

import (
	"context"
	"fmt"
	"slices"

	"entgo.io/ent/dialect/sql"

	"github.com/pursuing-equity/commons/ent"
	"github.com/pursuing-equity/commons/ent/enrollment"
	"github.com/pursuing-equity/commons/ent/entitlement"
	"github.com/pursuing-equity/commons/ent/schema"
	"github.com/pursuing-equity/commons/ent/teammembership"
	"github.com/pursuing-equity/commons/internal/access"
	"github.com/pursuing-equity/commons/internal/gid"
	"github.com/pursuing-equity/commons/internal/page"
	"github.com/pursuing-equity/commons/internal/viewer"
)

// SpaceEntitlements are the entitlements that open each of some spaces, whether their supports stand there at the moment or not, in the order in which they
// were granted: for staff, and none for anybody else.
func (s *Service) SpaceEntitlements(ctx context.Context, v viewer.Viewer, spaces []gid.ID) ([][]*ent.Entitlement, error) {
	return s.opening(ctx, v, spaces, entitlement.FieldSpaceID, func(e *ent.Entitlement) *gid.ID { return e.SpaceID })
}

// ResourceEntitlements are SpaceEntitlements for resources.
func (s *Service) ResourceEntitlements(ctx context.Context, v viewer.Viewer, resources []gid.ID) ([][]*ent.Entitlement, error) {
	return s.opening(ctx, v, resources, entitlement.FieldResourceID, func(e *ent.Entitlement) *gid.ID { return e.ResourceID })
}

func (s *Service) opening(ctx context.Context, v viewer.Viewer, of []gid.ID, column string, what func(*ent.Entitlement) *gid.ID) ([][]*ent.Entitlement, error) {
	given := func(sel *sql.Selector) { sel.Where(sql.NotNull(sel.C(column))) } // so that the index of those that are is taken
	rows, err := s.Store.Client(ctx).Entitlement.Query().
		Where(page.AnyOf(column, of), given, access.VisibleEntitlements(v)).Order(entitlement.ByID()).All(ctx)
	return group(of, rows, err, func(e *ent.Entitlement) gid.ID { return *what(e) })
}

// TeamEntitlement is something that a member can use because of a team of theirs: the team takes part in an offering, or completed it, and a
// support of the offering opens it. One of Space and Resource is there.
type TeamEntitlement struct {
	Team     *ent.Team
	Offering *ent.Offering
	Support  *schema.Support
	Space    *ent.Space
	Resource *ent.Resource
}

// Entitlements are what the teams of members open for them, in the order of their teams and then in which it was granted. Only those of the viewer
// are told; others have none here. The number of statements is the same whatever there is.
func (s *Service) Entitlements(ctx context.Context, v viewer.Viewer, members []gid.ID) ([][]*TeamEntitlement, error) {
	out := make([][]*TeamEntitlement, len(members))
	for i := range out {
		out[i] = []*TeamEntitlement{}
	}
	me, ok := v.MemberID()
	if !ok || !slices.Contains(members, me) {
		return out, nil
	}
	own, err := s.ownEntitlements(ctx, v, me)
	if err != nil {
		return nil, err
	}
	for i, id := range members {
		if id == me {
			out[i] = own
		}
	}
	return out, nil
}

func (s *Service) ownEntitlements(ctx context.Context, v viewer.Viewer, me gid.ID) ([]*TeamEntitlement, error) {
	c := s.Store.Client(ctx)
	memberships, err := c.TeamMembership.Query().Where(teammembership.MemberID(me), teammembership.EndsOnIsNil()).WithTeam().Order(teammembership.ByID()).All(ctx)
	if err != nil {
		return nil, fmt.Errorf("load team memberships: %w", err)
	}
	enrollments, err := c.Enrollment.Query().
		Where(page.AnyOf(enrollment.FieldTeamID, ids(memberships, func(m *ent.TeamMembership) gid.ID { return m.TeamID })), enrollment.StateNEQ(enrollment.StateWITHDRAWN)).
		WithCohort().Order(enrollment.ByID()).All(ctx)
	if err != nil {
		return nil, fmt.Errorf("load enrollments: %w", err)
	}
	offerings := distinct(ids(enrollments, func(e *ent.Enrollment) gid.ID { return e.Edges.Cohort.OfferingID }))
	entitlements, err := c.Entitlement.Query().
		Where(page.AnyOf(entitlement.FieldOfferingID, offerings), access.OpenEntitlements()).WithOffering().Order(entitlement.ByID()).All(ctx)
	if err != nil {
		return nil, fmt.Errorf("load entitlements: %w", err)
	}
	spaces, err := s.EntitlementSpaces(ctx, v, entitlements)
	if err != nil {
		return nil, err
	}
	resources, err := s.EntitlementResources(ctx, v, entitlements)
	if err != nil {
		return nil, err
	}
	own := []*TeamEntitlement{}
	for _, m := range memberships {
		takes := map[gid.ID]bool{}
		for _, e := range enrollments {
			takes[e.Edges.Cohort.OfferingID] = takes[e.Edges.Cohort.OfferingID] || e.TeamID == m.TeamID
		}
		for i, e := range entitlements {
			if !takes[e.OfferingID] || len(e.TeamRoles) > 0 && !slices.Contains(e.TeamRoles, string(m.Role)) || spaces[i] == nil && resources[i] == nil {
				continue
			}
			o := e.Edges.Offering
			at := slices.IndexFunc(o.Supports, func(s schema.Support) bool { return s.Kind == e.Support })
			if at >= 0 {
				own = append(own, &TeamEntitlement{m.Edges.Team, o, &o.Supports[at], spaces[i], resources[i]})
			}
		}
	}
	return own, nil
}
