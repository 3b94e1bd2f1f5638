package demo

import (
	"slices"
	"strings"
	"time"

	"github.com/pursuing-equity/commons/internal/gid"
)

// applying is an application in the making.
type applying struct {
	stream
	story
	*Application
	call       *Call
	form       *FormVersion
	enrollment *Enrollment // of an admitted one
	domain     string
	editors    []*Member // the first owns it
	answers    []int     // in Admission.Answers, in the form's order
	documents  []int     // in Admission.Documents
}

// admission makes the calls, and the first wave's way from an application to a place. Later waves were enrolled by hand.
func (g *generator) admission() {
	s := g.stream("calls", 0)
	calls := g.calls()
	for _, c := range calls {
		g.call(s, c)
	}
	for n := range calls {
		var all []*applying
		switch n {
		case 0:
			all = append(g.teams(n, 0, networkTeams), g.newcomers(n, others())...)
		case 1:
			all = append(g.teams(n, networkTeams, actionTeams), g.again(n, others())...)
		default:
			all = g.newcomers(n, early())
		}
		g.promote(all)
		slices.SortStableFunc(all, func(a, b *applying) int { return a.CreatedAt.Compare(b.CreatedAt) })
		for i, a := range all {
			a.Number = i + 1
			g.apply(a)
			g.review(a, i)
			g.decide(a)
			g.world.Admission.Applications = append(g.world.Admission.Applications, *a.Application)
		}
		g.world.Calls[n].Applications = len(all)
	}
}

// starting is the n-th call's application of an organization, begun some days after its owner came.
func (g *generator) starting(n, number int, how story, o Organization, team string, editors ...int) *applying {
	s := g.stream("application to "+g.world.Calls[n].Title[:20], number)
	a := &applying{stream: s, story: how, Application: &Application{}, call: &g.world.Calls[n], form: &g.world.Admission.Forms[n], domain: o.domain}
	from := a.call.OpensAt
	for _, i := range editors {
		a.editors = append(a.editors, &g.world.Members[i])
	}
	from = later(from, a.editors[0].CreatedAt)
	at := s.within(from, from.AddDate(0, 0, 5))
	*a.Application = Application{
		ID: s.id(gid.Application, at), CallID: a.call.ID, OrganizationID: o.ID, OrganizationName: o.Name, OrganizationKind: o.Kind, TeamName: team, State: how.state,
		CreatedAt: at, UpdatedAt: at,
	}
	return a
}

// teams are the applications of those who were enrolled: some teams from the first on.
func (g *generator) teams(n, first, count int) []*applying {
	var out []*applying
	for i := first; i < first+count; i++ {
		e, how := &g.world.Enrollments[i], enrolled(i-first)
		if e.State == "WITHDRAWN" {
			how.state = "WITHDRAWN"
		}
		a := g.starting(n, i, how, g.world.Organizations[i], g.world.Teams[i].Name, g.rosters[i].members[0], g.rosters[i].members[2])
		a.enrollment, e.ApplicationID = e, a.ID
		out = append(out, a)
	}
	return out
}

// again are those of the Learning Network's teams that had hoped for more than one place.
func (g *generator) again(n int, how []story) []*applying {
	var out []*applying
	for i, h := range how {
		team := 2*i + 1
		out = append(out, g.starting(n, 100+i, h, g.world.Organizations[team], g.world.Teams[team].Name, g.rosters[team].members[0]))
	}
	return out
}

// newcomers are organizations that are not in the network, each with somebody who applies.
func (g *generator) newcomers(n int, how []story) []*applying {
	s, kinds := g.stream("newcomers", n), organizationKinds()
	from := g.world.Calls[n].OpensAt
	first := len(g.world.Members)
	organizations := make([]Organization, len(how))
	for i := range how {
		coined, kind := g.coin(s), pick(s, kinds)
		organizations[i] = Organization{
			Name: coined + " " + pick(s, kind.endings), Kind: kind.kind, City: "town", zone: callZone, CreatedAt: from,
			domain: strings.ToLower(strings.ReplaceAll(coined, " ", "-")) + ".example",
		}
		m := g.member(s, organizations[i], "LEAD")
		m.About = ""
		g.world.Members = append(g.world.Members, m)
	}
	var out []*applying
	for i, h := range how {
		out = append(out, g.starting(n, 200+i, h, organizations[i], pick(s, teamNames()), first+i))
	}
	return out
}

