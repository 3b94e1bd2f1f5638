package server

import (
	"context"
	"errors"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/pursuing-equity/commons/internal/fault"
)

func TestPlaces(t *testing.T) {
	limits := Limits{Executing: 4, ExecutingEach: 2, Waiting: 4, WaitingEach: 2, Wait: patience}
	enter := func(t *testing.T, p *places, key string) {
		t.Helper()
		if err := p.enter(t.Context(), key); err != nil {
			t.Fatal(err)
		}
	}
	// later enters in a goroutine, and returns when it waits.
	later := func(t *testing.T, p *places, ctx context.Context, key string) <-chan error {
		t.Helper()
		_, before := p.counts()
		done := make(chan error, 1)
		go func() { done <- p.enter(ctx, key) }()
		for {
			if _, now := p.counts(); now > before {
				return done
			}
			if t.Context().Err() != nil {
				t.Fatal("it does not wait")
			}
		}
	}
	t.Run("one viewer cannot hold all places, and others pass what waits", func(t *testing.T) {
		p := newPlaces(limits, true)
		enter(t, p, "greedy")
		enter(t, p, "greedy")
		third := later(t, p, t.Context(), "greedy")
		enter(t, p, "other")
		p.leave("other")
		select {
		case err := <-third:
			t.Fatalf("the share does not hold: %v", err)
		default:
		}
		p.leave("greedy")
		if err := receive(t, third, "the third"); err != nil {
			t.Error(err)
		}
	})
	t.Run("without shares it can", func(t *testing.T) {
		p := newPlaces(limits, false)
		for range limits.Executing {
			enter(t, p, "greedy")
		}
	})
	t.Run("when all are taken, who came first is first", func(t *testing.T) {
		p := newPlaces(limits, true)
		for _, key := range []string{"a", "b", "c", "d"} {
			enter(t, p, key)
		}
		first, second := later(t, p, t.Context(), "e"), later(t, p, t.Context(), "f")
		p.leave("a")
		if err := receive(t, first, "the first"); err != nil {
			t.Error(err)
		}
		select {
		case err := <-second:
			t.Errorf("both have one place: %v", err)
		default:
		}
		p.leave("e")
		if err := receive(t, second, "the second"); err != nil {
			t.Error(err)
		}
	})
	t.Run("the queue is bounded, for each and for all", func(t *testing.T) {
		p := newPlaces(limits, true)
		enter(t, p, "a")
		enter(t, p, "a")
		later(t, p, t.Context(), "a")
		later(t, p, t.Context(), "a")
		err := p.enter(t.Context(), "a")
		if wait, ok := errors.AsType[*tooSoon](err); !ok || !fault.Is(err, fault.Unavailable) || wait.wait == 0 {
			t.Errorf("its own part of the queue: %v", err)
		}
		enter(t, p, "b")
		enter(t, p, "b")
		later(t, p, t.Context(), "b")
		later(t, p, t.Context(), "b")
		if err := p.enter(t.Context(), "c"); !fault.Is(err, fault.Unavailable) {
			t.Errorf("the whole queue: %v", err)
		}
	})
	t.Run("nobody waits for ever, and who gave up leaves nothing behind", func(t *testing.T) {
		short := limits
		short.Wait = 10 * time.Millisecond
		p := newPlaces(short, true)
		enter(t, p, "a")
		enter(t, p, "a")
		if err := p.enter(t.Context(), "a"); !fault.Is(err, fault.Unavailable) {
			t.Errorf("after the wait: %v", err)
		}
		p.patience = patience
		ctx, cancel := context.WithCancel(t.Context())
		gone := later(t, p, ctx, "a")
		cancel()
		if err := receive(t, gone, "who left"); !errors.Is(err, context.Canceled) {
			t.Errorf("who left: %v", err)
		}
		p.leave("a")
		p.leave("a")
		if executing, waiting := p.counts(); executing != 0 || waiting != 0 || len(p.holders) != 0 {
			t.Errorf("%d execute, %d wait, %d hold", executing, waiting, len(p.holders))
		}
	})
}

