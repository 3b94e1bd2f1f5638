package community

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/pursuing-equity/commons/ent"
	"github.com/pursuing-equity/commons/ent/enrollment"
	"github.com/pursuing-equity/commons/ent/entitlement"
	"github.com/pursuing-equity/commons/ent/member"
	"github.com/pursuing-equity/commons/ent/space"
	"github.com/pursuing-equity/commons/ent/spacemembership"
	"github.com/pursuing-equity/commons/ent/teammembership"
	"github.com/pursuing-equity/commons/internal/access"
	"github.com/pursuing-equity/commons/internal/gid"
	"github.com/pursuing-equity/commons/internal/page"
	"github.com/pursuing-equity/commons/internal/store"
)

// rowsPerInsert keeps an insert below the number of arguments that both databases take.
const rowsPerInsert = 1000

// Derive brings the members' derived places in line with their current team memberships: everybody in a team has its space,
// with the role FACILITATOR for its leads; everybody in a team that is enrolled in a cohort, or completed it, has the cohort's
// space, the network's, and those that a support of the offering opens (see Entitlement). Missing places are made, ended ones are opened again, and those that no longer follow end now. Places
// that people made are never touched, and neither is the role in a cohort's or the network's space, which people give.
//
// It returns the members who lost a place. The number of statements is
// the same whatever the number of members, but for inserts of a thousand rows each. It locks the members' rows, so that what two
// transactions change for one member counts together.
func Derive(ctx context.Context, tx *ent.Client, now time.Time, newID func(gid.Kind) gid.ID, members []gid.ID) (lost []gid.ID, err error) {
	if len(members) == 0 {
		return nil, nil
	}
	now = now.UTC().Truncate(time.Millisecond) // see Service.instant
	_, err = tx.Member.Query().Where(page.AnyOf(member.FieldID, members), store.LockRow).Order(member.ByID()).Select(member.FieldID).All(ctx)
	if err != nil {
		return nil, fmt.Errorf("lock members: %w", err)
	}
	d := derivation{now: now, newID: newID, wanted: make(map[place]claim)}
	if err := d.want(ctx, tx, members); err != nil {
		return nil, err
	}
	if err := d.compare(ctx, tx, members); err != nil {
		return nil, err
	}
	return d.lost, d.write(ctx, tx)
}

// derive is Derive for a service's own transaction.
func (s *Service) derive(ctx context.Context, tx *ent.Client, members ...gid.ID) error {
	_, err := Derive(ctx, tx, s.Now(), s.NewID, members)
	return err
}

// deriveTeam derives for all members of a team.
func (s *Service) deriveTeam(ctx context.Context, tx *ent.Client, teamID gid.ID) error {
	rows, err := tx.TeamMembership.Query().Where(teammembership.TeamID(teamID), teammembership.EndsOnIsNil()).All(ctx)
	if err != nil {
		return fmt.Errorf("load the team's members: %w", err)
	}
	return s.derive(ctx, tx, ids(rows, func(m *ent.TeamMembership) gid.ID { return m.MemberID })...)
}

// place is somebody's place in a space.
type place struct{ space, member gid.ID }

// claim is what a place must be like. The role is empty where people give it.
type claim struct {
	role   spacemembership.Role
	starts time.Time
}

type derivation struct {
	now    time.Time
	newID  func(gid.Kind) gid.ID
	wanted map[place]claim
	order  []place // of wanted, so that rows are made in the same order each time

	end     []gid.ID
	reopen  map[claim][]gid.ID // those that are alike, in one statement
	rerole  map[spacemembership.Role][]gid.ID
	missing []place
	lost    []gid.ID
}

