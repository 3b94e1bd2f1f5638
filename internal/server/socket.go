package server

import (
	"bufio"
	"context"
	"errors"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/gorilla/websocket"

	"github.com/pursuing-equity/commons/internal/fault"
	"github.com/pursuing-equity/commons/internal/viewer"
)

// socket is one websocket. One goroutine reads; an operation has one until it is live or done; the outbox has one while the
// network does not take what is to be written.
type socket struct {
	server *Server
	conn   *websocket.Conn
	out    *outbox
	ctx    context.Context // ends with the socket
	cancel context.CancelFunc
	rec    *record

	mu      sync.Mutex
	inited  bool // connection_init came
	acked   bool // and was answered
	session Session
	running map[string]*socketOperation
	timer   *time.Timer // of init, then of pings
	expiry  *time.Timer // nil: the session does not expire
	closing int         // the close code that we sent; 0: none
	tasks   sync.WaitGroup
}

// serveSocket upgrades the request. It returns at once, so that net/http frees its goroutine and buffers; the socket's reader
// lives on its own and the registry knows it.
func (s *Server) serveSocket(w http.ResponseWriter, r *http.Request) {
	refuse := func(err error) { s.writeRefusal(w, s.refuse(r.Context(), err), mediaJSON) }
	if !s.origins.socketAllowed(r) {
		refuse(fault.New(fault.Forbidden, "Pages of this origin may not open a websocket here."))
		return
	}
	if s.cookieWithoutOrigin(r) {
		refuse(fault.New(fault.Forbidden, "A websocket that is signed in by a cookie needs an Origin header."))
		return
	}
	if s.live.draining() {
		refuse(stopping())
		return
	}
	session, err := s.signIn(w, r)
	if err != nil {
		refuse(err)
		return
	}
	rec := recordOf(r.Context())
	holder := caller{session: session, address: rec.address}.key()
	if err := s.live.room(holder); err != nil {
		refuse(err)
		return
	}
	rec.upgrade()
	to := &hijacked{ResponseWriter: w, limits: s.limits}
	conn, err := s.upgrader.Upgrade(to, r, http.Header{"Set-Cookie": w.Header().Values("Set-Cookie")})
	if err != nil {
		return // gorilla has answered
	}
	ctx, cancel := context.WithCancel(withRecord(context.Background(), rec)) // the request's own would hold the request
	k := &socket{
		server: s, conn: conn, out: to.out, ctx: ctx, cancel: cancel, rec: rec,
		session: session, running: map[string]*socketOperation{},
	}
	k.out.broken = k.kill
	if s.live.add(k, holder) != nil { // the last room went to another, or the drain began
		cancel()
		_ = conn.WriteControl(websocket.CloseMessage, websocket.FormatCloseMessage(closeRestart, "restart"), time.Now().Add(time.Second))
		_ = conn.Close()
		return
	}
	s.signedIn(session)
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
		s.logger(k.ctx).InfoContext(k.ctx, "socket closed", "code", code, "duration", time.Since(started))
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
		k.watch()
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
	for _, t := range []*time.Timer{k.timer, k.expiry} {
		if t != nil {
			t.Stop()
		}
	}
	running := k.running
	k.running = nil
	k.mu.Unlock()
	k.out.close()
	_ = k.conn.Close()
	for _, op := range running {
		op.leave()
	}
	k.tasks.Wait()
	k.out.flusher.Wait()
}

// closedByPeer stands for the close code of a socket that we did not close.
const closedByPeer = -1

func (k *socket) closeCode() int {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.closing
}

// watch begins with the init timeout; its timer goes on with pings.
func (k *socket) watch() {
	limits := k.server.limits
	first := min(limits.InitTimeout, limits.PingInterval)
	began := time.Now()
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.closing != 0 {
		return
	}
	k.timer = time.AfterFunc(first, func() {
		k.task(func() {
			k.mu.Lock()
			inited := k.inited
			k.mu.Unlock()
			if left := limits.InitTimeout - time.Since(began); !inited && left <= 0 {
				k.close(closeInitTimeout, "Connection initialisation timeout")
				return
			}
			k.ping()
		})
	})
}

// expire ends the socket with the session.
func (k *socket) expire(after time.Duration) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.closing == 0 {
		k.expiry = time.AfterFunc(after, func() { k.end(endExpired) })
	}
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
		next := k.server.limits.PingInterval
		if !k.inited {
			next = min(next, k.server.limits.InitTimeout)
		}
		k.timer.Reset(next)
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
	for _, op := range k.running {
		op.cancel()
	}
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

// holder is whose connection it is, once it has signed in.
func (k *socket) holder(session Session) string {
	return caller{session: session, address: k.rec.address}.key()
}

func (k *socket) who() viewer.Viewer {
	k.mu.Lock()
	defer k.mu.Unlock()
	return k.session.Viewer
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

// push queues a frame for an operation once there is room.
func (k *socket) push(ctx context.Context, f frame) bool {
	return k.out.ready(ctx) == nil && k.say(f)
}

// say queues a frame and does not wait.
func (k *socket) say(f frame) bool { return k.wrote(k.out.offer(f)) }

// wrote takes the outbox's word on what became of a message.
func (k *socket) wrote(err error) bool {
	switch {
	case err == nil:
		return true
	case errors.Is(err, errQueueFull):
		k.close(closeTryLater, "Too slow")
	case !errors.Is(err, errQueueClosed):
		k.kill()
	}
	return false
}

// hijacked gives gorilla the outbox in place of the network.
type hijacked struct {
	http.ResponseWriter
	limits Limits
	out    *outbox
}

// Hijack is what gorilla asks for.
func (h *hijacked) Hijack() (net.Conn, *bufio.ReadWriter, error) {
	conn, rw, err := http.NewResponseController(h.ResponseWriter).Hijack()
	if err != nil {
		return nil, nil, err
	}
	h.out = newOutbox(conn, h.limits.QueueBytes, h.limits.WriteTimeout)
	return h.out, rw, nil
}
