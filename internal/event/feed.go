package event

import (
	"context"
	"fmt"
	"maps"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pursuing-equity/commons/ent"
	"github.com/pursuing-equity/commons/ent/event"
	"github.com/pursuing-equity/commons/internal/fault"
	"github.com/pursuing-equity/commons/internal/gid"
	"github.com/pursuing-equity/commons/internal/store"
)

// batch is how many events are read at once.
const batch = 100

// feed is one stream that is followed in this process: it reads each event once, whatever the number of groups and subscribers.
// A goroutine works while there is something to do and ends when there is not.
type feed struct {
	log    *Log
	stream gid.ID
	users  int // subscriptions that hold it; the hub's

	activity  *activity   // what a feed of activity knows; nil in one of events
	suspicion atomic.Bool // some of its subscriptions are suspect
	loading   sync.Mutex  // held while head is read for the first time

	mu      sync.Mutex
	head    int // the newest event that was read; -1 before the first subscriber
	groups  map[string]*group
	running bool
	again   bool
	kicks   uint64 // how often it was kicked
}

func newFeed(l *Log, key feedKey) *feed {
	f := &feed{log: l, stream: key.stream, head: -1, groups: make(map[string]*group)}
	if key.activity {
		f.activity, f.head = newActivity(), 0
	}
	return f
}

func (f *feed) key() feedKey { return feedKey{f.stream, f.activity != nil} }

// kick makes the feed look for new events and for those who must leave. It does not block.
func (f *feed) kick() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.again = true
	f.kicks++
	if !f.running && f.log.work.Err() == nil {
		f.running = true
		f.log.tasks.Go(f.run)
	}
}

// behind reports whether an event's number is news.
func (f *feed) behind(seq int) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.head >= 0 && seq > f.head
}

// load reads where the stream stands, once.
func (f *feed) load(ctx context.Context) error {
	f.loading.Lock()
	defer f.loading.Unlock()
	f.mu.Lock()
	known := f.head >= 0
	f.mu.Unlock()
	if known {
		return nil
	}
	head, err := f.log.newest(ctx, f.stream)
	if err != nil {
		return err
	}
	f.mu.Lock()
	f.head = head
	f.mu.Unlock()
	return nil
}

func (f *feed) run() {
	ctx := f.log.work
	for {
		f.mu.Lock()
		if !f.again || ctx.Err() != nil {
			f.running = false
			f.mu.Unlock()
			return
		}
		f.again = false
		f.mu.Unlock()
		began := f.log.now()
		step := f.step
		if f.activity != nil {
			step = f.stepActivity
		}
		more, err := step(ctx)
		switch {
		case err == nil && f.activity != nil:
			f.log.wait(ctx, max(activityEvery, 5*f.log.now().Sub(began)))
		case err == nil:
			f.breathe(ctx, f.log.now().Sub(began))
		case away(ctx, err):
			f.log.pause(ctx)
			more = true
		default:
			f.fail(ctx, err)
		}
		if more {
			f.mu.Lock()
			f.again = true
			f.mu.Unlock()
		}
	}
}

// breathe lets events gather when sending takes long: what a busy thread writes meanwhile goes out together, which is what makes
// bursts cheap. It ends when nothing more comes, or with half of the time that sending took. An event that comes when nothing is
// being sent never waits.
func (f *feed) breathe(ctx context.Context, sending time.Duration) {
	f.mu.Lock()
	more, seen := f.again, f.kicks
	f.mu.Unlock()
	if !more || sending < longSending {
		return
	}
	ticker := time.NewTicker(quiet)
	defer ticker.Stop()
	for left := min(sending/2, maxBreath); left > 0; left -= quiet {
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return
		}
		f.mu.Lock()
		news := f.kicks != seen
		seen = f.kicks
		f.mu.Unlock()
		if !news {
			return
		}
	}
}

const (
	longSending = 40 * time.Millisecond
	maxBreath   = 100 * time.Millisecond
	quiet       = 10 * time.Millisecond
)

// step brings one batch to all groups: read, execute, then look who lost access, then send. In this order, because what was
// executed shows objects as they stand now: a loss that was committed before any of it was written is then known. It moves on
// only when all of it is done, and reports whether there may be more.
func (f *feed) step(ctx context.Context) (bool, error) {
	f.mu.Lock()
	from := f.head
	f.mu.Unlock()
	if from < 0 {
		return false, nil
	}
	events, err := f.log.read(ctx, f.stream, from)
	if err != nil {
		return false, err
	}
	if len(events) == 0 {
		return false, f.evict(ctx)
	}
	for _, e := range events {
		if e.Kind == PostCreated && e.ActorID != nil {
			f.log.hub.posted(f.stream, *e.ActorID)
		}
	}
	f.mu.Lock()
	f.head = events[len(events)-1].Seq // who joins from here on replays this batch from the log
	groups := make([]*group, 0, len(f.groups))
	for _, g := range f.groups {
		groups = append(groups, g)
	}
	f.mu.Unlock()
	work := make([]*due, 0, len(groups))
	for _, g := range groups {
		work = append(work, &due{group: g})
	}
	parallel(work, func(d *due) { d.frames, d.err = f.log.execute(ctx, d.group, events) })
	if err := f.log.until(ctx, func() error { return f.log.changes.sync(ctx) }); err != nil {
		return false, err
	}
	if err := f.log.until(ctx, func() error { return f.evict(ctx) }); err != nil {
		return false, err
	}
	for _, d := range work {
		if d.err != nil {
			d.group.fail(d.err)
			continue
		}
		d.group.publish(d.frames, events)
	}
	return len(events) == batch, nil
}

