package event

import (
	"context"
	"fmt"
	"slices"

	"entgo.io/ent/dialect/sql"

	"github.com/pursuing-equity/commons/ent"
	"github.com/pursuing-equity/commons/ent/event"
	"github.com/pursuing-equity/commons/internal/fault"
	"github.com/pursuing-equity/commons/internal/gid"
	"github.com/pursuing-equity/commons/internal/page"
	"github.com/pursuing-equity/commons/internal/store"
)

func resetRequired() error {
	return fault.New(fault.ResetRequired, "Events behind this cursor are no longer kept. Fetch again, and subscribe from the new eventCursor.")
}

// start finds the number of the event behind which to begin. For a cursor that the group's ring reaches back to it asks the
// database nothing: after a restart thousands come back at once.
func (l *Log) start(ctx context.Context, g *group, after *page.Cursor) (int, error) {
	stream := g.feed.stream
	if after == nil {
		return l.newest(ctx, stream)
	}
	seal, err := l.seal(ctx)
	if err != nil {
		return 0, err
	}
	p, err := parse(*after, stream, seal)
	if err != nil {
		return 0, err
	}
	if p.position == nil && g.reaches(p.seq) {
		return p.seq, nil
	}
	newest, err := l.newest(ctx, stream)
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
	if p.position.At.Before(l.now().Add(-l.retention)) {
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

// newest is the number of a stream's last event.
func (l *Log) newest(ctx context.Context, stream gid.ID) (int, error) {
	numbers, err := l.numbers(ctx, stream.Kind(), stream)
	if err != nil {
		return 0, err
	}
	if len(numbers) == 0 {
		return 0, fault.Missing()
	}
	return numbers[0].EventSeq, nil
}
