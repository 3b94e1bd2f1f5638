package roster

import (
	"fmt"
	"time"

	"github.com/pursuing-equity/commons/ent"
	"github.com/pursuing-equity/commons/ent/enrollment"
	"github.com/pursuing-equity/commons/ent/space"
	"github.com/pursuing-equity/commons/ent/spacemembership"
	"github.com/pursuing-equity/commons/ent/teammembership"
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

// stay is a derived membership of a space. A zero end is open.
type stay struct{ starts, ends time.Time }

// spaceMember is a member in a space.
type spaceMember struct{ space, member gid.ID }

// derive brings the derived memberships of spaces in line with the teams of the file's members: who is in a team is in
// the team's space, and while the team is enrolled, in its cohort's and in the network's.
func (i *importer) derive() error {
	return inChunks(i.memberIDs, func(members []gid.ID) error {
		want, err := i.derived(members)
		if err != nil {
			return err
		}
		return i.settle(members, want)
	})
}

// derived is where the members belong because of all of their teams, those outside of the file included. With several
// reasons for one space the earliest start and the latest end count.
func (i *importer) derived(members []gid.ID) (map[spaceMember]stay, error) {
	terms, err := i.tx.TeamMembership.Query().Where(teammembership.MemberIDIn(members...)).All(i.ctx)
	if err != nil {
		return nil, fmt.Errorf("find teams of members: %w", err)
	}
	teams := distinct(terms, func(t *ent.TeamMembership) gid.ID { return t.TeamID })
	enrolled, err := find(teams, func(part []gid.ID) ([]*ent.Enrollment, error) {
		return i.tx.Enrollment.Query().Where(enrollment.TeamIDIn(part...), enrollment.StateEQ(enrollment.StateENROLLED)).All(i.ctx)
	})
	if err != nil {
		return nil, fmt.Errorf("find enrollments of teams: %w", err)
	}
	networks, err := i.tx.Space.Query().Where(space.KindEQ(space.KindNETWORK)).IDs(i.ctx)
	if err != nil {
		return nil, fmt.Errorf("find the network's space: %w", err)
	}
	cohorts := distinct(enrolled, func(e *ent.Enrollment) gid.ID { return e.CohortID })
	ofTeams, err := find(teams, func(part []gid.ID) ([]*ent.Space, error) {
		return i.tx.Space.Query().Where(space.TeamIDIn(part...)).All(i.ctx)
	})
	if err != nil {
		return nil, fmt.Errorf("find spaces of teams: %w", err)
	}
	ofCohorts, err := i.tx.Space.Query().Where(space.CohortIDIn(cohorts...)).All(i.ctx)
	if err != nil {
		return nil, fmt.Errorf("find spaces of cohorts: %w", err)
	}
	teamSpace, cohortSpace, enrollments := map[gid.ID]gid.ID{}, map[gid.ID]gid.ID{}, map[gid.ID][]*ent.Enrollment{}
	for _, s := range ofTeams {
		teamSpace[*s.TeamID] = s.ID
	}
	for _, s := range ofCohorts {
		cohortSpace[*s.CohortID] = s.ID
	}
	for _, e := range enrolled {
		enrollments[e.TeamID] = append(enrollments[e.TeamID], e)
	}
	want := map[spaceMember]stay{}
	for _, t := range terms {
		s := stay{starts: t.StartsOn.UTC()}
		if t.EndsOn != nil {
			s.ends = t.EndsOn.UTC()
		}
		if id, ok := teamSpace[t.TeamID]; ok {
			widen(want, spaceMember{id, t.MemberID}, s)
		}
		for _, e := range enrollments[t.TeamID] {
			since := s
			if e.CreatedAt.After(since.starts) {
				since.starts = e.CreatedAt.UTC()
			}
			if id, ok := cohortSpace[e.CohortID]; ok {
				widen(want, spaceMember{id, t.MemberID}, since)
			}
			for _, id := range networks {
				widen(want, spaceMember{id, t.MemberID}, since)
			}
		}
	}
	return want, nil
}

// widen adds a reason to be in a space. One that ends before it begins is none.
func widen(want map[spaceMember]stay, key spaceMember, s stay) {
	if !s.ends.IsZero() && !s.ends.After(s.starts) {
		return
	}
	have, ok := want[key]
	if !ok {
		want[key] = s
		return
	}
	if s.starts.Before(have.starts) {
		have.starts = s.starts
	}
	if have.ends.IsZero() || s.ends.IsZero() {
		have.ends = time.Time{}
	} else if s.ends.After(have.ends) {
		have.ends = s.ends
	}
	want[key] = have
}

// settle makes, moves and ends derived memberships. Those that people made stay as they are.
func (i *importer) settle(members []gid.ID, want map[spaceMember]stay) error {
	existing, err := i.tx.SpaceMembership.Query().Where(spacemembership.MemberIDIn(members...)).All(i.ctx)
	if err != nil {
		return fmt.Errorf("find space memberships: %w", err)
	}
	for _, m := range existing {
		key := spaceMember{m.SpaceID, m.MemberID}
		s, wanted := want[key]
		delete(want, key)
		if !m.Derived {
			continue
		}
		if !wanted {
			if m.EndsAt != nil && !m.EndsAt.After(i.now) {
				continue
			}
			s = stay{starts: m.StartsAt, ends: i.now}
		}
		if m.StartsAt.Equal(s.starts) && (m.EndsAt == nil && s.ends.IsZero() || m.EndsAt != nil && m.EndsAt.Equal(s.ends)) {
			continue
		}
		u := i.tx.SpaceMembership.UpdateOneID(m.ID).SetStartsAt(s.starts).ClearEndsAt()
		if !s.ends.IsZero() {
			u = i.tx.SpaceMembership.UpdateOneID(m.ID).SetStartsAt(s.starts).SetEndsAt(s.ends)
		}
		if err := u.Exec(i.ctx); err != nil {
			return fmt.Errorf("move space membership %s: %w", m.ID, err)
		}
		i.report.SpaceMemberships++
	}
	builders := make([]*ent.SpaceMembershipCreate, 0, len(want))
	for key, s := range want {
		b := i.tx.SpaceMembership.Create().SetID(i.options.NewID(gid.SpaceMembership)).SetCreatedAt(i.now).SetSpaceID(key.space).SetMemberID(key.member).
			SetRole(spacemembership.RoleMEMBER).SetDerived(true).SetStartsAt(s.starts)
		if !s.ends.IsZero() {
			b.SetEndsAt(s.ends)
		}
		builders = append(builders, b)
	}
	i.report.SpaceMemberships += len(builders)
	return create(i.ctx, "space memberships", builders, i.tx.SpaceMembership.CreateBulk)
}

// distinct are the different keys of the values, in the order of their first appearance.
func distinct[T any](values []T, key func(T) gid.ID) []gid.ID {
	seen := make(map[gid.ID]bool, len(values))
	var keys []gid.ID
	for _, v := range values {
		if k := key(v); !seen[k] {
			seen[k] = true
			keys = append(keys, k)
		}
	}
	return keys
}
