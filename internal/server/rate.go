package server

import (
	"context"
	"sync"
	"time"

	"github.com/pursuing-equity/commons/internal/allowance"
)

// limiter gives each viewer, and each address without a token, a bucket of points that fills again with time. It counts in
// memory. Where there are several processes they tell each other, about once a second, what was spent: a viewer has one budget
// and not one for each process, but for what they spend before the others hear of it.
type limiter struct {
	burst, perSec float64
	now           func() time.Time
	shared        bool
	news          chan struct{} // holds one: the other processes should hear soon

	mu      sync.Mutex
	buckets map[string]bucket
	swept   time.Time
	spent   map[string]float64 // what the other processes have not heard of
}

type bucket struct {
	points float64 // below nothing when it was spent in two processes at once
	at     time.Time
}

// pointsPerCost is how much cost one point buys beyond the first.
const pointsPerCost = 1000

func newLimiter(burst, perSec int, now func() time.Time, shared bool) *limiter {
	return &limiter{
		burst: float64(burst), perSec: float64(perSec), now: now, shared: shared,
		news: make(chan struct{}, 1), buckets: map[string]bucket{}, spent: map[string]float64{},
	}
}

// take removes points, or nothing when there are too few. Wait is how long until there will be enough.
func (l *limiter) take(key string, points float64) (left allowance.Allowance, wait time.Duration, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.now()
	l.sweep(now)
	b, known := l.level(key, now)
	points = min(points, l.burst) // else a costly operation could never run
	if b.points >= points {
		b.points -= points
		ok = true
		l.note(key, points, known)
	} else {
		wait = l.timeOf(points - b.points)
	}
	l.buckets[key] = b
	return l.allowance(b), wait, ok
}

// timeOf is how long points take to come back.
func (l *limiter) timeOf(points float64) time.Duration {
	return time.Duration(points / l.perSec * float64(time.Second))
}

func (l *limiter) level(key string, now time.Time) (b bucket, known bool) {
	if b, known = l.buckets[key]; !known {
		return bucket{points: l.burst, at: now}, false
	}
	b.points = min(l.burst, b.points+now.Sub(b.at).Seconds()*l.perSec)
	b.at = now
	return b, true
}

func (l *limiter) allowance(b bucket) allowance.Allowance {
	return allowance.Allowance{
		Limit: int(l.burst), Remaining: int(max(b.points, 0)), ResetAt: b.at.Add(l.timeOf(l.burst - b.points)).UTC().Truncate(time.Millisecond),
	}
}

// full is the allowance that is shown when rates are off.
func (l *limiter) full() allowance.Allowance {
	return l.allowance(bucket{points: l.burst, at: l.now()})
}

// sweep forgets buckets that are full again, so that the map holds only who was active lately.
func (l *limiter) sweep(now time.Time) {
	if now.Sub(l.swept) < time.Minute {
		return
	}
	l.swept = now
	for key := range l.buckets {
		if b, _ := l.level(key, now); b.points >= l.burst {
			delete(l.buckets, key)
		}
	}
}

// How often processes tell each other what was spent: at rest, and at most.
const (
	shareEvery = time.Second
	shareAfter = 100 * time.Millisecond
)

// note remembers what the other processes are to hear: soon of who is new here and may have spent everything elsewhere, and of who
// spends fast.
func (l *limiter) note(key string, points float64, known bool) {
	if !l.shared {
		return
	}
	l.spent[key] += points
	if !known || l.spent[key] > l.burst/8 {
		select {
		case l.news <- struct{}{}:
		default:
		}
	}
}

// share tells what was spent here and takes over what all processes together have. What could not be told is told the next time;
// until then this process's own count holds.
func (l *limiter) share(ctx context.Context, exchange func(context.Context, map[string]time.Duration, time.Duration) (map[string]time.Duration, error)) error {
	l.mu.Lock()
	told := l.spent
	if len(told) == 0 {
		l.mu.Unlock()
		return nil
	}
	l.spent = make(map[string]float64, len(told))
	l.mu.Unlock()

	times := make(map[string]time.Duration, len(told))
	for key, points := range told {
		times[key] = l.timeOf(points)
	}
	owed, err := exchange(ctx, times, l.timeOf(2*l.burst)) // nobody owes more than a bucket beyond an empty one

	l.mu.Lock()
	defer l.mu.Unlock()
	if err != nil {
		for key, points := range told {
			l.spent[key] += points
		}
		return err
	}
	now := l.now()
	for key, owes := range owed {
		l.buckets[key] = bucket{points: l.burst - owes.Seconds()*l.perSec - l.spent[key], at: now}
	}
	return nil
}

// shareRates lets the processes hear of each other until ctx ends.
func (s *Server) shareRates(ctx context.Context) {
	if !s.rates.shared {
		return
	}
	ticker := time.NewTicker(shareEvery)
	defer ticker.Stop()
	pause := time.NewTimer(0)
	defer pause.Stop()
	failing := false
	for {
		select {
		case <-ctx.Done():
			return
		case <-pause.C: // not more often than this
		}
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		case <-s.rates.news:
		}
		asking, cancel := context.WithTimeout(ctx, authTimeout)
		err := s.rates.share(asking, s.cfg.ShareRates)
		cancel()
		if err != nil && !failing && ctx.Err() == nil {
			s.log.WarnContext(ctx, "rates are not shared with other processes; each counts on its own", "error", err.Error())
		}
		failing = err != nil
		pause.Reset(shareAfter)
	}
}
