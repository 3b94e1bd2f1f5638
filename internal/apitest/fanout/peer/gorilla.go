package peer

import (
	"net/http"
	"sync"
	"time"

	"github.com/gorilla/websocket"
)

// gorilla is a broadcast as one writes it by hand: a bounded channel and a writer for each socket, and one prepared message for
// all of them.
type gorilla struct {
	upgrader websocket.Upgrader
	mu       sync.Mutex
	sockets  map[chan *websocket.PreparedMessage]struct{}
}

func newGorilla() *gorilla {
	return &gorilla{
		upgrader: websocket.Upgrader{ReadBufferSize: 1024, WriteBufferPool: &sync.Pool{}, CheckOrigin: func(*http.Request) bool { return true }},
		sockets:  make(map[chan *websocket.PreparedMessage]struct{}),
	}
}

// Publish sends one post to everybody who is connected.
func (g *gorilla) Publish(number int) {
	m, err := websocket.NewPreparedMessage(websocket.TextMessage, []byte(`{"id":"1","type":"next","payload":`+Text(number)+`}`))
	if err != nil {
		panic(err)
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	for out := range g.sockets {
		select {
		case out <- m:
		default: // too slow: a real server would cut it
		}
	}
}

func (g *gorilla) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	conn, err := g.upgrader.Upgrade(w, r, nil)
	if err != nil {
		return
	}
	out := make(chan *websocket.PreparedMessage, 128)
	g.mu.Lock()
	g.sockets[out] = struct{}{}
	g.mu.Unlock()
	done := make(chan struct{})
	go func() {
		for {
			select {
			case m := <-out:
				_ = conn.SetWriteDeadline(time.Now().Add(10 * time.Second))
				if conn.WritePreparedMessage(m) != nil {
					_ = conn.Close()
					return
				}
			case <-done:
				return
			}
		}
	}()
	go func() { // frees net/http's goroutine and its buffers
		defer func() {
			g.mu.Lock()
			delete(g.sockets, out)
			g.mu.Unlock()
			close(done)
			_ = conn.Close()
		}()
		for {
			if _, _, err := conn.ReadMessage(); err != nil {
				return
			}
		}
	}()
}
