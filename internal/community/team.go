package community

import (
	"context"
	"fmt"
	"time"

	"github.com/pursuing-equity/commons/ent"
	"github.com/pursuing-equity/commons/ent/enrollment"
	"github.com/pursuing-equity/commons/ent/organization"
	"github.com/pursuing-equity/commons/ent/predicate"
	"github.com/pursuing-equity/commons/ent/space"
	"github.com/pursuing-equity/commons/ent/team"
	"github.com/pursuing-equity/commons/internal/access"
	"github.com/pursuing-equity/commons/internal/fault"
	"github.com/pursuing-equity/commons/internal/gid"
	"github.com/pursuing-equity/commons/internal/input"
	"github.com/pursuing-equity/commons/internal/store"
	"github.com/pursuing-equity/commons/internal/viewer"
)

// NewTeam is a team to create.
type NewTeam struct {
	OrganizationID gid.ID
	Name, About    string
	IdempotencyKey *string `json:"-"`
}

// TeamPatch is what to change of a team; nil leaves a field as it is.
type TeamPatch struct{ Name, About *string }

func (p TeamPatch) check() (TeamPatch, error) {
	var c input.Checker
	p.Name = line(&c, "name", p.Name, 1, maxName)
	p.About = text(&c, "about", p.About, maxAbout)
	return p, c.Err()
}

// teamSpaceName tells the spaces of teams apart: many organizations call their team the same.
func teamSpaceName(organization, team string) string { return organization + ": " + team }

// CreateTeam creates a team with a space of its own. For staff and the organization's leads.
func (s *Service) CreateTeam(ctx context.Context, v viewer.Viewer, in NewTeam) (*ent.Team, error) {
	p, err := TeamPatch{&in.Name, &in.About}.check()
	if err != nil {
		return nil, err
	}
	once := store.Once{Operation: "createTeam", Key: in.IdempotencyKey, Payload: in}
	return create[ent.Team](ctx, s, v, once, func(ctx context.Context, tx *ent.Client) (gid.ID, error) {
		o, actor, err := lockOrganization(ctx, tx, v, in.OrganizationID)
		switch {
		case err != nil:
			return gid.ID{}, err
		case !actor.CanUpdateOrganization(o.ID):
			return gid.ID{}, fault.Denied("Only staff and the organization's leads can create its teams.")
		case o.ArchivedAt != nil:
			return gid.ID{}, archived("organization").At("organizationId")
		}
		if err := teamNameFree(ctx, tx, o.ID, *p.Name); err != nil {
			return gid.ID{}, err
		}
		t, err := s.makeTeam(ctx, tx, o, *p.Name, *p.About)
		if err != nil {
			return gid.ID{}, err
		}
		return t.ID, nil
	})
}

func teamNameFree(ctx context.Context, tx *ent.Client, organizationID gid.ID, name string) error {
	taken, err := tx.Team.Query().Where(team.OrganizationID(organizationID), team.Name(name)).Exist(ctx)
	if err == nil && taken {
		err = exists("name", "The organization has a team of this name.")
	}
	return err
}

// lockTeam holds the row of a team that the viewer can see, and says whether they may change it. Whoever changes a team's
// memberships or enrollments holds it, so that what is derived from both is derived from all of both.
func lockTeam(ctx context.Context, tx *ent.Client, v viewer.Viewer, id gid.ID, path string) (*ent.Team, bool, error) {
	t, err := tx.Team.Query().Where(team.ID(id), access.VisibleTeams(v), store.LockRow).Only(ctx)
	if err != nil {
		return nil, false, missing(err, path)
	}
	actor, err := access.Load(ctx, tx, v)
	if err != nil {
		return nil, false, err
	}
	can, err := actor.CanUpdateTeams(ctx, tx, t)
	return t, can[t.ID], err
}

// UpdateTeam changes a team. For staff, its leads and the organization's leads.
func (s *Service) UpdateTeam(ctx context.Context, v viewer.Viewer, id gid.ID, patch TeamPatch) (*ent.Team, error) {
	p, err := patch.check()
	if err != nil {
		return nil, err
	}
	err = s.change(ctx, v, func(ctx context.Context, tx *ent.Client) error {
		t, can, err := lockTeam(ctx, tx, v, id, "teamId")
		switch {
		case err != nil:
			return err
		case !can:
			return fault.Denied("Only staff, the team's leads and the organization's leads can change a team.")
		case t.ArchivedAt != nil:
			return archived("team").At("teamId")
		}
		u := tx.Team.UpdateOneID(id).SetUpdatedAt(s.Now())
		set(p.About, u.Mutation().SetAbout)
		if p.Name != nil && *p.Name != t.Name {
			if err := teamNameFree(ctx, tx, t.OrganizationID, *p.Name); err != nil {
				return err
			}
			if err := s.renameTeamSpace(ctx, tx, t, *p.Name); err != nil {
				return err
			}
			u.SetName(*p.Name)
		}
		return store.RetryOnConflict(u.Exec(ctx))
	})
	if err != nil {
		return nil, err
	}
	return reload[ent.Team](ctx, s, v, id)
}

// renameTeamSpace gives a team's space its new name, unless people gave it another.
func (s *Service) renameTeamSpace(ctx context.Context, tx *ent.Client, t *ent.Team, name string) error {
	o, err := tx.Organization.Query().Where(organization.ID(t.OrganizationID)).Only(ctx)
	if err != nil {
		return fmt.Errorf("load the team's organization: %w", err)
	}
	err = tx.Space.Update().Where(space.TeamID(t.ID), space.Name(teamSpaceName(o.Name, t.Name))).
		SetName(teamSpaceName(o.Name, name)).SetUpdatedAt(s.Now()).Exec(ctx)
	if err != nil {
		return fmt.Errorf("rename the team's space: %w", err)
	}
	return nil
}

// ArchiveTeam retires a team whose enrollments have all ended; its space becomes read only, and its members keep it until their
// memberships end. For staff. Doing it again changes nothing.
func (s *Service) ArchiveTeam(ctx context.Context, v viewer.Viewer, id gid.ID) (*ent.Team, error) {
	err := s.change(ctx, v, func(ctx context.Context, tx *ent.Client) error {
		t, _, err := lockTeam(ctx, tx, v, id, "teamId")
		if err != nil {
			return err
		}
		if err := staffOnly(ctx, tx, v); err != nil {
			return err
		}
		if t.ArchivedAt != nil {
			return nil
		}
		enrolled, err := tx.Enrollment.Query().Where(enrollment.TeamID(id), enrollment.StateEQ(enrollment.StateENROLLED)).Exist(ctx)
		if err != nil {
			return fmt.Errorf("look for enrollments: %w", err)
		}
		if enrolled {
			return fault.Denied("Withdraw or complete the team's enrollments first.")
		}
		now := s.Now()
		if err := tx.Team.UpdateOneID(id).SetArchivedAt(now).SetUpdatedAt(now).Exec(ctx); err != nil {
			return fmt.Errorf("archive team: %w", err)
		}
		return archiveSpaceOf(ctx, tx, now, space.TeamID(id))
	})
	if err != nil {
		return nil, err
	}
	return reload[ent.Team](ctx, s, v, id)
}

// archiveSpaceOf makes the space of a team or a cohort read only.
func archiveSpaceOf(ctx context.Context, tx *ent.Client, now time.Time, of predicate.Space) error {
	if err := tx.Space.Update().Where(of, space.ArchivedAtIsNil()).SetArchivedAt(now).SetUpdatedAt(now).Exec(ctx); err != nil {
		return fmt.Errorf("archive the space: %w", err)
	}
	return nil
}
