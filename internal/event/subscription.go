package event

import (
	"context"
	"sync"
	"sync/atomic"

	"github.com/pursuing-equity/commons/internal/fault"
	"github.com/pursuing-equity/commons/internal/gid"
)

// Subscription is one subscriber's place in the log. While nothing happens it costs no goroutine.
type Subscription struct {
	log    *Log
	member gid.ID
	to     Subscriber
	source Source

	suspect  atomic.Bool // the member's access is to be checked before anything more is sent
	over     atomic.Bool
	leaving  sync.Once
	from     int // nothing up to this event is sent: it has been, or was never asked for
	place    int // in the group; -1: in none
	group    *group
	feed     *feed         // the hub's
	next     *Subscription // of the same member; the hub's
	previous *Subscription
}

// Register announces a subscriber before its access is checked: a loss of access that is committed after the check is then
// sure to be noticed. Leave it when it ends, whatever happened in between.
func (l *Log) Register(ctx context.Context, member gid.ID, to Subscriber) (*Subscription, error) {
	s := &Subscription{log: l, member: member, to: to, place: -1}
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
		if s.group != nil {
			s.group.remove(s)
			s.feed.drop(s.group)
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
	if len(frames) > 0 {
		s.to.Send(frames)
	}
}

// Join brings the subscriber up to date and into the group of a key: of those who may share one execution and its bytes. It
// returns once the subscription is live, and does not wait for events. It returns INVALID_CURSOR, RESET_REQUIRED when events
// behind the cursor are no longer kept, and NOT_FOUND when access was lost meanwhile. While the database is away it waits.
func (s *Subscription) Join(ctx context.Context, key string, source Source, execute Execute) error {
	l := s.log
	s.source = source
	f := l.hub.feed(l, s, source.Stream)
	sys := l.system(ctx)
	if err := f.load(sys); err != nil {
		return err
	}
	g := f.join(s, key, execute)
	position, err := l.start(sys, g, source.After)
	if err != nil {
		return err
	}
	for {
		if err := s.to.Ready(ctx); err != nil {
			return err
		}
		if s.suspect.Load() {
			if err := l.until(ctx, func() error { return check(sys, []*Subscription{s}) }); err != nil {
				return err
			}
		}
		if s.over.Load() {
			return nil
		}
		live, closed := g.enter(s, position)
		switch {
		case closed:
			return fault.New(fault.Unavailable, "The subscription could not be shown. Try again.")
		case live:
			if s.over.Load() { // left while it entered
				g.remove(s)
			}
			return nil
		case s.suspect.Load():
			continue
		}
		if position, err = s.replay(ctx, sys, g, position); err != nil {
			return err
		}
	}
}

// enter makes the subscription live if the group's ring holds all that it has missed.
func (g *group) enter(s *Subscription, position int) (live, closed bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.closed {
		return false, true
	}
	if s.suspect.Load() {
		return false, false
	}
	s.from = position
	if position < g.head {
		frames, ok := g.ring.behind(position, g.feed.log.now())
		if !ok {
			return false, false
		}
		s.send(frames) // under the lock, so that nothing comes between them and what is next
		s.from = g.head
	}
	g.add(s)
	return true, false
}

// replay sends one batch of what was missed, read from the log, and returns where the subscriber stands then. Those who come
// back together, as after a restart, share one execution: the first puts it into the ring.
func (s *Subscription) replay(ctx, sys context.Context, g *group, position int) (int, error) {
	g.replaying.Lock()
	unlock := sync.OnceFunc(g.replaying.Unlock)
	defer unlock()
	g.mu.Lock()
	_, there := g.ring.behind(position, s.log.now())
	far := g.head-position > batch
	g.mu.Unlock()
	if there { // somebody else was first
		return position, nil
	}
	if far {
		unlock()
	}
	events, err := s.log.read(sys, g.feed.stream, position)
	if err == nil && len(events) == 0 {
		return position, resetRequired()
	}
	if err != nil {
		if away(ctx, err) {
			s.log.pause(ctx)
			return position, nil
		}
		return position, err
	}
	frames, err := s.log.execute(sys, g, events)
	if err != nil {
		return position, err
	}
	if err := s.log.until(ctx, func() error { return s.log.changes.sync(sys) }); err != nil {
		return position, err
	}
	if s.suspect.Load() {
		return position, nil // ask first, then come back
	}
	g.mu.Lock()
	g.ring.extend(position, frames, s.log.now())
	g.mu.Unlock()
	s.from = position
	s.send(frames)
	return events[len(events)-1].Seq, nil
}

// join finds or makes the group of a key, and holds it.
func (f *feed) join(s *Subscription, key string, execute Execute) *group {
	f.mu.Lock()
	defer f.mu.Unlock()
	g := f.groups[key]
	if g == nil || g.closed {
		g = &group{feed: f, key: key, execute: execute, head: f.head}
		g.ring.clear(f.head, f.log.now())
		f.groups[key] = g
	}
	g.users++
	s.group = g
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
