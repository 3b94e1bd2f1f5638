package main

import (
	"context"
	"encoding/json"
	"fmt"
	"sync"
	"time"

	"github.com/gorilla/websocket"
)

// watcher is a member who subscribes to a thread, and comes back behind the last event whenever the socket ends.
type watcher struct {
	load   *load
	n      int
	thread string
	token  string
	cursor string

	mu      sync.Mutex
	seqs    []int // of posts, as they came
	resumed int
}

// begin takes a cursor from which nothing may be missing.
func (w *watcher) begin(ctx context.Context) error {
	var out struct{ EventCursor string }
	err := w.load.ask(ctx, w.n, w.n, `{eventCursor}`, nil, &out)
	w.cursor = out.EventCursor
	return err
}

func (w *watcher) run(ctx context.Context) {
	for try := 0; ctx.Err() == nil; try++ {
		w.follow(ctx, w.load.base(w.n+try))
		select {
		case <-ctx.Done():
		case <-time.After(30 * time.Millisecond):
		}
		w.mu.Lock()
		w.resumed++
		w.mu.Unlock()
	}
}

// follow reads events from one socket until it ends.
func (w *watcher) follow(ctx context.Context, address string) {
	dialer := websocket.Dialer{Subprotocols: []string{"graphql-transport-ws"}, HandshakeTimeout: 5 * time.Second}
	conn, resp, err := dialer.DialContext(ctx, "ws://"+address+"/graphql", nil)
	if resp != nil {
		_ = resp.Body.Close()
	}
	if err != nil {
		return
	}
	defer func() { _ = conn.Close() }()
	stop := context.AfterFunc(ctx, func() { _ = conn.Close() })
	defer stop()
	if conn.WriteJSON(vars{"type": "connection_init", "payload": vars{"authorization": "Bearer " + w.token}}) != nil {
		return
	}
	conn.SetPingHandler(func(text string) error {
		_ = conn.SetReadDeadline(time.Now().Add(20 * time.Second))
		return conn.WriteControl(websocket.PongMessage, []byte(text), time.Now().Add(time.Second))
	})
	for {
		var m struct {
			Type    string
			Payload json.RawMessage
		}
		if conn.ReadJSON(&m) != nil {
			return
		}
		switch m.Type {
		case "connection_ack":
			err := conn.WriteJSON(vars{"id": "1", "type": "subscribe", "payload": vars{
				"query":     `subscription($t:ID!,$a:Cursor){threadEvents(threadId:$t,after:$a){cursor ... on PostCreated{post{seq}}}}`,
				"variables": vars{"t": w.thread, "a": w.cursor},
			}})
			if err != nil {
				return
			}
		case "next":
			var e struct {
				Data struct {
					ThreadEvents struct {
						Cursor string
						Post   struct{ Seq int }
					}
				}
				Errors []struct{ Message string }
			}
			if err := json.Unmarshal(m.Payload, &e); err != nil || len(e.Errors) > 0 {
				w.load.report.wrong(fmt.Errorf("an event with errors: %s", m.Payload))
				return
			}
			w.cursor = e.Data.ThreadEvents.Cursor
			w.mu.Lock()
			w.seqs = append(w.seqs, e.Data.ThreadEvents.Post.Seq)
			w.mu.Unlock()
		case "error":
			if !json.Valid(m.Payload) || !containsUnavailable(m.Payload) {
				w.load.report.wrong(fmt.Errorf("the subscription ended with %s", m.Payload))
			}
			return
		case "complete":
			return
		}
	}
}

func containsUnavailable(payload []byte) bool {
	var errs []struct{ Extensions struct{ Code string } }
	return json.Unmarshal(payload, &errs) == nil && len(errs) > 0 && errs[0].Extensions.Code == "UNAVAILABLE"
}

func (w *watcher) count() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.seqs)
}

// check compares what came with the thread's posts: the first was there before, so 2, 3, 4 … to the last.
func (w *watcher) check(last int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	r := &w.load.report
	r.Events += len(w.seqs)
	r.Resumed += w.resumed
	for i, seq := range w.seqs {
		if seq != i+2 {
			r.wrong(fmt.Errorf("subscriber %d got post %d where %d was due", w.n, seq, i+2))
			return
		}
	}
	if len(w.seqs) != last-1 {
		r.wrong(fmt.Errorf("subscriber %d got %d events of %d", w.n, len(w.seqs), last-1))
	}
}
