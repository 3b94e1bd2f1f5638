package server

import (
	"bufio"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"
)

// stream is an open event stream.
type stream struct {
	t    *testing.T
	resp *http.Response
	rows chan string // the lines, closed at the end
}

func (h *harness) open(req *http.Request) *stream {
	h.t.Helper()
	req.Header.Set("Accept", mediaEvents)
	resp, err := h.client.Do(req) //nolint:bodyclose // closed at the end of the test
	if err != nil {
		h.t.Fatal(err)
	}
	s := &stream{t: h.t, resp: resp, rows: make(chan string, 1000)}
	go func() {
		defer close(s.rows)
		for lines := bufio.NewScanner(resp.Body); lines.Scan(); {
			s.rows <- lines.Text()
		}
	}()
	h.t.Cleanup(func() {
		_ = resp.Body.Close()
		for range s.rows { // until the reader has ended
		}
	})
	return s
}

// event returns the lines of the next event, without comments; nil at the end of the stream.
func (s *stream) event() []string {
	s.t.Helper()
	var lines []string
	timeout := time.After(patience)
	for {
		select {
		case line, ok := <-s.rows:
			switch {
			case !ok:
				return nil
			case line == "" && len(lines) > 0:
				return lines
			case line != "" && !strings.HasPrefix(line, ":"):
				lines = append(lines, line)
			}
		case <-timeout:
			s.t.Fatal("waited in vain for an event")
		}
	}
}

func toyEvent(topic, cursor, text string) map[string]any {
	return map[string]any{"cursor": cursor, "text": text, "topic": topic}
}

const subscribeDoc = `subscription S($after: Cursor){events(topic:"t",after:$after){cursor text}}`

func (h *harness) events(doc string, headers ...string) *stream {
	h.t.Helper()
	return h.open(h.request("GET", "/graphql?"+url.Values{"query": {doc}}.Encode(), "", headers...))
}

func TestEventStream(t *testing.T) {
	h := start(t, func(c *Config) { c.Limits.Heartbeat = 20 * time.Millisecond })
	t.Run("events carry their cursor as id and the end is told", func(t *testing.T) {
		s := h.events(subscribeDoc)
		receive(t, h.opened, "the subscription")
		h.feed("t") <- toyEvent("t", "c1", "one")
		want := "event: next|id: c1|data: {\"data\":{\"events\":{\"cursor\":\"c1\",\"text\":\"one\"}}}"
		if got := strings.Join(s.event(), "|"); got != want || s.resp.Header.Get("Content-Type") != mediaEvents+"; charset=utf-8" {
			t.Errorf("%s", got)
		}
		close(h.feed("t"))
		if got := strings.Join(s.event(), "|"); got != "event: complete|data: " {
			t.Errorf("%s", got)
		}
		if s.event() != nil {
			t.Error("more after complete")
		}
		receive(t, h.closed, "the end of the subscription")
		delete(h.feeds, "t")
	})
	t.Run("Last-Event-ID sets the variable of after", func(t *testing.T) {
		for _, doc := range []string{
			subscribeDoc, `subscription{events(topic:"t"){cursor}}`, `subscription{events(topic:"t",after:"old"){cursor}}`,
		} {
			s := h.events(doc, "Last-Event-ID", "c7")
			if after := receive(t, h.opened, "the subscription"); after != "c7" {
				t.Errorf("%s: after %q", doc, after)
			}
			_ = s.resp.Body.Close()
			receive(t, h.closed, "the end of the subscription")
		}
	})
	t.Run("the heart beats", func(t *testing.T) {
		s := h.events(subscribeDoc)
		receive(t, h.opened, "the subscription")
		for range 5 {
			if line := receive(t, s.rows, "a comment"); line != ":" && line != "" {
				t.Errorf("%q", line)
			}
		}
		_ = s.resp.Body.Close()
		receive(t, h.closed, "the end of the subscription")
	})
	t.Run("a failure in the middle is told", func(t *testing.T) {
		s := h.events(subscribeDoc)
		receive(t, h.opened, "the subscription")
		h.feed("t") <- toyEvent("t", "c1", "boom")
		got := strings.Join(s.event(), "|")
		if !strings.Contains(got, "UNAVAILABLE") || strings.Contains(got, "secret") {
			t.Errorf("%s", got)
		}
		if got := s.event(); len(got) == 0 || got[0] != "event: complete" {
			t.Errorf("%v", got)
		}
		receive(t, h.closed, "the end of the subscription")
	})
	t.Run("a resolver's refusal is an HTTP error", func(t *testing.T) {
		a := h.send(h.request("POST", "/graphql", `{"query":"subscription{events(topic:\"t\",after:\"ancient\"){text}}"}`, "Accept", mediaEvents))
		if a.StatusCode != http.StatusBadRequest || a.code() != "RESET_REQUIRED" {
			t.Errorf("%d %s", a.StatusCode, a.body)
		}
	})
	t.Run("a resolver's panic is an HTTP error", func(t *testing.T) {
		a := h.send(h.request("POST", "/graphql", `{"query":"subscription{events(topic:\"panic\"){text}}"}`, "Accept", mediaEvents))
		if a.StatusCode != http.StatusInternalServerError || a.code() != "INTERNAL" {
			t.Errorf("%d %s", a.StatusCode, a.body)
		}
	})
	t.Run("a query can be asked for as a stream", func(t *testing.T) {
		s := h.events(`{hello}`)
		if got := s.event(); len(got) != 2 || !strings.Contains(got[1], "hello") {
			t.Errorf("%v", got)
		}
		if got := s.event(); len(got) == 0 || got[0] != "event: complete" {
			t.Errorf("%v", got)
		}
	})
	t.Run("a revoked token ends the stream", func(t *testing.T) {
		s := h.events(subscribeDoc, "Authorization", "Bearer reader")
		receive(t, h.opened, "the subscription")
		h.mu.Lock()
		h.revoked = append(h.revoked, tokenID)
		h.mu.Unlock()
		if got := s.event(); len(got) < 2 || !strings.Contains(got[1], "UNAUTHENTICATED") {
			t.Errorf("%v", got)
		}
		receive(t, h.closed, "the end of the subscription")
	})
}
