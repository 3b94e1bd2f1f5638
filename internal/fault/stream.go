package fault

import (
	"context"
	"sync"
)

// Stream is where a subscription leaves the error that ended it. A resolver that has handed out its channel has no other
// way to fail: closing the channel alone means that the stream is complete. gqlgen's own transport.AddSubscriptionError
// works under gqlgen's own websocket only, whose context key is private.
type Stream struct {
	mu  sync.Mutex
	err error
}

type streamKey struct{}

// WithStream gives the subscription that runs under the context a Stream. Only the server does that.
func WithStream(ctx context.Context) (context.Context, *Stream) {
	s := new(Stream)
	return context.WithValue(ctx, streamKey{}, s), s
}

// EndWith says why the resolver is about to close its channel: call it with the resolver's context, then close. The
// subscriber receives the error and the subscription is over. The first error stays. It does nothing outside a
// subscription.
func EndWith(ctx context.Context, err error) {
	s, ok := ctx.Value(streamKey{}).(*Stream)
	if !ok || err == nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.err == nil {
		s.err = err
	}
}

// Err is what the subscription ended with; nil when it is complete or still runs.
func (s *Stream) Err() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.err
}
