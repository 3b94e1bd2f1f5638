package community

import (
	"context"
	"fmt"
	"time"

	"github.com/pursuing-equity/commons/ent"
	"github.com/pursuing-equity/commons/ent/space"
	"github.com/pursuing-equity/commons/ent/spacemembership"
	"github.com/pursuing-equity/commons/internal/access"
	"github.com/pursuing-equity/commons/internal/audit"
	"github.com/pursuing-equity/commons/internal/fault"
	"github.com/pursuing-equity/commons/internal/gid"
	"github.com/pursuing-equity/commons/internal/input"
	"github.com/pursuing-equity/commons/internal/store"
	"github.com/pursuing-equity/commons/internal/viewer"
)

// NewSpaceMembership is a member to add to an affinity group or a workgroup, until EndsAt if that is set.
type NewSpaceMembership struct {
	SpaceID, MemberID gid.ID
	Role              spacemembership.Role
	EndsAt            *time.Time
	IdempotencyKey    *string `json:"-"`
}

// CreateSpaceMembership adds a member to an affinity group or a workgroup. Whoever left may come back: their place is opened again. It
// returns ALREADY_EXISTS for one who belongs to it.
func (s *Service) CreateSpaceMembership(ctx context.Context, v viewer.Viewer, in NewSpaceMembership) (*ent.SpaceMembership, error) {
	var check input.Checker
	enum(&check, "role", &in.Role, spacemembership.RoleValidator)
	if in.EndsAt != nil && !in.EndsAt.After(s.Now()) {
		check.Refuse("endsAt", "This must be in the future.")
	}
	if err := check.Err(); err != nil {
		return nil, err
	}
	once := store.Once{Operation: "createSpaceMembership", Key: in.IdempotencyKey, Payload: in}
	return create[ent.SpaceMembership](ctx, s, v, once, func(ctx context.Context, tx *ent.Client) (gid.ID, error) {
		sp, rights, err := lockSpace(ctx, tx, v, in.SpaceID, "spaceId")
		switch {
		case err != nil:
			return gid.ID{}, err
		case !rights.Manage:
			return gid.ID{}, fault.Denied(whoManagesSpaces)
		case sp.Kind == space.KindDIRECT:
			return gid.ID{}, fault.Denied("Nobody joins a direct conversation later: start another one.")
		case !ownSpace(sp.Kind):
			return gid.ID{}, fault.Denied("Who belongs to this space follows from teams and their enrollments.")
		case sp.ArchivedAt != nil:
			return gid.ID{}, archived("space").At("spaceId")
		}
		if err := lockMember(ctx, tx, v, in.MemberID); err != nil {
			return gid.ID{}, err
		}
		id, err := s.letIn(ctx, tx, in)
		if err != nil {
			return gid.ID{}, err
		}
		return id, s.Audit.Append(ctx, tx, v, audit.Entry{Action: audit.SpaceMembershipGiven, Subject: id, Space: access.HiddenID(sp)})
	})
}

// letIn gives a member a place in a space, or opens the one that they had again. The transaction holds the space's row.
func (s *Service) letIn(ctx context.Context, tx *ent.Client, in NewSpaceMembership) (gid.ID, error) {
	old, err := tx.SpaceMembership.Query().Where(spacemembership.SpaceID(in.SpaceID), spacemembership.MemberID(in.MemberID)).Only(ctx)
	now := s.instant()
	switch {
	case ent.IsNotFound(err):
		id := s.NewID(gid.SpaceMembership)
		err = tx.SpaceMembership.Create().SetID(id).SetCreatedAt(s.Now()).SetSpaceID(in.SpaceID).SetMemberID(in.MemberID).
			SetRole(in.Role).SetStartsAt(now).SetNillableEndsAt(in.EndsAt).Exec(ctx)
		return id, store.RetryOnConflict(err)
	case err != nil:
		return gid.ID{}, fmt.Errorf("look for a membership: %w", err)
	case old.EndsAt == nil || old.EndsAt.After(now):
		return gid.ID{}, exists("memberId", "This member belongs to the space already.")
	}
	u := tx.SpaceMembership.UpdateOneID(old.ID).SetRole(in.Role).SetDerived(false).SetStartsAt(now).ClearEndsAt()
	if in.EndsAt != nil {
		u.SetEndsAt(*in.EndsAt)
	}
	if err := u.Exec(ctx); err != nil {
		return gid.ID{}, fmt.Errorf("open a membership again: %w", err)
	}
	return old.ID, nil
}

