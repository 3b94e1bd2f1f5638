package event

import (
	"sync"
	"time"

	"github.com/pursuing-equity/commons/internal/gid"
)

// hub knows which streams are followed in this process, and by whom.
type hub struct {
	mu      sync.Mutex
	feeds   map[feedKey]*feed
	members map[gid.ID]*Subscription // the first of a member's, each linked to the next
	typists map[typist]time.Time     // when a member last said that they are writing
	count   int
}

// feedKey names a feed: of a stream's events, or of a thread's activity.
type feedKey struct {
	stream   gid.ID
	activity bool
}

func newHub() *hub {
	return &hub{feeds: make(map[feedKey]*feed), members: make(map[gid.ID]*Subscription), typists: make(map[typist]time.Time)}
}

func (h *hub) register(s *Subscription) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if s.next = h.members[s.member]; s.next != nil {
		s.next.previous = s
	}
	h.members[s.member] = s
}

// open counts a subscription that knows where it begins, unless it has left meanwhile.
func (h *hub) open(s *Subscription) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if !s.gone {
		s.counted = true
		h.count++
	}
}

func (h *hub) forget(s *Subscription) {
	h.mu.Lock()
	defer h.mu.Unlock()
	switch {
	case s.previous != nil:
		s.previous.next = s.next
	case h.members[s.member] == s && s.next != nil:
		h.members[s.member] = s.next
	case h.members[s.member] == s:
		delete(h.members, s.member)
	}
	if s.next != nil {
		s.next.previous = s.previous
	}
	s.next, s.previous, s.gone = nil, nil, true
	if s.counted {
		h.count--
	}
}

// Subscriptions is how many are open in this process, so that they miss nothing that happens from now on, and on how many streams.
func (l *Log) Subscriptions() (subscriptions, streams int) {
	l.hub.mu.Lock()
	defer l.hub.mu.Unlock()
	return l.hub.count, len(l.hub.feeds)
}

// feed returns a feed and keeps it until it is released.
func (h *hub) feed(l *Log, s *Subscription, key feedKey) *feed {
	h.mu.Lock()
	defer h.mu.Unlock()
	f := h.feeds[key]
	if f == nil {
		f = newFeed(l, key)
		h.feeds[key] = f
		if key.activity {
			l.say(sayWho, key.stream)
		}
	}
	f.users++
	s.feed = f
	return f
}

func (h *hub) release(s *Subscription) {
	h.mu.Lock()
	defer h.mu.Unlock()
	f := s.feed
	if f == nil {
		return
	}
	if f.users--; f.users == 0 {
		delete(h.feeds, f.key())
		if f.activity != nil {
			f.log.tell(f.stream, nil) // under the lock: whoever comes next says something newer
		}
	}
	s.feed = nil
}

// wake makes the feed of a stream look for new events.
func (h *hub) wake(stream gid.ID) {
	h.mu.Lock()
	f := h.feeds[feedKey{stream: stream}]
	h.mu.Unlock()
	if f != nil {
		f.kick()
	}
}

func (h *hub) wakeAll() {
	for _, f := range h.all() {
		f.kick()
	}
}

func (h *hub) all() []*feed {
	h.mu.Lock()
	defer h.mu.Unlock()
	out := make([]*feed, 0, len(h.feeds))
	for _, f := range h.feeds {
		out = append(out, f)
	}
	return out
}

// suspect marks the subscriptions whose access is to be checked before they get anything more: a member's, a token's, a
// thread's, or all.
func (h *hub) suspect(subjects []gid.ID) {
	var feeds []*feed
	mark := func(s *Subscription) {
		s.suspect.Store(true)
		if s.feed != nil {
			s.feed.suspicion.Store(true)
			feeds = append(feeds, s.feed)
		}
	}
	h.mu.Lock()
	for _, subject := range subjects {
		if subject.Kind() == gid.Member && !subject.IsZero() {
			for s := h.members[subject]; s != nil; s = s.next {
				mark(s)
			}
			continue
		}
		for _, first := range h.members {
			for s := first; s != nil; s = s.next {
				if subject.IsZero() || s.token == subject || s.feed == nil || s.feed.stream == subject {
					mark(s)
				}
			}
		}
	}
	var activities []*feed
	for _, f := range h.feeds {
		if f.activity != nil {
			activities = append(activities, f)
		}
	}
	h.mu.Unlock()
	for _, f := range activities { // not under the lock: an activity takes it while it holds its own
		if f.activity.knows(subjects) {
			feeds = append(feeds, f)
		}
	}
	for _, f := range feeds {
		f.kick()
	}
}

// streams are those of the log that are followed, by their kinds.
func (h *hub) streams() map[gid.Kind][]gid.ID {
	by := make(map[gid.Kind][]gid.ID)
	for _, f := range h.all() {
		if f.activity == nil { // those are not in the log
			by[f.stream.Kind()] = append(by[f.stream.Kind()], f.stream)
		}
	}
	return by
}

// moved wakes a stream's feed if the poll found a number that it has not read.
func (h *hub) moved(stream gid.ID, seq int) {
	h.mu.Lock()
	f := h.feeds[feedKey{stream: stream}]
	h.mu.Unlock()
	if f != nil && f.behind(seq) {
		f.kick()
	}
}
