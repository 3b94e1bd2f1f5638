package event

import (
	"context"
	"errors"

	"github.com/pursuing-equity/commons/ent"
	"github.com/pursuing-equity/commons/internal/gid"
	"github.com/pursuing-equity/commons/internal/page"
)

// Source is what a subscription follows. Its resolver says so with Follow.
type Source struct {
	Stream gid.ID
	// After is the event, or the position, behind which to begin; nil: the newest event.
	After *page.Cursor
	// Readers returns those of the members who may follow the stream now. Nil: the stream is the member's own.
	Readers func(ctx context.Context, members []gid.ID) ([]gid.ID, error)

	// Public says that also those who are not signed in may follow it, once they could: for good.
	Public bool

	activity bool
}

// Shown is an event as subscribers see it.
type Shown[T any] struct {
	Event *ent.Event
	As    T
	// By are the members whose words or doing it shows: who does not hear from one of them is not sent it. Empty: everybody is.
	By []gid.ID
}

// Follow is the body of a subscription's resolver. The resolver is called in two ways: once for each subscriber, when it checks
// that the subscriber may follow and says what, and then once for each batch of events and group of subscribers, when show
// turns the events into what the SDL says, in order; events that the group must not see it leaves out.
func Follow[T any](ctx context.Context, open func() (Source, error), show func(context.Context, []*ent.Event) ([]Shown[T], error)) (<-chan T, error) {
	switch p := ctx.Value(phaseKey{}).(type) {
	case *Opening:
		source, err := open()
		if err == nil {
			p.source = &source
		}
		return nil, err
	case *Batch:
		shown, err := show(ctx, p.events)
		if err != nil {
			return nil, err
		}
		items := make(chan T, len(shown))
		for _, s := range shown {
			items <- s.As
			p.shown = append(p.shown, s.Event.Seq)
			p.by = append(p.by, s.By)
		}
		close(items)
		return items, nil
	default:
		return nil, errUnknownServer
	}
}

// FollowActivity is Follow for the activity of a thread: it begins with how it stands.
func FollowActivity[T any](ctx context.Context, open func() (Source, error), show func(context.Context, Activity) (T, error)) (<-chan T, error) {
	switch p := ctx.Value(phaseKey{}).(type) {
	case *Opening:
		source, err := open()
		if err == nil {
			source.activity = true
			p.source = &source
		}
		return nil, err
	case *Batch:
		shown, err := show(ctx, *p.activity)
		if err != nil {
			return nil, err
		}
		items := make(chan T, 1)
		items <- shown
		close(items)
		return items, nil
	default:
		return nil, errUnknownServer
	}
}

var errUnknownServer = errors.New("event: this subscription only runs under a server that knows the log")

type phaseKey struct{}

// Opening is where a resolver leaves what to follow.
type Opening struct{ source *Source }

// WithOpening is for the call of the resolver that opens a subscription.
func WithOpening(ctx context.Context) (context.Context, *Opening) {
	o := new(Opening)
	return context.WithValue(ctx, phaseKey{}, o), o
}

// Source is what the resolver said; false when it does not follow the log.
func (o *Opening) Source() (Source, bool) {
	if o.source == nil {
		return Source{}, false
	}
	return *o.source, true
}

// Batch is events of one stream that are to be executed together, or the activity of a thread.
type Batch struct {
	events   []*ent.Event
	activity *Activity
	shown    []int
	by       [][]gid.ID
	seal     *seal
}

// WithBatch is for a call of the resolver that shows events.
func WithBatch(ctx context.Context, b *Batch) context.Context {
	return context.WithValue(ctx, phaseKey{}, b)
}

// Frame is the n-th response that the resolver's channel gave, encoded.
func (b *Batch) Frame(n int, body []byte) Frame {
	if b.activity != nil {
		return Frame{Seq: b.shown[n], Body: body}
	}
	e := b.events[0]
	cursor := Cursor(e.StreamID, b.shown[n])
	if sealed(e.StreamID) {
		cursor = b.seal.event(e.StreamID, b.shown[n])
	}
	return Frame{Seq: b.shown[n], Cursor: string(cursor), Body: body, by: b.by[n]}
}

// Frame is one event, executed and encoded for a group of subscribers; of an activity it has no cursor. They share its bytes: nobody may change them.
type Frame struct {
	Seq    int
	Cursor string
	Body   []byte
	by     []gid.ID // see Shown
}

// Execute turns a batch into frames: a network-free, viewer-free step that any number of subscribers share.
type Execute func(ctx context.Context, b *Batch) ([]Frame, error)

// Subscriber is a client's end of a subscription. No method but Ready blocks.
type Subscriber interface {
	// Send queues frames in their order.
	Send(frames []Frame)
	// Ready waits until there is room for more, so that a long replay runs at the client's pace. It fails when the client
	// left or does not read.
	Ready(ctx context.Context) error
	// End tells the client why the subscription is over. It is called once at most, and nothing is sent afterwards.
	End(err error)
}
