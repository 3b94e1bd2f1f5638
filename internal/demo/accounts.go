package demo

import (
	"fmt"
	"time"

	"github.com/pursuing-equity/commons/internal/gid"
)

// AccountDomain is where the demo members' addresses are.
const AccountDomain = "demo.example"

// Accounts are the local parts of the demo members' addresses, in the order in which a start prints them. The affinity
// account is a team member who is also in a hidden affinity group; the outsider is signed in and in nothing.
func Accounts() []string {
	return []string{"admin", "staff", "reviewer", "expert", "lead", "member", "affinity", "outsider"}
}

// cast holds the indexes into world.Members of those who are written about by name.
type cast struct {
	account   map[string]int
	staff     []int
	experts   []int
	reviewers []int
}

// accounts adds the demo members, the program's staff and its experts. The first team of the Action Community gets
// three of them, because that is the team that is entitled to every support.
func (g *generator) accounts() {
	s := g.stream("accounts", 0)
	created := time.Date(2022, time.August, 29, 14, 30, 0, 0, time.UTC)
	office := g.backOffice(s, created, "Commons Program Office", "Boston", "MA", "The people who run the program: admission, calls, coaching and this community.", "program-office.example")
	institute := g.backOffice(s, created, "Umberly Institute for Equity in Care", "Durham", "NC", "Researchers and practitioners who advise the program’s teams.", "umberly-institute.example")

	g.cast.account = map[string]int{}
	add := func(account, name, pronouns, title string, at *Organization, roles ...string) int {
		m := Member{
			ID: s.id(gid.Member, created), Email: account + "@" + AccountDomain, Handle: account, Name: name, Pronouns: pronouns, Title: title,
			TimeZone: callZone, Status: "ACTIVE", CreatedAt: created, Expertise: sample(s, expertises(), 2),
		}
		return g.settle(s, m, at, roles...)
	}
	g.cast.account["admin"] = add("admin", "Rowan Adeyemi-Holt", "they/them", "Platform Administrator", &office, "ADMIN")
	g.cast.account["staff"] = add("staff", "Beatriz Lindqvist", "she/her", "Program Manager", &office, "STAFF")
	g.cast.account["reviewer"] = add("reviewer", "Dawit Marchetti", "he/him", "Application Reviewer", &institute, "REVIEWER")
	g.cast.account["expert"] = add("expert", "Kavita Broadnax", "she/her", "Senior Fellow, Measurement", &institute, "EXPERT")
	g.cast.account["outsider"] = add("outsider", "Jericho Vandermeer", "he/him", "Quality Director", nil)
	g.cast.staff = []int{g.cast.account["staff"]}
	g.cast.experts = []int{g.cast.account["expert"]}
	for range 3 {
		m := g.member(s, office, "")
		m.Title = pick(s, []string{"Improvement Coach", "Program Coordinator", "Learning Designer"})
		g.cast.staff = append(g.cast.staff, g.settle(s, m, &office, "STAFF"))
		m = g.member(s, institute, "")
		m.Title = pick(s, []string{"Fellow, Community Partnership", "Fellow, Maternal Health", "Fellow, Organizational Change"})
		g.cast.experts = append(g.cast.experts, g.settle(s, m, &institute, "EXPERT"))
	}
	g.cast.reviewers = []int{g.cast.account["reviewer"]}
	for range 3 {
		m := g.member(s, institute, "")
		m.ID, m.CreatedAt, m.Title = s.id(gid.Member, created), created, "Application Reviewer"
		g.cast.reviewers = append(g.cast.reviewers, g.settle(s, m, &institute, "REVIEWER"))
	}
	team := g.rosters[networkTeams].members
	for _, a := range []struct {
		account, name, pronouns, title string
		place                          int // in the team
	}{
		{"lead", "Imani Beckwith", "she/her", "Director of Health Equity", 0},
		{"member", "Tomás Kahananui", "he/him", "Registered Nurse", 4},
		{"affinity", "Selam Gallagher", "she/they", "Social Worker", 5},
	} {
		i := team[a.place]
		m := &g.world.Members[i]
		m.Email, m.Handle, m.Name, m.Pronouns, m.Title, m.Status = a.account+"@"+AccountDomain, a.account, a.name, a.pronouns, a.title, "ACTIVE"
		g.cast.account[a.account] = i
		for j := range g.world.Affiliations {
			if g.world.Affiliations[j].MemberID == m.ID {
				g.world.Affiliations[j].Title = a.title
			}
		}
	}
	w := &g.world
	once := w.Organizations[former]
	w.Affiliations = append(w.Affiliations, Affiliation{
		ID: s.id(gid.Affiliation, created), MemberID: w.Members[g.cast.reviewers[1]].ID, OrganizationID: once.ID, Title: "Quality Manager",
		StartsOn: time.Date(2015, time.April, 1, 0, 0, 0, 0, time.UTC), EndsOn: time.Date(2019, time.June, 30, 0, 0, 0, 0, time.UTC), CreatedAt: once.CreatedAt,
	})
	g.grants(s, created)
}

// backOffice adds an organization that is no participant.
func (g *generator) backOffice(s stream, at time.Time, name, city, region, about, domain string) Organization {
	o := Organization{
		ID: s.id(gid.Organization, at), Name: name, Kind: "OTHER", City: city, Region: region, Country: "US", WebsiteURL: "https://www." + domain,
		About: about, CreatedAt: at, domain: domain, zone: callZone,
	}
	g.world.Organizations = append(g.world.Organizations, o)
	return o
}

// settle adds a member with their post and platform roles, and returns their index.
func (g *generator) settle(s stream, m Member, at *Organization, roles ...string) int {
	w := &g.world
	w.Members = append(w.Members, m)
	if at != nil {
		w.Affiliations = append(w.Affiliations, Affiliation{
			ID: s.id(gid.Affiliation, m.CreatedAt), MemberID: m.ID, OrganizationID: at.ID, Title: m.Title, Primary: true,
			StartsOn: time.Date(2021, time.September, 1, 0, 0, 0, 0, time.UTC), CreatedAt: m.CreatedAt,
		})
	}
	for _, role := range roles {
		w.Roles = append(w.Roles, RoleAssignment{ID: s.id(gid.RoleAssignment, m.CreatedAt), MemberID: m.ID, Role: role, Scope: "PLATFORM", CreatedAt: m.CreatedAt})
	}
	return len(w.Members) - 1
}

// grants adds the roles with a narrower scope: a facilitator for each cohort, and the leads of a few organizations.
func (g *generator) grants(s stream, at time.Time) {
	w := &g.world
	grant := func(member int, role, scope string, id gid.ID) {
		w.Roles = append(w.Roles, RoleAssignment{ID: s.id(gid.RoleAssignment, at), MemberID: w.Members[member].ID, Role: role, Scope: scope, ScopeID: id, CreatedAt: at})
	}
	for i, c := range w.Cohorts {
		grant(g.cast.staff[i%len(g.cast.staff)], "FACILITATOR", "COHORT", c.ID)
	}
	for i, t := range w.Teams {
		if i%10 == 3 {
			grant(g.rosters[i].members[1], "LEAD", "ORGANIZATION", t.OrganizationID)
		}
	}
}

// Account is the demo member with a local part out of Accounts.
func (w *World) Account(local string) (Member, error) {
	for _, m := range w.Members {
		if m.Email == local+"@"+AccountDomain {
			return m, nil
		}
	}
	return Member{}, fmt.Errorf("demo account %q: there is none", local)
}
