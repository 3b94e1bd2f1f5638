package server

import (
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/gorilla/websocket"
)

func TestSlowClients(t *testing.T) {
	h := start(t, func(c *Config) {
		c.Limits.PingInterval = 50 * time.Millisecond
		c.Limits.PongTimeout = 1500 * time.Millisecond
		c.Limits.WriteTimeout = 300 * time.Millisecond
		c.Limits.BodyBytes = 16 << 10
	})
	t.Run("a client that stops reading is cut and others are not affected", func(t *testing.T) {
		stalled, healthy := h.connect(), h.connect()
		stalled.subscribe("s", `subscription{events(topic:"stalled"){text}}`)
		receive(t, h.opened, "the stalled subscription")
		healthy.subscribe("s", `subscription{events(topic:"healthy"){text}}`)
		receive(t, h.opened, "the healthy subscription")
		got := make(chan string, 1000)
		go func() { // reads all the time, so that pings are answered
			defer close(got)
			for {
				kind, _, _, err := healthy.read()
				if err != nil {
					return
				}
				got <- kind
			}
		}()
		big := toyEvent("stalled", "c", strings.Repeat("x", 64<<10))
		ended := false
		for i := 0; !ended; i++ {
			select {
			case h.feed("stalled") <- big:
			case topic := <-h.closed:
				if topic != "stalled" {
					t.Fatalf("%s ended", topic)
				}
				ended = true
			case <-time.After(patience):
				t.Fatal("the stalled client is never cut")
			}
			if i%10 == 0 {
				h.feed("healthy") <- toyEvent("healthy", "c", "text")
				if kind := receive(t, got, "the healthy client's event"); kind != "next" {
					t.Fatalf("got %q", kind)
				}
			}
		}
		_ = healthy.conn.Close()
		if topic := receive(t, h.closed, "the healthy one's end"); topic != "healthy" {
			t.Errorf("%s ended", topic)
		}
	})
	t.Run("an idle client that does not answer pings is cut", func(t *testing.T) {
		p := h.connect()
		p.subscribe("s", `subscription{events(topic:"idle"){text}}`)
		receive(t, h.opened, "the subscription")
		if topic := receive(t, h.closed, "the end"); topic != "idle" {
			t.Errorf("%s ended", topic)
		}
	})
	t.Run("a client that sends but does not read is cut", func(t *testing.T) {
		p := h.connect()
		p.subscribe("s", `subscription{events(topic:"chatty"){text}}`)
		receive(t, h.opened, "the subscription")
		deadline := time.After(patience)
		for done := false; !done; {
			select {
			case <-h.closed:
				done = true
			case <-deadline:
				t.Fatal("never cut")
			default:
				_ = p.conn.WriteMessage(websocket.TextMessage, []byte(`{"type":"pong"}`))
			}
		}
	})
}

// A replay runs at the pace of a client that reads: the operation waits for room in the queue.
func TestReplayLargerThanTheQueue(t *testing.T) {
	h := start(t, func(c *Config) { c.Limits.QueueBytes = 64 << 10 })
	p := h.connect()
	p.subscribe("s", `subscription{events(topic:"replay"){text}}`)
	receive(t, h.opened, "the subscription")
	const n = 200
	go func() {
		for range n {
			h.feed("replay") <- toyEvent("replay", "c", strings.Repeat("x", 16<<10))
		}
	}()
	for range n {
		p.want("next", "s")
	}
}

func TestStalledEventStream(t *testing.T) {
	h := start(t, func(c *Config) { c.Limits.WriteTimeout = 300 * time.Millisecond })
	req := h.request("GET", "/graphql?query="+url.QueryEscape(`subscription{events(topic:"stalled"){text}}`), "", "Accept", mediaEvents)
	resp, err := h.client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close() //nolint:errcheck // never read on purpose
	receive(t, h.opened, "the subscription")
	for {
		select {
		case h.feed("stalled") <- toyEvent("stalled", "c", strings.Repeat("x", 256<<10)):
		case <-h.closed:
			return
		case <-time.After(patience):
			t.Fatal("the stalled client is never cut")
		}
	}
}