// promote has one of those who were admitted late have waited, until somebody turned a place down.
func (g *generator) promote(all []*applying) {
	for _, a := range all {
		if a.enrollment != nil && a.state == "ADMITTED" && a.enrollment.CreatedAt.After(turnedDownAt()) {
			a.promoted, a.strength = true, 7
			return
		}
	}
}

// turnedDownAt is when somebody turned an offered place down.
func turnedDownAt() time.Time { return releasedAt.Add(20 * time.Hour) }

// apply has the editors write the application and submit it.
func (g *generator) apply(a *applying) {
	until := earlier(a.call.DueAt, g.today.AddDate(0, 0, -2))
	switch {
	case a.late:
		a.SubmittedAt = a.within(a.call.DueAt.Add(time.Hour), a.call.ClosesAt.Add(-time.Hour))
	case a.extended:
		g.extend(a)
		a.SubmittedAt = a.within(a.call.DueAt.Add(time.Hour), a.ExtendedUntil)
	default:
		a.SubmittedAt = a.within(a.CreatedAt.Add(80*time.Hour), until)
	}
	if a.state == "DRAFT" {
		a.SubmittedAt = time.Time{}
	}
	w := &g.world.Admission
	for i, m := range a.editors {
		at := later(a.CreatedAt, m.CreatedAt.Add(time.Duration(i)*time.Hour))
		w.Editors = append(w.Editors, ApplicationEditor{
			ID: a.id(gid.ApplicationEditor, at), ApplicationID: a.ID, MemberID: m.ID, AddedByID: a.editors[0].ID, Owner: i == 0, CreatedAt: at,
		})
	}
	g.answer(a)
	g.document(a)
	if a.state == "DRAFT" {
		if due := a.call.DueAt.AddDate(0, 0, -7); due.After(g.today) {
			a.NextReminderAt = due
		}
		return
	}
	a.Late = a.late
	g.submit(a, a.SubmittedAt)
	switch {
	case a.asked:
		g.more(a, a.SubmittedAt.Add(50*time.Hour))
	case a.state == "INFORMATION_REQUESTED":
		a.ask(g.lapses(g.today.AddDate(0, 0, -4)), g.today.Add(-9*time.Hour))
		a.NextReminderAt = a.InformationDueAt.AddDate(0, 0, -7)
	case a.state == "WITHDRAWN" && a.enrollment == nil:
		a.UpdatedAt = earlier(a.SubmittedAt.Add(70*time.Hour), g.today)
	}
}

// extend gives an application five days more.
func (g *generator) extend(a *applying) {
	due := a.call.DueAt.In(g.zone)
	until := due.AddDate(0, 0, 5)
	a.ExtendedUntil = until.UTC()
	at := due.Add(-52 * time.Hour).UTC()
	g.world.Admission.Extensions = append(g.world.Admission.Extensions, Extension{
		ID: a.id(gid.Extension, at), ApplicationID: a.ID, GrantedByID: g.staff().ID, Until: a.ExtendedUntil, UntilLocal: until.Format("2006-01-02T15:04:05"),
		Reason: "The organization’s network was down for a week after an attack on it.", CreatedAt: at,
	})
}

// staff is who runs the calls.
func (g *generator) staff() *Member { return &g.world.Members[g.cast.account["staff"]] }

// ask reopens parts of an application.
func (a *applying) ask(due, at time.Time) {
	a.Reopened, a.InformationRequest = []string{"measure", "people"}, "Does the number of people count each of them once? And please say over which time the measure was taken."
	a.InformationDueAt, a.UpdatedAt = due, at
}

// more has the applicants answer what they were asked, and submit again.
func (g *generator) more(a *applying, at time.Time) {
	w := &g.world.Admission
	for _, i := range a.answers {
		said := &w.Answers[i]
		if said.Key != "measure" {
			continue
		}
		said.Value, said.Version, said.UpdatedAt = said.Value+" That is over the last twelve months.", said.Version+1, at
		g.keep(a, *said)
	}
	g.submit(a, at.Add(20*time.Minute))
}
