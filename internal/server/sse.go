package server

import (
	"context"
	"math/rand/v2"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"github.com/pursuing-equity/commons/internal/event"
	"github.com/pursuing-equity/commons/internal/fault"
	"github.com/pursuing-equity/commons/internal/viewer"
)

// eventStream is one operation over server-sent events, in the distinct connections mode of
// https://github.com/enisdenjo/graphql-sse/blob/master/PROTOCOL.md: "next" for each response, "complete" at the end. An
// event of the log carries its cursor as the event's id, and so does a response whose root field has one, so that a browser's
// EventSource sends it back as Last-Event-ID and resumes there.
type eventStream struct {
	server  *Server
	w       http.ResponseWriter
	control *http.ResponseController
	viewer  viewer.Viewer

	cancel context.CancelFunc
	mu     sync.Mutex
	why    *ending // set before the server cancels
	buf    []byte

	// Of a subscription that follows the log:
	waiting []event.Frame
	bytes   int
	over    error // why it ended
	ended   bool
	news    chan struct{} // holds one: there is something above
	room    chan struct{} // closed when bytes were written while somebody waited; nil while nobody does
}

func (e *eventStream) who() viewer.Viewer { return e.viewer }
func (e *eventStream) kill()              { e.cancel() }

func (e *eventStream) end(why ending) {
	e.mu.Lock()
	if e.why == nil {
		e.why = &why
	}
	e.mu.Unlock()
	e.cancel()
}

func (e *eventStream) endedBy() *ending {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.why
}

// Send queues events for the stream. One that is too slow is told to come back: it resumes behind what it has read.
func (e *eventStream) Send(frames []event.Frame) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, f := range frames {
		if e.bytes > 0 && e.bytes+len(f.Body) > e.server.limits.QueueBytes {
			if e.why == nil {
				slow := endUnsure
				e.why = &slow
			}
			e.cancel()
			return
		}
		e.waiting = append(e.waiting, f)
		e.bytes += len(f.Body)
	}
	e.signal()
}

// End says why the subscription is over.
func (e *eventStream) End(err error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if !e.ended {
		e.over, e.ended = err, true
		e.signal()
	}
}

// signal is called under the lock.
func (e *eventStream) signal() {
	select {
	case e.news <- struct{}{}:
	default:
	}
}

