package access

import (
	"context"
	"fmt"

	"entgo.io/ent/dialect/sql"

	"github.com/pursuing-equity/commons/ent"
	"github.com/pursuing-equity/commons/ent/member"
	"github.com/pursuing-equity/commons/ent/predicate"
	"github.com/pursuing-equity/commons/ent/roleassignment"
	"github.com/pursuing-equity/commons/ent/space"
	"github.com/pursuing-equity/commons/ent/spacemembership"
	"github.com/pursuing-equity/commons/ent/team"
	"github.com/pursuing-equity/commons/ent/teammembership"
	"github.com/pursuing-equity/commons/internal/fault"
	"github.com/pursuing-equity/commons/internal/gid"
	"github.com/pursuing-equity/commons/internal/page"
	"github.com/pursuing-equity/commons/internal/viewer"
)

// Actor is a viewer with the roles that they have right now.
type Actor struct {
	viewer viewer.Viewer
	roles  []*ent.RoleAssignment
}

// Load reads the viewer's current roles: one statement for a member, none for others.
func Load(ctx context.Context, c *ent.Client, v viewer.Viewer) (*Actor, error) {
	a := &Actor{viewer: v}
	m, ok := v.MemberID()
	if !ok {
		return a, nil
	}
	var err error
	a.roles, err = c.RoleAssignment.Query().Where(roleassignment.MemberID(m), CurrentRoleAssignments()).All(ctx)
	if err != nil {
		return nil, fmt.Errorf("load roles: %w", err)
	}
	return a, nil
}

// SignedIn returns the member who acts, or UNAUTHENTICATED.
func SignedIn(v viewer.Viewer) (gid.ID, error) {
	if m, ok := v.MemberID(); ok {
		return m, nil
	}
	return gid.ID{}, fault.New(fault.Unauthenticated, "Sign in: send a token as Authorization: Bearer …")
}

// CurrentRoleAssignments are those that have not ended.
func CurrentRoleAssignments() predicate.RoleAssignment {
	return func(s *sql.Selector) { s.Where(running(s)) }
}

func (a *Actor) has(role roleassignment.Role, scope roleassignment.Scope, id *gid.ID) bool {
	for _, r := range a.roles {
		if r.Role != role || r.Scope != scope {
			continue
		}
		if scope == roleassignment.ScopePLATFORM || r.ScopeID != nil && id != nil && *r.ScopeID == *id {
			return true
		}
	}
	return false
}

// IsAdmin reports whether the viewer administers the platform.
func (a *Actor) IsAdmin() bool {
	return a.viewer.IsSystem() || a.has(roleassignment.RoleADMIN, roleassignment.ScopePLATFORM, nil)
}

// IsStaff reports whether the viewer runs the program, or administers the platform.
func (a *Actor) IsStaff() bool {
	return a.IsAdmin() || a.has(roleassignment.RoleSTAFF, roleassignment.ScopePLATFORM, nil)
}

// CanUpdateOrganization is for staff and the organization's leads.
func (a *Actor) CanUpdateOrganization(id gid.ID) bool {
	return a.IsStaff() || a.has(roleassignment.RoleLEAD, roleassignment.ScopeORGANIZATION, &id)
}

// CanUpdateCohort is for staff and the cohort's facilitators.
func (a *Actor) CanUpdateCohort(id gid.ID) bool {
	return a.IsStaff() || a.has(roleassignment.RoleFACILITATOR, roleassignment.ScopeCOHORT, &id)
}

// CanSeeAccount is for the member and staff: it lets see the mail address.
func (a *Actor) CanSeeAccount(member gid.ID) bool {
	me, ok := a.viewer.MemberID()
	return ok && me == member || a.IsStaff()
}

// CanUpdateAffiliations is for the member and staff.
func (a *Actor) CanUpdateAffiliations(member gid.ID) bool {
	me, ok := a.viewer.MemberID()
	return ok && me == member || a.IsStaff()
}

// TakesPart reports whether the viewer takes part in the network: its members, and staff. It takes at most one statement.
func (a *Actor) TakesPart(ctx context.Context, c *ent.Client) (bool, error) {
	m, ok := a.viewer.MemberID()
	if a.IsStaff() || !ok {
		return a.IsStaff(), nil
	}
	takes, err := c.SpaceMembership.Query().
		Where(spacemembership.MemberID(m), spacemembership.HasSpaceWith(space.KindEQ(space.KindNETWORK)), CurrentSpaceMemberships()).Exist(ctx)
	if err != nil {
		return false, fmt.Errorf("look for the network: %w", err)
	}
	return takes, nil
}

// CanUpdateTeams says for each team whether the viewer may change it and its memberships: staff, the organization's leads, and
// the team's own. It takes at most one statement, whatever the number of teams.
func (a *Actor) CanUpdateTeams(ctx context.Context, c *ent.Client, teams ...*ent.Team) (map[gid.ID]bool, error) {
	can := make(map[gid.ID]bool, len(teams))
	var ask []gid.ID
	for _, t := range teams {
		if a.CanUpdateOrganization(t.OrganizationID) {
			can[t.ID] = true
		} else {
			ask = append(ask, t.ID)
		}
	}
	m, ok := a.viewer.MemberID()
	if !ok || len(ask) == 0 {
		return can, nil
	}
	led, err := c.TeamMembership.Query().Where(
		teammembership.TeamIDIn(ask...), teammembership.MemberID(m), teammembership.RoleEQ(teammembership.RoleLEAD), teammembership.EndsOnIsNil(),
	).Select(teammembership.FieldTeamID).All(ctx)
	if err != nil {
		return nil, fmt.Errorf("load team leads: %w", err)
	}
	for _, l := range led {
		can[l.TeamID] = true
	}
	return can, nil
}

