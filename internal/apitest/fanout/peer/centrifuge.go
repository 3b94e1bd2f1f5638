package peer

import (
	"context"
	"net/http"
	"time"

	"github.com/centrifugal/centrifuge"
)

// pubsub is one channel of the centrifuge library, over its own websocket handler and JSON.
type pubsub struct {
	node    *centrifuge.Node
	handler http.Handler
}

func newCentrifuge() (*pubsub, error) {
	node, err := centrifuge.New(centrifuge.Config{LogLevel: centrifuge.LogLevelNone})
	if err != nil {
		return nil, err
	}
	node.OnConnecting(func(context.Context, centrifuge.ConnectEvent) (centrifuge.ConnectReply, error) {
		return centrifuge.ConnectReply{Credentials: &centrifuge.Credentials{UserID: "u"}}, nil
	})
	node.OnConnect(func(c *centrifuge.Client) {
		c.OnSubscribe(func(_ centrifuge.SubscribeEvent, answer centrifuge.SubscribeCallback) {
			answer(centrifuge.SubscribeReply{}, nil)
		})
	})
	if err := node.Run(); err != nil {
		return nil, err
	}
	return &pubsub{node: node, handler: centrifuge.NewWebsocketHandler(node, centrifuge.WebsocketConfig{
		ReadBufferSize: 1024, UseWriteBufferPool: true, WriteTimeout: 10 * time.Second, CheckOrigin: func(*http.Request) bool { return true },
	})}, nil
}

// Publish sends one post to the channel.
func (p *pubsub) Publish(number int) {
	if _, err := p.node.Publish("thread", []byte(Text(number))); err != nil {
		panic(err)
	}
}

func (p *pubsub) ServeHTTP(w http.ResponseWriter, r *http.Request) { p.handler.ServeHTTP(w, r) }
