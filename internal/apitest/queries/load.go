//go:build linux

package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// request is one whole HTTP request, ready to be written.
type request []byte

// post makes a request. Headers are pairs of a name and a value.
func post(host, path string, body []byte, headers ...string) request {
	var b bytes.Buffer
	fmt.Fprintf(&b, "POST %s HTTP/1.1\r\nHost: %s\r\nContent-Type: application/json\r\nAccept: application/json\r\nContent-Length: %d\r\n", path, host, len(body))
	for h := range slices.Chunk(headers, 2) {
		fmt.Fprintf(&b, "%s\r\n", strings.Join(h, ": "))
	}
	b.WriteString("\r\n")
	b.Write(body)
	return b.Bytes()
}

// connection is one that stays open and asks one thing after the other.
type connection struct {
	net.Conn
	in *bufio.Reader
}

func dial(ctx context.Context, address string) (*connection, error) {
	c, err := new(net.Dialer).DialContext(ctx, "tcp", address)
	if err != nil {
		return nil, err
	}
	return &connection{Conn: c, in: bufio.NewReaderSize(c, 64<<10)}, nil
}

// do asks and reads the answer into b, which it returns grown.
func (c *connection) do(r request, b []byte) ([]byte, error) {
	if err := c.SetDeadline(time.Now().Add(30 * time.Second)); err != nil {
		return nil, err
	}
	if _, err := c.Write(r); err != nil {
		return nil, err
	}
	resp, err := http.ReadResponse(c.in, nil)
	if err != nil {
		return nil, err
	}
	buf := bytes.NewBuffer(b[:0])
	if _, err := io.Copy(buf, resp.Body); err != nil {
		return nil, err
	}
	if err := resp.Body.Close(); err != nil {
		return nil, err
	}
	if resp.StatusCode == http.StatusServiceUnavailable {
		return buf.Bytes(), errBusy
	}
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("%s: %.300s", resp.Status, buf.Bytes())
	}
	return buf.Bytes(), nil
}

// errBusy is what a server says that has more to do than it can.
var errBusy = errors.New("503: the server is busy")

// outcome is what came of asking for a while.
type outcome struct {
	requests int
	refused  int // beside them: the server was busy
	took     time.Duration
	p50, p99 time.Duration
}

func (o outcome) rate() float64 { return float64(o.requests) / o.took.Seconds() }

var failure = []byte(`"errors":[{`)

// ask is rush that takes no refusal.
func ask(ctx context.Context, address string, connections int, each time.Duration, requests []request) (outcome, error) {
	out, err := rush(ctx, address, connections, each, requests)
	if err == nil && out.refused > 0 {
		err = errBusy
	}
	return out, err
}

// rush has the requests asked in turn over so many connections for a while, and fails with the first answer that has an error.
func rush(ctx context.Context, address string, connections int, each time.Duration, requests []request) (outcome, error) {
	ctx, cancel := context.WithTimeout(ctx, each)
	defer cancel()
	var next, refused atomic.Int64
	times := make([][]time.Duration, connections)
	errs := make([]error, connections)
	var all sync.WaitGroup
	began := time.Now()
	for i := range connections {
		all.Go(func() {
			times[i], errs[i] = askOn(ctx, address, &next, &refused, requests)
			if errs[i] != nil {
				cancel()
			}
		})
	}
	all.Wait()
	took := time.Since(began)
	for _, err := range errs {
		if err != nil {
			return outcome{}, err
		}
	}
	sorted := slices.Sorted(slices.Values(slices.Concat(times...)))
	if len(sorted) == 0 {
		return outcome{}, errors.New("nothing was answered in time")
	}
	return outcome{requests: len(sorted), refused: int(refused.Load()), took: took, p50: sorted[len(sorted)/2], p99: sorted[len(sorted)*99/100]}, nil
}

func askOn(ctx context.Context, address string, next, refused *atomic.Int64, requests []request) (times []time.Duration, err error) {
	c, err := dial(ctx, address)
	if err != nil {
		if ctx.Err() != nil {
			return nil, nil
		}
		return nil, err
	}
	defer func() { _ = c.Close() }()
	var b []byte
	for ctx.Err() == nil {
		r := requests[int(next.Add(1)-1)%len(requests)]
		began := time.Now()
		if b, err = c.do(r, b); errors.Is(err, errBusy) {
			refused.Add(1)
			continue
		} else if err != nil {
			return nil, err
		}
		times = append(times, time.Since(began))
		if bytes.Contains(b, failure) {
			return nil, fmt.Errorf("an answer has errors: %.500s", b)
		}
	}
	return times, nil
}
