package peer

import (
	"context"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/99designs/gqlgen/graphql/handler"
	"github.com/99designs/gqlgen/graphql/handler/transport"
	"github.com/gorilla/websocket"

	"github.com/pursuing-equity/commons/internal/apitest/fanout/peer/stock"
)

// stockServer is gqlgen with its own websocket transport over gorilla. Its resolvers answer from memory: they ask no database and
// check nothing.
type stockServer struct {
	http.Handler
	mu        sync.Mutex
	followers map[chan *stock.PostCreated]struct{}
}

func newStock() *stockServer {
	s := &stockServer{followers: make(map[chan *stock.PostCreated]struct{})}
	h := handler.New(stock.NewExecutableSchema(stock.Config{Resolvers: s}))
	h.AddTransport(transport.Websocket{Implementation: overGorilla{websocket.Upgrader{
		ReadBufferSize: 1024, WriteBufferPool: &sync.Pool{}, Subprotocols: []string{"graphql-transport-ws"}, CheckOrigin: func(*http.Request) bool { return true },
	}}})
	s.Handler = h
	return s
}

// Publish sends one post to every subscription's channel.
func (s *stockServer) Publish(number int) {
	e := &stock.PostCreated{Cursor: "4QGaQ4TtT3AAnTtKk0RmWQEUAQ" + strconv.Itoa(number), Post: &stock.Post{
		ID: "pst_06d1v3k8fxw00a7s6q2nm5y9yc", Seq: number, Body: strings.Repeat("Equity is a team sport. ", 3), CreatedAt: "2026-11-23T03:10:00.123456Z",
		Author: &stock.Member{ID: "mbr_06d1v3k8fxw00a7s6q2nm5y9ya", Name: "Imani Washington"},
		Thread: &stock.Thread{ID: "thr_06d1v3k8fxw00a7s6q2nm5y9yb", Title: "What did your team try this week?"},
	}}
	s.mu.Lock()
	defer s.mu.Unlock()
	for f := range s.followers {
		select {
		case f <- e:
		default:
		}
	}
}

func (s *stockServer) Query() stock.QueryResolver               { return s }
func (s *stockServer) Subscription() stock.SubscriptionResolver { return s }

// Ok is there because a schema needs a query.
func (s *stockServer) Ok(context.Context) (bool, error) { return true, nil }

// ThreadEvents is the subscription.
func (s *stockServer) ThreadEvents(ctx context.Context, _ string) (<-chan *stock.PostCreated, error) {
	out := make(chan *stock.PostCreated, 128)
	s.mu.Lock()
	s.followers[out] = struct{}{}
	s.mu.Unlock()
	go func() {
		<-ctx.Done()
		s.mu.Lock()
		delete(s.followers, out)
		s.mu.Unlock()
		close(out)
	}()
	return out, nil
}

// overGorilla is gorilla/websocket under gqlgen's transport.
type overGorilla struct{ upgrader websocket.Upgrader }

// Accept upgrades the request.
func (o overGorilla) Accept(w http.ResponseWriter, r *http.Request, _ transport.WebsocketAcceptOptions) (transport.WebsocketConn, error) {
	c, err := o.upgrader.Upgrade(w, r, nil)
	return gorillaConn{c}, err
}

type gorillaConn struct{ *websocket.Conn }

func (c gorillaConn) NextReader() (int, io.Reader, error) {
	kind, r, err := c.Conn.NextReader()
	if websocket.IsCloseError(err, websocket.CloseNormalClosure, websocket.CloseNoStatusReceived) {
		err = transport.ErrWebsocketClosed
	}
	return kind, r, err
}

func (c gorillaConn) WriteClose(code int, message string) error {
	return c.WriteControl(websocket.CloseMessage, websocket.FormatCloseMessage(code, message), time.Now().Add(time.Second))
}
