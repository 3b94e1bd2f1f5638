package demo

import (
	"fmt"
	"strings"
	"time"

	"github.com/pursuing-equity/commons/internal/gid"
)

// Teams of one wave; each has an organization of its own.
const (
	networkTeams = 40
	actionTeams  = 10
	teamSize     = 10
)

// roster is who is in a team, as indexes into world.Members.
type roster struct {
	members []int
	cohort  int // index into world.Cohorts
	active  bool
}

type organizationKind struct {
	kind    string
	endings []string
	abouts  []string
	size    [2]int // what the about counts, from and to
}

func organizationKinds() []organizationKind {
	return []organizationKind{
		{"HEALTH_SYSTEM", []string{"Health", "Health System", "Integrated Care"}, []string{
			"A health system of %d hospitals and many clinics in and around %s.", "%d hospitals, one home-care service and a shared promise to the people of %s.",
			"A not-for-profit health system with %d hospitals that serves %s and the counties around it."}, [2]int{3, 9}},
		{"HOSPITAL", []string{"Medical Center", "Memorial Hospital", "Children’s Hospital", "General Hospital"}, []string{
			"A teaching hospital with %d0 beds in %s.", "A safety-net hospital with %d0 beds, open to everyone in %s.",
			"A hospital of %d0 beds with the busiest birthing unit in %s."}, [2]int{12, 48}},
		{"CLINIC", []string{"Community Clinics", "Family Health Center", "Neighborhood Health"}, []string{
			"A federally qualified health center with %d sites in %s.", "%d clinics in %s that speak the languages of their neighborhoods.",
			"Primary care, dental care and a food pantry at %d sites in %s."}, [2]int{4, 15}},
		{"PAYER", []string{"Health Plan", "Community Health Plan", "Care Alliance"}, []string{
			"A health plan for %d0,000 people in %s, most of them covered by Medicaid.", "A member-owned plan with %d0,000 members around %s."}, [2]int{5, 60}},
		{"COMMUNITY_PARTNER", []string{"Neighbors United", "Community Alliance", "Birth Justice Collective", "Health Justice Network"}, []string{
			"A community organization with %d health workers who live in the neighborhoods of %s that they serve.",
			"%d organizers and doulas who work with hospitals and families in %s."}, [2]int{6, 30}},
	}
}

// organizations adds a wave's organizations, each with its team and the team's people.
func (g *generator) organizations(wave int) {
	s := g.stream("organizations", wave)
	kinds, where := organizationKinds(), places()
	// How many of ten organizations are of each kind.
	spread := []int{0, 0, 0, 1, 1, 1, 2, 2, 3, 4}
	s.Shuffle(len(where), func(i, j int) { where[i], where[j] = where[j], where[i] })
	for i := range networkTeams + actionTeams {
		kind := kinds[spread[i%len(spread)]]
		at := where[i%len(where)]
		created := s.within(announcedAt, announcedAt.AddDate(0, 0, 14))
		coined := g.coin(s)
		org := Organization{
			ID: s.id(gid.Organization, created), Name: coined + " " + pick(s, kind.endings), Kind: kind.kind, City: at.city, Region: at.region, Country: "US",
			About: fmt.Sprintf(pick(s, kind.abouts), s.between(kind.size[0], kind.size[1]), at.city), CreatedAt: created, zone: at.zone,
			domain: strings.ToLower(strings.ReplaceAll(coined, " ", "-")) + ".example",
		}
		org.WebsiteURL = "https://www." + org.domain
		g.world.Organizations = append(g.world.Organizations, org)
		cohort := 2 * wave
		if i >= networkTeams {
			cohort++
		}
		g.team(s, org, cohort, i)
	}
}

// coin is a name that no other organization has.
func (g *generator) coin(s stream) string {
	first, last := coinedFirst(), coinedLast()
	for {
		name := pick(s, first) + " " + pick(s, last)
		if !g.names[name] {
			g.names[name] = true
			return name
		}
		if len(g.names) >= len(first)*len(last) {
			return fmt.Sprintf("%s %d", name, len(g.names))
		}
	}
}

func teamNames() []string {
	return []string{
		"Equity in Action Team", "Pursuing Equity Team", "Fair Care Team", "Racial Justice Improvement Team", "Better Births Team", "Equity Data Team",
		"Language Access Team", "Belonging Team", "Equity and Quality Team", "Community Voice Team",
	}
}

