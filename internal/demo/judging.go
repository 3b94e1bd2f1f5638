package demo

import (
	"time"

	"github.com/pursuing-equity/commons/ent/schema"
	"github.com/pursuing-equity/commons/internal/gid"
)

// former is the team whose organization one of the reviewers once worked for: nobody declared that, and it counts all the same.
const former = 3

// review has two reviewers read an application, those who are next in turn and have no conflict of interest.
func (g *generator) review(a *applying, turn int) {
	if a.state == "DRAFT" || a.reviews == notAssigned {
		return
	}
	at, done := later(a.call.ClosesAt.Add(36*time.Hour), a.SubmittedAt), reviewDue
	if !at.Before(reviewDue) { // applications of today
		at, done = a.SubmittedAt.Add(20*time.Hour), g.today
	}
	pool := g.cast.reviewers
	var able []*Member
	for i := range pool {
		able = append(able, &g.world.Members[pool[(turn+i)%len(pool)]])
	}
	if a.OrganizationID == g.world.Organizations[former].ID {
		able = without(able, g.world.Members[pool[1]].ID)
	}
	able = g.conflict(a, able, at)
	for i, m := range able[:2] {
		given := ReviewAssignment{ID: a.id(gid.ReviewAssignment, at), ApplicationID: a.ID, ReviewerID: m.ID, AssignedByID: g.staff().ID, State: "ASSIGNED", CreatedAt: at, UpdatedAt: at}
		switch {
		case a.reviews == reviewed:
			given.State, given.UpdatedAt = "COMPLETED", g.read(a, given, a.within(at.Add(20*time.Hour), done), true)
		case a.reviews == begun && i == 0:
			g.read(a, given, at.Add(2*time.Hour), false)
		}
		g.world.Admission.Assignments = append(g.world.Admission.Assignments, given)
	}
}

func without(all []*Member, id gid.ID) []*Member {
	var out []*Member
	for _, m := range all {
		if m.ID != id {
			out = append(out, m)
		}
	}
	return out
}

// conflict is what stands between a reviewer and an application; who is left may read it.
func (g *generator) conflict(a *applying, able []*Member, at time.Time) []*Member {
	w := &g.world.Admission
	m, staff := able[0], g.staff()
	if a.conflict == toldByStaff {
		m = &g.world.Members[g.cast.account["reviewer"]]
	}
	c := Conflict{ID: a.id(gid.Conflict, at.Add(time.Hour)), ApplicationID: a.ID, MemberID: m.ID, DeclaredByID: m.ID, CreatedAt: at.Add(time.Hour)}
	gone := ReviewAssignment{ID: a.id(gid.ReviewAssignment, at), ApplicationID: a.ID, ReviewerID: m.ID, AssignedByID: staff.ID, CreatedAt: at, UpdatedAt: c.CreatedAt, EndedAt: c.CreatedAt}
	switch a.conflict {
	case declared:
		c.Note, gone.State, gone.EndReason = "My sister works there.", "DECLINED", "A conflict of interest; I have declared it."
		w.Conflicts, w.Assignments = append(w.Conflicts, c), append(w.Assignments, gone)
	case toldByStaff:
		c.DeclaredByID, c.Note = staff.ID, "Advised this organization until last year."
		w.Conflicts = append(w.Conflicts, c)
	case ended:
		c.EndedAt, c.Note = c.CreatedAt.Add(30*time.Hour), "I thought that I knew their chief executive; it is somebody of the same name."
		w.Conflicts = append(w.Conflicts, c)
		return able
	case removed:
		gone.State, gone.EndReason = "REMOVED", "On leave until the new year."
		w.Assignments = append(w.Assignments, gone)
	default:
		return able
	}
	return without(able, m.ID)
}

