package server

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"github.com/gorilla/websocket"

	"github.com/pursuing-equity/commons/internal/fault"
	"github.com/pursuing-equity/commons/internal/gid"
)

// socket is one websocket. One goroutine reads; each operation has one while it runs; the queue has one while it writes.
type socket struct {
	server *Server
	conn   *websocket.Conn
	out    *queue
	ctx    context.Context // ends with the socket
	cancel context.CancelFunc
	log    *slog.Logger
	addr   string

	acked bool // the reader's own

	mu      sync.Mutex
	inited  bool
	session Session
	running map[string]*socketOperation
	timers  []*time.Timer
	closing int // the close code that we sent; 0: none
	tasks   sync.WaitGroup
}

// socketOperation is one running operation; its pointer tells it from a later one with the same id.
type socketOperation struct {
	cancel context.CancelFunc
}

// serveSocket upgrades the request. It returns at once, so that net/http frees its goroutine and buffers; the socket's reader
// lives on its own and the registry knows it.
func (s *Server) serveSocket(w http.ResponseWriter, r *http.Request) {
	refuse := func(err error) { s.writeRefusal(w, s.refuse(r.Context(), err), mediaJSON) }
	if !s.origins.socketAllowed(r) {
		refuse(fault.New(fault.Forbidden, "Pages of this origin may not open a websocket here."))
		return
	}
	if s.live.draining() {
		refuse(fault.New(fault.Unavailable, "This server is about to stop. Try again."))
		return
	}
	session, err := s.authenticate(r.Context(), r.Header.Values("Authorization"))
	if err != nil {
		refuse(err)
		return
	}
	recordOf(r.Context()).upgrade()
	conn, err := s.upgrader.Upgrade(w, r, nil)
	if err != nil {
		return // gorilla has answered
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(r.Context()))
	k := &socket{
		server: s, conn: conn, ctx: ctx, cancel: cancel, log: s.logger(r.Context()), addr: s.cfg.ClientAddr(r),
		session: session, running: map[string]*socketOperation{},
	}
	k.out = &queue{conn: conn, limit: s.limits.QueueBytes, timeout: s.limits.WriteTimeout, broken: k.kill}
	if !s.live.add(k) {
		cancel()
		_ = conn.WriteControl(websocket.CloseMessage, websocket.FormatCloseMessage(closeRestart, "restart"), time.Now().Add(time.Second))
		_ = conn.Close()
		return
	}
	go k.run()
}

// run owns the socket from the upgrade to the end, and leaves nothing behind.
func (k *socket) run() {
	s := k.server
	s.metrics.sockets.Inc()
	started := time.Now()
	defer func() {
		k.stop()
		s.metrics.sockets.Dec()
		code := k.closeCode()
		s.metrics.closed(code)
		k.log.InfoContext(k.ctx, "socket closed", "code", code, "duration", time.Since(started))
		s.live.remove(k)
	}()
	k.conn.SetReadLimit(int64(s.limits.BodyBytes))
	k.extend()
	k.conn.SetPongHandler(func(string) error {
		k.extend()
		return nil
	})
	if k.conn.Subprotocol() != subprotocol {
		k.close(closeSubprotocol, "Subprotocol not acceptable")
	} else {
		k.after(s.limits.InitTimeout, k.initTimeout)
		k.after(s.limits.PingInterval, k.ping)
	}
	for {
		kind, data, err := k.conn.ReadMessage()
		if err != nil {
			return
		}
		if k.closeCode() != 0 {
			continue // until the peer answers our close frame
		}
		if kind != websocket.TextMessage {
			k.close(closeBadRequest, "Only text messages")
			continue
		}
		k.handle(data)
	}
}

// stop waits for everything that the socket started.
func (k *socket) stop() {
	k.cancel()
	k.mu.Lock()
	if k.closing == 0 {
		k.closing = closedByPeer
	}
	for _, t := range k.timers {
		t.Stop()
	}
	k.mu.Unlock()
	k.out.close()
	_ = k.conn.Close()
	k.tasks.Wait()
	k.out.writer.Wait()
}

