package roster

import (
	"slices"
	"strings"
	"time"
)

// gathering puts rows together and finds where they contradict one another.
type gathering struct {
	roster        Roster
	problems      *Problems
	organizations map[string]int // by name in small letters
	teams         map[teamKey]int
	members       map[string]int // by address
	places        map[[2]int][]int
	said          map[saidKey]int // the line that said it first
}

type teamKey struct {
	organization int
	name         string // in small letters
}

type saidKey struct {
	kind   byte // o, t or m
	index  int
	column string
}

func newGathering(problems *Problems) *gathering {
	return &gathering{
		problems: problems, organizations: map[string]int{}, teams: map[teamKey]int{}, members: map[string]int{}, places: map[[2]int][]int{}, said: map[saidKey]int{},
	}
}

// add takes in a row.
func (g *gathering) add(r row) {
	o := g.organization(r)
	t := g.team(r, o)
	m := g.member(r, o)
	g.place(r, t, m)
}

func (g *gathering) organization(r row) int {
	all := &g.roster.Organizations
	key := strings.ToLower(r.organization.Name)
	i, ok := g.organizations[key]
	if !ok {
		i = len(*all)
		g.organizations[key] = i
		*all = append(*all, Organization{Line: r.line, Name: r.organization.Name})
	}
	o := &(*all)[i]
	if o.Name != r.organization.Name {
		g.problems.add(r.line, colOrganization, "%q is spelled %q in line %d", r.organization.Name, o.Name, o.Line)
	}
	g.merge(r.line, 'o', i, colKind, &o.Kind, r.organization.Kind)
	g.merge(r.line, 'o', i, colCity, &o.City, r.organization.City)
	g.merge(r.line, 'o', i, colRegion, &o.Region, r.organization.Region)
	g.merge(r.line, 'o', i, colCountry, &o.Country, r.organization.Country)
	return i
}

func (g *gathering) team(r row, organization int) int {
	all := &g.roster.Teams
	key := teamKey{organization, strings.ToLower(r.team)}
	i, ok := g.teams[key]
	if !ok {
		i = len(*all)
		g.teams[key] = i
		*all = append(*all, Team{Line: r.line, Organization: organization, Name: r.team})
	}
	t := &(*all)[i]
	if t.Name != r.team {
		g.problems.add(r.line, colTeam, "%q is spelled %q in line %d", r.team, t.Name, t.Line)
	}
	g.merge(r.line, 't', i, colCohort, &t.Cohort, r.cohort)
	return i
}

func (g *gathering) member(r row, organization int) int {
	all := &g.roster.Members
	i, ok := g.members[r.member.Email]
	if !ok {
		i = len(*all)
		g.members[r.member.Email] = i
		*all = append(*all, Member{Line: r.line, Email: r.member.Email})
	}
	m := &(*all)[i]
	g.merge(r.line, 'm', i, colName, &m.Name, r.member.Name)
	g.merge(r.line, 'm', i, colPronouns, &m.Pronouns, r.member.Pronouns)
	g.merge(r.line, 'm', i, colTitle, &m.Title, r.member.Title)
	g.merge(r.line, 'm', i, colZone, &m.TimeZone, r.member.TimeZone)
	if !slices.Contains(m.Organizations, organization) {
		m.Organizations = append(m.Organizations, organization)
	}
	return i
}

// merge takes a value that may have been said before: the first one stays, another one is a contradiction, an empty
// one says nothing.
func (g *gathering) merge(line int, kind byte, index int, column string, have *string, value string) {
	key := saidKey{kind, index, column}
	switch {
	case value == "" || value == *have:
	case *have == "":
		*have, g.said[key] = value, line
	default:
		g.problems.add(line, column, "says %q, but line %d says %q of the same %s", value, g.said[key], *have, map[byte]string{'o': "organization", 't': "team", 'm': "member"}[kind])
	}
}

// place takes a member's place in a team. A member may come back, so two places in one team are fine as long as their days
// do not overlap.
func (g *gathering) place(r row, team, member int) {
	p := Place{Line: r.line, Team: team, Member: member, Role: r.role, StartsOn: r.startsOn, EndsOn: r.endsOn}
	key := [2]int{team, member}
	for _, i := range g.places[key] {
		other := g.roster.Places[i]
		if other.Role == p.Role && other.StartsOn.Equal(p.StartsOn) && other.EndsOn.Equal(p.EndsOn) {
			g.problems.add(r.line, "", "the same member in the same team is already in line %d", other.Line)
			return
		}
		if overlap(other.StartsOn, other.EndsOn, p.StartsOn, p.EndsOn) {
			g.problems.add(r.line, "", "the member's days in this team overlap with those in line %d", other.Line)
			return
		}
	}
	g.places[key] = append(g.places[key], len(g.roster.Places))
	g.roster.Places = append(g.roster.Places, p)
}

// overlap reports whether two periods share a day; a zero day is open.
func overlap(aStart, aEnd, bStart, bEnd time.Time) bool {
	return (aEnd.IsZero() || bStart.IsZero() || !aEnd.Before(bStart)) && (bEnd.IsZero() || aStart.IsZero() || !bEnd.Before(aStart))
}