// want collects the places that follow from team memberships and enrollments.
func (d *derivation) want(ctx context.Context, tx *ent.Client, members []gid.ID) error {
	memberships, err := tx.TeamMembership.Query().
		Where(page.AnyOf(teammembership.FieldMemberID, members), teammembership.EndsOnIsNil()).Order(teammembership.ByID()).All(ctx)
	if err != nil {
		return fmt.Errorf("load team memberships: %w", err)
	}
	teams := distinct(ids(memberships, func(m *ent.TeamMembership) gid.ID { return m.TeamID }))
	enrollments, err := tx.Enrollment.Query().
		Where(page.AnyOf(enrollment.FieldTeamID, teams), enrollment.StateNEQ(enrollment.StateWITHDRAWN)).WithCohort().Order(enrollment.ByID()).All(ctx)
	if err != nil {
		return fmt.Errorf("load enrollments: %w", err)
	}
	of := make(map[gid.ID][]*ent.Enrollment)
	for _, e := range enrollments {
		of[e.TeamID] = append(of[e.TeamID], e)
	}
	cohorts := distinct(ids(enrollments, func(e *ent.Enrollment) gid.ID { return e.CohortID }))
	spaces, err := tx.Space.Query().Where(space.Or(
		space.KindEQ(space.KindNETWORK), page.AnyOf(space.FieldTeamID, teams), page.AnyOf(space.FieldCohortID, cohorts),
	)).Order(space.ByID()).All(ctx)
	if err != nil {
		return fmt.Errorf("load derived spaces: %w", err)
	}
	var network []gid.ID
	owned := make(map[gid.ID]gid.ID, len(spaces)) // by the team or the cohort
	for _, s := range spaces {
		switch {
		case s.TeamID != nil:
			owned[*s.TeamID] = s.ID
		case s.CohortID != nil:
			owned[*s.CohortID] = s.ID
		default:
			network = append(network, s.ID)
		}
	}
	opened, err := openedSpaces(ctx, tx, enrollments)
	if err != nil {
		return err
	}
	for _, m := range memberships {
		role := spacemembership.RoleMEMBER
		if m.Role == teammembership.RoleLEAD {
			role = spacemembership.RoleFACILITATOR
		}
		d.claim(owned[m.TeamID], m.MemberID, claim{role, m.StartsOn})
		for _, e := range of[m.TeamID] {
			c := claim{starts: m.StartsOn}
			if e.CreatedAt.After(c.starts) {
				c.starts = e.CreatedAt.Truncate(time.Millisecond)
			}
			d.claim(owned[e.CohortID], m.MemberID, c)
			for _, n := range network {
				d.claim(n, m.MemberID, c)
			}
			for _, o := range opened[e.Edges.Cohort.OfferingID] {
				if len(o.TeamRoles) > 0 && !slices.Contains(o.TeamRoles, string(m.Role)) {
					continue
				}
				c := c
				if o.CreatedAt.After(c.starts) {
					c.starts = o.CreatedAt.Truncate(time.Millisecond)
				}
				d.claim(*o.SpaceID, m.MemberID, c)
			}
		}
	}
	return nil
}

// openedSpaces are the entitlements that open spaces, by offering: those of the offerings that the enrollments, loaded with
// their cohorts, are in.
func openedSpaces(ctx context.Context, tx *ent.Client, enrollments []*ent.Enrollment) (map[gid.ID][]*ent.Entitlement, error) {
	offerings := distinct(ids(enrollments, func(e *ent.Enrollment) gid.ID { return e.Edges.Cohort.OfferingID }))
	rows, err := tx.Entitlement.Query().
		Where(page.AnyOf(entitlement.FieldOfferingID, offerings), entitlement.SpaceIDNotNil(), access.OpenEntitlements()).Order(entitlement.ByID()).All(ctx)
	if err != nil {
		return nil, fmt.Errorf("load entitlements: %w", err)
	}
	of := make(map[gid.ID][]*ent.Entitlement)
	for _, e := range rows {
		of[e.OfferingID] = append(of[e.OfferingID], e)
	}
	return of, nil
}