// read has a reviewer score an application, about as strong as it is, and say so; it returns when.
func (g *generator) read(a *applying, given ReviewAssignment, at time.Time, done bool) time.Time {
	r := Review{ID: a.id(gid.Review, at), AssignmentID: given.ID, Scores: []schema.Score{}, Version: 1, CreatedAt: at, UpdatedAt: at}
	got, most := 0, 0
	for i, c := range a.call.Rubric {
		if !done && i == 2 {
			break
		}
		points := min(c.Max, max(0, (a.strength*c.Max+5)/10+a.between(-1, 1)))
		score := schema.Score{Criterion: c.Key, Points: points}
		if c.CommentRequired {
			score.Comment = remarks()[points]
		}
		r.Scores = append(r.Scores, score)
		got, most = got+c.Weight*points, most+c.Weight*c.Max
	}
	if done {
		percent := 100 * got / most
		r.Points, r.Comment, r.Recommendation = (2*10_000*got+most)/(2*most), verdicts()[min(5, percent/17)], recommended(percent)
		r.SubmittedAt, r.UpdatedAt, r.Version = at.Add(40*time.Minute), at.Add(40*time.Minute), 2
	}
	g.world.Admission.Reviews = append(g.world.Admission.Reviews, r)
	return r.UpdatedAt
}

func recommended(percent int) string {
	switch {
	case percent >= 65:
		return "ACCEPT"
	case percent >= 45:
		return "WAITLIST"
	}
	return "DECLINE"
}

// decide has staff decide about an application, and its owner answer.
func (g *generator) decide(a *applying) {
	prepared := releasedAt.Add(-time.Duration(a.between(20, 60)) * time.Hour)
	d := Decision{CallID: a.call.ID, ApplicationID: a.ID, DeciderID: g.staff().ID, Reason: a.reason, CreatedAt: prepared, ReleasedAt: releasedAt}
	offer := func(at time.Time) {
		d.Kind, d.Reason, d.ReleasedAt, d.ExpiresAt = "ACCEPT", "We are glad to offer you a place.", at, g.lapses(at)
	}
	switch a.state {
	case "DECLINED":
		d.Kind = "DECLINE"
	case "WAITLISTED":
		d.Kind, d.Rank = "WAITLIST", g.rank(a.call.ID)
	case "ADMITTED", "OFFERED", "OFFER_DECLINED", "OFFER_EXPIRED":
		at := releasedAt
		if a.promoted { // it waited first
			at = turnedDownAt()
			if a.state == "OFFERED" {
				at = g.today.AddDate(0, 0, -3).Add(15 * time.Hour)
			}
			g.wait(a, d, at)
			d.CreatedAt = at
		}
		offer(at)
	case "WITHDRAWN":
		if a.enrollment == nil {
			return
		}
		offer(releasedAt)
		d.SupersededAt = a.enrollment.UpdatedAt
	case "SUBMITTED":
		if a.prepared == "" {
			return
		}
		d.Kind, d.Note, d.CreatedAt, d.ReleasedAt = a.prepared, "Came late; both reviewers would wait.", g.today.AddDate(0, 0, -6).Add(14*time.Hour), time.Time{}
	default:
		return
	}
	switch {
	case a.enrollment != nil:
		d.Answer, d.AnsweredAt = "CONFIRMED", a.enrollment.CreatedAt
		a.UpdatedAt = later(d.AnsweredAt, d.SupersededAt)
	case a.state == "OFFER_DECLINED":
		d.Answer, d.AnsweredAt = "DECLINED", turnedDownAt()
		a.UpdatedAt = d.AnsweredAt
	case a.state == "OFFER_EXPIRED":
		d.Answer, d.AnsweredAt = "EXPIRED", d.ExpiresAt
		a.UpdatedAt = d.AnsweredAt
	case !d.ReleasedAt.IsZero():
		a.UpdatedAt = d.ReleasedAt
	}
	d.ID = a.id(gid.Decision, d.CreatedAt)
	g.world.Admission.Decisions = append(g.world.Admission.Decisions, d)
}

// wait has an application wait for a place until it is offered one.
func (g *generator) wait(a *applying, d Decision, until time.Time) {
	d.Kind, d.Rank, d.SupersededAt = "WAITLIST", 1, until
	d.ID = a.id(gid.Decision, d.CreatedAt)
	g.world.Admission.Decisions = append(g.world.Admission.Decisions, d)
}

// rank is the next one of a call's waitlist.
func (g *generator) rank(call gid.ID) int {
	n := 1
	for _, d := range g.world.Admission.Decisions {
		if d.CallID == call && d.Kind == "WAITLIST" && d.SupersededAt.IsZero() && !d.ReleasedAt.IsZero() {
			n++
		}
	}
	return n
}