// lockSpaceMembership loads a membership that the viewer can see and holds its space's row.
func lockSpaceMembership(ctx context.Context, tx *ent.Client, v viewer.Viewer, id gid.ID) (*ent.SpaceMembership, *ent.Space, access.SpaceRights, error) {
	const path = "spaceMembershipId"
	var none access.SpaceRights
	m, err := look[ent.SpaceMembership](ctx, tx, v, id, path)
	if err != nil {
		return nil, nil, none, err
	}
	sp, rights, err := lockSpace(ctx, tx, v, m.SpaceID, path)
	if err != nil {
		return nil, nil, none, err
	}
	if m, err = tx.SpaceMembership.Get(ctx, id); err != nil { // again, now that nobody else changes it
		return nil, nil, none, fmt.Errorf("load space membership: %w", err)
	}
	return m, sp, rights, nil
}

// keepsFacilitator returns FORBIDDEN when a group would lose its last facilitator while others remain in it.
func keepsFacilitator(ctx context.Context, tx *ent.Client, sp *ent.Space, m *ent.SpaceMembership) error {
	if m.Role != spacemembership.RoleFACILITATOR || sp.Kind != space.KindAFFINITY && sp.Kind != space.KindWORKGROUP {
		return nil
	}
	others, err := tx.SpaceMembership.Query().
		Where(spacemembership.SpaceID(sp.ID), spacemembership.IDNEQ(m.ID), access.CurrentSpaceMemberships()).Select(spacemembership.FieldRole).All(ctx)
	if err != nil {
		return fmt.Errorf("look for other facilitators: %w", err)
	}
	for _, o := range others {
		if o.Role == spacemembership.RoleFACILITATOR {
			return nil
		}
	}
	if len(others) == 0 {
		return nil
	}
	return fault.Denied("This is the group's last facilitator: make somebody else a facilitator first.")
}

// UpdateSpaceMembership changes what a member is in a space. In a team's space that follows from the team.
func (s *Service) UpdateSpaceMembership(ctx context.Context, v viewer.Viewer, id gid.ID, role spacemembership.Role) (*ent.SpaceMembership, error) {
	var check input.Checker
	enum(&check, "role", &role, spacemembership.RoleValidator)
	if err := check.Err(); err != nil {
		return nil, err
	}
	err := s.change(ctx, v, func(ctx context.Context, tx *ent.Client) error {
		m, sp, rights, err := lockSpaceMembership(ctx, tx, v, id)
		switch {
		case err != nil:
			return err
		case !rights.Manage:
			return fault.Denied(whoManagesSpaces)
		case sp.ArchivedAt != nil:
			return archived("space").At("spaceMembershipId")
		case m.Derived && sp.Kind == space.KindTEAM:
			return fault.Denied("This follows from the team. Change what the member is in the team.")
		case m.EndsAt != nil && !m.EndsAt.After(s.Now()):
			return fault.Denied("This membership has ended.")
		case m.Role == role:
			return nil
		}
		if err := keepsFacilitator(ctx, tx, sp, m); err != nil {
			return err
		}
		if err := tx.SpaceMembership.UpdateOneID(id).SetRole(role).Exec(ctx); err != nil {
			return fmt.Errorf("update space membership: %w", err)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return reload[ent.SpaceMembership](ctx, s, v, id)
}

// EndSpaceMembership ends a membership at once. For the member and whoever manages the space; from an archived space too, because
// nobody is held in one. It returns nil when the viewer lost sight of the space by that. Doing it again changes nothing.
func (s *Service) EndSpaceMembership(ctx context.Context, v viewer.Viewer, id gid.ID) (*ent.SpaceMembership, error) {
	err := s.change(ctx, v, func(ctx context.Context, tx *ent.Client) error {
		m, sp, rights, err := lockSpaceMembership(ctx, tx, v, id)
		if err != nil {
			return err
		}
		now := s.instant()
		me, _ := v.MemberID()
		switch {
		case m.MemberID != me && !rights.Manage:
			return fault.Denied(whoManagesSpaces)
		case m.Derived:
			return fault.Denied("This membership follows from the team's enrollment and ends with the team membership.")
		case m.EndsAt != nil && !m.EndsAt.After(now):
			return nil
		}
		if sp.ArchivedAt == nil {
			if err := keepsFacilitator(ctx, tx, sp, m); err != nil {
				return err
			}
		}
		if err := tx.SpaceMembership.UpdateOneID(id).SetEndsAt(now).Exec(ctx); err != nil {
			return fmt.Errorf("end space membership: %w", err)
		}
		if m.MemberID == me { // who leaves does so for themselves
			return nil
		}
		return s.Audit.Append(ctx, tx, v, audit.Entry{Action: audit.SpaceMembershipEnded, Subject: id, Space: access.HiddenID(sp)})
	})
	if err != nil {
		return nil, err
	}
	return still[ent.SpaceMembership](ctx, s, v, id)
}
