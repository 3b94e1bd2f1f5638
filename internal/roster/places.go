package roster

import (
	"cmp"
	"fmt"
	"time"

	"github.com/pursuing-equity/commons/ent"
	"github.com/pursuing-equity/commons/ent/teammembership"
	"github.com/pursuing-equity/commons/internal/gid"
)

// term is a membership in a team as it is or will be. A zero end is open.
type term struct {
	*ent.TeamMembership // nil for a new one
	role                string
	startsOn, endsOn    time.Time
	matched             bool
}

// places makes and changes memberships in teams.
func (i *importer) places() error {
	existing, err := find(i.teamIDs, func(part []gid.ID) ([]*ent.TeamMembership, error) {
		return i.tx.TeamMembership.Query().Where(teammembership.TeamIDIn(part...)).All(i.ctx)
	})
	if err != nil {
		return fmt.Errorf("find team memberships: %w", err)
	}
	terms := make(map[[2]gid.ID][]*term, len(existing))
	for _, m := range existing {
		t := &term{TeamMembership: m, role: string(m.Role), startsOn: m.StartsOn.UTC()}
		if m.EndsOn != nil {
			t.endsOn = m.EndsOn.UTC()
		}
		key := [2]gid.ID{m.TeamID, m.MemberID}
		terms[key] = append(terms[key], t)
	}
	var builders []*ent.TeamMembershipCreate
	for _, p := range i.roster.Places {
		if p.EndsOn.After(i.now) {
			// A membership with an end counts as ended at once: nothing would end it when its day comes.
			i.problems.add(p.Line, colEnds, "is later than today; write it when the place has ended")
			continue
		}
		key := [2]gid.ID{i.teamIDs[p.Team], i.memberIDs[p.Member]}
		have, ok := i.match(p, terms[key])
		if !ok {
			continue
		}
		name := i.roster.Members[p.Member].Email + " in " + i.teamName(p.Team)
		if have != nil {
			have.matched = true
			if err := i.changePlace(p, have, name); err != nil {
				return err
			}
			continue
		}
		made := &term{role: cmp.Or(p.Role, string(teammembership.RoleMEMBER)), startsOn: p.StartsOn, endsOn: p.EndsOn, matched: true}
		if made.startsOn.IsZero() {
			made.startsOn = i.firstDay(p.Team)
		}
		if !i.fits(p, made, terms[key]) {
			continue
		}
		terms[key] = append(terms[key], made)
		b := i.tx.TeamMembership.Create().SetID(i.options.NewID(gid.TeamMembership)).SetCreatedAt(i.now).SetUpdatedAt(i.now).SetTeamID(key[0]).SetMemberID(key[1]).
			SetRole(teammembership.Role(made.role)).SetStartsOn(made.startsOn)
		if !made.endsOn.IsZero() {
			b.SetEndsOn(made.endsOn)
		}
		builders = append(builders, b)
		i.report.created(p.Line, "place", name)
	}
	return create(i.ctx, "team memberships", builders, i.tx.TeamMembership.CreateBulk)
}

// firstDay is when a new place begins that the file gives no day for.
func (i *importer) firstDay(team int) time.Time {
	if c := i.teamCohorts[team]; c != nil {
		return c.StartsOn.UTC()
	}
	return i.now.Truncate(24 * time.Hour)
}

// match finds the membership that a place of the file means: the one that starts on the same day; without a day the
// current one, or the one with the same end; else the only one that overlaps. It is nil for a new one, and false after a
// problem.
func (i *importer) match(p Place, terms []*term) (*term, bool) {
	var overlapping []*term
	for _, t := range terms {
		switch {
		case t.matched:
		case p.StartsOn.IsZero() && p.EndsOn.IsZero():
			if t.endsOn.IsZero() {
				return t, true
			}
		case !p.StartsOn.IsZero() && t.startsOn.Equal(p.StartsOn), p.StartsOn.IsZero() && t.endsOn.Equal(p.EndsOn):
			return t, true
		case overlap(t.startsOn, t.endsOn, p.StartsOn, p.EndsOn):
			overlapping = append(overlapping, t)
		}
	}
	switch len(overlapping) {
	case 0:
		return nil, true
	case 1:
		return overlapping[0], true
	default:
		i.problems.add(p.Line, colStarts, "the days overlap with %d memberships of the same member in the same team", len(overlapping))
		return nil, false
	}
}

// fits reports whether the term's days are in order and free.
func (i *importer) fits(p Place, made *term, terms []*term) bool {
	if !made.endsOn.IsZero() && made.endsOn.Before(made.startsOn) {
		i.problems.add(p.Line, colEnds, "is before the place begins, %s", made.startsOn.Format(time.DateOnly))
		return false
	}
	for _, t := range terms {
		if t != made && overlap(t.startsOn, t.endsOn, made.startsOn, made.endsOn) {
			i.problems.add(p.Line, colStarts, "the place from %s on overlaps with one from %s on", made.startsOn.Format(time.DateOnly), t.startsOn.Format(time.DateOnly))
			return false
		}
	}
	return true
}

func (i *importer) changePlace(p Place, have *term, name string) error {
	var diff []string
	diff = difference(diff, "role", have.role, p.Role)
	diff = difference(diff, "starts_on", dayText(have.startsOn), dayText(p.StartsOn))
	diff = difference(diff, "ends_on", dayText(have.endsOn), dayText(p.EndsOn))
	i.report.compared(p.Line, "place", name, diff)
	if len(diff) == 0 {
		return nil
	}
	have.role = cmp.Or(p.Role, have.role)
	if !p.StartsOn.IsZero() {
		have.startsOn = p.StartsOn
	}
	u := have.Update().SetRole(teammembership.Role(have.role)).SetStartsOn(have.startsOn).SetUpdatedAt(i.now)
	if !p.EndsOn.IsZero() {
		have.endsOn = p.EndsOn
		u.SetEndsOn(p.EndsOn)
	}
	if !have.endsOn.IsZero() && have.endsOn.Before(have.startsOn) {
		i.problems.add(p.Line, colEnds, "is before the place begins, %s", dayText(have.startsOn))
		return nil
	}
	if err := u.Exec(i.ctx); err != nil {
		return fmt.Errorf("change team membership %s: %w", have.ID, err)
	}
	return nil
}

func dayText(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.Format(time.DateOnly)
}
