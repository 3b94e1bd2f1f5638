package demo

import (
	"time"

	"github.com/pursuing-equity/commons/internal/gid"
)

// material is one resource of the library; frameworks are by index into World.Frameworks.
type material struct {
	kind, title, path, summary string
	frameworks                 []int
}

func library() []material {
	return []material{
		{"FRAMEWORK", "Achieving Health Equity: the framework", "frameworks/achieving-health-equity", "The five parts of the framework with questions for an organization’s leaders.", []int{0}},
		{"FRAMEWORK", "Psychology of Change: the framework", "frameworks/psychology-of-change", "Five domains that make people want, dare and own a change, each with exercises.", []int{1}},
		{"FRAMEWORK", "Community of Solutions: the framework", "frameworks/community-of-solutions", "Leading from within, leading together and leading for outcomes, with stories from communities.", []int{2}},
		{"TOOL", "Organizational self-assessment, one page", "frameworks/self-assessment", "Staff and leaders rate the organization apart and then compare.", []int{0}},
		{"FILE", "Script and card for registrars", "real-data/script", "What to say when asking for race, ethnicity and language, and what to answer when people ask why.", []int{0}},
		{"TOOL", "Self-audit sheet for demographic data", "real-data/audit", "Compare twenty records a month with what people say themselves.", []int{0}},
		{"VIDEO", "Asking with respect: three conversations", "real-data/video", "Actors and registrars show how the questions can go, including a refusal.", []int{0, 1}},
		{"LINK", "Groundwater Training: before you come", "groundwater/before", "What the Racial Equity Institute’s training is, how long it takes and how to be there fully.", []int{0}},
		{"FILE", "Debrief guide for teams", "groundwater/debrief", "An hour in four parts: silence, patterns, our system, one next step.", []int{0, 1}},
		{"TOOL", "Checklist for working with interpreters", "language-access/checklist", "Before, during and after a visit.", []int{0}},
		{"FILE", "Listening session guide", "maternal/listening", "How to prepare, pay for, hold and follow up on a session with mothers.", []int{0, 2}},
		{"FILE", "Home blood pressure kit, parts and costs", "maternal/home-cuff", "What is in the kit, what it costs, who calls and when.", nil},
		{"TOOL", "Run chart template with rules", "measurement/run-chart", "A sheet that draws the median and marks shifts and trends once there are ten points.", nil},
		{"VIDEO", "Difference and ratio: looking at a gap in two ways", "measurement/gaps", "Eight minutes on why one number for a gap is not enough.", []int{0}},
		{"FILE", "Adviser agreement and payment options", "partnership/advisers", "What advisers and the organization promise one another, and ways to pay that keep benefits safe.", []int{1, 2}},
		{"FILE", "Partnership agreement, a starting point", "partnership/agreement", "Money, decisions and data on two pages.", []int{2}},
		{"TOOL", "One-page PDSA form", "improvement/pdsa", "Plan with a prediction, do, study for whom it worked, act.", []int{1}},
		{"FILE", "One-page agreement between team and sponsor", "leadership/agreement", "What the team asks of its senior leader, and what it promises.", []int{0, 1}},
		{"FILE", "Titration protocol, adapted for nurses", "hypertension/protocol", "Blood pressure treatment by protocol, with large cuffs and a second reading.", nil},
		{"FILE", "Group visit curriculum, six sessions", "diabetes/groups", "Cooking, moving, medicines, feet, stress and friends.", []int{2}},
		{"FILE", "Letter that replaced our dismissal letter", "access/letter", "“We missed you”, in ten languages.", []int{1}},
		{"FILE", "Three sentences, on a pocket card", "culture/pocket-card", "What to say when a patient insults a colleague.", []int{0}},
		{"TOOL", "Definition of a closed loop", "social-needs/closed-loop", "When a referral counts as help, and how to know.", []int{2}},
		{"FILE", "Consent form with scope and end date", "stories/consent", "For stories, photographs and recordings; it can be taken back.", []int{1}},
		{"FILE", "Care plan template for sickle cell crises", "pain/care-plan", "Written with the patient, one click from the triage screen.", nil},
		{"FILE", "Letter to a landlord", "asthma/letter", "Short, factual and on the clinic’s paper.", []int{2}},
		{"LINK", "Notes and recordings of the calls", "program/calls", "Every call with its slides, notes and captions.", nil},
		{"LINK", "Agenda and travel information", "program/sessions", "Learning sessions and the meet-up in December 2023: dates, rooms, access, help with costs.", nil},
	}
}