// closedByPeer stands for the close code of a socket that we did not close.
const closedByPeer = -1

func (k *socket) closeCode() int {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.closing
}

// after runs f later unless the socket has ended; k's stop waits for it when it has begun.
func (k *socket) after(d time.Duration, f func()) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.closing != 0 {
		return
	}
	k.timers = append(k.timers, time.AfterFunc(d, func() { k.task(f) }))
}

// task runs f, counted, unless the socket is closing.
func (k *socket) task(f func()) {
	k.mu.Lock()
	if k.closing != 0 {
		k.mu.Unlock()
		return
	}
	k.tasks.Add(1)
	k.mu.Unlock()
	defer k.tasks.Done()
	f()
}

// extend is the proof of life: only pongs count. A peer that sends but does not read would otherwise stay for ever.
func (k *socket) extend() {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.closing == 0 {
		_ = k.conn.SetReadDeadline(time.Now().Add(k.server.limits.PongTimeout)) // fails on a closed connection only
	}
}

func (k *socket) ping() {
	if k.conn.WriteControl(websocket.PingMessage, nil, time.Now().Add(k.server.limits.WriteTimeout)) != nil {
		k.kill()
		return
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.closing == 0 {
		k.timers[pingTimer].Reset(k.server.limits.PingInterval)
	}
}

// pingTimer is the place of the ping among the timers: the init timeout is set first, the ping second.
const pingTimer = 1

func (k *socket) initTimeout() {
	k.mu.Lock()
	inited := k.inited
	k.mu.Unlock()
	if !inited {
		k.close(closeInitTimeout, "Connection initialisation timeout")
	}
}

// close says goodbye with a code and gives the peer a moment to answer. It does not block. The first code stays.
func (k *socket) close(code int, reason string) {
	k.mu.Lock()
	if k.closing != 0 {
		k.mu.Unlock()
		return
	}
	k.closing = code
	k.tasks.Add(1)
	k.mu.Unlock()
	k.cancel()
	k.out.close()
	grace := k.server.limits.CloseGrace
	// The reader goes on, so that the close frame is not lost to a reset with unread messages behind it.
	_ = k.conn.SetReadDeadline(time.Now().Add(2 * grace)) // fails on a closed connection only
	go func() {
		defer k.tasks.Done()
		if len(reason) > maxCloseReasonBytes {
			reason = reason[:maxCloseReasonBytes]
		}
		message := websocket.FormatCloseMessage(code, reason)
		if k.conn.WriteControl(websocket.CloseMessage, message, time.Now().Add(grace)) != nil {
			_ = k.conn.Close()
		}
	}()
}

// kill cuts a socket that cannot even take a close frame.
func (k *socket) kill() {
	k.cancel()
	_ = k.conn.Close()
}

func (k *socket) token() gid.ID {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.session.Viewer.TokenID()
}

func (k *socket) end(why ending) {
	switch why {
	case endExpired:
		k.close(closeUnauthorized, "Session expired")
	case endRevoked:
		k.close(closeUnauthorized, "Session revoked")
	case endUnsure:
		k.close(closeTryLater, "Try again later")
	default:
		k.close(closeRestart, "Service restart")
	}
}

// push queues a frame for an operation and closes the socket when the peer does not keep up.
func (k *socket) push(ctx context.Context, f frame) bool {
	err := k.out.send(ctx, f)
	if errors.Is(err, errQueueFull) {
		k.close(closeTryLater, "Too slow")
	}
	return err == nil
}

// say queues a frame from the reader, which must not wait.
func (k *socket) say(f frame) {
	if errors.Is(k.out.offer(f), errQueueFull) {
		k.close(closeTryLater, "Too slow")
	}
}
