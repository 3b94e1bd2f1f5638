package access

import (
	"context"

	"github.com/pursuing-equity/commons/ent"
	"github.com/pursuing-equity/commons/ent/resource"
	"github.com/pursuing-equity/commons/ent/space"
	"github.com/pursuing-equity/commons/internal/fault"
	"github.com/pursuing-equity/commons/internal/gid"
	"github.com/pursuing-equity/commons/internal/page"
)

// CanAddResource says whether the viewer may add a resource: staff; in a space, given with the viewer's rights there, whoever may
// write in it.
func (a *Actor) CanAddResource(sp *ent.Space, rights SpaceRights) error {
	switch {
	case sp == nil && a.IsStaff(), sp != nil && rights.Write:
		return nil
	case sp == nil:
		return fault.Denied("Only staff can add a resource for everybody.")
	case sp.ArchivedAt != nil:
		return fault.New(fault.Archived, "This space was archived; it is read only.")
	}
	return fault.Denied("You can read this space but not add to it.")
}

// CanUpdateResources says for each resource that the viewer can see whether they may change it: nil, ARCHIVED or FORBIDDEN. Staff
// may; in a space those who manage it, and whoever added the resource. It takes at most two statements, whatever the number.
func (a *Actor) CanUpdateResources(ctx context.Context, c *ent.Client, resources ...*ent.Resource) (map[gid.ID]error, error) {
	var ids []gid.ID
	for _, r := range resources {
		if r.SpaceID != nil {
			ids = append(ids, *r.SpaceID)
		}
	}
	spaces := make(map[gid.ID]*ent.Space)
	rights := map[gid.ID]SpaceRights{}
	if m, ok := a.viewer.MemberID(); ok && !m.IsZero() && len(ids) > 0 {
		var err error
		if spaces, rights, err = HeldSpaces(ctx, c, a.viewer, page.AnyOf(space.FieldID, ids)); err != nil {
			return nil, err
		}
	}
	can := make(map[gid.ID]error, len(resources))
	for _, r := range resources {
		can[r.ID] = a.canUpdateResource(r, spaces, rights)
	}
	return can, nil
}

func (a *Actor) canUpdateResource(r *ent.Resource, spaces map[gid.ID]*ent.Space, rights map[gid.ID]SpaceRights) error {
	denied := fault.Denied("You can see this resource but not change it.")
	m, _ := a.viewer.MemberID()
	may := a.IsStaff()
	if r.Audience == resource.AudienceSPACE && r.SpaceID != nil {
		in := rights[*r.SpaceID]
		may = in.Manage || r.AuthorID == m && !in.Glass
		if s := spaces[*r.SpaceID]; may && s != nil && s.ArchivedAt != nil {
			return fault.New(fault.Archived, "This space was archived; it is read only.")
		}
	}
	switch {
	case !may:
		return denied
	case r.ArchivedAt != nil:
		return fault.New(fault.Archived, "This resource was retired.")
	}
	return nil
}
