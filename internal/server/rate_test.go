package server

import (
	"fmt"
	"testing"
	"time"
)

func TestLimiter(t *testing.T) {
	now := time.Unix(1_700_000_000, 0)
	l := newLimiter(10, 2, func() time.Time { return now })
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
