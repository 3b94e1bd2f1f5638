package community

import (
	"context"
	"fmt"
	"time"

	"github.com/pursuing-equity/commons/ent"
	"github.com/pursuing-equity/commons/ent/roleassignment"
	"github.com/pursuing-equity/commons/internal/access"
	"github.com/pursuing-equity/commons/internal/audit"
	"github.com/pursuing-equity/commons/internal/fault"
	"github.com/pursuing-equity/commons/internal/gid"
	"github.com/pursuing-equity/commons/internal/input"
	"github.com/pursuing-equity/commons/internal/store"
	"github.com/pursuing-equity/commons/internal/viewer"
)

// NewRoleAssignment is a role to give to a member within a scope, until EndsAt if that is set.
type NewRoleAssignment struct {
	MemberID       gid.ID
	Role           roleassignment.Role
	Scope          roleassignment.Scope
	ScopeID        *gid.ID
	EndsAt         *time.Time
	IdempotencyKey *string `json:"-"`
}

// reaches reports whether a role is given within a scope. Leads of teams are in team memberships.
func reaches(role roleassignment.Role, scope roleassignment.Scope) bool {
	switch role {
	case roleassignment.RoleADMIN, roleassignment.RoleSTAFF, roleassignment.RoleREVIEWER, roleassignment.RoleEXPERT:
		return scope == roleassignment.ScopePLATFORM
	case roleassignment.RoleFACILITATOR:
		return scope == roleassignment.ScopeCOHORT || scope == roleassignment.ScopeSPACE
	case roleassignment.RoleLEAD:
		return scope == roleassignment.ScopeORGANIZATION
	default:
		return false
	}
}

func (in NewRoleAssignment) check(now time.Time) error {
	var c input.Checker
	if !reaches(in.Role, in.Scope) {
		c.Refuse("scope", "This role is not given within this scope: administrators, staff, reviewers and experts have theirs on the platform, facilitators in a cohort or a space, leads in an organization.")
	}
	switch platform := in.Scope == roleassignment.ScopePLATFORM; {
	case platform && in.ScopeID != nil:
		c.Refuse("scopeId", "A role on the platform has no scopeId.")
	case !platform && in.ScopeID == nil:
		c.Refuse("scopeId", "Say which cohort, organization or space.")
	}
	if in.EndsAt != nil && !in.EndsAt.After(now) {
		c.Refuse("endsAt", "This must be in the future.")
	}
	return c.Err()
}

func adminOnly(ctx context.Context, tx *ent.Client, v viewer.Viewer) error {
	actor, err := access.Load(ctx, tx, v)
	if err == nil && !actor.IsAdmin() {
		err = fault.Denied("Only administrators can give and end roles.")
	}
	return err
}

// CreateRoleAssignment gives a member a role. For administrators. It returns ALREADY_EXISTS for a role that the member has.
func (s *Service) CreateRoleAssignment(ctx context.Context, v viewer.Viewer, in NewRoleAssignment) (*ent.RoleAssignment, error) {
	if err := in.check(s.Now()); err != nil {
		return nil, err
	}
	once := store.Once{Operation: "createRoleAssignment", Key: in.IdempotencyKey, Payload: in}
	return create[ent.RoleAssignment](ctx, s, v, once, func(ctx context.Context, tx *ent.Client) (gid.ID, error) {
		if err := adminOnly(ctx, tx, v); err != nil {
			return gid.ID{}, err
		}
		if err := lockMember(ctx, tx, v, in.MemberID); err != nil {
			return gid.ID{}, err
		}
		same := tx.RoleAssignment.Query().
			Where(roleassignment.MemberID(in.MemberID), roleassignment.RoleEQ(in.Role), roleassignment.ScopeEQ(in.Scope), access.CurrentRoleAssignments())
		if in.ScopeID != nil {
			if err := checkScope(ctx, tx, v, in.Scope, *in.ScopeID); err != nil {
				return gid.ID{}, err
			}
			same.Where(roleassignment.ScopeID(*in.ScopeID))
		}
		has, err := same.Exist(ctx)
		if err != nil {
			return gid.ID{}, fmt.Errorf("look for the role: %w", err)
		}
		if has {
			return gid.ID{}, exists("role", "The member has this role.")
		}
		id := s.NewID(gid.RoleAssignment)
		err = tx.RoleAssignment.Create().SetID(id).SetCreatedAt(s.Now()).SetMemberID(in.MemberID).SetRole(in.Role).
			SetScope(in.Scope).SetNillableScopeID(in.ScopeID).SetNillableEndsAt(in.EndsAt).Exec(ctx)
		if err != nil {
			return gid.ID{}, fmt.Errorf("create role assignment: %w", err)
		}
		return id, s.Audit.Append(ctx, tx, v, audit.Entry{Action: audit.RoleGiven, Subject: id})
	})
}

