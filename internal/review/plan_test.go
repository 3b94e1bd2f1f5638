package review

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/pursuing-equity/commons/ent"
	"github.com/pursuing-equity/commons/ent/schema"
	"github.com/pursuing-equity/commons/internal/gid"
)

// sceneOf is a random one: reviewers with some work, conflicts, and earlier assignments.
func sceneOf(r *rand.Rand, applications, reviewers, wanted int) *scene {
	at := time.Unix(1_700_000_000, 0)
	id := func(k gid.Kind, n int) gid.ID {
		return gid.Compose(k, at.Add(time.Duration(n)*time.Millisecond), r.Uint64())
	}
	b := &scene{wanted: wanted, load: map[gid.ID]int{}, has: map[gid.ID]int{}, asked: map[pair]bool{}, conflicted: map[pair]bool{}}
	for n := range reviewers {
		b.pool = append(b.pool, &ent.Member{ID: id(gid.Member, n)})
	}
	for n := range applications {
		a := &ent.Application{ID: id(gid.Application, n), Number: n + 1}
		b.applications = append(b.applications, a)
		for _, m := range b.pool {
			switch r.IntN(10) {
			case 0:
				b.conflicted[pair{a.ID, m.ID}] = true
			case 1:
				b.asked[pair{a.ID, m.ID}] = true
				b.load[m.ID]++
				b.has[a.ID]++
			}
		}
	}
	return b
}

func TestPlans(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 200 {
		b := sceneOf(r, 1+r.IntN(40), r.IntN(12), 1+r.IntN(3))
		pairs := b.solve()
		if !slices.Equal(pairs, b.solve()) {
			t.Fatal("the same state gave two plans")
		}
		has := map[gid.ID]int{}
		seen := map[pair]bool{}
		for _, p := range pairs {
			if b.conflicted[p] || b.asked[p] || seen[p] {
				t.Fatalf("%v was chosen and must not be", p)
			}
			seen[p] = true
			has[p.application]++
		}
		p := b.plan(pairs)
		short := 0
		for _, a := range b.applications {
			got := b.has[a.ID] + has[a.ID]
			if got > max(b.wanted, b.has[a.ID]) {
				t.Fatalf("application %d has %d reviewers", a.Number, got)
			}
			if got < b.wanted {
				short++
				if left := len(b.free(a.ID)) - has[a.ID]; left > 0 {
					t.Fatalf("application %d wants more, and %d are free", a.Number, left)
				}
			}
		}
		if p.UnfilledCount != short || p.AssignedCount != len(pairs) {
			t.Fatalf("the plan tells of %d and %d, not %d and %d", p.UnfilledCount, p.AssignedCount, short, len(pairs))
		}
	}
}

func TestPlansAreEven(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	b := sceneOf(r, 0, 7, 3)
	for n := range 100 {
		b.applications = append(b.applications, &ent.Application{ID: gid.Compose(gid.Application, time.Unix(1_700_000_000+int64(n), 0), 1), Number: n + 1})
	}
	p := b.plan(b.solve())
	if least, most := p.Loads[0].After, p.Loads[len(p.Loads)-1].After; most-least > 1 || p.AssignedCount != 300 {
		t.Errorf("from %d to %d", least, most)
	}
}

func TestPoints(t *testing.T) {
	rubric := []schema.Criterion{{Key: "a", Max: 3, Weight: 2}, {Key: "b", Max: 5, Weight: 1}}
	for _, c := range []struct {
		a, b, want int
	}{{0, 0, 0}, {3, 5, 10_000}, {1, 1, 2_727}, {2, 0, 3_636}, {3, 0, 5_455}} { // of 11
		if got := points(rubric, []schema.Score{{Criterion: "a", Points: c.a}, {Criterion: "b", Points: c.b}}); got != c.want {
			t.Errorf("%d and %d make %d, not %d", c.a, c.b, got, c.want)
		}
	}
	if got := points(nil, nil); got != 0 {
		t.Error(got)
	}
}

func sumsOf(points ...int) sums {
	s := sums{N: len(points), Least: slices.Min(points), Utmost: slices.Max(points)}
	for _, p := range points {
		s.Sum += int64(p)
		s.Squares += int64(p) * int64(p)
	}
	return s
}

// Two applications with the points 60, 80 and 40, 100: by hand, the mean is 70, the deviation √(2000/3), and the pooled one √((200+1800)/2).
func TestCalibration(t *testing.T) {
	c := calibrate([]sums{sumsOf(6_000, 8_000), sumsOf(4_000, 10_000)}, []sums{sumsOf(6_000, 4_000), sumsOf(8_000, 10_000)})
	near := func(what string, got *float64, want float64) {
		t.Helper()
		if got == nil || math.Abs(*got-want) > 1e-9 {
			t.Errorf("%s is not %v", what, want)
		}
	}
	near("mean", c.Mean, 70)
	near("deviation", c.Deviation, math.Sqrt(2_000.0/3))
	near("pooled deviation", c.Pooled, math.Sqrt(2_000.0/2))
	near("the widest", c.Applications[0].Deviation, math.Sqrt(1_800))
	if len(c.Reviewers) != 2 || math.Abs(math.Abs(*c.Reviewers[0].Score)-20/(math.Sqrt(2_000.0/3)/math.Sqrt2)) > 1e-9 || c.Reviewers[0].Outlier {
		t.Errorf("%+v", c.Reviewers[0])
	}
	if none := calibrate(nil, nil); none.Mean != nil || none.Deviation != nil || none.Pooled != nil {
		t.Errorf("%+v", none)
	}
	strict := calibrate([]sums{sumsOf(1_000, 9_000), sumsOf(1_000, 9_000), sumsOf(1_000, 9_000), sumsOf(2_000, 9_000)}, []sums{sumsOf(1_000, 1_000, 1_000, 2_000), sumsOf(9_000, 9_000, 9_000, 9_000)})
	if strict.Reviewers[0].Outlier != (math.Abs(*strict.Reviewers[0].Score) > farOff) {
		t.Errorf("%+v", strict.Reviewers[0])
	}
}
