package demo_test

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pursuing-equity/commons/internal/demo"
	"github.com/pursuing-equity/commons/internal/gid"
)

func world(t testing.TB, o demo.Options) *demo.World {
	t.Helper()
	w, err := demo.Generate(o)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// digest is a hash of everything in the world.
func digest(t *testing.T, w *demo.World) string {
	t.Helper()
	h := sha256.New()
	e := json.NewEncoder(h)
	if err := e.Encode(w); err != nil {
		t.Fatal(err)
	}
	for d := range w.Discussions() {
		if err := e.Encode(d); err != nil {
			t.Fatal(err)
		}
	}
	return fmt.Sprintf("%x", h.Sum(nil))
}

func TestGenerateIsDeterministic(t *testing.T) {
	t.Parallel()
	first, again := world(t, demo.Options{Scale: 1, Seed: 7}), world(t, demo.Options{Scale: 1, Seed: 7})
	if digest(t, first) != digest(t, again) {
		t.Error("the same seed gave two worlds")
	}
	if digest(t, first) == digest(t, world(t, demo.Options{Scale: 1, Seed: 8})) {
		t.Error("two seeds gave one world")
	}
}

func TestOptions(t *testing.T) {
	t.Parallel()
	for _, scale := range []int{-1, 0, 1001} {
		if _, err := demo.Generate(demo.Options{Scale: scale}); err == nil {
			t.Errorf("scale %d was accepted", scale)
		}
	}
	t.Run("nothing is later than now", func(t *testing.T) {
		t.Parallel()
		now := time.Date(2023, time.May, 3, 12, 0, 0, 0, time.UTC)
		for d := range world(t, demo.Options{Scale: 1, Now: now}).Discussions() {
			for _, p := range d.Posts {
				for _, at := range []time.Time{p.CreatedAt, p.EditedAt, p.DeletedAt} {
					if at.After(now) {
						t.Fatalf("post %s at %s", p.ID, at)
					}
				}
			}
			for _, r := range d.Reactions {
				if r.CreatedAt.After(now) {
					t.Fatalf("reaction at %s", r.CreatedAt)
				}
			}
		}
	})
}

func TestWorldIsTheRealProgram(t *testing.T) {
	t.Parallel()
	w := world(t, demo.Options{Scale: 1, Seed: 1})
	zone, err := time.LoadLocation("America/New_York")
	if err != nil {
		t.Fatal(err)
	}
	due := []string{w.Calls[0].DueAt.In(zone).Format(time.DateTime), w.Calls[1].DueAt.In(zone).Format(time.DateTime)}
	if want := []string{"2022-11-01 23:59:59", "2022-10-21 23:59:59"}; !slices.Equal(due, want) {
		t.Errorf("due %v, want %v", due, want)
	}
	if at := w.Calls[0].ClosesAt.In(zone).Format(time.DateTime); at != "2022-11-08 23:59:59" {
		t.Errorf("closes %s", at)
	}
	for i, o := range w.Offerings {
		if o.FeeAmount != 3_000_000 || w.Sponsorships[i].WaivedAmount != o.FeeAmount || !strings.Contains(w.Sponsorships[i].SponsorName, "Genentech") {
			t.Errorf("fee of %s: %d, %+v", o.Name, o.FeeAmount, w.Sponsorships[i])
		}
	}
	enrolled := map[gid.ID]int{}
	for _, e := range w.Enrollments {
		enrolled[e.CohortID]++
	}
	if enrolled[w.Cohorts[0].ID] != 40 || enrolled[w.Cohorts[1].ID] != 10 {
		t.Errorf("teams by cohort: %v", enrolled)
	}
	if n := len(w.Members); n < 500 || n > 540 {
		t.Errorf("%d members", n)
	}
	if w.Posts() != 5000 || w.Threads() < 250 || w.Threads() > 400 {
		t.Errorf("%d posts in %d threads", w.Posts(), w.Threads())
	}
}

func TestAccounts(t *testing.T) {
	t.Parallel()
	w := world(t, demo.Options{Scale: 1, Seed: 1})
	kinds := map[gid.ID]string{}
	for _, s := range w.Spaces {
		kinds[s.ID] = s.Kind
	}
	in := map[gid.ID]map[string]int{}
	for _, m := range w.SpaceMemberships {
		if in[m.MemberID] == nil {
			in[m.MemberID] = map[string]int{}
		}
		in[m.MemberID][kinds[m.SpaceID]]++
	}
	for account, want := range map[string]string{
		"admin":    "map[]",
		"staff":    "map[DIRECT:1 WORKGROUP:1]",
		"reviewer": "map[]",
		"expert":   "map[DIRECT:1 NETWORK:1]",
		"lead":     "map[COHORT:1 DIRECT:2 NETWORK:1 TEAM:1 WORKGROUP:1]",
		"member":   "map[COHORT:1 DIRECT:3 NETWORK:1 TEAM:1]",
		"affinity": "map[AFFINITY:1 COHORT:1 DIRECT:1 NETWORK:1 TEAM:1]",
		"outsider": "map[]",
	} {
		m, err := w.Account(account)
		if err != nil {
			t.Fatal(err)
		}
		if got := fmt.Sprint(in[m.ID]); got != want {
			t.Errorf("%s is in %s, want %s", account, got, want)
		}
	}
	roles := map[string]string{}
	for _, r := range w.Roles {
		if r.Scope == "PLATFORM" {
			roles[r.MemberID.String()] = r.Role
		}
	}
	for account, want := range map[string]string{"admin": "ADMIN", "staff": "STAFF", "reviewer": "REVIEWER", "expert": "EXPERT", "lead": "", "outsider": ""} {
		m, _ := w.Account(account)
		if roles[m.ID.String()] != want {
			t.Errorf("%s has role %q, want %q", account, roles[m.ID.String()], want)
		}
	}
}

func TestPeopleAndOrganizations(t *testing.T) {
	t.Parallel()
	w := world(t, demo.Options{Scale: 10, Seed: 3})
	handles, emails, names := map[string]bool{}, map[string]bool{}, map[string]bool{}
	for _, m := range w.Members {
		if handles[m.Handle] || emails[m.Email] || m.Name == "" {
			t.Errorf("member %q %q %q is there twice", m.Name, m.Handle, m.Email)
		}
		handles[m.Handle], emails[m.Email] = true, true
		if strings.Trim(m.Handle, "abcdefghijklmnopqrstuvwxyz0123456789-") != "" || len(m.Handle) < 2 || len(m.Handle) > 40 {
			t.Errorf("handle %q", m.Handle)
		}
		if _, err := time.LoadLocation(m.TimeZone); err != nil || !strings.HasSuffix(m.Email, ".example") {
			t.Errorf("member %q: zone %q, address %q", m.Name, m.TimeZone, m.Email)
		}
	}
	for _, o := range w.Organizations {
		if names[o.Name] {
			t.Errorf("organization %q is there twice", o.Name)
		}
		names[o.Name] = true
	}
}