func teamAims() []string {
	return []string{
		"We want every patient to be asked about race, ethnicity and language once, kindly, and by someone who can say why.",
		"We work to close the gap in blood pressure control between Black patients and all others.",
		"We want every family to meet a qualified interpreter at every visit.",
		"We are changing how pain is treated after birth, together with the mothers who told us how it is now.",
		"We bring community health workers into the care team, with pay and a voice.",
		"We look at every quality measure by race, ethnicity and language before we call it good.",
		"We want people with diabetes to be able to get and use what keeps them well, whatever their zip code.",
		"We are building a culture in which staff can name racism and something happens.",
		"We redesign our no-show policy with the people it hurt most.",
		"We want discharge instructions that people can read, in the language in which they think.",
	}
}

// team adds an organization's team with its people and its place in the cohort.
func (g *generator) team(s stream, org Organization, cohort, number int) {
	w := &g.world
	enrolled := w.Cohorts[cohort].CreatedAt.Add(time.Duration(s.between(1, 200)) * time.Hour).Add(time.Duration(s.IntN(1_000_000)) * time.Microsecond)
	team := Team{ID: s.id(gid.Team, enrolled), OrganizationID: org.ID, Name: pick(s, teamNames()), About: pick(s, teamAims()), CreatedAt: enrolled}
	w.Teams = append(w.Teams, team)

	enrollment := Enrollment{ID: s.id(gid.Enrollment, enrolled), CohortID: w.Cohorts[cohort].ID, TeamID: team.ID, State: "ENROLLED", CreatedAt: enrolled, UpdatedAt: enrolled}
	enrollment.Fee = g.fee(cohort%2, number)
	switch number { // one team of each wave left early, and one was done before the others: pages must show that too
	case networkTeams - 1:
		enrollment.State, enrollment.Reason = "WITHDRAWN", "The organization merged with another and will apply again next year."
		enrollment.UpdatedAt = time.Date(2023, time.March, 14, 16, 20, 0, 0, time.UTC)
	case networkTeams - 2:
		if done := time.Date(2024, time.June, 20, 18, 5, 0, 0, time.UTC); done.Before(g.until) {
			enrollment.State, enrollment.Reason, enrollment.UpdatedAt = "COMPLETED", "The team was at every call and has handed in its story.", done
		}
	}
	w.Enrollments = append(w.Enrollments, enrollment)

	r := roster{cohort: cohort, active: enrollment.State != "WITHDRAWN"}
	roles := []string{"LEAD", "SENIOR_LEADER", "DATA_LEAD", "COMMUNITY_PARTNER"}
	for i := range teamSize {
		role := "MEMBER"
		if i < len(roles) {
			role = roles[i]
		}
		m := g.member(s, org, role)
		r.members = append(r.members, len(w.Members))
		if i == teamSize-1 && number%17 == 5 {
			m.Status = "DEACTIVATED" // has left the organization; what they wrote stays
		}
		w.Members = append(w.Members, m)
		w.Affiliations = append(w.Affiliations, Affiliation{
			ID: s.id(gid.Affiliation, m.CreatedAt), MemberID: m.ID, OrganizationID: org.ID, Title: m.Title, Primary: true,
			StartsOn: time.Date(s.between(2009, 2022), time.Month(s.between(1, 12)), s.between(1, 28), 0, 0, 0, 0, time.UTC), CreatedAt: m.CreatedAt,
		})
		membership := TeamMembership{
			ID: s.id(gid.TeamMembership, later(m.CreatedAt, enrolled)), TeamID: team.ID, MemberID: m.ID, Role: role,
			StartsOn: g.world.Program.StartsOn, CreatedAt: later(m.CreatedAt, enrolled),
		}
		if i == teamSize-2 && number%7 == 3 {
			membership.EndsOn = time.Date(2023, time.Month(s.between(6, 11)), s.between(1, 28), 0, 0, 0, 0, time.UTC)
		}
		w.TeamMemberships = append(w.TeamMemberships, membership)
	}
	g.rosters = append(g.rosters, r)
}

// fee is what a team's place in a cohort of the n-th offering costs: the grant waives it, but for two teams of the Action Community.
func (g *generator) fee(n, number int) Fee {
	f := Fee{Amount: feeCents, Waived: feeCents, SponsorshipID: g.world.Sponsorships[n].ID}
	switch number {
	case networkTeams + 3:
		f = Fee{Amount: feeCents, Note: "The organization pays: its board wants the grant to go to those who could not come without."}
	case networkTeams + 6:
		f.Waived, f.Note = feeCents/2, "Half is waived at the organization’s own wish."
	}
	return f
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
