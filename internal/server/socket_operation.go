package server

import (
	"context"
	"log/slog"
	"sync/atomic"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"github.com/pursuing-equity/commons/internal/event"
	"github.com/pursuing-equity/commons/internal/fault"
)

// handle takes one message of the client. It runs in the reader.
func (k *socket) handle(data []byte) {
	m, err := readMessage(data)
	if err != nil {
		k.close(closeBadRequest, "Invalid message")
		return
	}
	switch m.Type {
	case "connection_init":
		k.init(m)
	case "ping":
		k.say(plainFrame("pong"))
	case "pong":
	case "subscribe":
		k.subscribe(m)
	case "complete":
		if m.ID == "" {
			k.close(closeBadRequest, "complete without an id")
			return
		}
		k.mu.Lock()
		op := k.running[m.ID]
		delete(k.running, m.ID)
		k.mu.Unlock()
		if op != nil {
			op.leave()
		}
	default:
		k.close(closeBadRequest, "Invalid message type")
	}
}

// init takes the session from the payload. One in the upgrade's header stays unless the payload brings its own.
func (k *socket) init(m message) {
	k.mu.Lock()
	again := k.inited
	k.inited = true
	session := k.session
	k.mu.Unlock()
	if again {
		k.close(closeTooManyInits, "Too many initialisation requests")
		return
	}
	auth, err := readInit(m.Payload)
	if err != nil {
		k.close(closeBadRequest, "Invalid connection_init")
		return
	}
	if len(auth) == 0 {
		k.acknowledge(session)
		return
	}
	// Not in the reader, whose stack would keep the size that a database call needs.
	go k.task(func() {
		session, err := k.server.authenticate(k.ctx, auth, k.rec.address)
		switch {
		case err == nil:
			k.acknowledge(session)
			k.server.signedIn(session)
		case fault.Is(err, fault.Unauthenticated):
			k.close(closeForbidden, "Forbidden")
		default:
			k.server.logger(k.ctx).ErrorContext(k.ctx, "authenticate socket", "error", err.Error())
			k.close(closeTryLater, "Try again later")
		}
	})
}

func (k *socket) acknowledge(session Session) {
	if err := k.server.live.move(k, k.holder(session)); err != nil {
		k.close(closeTryLater, "Too many connections")
		return
	}
	k.mu.Lock()
	k.session, k.acked = session, true
	k.mu.Unlock()
	if !session.Expires.IsZero() {
		k.expire(session.Expires.Sub(k.server.cfg.Now()))
	}
	k.say(plainFrame("connection_ack"))
}

// subscribe starts an operation: of any type but mutation, which belongs to POST, where it can be retried and logged alone.
func (k *socket) subscribe(m message) {
	s := k.server
	k.mu.Lock()
	acked := k.acked
	k.mu.Unlock()
	if !acked {
		k.close(closeUnauthorized, "Unauthorized")
		return
	}
	if m.ID == "" || m.Payload == nil {
		k.close(closeBadRequest, "subscribe needs an id and a payload")
		return
	}
	req, err := readRequest(m.Payload)
	if err != nil {
		k.close(closeBadRequest, "Invalid subscribe payload")
		return
	}
	ctx, cancel := context.WithCancel(withRecord(context.Background(), k.rec)) // a child of the socket's would stay in its list
	op := &socketOperation{socket: k, id: m.ID, cancel: cancel}
	k.mu.Lock()
	_, duplicate := k.running[m.ID]
	full := len(k.running) >= s.limits.Operations
	if k.closing != 0 || duplicate || full {
		k.mu.Unlock()
		cancel()
		switch {
		case duplicate:
			k.close(closeDuplicate, "Subscriber for "+m.ID+" already exists")
		case full:
			f := fault.New(fault.LimitReached, "A socket carries %d operations at most. Complete one first.", s.limits.Operations)
			k.say(errorFrame(m.ID, s.refuse(ctx, f).errs))
		}
		return
	}
	k.running[m.ID] = op
	k.tasks.Add(1)
	session := k.session
	k.mu.Unlock()
	go func() {
		defer k.tasks.Done()
		defer cancel()
		op.run(ctx, session, req)
	}()
}

// socketOperation is one running operation; its pointer tells it from a later one with the same id.
type socketOperation struct {
	socket *socket
	id     string
	cancel context.CancelFunc
	rec    *record // of the operation, from when it runs
	head   []byte  // of its messages, while it is live

	sub  *event.Subscription // live; under the socket's lock
	gone atomic.Bool         // nothing more is sent
}

// run runs the operation. A subscription to the log is live when run returns; of everything else it is the end.
func (op *socketOperation) run(ctx context.Context, session Session, req *request) {
	s := op.socket.server
	op.rec = &record{requestID: op.socket.rec.requestID, started: s.cfg.Now()}
	ctx = withRecord(ctx, op.rec)
	switch failed, live := op.stream(ctx, session, req); {
	case live:
	case failed != nil:
		op.finish(ctx, errorFrame(op.id, failed))
	default:
		op.finish(ctx, completeFrame(op.id))
	}
}

