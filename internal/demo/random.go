package demo

import (
	"crypto/sha256"
	"encoding/binary"
	"math/rand/v2"
	"time"

	"github.com/pursuing-equity/commons/internal/gid"
)

// stream is a source of numbers of its own for each part of the world: adding a sentence to one thread must not move
// every id after it.
type stream struct{ *rand.Rand }

// newStream is the stream of a part, such as the seventh thread, in the world of a seed.
func newStream(seed uint64, part string, number int) stream {
	key := binary.BigEndian.AppendUint64([]byte(part), seed)
	sum := sha256.Sum256(binary.BigEndian.AppendUint64(key, uint64(number)))
	return stream{rand.New(rand.NewPCG(binary.BigEndian.Uint64(sum[:]), binary.BigEndian.Uint64(sum[8:])))} //nolint:gosec // the same seed must give the same world
}

func (s stream) id(k gid.Kind, at time.Time) gid.ID { return gid.Compose(k, at, s.Uint64()) }

// chance is true in percent cases of a hundred.
func (s stream) chance(percent int) bool { return s.IntN(100) < percent }

// between is a number from low to high, both included.
func (s stream) between(low, high int) int { return low + s.IntN(high-low+1) }

// within is an instant from a up to b.
func (s stream) within(a, b time.Time) time.Time {
	return a.Add(time.Duration(s.Int64N(int64(b.Sub(a))))).Truncate(time.Microsecond)
}

// pick is one of the values.
func pick[T any](s stream, values []T) T { return values[s.IntN(len(values))] }

// sample is n different values, or all of them in another order when there are fewer.
func sample[T any](s stream, values []T, n int) []T {
	if n >= len(values) {
		n = len(values)
	}
	// A partial Fisher–Yates shuffle over a sparse map: spaces may have thousands of members and a thread needs ten.
	moved := make(map[int]int, 2*n)
	at := func(i int) int {
		if j, ok := moved[i]; ok {
			return j
		}
		return i
	}
	out := make([]T, n)
	for i := range n {
		j := i + s.IntN(len(values)-i)
		out[i] = values[at(j)]
		moved[j] = at(i)
	}
	return out
}
