package demo_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/pursuing-equity/commons/internal/demo"
	"github.com/pursuing-equity/commons/internal/gid"
)

// What came to pass in admission came in an order that can be, and what is yet to come is a deadline.
func TestAdmissionIsInOrder(t *testing.T) {
	t.Parallel()
	today := time.Date(2026, time.March, 9, 0, 0, 0, 0, time.UTC)
	for seed := range uint64(6) {
		w := world(t, demo.Options{Scale: 1, Seed: seed, Today: today.Add(17 * time.Hour)})
		order := func(what string, times ...time.Time) {
			t.Helper()
			for i, at := range times {
				if at.After(today) {
					t.Errorf("seed %d: %s is to come: %s", seed, what, at)
				}
				if i > 0 && !at.IsZero() && at.Before(times[i-1]) {
					t.Errorf("seed %d: %s is in no order: %s", seed, what, times)
				}
			}
		}
		came, started, submitted := map[gid.ID]time.Time{}, map[gid.ID]time.Time{}, map[gid.ID]time.Time{}
		for _, m := range w.Members {
			came[m.ID] = m.CreatedAt
		}
		opened := map[gid.ID]time.Time{}
		for _, c := range w.Calls {
			opened[c.ID] = c.OpensAt
			order("call", c.CreatedAt, c.OpensAt)
		}
		a := w.Admission
		for _, r := range a.Applications {
			started[r.ID], submitted[r.ID] = r.CreatedAt, r.SubmittedAt
			order("application", opened[r.CallID], r.CreatedAt, r.SubmittedAt)
			order("change of an application", later(r.CreatedAt, r.SubmittedAt), r.UpdatedAt)
		}
		for _, e := range a.Editors {
			order("editor", later(came[e.MemberID], started[e.ApplicationID]), e.CreatedAt)
		}
		for _, r := range a.Answers {
			order("answer", later(came[r.EditorID], started[r.ApplicationID]), r.CreatedAt, r.UpdatedAt)
		}
		for _, r := range a.SignerRequests {
			order("letter", started[r.ApplicationID], r.CreatedAt, r.AnsweredAt)
		}
		for _, d := range a.Documents {
			order("document", started[d.ApplicationID], d.CreatedAt, submitted[d.ApplicationID])
		}
		assigned := map[gid.ID]time.Time{}
		for _, r := range a.Assignments {
			order("assignment", later(came[r.ReviewerID], submitted[r.ApplicationID]), r.CreatedAt, r.UpdatedAt)
			assigned[r.ID] = r.CreatedAt
		}
		for _, r := range a.Reviews {
			order("review", assigned[r.AssignmentID], r.CreatedAt, r.UpdatedAt)
		}
		for _, c := range a.Conflicts {
			order("conflict", submitted[c.ApplicationID], c.CreatedAt, c.EndedAt)
		}
		for _, d := range a.Decisions {
			order("decision", submitted[d.ApplicationID], d.CreatedAt, d.ReleasedAt, d.AnsweredAt, d.SupersededAt)
			if open := d.Kind == "ACCEPT" && d.Answer == ""; open != d.ExpiresAt.After(today) {
				t.Errorf("seed %d: an offer until %s was answered %q", seed, d.ExpiresAt, d.Answer)
			}
		}
		for _, e := range w.Enrollments {
			order("enrollment", submitted[e.ApplicationID], e.CreatedAt, e.UpdatedAt)
		}
		if n := len(a.Applications); n < 75 || len(w.Calls) != 3 {
			t.Errorf("seed %d: %d applications to %d calls", seed, n, len(w.Calls))
		}
	}
}

func TestModerationIsInEverySeed(t *testing.T) {
	t.Parallel()
	for seed := range uint64(6) {
		flags, acts := map[string]int{}, map[string]int{}
		for d := range world(t, demo.Options{Scale: 1, Seed: seed}).Discussions() {
			for _, f := range d.Flags {
				flags[f.State]++
			}
			for _, a := range d.Acts {
				acts[a.Kind]++
			}
		}
		if got := fmt.Sprint(flags, acts); got != "map[DISMISSED:1 OPEN:3 UPHELD:3] map[HIDE:1 WARN:1]" {
			t.Errorf("seed %d: %s", seed, got)
		}
	}
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
