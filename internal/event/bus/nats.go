package bus

import (
	"context"
	"errors"
	"log/slog"
	"net/url"
	"strings"
	"time"

	"github.com/nats-io/nats.go"
)

// subject is where all messages go. Installations that share NATS servers have accounts of their own there; without them
// they only wake each other in vain, for ids are unique.
const subject = "commons"

type viaNATS struct {
	queue
	url string
	log *slog.Logger
}

// NATS is a bus through core NATS servers, at URLs with commas between them.
func NATS(urls string, logger *slog.Logger) (Bus, error) {
	if err := Check(urls); err != nil {
		return nil, err
	}
	return &viaNATS{queue: make(queue, queued), url: urls, log: logger}, nil
}

// Check says what is wrong with the URLs of NATS servers. None at all is right.
func Check(urls string) error {
	if urls == "" {
		return nil
	}
	for one := range strings.SplitSeq(urls, ",") {
		if u, err := url.Parse(strings.TrimSpace(one)); err != nil || u.Host == "" || u.Scheme != "nats" && u.Scheme != "tls" {
			return errors.New("this must be nats:// or tls:// and a host, such as nats://127.0.0.1:4222; several with commas")
		}
	}
	return nil
}

// Run implements Bus.
func (n *viaNATS) Run(ctx context.Context, receive func(string), missed func()) {
	conn := n.connect(ctx, missed)
	if conn == nil {
		return
	}
	defer conn.Close()
	if _, err := conn.Subscribe(subject, func(m *nats.Msg) { each(string(m.Data), receive) }); err != nil {
		n.log.ErrorContext(ctx, "bus: cannot subscribe, the poll goes on", "error", err)
	}
	missed()
	n.run(ctx, func(batch string) {
		if err := conn.Publish(subject, []byte(batch)); err != nil && ctx.Err() == nil {
			n.log.WarnContext(ctx, "bus: a message was not sent, the poll makes up for it", "error", err)
		}
	})
}

// connect returns a connection that connects again for ever; it need not have connected yet. Nil when ctx ended.
func (n *viaNATS) connect(ctx context.Context, missed func()) *nats.Conn {
	interrupted := func(err error) {
		if err != nil && ctx.Err() == nil {
			n.log.WarnContext(ctx, "bus: messages between processes are interrupted, the poll goes on", "error", err)
		}
	}
	back := func(*nats.Conn) { missed() }
	for {
		conn, err := nats.Connect(n.url,
			nats.Name("commons"), nats.NoEcho(), nats.RetryOnFailedConnect(true), nats.MaxReconnects(-1),
			nats.ReconnectWait(250*time.Millisecond), nats.ReconnectJitter(250*time.Millisecond, time.Second), nats.ReconnectBufSize(64<<10),
			nats.PingInterval(pingEvery), nats.MaxPingsOutstanding(2),
			nats.DisconnectErrHandler(func(_ *nats.Conn, err error) { interrupted(err) }),
			nats.ConnectHandler(back), nats.ReconnectHandler(back),
			nats.ErrorHandler(func(_ *nats.Conn, _ *nats.Subscription, err error) { // a slow consumer among them
				interrupted(err)
				missed()
			}))
		if err == nil {
			return conn
		}
		interrupted(err)
		pause := time.NewTimer(5 * time.Second)
		select {
		case <-ctx.Done():
			pause.Stop()
			return nil
		case <-pause.C:
		}
	}
}
