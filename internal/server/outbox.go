package server

import (
	"context"
	"encoding/binary"
	"errors"
	"net"
	"sync"
	"syscall"
	"time"

	"github.com/pursuing-equity/commons/internal/event"
)

const (
	// framesPerWrite and bytesPerWrite are how much one system call takes: coalescing is what makes bursts cheap.
	framesPerWrite = 128
	bytesPerWrite  = 64 << 10
)

var (
	errQueueFull   = errors.New("the socket's queue is full")
	errQueueClosed = errors.New("the socket is closed")
)

// frame is one message on its way to a socket: the envelope, which is the socket's own, and the body between its two
// parts, which many sockets may share and nobody may change.
type frame struct {
	head, body, tail []byte
	framed           bool // head is bytes as they go onto the wire: a control frame, or the rest of something
	rest             bool // the rest of what was begun: it must go out whatever happens
}

func (f frame) size() int { return len(f.head) + len(f.body) + len(f.tail) }

// outbox is the one way out of a websocket. It is the net.Conn that gorilla writes its control frames to, so that they, too, take
// their place between our messages.
//
// A write is tried at once and without waiting; what the network does not take waits, up to a number of bytes, and a goroutine
// writes it with a deadline and ends when nothing is left. An idle socket costs no goroutine and no buffer, and nobody
// blocks on a socket that does not read.
type outbox struct {
	net.Conn
	raw     syscall.RawConn // nil where there is none: then the goroutine writes everything
	limit   int
	timeout time.Duration
	broken  func() // called once when a write fails or makes no progress; the outbox is closed then

	mu       sync.Mutex
	waiting  []frame
	bytes    int
	closed   bool
	flushing bool
	room     chan struct{} // closed when bytes were written while somebody waited; nil while nobody does
	flusher  sync.WaitGroup
	now      attempt
}

func newOutbox(conn net.Conn, limit int, timeout time.Duration) *outbox {
	o := &outbox{Conn: conn, limit: limit, timeout: timeout, broken: func() {}}
	if c, ok := conn.(syscall.Conn); ok {
		o.raw, _ = c.SyscallConn() // nil on an error
	}
	return o
}

// scratch lends the buffers in which messages are put together.
var scratch = sync.Pool{New: func() any {
	b := make([]byte, 0, bytesPerWrite+4<<10)
	return &b
}}

// offer queues messages in their order: errQueueFull when more would wait than may. It never blocks.
func (o *outbox) offer(frames ...frame) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, f := range frames {
		if err := o.put(f); err != nil {
			return err
		}
	}
	return nil
}

// offerShared queues events that others get as well, in the envelope of an operation. Live says, under the outbox's lock, whether
// the operation still wants them.
func (o *outbox) offerShared(head, tail []byte, events []event.Frame, live func() bool) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	switch {
	case o.closed:
		return errQueueClosed
	case !live():
		return nil
	}
	for len(events) > 0 && !o.flushing && o.raw != nil {
		buffer, _ := scratch.Get().(*[]byte)
		b := (*buffer)[:0]
		n := 0
		for n < len(events) && n < framesPerWrite && (n == 0 || len(b)+len(events[n].Body) < bytesPerWrite) {
			b = appendFrame(b, frame{head: head, body: events[n].Body, tail: tail})
			n++
		}
		events = events[n:]
		err := o.try(b)
		if *buffer = b[:0]; cap(b) <= 2*bytesPerWrite {
			scratch.Put(buffer)
		}
		if err != nil {
			return err
		}
	}
	for _, e := range events {
		if err := o.wait(frame{head: head, body: e.Body, tail: tail}); err != nil {
			return err
		}
	}
	return nil
}

// put sends or queues one message. It is called under the lock.
func (o *outbox) put(f frame) error {
	if o.closed {
		return errQueueClosed
	}
	if o.flushing || o.raw == nil || f.size() > bytesPerWrite {
		return o.wait(f)
	}
	buffer, _ := scratch.Get().(*[]byte)
	defer scratch.Put(buffer)
	*buffer = appendFrame((*buffer)[:0], f)
	return o.try(*buffer)
}

// try writes what the network takes at once, and lets the rest wait. It is called under the lock, when nothing waits.
func (o *outbox) try(b []byte) error {
	n, err := o.now.write(o.raw, b)
	if err != nil {
		return err
	}
	if n < len(b) {
		o.waiting = append(o.waiting, frame{head: append([]byte(nil), b[n:]...), framed: true, rest: true})
		o.bytes += len(b) - n
		o.start()
	}
	return nil
}

