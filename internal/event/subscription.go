package event

import (
	"context"
	"sync"
	"sync/atomic"

	"github.com/pursuing-equity/commons/internal/fault"
	"github.com/pursuing-equity/commons/internal/gid"
	"github.com/pursuing-equity/commons/internal/viewer"
)

// Subscription is one subscriber's place in the log. While nothing happens it costs no goroutine.
type Subscription struct {
	log    *Log
	member gid.ID
	token  gid.ID // that signed the member in; zero: none
	to     Subscriber
	source Source

	deafness atomic.Pointer[deafness] // nil: the member hears everybody
	key      string                   // of those who share an execution, deafness apart; of an activity only
	execute  Execute                  // likewise
	placing  sync.Mutex               // held while the subscription goes from one group of an activity to another

	suspect  atomic.Bool // the member's access is to be checked before anything more is sent
	over     atomic.Bool
	leaving  sync.Once
	from     int // nothing up to this event is sent: it has been, or was never asked for
	place    int // in the group; -1: in none
	group    *group
	feed     *feed         // the hub's
	next     *Subscription // of the same member; the hub's
	previous *Subscription
	counted  bool // among those that are open; the hub's
	gone     bool // likewise
}

// Register announces a subscriber before its access is checked: a loss of access that is committed after the check is then
// sure to be noticed. Leave it when it ends, whatever happened in between.
func (l *Log) Register(ctx context.Context, who viewer.Viewer, to Subscriber) (*Subscription, error) {
	member, _ := who.MemberID()
	s := &Subscription{log: l, member: member, token: who.TokenID(), to: to, place: -1}
	if err := l.changes.begin(l.system(ctx)); err != nil {
		return nil, err
	}
	l.hub.register(s)
	return s, nil
}

// Leave takes the subscription out of the log. Nothing is sent once it has returned and what was being sent has been.
func (s *Subscription) Leave() {
	s.over.Store(true)
	s.leaving.Do(func() {
		s.log.hub.forget(s)
		s.placing.Lock()
		defer s.placing.Unlock()
		if s.group != nil {
			s.group.remove(s)
			s.feed.drop(s.group)
			if s.feed.activity != nil {
				s.group.feed.kick()
			}
		}
		s.log.hub.release(s)
	})
}

// end tells the client that it is over.
func (s *Subscription) end(err error) {
	if s.over.Swap(true) {
		return
	}
	s.to.End(err)
	s.Leave()
}

func (s *Subscription) send(frames []Frame) {
	if s.over.Load() {
		return
	}
	for len(frames) > 0 && frames[0].Seq <= s.from {
		frames = frames[1:]
	}
	if d := s.deafness.Load(); d != nil {
		frames = d.heard(frames)
	}
	if len(frames) > 0 {
		s.to.Send(frames)
	}
}

// Open finds where the subscriber begins, and puts it beside those of a key: who may share one execution and its bytes. It
// returns INVALID_CURSOR, and RESET_REQUIRED when events behind the cursor are no longer kept.
func (s *Subscription) Open(ctx context.Context, key string, source Source, execute Execute) error {
	l := s.log
	s.source = source
	f := l.hub.feed(l, s, feedKey{source.Stream, source.activity})
	sys := l.system(ctx)
	if err := f.load(sys); err != nil {
		return err
	}
	if err := l.listen(sys, []*Subscription{s}); err != nil {
		return err
	}
	if source.activity {
		s.key, s.execute = key, execute
		s.group = f.join(key, s.deafness.Load(), execute)
		l.hub.open(s)
		return nil
	}
	s.group = f.join(key, nil, execute)
	var err error
	if s.from, err = l.start(sys, s.group, source.After); err == nil {
		l.hub.open(s)
	}
	return err
}

