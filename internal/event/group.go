package event

import (
	"runtime"
	"sync"
	"time"

	"github.com/pursuing-equity/commons/ent"
)

const (
	// ringFrames, ringBytes and ringAge bound what a group keeps for those who come back after a moment.
	ringFrames = 256
	ringBytes  = 64 << 10
	ringAge    = time.Minute
	// alone is up to how many subscribers one core sends to.
	alone = 512
)

// group is subscribers of one stream who get the same bytes: each event is executed once for all of them.
type group struct {
	feed    *feed
	key     string
	execute Execute
	users   int // subscriptions that hold it; the feed's

	deafness *deafness // of an activity, whom none of the group hears from

	replaying sync.Mutex // held by who executes events for the ring

	mu      sync.Mutex
	head    int // the newest event that was sent
	members []*Subscription
	closed  bool
	ring    ring
	latest  []Frame         // of an activity, the newest
	sending []*Subscription // kept from one publish to the next
}

// ring is the newest frames without a gap: those behind from, up to the group's head. Frames of events that the group does not
// see are not there.
type ring struct {
	from   int
	frames []Frame
	bytes  int
	since  time.Time // when the oldest was executed, or a bit earlier
	clears int       // how often it was cleared
}

// behind returns the frames behind a number; false when the ring does not reach back to it.
func (r *ring) behind(seq int, now time.Time) ([]Frame, bool) {
	if now.Sub(r.since) > ringAge || seq < r.from {
		return nil, false
	}
	for i, f := range r.frames {
		if f.Seq > seq {
			return r.frames[i:], true
		}
	}
	return nil, true
}

func (r *ring) clear(head int, now time.Time) {
	*r = ring{from: head, since: now, clears: r.clears + 1}
}

// add takes a batch that ends at head. Any event that is not a new post changes what older frames show, and perhaps takes
// back what they say: then those go.
func (r *ring) add(frames []Frame, events []*ent.Event, now time.Time) {
	for _, e := range events {
		if e.Kind != PostCreated {
			r.clear(events[0].Seq-1, now)
			break
		}
	}
	if len(r.frames) == 0 || now.Sub(r.since) > ringAge {
		r.clear(events[0].Seq-1, now)
	}
	for _, f := range frames {
		r.frames = append(r.frames, f)
		r.bytes += len(f.Body)
	}
	drop := 0
	for len(r.frames)-drop > ringFrames || r.bytes > ringBytes && drop < len(r.frames) {
		r.from = r.frames[drop].Seq
		r.bytes -= len(r.frames[drop].Body)
		drop++
	}
	if drop > 0 {
		r.frames = append([]Frame(nil), r.frames[drop:]...) // a new array: those that were handed out are read by others
	}
}

// extend puts frames before the ring's oldest: those behind from, up to the event to. It does nothing when that leaves a gap, and
// when the ring was cleared since they were read: they may show what has been taken back.
func (r *ring) extend(from, to, clears int, frames []Frame, now time.Time) {
	if to < r.from || clears != r.clears || now.Sub(r.since) > ringAge {
		return
	}
	var older []Frame
	size := 0
	for _, f := range frames {
		if f.Seq <= r.from {
			older = append(older, f)
			size += len(f.Body)
		}
	}
	if from >= r.from || len(older)+len(r.frames) > ringFrames || size+r.bytes > ringBytes {
		return
	}
	r.from, r.bytes = from, r.bytes+size
	r.frames = append(older, r.frames...)
}

// publish sends a batch to everybody in the group.
func (g *group) publish(frames []Frame, events []*ent.Event) {
	g.mu.Lock()
	g.ring.add(frames, events, g.feed.log.now())
	g.head = events[len(events)-1].Seq
	g.sending = append(g.sending[:0], g.members...)
	g.mu.Unlock()
	if len(frames) > 0 {
		fanOut(g.sending, frames)
	}
	clear(g.sending)
}

// fanOut sends the frames to each subscriber, with every core when they are many.
func fanOut(to []*Subscription, frames []Frame) {
	cores := runtime.GOMAXPROCS(0)
	if len(to) <= alone || cores == 1 {
		for _, s := range to {
			s.send(frames)
		}
		return
	}
	share := (len(to) + cores - 1) / cores
	var workers sync.WaitGroup
	for start := 0; start < len(to); start += share {
		part := to[start:min(start+share, len(to))]
		workers.Go(func() {
			for _, s := range part {
				s.send(frames)
			}
		})
	}
	workers.Wait()
}

// reaches reports whether what is behind a number can be had without asking whether it is still kept.
func (g *group) reaches(seq int) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if seq == g.head {
		return true
	}
	_, ok := g.ring.behind(seq, g.feed.log.now())
	return ok && seq < g.head
}

func (g *group) suspects() []*Subscription {
	g.mu.Lock()
	defer g.mu.Unlock()
	var out []*Subscription
	for _, s := range g.members {
		if s.suspect.Load() {
			out = append(out, s)
		}
	}
	return out
}

// add is called under the group's lock.
func (g *group) add(s *Subscription) {
	s.place = len(g.members)
	g.members = append(g.members, s)
}

// remove takes a subscription out, and reports whether it was in.
func (g *group) remove(s *Subscription) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	if s.place < 0 {
		return false
	}
	last := len(g.members) - 1
	g.members[s.place] = g.members[last]
	g.members[s.place].place = s.place
	g.members[last] = nil
	g.members = g.members[:last]
	s.place = -1
	return true
}

// fail ends every subscription of the group.
func (g *group) fail(err error) {
	g.mu.Lock()
	members := append([]*Subscription(nil), g.members...)
	g.closed = true
	g.mu.Unlock()
	for _, s := range members {
		s.end(err)
	}
}
