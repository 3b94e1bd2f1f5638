package event

import (
	"context"
	"fmt"
	"slices"
	"time"

	"entgo.io/ent/dialect/sql"

	"github.com/pursuing-equity/commons/ent"
	"github.com/pursuing-equity/commons/ent/event"
	"github.com/pursuing-equity/commons/ent/member"
	"github.com/pursuing-equity/commons/ent/thread"
	"github.com/pursuing-equity/commons/internal/fault"
	"github.com/pursuing-equity/commons/internal/gid"
	"github.com/pursuing-equity/commons/internal/page"
	"github.com/pursuing-equity/commons/internal/store"
)

const (
	// batch is how many events are read at once.
	batch = 100
	// recheckEvery is how often access is checked when nothing happens: memberships also end by the clock.
	recheckEvery = 2 * time.Second
)

// Following is a subscription to a stream that was found and whose cursor was good.
type Following struct {
	log    *Log
	stream gid.ID
	keys   []gid.ID
	f      *follower
	last   int
}

// Follow joins a stream behind a cursor, or behind its newest event. The stream's own keys wake it, and so do the member's,
// whose access may change. It returns INVALID_CURSOR, or RESET_REQUIRED when events behind the cursor are no longer kept.
// Call Run, or Close when it will not be run.
func (l *Log) Follow(ctx context.Context, stream, memberID gid.ID, after *page.Cursor) (*Following, error) {
	s := &Following{log: l, stream: stream, keys: []gid.ID{stream}}
	if memberID != stream {
		s.keys = append(s.keys, memberID)
	}
	s.f = l.hub.join(s.keys...) // before reading, so that nothing falls between
	var err error
	if s.last, err = l.start(ctx, stream, after); err != nil {
		s.Close()
		return nil, err
	}
	return s, nil
}

// Close leaves the stream.
func (s *Following) Close() { s.log.hub.leave(s.f, s.keys...) }

// Run delivers the stream's events, in order and without a gap, until ctx ends, deliver fails, or allowed does. For each batch it
// first prepares what to deliver, then asks allowed, and only then delivers: what was committed after access was lost is
// never delivered, because the loss was committed before it was read. While the database is away it waits.
func Run[T any](ctx context.Context, s *Following, allowed func(context.Context) error, prepare func(context.Context, []*ent.Event) ([]T, error), deliver func(T) error) error {
	defer s.Close()
	recheck := time.NewTicker(recheckEvery)
	defer recheck.Stop()
	for {
		more, err := step(ctx, s, allowed, prepare, deliver)
		switch {
		case more:
			continue
		case err != nil && !away(ctx, err):
			return err
		}
		for waiting := true; waiting; {
			select {
			case <-ctx.Done():
				return ctx.Err()
			case <-s.f.woken:
				waiting = false
			case <-recheck.C:
				waiting = err == nil // after a failure the events are still to be read
				if checked := allowed(ctx); checked != nil && !away(ctx, checked) {
					return checked
				}
			}
		}
	}
}

// step delivers one batch and reports whether there may be more at once. It moves on only when all of it was delivered.
func step[T any](ctx context.Context, s *Following, allowed func(context.Context) error, prepare func(context.Context, []*ent.Event) ([]T, error), deliver func(T) error) (bool, error) {
	events, err := s.next(ctx)
	if err != nil {
		return false, err
	}
	items, err := prepare(ctx, events)
	if err != nil {
		return false, err
	}
	if err := allowed(ctx); err != nil {
		return false, err
	}
	for _, item := range items {
		if err := deliver(item); err != nil {
			return false, err
		}
	}
	s.last += len(events)
	return len(events) == batch, nil
}

// away reports whether an error only says that the database does not answer just now.
func away(ctx context.Context, err error) bool {
	return ctx.Err() == nil && fault.Is(store.Fault(err), fault.Unavailable)
}

// next reads the events behind the last that was delivered.
func (s *Following) next(ctx context.Context) ([]*ent.Event, error) {
	events, err := s.log.store.Client(ctx).Event.Query().
		Where(event.StreamID(s.stream), event.SeqGT(s.last)).Order(event.BySeq()).Limit(batch).All(ctx)
	if err != nil {
		return nil, fmt.Errorf("read the event log: %w", err)
	}
	for i, e := range events {
		if e.Seq != s.last+1+i { // trimmed under a subscriber that stood still for longer than the log is kept
			return nil, resetRequired()
		}
	}
	return events, nil
}

func resetRequired() error {
	return fault.New(fault.ResetRequired, "Events behind this cursor are no longer kept. Fetch again, and subscribe from the new eventCursor.")
}

// start finds the number of the event behind which to begin.
func (l *Log) start(ctx context.Context, stream gid.ID, after *page.Cursor) (int, error) {
	newest, err := l.newest(ctx, stream)
	if err != nil || after == nil {
		return newest, err
	}
	p, err := parse(*after, stream)
	if err != nil {
		return 0, err
	}
	oldest, err := l.edge(ctx, stream, event.BySeq())
	if err != nil {
		return 0, err
	}
	first := newest + 1 // the first that is still kept
	if oldest != nil {
		first = oldest.Seq
	}
	if p.position == nil {
		if p.seq > newest || p.seq < first-1 {
			return 0, resetRequired()
		}
		return p.seq, nil
	}
	if p.position.At.Before(l.now().Add(-Retention)) {
		return 0, resetRequired()
	}
	seen, err := l.edge(ctx, stream, event.BySeq(sql.OrderDesc()), seenFrom(*p.position))
	if err != nil {
		return 0, err
	}
	if seen == nil { // whatever was trimmed is older than the position
		return first - 1, nil
	}
	return seen.Seq, nil
}

// seenFrom are the events that a position has seen.
func seenFrom(p store.Position) func(*sql.Selector) {
	return func(s *sql.Selector) {
		if p.Xmax == 0 { // SQLite
			s.Where(sql.LTE(s.C(event.FieldID), p.LastID))
			return
		}
		s.Where(sql.LT(s.C(event.FieldXid), p.Xmax))
		if len(p.Running) > 0 {
			running := make([]any, len(p.Running))
			for i, x := range slices.Sorted(slices.Values(p.Running)) {
				running[i] = x
			}
			s.Where(sql.NotIn(s.C(event.FieldXid), running...))
		}
	}
}

func (l *Log) edge(ctx context.Context, stream gid.ID, order event.OrderOption, where ...func(*sql.Selector)) (*ent.Event, error) {
	q := l.store.Client(ctx).Event.Query().Where(event.StreamID(stream)).Order(order)
	for _, w := range where {
		q.Where(w)
	}
	e, err := q.First(ctx)
	if ent.IsNotFound(err) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read the event log: %w", err)
	}
	return e, nil
}

func (l *Log) newest(ctx context.Context, stream gid.ID) (int, error) {
	var seq int
	var err error
	if stream.Kind() == gid.Thread {
		t, e := l.store.Client(ctx).Thread.Query().Where(thread.ID(stream)).Select(thread.FieldID, thread.FieldEventSeq).Only(ctx)
		if err = e; e == nil {
			seq = t.EventSeq
		}
	} else {
		m, e := l.store.Client(ctx).Member.Query().Where(member.ID(stream)).Select(member.FieldID, member.FieldEventSeq).Only(ctx)
		if err = e; e == nil {
			seq = m.EventSeq
		}
	}
	if ent.IsNotFound(err) {
		return 0, fault.Missing()
	}
	return seq, err
}