// Live sends what the subscriber has missed and returns once it gets everything as it comes; it does not wait for events. It
// returns NOT_FOUND when access was lost meanwhile, UNAUTHENTICATED when the sign-in ended. While the database is away it waits. Open comes first.
func (s *Subscription) Live(ctx context.Context) error {
	sys := s.log.system(ctx)
	for {
		if err := s.to.Ready(ctx); err != nil {
			return err
		}
		if s.suspect.Load() {
			if err := s.log.until(ctx, func() error { return s.log.check(sys, []*Subscription{s}) }); err != nil {
				return err
			}
		}
		if s.over.Load() {
			return nil
		}
		switch live, closed := s.enter(); {
		case closed:
			return fault.New(fault.Unavailable, "The subscription could not be shown. Try again.")
		case live:
			return nil
		case s.suspect.Load():
			continue
		}
		if err := s.replay(ctx, sys); err != nil {
			return err
		}
	}
}

func (s *Subscription) enter() (live, closed bool) {
	if !s.source.activity {
		return s.group.enter(s)
	}
	s.placing.Lock()
	defer s.placing.Unlock()
	if live, closed = s.group.enterActivity(s); live {
		s.group.feed.kick()
	}
	return live, closed
}

// enter makes the subscription live if the group's ring holds all that it has missed.
func (g *group) enter(s *Subscription) (live, closed bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.closed {
		return false, true
	}
	if s.suspect.Load() {
		return false, false
	}
	if s.from < g.head {
		frames, ok := g.ring.behind(s.from, g.feed.log.now())
		if !ok {
			return false, false
		}
		s.send(frames) // under the lock, so that nothing comes between them and what is next
		s.from = g.head
	}
	g.add(s)
	return true, false
}

// replay sends one batch of what was missed, read from the log. Those who come back together, as after a restart, share one
// execution: the first puts it into the ring.
func (s *Subscription) replay(ctx, sys context.Context) error {
	l, g := s.log, s.group
	g.replaying.Lock()
	unlock := sync.OnceFunc(g.replaying.Unlock)
	defer unlock()
	g.mu.Lock()
	_, there := g.ring.behind(s.from, l.now())
	far := g.head-s.from > batch
	clears := g.ring.clears
	g.mu.Unlock()
	switch {
	case there: // somebody else was first
		return nil
	case far:
		unlock()
	}
	events, err := l.read(sys, g.feed.stream, s.from)
	switch {
	case err != nil && away(ctx, err):
		l.pause(ctx)
		return nil
	case err != nil:
		return err
	case len(events) == 0:
		return resetRequired()
	}
	frames, err := l.execute(sys, g, events)
	if err != nil {
		return err
	}
	if err := l.until(ctx, func() error { return l.changes.sync(sys) }); err != nil {
		return err
	}
	if s.suspect.Load() {
		return nil // ask first, then come back
	}
	g.mu.Lock()
	g.ring.extend(s.from, events[len(events)-1].Seq, clears, frames, l.now())
	g.mu.Unlock()
	unlock()
	for len(frames) > 0 {
		n, size := 0, 0
		for n < len(frames) && (n == 0 || size+len(frames[n].Body) <= ringBytes) {
			size += len(frames[n].Body)
			n++
		}
		if err := s.to.Ready(ctx); err != nil {
			return err
		}
		s.send(frames[:n])
		frames = frames[n:]
	}
	s.from = events[len(events)-1].Seq
	return nil
}

// join finds or makes the group of a key, and holds it. Of an activity each deafness has a group of its own.
func (f *feed) join(key string, deaf *deafness, execute Execute) *group {
	if deaf != nil {
		key += " " + deaf.key
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	g := f.groups[key]
	if g == nil || g.closed {
		g = &group{feed: f, key: key, deafness: deaf, execute: execute, head: f.head}
		g.ring.clear(f.head, f.log.now())
		f.groups[key] = g
	}
	g.users++
	return g
}

// drop lets go of a group; nobody's group is forgotten.
func (f *feed) drop(g *group) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if g.users--; g.users == 0 && f.groups[g.key] == g {
		delete(f.groups, g.key)
	}
}
