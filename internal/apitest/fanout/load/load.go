//go:build linux

// Package load holds thousands of websockets open in one goroutine and counts what arrives on them, at so little cost that
// it is the server that is measured.
//
// It does not decode: it reads large pieces from sockets that epoll reports, walks over frame headers, counts text messages
// and answers pings. On a sample of the sockets it also looks into each message and checks that the posts come in order,
// none left out and none twice.
package load

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"
)

// Protocol is what a client says on a new connection, as JSON texts, and how a payload shows the number of its post.
type Protocol struct {
	Address     string // host:port
	Path        string
	Subprotocol string
	// Hello is what the n-th client sends once connected, and what it must then have been answered with.
	Hello func(n int) (send, expect string)
	// Subscribe is what it sends next; empty for a server that sends to everybody who is connected.
	Subscribe func(n int) string
	// Event is what a message contains that counts; empty: each counts.
	Event string
	// Number comes before a post's number in a message.
	Number string
	// Keepalive is a whole message that must be sent back as it is; empty for none.
	Keepalive string
	// Seen is called with each message of the n-th client; nil when nobody wants to know. It must be quick.
	Seen func(n int, payload []byte)
	// Cut is called when the server has closed a socket that stalled.
	Cut func(n int)
}

// sample is one of how many sockets whose messages are read.
const sample = 100

// Clients are open sockets. Methods are for one goroutine.
type Clients struct {
	protocol Protocol
	epoll    int
	to       *unix.SockaddrInet4
	all      []*client
	byFD     []atomic.Pointer[client]
	count    atomic.Int64
	last     atomic.Int64 // when the newest message arrived, in nanoseconds
	first    atomic.Int64
	wrong    atomic.Int64
	lost     atomic.Int64 // sockets that the server closed
	stop     chan struct{}
	stopped  sync.WaitGroup
}

type client struct {
	fd      int
	n       int
	skip    int64  // of the current frame's payload
	part    []byte // a header, or a whole message on a sampled socket, that has not all arrived
	sampled bool
	stalled atomic.Bool
	number  int // of the last post
}

// Dial opens n sockets, a few at a time.
func Dial(p Protocol, n int) (*Clients, error) {
	epoll, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("epoll: %w", err)
	}
	c := &Clients{protocol: p, epoll: epoll, all: make([]*client, n), byFD: make([]atomic.Pointer[client], 1<<17), stop: make(chan struct{})}
	host, port, err := net.SplitHostPort(p.Address)
	if err != nil {
		return nil, err
	}
	number, err := strconv.Atoi(port)
	if err != nil {
		return nil, err
	}
	to := &unix.SockaddrInet4{Port: number}
	copy(to.Addr[:], net.ParseIP(host).To4())
	c.to = to
	c.stopped.Go(c.read)
	var next atomic.Int64
	var failed atomic.Pointer[error]
	var workers sync.WaitGroup
	for range 32 {
		workers.Go(func() {
			for failed.Load() == nil {
				i := int(next.Add(1)) - 1
				if i >= n {
					return
				}
				one, err := c.dial(to, i)
				if err == nil {
					err = c.watch(one)
				}
				if err != nil {
					err = fmt.Errorf("socket %d: %w", i, err)
					failed.Store(&err)
					return
				}
				c.all[i] = one
			}
		})
	}
	workers.Wait()
	if err := failed.Load(); err != nil {
		c.Close()
		return nil, *err
	}
	return c, nil
}

// watch hands a socket to the reader.
func (c *Clients) watch(one *client) error {
	c.byFD[one.fd].Store(one)
	if err := unix.SetNonblock(one.fd, true); err != nil {
		return err
	}
	return unix.EpollCtl(c.epoll, unix.EPOLL_CTL_ADD, one.fd, &unix.EpollEvent{Events: unix.EPOLLIN | unix.EPOLLRDHUP, Fd: int32(one.fd)})
}

// Stall has the n-th client read no more, as one does whose machine sleeps, until the server closes its socket.
func (c *Clients) Stall(n int) error {
	one := c.all[n]
	one.stalled.Store(true)
	return unix.EpollCtl(c.epoll, unix.EPOLL_CTL_MOD, one.fd, &unix.EpollEvent{Events: unix.EPOLLRDHUP, Fd: int32(one.fd)})
}

