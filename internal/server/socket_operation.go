package server

import (
	"context"
	"log/slog"

	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

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
			op.cancel()
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
	if len(auth) > 0 {
		session, err = k.server.authenticate(k.ctx, auth)
		switch {
		case err == nil:
		case fault.Is(err, fault.Unauthenticated):
			k.close(closeForbidden, "Forbidden")
			return
		default:
			k.log.ErrorContext(k.ctx, "authenticate socket", "error", err.Error())
			k.close(closeTryLater, "Try again later")
			return
		}
	}
	k.mu.Lock()
	k.session = session
	k.mu.Unlock()
	if !session.Expires.IsZero() {
		k.after(session.Expires.Sub(k.server.cfg.Now()), func() { k.end(endExpired) })
	}
	k.acked = true
	k.say(plainFrame("connection_ack"))
}

// subscribe starts an operation: of any type but mutation, which belongs to POST, where it can be retried and logged alone.
func (k *socket) subscribe(m message) {
	s := k.server
	if !k.acked {
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
	ctx, cancel := context.WithCancel(k.ctx)
	op := &socketOperation{cancel: cancel}
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
		k.operate(ctx, m.ID, op, session, req)
	}()
}

// operate runs one operation to its end and tells the client how it ended, unless the client ended it.
func (k *socket) operate(ctx context.Context, id string, running *socketOperation, session Session, req *request) {
	s := k.server
	rec := &record{requestID: recordOf(k.ctx).requestID, started: s.cfg.Now()}
	ctx = withRecord(ctx, rec)
	last := completeFrame(id)
	if failed := k.stream(ctx, id, session, req); failed != nil {
		last = errorFrame(id, failed)
	}
	k.mu.Lock()
	current := k.running[id] == running
	if current {
		delete(k.running, id) // before the client reads the end: it may use the id again
	}
	k.mu.Unlock()
	if current {
		k.push(ctx, last)
	}
	kind, code := rec.outcome()
	took := s.cfg.Now().Sub(rec.started)
	s.metrics.operation(kind, code, took)
	s.log.LogAttrs(ctx, slog.LevelInfo, "socket operation", append(rec.attrs(), slog.Duration("duration", took))...)
}

// stream sends the operation's responses. It returns the errors that a client must read as the operation's end.
func (k *socket) stream(ctx context.Context, id string, session Session, req *request) gqlerror.List {
	s := k.server
	who := caller{
		session: session, addr: k.addr,
		noMutate: fault.New(fault.MethodNotAllowed, "Send mutations with POST to /graphql; a websocket carries queries and subscriptions."),
	}
	ctx, op, err := s.accept(ctx, who, req)
	if err != nil {
		return s.refuse(ctx, err).errs
	}
	if op.kind != ast.Subscription {
		resp := op.execute(ctx)
		if ctx.Err() != nil {
			return nil
		}
		k.push(ctx, nextFrame(id, appendResponse(nil, resp, op.extensions(resp))))
		return nil
	}
	live := s.metrics.subscriptions.WithLabelValues("websocket")
	live.Inc()
	defer live.Dec()
	sub := op.subscribe(ctx)
	if sub.failed != nil {
		return sub.failed
	}
	for {
		resp, failed := sub.event()
		if resp == nil {
			return failed
		}
		if ctx.Err() != nil || !k.push(ctx, nextFrame(id, appendResponse(nil, resp, resp.Extensions))) {
			return nil
		}
	}
}
