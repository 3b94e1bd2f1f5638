package community

import (
	"context"
	"fmt"
	"slices"

	"github.com/pursuing-equity/commons/ent"
	"github.com/pursuing-equity/commons/ent/cohort"
	"github.com/pursuing-equity/commons/ent/enrollment"
	"github.com/pursuing-equity/commons/ent/entitlement"
	"github.com/pursuing-equity/commons/ent/offering"
	"github.com/pursuing-equity/commons/ent/predicate"
	"github.com/pursuing-equity/commons/ent/resource"
	"github.com/pursuing-equity/commons/ent/schema"
	"github.com/pursuing-equity/commons/ent/space"
	"github.com/pursuing-equity/commons/ent/team"
	"github.com/pursuing-equity/commons/ent/teammembership"
	"github.com/pursuing-equity/commons/internal/access"
	"github.com/pursuing-equity/commons/internal/audit"
	"github.com/pursuing-equity/commons/internal/fault"
	"github.com/pursuing-equity/commons/internal/gid"
	"github.com/pursuing-equity/commons/internal/input"
	"github.com/pursuing-equity/commons/internal/page"
	"github.com/pursuing-equity/commons/internal/store"
	"github.com/pursuing-equity/commons/internal/viewer"
)

// NewEntitlement is what a support of an offering is to open: a space or a resource.
type NewEntitlement struct {
	OfferingID          gid.ID
	Support             string
	SpaceID, ResourceID *gid.ID
	TeamRoles           []teammembership.Role
	IdempotencyKey      *string `json:"-"`
}

func (in NewEntitlement) check() error {
	var check input.Checker
	if (in.SpaceID == nil) == (in.ResourceID == nil) {
		check.Refuse("spaceId", "Name a space or a resource, and not both.")
	}
	for i, r := range in.TeamRoles {
		if teammembership.RoleValidator(r) != nil || slices.Index(in.TeamRoles, r) != i {
			check.Refuse("teamRoles", "Name each role once, and only those that there are.")
			break
		}
	}
	return check.Err()
}

// GrantEntitlement makes a support of an offering open a space or a resource for the offering's teams, at once. For staff. It returns
// ALREADY_EXISTS where the support opens it.
func (s *Service) GrantEntitlement(ctx context.Context, v viewer.Viewer, in NewEntitlement) (*ent.Entitlement, error) {
	if err := in.check(); err != nil {
		return nil, err
	}
	once := store.Once{Operation: "grantEntitlement", Key: in.IdempotencyKey, Payload: in}
	return create[ent.Entitlement](ctx, s, v, once, func(ctx context.Context, tx *ent.Client) (gid.ID, error) {
		if err := staffOnly(ctx, tx, v); err != nil {
			return gid.ID{}, err
		}
		o, err := lockOffering(ctx, tx, in.OfferingID)
		if err != nil {
			return gid.ID{}, err
		}
		if !slices.ContainsFunc(o.Supports, func(has schema.Support) bool { return has.Kind == in.Support }) {
			return gid.ID{}, fault.Invalid("support", "The offering has no support of this kind.")
		}
		path, same, err := opened(ctx, tx, v, in)
		if err != nil {
			return gid.ID{}, err
		}
		has, err := tx.Entitlement.Query().Where(entitlement.OfferingID(o.ID), entitlement.Support(in.Support), same).Exist(ctx)
		if err != nil {
			return gid.ID{}, fmt.Errorf("look for an entitlement: %w", err)
		}
		if has {
			return gid.ID{}, exists(path, "The support opens it. Revoke the entitlement to give it to others.")
		}
		roles := make([]string, len(in.TeamRoles))
		for i, r := range in.TeamRoles {
			roles[i] = string(r)
		}
		id := s.NewID(gid.Entitlement)
		err = tx.Entitlement.Create().SetID(id).SetCreatedAt(s.Now()).SetOfferingID(o.ID).SetSupport(in.Support).
			SetNillableSpaceID(in.SpaceID).SetNillableResourceID(in.ResourceID).SetTeamRoles(roles).Exec(ctx)
		if err != nil {
			return gid.ID{}, store.RetryOnConflict(err)
		}
		if err := s.Audit.Append(ctx, tx, v, audit.Entry{Action: audit.EntitlementGranted, Subject: o.ID, Reason: in.Support}); err != nil {
			return gid.ID{}, err
		}
		return id, s.deriveOffering(ctx, tx, o.ID)
	})
}

// opened looks whether what an entitlement names can be opened by one: a resource that is for those entitled to it, or a space that is
// neither hidden, nor a team's own.
func opened(ctx context.Context, tx *ent.Client, v viewer.Viewer, in NewEntitlement) (path string, same predicate.Entitlement, err error) {
	if in.ResourceID != nil {
		path = "resourceId"
		r, err := look[ent.Resource](ctx, tx, v, *in.ResourceID, path)
		switch {
		case err != nil:
			return path, nil, err
		case r.Audience != resource.AudienceENTITLED:
			return path, nil, fault.Invalid(path, "Only a resource with the audience ENTITLED can be opened by a support.")
		case r.ArchivedAt != nil:
			return path, nil, archived("resource").At(path)
		}
		return path, entitlement.ResourceID(r.ID), nil
	}
	path = "spaceId"
	sp, err := look[ent.Space](ctx, tx, v, *in.SpaceID, path)
	switch {
	case err != nil:
		return path, nil, err
	case access.Hidden(sp.Kind) || sp.Kind == space.KindTEAM:
		return path, nil, fault.Invalid(path, "A support opens no hidden space, and no team's own.")
	case sp.ArchivedAt != nil:
		return path, nil, archived("space").At(path)
	}
	return path, entitlement.SpaceID(sp.ID), nil
}

