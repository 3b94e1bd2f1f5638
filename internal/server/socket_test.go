package server

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"
)

// peer is a client's end of a websocket.
type peer struct {
	t    *testing.T
	conn *websocket.Conn
}

// dial opens a socket, or returns nil and the status of the refusal.
func (h *harness) dial(headers ...string) (_ *peer, status int) {
	h.t.Helper()
	header := http.Header{}
	for pair := range slices.Chunk(headers, 2) {
		header.Set(pair[0], pair[1])
	}
	protocols := []string{subprotocol}
	if p := header.Get("Sec-Websocket-Protocol"); p != "" {
		header.Del("Sec-Websocket-Protocol")
		protocols = []string{p}
	}
	dialer := websocket.Dialer{Subprotocols: protocols, HandshakeTimeout: patience}
	conn, resp, err := dialer.DialContext(h.t.Context(), strings.Replace(h.url, "http", "ws", 1)+"/graphql", header)
	if resp != nil {
		status = resp.StatusCode
		_ = resp.Body.Close() // gorilla has read it
	}
	if err != nil {
		return nil, status
	}
	h.t.Cleanup(func() { _ = conn.Close() })
	return &peer{t: h.t, conn: conn}, status
}

// connect opens a socket and has it acknowledged.
func (h *harness) connect(headers ...string) *peer {
	h.t.Helper()
	p, status := h.dial(headers...)
	if p == nil {
		h.t.Fatalf("no websocket: %d", status)
	}
	p.say(`{"type":"connection_init"}`)
	p.want("connection_ack", "")
	return p
}

func (p *peer) say(text string) {
	p.t.Helper()
	if err := p.conn.WriteMessage(websocket.TextMessage, []byte(text)); err != nil {
		p.t.Fatal(err)
	}
}

func (p *peer) subscribe(id, doc string) {
	p.t.Helper()
	p.say(fmt.Sprintf(`{"id":%q,"type":"subscribe","payload":{"query":%s}}`, id, appendJSON(nil, doc)))
}

func (p *peer) read() (kind, id, payload string, err error) {
	_ = p.conn.SetReadDeadline(time.Now().Add(patience))
	_, data, err := p.conn.ReadMessage()
	if err != nil {
		return "", "", "", err
	}
	var m struct {
		Type, ID string
		Payload  json.RawMessage
	}
	if err := json.Unmarshal(data, &m); err != nil {
		p.t.Fatalf("%s: %v", data, err)
	}
	return m.Type, m.ID, string(m.Payload), nil
}

func (p *peer) want(kind, id string) string {
	p.t.Helper()
	gotKind, gotID, payload, err := p.read()
	if err != nil || gotKind != kind || gotID != id {
		p.t.Fatalf("got %s %s %s %v, want %s %s", gotKind, gotID, payload, err, kind, id)
	}
	return payload
}

// closed reads until the close frame and returns its code.
func (p *peer) closed() int {
	p.t.Helper()
	for {
		_, _, _, err := p.read()
		if err == nil {
			continue
		}
		closing, ok := errors.AsType[*websocket.CloseError](err)
		if !ok {
			p.t.Fatalf("no close frame: %v", err)
		}
		return closing.Code
	}
}

const eventsDoc = `subscription{events(topic:"t"){cursor text}}`