// Redial opens the n-th client again, after its socket was cut.
func (c *Clients) Redial(n int) error {
	one, err := c.dial(c.to, n)
	if err != nil {
		return err
	}
	one.number = c.all[n].number
	_ = unix.Close(c.all[n].fd)
	c.all[n] = one
	return c.watch(one)
}

func (c *Clients) dial(to *unix.SockaddrInet4, n int) (*client, error) {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	one := &client{fd: fd, n: n, sampled: n%sample == 0, number: -1}
	if err := c.greet(one, to); err != nil {
		_ = unix.Close(fd)
		return nil, err
	}
	return one, nil
}

func (c *Clients) greet(one *client, to *unix.SockaddrInet4) error {
	p := c.protocol
	timeout := unix.Timeval{Sec: 30}
	if err := unix.SetsockoptTimeval(one.fd, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &timeout); err != nil {
		return err
	}
	own := *to // the system call writes into it
	if err := unix.Connect(one.fd, &own); err != nil {
		return err
	}
	request := "GET " + p.Path + " HTTP/1.1\r\nHost: " + p.Address + "\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n" +
		"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
	if p.Subprotocol != "" {
		request += "Sec-WebSocket-Protocol: " + p.Subprotocol + "\r\n"
	}
	if err := write(one.fd, []byte(request+"\r\n")); err != nil {
		return err
	}
	var in []byte
	if err := expect(one.fd, &in, "\r\n\r\n"); err != nil {
		return err
	}
	if !bytes.HasPrefix(in, []byte("HTTP/1.1 101")) {
		return fmt.Errorf("refused: %s", in)
	}
	in = in[bytes.Index(in, []byte("\r\n\r\n"))+4:]
	if p.Hello != nil {
		send, answer := p.Hello(one.n)
		if err := write(one.fd, masked(1, []byte(send))); err != nil {
			return err
		}
		if err := expect(one.fd, &in, answer); err != nil {
			return err
		}
	}
	if p.Subscribe != nil {
		if err := write(one.fd, masked(1, []byte(p.Subscribe(one.n)))); err != nil {
			return err
		}
	}
	return nil
}

func expect(fd int, in *[]byte, text string) error {
	b := make([]byte, 4096)
	for !bytes.Contains(*in, []byte(text)) {
		n, err := unix.Read(fd, b)
		if errors.Is(err, unix.EINTR) {
			continue
		}
		if err != nil {
			return fmt.Errorf("waiting for %q: %w", text, err)
		}
		if n == 0 {
			return fmt.Errorf("closed while waiting for %q; it said %q", text, *in)
		}
		*in = append(*in, b[:n]...)
	}
	return nil
}

func write(fd int, b []byte) error {
	for len(b) > 0 {
		n, err := unix.Write(fd, b)
		if errors.Is(err, unix.EINTR) {
			continue
		}
		if err != nil {
			return err
		}
		b = b[n:]
	}
	return nil
}

// masked is one frame of a client, with a mask of zeros.
func masked(opcode byte, payload []byte) []byte {
	b := []byte{0x80 | opcode}
	switch n := len(payload); {
	case n < 126:
		b = append(b, 0x80|byte(n))
	default:
		b = append(b, 0x80|126, byte(n>>8), byte(n))
	}
	return append(append(b, 0, 0, 0, 0), payload...)
}

// read takes what arrives until Close.
func (c *Clients) read() {
	events := make([]unix.EpollEvent, 512)
	buf := make([]byte, 256<<10)
	for {
		n, err := unix.EpollWait(c.epoll, events, 100)
		select {
		case <-c.stop:
			return
		default:
		}
		if err != nil {
			continue // interrupted
		}
		for _, e := range events[:n] {
			one := c.byFD[e.Fd].Load()
			if one.stalled.Load() {
				_ = unix.EpollCtl(c.epoll, unix.EPOLL_CTL_DEL, one.fd, nil)
				c.protocol.Cut(one.n)
				continue
			}
			got, err := unix.Read(one.fd, buf)
			switch {
			case errors.Is(err, unix.EAGAIN), errors.Is(err, unix.EINTR):
			case err != nil, got == 0:
				c.lost.Add(1)
				_ = unix.EpollCtl(c.epoll, unix.EPOLL_CTL_DEL, one.fd, nil)
			default:
				if k := c.take(one, buf[:got]); k > 0 {
					now := time.Now().UnixNano()
					c.first.CompareAndSwap(0, now)
					c.last.Store(now)
					c.count.Add(int64(k))
				}
			}
		}
	}
}

