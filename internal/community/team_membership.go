package community

import (
	"context"
	"fmt"
	"time"

	"github.com/pursuing-equity/commons/ent"
	"github.com/pursuing-equity/commons/ent/teammembership"
	"github.com/pursuing-equity/commons/internal/fault"
	"github.com/pursuing-equity/commons/internal/gid"
	"github.com/pursuing-equity/commons/internal/input"
	"github.com/pursuing-equity/commons/internal/store"
	"github.com/pursuing-equity/commons/internal/viewer"
)

// NewTeamMembership is a member to add to a team, from a day on: today when StartsOn is nil.
type NewTeamMembership struct {
	TeamID, MemberID gid.ID
	Role             teammembership.Role
	StartsOn         *time.Time
	IdempotencyKey   *string `json:"-"`
}

const whoManagesTeams = "Only staff, the team's leads and the organization's leads can change its memberships."

// CreateTeamMembership adds a member to a team and to the spaces that come with it. It returns ALREADY_EXISTS for one who belongs to it.
func (s *Service) CreateTeamMembership(ctx context.Context, v viewer.Viewer, in NewTeamMembership) (*ent.TeamMembership, error) {
	var check input.Checker
	enum(&check, "role", &in.Role, teammembership.RoleValidator)
	if err := check.Err(); err != nil {
		return nil, err
	}
	once := store.Once{Operation: "createTeamMembership", Key: in.IdempotencyKey, Payload: in}
	return create[ent.TeamMembership](ctx, s, v, once, func(ctx context.Context, tx *ent.Client) (gid.ID, error) {
		t, can, err := lockTeam(ctx, tx, v, in.TeamID, "teamId")
		switch {
		case err != nil:
			return gid.ID{}, err
		case !can:
			return gid.ID{}, fault.Denied(whoManagesTeams)
		case t.ArchivedAt != nil:
			return gid.ID{}, archived("team").At("teamId")
		}
		if err := lockMember(ctx, tx, v, in.MemberID); err != nil {
			return gid.ID{}, err
		}
		belongs, err := tx.TeamMembership.Query().
			Where(teammembership.TeamID(t.ID), teammembership.MemberID(in.MemberID), teammembership.EndsOnIsNil()).Exist(ctx)
		if err != nil {
			return gid.ID{}, fmt.Errorf("look for a membership: %w", err)
		}
		if belongs {
			return gid.ID{}, exists("memberId", "This member belongs to the team already.")
		}
		starts := s.today()
		if in.StartsOn != nil {
			starts = day(*in.StartsOn)
		}
		now, id := s.Now(), s.NewID(gid.TeamMembership)
		err = tx.TeamMembership.Create().SetID(id).SetCreatedAt(now).SetUpdatedAt(now).SetTeamID(t.ID).SetMemberID(in.MemberID).
			SetRole(in.Role).SetStartsOn(starts).Exec(ctx)
		if err != nil {
			return gid.ID{}, store.RetryOnConflict(err)
		}
		return id, s.derive(ctx, tx, in.MemberID)
	})
}

// lockTeamMembership loads a membership that the viewer can see and holds its team's row.
func lockTeamMembership(ctx context.Context, tx *ent.Client, v viewer.Viewer, id gid.ID) (m *ent.TeamMembership, t *ent.Team, can bool, err error) {
	const path = "teamMembershipId"
	if m, err = look[ent.TeamMembership](ctx, tx, v, id, path); err != nil {
		return nil, nil, false, err
	}
	if t, can, err = lockTeam(ctx, tx, v, m.TeamID, path); err != nil {
		return nil, nil, false, err
	}
	if m, err = tx.TeamMembership.Get(ctx, id); err != nil { // again, now that nobody else changes it
		return nil, nil, false, fmt.Errorf("load team membership: %w", err)
	}
	return m, t, can, nil
}

// UpdateTeamMembership changes what a member is in a team, and so in its space.
func (s *Service) UpdateTeamMembership(ctx context.Context, v viewer.Viewer, id gid.ID, role teammembership.Role) (*ent.TeamMembership, error) {
	var check input.Checker
	enum(&check, "role", &role, teammembership.RoleValidator)
	if err := check.Err(); err != nil {
		return nil, err
	}
	err := s.change(ctx, v, func(ctx context.Context, tx *ent.Client) error {
		m, t, can, err := lockTeamMembership(ctx, tx, v, id)
		switch {
		case err != nil:
			return err
		case !can:
			return fault.Denied(whoManagesTeams)
		case t.ArchivedAt != nil:
			return archived("team").At("teamMembershipId")
		case m.EndsOn != nil:
			return fault.Denied("This membership has ended. Create a new one.")
		}
		if err := tx.TeamMembership.UpdateOneID(id).SetRole(role).SetUpdatedAt(s.Now()).Exec(ctx); err != nil {
			return fmt.Errorf("update team membership: %w", err)
		}
		return s.derive(ctx, tx, m.MemberID)
	})
	if err != nil {
		return nil, err
	}
	return still[ent.TeamMembership](ctx, s, v, id)
}

// EndTeamMembership ends a membership at once and takes away the spaces that came with it. For whoever may change the team's
// memberships, and the member; in an archived team too. It returns nil when the viewer lost sight of it by that. Doing it again
// changes nothing.
func (s *Service) EndTeamMembership(ctx context.Context, v viewer.Viewer, id gid.ID) (*ent.TeamMembership, error) {
	err := s.change(ctx, v, func(ctx context.Context, tx *ent.Client) error {
		m, _, can, err := lockTeamMembership(ctx, tx, v, id)
		if err != nil {
			return err
		}
		if me, _ := v.MemberID(); !can && m.MemberID != me {
			return fault.Denied(whoManagesTeams)
		}
		if m.EndsOn != nil {
			return nil
		}
		last := s.today()
		if m.StartsOn.After(last) {
			last = m.StartsOn // it ends before it began; its days stay in order
		}
		if err := tx.TeamMembership.UpdateOneID(id).SetEndsOn(last).SetUpdatedAt(s.Now()).Exec(ctx); err != nil {
			return fmt.Errorf("end team membership: %w", err)
		}
		return s.derive(ctx, tx, m.MemberID)
	})
	if err != nil {
		return nil, err
	}
	return still[ent.TeamMembership](ctx, s, v, id)
}