// wait queues a message behind the others. A message may be larger than the limit if it is alone.
func (o *outbox) wait(f frame) error {
	if o.bytes > 0 && o.bytes+f.size() > o.limit {
		return errQueueFull
	}
	o.waiting = append(o.waiting, f)
	o.bytes += f.size()
	o.start()
	return nil
}

func (o *outbox) start() {
	if !o.flushing {
		o.flushing = true
		o.flusher.Go(o.flush)
	}
}

// flush writes what waits until nothing does.
func (o *outbox) flush() {
	var b []byte
	for {
		o.mu.Lock()
		if len(o.waiting) == 0 {
			o.waiting, o.flushing = nil, false
			o.mu.Unlock()
			return
		}
		n, size := 0, 0
		b = b[:0]
		for n < len(o.waiting) && n < framesPerWrite && (n == 0 || len(b)+o.waiting[n].size() < bytesPerWrite) {
			size += o.waiting[n].size()
			b = appendFrame(b, o.waiting[n])
			o.waiting[n] = frame{}
			n++
		}
		o.waiting = o.waiting[n:]
		o.mu.Unlock()

		err := o.Conn.SetWriteDeadline(time.Now().Add(o.timeout))
		if err == nil {
			_, err = o.Conn.Write(b)
		}
		o.mu.Lock()
		o.bytes -= size
		o.wakeWaiters()
		if err != nil {
			o.closed, o.waiting, o.flushing = true, nil, false
			o.mu.Unlock()
			o.broken()
			return
		}
		o.mu.Unlock()
		if cap(b) > 4*bytesPerWrite {
			b = nil
		}
	}
}

func (o *outbox) wakeWaiters() {
	if o.room != nil {
		close(o.room)
		o.room = nil
	}
}

// ready waits until less than half of the limit waits, so that a long replay runs at the pace of a client that reads. One that
// does not read is cut by the flusher's deadline.
func (o *outbox) ready(ctx context.Context) error {
	for {
		o.mu.Lock()
		if o.closed {
			o.mu.Unlock()
			return errQueueClosed
		}
		if o.bytes < o.limit/2 {
			o.mu.Unlock()
			return ctx.Err()
		}
		if o.room == nil {
			o.room = make(chan struct{})
		}
		room := o.room
		o.mu.Unlock()
		select {
		case <-room:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// close takes no more messages and drops those that wait, but for the rest of one that was begun.
func (o *outbox) close() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.closed = true
	kept := o.waiting[:0]
	o.bytes = 0
	for _, f := range o.waiting {
		if f.rest {
			kept = append(kept, f)
			o.bytes += f.size()
		}
	}
	o.waiting = kept
	o.wakeWaiters()
}

// Write takes what gorilla writes: the handshake and control frames. It does not block.
func (o *outbox) Write(b []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	switch {
	case o.flushing && o.bytes > 2*o.limit: // a client that sends pings and does not read the pongs
		return 0, errQueueFull
	case o.flushing, o.raw == nil:
		o.waiting = append(o.waiting, frame{head: append([]byte(nil), b...), framed: true, rest: true})
		o.bytes += len(b)
		o.start()
	default:
		if err := o.try(b); err != nil {
			return 0, err
		}
	}
	return len(b), nil
}

// SetWriteDeadline does nothing: the flusher sets its own.
func (o *outbox) SetWriteDeadline(time.Time) error { return nil }

// appendFrame adds a message as one websocket text frame (RFC 6455, 5.2); a server does not mask.
func appendFrame(b []byte, f frame) []byte {
	if f.framed {
		return append(b, f.head...)
	}
	const finalText = 0x80 | 1
	switch n := f.size(); {
	case n < 126:
		b = append(b, finalText, byte(n))
	case n < 1<<16:
		b = append(b, finalText, 126, byte(n>>8), byte(n))
	default:
		b = append(b, finalText, 127)
		b = binary.BigEndian.AppendUint64(b, uint64(n))
	}
	return append(append(append(b, f.head...), f.body...), f.tail...)
}

// writeBuffers lends gorilla its write buffers, so that an idle socket holds none.
type writeBuffers struct{ sync.Pool }
