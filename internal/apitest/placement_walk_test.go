package apitest_test

import (
	"flag"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/pursuing-equity/commons/ent"
	"github.com/pursuing-equity/commons/ent/application"
	"github.com/pursuing-equity/commons/ent/decision"
	"github.com/pursuing-equity/commons/ent/enrollment"
	"github.com/pursuing-equity/commons/internal/apitest/database"
	"github.com/pursuing-equity/commons/internal/fault"
	"github.com/pursuing-equity/commons/internal/placement"
)

// TestPlacesStepByStep drives calls, applications and decisions through what is legal and what is not, over changes of clocks, and compares them
// with a model after every step: what fails is shrunk.
func TestPlacesStepByStep(t *testing.T) {
	must0(t, flag.Set("rapid.checks", "40"))
	must0(t, flag.Set("rapid.steps", "50"))
	must0(t, flag.Set("rapid.nofailfile", "true"))
	database.Each(t, func(t *testing.T, url string) {
		var ahead atomic.Int64
		start := time.Now().UTC().Truncate(time.Millisecond)
		now := func() time.Time { return start.Add(time.Duration(ahead.Load())) }
		w := offices(t, url, 1, now)[0]
		w.Space("NETWORK", "Network", w.Member("host"))
		accepted := map[string]int{}
		began := time.Now()
		rapid.Check(t, func(rt *rapid.T) {
			zone := rapid.SampledFrom([]string{"America/New_York", "Europe/London", "Australia/Lord_Howe", "America/Santiago"}).Draw(rt, "zone")
			c, err := newTrial(w, now, func(d time.Duration) { ahead.Add(int64(d)) }, zone, rapid.SampledFrom([]int{0, 1, 1, 2}).Draw(rt, "capacity"), 5)
			if err != nil {
				rt.Fatal(err)
			}
			if rapid.Bool().Draw(rt, "begun") {
				must0(t, c.begin())
			}
			actions := map[string]func(*rapid.T){"": func(rt *rapid.T) {
				if found, err := c.look(); err != nil || len(found) > 0 {
					rt.Fatalf("%v %q", err, found)
				}
			}}
			for name, do := range steps() {
				actions[name] = func(rt *rapid.T) {
					c.pass(tick)
					a := c.applicants[rapid.IntRange(0, len(c.applicants)-1).Draw(rt, "who")]
					want, err := do(c, a, func(n int) int { return rapid.IntRange(0, n-1).Draw(rt, "choice") })
					var got fault.Code
					if faults := fault.All(err); len(faults) > 0 {
						got = faults[0].Code
					} else if err != nil {
						rt.Fatal(err)
					}
					if got != want {
						rt.Fatalf("answered %q, and must be %q: %v", got, want, err)
					}
					if got == fine {
						accepted[name]++
					}
				}
			}
			rt.Repeat(actions)
		})
		t.Logf("%v; accepted were %v", time.Since(began), accepted)
		for _, names := range [][]string{
			{"submit"}, {"withdraw"}, {"prepare", "prepare another", "prepare a third"}, {"release", "release again", "release a third"},
			{"accept", "accept another"}, {"decline", "decline another"}, {"leave the waitlist"}, {"move in the waitlist", "move another", "move a third"}, {"give a place up"},
		} {
			if !slices.ContainsFunc(names, func(name string) bool { return accepted[name] > 0 }) {
				t.Errorf("nobody could ever %s", names[0])
			}
		}
	})
}

// TestTheLastPlacesInParallel has many want few places at once, in two processes where there can be two, while offers end, are turned down and given up.
func TestTheLastPlacesInParallel(t *testing.T) {
	database.Each(t, func(t *testing.T, url string) {
		var ahead atomic.Int64
		now := func() time.Time {
			return time.Now().UTC().Truncate(time.Microsecond).Add(time.Duration(ahead.Load()))
		}
		many := 2
		if strings.HasPrefix(url, "sqlite:") {
			many = 1
		}
		worlds := offices(t, url, many, now)
		w := worlds[0]
		w.Space("NETWORK", "Network", w.Member("host"))
		for round := range 6 {
			capacity := 1 + round%3
			c, err := newTrial(w, now, nil, "America/New_York", capacity, 10)
			must0(t, err)
			for i, a := range c.applicants {
				if a.state == application.StateDRAFT {
					_, err := submitting(c, a, nil)
					must0(t, err)
				}
				kind := decision.KindACCEPT
				if i >= 6 {
					kind = decision.KindWAITLIST
				}
				_, _, err := w.App.Placement.Prepare(c.staff.Context(), c.staff.Viewer, placement.DecisionDraft{ApplicationID: a.id, Kind: kind})
				must0(t, err)
			}
			_, _, err = w.App.Placement.Release(c.staff.Context(), c.staff.Viewer, placement.Release{CallID: c.call, BeyondCapacity: 6})
			must0(t, err)
			var won, refused atomic.Int64
			var all sync.WaitGroup
			for i, a := range c.applicants[:6] {
				for j := range 2 { // each twice, by both processes
					s := worlds[(i+j)%many].App.Placement
					all.Go(func() {
						_, err := s.Accept(a.owner.Context(), a.owner.Viewer, a.id)
						switch {
						case err == nil:
							won.Add(1)
						case fault.Is(err, fault.CapacityReached):
							refused.Add(1)
						default:
							t.Error(err)
						}
					})
				}
			}
			all.Go(func() { must0(t, worlds[many-1].App.Placement.FillFree(w.System())) })
			all.Wait()
			ctx := w.System()
			count := func(s application.State) int {
				return w.App.Store.Client(ctx).Application.Query().Where(application.CallID(c.call), application.StateEQ(s)).CountX(ctx)
			}
			if count(application.StateADMITTED) != capacity || int(won.Load()) != 2*capacity || int(refused.Load()) != 12-2*capacity {
				t.Errorf("%d places: %d are admitted, %d answers said so, %d said no", capacity, count(application.StateADMITTED), won.Load(), refused.Load())
			}
			// All others turn theirs down, while the winners give theirs up: those who wait get the places, and no more than there are.
			for i, a := range c.applicants[:6] {
				s := worlds[i%many].App
				all.Go(func() {
					if _, err := s.Placement.Decline(a.owner.Context(), a.owner.Viewer, a.id); err != nil && !fault.Is(err, fault.Forbidden) {
						t.Error(err)
					}
					e, err := s.Store.Client(ctx).Enrollment.Query().Where(enrollment.ApplicationID(a.id)).Only(ctx)
					if err == nil {
						_, err = s.Community.WithdrawEnrollment(c.staff.Context(), c.staff.Viewer, e.ID, "")
					}
					if err != nil && !ent.IsNotFound(err) {
						t.Error(err)
					}
				})
			}
			all.Wait()
			if offered, waiting := count(application.StateOFFERED), count(application.StateWAITLISTED); offered != capacity || waiting != 4-capacity || count(application.StateADMITTED) != 0 {
				t.Errorf("%d places: %d are offered and %d wait", capacity, offered, waiting)
			}
		}
	})
}