func TestCloseCodes(t *testing.T) {
	const initial = `{"type":"connection_init"}`
	const one = `{"id":"1","type":"subscribe","payload":{"query":"subscription{events(topic:\"t\"){text}}"}}`
	cases := []struct {
		name string
		say  []string
		code int
	}{
		{"text that is no JSON", []string{`hello`}, 4400},
		{"a list", []string{`[]`}, 4400},
		{"a duplicate key", []string{`{"type":"ping","type":"ping"}`}, 4400},
		{"a lone surrogate", []string{`{"type":"\ud800"}`}, 4400},
		{"an unknown type", []string{`{"type":"start"}`}, 4400},
		{"a server's type", []string{initial, `{"type":"next","id":"1"}`}, 4400},
		{"something after the message", []string{initial + `{}`}, 4400},
		{"an init payload that is no object", []string{`{"type":"connection_init","payload":1}`}, 4400},
		{"an authorization that is no string", []string{`{"type":"connection_init","payload":{"authorization":1}}`}, 4400},
		{"subscribe without an id", []string{initial, `{"type":"subscribe","payload":{"query":"{hello}"}}`}, 4400},
		{"subscribe with an empty id", []string{initial, `{"id":"","type":"subscribe","payload":{"query":"{hello}"}}`}, 4400},
		{"subscribe without a payload", []string{initial, `{"id":"1","type":"subscribe"}`}, 4400},
		{"subscribe without a query", []string{initial, `{"id":"1","type":"subscribe","payload":{}}`}, 4400},
		{"complete without an id", []string{initial, `{"type":"complete"}`}, 4400},
		{"subscribe before init", []string{one}, 4401},
		{"a bad token", []string{`{"type":"connection_init","payload":{"authorization":"Bearer bad"}}`}, 4403},
		{"a token without its scheme", []string{`{"type":"connection_init","payload":{"authorization":"reader"}}`}, 4403},
		{"a database that is down", []string{`{"type":"connection_init","payload":{"authorization":"Bearer down"}}`}, 1013},
		{"no init in time", nil, 4408},
		{"an operation's id used twice", []string{initial, one, one}, 4409},
		{"a second init", []string{initial, initial}, 4429},
		{"a message beyond the limit", []string{`{"type":"ping","payload":"` + strings.Repeat("x", 64<<10) + `"}`}, 1009},
	}
	h := start(t, func(c *Config) { c.Limits.InitTimeout = 2 * time.Second })
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			p, _ := h.dial()
			for _, text := range c.say {
				p.say(text)
			}
			if got := p.closed(); got != c.code {
				t.Errorf("closed with %d, want %d", got, c.code)
			}
		})
	}
	t.Run("another subprotocol", func(t *testing.T) {
		p, _ := h.dial("Sec-WebSocket-Protocol", "graphql-ws")
		if got := p.closed(); got != 4406 {
			t.Errorf("closed with %d", got)
		}
	})
	t.Run("a binary message", func(t *testing.T) {
		p, _ := h.dial()
		if err := p.conn.WriteMessage(websocket.BinaryMessage, []byte(initial)); err != nil {
			t.Fatal(err)
		}
		if got := p.closed(); got != 4400 {
			t.Errorf("closed with %d", got)
		}
	})
	t.Run("a bad token in the header is refused before the upgrade", func(t *testing.T) {
		if p, status := h.dial("Authorization", "Bearer bad"); p != nil || status != http.StatusUnauthorized {
			t.Errorf("status %d", status)
		}
	})
	t.Run("a page of another origin is refused", func(t *testing.T) {
		if p, status := h.dial("Origin", "https://evil.example"); p != nil || status != http.StatusForbidden {
			t.Errorf("status %d", status)
		}
	})
	t.Run("a page of our own origin is not", func(t *testing.T) {
		h.connect("Origin", h.url)
	})
}

