package server

import (
	"net/http"
	"strings"
	"testing"
	"time"
)

func TestDrain(t *testing.T) {
	t.Run("sockets, streams and requests end in their own way", func(t *testing.T) {
		h := start(t, nil)
		p := h.connect()
		p.subscribe("s", eventsDoc)
		receive(t, h.opened, "the subscription")
		s := h.events(subscribeDoc)
		receive(t, h.opened, "the stream")
		slow := make(chan *answer, 1)
		go func() { slow <- h.query(`{slow}`, nil) }()
		receive(t, h.busy, "the slow query")

		h.stop()
		if got := p.closed(); got != 1012 {
			t.Errorf("closed with %d", got)
		}
		if got := s.event(); len(got) != 1 || !strings.HasPrefix(got[0], "retry: ") {
			t.Errorf("%v", got)
		}
		if s.event() != nil {
			t.Error("the stream goes on")
		}
		receive(t, h.closed, "the end of the subscription")
		receive(t, h.closed, "the end of the stream")
		if a := h.send(h.request("GET", "/readyz", "")); a.StatusCode != http.StatusServiceUnavailable || !strings.Contains(a.body, "draining") {
			t.Errorf("readyz: %d %s", a.StatusCode, a.body)
		}
		if a := h.query(`{hello}`, nil); a.StatusCode != http.StatusServiceUnavailable || a.code() != "UNAVAILABLE" {
			t.Errorf("new work: %d %s", a.StatusCode, a.body)
		}
		if p, status := h.dial(); p != nil || status != http.StatusServiceUnavailable {
			t.Errorf("new socket: %d", status)
		}
		close(h.finish)
		if a := receive(t, slow, "the slow query's answer"); a.StatusCode != http.StatusOK || a.parsed.Data["slow"] != "done" {
			t.Errorf("%d %s", a.StatusCode, a.body)
		}
		if err := receive(t, h.served, "the end"); err != nil {
			t.Error(err)
		}
		h.served <- nil
	})
	t.Run("what does not end is cut at the deadline", func(t *testing.T) {
		h := start(t, func(c *Config) { c.Limits.Drain = 200 * time.Millisecond })
		done := make(chan struct{})
		go func() {
			defer close(done)
			resp, err := h.client.Do(h.request("POST", "/graphql", `{"query":"{slow}"}`))
			if err == nil {
				_ = resp.Body.Close()
			}
		}()
		receive(t, h.busy, "the slow query")
		h.stop()
		err := receive(t, h.served, "the end")
		if err == nil {
			t.Error("no error")
		}
		h.served <- err
		receive(t, done, "the client's end")
	})
}