// What waits is answered 503 with the time to come back; others, and what does not execute, go on.
func TestBusyServer(t *testing.T) {
	h := start(t, func(c *Config) {
		c.RateLimit = true
		c.Limits.Executing, c.Limits.ExecutingEach, c.Limits.Wait = 4, 2, 20*time.Millisecond
	})
	var running sync.WaitGroup
	for range 2 {
		running.Go(func() { h.query(`{slow}`, nil, "Authorization", "Bearer writer") })
		receive(t, h.busy, "a slow query")
	}
	check := func(a *answer) {
		t.Helper()
		if a.StatusCode != http.StatusServiceUnavailable || a.code() != "UNAVAILABLE" || a.Header.Get("Retry-After") == "" {
			t.Errorf("%d %s", a.StatusCode, a.body)
		}
	}
	check(h.query(`{hello}`, nil, "Authorization", "Bearer writer"))
	check(h.send(h.request("POST", "/graphql", `{"query":"{hello}"}`, "Authorization", "Bearer writer", "Accept", mediaEvents)))
	check(h.send(h.request("POST", "/graphql", `{"query":"subscription{ticks}"}`, "Authorization", "Bearer writer", "Accept", mediaEvents)))
	p := h.connect("Authorization", "Bearer writer")
	for _, doc := range []string{`{hello}`, eventsDoc} {
		p.subscribe("q", doc)
		if payload := p.want("error", "q"); !contains(payload, `"code":"UNAVAILABLE"`) {
			t.Errorf("%s", payload)
		}
	}
	if a := h.query(`{hello}`, nil); a.StatusCode != http.StatusOK {
		t.Errorf("another viewer: %d %s", a.StatusCode, a.body)
	}
	close(h.finish)
	running.Wait()
	if a := h.query(`{hello}`, nil, "Authorization", "Bearer writer"); a.StatusCode != http.StatusOK {
		t.Errorf("afterwards: %d %s", a.StatusCode, a.body)
	}
}

// Live subscriptions hold no place, but one viewer has only so many sockets and streams.
func TestConnectionsOfOneViewer(t *testing.T) {
	h := start(t, func(c *Config) {
		c.RateLimit = true
		c.Limits.Executing, c.Limits.ExecutingEach, c.Limits.Connections = 2, 1, 5
	})
	events := func() *http.Request {
		return h.request("GET", "/graphql?query="+escaped(eventsDoc), "", "Authorization", "Bearer reader")
	}
	for range 4 {
		h.open(events())
		receive(t, h.opened, "the stream")
	}
	socket := h.connect("Authorization", "Bearer reader")
	t.Run("one stream more is refused", func(t *testing.T) {
		req := events()
		req.Header.Set("Accept", mediaEvents)
		if a := h.send(req); a.StatusCode != http.StatusTooManyRequests || a.code() != "RATE_LIMITED" || a.Header.Get("Retry-After") == "" {
			t.Errorf("%d %s", a.StatusCode, a.body)
		}
	})
	t.Run("one socket more is refused, by header and by connection_init", func(t *testing.T) {
		if p, status := h.dial("Authorization", "Bearer reader"); p != nil || status != http.StatusTooManyRequests {
			t.Errorf("status %d", status)
		}
		p, _ := h.dial()
		p.say(`{"type":"connection_init","payload":{"authorization":"Bearer reader"}}`)
		if code := p.closed(); code != closeTryLater {
			t.Errorf("closed with %d", code)
		}
	})
	t.Run("another viewer's is not", func(t *testing.T) {
		h.connect().subscribe("s", `{hello}`)
	})
	t.Run("there is room again when one has left", func(t *testing.T) {
		_ = socket.conn.Close()
		for {
			if p, _ := h.dial("Authorization", "Bearer reader"); p != nil {
				return
			}
			if t.Context().Err() != nil {
				t.Fatal("never")
			}
		}
	})
}

// A subscription's beginning has the deadline that a query has.
func TestSubscriptionsBeginWithinTheDeadline(t *testing.T) {
	h := start(t, func(c *Config) { c.Limits.Deadline = 50 * time.Millisecond })
	p := h.connect()
	p.subscribe("s", `subscription{events(topic:"slow"){text}}`)
	if payload := p.want("error", "s"); !contains(payload, `"code":"TIMEOUT"`) {
		t.Errorf("%s", payload)
	}
	t.Run("and lives beyond it", func(t *testing.T) {
		p.subscribe("t", eventsDoc)
		receive(t, h.opened, "the subscription")
		<-time.After(100 * time.Millisecond)
		h.feed("t") <- toyEvent("t", "c", "late")
		p.want("next", "t")
		_ = p.conn.Close()
		receive(t, h.closed, "the end")
	})
}