// SpaceRights are what the viewer may do in a space that they can see.
type SpaceRights struct {
	// Role is the viewer's current place in it; empty for those who read it by a role of another kind.
	Role spacemembership.Role
	// Write lets start threads, post and react.
	Write bool
	// Moderate lets pin, lock and move threads, and delete others' posts.
	Moderate bool
	// Manage lets change the space and its memberships.
	Manage bool
	// Glass says that the viewer sees it only because they broke its glass: they may change nothing in it, not even what they wrote
	// there themselves when they belonged to it.
	Glass bool
}

// Spaces says for each space what the viewer may do in it. It takes at most two statements, whatever the number of spaces.
// Spaces that the viewer cannot see have no rights; whether they can be seen was for VisibleSpaces to say before.
func (a *Actor) Spaces(ctx context.Context, c *ent.Client, spaces ...*ent.Space) (map[gid.ID]SpaceRights, error) {
	m, ok := a.viewer.MemberID()
	if !ok {
		return map[gid.ID]SpaceRights{}, nil
	}
	ids := make([]gid.ID, len(spaces))
	for i, s := range spaces {
		ids[i] = s.ID
	}
	mine, err := c.SpaceMembership.Query().Where(page.AnyOf(spacemembership.FieldSpaceID, ids), spacemembership.MemberID(m), CurrentSpaceMemberships()).All(ctx)
	if err != nil {
		return nil, fmt.Errorf("load space memberships: %w", err)
	}
	places := make(map[gid.ID]spacemembership.Role, len(mine))
	for _, sm := range mine {
		places[sm.SpaceID] = sm.Role
	}
	return a.rights(ctx, c, places, spaces)
}

// rights are what follows from the viewer's roles and places.
func (a *Actor) rights(ctx context.Context, c *ent.Client, places map[gid.ID]spacemembership.Role, spaces []*ent.Space) (map[gid.ID]SpaceRights, error) {
	var teamIDs []gid.ID
	for _, s := range spaces {
		if s.TeamID != nil {
			teamIDs = append(teamIDs, *s.TeamID)
		}
	}
	ledTeams, err := a.teamsOfLedOrganizations(ctx, c, teamIDs)
	if err != nil {
		return nil, err
	}
	rights := make(map[gid.ID]SpaceRights, len(spaces))
	for _, s := range spaces {
		r := SpaceRights{Role: places[s.ID]}
		r.Manage = r.Role == spacemembership.RoleFACILITATOR
		lead := false
		if Hidden(s.Kind) {
			r.Glass = r.Role == ""
		} else {
			r.Manage = r.Manage || a.IsStaff() ||
				a.has(roleassignment.RoleFACILITATOR, roleassignment.ScopeSPACE, &s.ID) ||
				a.has(roleassignment.RoleFACILITATOR, roleassignment.ScopeCOHORT, s.CohortID)
			lead = s.TeamID != nil && ledTeams[*s.TeamID]
		}
		r.Moderate = r.Manage
		r.Write = (r.Role != "" || r.Manage || lead) && s.ArchivedAt == nil
		rights[s.ID] = r
	}
	return rights, nil
}

func (a *Actor) teamsOfLedOrganizations(ctx context.Context, c *ent.Client, teamIDs []gid.ID) (map[gid.ID]bool, error) {
	var led []gid.ID
	for _, r := range a.roles {
		if r.Role == roleassignment.RoleLEAD && r.Scope == roleassignment.ScopeORGANIZATION && r.ScopeID != nil {
			led = append(led, *r.ScopeID)
		}
	}
	if len(led) == 0 || len(teamIDs) == 0 {
		return nil, nil
	}
	ids, err := c.Team.Query().Where(team.IDIn(teamIDs...), team.OrganizationIDIn(led...)).Select(team.FieldID).All(ctx)
	if err != nil {
		return nil, fmt.Errorf("load led teams: %w", err)
	}
	is := make(map[gid.ID]bool, len(ids))
	for _, t := range ids {
		is[t.ID] = true
	}
	return is, nil
}

// Space returns the rights in one space, or NOT_FOUND when the viewer cannot see it.
func Space(ctx context.Context, c *ent.Client, v viewer.Viewer, id gid.ID) (*ent.Space, SpaceRights, error) {
	spaces, rights, err := HeldSpaces(ctx, c, v, space.ID(id), VisibleSpaces(v))
	if err != nil {
		return nil, SpaceRights{}, err
	}
	if spaces[id] == nil {
		return nil, SpaceRights{}, fault.Missing()
	}
	return spaces[id], rights[id], nil
}

// SpaceRightsOf returns what a member may do in a space, whether they are here or not.
func SpaceRightsOf(ctx context.Context, c *ent.Client, memberID gid.ID, s *ent.Space) (SpaceRights, error) {
	a, err := Load(ctx, c, viewer.Member(memberID, gid.ID{}, viewer.Write))
	if err != nil {
		return SpaceRights{}, err
	}
	rights, err := a.Spaces(ctx, c, s)
	return rights[s.ID], err
}

// SpaceReaders are the active members who belong to the space now: those who can be mentioned and notified in it. Those who
// read it by a role are left out; they did not ask to hear from it.
func SpaceReaders(spaceID gid.ID) predicate.Member {
	return func(s *sql.Selector) {
		ids := from(s, spacemembership.Table, spacemembership.FieldMemberID)
		ids.Where(sql.And(sql.EQ(ids.C(spacemembership.FieldSpaceID), spaceID), current(ids)))
		s.Where(sql.And(active(s), sql.In(s.C(member.FieldID), ids)))
	}
}