func TestSocketOperations(t *testing.T) {
	h := start(t, nil)
	t.Run("ping is answered, before init too", func(t *testing.T) {
		p, _ := h.dial()
		p.say(`{"type":"ping","payload":{"a":1}}`)
		p.want("pong", "")
		p.say(`{"type":"pong"}`)
		p.say(`{"type":"connection_init","payload":{}}`)
		p.want("connection_ack", "")
	})
	t.Run("a query", func(t *testing.T) {
		p := h.connect()
		p.subscribe("q", `{hello}`)
		if payload := p.want("next", "q"); !strings.Contains(payload, `"cost"`) {
			t.Errorf("no extensions in %s", payload)
		}
		p.want("complete", "q")
		p.subscribe("q", `{whoami}`) // the id is free again
		p.want("next", "q")
	})
	t.Run("the viewer comes from the header", func(t *testing.T) {
		p := h.connect("Authorization", "Bearer reader")
		p.subscribe("q", `{whoami}`)
		if payload := p.want("next", "q"); !strings.Contains(payload, writerID.String()) {
			t.Error(payload)
		}
	})
	t.Run("the viewer comes from connection_init", func(t *testing.T) {
		p, _ := h.dial()
		p.say(`{"type":"connection_init","payload":{"authorization":"Bearer reader"}}`)
		p.want("connection_ack", "")
		p.subscribe("q", `{whoami}`)
		if payload := p.want("next", "q"); !strings.Contains(payload, writerID.String()) {
			t.Error(payload)
		}
	})
	errorCases := []struct{ name, doc, code string }{
		{"a mutation is refused", `mutation{__typename}`, "METHOD_NOT_ALLOWED"},
		{"a document that does not parse", `{`, "GRAPHQL_PARSE_FAILED"},
		{"an invalid document", `{nothing}`, "GRAPHQL_VALIDATION_FAILED"},
		{"a document too deep", nested(16), "DOCUMENT_TOO_DEEP"},
		{"a resolver's refusal", `subscription{events(topic:"t",after:"ancient"){text}}`, "RESET_REQUIRED"},
		{"a resolver's panic", `subscription{events(topic:"panic"){text}}`, "INTERNAL"},
	}
	p := h.connect("Authorization", "Bearer writer")
	for _, c := range errorCases {
		t.Run(c.name, func(t *testing.T) {
			p.subscribe("e", c.doc)
			if payload := p.want("error", "e"); !strings.HasPrefix(payload, "[") || !strings.Contains(payload, `"code":"`+c.code+`"`) {
				t.Errorf("%s", payload)
			}
		})
	}
	t.Run("events, and the end", func(t *testing.T) {
		p.subscribe("s", eventsDoc)
		receive(t, h.opened, "the subscription")
		for i := range 3 {
			h.feed("t") <- toyEvent("t", fmt.Sprint("c", i), "text")
			if payload := p.want("next", "s"); payload != fmt.Sprintf(`{"data":{"events":{"cursor":"c%d","text":"text"}}}`, i) {
				t.Errorf("%s", payload)
			}
		}
		h.feed("t") <- toyEvent("t", "c", "boom")
		if payload := p.want("error", "s"); !strings.Contains(payload, "UNAVAILABLE") || strings.Contains(payload, "secret") {
			t.Errorf("%s", payload)
		}
		receive(t, h.closed, "the end")
	})
	t.Run("complete ends the subscription and frees its id", func(t *testing.T) {
		p.subscribe("s", eventsDoc)
		receive(t, h.opened, "the subscription")
		p.say(`{"id":"s","type":"complete"}`)
		receive(t, h.closed, "the end")
		p.say(`{"id":"unknown","type":"complete"}`)
		p.subscribe("s", `{hello}`)
		p.want("next", "s")
		p.want("complete", "s")
	})
	t.Run("twenty operations and no more", func(t *testing.T) {
		p := h.connect()
		for i := range 20 {
			p.subscribe(fmt.Sprint(i), eventsDoc)
			receive(t, h.opened, "the subscription")
		}
		p.subscribe("20", eventsDoc)
		if payload := p.want("error", "20"); !strings.Contains(payload, "LIMIT_REACHED") {
			t.Errorf("%s", payload)
		}
		_ = p.conn.Close()
		for range 20 {
			receive(t, h.closed, "the end")
		}
	})
}

func TestSessionsEnd(t *testing.T) {
	h := start(t, nil)
	t.Run("a session that expires closes the socket", func(t *testing.T) {
		h.mu.Lock()
		h.expires = time.Now().Add(2 * time.Second)
		h.mu.Unlock()
		p := h.connect("Authorization", "Bearer reader")
		if got := p.closed(); got != 4401 {
			t.Errorf("closed with %d", got)
		}
	})
	t.Run("a token that is revoked closes the socket", func(t *testing.T) {
		h.mu.Lock()
		h.expires = time.Time{}
		h.mu.Unlock()
		p := h.connect("Authorization", "Bearer reader")
		other := h.connect()
		h.mu.Lock()
		h.revoked = append(h.revoked, tokenID)
		h.mu.Unlock()
		if got := p.closed(); got != 4401 {
			t.Errorf("closed with %d", got)
		}
		other.subscribe("q", `{hello}`)
		other.want("next", "q")
	})
}
