package event

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/pursuing-equity/commons/ent"
)

// A ring that says that it reaches back to an event has every frame behind it, whatever was added, put before and cleared.
func TestRingHasNoGap(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	start := time.Unix(1_700_000_000, 0)
	for range 300 {
		var r ring
		now, head := start, 1000
		r.clear(head, now)
		frames := func(from, to int) (frames []Frame, events []*ent.Event) {
			for seq := from; seq <= to; seq++ {
				kind := PostCreated
				if random.IntN(400) == 0 {
					kind = PostDeleted
				}
				events = append(events, &ent.Event{Seq: seq, Kind: kind})
				if seq%7 != 0 { // the group does not see every event
					frames = append(frames, Frame{Seq: seq, Body: make([]byte, random.IntN(900))})
				}
			}
			return frames, events
		}
		for range 200 {
			now = now.Add(time.Duration(random.IntN(2000)) * time.Millisecond)
			if random.IntN(2) == 0 {
				to := head + 1 + random.IntN(batch)
				f, e := frames(head+1, to)
				r.add(f, e, now)
				head = to
			} else {
				from := head - random.IntN(400)
				to := min(head, from+batch)
				if to > from {
					f, _ := frames(from+1, to)
					r.extend(from, to, r.clears-random.IntN(2), f, now)
				}
			}
			from := head - random.IntN(400)
			got, ok := r.behind(from, now)
			if !ok {
				continue
			}
			for seq := from + 1; seq <= head; seq++ {
				if seq%7 == 0 {
					continue
				}
				if len(got) == 0 || got[0].Seq != seq {
					t.Fatalf("behind %d of %d: event %d is missing", from, head, seq)
				}
				got = got[1:]
			}
			if len(got) > 0 {
				t.Fatalf("behind %d of %d: %d frames too many", from, head, len(got))
			}
			if len(r.frames) > ringFrames || r.bytes > ringBytes {
				t.Fatalf("%d frames of %d bytes", len(r.frames), r.bytes)
			}
		}
	}
}

// What was executed before something was taken back does not come into the ring afterwards.
func TestRingTakesNothingStale(t *testing.T) {
	now := time.Unix(1_700_000_000, 0)
	var r ring
	r.clear(9, now)
	before := r.clears
	r.add([]Frame{{Seq: 10}}, []*ent.Event{{Seq: 10, Kind: PostDeleted}}, now)
	r.extend(8, 9, before, []Frame{{Seq: 9, Body: []byte("a secret")}}, now)
	if got, ok := r.behind(8, now); ok {
		t.Errorf("the ring gives %v", got)
	}
}