// stream sends the operation's responses until they end or come from the log. It returns the errors that a client must read
// as the operation's end.
func (op *socketOperation) stream(ctx context.Context, session Session, req *request) (failed gqlerror.List, live bool) {
	k, s := op.socket, op.socket.server
	who := caller{
		session: session, address: k.rec.address,
		noMutate: fault.New(fault.MethodNotAllowed, "Send mutations with POST to /graphql; a websocket carries queries and subscriptions."),
	}
	ctx, accepted, err := s.accept(ctx, who, req)
	if err != nil {
		return s.refuse(ctx, err).errs, false
	}
	if accepted.kind != ast.Subscription {
		resp, refused := accepted.execute(ctx)
		if refused != nil {
			return refused.errs, false
		}
		if ctx.Err() == nil {
			k.push(ctx, nextFrame(op.id, appendResponse(nil, resp, accepted.extensions())))
		}
		return nil, false
	}
	gauge := s.metrics.subscriptions.WithLabelValues("websocket")
	gauge.Inc()
	defer func() {
		if !live {
			gauge.Dec()
		}
	}()
	op.head = append(envelope(op.id, "next"), `,"payload":`...)
	sub := accepted.subscribe(ctx, op)
	switch {
	case sub.failed != nil:
		return sub.failed.errs, false
	case sub.shared != nil:
		return op.join(ctx, sub.shared)
	}
	for {
		resp, failed := sub.event()
		if resp == nil {
			return failed, false
		}
		if ctx.Err() != nil || !k.push(ctx, nextFrame(op.id, appendResponse(nil, resp, nil))) {
			return nil, false
		}
	}
}

// join makes the subscription live.
func (op *socketOperation) join(ctx context.Context, sub *event.Subscription) (failed gqlerror.List, live bool) {
	k := op.socket
	if err := sub.Live(ctx); err != nil {
		sub.Leave()
		if ctx.Err() == nil {
			failed = k.server.refuse(ctx, err).errs
		}
		return failed, false
	}
	k.mu.Lock()
	op.sub, op.cancel = sub, func() {} // the context has served
	current := k.running[op.id] == op
	k.mu.Unlock()
	if !current { // the client completed it, or it ended, meanwhile
		sub.Leave()
		return nil, false
	}
	return nil, true
}

// finish tells the client how the operation ended, unless the client ended it.
func (op *socketOperation) finish(ctx context.Context, last frame) {
	k := op.socket
	k.mu.Lock()
	current := k.running[op.id] == op
	if current {
		delete(k.running, op.id) // before the client reads the end: it may use the id again
	}
	k.mu.Unlock()
	if current {
		k.say(last)
	}
	op.record(ctx)
}

// leave ends an operation that the client, or the socket's end, took away.
func (op *socketOperation) leave() {
	op.gone.Store(true)
	op.socket.mu.Lock()
	sub, cancel := op.sub, op.cancel
	op.socket.mu.Unlock()
	cancel()
	if sub != nil {
		sub.Leave()
		op.left()
		op.record(op.socket.ctx)
	}
}

// left counts a live subscription out.
func (op *socketOperation) left() {
	op.socket.server.metrics.subscriptions.WithLabelValues("websocket").Dec()
}

// record writes the operation's line in the log.
func (op *socketOperation) record(ctx context.Context) {
	s := op.socket.server
	kind, code := op.rec.outcome()
	took := s.cfg.Now().Sub(op.rec.started)
	s.metrics.operation(kind, code, took)
	s.log.LogAttrs(ctx, slog.LevelInfo, "socket operation", append(op.rec.attrs(), slog.Duration("duration", took))...)
}

// Send queues events for the socket.
func (op *socketOperation) Send(frames []event.Frame) {
	k := op.socket
	k.wrote(k.out.offerShared(op.head, closingBrace, frames, func() bool { return !op.gone.Load() }))
}

// Ready waits until the socket takes more.
func (op *socketOperation) Ready(ctx context.Context) error { return op.socket.out.ready(ctx) }

// End tells the client why the subscription is over.
func (op *socketOperation) End(err error) {
	k := op.socket
	if fault.Is(err, fault.Unauthenticated) { // all that the socket does is over, not only this
		k.end(endRevoked)
		return
	}
	ctx := withRecord(k.ctx, op.rec)
	errs := k.server.refuse(ctx, err).errs
	k.mu.Lock()
	current, live := k.running[op.id] == op, op.sub != nil
	if current {
		delete(k.running, op.id)
	}
	k.mu.Unlock()
	if !current {
		return
	}
	op.gone.Store(true)
	k.say(errorFrame(op.id, errs))
	if live {
		op.left()
		op.record(ctx)
	}
}

var closingBrace = []byte("}")
