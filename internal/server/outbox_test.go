package server

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pursuing-equity/commons/internal/event"
)

// pair is two ends of a connection.
func pair(t *testing.T) (here, there net.Conn) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // a test's own listener
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = ln.Close() }()
	accepted := make(chan net.Conn, 1)
	go func() {
		c, err := ln.Accept()
		if err == nil {
			accepted <- c
		}
		close(accepted)
	}()
	there, err = net.Dial("tcp", ln.Addr().String()) //nolint:noctx // loopback
	if err != nil {
		t.Fatal(err)
	}
	here = <-accepted
	t.Cleanup(func() { _, _ = here.Close(), there.Close() })
	return here, there
}

// readFrame reads one unmasked websocket frame.
func readFrame(r *bufio.Reader) (opcode byte, payload string, err error) {
	var head [2]byte
	if _, err = io.ReadFull(r, head[:]); err != nil {
		return 0, "", err
	}
	size := uint64(head[1])
	switch head[1] {
	case 126:
		var n [2]byte
		_, err = io.ReadFull(r, n[:])
		size = uint64(binary.BigEndian.Uint16(n[:]))
	case 127:
		var n [8]byte
		_, err = io.ReadFull(r, n[:])
		size = binary.BigEndian.Uint64(n[:])
	}
	b := make([]byte, size)
	if err == nil {
		_, err = io.ReadFull(r, b)
	}
	return head[0] & 15, string(b), err
}

// However the network takes it, whole messages arrive, each writer's in its order, control frames between them.
func TestOutboxKeepsMessagesWhole(t *testing.T) {
	here, there := pair(t)
	if c, ok := here.(*net.TCPConn); ok {
		_ = c.SetWriteBuffer(4096) // so that it is full most of the time
	}
	o := newOutbox(here, 1<<20, 10*time.Second)
	o.broken = func() { t.Error("broken") }
	const each = 400
	text := func(writer, n int) string {
		return fmt.Sprintf("%d %d %s", writer, n, strings.Repeat("x", (n*7919)%(20_000+n)))
	}
	var writers sync.WaitGroup
	room := func() {
		if err := o.ready(t.Context()); err != nil {
			t.Error(err)
		}
	}
	writers.Go(func() { // answers
		for n := range each {
			room()
			if err := o.offer(frame{head: []byte(text(0, n))}); err != nil {
				t.Error(err)
			}
		}
	})
	writers.Go(func() { // events, several at a time
		for n := 0; n < each; n += 4 {
			room()
			var events []event.Frame
			for k := range 4 {
				events = append(events, event.Frame{Body: []byte(strings.TrimPrefix(text(1, n+k), "1 "))})
			}
			if err := o.offerShared([]byte("1 "), nil, events, func() bool { return true }); err != nil {
				t.Error(err)
			}
		}
	})
	writers.Go(func() { // pings, as gorilla writes them
		for n := range each {
			payload := fmt.Sprintf("2 %d ", n)
			if _, err := o.Write(append([]byte{0x80 | 9, byte(len(payload))}, payload...)); err != nil {
				t.Error(err)
			}
		}
	})
	var next [3]int
	_ = there.SetReadDeadline(time.Now().Add(30 * time.Second))
	r := bufio.NewReader(there)
	for range 3 * each {
		opcode, payload, err := readFrame(r)
		if err != nil {
			t.Fatalf("after %v: %v", next, err)
		}
		var writer, n int
		if _, err := fmt.Sscanf(payload, "%d %d ", &writer, &n); err != nil || n != next[writer] {
			t.Fatalf("%.20q where %v is next: %v", payload, next, err)
		}
		if (opcode == 9) != (writer == 2) || writer != 2 && payload != text(writer, n) {
			t.Fatalf("message %d of writer %d is not whole", n, writer)
		}
		next[writer]++
	}
	writers.Wait()
	o.flusher.Wait()
}

// A client that reads nothing costs no more than the limit, and nobody waits for it.
func TestOutboxIsBounded(t *testing.T) {
	here, _ := pair(t)
	broken := make(chan struct{})
	o := newOutbox(here, 100_000, 500*time.Millisecond)
	o.broken = func() { close(broken) }
	body := []byte(strings.Repeat("x", 1000))
	// The queue is also full when messages come faster than the network takes them; then there is room again, and it goes on until the
	// network takes nothing more.
	taken, most := 0, 0
	var err error
	for taken < 20_000 && !errors.Is(err, errQueueClosed) {
		if err = o.offer(frame{body: body}); err == nil {
			taken++
		} else if errors.Is(err, errQueueFull) {
			err = o.ready(t.Context())
		}
		o.mu.Lock()
		most = max(most, o.bytes)
		o.mu.Unlock()
	}
	if err == nil {
		t.Error("20 MB were taken for a client that reads nothing")
	}
	if most > 200_000 {
		t.Errorf("%d bytes waited", most)
	}
	select {
	case <-broken:
	case <-time.After(10 * time.Second):
		t.Error("no progress for half a second, and nobody noticed")
	}
	if err := o.offer(frame{body: body}); err == nil {
		t.Error("a message was taken by a broken outbox")
	}
}