// RevokeEntitlement takes away what a support opened, at once, and returns the offering. For staff.
func (s *Service) RevokeEntitlement(ctx context.Context, v viewer.Viewer, id gid.ID) (*ent.Offering, error) {
	const path = "entitlementId"
	var of gid.ID
	err := s.change(ctx, v, func(ctx context.Context, tx *ent.Client) error {
		e, err := look[ent.Entitlement](ctx, tx, v, id, path)
		if err != nil {
			return err
		}
		of = e.OfferingID
		if _, err := lockOffering(ctx, tx, of); err != nil {
			return err
		}
		// Somebody else may have revoked it while this waited.
		if n, err := tx.Entitlement.Delete().Where(entitlement.ID(id)).Exec(ctx); err != nil || n == 0 {
			if err == nil {
				err = fault.Missing().At(path)
			}
			return err
		}
		if err := s.Audit.Append(ctx, tx, v, audit.Entry{Action: audit.EntitlementRevoked, Subject: of, Reason: e.Support}); err != nil {
			return err
		}
		return s.deriveOffering(ctx, tx, of)
	})
	if err != nil {
		return nil, err
	}
	return reload[ent.Offering](ctx, s, v, of)
}

// lockOffering holds the row of an offering: what its supports open is decided under it.
func lockOffering(ctx context.Context, tx *ent.Client, id gid.ID) (*ent.Offering, error) {
	o, err := tx.Offering.Query().Where(offering.ID(id), store.LockRow).Only(ctx)
	if err != nil {
		return nil, missing(err, "offeringId")
	}
	return o, nil
}

// deriveOffering derives for all members of an offering's teams. It holds its cohorts and the teams, in the order of enrollment: who is
// enrolled, or joins a team, at the same time is seen here, or sees what was changed. The number of statements does not depend on
// how many there are.
func (s *Service) deriveOffering(ctx context.Context, tx *ent.Client, offeringID gid.ID) error {
	cohorts, err := tx.Cohort.Query().Where(cohort.OfferingID(offeringID), store.LockRow).Order(cohort.ByID()).Select(cohort.FieldID).All(ctx)
	if err != nil {
		return fmt.Errorf("lock the offering's cohorts: %w", err)
	}
	rows, err := tx.Enrollment.Query().Where(page.AnyOf(enrollment.FieldCohortID, ids(cohorts, func(c *ent.Cohort) gid.ID { return c.ID }))).
		Select(enrollment.FieldTeamID).All(ctx)
	if err != nil {
		return fmt.Errorf("load the offering's enrollments: %w", err)
	}
	teams := distinct(ids(rows, func(e *ent.Enrollment) gid.ID { return e.TeamID }))
	if len(teams) == 0 {
		return nil
	}
	if _, err := tx.Team.Query().Where(page.AnyOf(team.FieldID, teams), store.LockRow).Order(team.ByID()).Select(team.FieldID).All(ctx); err != nil {
		return fmt.Errorf("lock the offering's teams: %w", err)
	}
	people, err := tx.TeamMembership.Query().Where(page.AnyOf(teammembership.FieldTeamID, teams), teammembership.EndsOnIsNil()).
		Select(teammembership.FieldMemberID).All(ctx)
	if err != nil {
		return fmt.Errorf("load the teams' members: %w", err)
	}
	return s.derive(ctx, tx, distinct(ids(people, func(m *ent.TeamMembership) gid.ID { return m.MemberID }))...)
}

// OfferingEntitlements are what the supports of each offering open, as far as the viewer can see it, in the order in which it was granted.
func (s *Service) OfferingEntitlements(ctx context.Context, v viewer.Viewer, offerings []gid.ID) ([][]*ent.Entitlement, error) {
	rows, err := s.Store.Client(ctx).Entitlement.Query().
		Where(page.AnyOf(entitlement.FieldOfferingID, offerings), access.VisibleEntitlements(v)).Order(entitlement.ByID()).All(ctx)
	return group(offerings, rows, err, func(e *ent.Entitlement) gid.ID { return e.OfferingID })
}

// EntitlementSpaces are the spaces that entitlements open, nil for those that open none, or none that the viewer can see.
func (s *Service) EntitlementSpaces(ctx context.Context, v viewer.Viewer, rows []*ent.Entitlement) ([]*ent.Space, error) {
	return openedBy[ent.Space](ctx, s, v, rows, func(e *ent.Entitlement) *gid.ID { return e.SpaceID })
}

// EntitlementResources are EntitlementSpaces for resources.
func (s *Service) EntitlementResources(ctx context.Context, v viewer.Viewer, rows []*ent.Entitlement) ([]*ent.Resource, error) {
	return openedBy[ent.Resource](ctx, s, v, rows, func(e *ent.Entitlement) *gid.ID { return e.ResourceID })
}

func openedBy[T any](ctx context.Context, s *Service, v viewer.Viewer, rows []*ent.Entitlement, what func(*ent.Entitlement) *gid.ID) ([]*T, error) {
	var wanted []gid.ID
	for _, e := range rows {
		if id := what(e); id != nil {
			wanted = append(wanted, *id)
		}
	}
	found, err := access.Find(ctx, s.Store.Client(ctx), v, distinct(wanted)...)
	if err != nil {
		return nil, err
	}
	out := make([]*T, len(rows))
	for i, e := range rows {
		if id := what(e); id != nil {
			out[i], _ = found[*id].(*T)
		}
	}
	return out, nil
}