// resources fills the library: what anyone may read, what the network may, and what stays in a space.
func (g *generator) resources() {
	s := g.stream("resources", 0)
	w := &g.world
	authors := append(append([]int{}, g.cast.staff...), g.cast.experts...)
	for i, m := range library() {
		audience := "NETWORK"
		if m.kind == "FRAMEWORK" || i%5 == 0 {
			audience = "PUBLIC"
		}
		g.resource(s, m, pick(s, authors), audience, gid.ID{})
	}
	for _, r := range w.discussions.rooms {
		space := w.Spaces[r.space]
		var m material
		switch {
		case space.Kind == "AFFINITY":
			m = material{"FILE", "Our agreements", "circles/agreements", "What we promise one another in " + space.Name + ".", nil}
		case space.Kind == "WORKGROUP":
			m = material{"FILE", "Board education, a shared curriculum", "leadership/board-course", "Four hours for boards, in two evenings.", []int{0}}
		case space.Kind == "COHORT":
			m = material{"LINK", "Who is who in this cohort", "program/roster", "Teams, aims and whom to write to.", nil}
		case space.Kind == "TEAM" && s.chance(40):
			m = material{"FILE", "Our aim and measures", "teams/aim", "Aim statement, measures and what we try next. Draft.", []int{s.IntN(3)}}
		default:
			continue
		}
		author := r.writers[0]
		if space.Kind == "COHORT" {
			author = r.staff[0]
		}
		g.resource(s, m, author, "SPACE", space.ID)
	}
}

// resource adds a resource with one to three versions.
func (g *generator) resource(s stream, m material, author int, audience string, space gid.ID) {
	w := &g.world
	at := s.within(programStart, programStart.AddDate(0, 9, 0))
	if !at.Before(g.until) {
		at = s.within(programStart, g.until)
	}
	r := Resource{
		ID: s.id(gid.Resource, at), Kind: m.kind, Title: m.title, Summary: m.summary, URL: resourceBase + m.path,
		Licence: pick(s, []string{"CC-BY-4.0", "CC-BY-4.0", "CC-BY-NC-4.0", "CC-BY-SA-4.0"}), Audience: audience, SpaceID: space,
		AuthorID: w.Members[author].ID, CreatedAt: at,
	}
	for _, i := range m.frameworks {
		r.Frameworks = append(r.Frameworks, w.Frameworks[i].ID)
	}
	versions := pick(s, []int{1, 1, 1, 2, 2, 3})
	for number := 1; number <= versions; number++ {
		r.Version, r.UpdatedAt = number, at
		v := ResourceVersion{
			ID: s.id(gid.ResourceVersion, at), ResourceID: r.ID, AuthorID: r.AuthorID, Number: number, Title: r.Title, Summary: r.Summary,
			URL: r.URL, Licence: r.Licence, CreatedAt: at,
		}
		if number > 1 {
			v.Note = pick(s, []string{"Plainer language.", "Added what teams asked for on the call.", "Corrected the example.", "New last page."})
		}
		w.ResourceVersions = append(w.ResourceVersions, v)
		if at = at.Add(time.Duration(s.between(200, 2000)) * time.Hour); !at.Before(g.until) {
			break
		}
	}
	w.Resources = append(w.Resources, r)
}
