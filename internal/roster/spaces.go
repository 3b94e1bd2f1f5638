package roster

import (
	"fmt"

	"github.com/pursuing-equity/commons/ent"
	"github.com/pursuing-equity/commons/ent/space"
	"github.com/pursuing-equity/commons/internal/community"
	"github.com/pursuing-equity/commons/internal/gid"
)

// spaces makes a space for each team of the file that has none.
func (i *importer) spaces() error {
	existing, err := find(i.teamIDs, func(part []gid.ID) ([]*ent.Space, error) {
		return i.tx.Space.Query().Where(space.TeamIDIn(part...)).All(i.ctx)
	})
	if err != nil {
		return fmt.Errorf("find team spaces: %w", err)
	}
	has := make(map[gid.ID]bool, len(existing))
	for _, s := range existing {
		has[*s.TeamID] = true
	}
	var builders []*ent.SpaceCreate
	for n, id := range i.teamIDs {
		if !has[id] {
			builders = append(builders, i.tx.Space.Create().SetID(i.options.NewID(gid.Space)).SetCreatedAt(i.now).SetUpdatedAt(i.now).
				SetKind(space.KindTEAM).SetTeamID(id).SetName(i.teamName(n)))
		}
	}
	return create(i.ctx, "team spaces", builders, i.tx.Space.CreateBulk)
}

// derive brings the memberships of spaces in line with the teams of the file's members. Who loses a place needs no waking
// here: an import runs beside the server, whose own recheck finds it.
func (i *importer) derive() error {
	before, err := i.tx.SpaceMembership.Query().Count(i.ctx)
	if err != nil {
		return fmt.Errorf("count space memberships: %w", err)
	}
	lost, err := community.Derive(i.ctx, i.tx, i.now, i.options.NewID, i.memberIDs)
	if err != nil {
		return err
	}
	after, err := i.tx.SpaceMembership.Query().Count(i.ctx)
	if err != nil {
		return fmt.Errorf("count space memberships: %w", err)
	}
	i.report.SpaceMemberships, i.report.LostPlaces = after-before, len(lost)
	return nil
}