// take walks over frames and returns how many events began in them.
func (c *Clients) take(one *client, b []byte) int {
	count := 0
	for len(b) > 0 {
		if one.skip > 0 {
			n := min(one.skip, int64(len(b)))
			one.skip -= n
			b = b[n:]
			continue
		}
		if len(one.part) > 0 {
			b = append(one.part, b...)
			one.part = nil
		}
		opcode, header, size, ok := frame(b)
		small := opcode != 1 || one.sampled || c.protocol.Seen != nil || c.protocol.Event != ""
		if !ok || small && len(b) < header+int(size) {
			one.part = append([]byte(nil), b...)
			return count
		}
		if !small {
			count++
			one.skip = int64(header) + size
			continue
		}
		payload := b[header : header+int(size)]
		b = b[header+int(size):]
		switch opcode {
		case 1:
			if ping := c.protocol.Keepalive; ping != "" && bytes.Contains(append(append([]byte("\n"), payload...), '\n'), []byte("\n"+ping+"\n")) {
				_ = write(one.fd, masked(1, []byte(ping)))
			}
			if k := bytes.Count(payload, []byte(c.protocol.Event)); c.protocol.Event != "" && k > 0 {
				count += k
				c.check(one, payload)
			} else if c.protocol.Event == "" {
				count++
				c.check(one, payload)
			}
			if c.protocol.Seen != nil {
				c.protocol.Seen(one.n, payload)
			}
		case 9:
			_ = write(one.fd, masked(10, payload))
		}
	}
	return count
}

func frame(b []byte) (opcode byte, header int, size int64, ok bool) {
	if len(b) < 2 {
		return 0, 0, 0, false
	}
	opcode, header, size = b[0]&15, 2, int64(b[1]&127)
	switch size {
	case 126:
		if len(b) < 4 {
			return opcode, 0, 0, false
		}
		return opcode, 4, int64(binary.BigEndian.Uint16(b[2:])), true
	case 127:
		if len(b) < 10 {
			return opcode, 0, 0, false
		}
		return opcode, 10, int64(binary.BigEndian.Uint64(b[2:])), true
	}
	return opcode, header, size, true
}

// check reads the numbers of the posts in a message, which must follow one another.
func (c *Clients) check(one *client, payload []byte) {
	for {
		at := bytes.Index(payload, []byte(c.protocol.Number))
		if at < 0 {
			return
		}
		payload = payload[at+len(c.protocol.Number):]
		end := 0
		for end < len(payload) && payload[end] >= '0' && payload[end] <= '9' {
			end++
		}
		number, err := strconv.Atoi(string(payload[:end]))
		if err != nil || one.number >= 0 && number != one.number+1 {
			c.wrong.Add(1)
		}
		one.number = number
	}
}

// Reset forgets what has arrived.
func (c *Clients) Reset() {
	c.count.Store(0)
	c.first.Store(0)
	c.last.Store(0)
}

// Wait waits until so many events have arrived, and says when the first and the last did. It fails when they do not arrive in time,
// when one was left out, came twice or out of order, or when a socket was closed.
func (c *Clients) Wait(events int, within time.Duration) (first, last time.Time, err error) {
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	deadline := time.Now().Add(within)
	for c.count.Load() < int64(events) {
		if <-tick.C; time.Now().After(deadline) {
			return first, last, fmt.Errorf("%d of %d events after %v; %d sockets were closed", c.count.Load(), events, within, c.lost.Load())
		}
	}
	if n := c.count.Load(); n > int64(events) {
		return first, last, fmt.Errorf("%d events where %d were due", n, events)
	}
	if wrong, lost := c.wrong.Load(), c.lost.Load(); wrong > 0 || lost > 0 {
		return first, last, fmt.Errorf("%d events out of order, %d sockets closed", wrong, lost)
	}
	return time.Unix(0, c.first.Load()), time.Unix(0, c.last.Load()), nil
}

// Count is how many events have arrived.
func (c *Clients) Count() int { return int(c.count.Load()) }

// Close closes all sockets.
func (c *Clients) Close() {
	close(c.stop)
	c.stopped.Wait()
	for _, one := range c.all {
		if one != nil {
			_ = unix.Close(one.fd)
		}
	}
	_ = unix.Close(c.epoll)
}
