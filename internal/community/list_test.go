package community_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/pursuing-equity/commons/ent"
	"github.com/pursuing-equity/commons/ent/space"
	"github.com/pursuing-equity/commons/ent/teammembership"
	"github.com/pursuing-equity/commons/internal/community"
	"github.com/pursuing-equity/commons/internal/fault"
	"github.com/pursuing-equity/commons/internal/gid"
	"github.com/pursuing-equity/commons/internal/page"
)

func names(c *page.Connection[ent.Team]) []string {
	var out []string
	for _, e := range c.Edges {
		out = append(out, e.Node.Name)
	}
	return out
}

func TestCohortTeams(t *testing.T) {
	each(t, func(w *world) {
		c, d, p := w.cohort("C"), w.cohort("D"), w.participant("P")
		var teams []*ent.Team
		for _, name := range []string{"delta", "alpha", "charlie", "bravo", "echo"} {
			teams = append(teams, w.team(name))
			w.enroll(c, teams[len(teams)-1])
		}
		w.enroll(d, teams[0])
		w.enroll(d, teams[4])
		gone := w.enroll(d, teams[1])
		must(w.UpdateEnrollment(w.staff.ctx, w.staff.v, gone.ID, "WITHDRAWN", nil))(w.t)
		ask := func(a page.Args, cohorts ...gid.ID) []*page.Connection[ent.Team] {
			w.t.Helper()
			return must(w.CohortTeams(p.ctx, p.v, cohorts, a))(w.t)
		}
		w.t.Run("several cohorts at once each have their own page, in two statements", func(t *testing.T) {
			before := w.Store.Statements()
			got := ask(first(2), c.ID, d.ID)
			if n := w.Store.Statements() - before; n != 2 {
				t.Errorf("%d statements", n)
			}
			if !slices.Equal(names(got[0]), []string{"alpha", "bravo"}) || !got[0].PageInfo.HasNextPage {
				t.Errorf("the first has %v", names(got[0]))
			}
			if !slices.Equal(names(got[1]), []string{"delta", "echo"}) || got[1].PageInfo.HasNextPage {
				t.Errorf("the second has %v", names(got[1]))
			}
			if got := ask(page.Args{Last: new(1)}, c.ID, d.ID); !slices.Equal(names(got[0]), []string{"echo"}) || !got[0].PageInfo.HasPreviousPage {
				t.Errorf("the last is %v", names(got[0]))
			}
		})
		w.t.Run("one cohort goes on from a cursor, another's cursor is refused", func(t *testing.T) {
			one := ask(first(2), c.ID)[0]
			next := page.Args{First: new(2), After: one.PageInfo.EndCursor}
			if got := names(ask(next, c.ID)[0]); !slices.Equal(got, []string{"charlie", "delta"}) {
				t.Errorf("goes on with %v", got)
			}
			refused[[]*page.Connection[ent.Team]](t, fault.InvalidCursor, "")(w.CohortTeams(p.ctx, p.v, []gid.ID{d.ID}, next))
		})
		w.t.Run("whoever takes no part sees none", func(t *testing.T) {
			s := w.member("S")
			if got := must(w.CohortTeams(s.ctx, s.v, []gid.ID{c.ID, d.ID}, first(2)))(t); len(got[0].Edges)+len(got[1].Edges) != 0 {
				t.Error("a stranger sees teams")
			}
		})
	})
}

func TestListsTakeTheSameStatements(t *testing.T) {
	each(t, func(w *world) {
		p := w.participant("P")
		var organizations, teams, cohorts, spaces, members []gid.ID
		var teamRows []*ent.Team
		var spaceRows []*ent.Space
		for i := range 6 {
			team, c := w.team(fmt.Sprint("T", i)), w.cohort(fmt.Sprint("C", i))
			m := w.participant("M")
			w.enroll(c, team)
			w.add(team, m, teammembership.RoleLEAD)
			sp := w.teamSpace(team)
			organizations, teams, cohorts = append(organizations, team.OrganizationID), append(teams, team.ID), append(cohorts, c.ID)
			spaces, members, teamRows, spaceRows = append(spaces, sp.ID), append(members, m.id), append(teamRows, team), append(spaceRows, sp)
		}
		for name, list := range map[string]func(n int) error{
			"organizations": func(n int) error { _, err := w.Organizations(p.ctx, p.v, first(n)); return err },
			"members":       func(n int) error { _, err := w.Members(p.ctx, p.v, community.MemberFilter{}, first(n)); return err },
			"spaces":        func(n int) error { _, err := w.Spaces(w.staff.ctx, w.staff.v, first(n)); return err },
			"teams": func(n int) error {
				_, err := w.OrganizationTeams(p.ctx, p.v, organizations[:n], first(3))
				return err
			},
			"team memberships": func(n int) error { _, err := w.TeamMemberships(p.ctx, p.v, teams[:n], first(3)); return err },
			"enrollments":      func(n int) error { _, err := w.CohortEnrollments(p.ctx, p.v, cohorts[:n], first(3)); return err },
			"cohort teams":     func(n int) error { _, err := w.CohortTeams(p.ctx, p.v, cohorts[:n], first(3)); return err },
			"space memberships": func(n int) error {
				_, err := w.SpaceMemberships(w.staff.ctx, w.staff.v, spaces[:n], first(3))
				return err
			},
			"own memberships": func(n int) error { _, err := w.ViewerMemberships(p.ctx, p.v, spaces[:n]); return err },
			"space abilities": func(n int) error { _, err := w.SpaceAbilities(p.ctx, p.v, spaceRows[:n]); return err },
			"team abilities":  func(n int) error { _, err := w.CanUpdateTeams(p.ctx, p.v, teamRows[:n]); return err },
			"team spaces":     func(n int) error { _, err := w.TeamSpaces(p.ctx, p.v, teams[:n]); return err },
			"member teams":    func(n int) error { _, err := w.MemberTeams(p.ctx, p.v, members[:n]); return err },
		} {
			cost := func(n int) int64 {
				before := w.Store.Statements()
				if err := list(n); err != nil {
					w.t.Errorf("%s: %v", name, err)
				}
				return w.Store.Statements() - before
			}
			if few, many := cost(2), cost(6); few != many || many > 3 {
				w.t.Errorf("%s: %d statements for 2 and %d for 6", name, few, many)
			}
		}
	})
}

func TestOwnPlaces(t *testing.T) {
	each(t, func(w *world) {
		p, other := w.participant("P"), w.participant("O")
		group, silent, foreign := w.space(space.KindWORKGROUP, "G", p, other), w.space(space.KindWORKGROUP, "S", p), w.space(space.KindWORKGROUP, "F", other)
		rows := must(w.ViewerMemberships(p.ctx, p.v, []gid.ID{foreign, group}))(w.t)
		if rows[0] != nil || rows[1] == nil {
			w.t.Errorf("the viewer's own places are %v", rows)
		}
		can := must(w.SpaceAbilities(other.ctx, other.v, []*ent.Space{{ID: group, Kind: space.KindWORKGROUP}, {ID: silent, Kind: space.KindWORKGROUP}}))(w.t)
		if want := []community.SpaceAbilities{{CreateThread: true}, {}}; !slices.Equal(can, want) {
			w.t.Errorf("the other can %v", can)
		}
	})
}
