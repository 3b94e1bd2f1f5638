package server

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"
)

func TestLimiter(t *testing.T) {
	now := time.Unix(1_700_000_000, 0)
	l := newLimiter(10, 2, func() time.Time { return now }, false)
	t.Run("a bucket empties, says how long to wait, and fills again", func(t *testing.T) {
		left, _, ok := l.take("a", 9)
		if !ok || left.Remaining != 1 || !left.ResetAt.Equal(now.Add(4500*time.Millisecond)) {
			t.Errorf("%+v %v", left, ok)
		}
		if _, wait, ok := l.take("a", 4); ok || wait != 1500*time.Millisecond {
			t.Errorf("wait %v, %v", wait, ok)
		}
		now = now.Add(1500 * time.Millisecond)
		if left, _, ok := l.take("a", 4); !ok || left.Remaining != 0 {
			t.Errorf("%+v %v", left, ok)
		}
	})
	t.Run("what costs more than a bucket takes a whole one", func(t *testing.T) {
		if _, _, ok := l.take("b", 1000); !ok {
			t.Error("could never run")
		}
	})
	t.Run("rested viewers are forgotten", func(t *testing.T) {
		for i := range 100 {
			l.take(fmt.Sprint(i), 1)
		}
		now = now.Add(2 * time.Minute)
		l.take("c", 1)
		if len(l.buckets) != 1 {
			t.Errorf("%d buckets", len(l.buckets))
		}
	})
}

// Two processes tell each other what was spent, through a book that both can read.
func TestSharedRates(t *testing.T) {
	now := time.Unix(1_700_000_000, 0)
	clock := func() time.Time { return now }
	due := map[string]time.Time{}
	var away error
	exchange := func(_ context.Context, spent map[string]time.Duration, most time.Duration) (map[string]time.Duration, error) {
		if away != nil {
			return nil, away
		}
		owed := map[string]time.Duration{}
		for key, d := range spent {
			due[key] = now.Add(min(max(due[key].Sub(now), 0)+d, most))
			owed[key] = due[key].Sub(now)
		}
		return owed, nil
	}
	a, b := newLimiter(100, 10, clock, true), newLimiter(100, 10, clock, true)
	share := func(l *limiter) {
		t.Helper()
		if err := l.share(t.Context(), exchange); err != nil && away == nil {
			t.Fatal(err)
		}
	}
	t.Run("what was spent there counts here", func(t *testing.T) {
		a.take("ada", 60)
		share(a)
		b.take("ada", 30)
		share(b)
		if _, _, ok := b.take("ada", 11); ok {
			t.Error("more than one budget")
		}
		if left, _, ok := b.take("ada", 10); !ok || left.Remaining != 0 {
			t.Errorf("%+v %v", left, ok)
		}
	})
	t.Run("it comes back for both", func(t *testing.T) {
		share(b)
		now = now.Add(5 * time.Second)
		if _, _, ok := a.take("ada", 1); !ok { // it has heard of the first 60 only
			t.Error("refused")
		}
		share(a)
		if left, _, ok := a.take("ada", 49); !ok || left.Remaining != 0 {
			t.Errorf("%+v %v", left, ok)
		}
		share(a)
	})
	t.Run("what is spent while the other is asked is not lost", func(t *testing.T) {
		now = now.Add(time.Minute)
		a.take("eve", 10)
		err := a.share(t.Context(), func(ctx context.Context, spent map[string]time.Duration, most time.Duration) (map[string]time.Duration, error) {
			a.take("eve", 20)
			return exchange(ctx, spent, most)
		})
		if left, _, ok := a.take("eve", 0); err != nil || !ok || left.Remaining != 70 {
			t.Errorf("%+v %v", left, err)
		}
		share(a)
		if owed := due["eve"].Sub(now); owed != 3*time.Second {
			t.Errorf("owes %v", owed)
		}
	})
	t.Run("while the book is away each counts on its own, and tells afterwards", func(t *testing.T) {
		now = now.Add(time.Minute)
		away = errors.New("away")
		b.take("bob", 90)
		share(b)
		if _, _, ok := b.take("bob", 11); ok {
			t.Error("nobody counts")
		}
		away = nil
		share(b)
		a.take("bob", 1)
		share(a)
		if _, _, ok := a.take("bob", 10); ok {
			t.Error("what was spent meanwhile is lost")
		}
	})
	t.Run("a newcomer and a spendthrift are told of at once, a steady one is not", func(t *testing.T) {
		c := newLimiter(100, 10, clock, true)
		told := func() bool {
			select {
			case <-c.news:
				return true
			default:
				return false
			}
		}
		if c.take("new", 1); !told() {
			t.Error("the newcomer")
		}
		if c.take("new", 1); told() {
			t.Error("the steady one")
		}
		if c.take("new", 20); !told() {
			t.Error("the spendthrift")
		}
	})
}