// claim adds a place; of several claims to one, the earliest start counts.
func (d *derivation) claim(spaceID, memberID gid.ID, c claim) {
	if spaceID.IsZero() {
		return
	}
	p := place{spaceID, memberID}
	before, has := d.wanted[p]
	if !has {
		d.order = append(d.order, p)
	}
	if !has || c.starts.Before(before.starts) {
		d.wanted[p] = c
	}
}

// compare finds out how the places that there are differ from those that there must be.
func (d *derivation) compare(ctx context.Context, tx *ent.Client, members []gid.ID) error {
	rows, err := tx.SpaceMembership.Query().Where(page.AnyOf(spacemembership.FieldMemberID, members)).Order(spacemembership.ByID()).All(ctx)
	if err != nil {
		return fmt.Errorf("load space memberships: %w", err)
	}
	d.reopen, d.rerole = make(map[claim][]gid.ID), make(map[spacemembership.Role][]gid.ID)
	has := make(map[place]bool, len(rows))
	for _, row := range rows {
		p := place{row.SpaceID, row.MemberID}
		has[p] = true
		if !row.Derived {
			continue
		}
		c, wanted := d.wanted[p]
		over := row.EndsAt != nil && !row.EndsAt.After(d.now)
		switch {
		case !wanted && !over:
			d.end = append(d.end, row.ID)
			d.lost = append(d.lost, row.MemberID)
		case wanted && row.EndsAt != nil:
			o := c
			if o.role == "" {
				o.role = spacemembership.RoleMEMBER
			}
			if o.starts.Before(d.now) {
				o.starts = d.now // it was closed until now
			}
			d.reopen[o] = append(d.reopen[o], row.ID)
		case wanted && c.role != "" && c.role != row.Role:
			d.rerole[c.role] = append(d.rerole[c.role], row.ID)
		}
	}
	d.lost = distinct(d.lost)
	for _, p := range d.order {
		if !has[p] {
			d.missing = append(d.missing, p)
		}
	}
	return nil
}

func (d *derivation) write(ctx context.Context, tx *ent.Client) error {
	if len(d.end) > 0 {
		if err := tx.SpaceMembership.Update().Where(page.AnyOf(spacemembership.FieldID, d.end)).SetEndsAt(d.now).Exec(ctx); err != nil {
			return fmt.Errorf("end derived places: %w", err)
		}
	}
	for o, rows := range d.reopen {
		err := tx.SpaceMembership.Update().Where(page.AnyOf(spacemembership.FieldID, rows)).
			SetRole(o.role).SetStartsAt(o.starts).ClearEndsAt().Exec(ctx)
		if err != nil {
			return fmt.Errorf("open derived places again: %w", err)
		}
	}
	for role, rows := range d.rerole {
		if err := tx.SpaceMembership.Update().Where(page.AnyOf(spacemembership.FieldID, rows)).SetRole(role).Exec(ctx); err != nil {
			return fmt.Errorf("change roles in teams' spaces: %w", err)
		}
	}
	for chunk := range slices.Chunk(d.missing, rowsPerInsert) {
		rows := make([]*ent.SpaceMembershipCreate, len(chunk))
		for i, p := range chunk {
			c := d.wanted[p]
			rows[i] = tx.SpaceMembership.Create().SetID(d.newID(gid.SpaceMembership)).SetCreatedAt(d.now).
				SetSpaceID(p.space).SetMemberID(p.member).SetDerived(true).SetStartsAt(c.starts)
			if c.role != "" {
				rows[i].SetRole(c.role)
			}
		}
		if err := tx.SpaceMembership.CreateBulk(rows...).Exec(ctx); err != nil {
			return fmt.Errorf("make derived places: %w", store.RetryOnConflict(err))
		}
	}
	return nil
}

func distinct(ids []gid.ID) []gid.ID {
	seen := make(map[gid.ID]bool, len(ids))
	var out []gid.ID
	for _, id := range ids {
		if !seen[id] {
			seen[id] = true
			out = append(out, id)
		}
	}
	return out
}
