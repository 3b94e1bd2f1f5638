package access

import (
	"context"
	"fmt"

	"entgo.io/ent/dialect/sql"

	"github.com/pursuing-equity/commons/ent"
	"github.com/pursuing-equity/commons/ent/block"
	"github.com/pursuing-equity/commons/ent/member"
	"github.com/pursuing-equity/commons/ent/predicate"
	"github.com/pursuing-equity/commons/ent/spacemembership"
	"github.com/pursuing-equity/commons/ent/team"
	"github.com/pursuing-equity/commons/ent/teammembership"
	"github.com/pursuing-equity/commons/internal/fault"
	"github.com/pursuing-equity/commons/internal/gid"
)

// Strangers are the members whom somebody neither blocks nor mutes, and who do neither to them: those whom they may be brought together
// with.
func Strangers(to gid.ID) predicate.Member {
	return func(s *sql.Selector) {
		avoided := from(s, block.Table, block.FieldBlockedID)
		avoided.Where(sql.EQ(avoided.C(block.FieldMemberID), to))
		avoiding := from(s, block.Table, block.FieldMemberID)
		avoiding.Where(sql.EQ(avoiding.C(block.FieldBlockedID), to))
		s.Where(sql.And(sql.NotIn(s.C(member.FieldID), avoided), sql.NotIn(s.C(member.FieldID), avoiding)))
	}
}

// TeamsWithin are the teams of which somebody belongs to the space now.
func TeamsWithin(spaceID gid.ID) predicate.Team {
	return func(s *sql.Selector) {
		inSpace := from(s, spacemembership.Table, spacemembership.FieldMemberID)
		inSpace.Where(sql.And(sql.EQ(inSpace.C(spacemembership.FieldSpaceID), spaceID), current(inSpace), inUse(inSpace)))
		places := from(s, teammembership.Table, teammembership.FieldTeamID)
		places.Where(sql.And(sql.IsNull(places.C(teammembership.FieldEndsOn)), sql.In(places.C(teammembership.FieldMemberID), inSpace)))
		s.Where(sql.In(s.C(team.FieldID), places))
	}
}

// CanIntroduce says whether members may be brought together: FORBIDDEN when one of them blocks another one, and it does not say who. It
// takes one statement.
func CanIntroduce(ctx context.Context, c *ent.Client, members ...gid.ID) error {
	blocked, err := c.Block.Query().Where(block.MemberIDIn(members...), block.BlockedIDIn(members...), block.KindEQ(block.KindBLOCK)).Exist(ctx)
	if err != nil {
		return fmt.Errorf("look for blocks: %w", err)
	}
	if blocked {
		return fault.Denied("These members cannot be introduced to each other.")
	}
	return nil
}