// Ready waits until less than half of what may wait does.
func (e *eventStream) Ready(ctx context.Context) error {
	for {
		e.mu.Lock()
		if e.bytes < e.server.limits.QueueBytes/2 {
			e.mu.Unlock()
			return ctx.Err()
		}
		if e.room == nil {
			e.room = make(chan struct{})
		}
		room := e.room
		e.mu.Unlock()
		select {
		case <-room:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// take returns what waits, and whether and why the subscription ended behind it.
func (e *eventStream) take() (frames []event.Frame, ended bool, over error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	frames, e.waiting, e.bytes = e.waiting, nil, 0
	if e.room != nil {
		close(e.room)
		e.room = nil
	}
	return frames, e.ended, e.over
}

// serveEvents answers a request with an event stream. A subscription whose resolver refuses gets a plain JSON error, with its
// status: an EventSource stops at that, and would come back for ever after a stream that ends.
func (s *Server) serveEvents(ctx context.Context, w http.ResponseWriter, session Session, op *operation) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	e := &eventStream{
		server: s, w: w, control: http.NewResponseController(w), viewer: session.Viewer, cancel: cancel, news: make(chan struct{}, 1),
	}
	if op.kind != ast.Subscription {
		resp, refused := op.execute(ctx)
		if refused != nil {
			s.writeRefusal(w, refused, mediaJSON)
			return
		}
		if e.open() == nil && e.next(resp, op.extensions()) == nil {
			_ = e.complete()
		}
		return
	}
	if err := s.live.add(e, op.key); err != nil { // before the resolver looks, so that a token that is revoked from now on is noticed
		s.writeRefusal(w, s.refuse(ctx, err), mediaJSON)
		return
	}
	defer s.live.remove(e)
	s.signedIn(session)
	sub := op.subscribe(ctx, e)
	if sub.failed != nil {
		s.writeRefusal(w, sub.failed, mediaJSON)
		return
	}
	live := s.metrics.subscriptions.WithLabelValues("events")
	live.Inc()
	defer live.Dec()
	if !session.Expires.IsZero() {
		timer := time.AfterFunc(session.Expires.Sub(s.cfg.Now()), func() { e.end(endExpired) })
		defer timer.Stop()
	}
	if sub.shared != nil {
		e.follow(ctx, sub.shared)
		return
	}
	e.pump(ctx, sub)
}

// follow writes what the log brings.
func (e *eventStream) follow(ctx context.Context, sub *event.Subscription) {
	var joining sync.WaitGroup
	defer sub.Leave()
	defer joining.Wait()
	defer e.cancel()
	if e.open() != nil {
		return
	}
	joining.Go(func() { // a long replay waits for what is written below
		if err := sub.Live(ctx); err != nil && ctx.Err() == nil {
			e.End(err)
		}
	})
	heart := time.NewTicker(e.server.limits.Heartbeat)
	defer heart.Stop()
	for {
		var err error
		select {
		case <-ctx.Done():
			e.goodbye()
			return
		case <-heart.C:
			err = e.write([]byte(":\n\n"))
		case <-e.news:
			frames, ended, over := e.take()
			if len(frames) > 0 {
				err = e.shared(frames)
			}
			if ended && err == nil {
				if e.frame("next", "", refusalBody(e.server.refuse(ctx, over).errs)) == nil {
					_ = e.complete()
				}
				return
			}
		}
		if err != nil {
			return
		}
	}
}

// shared writes events of the log, many with one call.
func (e *eventStream) shared(frames []event.Frame) error {
	b := e.buf[:0]
	for i, f := range frames {
		b = appendEvent(b, "next", f.Cursor, f.Body)
		if len(b) > bytesPerWrite || i == len(frames)-1 {
			if err := e.write(b); err != nil {
				return err
			}
			b = b[:0]
		}
	}
	e.buf = nil // an idle stream holds no buffer
	return nil
}

// pump writes what the subscription yields. The subscription has a goroutine of its own, so that the heart beats while it
// waits; pump does not return before that goroutine does.
func (e *eventStream) pump(ctx context.Context, sub *subscription) {
	type item struct {
		resp   *graphql.Response
		failed gqlerror.List
	}
	items, taken := make(chan item), make(chan struct{})
	var reader sync.WaitGroup
	defer reader.Wait()
	defer e.cancel()
	reader.Go(func() {
		for {
			resp, failed := sub.event()
			select {
			case items <- item{resp, failed}:
			case <-ctx.Done():
				return
			}
			if resp == nil {
				return
			}
			select { // gqlgen writes the next response into the same bytes
			case <-taken:
			case <-ctx.Done():
				return
			}
		}
	})
	if e.open() != nil {
		return
	}
	heart := time.NewTicker(e.server.limits.Heartbeat)
	defer heart.Stop()
	for {
		var err error
		select {
		case <-ctx.Done():
			e.goodbye()
			return
		case <-heart.C:
			err = e.write([]byte(":\n\n"))
		case i := <-items:
			switch {
			case i.resp != nil:
				err = e.next(i.resp, nil)
				select {
				case taken <- struct{}{}:
				case <-ctx.Done():
				}
			case ctx.Err() != nil: // the stream ended because the connection did
				e.goodbye()
				return
			case i.failed != nil:
				if e.frame("next", "", refusalBody(i.failed)) == nil {
					_ = e.complete()
				}
				return
			default:
				_ = e.complete()
				return
			}
		}
		if err != nil {
			return
		}
	}
}

// goodbye ends a stream for the server's own reason. A drained client is told when to come back; who may no longer read is
// told so, and that the stream is complete.
func (e *eventStream) goodbye() {
	why := e.endedBy()
	switch {
	case why == nil: // the client left
	case *why == endDrain || *why == endUnsure:
		delay := time.Second + rand.N(2*time.Second) //nolint:gosec // jitter
		_ = e.write([]byte("retry: " + strconv.FormatInt(delay.Milliseconds(), 10) + "\n\n"))
	default:
		err := gqlerror.List{{Message: "The session has ended. Sign in again.", Extensions: map[string]any{"code": fault.Unauthenticated}}}
		if e.frame("next", "", refusalBody(err)) == nil {
			_ = e.complete()
		}
	}
}

func (e *eventStream) open() error {
	h := e.w.Header()
	h.Set("Content-Type", mediaEvents+"; charset=utf-8")
	h.Set("Cache-Control", "no-store, no-transform")
	h.Set("X-Accel-Buffering", "no") // nginx would hold the events back
	e.w.WriteHeader(http.StatusOK)
	return e.write([]byte(":\n\n"))
}

func (e *eventStream) next(resp *graphql.Response, show *extensions) error {
	e.buf = appendResponse(e.buf[:0], resp, show)
	return e.frame("next", eventCursor(resp.Data), e.buf)
}

func (e *eventStream) complete() error { return e.frame("complete", "", nil) }

func (e *eventStream) frame(event, id string, data []byte) error {
	return e.write(appendEvent(nil, event, id, data))
}

// appendEvent adds one event. JSON as we write it has no line break outside strings, and none unescaped inside.
func appendEvent(b []byte, event, id string, data []byte) []byte {
	b = append(append(b, "event: "...), event...)
	if id != "" {
		b = append(append(b, "\nid: "...), id...)
	}
	b = append(append(b, "\ndata: "...), data...)
	return append(b, "\n\n"...)
}

// write cuts a client that does not read within the deadline.
func (e *eventStream) write(b []byte) error {
	_ = e.control.SetWriteDeadline(time.Now().Add(e.server.limits.WriteTimeout)) // recorders have none
	if _, err := e.w.Write(b); err != nil {                                      //nolint:gosec // JSON in an event stream, with nosniff: no browser renders it
		return err
	}
	return e.control.Flush()
}
