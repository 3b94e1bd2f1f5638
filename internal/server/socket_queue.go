package server

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/gorilla/websocket"
)

// frame is one message on its way to a socket: the envelope, which is the socket's own, and the body between its two
// parts, which many sockets may share and nobody may change.
type frame struct {
	head, body, tail []byte
}

func (f frame) size() int { return len(f.head) + len(f.body) + len(f.tail) }

var (
	errQueueFull   = errors.New("the socket's queue is full")
	errQueueClosed = errors.New("the socket is closed")
)

// queue holds what waits for one socket, up to a number of bytes; one message may be larger, if it is alone. A goroutine
// writes while there is something to write and ends when there is not, so that an idle socket costs none.
type queue struct {
	conn    *websocket.Conn
	limit   int
	timeout time.Duration
	broken  func() // called once when a write fails or takes too long; the queue is closed then

	mu      sync.Mutex
	frames  []frame
	bytes   int
	closed  bool
	writing bool
	room    chan struct{} // closed when bytes were written while somebody waited; nil while nobody does
	writer  sync.WaitGroup
}

// offer queues a frame or returns errQueueFull. It never blocks: a publisher calls it for each of its subscribers.
func (q *queue) offer(f frame) error {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.put(f)
}

// send queues a frame and waits for room as long as a write may take. A replay of many events runs at the pace of a client
// that reads; one that does not is cut.
func (q *queue) send(ctx context.Context, f frame) error {
	timer := time.NewTimer(q.timeout)
	defer timer.Stop()
	for {
		q.mu.Lock()
		err := q.put(f)
		if !errors.Is(err, errQueueFull) {
			q.mu.Unlock()
			return err
		}
		if q.room == nil {
			q.room = make(chan struct{})
		}
		room := q.room
		q.mu.Unlock()
		select {
		case <-room:
		case <-timer.C:
			return errQueueFull
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func (q *queue) put(f frame) error {
	if q.closed {
		return errQueueClosed
	}
	if q.bytes > 0 && q.bytes+f.size() > q.limit {
		return errQueueFull
	}
	q.frames = append(q.frames, f)
	q.bytes += f.size()
	if !q.writing {
		q.writing = true
		q.writer.Go(q.write)
	}
	return nil
}

func (q *queue) write() {
	var buf []byte
	for {
		q.mu.Lock()
		if len(q.frames) == 0 || q.closed {
			q.frames, q.writing = nil, false
			q.mu.Unlock()
			return
		}
		frames := q.frames
		q.frames = nil
		q.mu.Unlock()
		for _, f := range frames {
			buf = append(append(append(buf[:0], f.head...), f.body...), f.tail...)
			if !q.writeOne(buf, f.size()) {
				return
			}
		}
	}
}

func (q *queue) writeOne(b []byte, size int) bool {
	err := q.conn.SetWriteDeadline(time.Now().Add(q.timeout))
	if err == nil {
		err = q.conn.WriteMessage(websocket.TextMessage, b)
	}
	q.mu.Lock()
	q.bytes -= size
	if q.room != nil {
		close(q.room)
		q.room = nil
	}
	closed := q.closed
	if err != nil {
		q.closed, q.writing, q.frames = true, false, nil
	}
	q.mu.Unlock()
	if err != nil && !closed {
		q.broken()
	}
	return err == nil
}

// close drops what waits. A message that is being written is finished.
func (q *queue) close() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.closed = true
	q.frames = nil
	if q.room != nil {
		close(q.room)
		q.room = nil
	}
}

// writeBuffers lends gorilla its write buffers, so that an idle socket holds none.
type writeBuffers struct{ sync.Pool }
