package demo

import (
	"fmt"
	"time"

	"github.com/pursuing-equity/commons/internal/gid"
)

// room is a space with those who write in it, as indexes into world.Members.
type room struct {
	space   int // index into world.Spaces
	writers []int
	staff   []int // who opens some of its threads; none where staff has no business
	threads int   // at scale 1
	wave    int
}

// spaces makes the rooms of every kind with their memberships.
func (g *generator) spaces() {
	s := g.stream("spaces", 0)
	created := time.Date(2022, time.December, 12, 15, 0, 0, 0, time.UTC)
	w := &g.world
	p := &w.discussions

	network := g.room(s, Space{Kind: "NETWORK", Name: "Pursuing Equity Network", About: "Everyone in the program: questions, ideas, introductions and news.", CreatedAt: created},
		room{threads: 60, staff: append(append([]int{}, g.cast.staff...), g.cast.experts...)})
	cohorts := make([]int, len(w.Cohorts))
	for i, c := range w.Cohorts {
		threads := 48
		if i%2 == 1 {
			threads = 32
		}
		cohorts[i] = g.room(s, Space{Kind: "COHORT", Name: c.Name, About: "Where the cohort’s teams learn from one another between calls.", CohortID: c.ID, CreatedAt: created},
			room{threads: threads, staff: g.cast.staff, wave: i / 2})
	}
	memberships := w.TeamMemberships
	for i, t := range w.Teams {
		r := g.rosters[i]
		team := g.room(s, Space{Kind: "TEAM", Name: w.Organizations[i].Name + ": " + t.Name, About: t.About, TeamID: t.ID, CreatedAt: t.CreatedAt},
			room{threads: 1 + (i*7)%3, wave: r.cohort / 2})
		for j, member := range r.members {
			m := memberships[i*teamSize+j]
			rooms := []int{team}
			starts := m.StartsOn
			if r.active {
				rooms = append(rooms, cohorts[r.cohort], network)
				if at := w.Enrollments[i].CreatedAt; at.After(starts) {
					starts = at
				}
			}
			for _, in := range rooms {
				role := "MEMBER"
				if in == team && m.Role == "LEAD" {
					role = "FACILITATOR"
				}
				g.join(s, in, member, SpaceMembership{Role: role, Derived: true, StartsAt: starts, EndsAt: m.EndsOn})
				if m.EndsOn.IsZero() {
					p.rooms[in].writers = append(p.rooms[in].writers, member)
				}
			}
		}
	}
	for _, expert := range g.cast.experts {
		g.join(s, network, expert, SpaceMembership{StartsAt: created})
	}
	for wave := range g.options.waves() {
		g.closedSpaces(s, wave, created)
	}
}

// room adds a space and returns its room's index.
func (g *generator) room(s stream, space Space, r room) int {
	space.ID = s.id(gid.Space, space.CreatedAt)
	r.space = len(g.world.Spaces)
	g.world.Spaces = append(g.world.Spaces, space)
	g.world.discussions.rooms = append(g.world.discussions.rooms, r)
	return len(g.world.discussions.rooms) - 1
}

// join adds a membership of a room.
func (g *generator) join(s stream, in, member int, m SpaceMembership) {
	w := &g.world
	m.SpaceID, m.MemberID = w.Spaces[w.discussions.rooms[in].space].ID, w.Members[member].ID
	m.CreatedAt = m.StartsAt
	m.ID = s.id(gid.SpaceMembership, m.CreatedAt)
	if m.Role == "" {
		m.Role = "MEMBER"
	}
	w.SpaceMemberships = append(w.SpaceMemberships, m)
}

// closedSpaces adds a wave's affinity groups, leadership workgroup and direct conversations.
func (g *generator) closedSpaces(s stream, wave int, created time.Time) {
	account := g.cast.account
	suffix := ""
	if wave > 0 {
		suffix = fmt.Sprintf(", wave %d", wave+1)
	}
	var leaders, others []int
	for i := range actionTeams {
		members := g.rosters[wave*(networkTeams+actionTeams)+networkTeams+i].members
		leaders = append(leaders, members[0], members[1])
		for _, m := range members[2:8] { // the last two places are those of people who left
			if m != account["affinity"] && m != account["member"] {
				others = append(others, m)
			}
		}
	}
	s.Shuffle(len(others), func(i, j int) { others[i], others[j] = others[j], others[i] })
	// The groups chose names that tell nothing about who belongs: the program never infers race from a membership.
	for i, name := range []string{"Cedar", "Juniper", "Magnolia"} {
		group := g.room(s, Space{Kind: "AFFINITY", Name: name + " affinity group" + suffix, About: "What is said here stays here; what is learned here may leave.", CreatedAt: created}, room{threads: 6, wave: wave})
		members := others[i*12 : (i+1)*12]
		if wave == 0 && i == 0 {
			members = append([]int{account["affinity"]}, members...)
		}
		g.fill(s, group, members, created, 1)
	}
	workgroup := g.room(s, Space{Kind: "WORKGROUP", Name: "Leadership workgroup" + suffix, About: "Senior leaders and team leads of the Action Community work on what only leaders can change.", CreatedAt: created},
		room{threads: 16, staff: g.cast.staff[:1], wave: wave})
	g.fill(s, workgroup, append([]int{g.cast.staff[0]}, leaders...), created, 0)
	var pairs [][]int
	if wave == 0 {
		pairs = [][]int{{account["lead"], account["member"]}, {account["member"], account["expert"]}, {account["affinity"], account["member"]}, {account["lead"], account["staff"]}}
	}
	for range 4 {
		pairs = append(pairs, sample(s, others, 2))
	}
	pairs = append(pairs, sample(s, leaders[2:], 3))
	for _, pair := range pairs {
		at := created.AddDate(0, 0, s.IntN(28))
		direct := g.room(s, Space{Kind: "DIRECT", CreatedAt: at}, room{threads: 1, wave: wave})
		g.fill(s, direct, pair, at, -1)
	}
}

// fill lets people into a room who are there by choice; one of them facilitates unless facilitator is negative.
func (g *generator) fill(s stream, in int, members []int, at time.Time, facilitator int) {
	for i, m := range members {
		role := "MEMBER"
		if i == facilitator {
			role = "FACILITATOR"
		}
		g.join(s, in, m, SpaceMembership{Role: role, StartsAt: at})
	}
	g.world.discussions.rooms[in].writers = append(g.world.discussions.rooms[in].writers, members...)
}