type due struct {
	group  *group
	frames []Frame
	err    error
}

// parallel does all of the work with a worker for each core.
func parallel[T any](work []T, do func(T)) {
	if len(work) == 1 {
		do(work[0])
		return
	}
	var next atomic.Int64
	var workers sync.WaitGroup
	for range min(len(work), 2*runtime.GOMAXPROCS(0)) {
		workers.Go(func() {
			for {
				n := int(next.Add(1)) - 1
				if n >= len(work) {
					return
				}
				do(work[n])
			}
		})
	}
	workers.Wait()
}

// evict ends the subscriptions of those who may not follow any more: one statement for all that are suspect.
func (f *feed) evict(ctx context.Context) error {
	if !f.suspicion.Swap(false) {
		return nil
	}
	f.mu.Lock()
	var suspects []*Subscription
	for _, g := range f.groups {
		suspects = append(suspects, g.suspects()...)
	}
	f.mu.Unlock()
	if err := f.log.check(ctx, suspects); err != nil {
		f.suspicion.Store(true)
		return err
	}
	return nil
}

// check ends those of the subscriptions, all of one stream, whose sign-in has ended or whose member may not follow it any more, and
// learns whom the others hear from: one statement for each of the three questions.
func (l *Log) check(ctx context.Context, suspects []*Subscription) (err error) {
	if len(suspects) == 0 {
		return nil
	}
	for _, s := range suspects {
		s.suspect.Store(false) // before asking: what happens meanwhile makes it suspect again
	}
	defer func() {
		for _, s := range suspects {
			if err != nil {
				s.suspect.Store(true)
			}
		}
	}()
	var ended, allowed []gid.ID
	if tokens := distinct(suspects, func(s *Subscription) gid.ID { return s.token }); l.ended != nil && len(tokens) > 0 {
		if ended, err = l.ended(ctx, tokens); err != nil {
			return err
		}
	}
	members := distinct(suspects, func(s *Subscription) gid.ID { return s.member })
	if readers := suspects[0].source.Readers; readers == nil {
		allowed = members
	} else if allowed, err = readers(ctx, members); err != nil {
		return err
	}
	if err = l.listen(ctx, suspects); err != nil {
		return err
	}
	out, in := setOf(ended), setOf(allowed)
	for _, s := range suspects {
		switch {
		case out[s.token]:
			s.end(fault.New(fault.Unauthenticated, "The sign-in has ended."))
		case s.member.IsZero() && s.source.Public:
		case !in[s.member]:
			s.end(fault.Missing())
		}
	}
	return nil
}

// distinct are the ids of subscriptions, each once; nobody's is left out.
func distinct(subs []*Subscription, of func(*Subscription) gid.ID) []gid.ID {
	seen := make(map[gid.ID]bool, len(subs))
	for _, s := range subs {
		seen[of(s)] = true
	}
	delete(seen, gid.ID{})
	return slices.Collect(maps.Keys(seen))
}

func setOf(ids []gid.ID) map[gid.ID]bool {
	set := make(map[gid.ID]bool, len(ids))
	for _, id := range ids {
		set[id] = true
	}
	return set
}

// fail ends every subscription of the stream.
func (f *feed) fail(ctx context.Context, err error) {
	if ctx.Err() != nil {
		return
	}
	f.mu.Lock()
	groups := make([]*group, 0, len(f.groups))
	for _, g := range f.groups {
		groups = append(groups, g)
	}
	if f.activity == nil {
		f.head = -1
	}
	f.mu.Unlock()
	for _, g := range groups {
		g.fail(err)
	}
}

// read returns the events behind a number, without a gap.
func (l *Log) read(ctx context.Context, stream gid.ID, behind int) ([]*ent.Event, error) {
	events, err := l.store.Client(ctx).Event.Query().
		Where(event.StreamID(stream), event.SeqGT(behind)).Order(event.BySeq()).Limit(batch).All(ctx)
	if err != nil {
		return nil, fmt.Errorf("read the event log: %w", err)
	}
	for i, e := range events {
		if e.Seq != behind+1+i { // trimmed under a subscriber that stood still for longer than the log is kept
			return nil, resetRequired()
		}
	}
	return events, nil
}

// execute makes a group's frames of events. While the database is away it waits.
func (l *Log) execute(ctx context.Context, g *group, events []*ent.Event) (frames []Frame, err error) {
	err = l.until(ctx, func() error {
		seal, err := l.seal(ctx)
		if err == nil {
			frames, err = g.execute(ctx, &Batch{events: events, seal: seal})
		}
		return err
	})
	return frames, err
}

// until repeats what failed because the database is away.
func (l *Log) until(ctx context.Context, do func() error) error {
	for {
		err := do()
		if err == nil || !away(ctx, err) {
			return err
		}
		l.pause(ctx)
	}
}

// pauseAway is how long to wait before asking a database again that did not answer.
const pauseAway = 300 * time.Millisecond

func (l *Log) pause(ctx context.Context) { l.wait(ctx, pauseAway) }

func (l *Log) wait(ctx context.Context, long time.Duration) {
	timer := time.NewTimer(long)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
}

// away reports whether an error only says that the database does not answer just now.
func away(ctx context.Context, err error) bool {
	return ctx.Err() == nil && fault.Is(store.Fault(err), fault.Unavailable)
}