// checkScope makes sure that a role is given within something that the viewer can see and that still lives. Nobody gives roles
// in a hidden space from outside: its facilitators have theirs by their memberships.
func checkScope(ctx context.Context, tx *ent.Client, v viewer.Viewer, scope roleassignment.Scope, id gid.ID) error {
	const path = "scopeId"
	var retired *time.Time
	switch scope {
	case roleassignment.ScopeCOHORT:
		c, err := look[ent.Cohort](ctx, tx, v, id, path)
		if err != nil {
			return err
		}
		retired = c.ArchivedAt
	case roleassignment.ScopeORGANIZATION:
		o, err := look[ent.Organization](ctx, tx, v, id, path)
		if err != nil {
			return err
		}
		retired = o.ArchivedAt
	case roleassignment.ScopeSPACE:
		sp, err := look[ent.Space](ctx, tx, v, id, path)
		if err != nil {
			return err
		}
		if access.Hidden(sp.Kind) {
			return fault.Denied("The facilitators of this space are those whose membership says so. Change the membership's role.").At(path)
		}
		retired = sp.ArchivedAt
	case roleassignment.ScopePLATFORM, roleassignment.ScopeTEAM: // check has refused an id for these
	}
	if retired != nil {
		return fault.New(fault.Archived, "This was archived; there is nothing to look after.").At(path)
	}
	return nil
}

// EndRoleAssignment ends a role at once. For administrators. Doing it again changes nothing.
func (s *Service) EndRoleAssignment(ctx context.Context, v viewer.Viewer, id gid.ID) (*ent.RoleAssignment, error) {
	err := s.change(ctx, v, func(ctx context.Context, tx *ent.Client) error {
		if err := adminOnly(ctx, tx, v); err != nil {
			return err
		}
		r, err := tx.RoleAssignment.Query().Where(roleassignment.ID(id), access.VisibleRoleAssignments(v), store.LockRow).Only(ctx)
		if err != nil {
			return missing(err, "roleAssignmentId")
		}
		now := s.instant()
		if r.EndsAt != nil && !r.EndsAt.After(now) {
			return nil
		}
		if err := keepsAnAdmin(ctx, tx, r); err != nil {
			return err
		}
		if err := tx.RoleAssignment.UpdateOneID(id).SetEndsAt(now).Exec(ctx); err != nil {
			return fmt.Errorf("end role assignment: %w", err)
		}
		return s.Audit.Append(ctx, tx, v, audit.Entry{Action: audit.RoleEnded, Subject: id})
	})
	if err != nil {
		return nil, err
	}
	return still[ent.RoleAssignment](ctx, s, v, id)
}

// keepsAnAdmin refuses to end the role of the last administrator: nobody could give it to anybody again.
func keepsAnAdmin(ctx context.Context, tx *ent.Client, r *ent.RoleAssignment) error {
	if r.Role != roleassignment.RoleADMIN {
		return nil
	}
	return KeepsAnAdministrator(ctx, tx, r.MemberID)
}
