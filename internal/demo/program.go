package demo

import (
	"fmt"
	"time"

	"github.com/pursuing-equity/commons/internal/gid"
)

// The program's dates.
var (
	programStart = time.Date(2023, time.January, 9, 0, 0, 0, 0, time.UTC)
	programEnd   = time.Date(2024, time.June, 28, 0, 0, 0, 0, time.UTC)
	announcedAt  = time.Date(2022, time.September, 6, 13, 0, 0, 0, time.UTC)
)

const (
	feeCents   = 30_000_00
	callZone   = "America/New_York"
	sponsor    = "Genentech, a member of the Roche Group"
	networkRun = "Learning Network"
	actionRun  = "Action Community"
)

// generator makes the parts of the world in turn; each part reads what the earlier ones made.
type generator struct {
	options Options
	until   time.Time
	today   time.Time      // midnight of the day on which somebody looks at it
	zone    *time.Location // the calls'
	topics  []topic
	world   World

	people   []people
	mostlyHe map[string]bool
	handles  map[string]int  // how often a handle's stem was taken
	names    map[string]bool // of organizations
	rosters  []roster        // by team, in the order of world.Teams
	cast     cast
}

func (g *generator) stream(part string, number int) stream {
	return newStream(g.options.Seed, part, number)
}

// program makes the program with its frameworks, offerings and sponsorships.
func (g *generator) program() {
	s := g.stream("program", 0)
	w := &g.world
	w.Program = Program{
		ID: s.id(gid.Program, announcedAt), Slug: "pursuing-equity", Name: "Pursuing Equity",
		Summary: "Health-care organizations work side by side on equity and racial justice in care: they learn together, " +
			"try changes, measure what happens to whom, and tell the public what they achieved.",
		StartsOn: time.Date(2023, time.January, 1, 0, 0, 0, 0, time.UTC), EndsOn: time.Date(2024, time.June, 30, 0, 0, 0, 0, time.UTC),
		CreatedAt: announcedAt,
	}
	for _, f := range []struct{ name, summary string }{
		{"Achieving Health Equity", "Five places where an organization can act: make equity a strategic priority, build structures that support it, work on what determines health, end institutional racism, and partner with the community."},
		{"Psychology of Change", "Why people take up a change or do not: their motivation, their power to act, who designs the change, and what they learn while they act."},
		{"Community of Solutions", "How people lead from within, lead together and lead for outcomes, so that a community changes what a single organization cannot."},
	} {
		w.Frameworks = append(w.Frameworks, Framework{ID: s.id(gid.Framework, announcedAt), Name: f.name, Summary: f.summary, CreatedAt: announcedAt})
	}
	g.offering(s, Offering{
		Slug: "learning-network", Name: networkRun, TeamCapacity: 40,
		Summary:  "For organizations that want to learn with and from others: regular calls, suggested activities and a network that lasts.",
		Outcome:  "Teams bring tools, skills and a deep understanding of equity and racial justice back to their organizations.",
		Supports: sharedSupports(),
	})
	g.offering(s, Offering{
		Slug: "action-community", Name: actionRun, TeamCapacity: 10,
		Summary: "For organizations that are ready to change how they work: everything in the Learning Network, and close support for projects of the team's choosing.",
		Outcome: "Teams show an improved culture of equity and progress on projects of their choosing.",
		Supports: append(sharedSupports(),
			Support{Kind: "LEARNING_SESSION", Label: "In-person learning sessions", Description: "Teams meet for two days, share what they tried and plan what comes next."},
			Support{Kind: "COACHING", Label: "Coaching sessions", Description: "An improvement coach works with each team on its own project."},
			Support{Kind: "AFFINITY_GROUP", Label: "Racial justice affinity groups", Description: "Confidential groups in which people reflect with others who share an experience."},
			Support{Kind: "LEADERSHIP_WORKGROUP", Label: "Leadership workgroup", Description: "Senior leaders of the teams' organizations work on what only they can change."}),
	})
}

func sharedSupports() []Support {
	return []Support{
		{Kind: "CALL", Label: "Learning and discussion calls", Description: "Regular calls with subject-matter experts and time to talk with other teams."},
		{Kind: "ACTIVITY", Label: "Suggested activities", Description: "Work between the calls that brings the concepts to life."},
		{Kind: "TRAINING", Label: "Groundwater Training", Description: "The Racial Equity Institute's virtual training for every team."},
		{Kind: "MEETUP", Label: "Meet-up at a forum, December 2023", Description: "Optional: teams that attend the forum meet in person."},
		{Kind: "COMMUNICATION_SYSTEM", Label: "Spaces for discussion", Description: "Threads, messages and a shared library for rapid learning, connections and relationships."},
		{Kind: "EXPERT", Label: "Subject-matter experts", Description: "Experts answer questions in the network and on calls."},
		{Kind: "DISSEMINATION", Label: "Public highlights", Description: "What organizations learn and achieve is told to the public, with their consent."},
	}
}

// offering adds the offering with its sponsorship.
func (g *generator) offering(s stream, o Offering) {
	w := &g.world
	o.ID, o.ProgramID, o.CreatedAt = s.id(gid.Offering, announcedAt), w.Program.ID, announcedAt
	o.FeeAmount, o.FeeCurrency = feeCents, "USD"
	w.Offerings = append(w.Offerings, o)
	w.Sponsorships = append(w.Sponsorships, Sponsorship{
		ID: s.id(gid.Sponsorship, announcedAt), OfferingID: o.ID, SponsorName: sponsor, WaivedAmount: feeCents, Currency: "USD",
		Acknowledgement: "Taking part is free thanks to a grant from our founding supporter, " + sponsor + ".", CreatedAt: announcedAt,
	})
}

// cohorts adds one cohort of each offering.
func (g *generator) cohorts(wave int) {
	s := g.stream("cohorts", wave)
	name := "Pursuing Equity %s 2023–2024"
	if wave > 0 {
		name += fmt.Sprintf(", wave %d", wave+1)
	}
	created := time.Date(2022, time.December, 1, 15, 0, 0, 0, time.UTC)
	for _, o := range g.world.Offerings {
		g.world.Cohorts = append(g.world.Cohorts, Cohort{
			ID: s.id(gid.Cohort, created), OfferingID: o.ID, Name: fmt.Sprintf(name, o.Name),
			StartsOn: g.world.Program.StartsOn, EndsOn: g.world.Program.EndsOn, CreatedAt: created,
		})
	}
}
