package server

import (
	"net"
	"net/http"
	"sync"
	"time"
)

// limiter gives each viewer, and each address without a token, a bucket of points that fills again with time. It counts in
// this process only: with n replicas a viewer has n buckets.
type limiter struct {
	burst, perSec float64
	now           func() time.Time

	mu      sync.Mutex
	buckets map[string]bucket
	swept   time.Time
}

type bucket struct {
	points float64
	at     time.Time
}

// allowance is what a bucket holds after an operation, as extensions.rateLimit shows it.
type allowance struct {
	Limit     int       `json:"limit"`
	Remaining int       `json:"remaining"`
	ResetAt   time.Time `json:"resetAt"` // when the bucket is full again
}

// pointsPerCost is how much cost one point buys beyond the first.
const pointsPerCost = 1000

func newLimiter(burst, perSec int, now func() time.Time) *limiter {
	return &limiter{burst: float64(burst), perSec: float64(perSec), now: now, buckets: map[string]bucket{}}
}

// take removes points, or nothing when there are too few. Wait is how long until there will be enough.
func (l *limiter) take(key string, points float64) (left allowance, wait time.Duration, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.now()
	l.sweep(now)
	b := l.level(key, now)
	points = min(points, l.burst) // else a costly operation could never run
	if b.points >= points {
		b.points -= points
		ok = true
	} else {
		wait = time.Duration((points - b.points) / l.perSec * float64(time.Second))
	}
	l.buckets[key] = b
	return l.allowance(b), wait, ok
}

func (l *limiter) level(key string, now time.Time) bucket {
	b, known := l.buckets[key]
	if !known {
		return bucket{points: l.burst, at: now}
	}
	b.points = min(l.burst, b.points+now.Sub(b.at).Seconds()*l.perSec)
	b.at = now
	return b
}

func (l *limiter) allowance(b bucket) allowance {
	missing := time.Duration((l.burst - b.points) / l.perSec * float64(time.Second))
	return allowance{Limit: int(l.burst), Remaining: int(b.points), ResetAt: b.at.Add(missing).UTC().Truncate(time.Millisecond)}
}

// full is the allowance that is shown when rates are off.
func (l *limiter) full() allowance {
	return l.allowance(bucket{points: l.burst, at: l.now()})
}

// sweep forgets buckets that are full again, so that the map holds only who was active lately.
func (l *limiter) sweep(now time.Time) {
	if now.Sub(l.swept) < time.Minute {
		return
	}
	l.swept = now
	for key := range l.buckets {
		if l.level(key, now).points >= l.burst {
			delete(l.buckets, key)
		}
	}
}

func peerAddr(r *http.Request) string {
	host, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil {
		return r.RemoteAddr
	}
	return host
}
