package community

import (
	"context"
	"fmt"
	"slices"

	"github.com/pursuing-equity/commons/ent"
	"github.com/pursuing-equity/commons/ent/affiliation"
	"github.com/pursuing-equity/commons/ent/member"
	"github.com/pursuing-equity/commons/ent/roleassignment"
	"github.com/pursuing-equity/commons/ent/space"
	"github.com/pursuing-equity/commons/ent/spacemembership"
	"github.com/pursuing-equity/commons/ent/teammembership"
	"github.com/pursuing-equity/commons/internal/access"
	"github.com/pursuing-equity/commons/internal/fault"
	"github.com/pursuing-equity/commons/internal/gid"
	"github.com/pursuing-equity/commons/internal/page"
	"github.com/pursuing-equity/commons/internal/store"
)

// KeepsAnAdministrator returns FORBIDDEN when nobody who may sign in would be an administrator for good without the member. It locks all
// administrators' roles, in the order of their ids, so that two who shut each other out do not both succeed.
func KeepsAnAdministrator(ctx context.Context, tx *ent.Client, without gid.ID) error {
	admins, err := tx.RoleAssignment.Query().
		Where(roleassignment.RoleEQ(roleassignment.RoleADMIN), access.CurrentRoleAssignments(), store.LockRow).Order(roleassignment.ByID()).All(ctx)
	if err != nil {
		return fmt.Errorf("lock administrators: %w", err)
	}
	admins = slices.DeleteFunc(admins, func(r *ent.RoleAssignment) bool { return r.EndsAt != nil }) // soon they are none
	who := ids(admins, func(r *ent.RoleAssignment) gid.ID { return r.MemberID })
	if !slices.Contains(who, without) {
		return nil
	}
	// Asked after the lock, so that it sees what whoever held the lock has done.
	others, err := tx.Member.Query().Where(page.AnyOf(member.FieldID, who), member.IDNEQ(without), access.ActiveMembers()).Exist(ctx)
	if err != nil {
		return fmt.Errorf("look for other administrators: %w", err)
	}
	if !others {
		return fault.Denied("This is the last administrator. Make another one first.")
	}
	return nil
}

// Heir is a member who looks after a group from now on.
type Heir struct {
	Member gid.ID
	Space  *ent.Space
}

// HandOver gives the affinity groups and workgroups that nobody else facilitates to whoever has belonged to them longest, before the
// member's account is closed. Nobody from outside could do it: a hidden group has no outsiders who know of it. A group in which
// nobody remains is left as it is. It holds the spaces' rows, as whoever changes memberships does.
func HandOver(ctx context.Context, tx *ent.Client, from gid.ID) ([]Heir, error) {
	spaces, err := tx.Space.Query().Where(space.KindIn(space.KindAFFINITY, space.KindWORKGROUP), space.ArchivedAtIsNil(),
		space.HasMembershipsWith(spacemembership.MemberID(from), spacemembership.RoleEQ(spacemembership.RoleFACILITATOR)),
		store.LockRow).Order(space.ByID()).All(ctx)
	if err != nil {
		return nil, fmt.Errorf("lock the groups to hand over: %w", err)
	}
	var heirs []Heir
	for _, sp := range spaces {
		others, err := tx.SpaceMembership.Query().Where(spacemembership.SpaceID(sp.ID), spacemembership.MemberIDNEQ(from), access.CurrentSpaceMemberships()).
			Order(spacemembership.ByStartsAt(), spacemembership.ByID()).All(ctx)
		if err != nil {
			return nil, fmt.Errorf("look for who remains: %w", err)
		}
		looksAfter := func(m *ent.SpaceMembership) bool { return m.Role == spacemembership.RoleFACILITATOR }
		if len(others) == 0 || slices.ContainsFunc(others, looksAfter) {
			continue
		}
		if err := tx.SpaceMembership.UpdateOneID(others[0].ID).SetRole(spacemembership.RoleFACILITATOR).Exec(ctx); err != nil {
			return nil, fmt.Errorf("hand a group over: %w", err)
		}
		heirs = append(heirs, Heir{Member: others[0].MemberID, Space: sp})
	}
	return heirs, nil
}

// Leave ends all that a member takes part in: places in teams and spaces, and roles. Posts at organizations, which tell of the
// person, are deleted.
func (s *Service) Leave(ctx context.Context, tx *ent.Client, id gid.ID) error {
	now, today := s.instant(), s.today()
	places := tx.TeamMembership.Update().Where(teammembership.MemberID(id), teammembership.EndsOnIsNil(), teammembership.StartsOnLTE(today))
	if err := places.SetEndsOn(today).SetUpdatedAt(now).Exec(ctx); err != nil {
		return fmt.Errorf("end team memberships: %w", err)
	}
	early, err := tx.TeamMembership.Query().Where(teammembership.MemberID(id), teammembership.EndsOnIsNil()).All(ctx)
	if err != nil {
		return fmt.Errorf("load team memberships: %w", err)
	}
	for _, m := range early { // they end before they began; their days stay in order
		if err := tx.TeamMembership.UpdateOneID(m.ID).SetEndsOn(m.StartsOn).SetUpdatedAt(now).Exec(ctx); err != nil {
			return fmt.Errorf("end team memberships: %w", err)
		}
	}
	if err := s.derive(ctx, tx, id); err != nil {
		return err
	}
	open := spacemembership.Or(spacemembership.EndsAtIsNil(), spacemembership.EndsAtGT(now))
	if err := tx.SpaceMembership.Update().Where(spacemembership.MemberID(id), open).SetEndsAt(now).Exec(ctx); err != nil {
		return fmt.Errorf("end space memberships: %w", err)
	}
	running := roleassignment.Or(roleassignment.EndsAtIsNil(), roleassignment.EndsAtGT(now))
	if err := tx.RoleAssignment.Update().Where(roleassignment.MemberID(id), running).SetEndsAt(now).Exec(ctx); err != nil {
		return fmt.Errorf("end roles: %w", err)
	}
	if _, err := tx.Affiliation.Delete().Where(affiliation.MemberID(id)).Exec(ctx); err != nil {
		return fmt.Errorf("delete affiliations: %w", err)
	}
	return nil
}
