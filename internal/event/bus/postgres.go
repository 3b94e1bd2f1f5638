package bus

import (
	"context"
	"crypto/rand"
	"log/slog"
	"strings"
	"time"

	"github.com/lib/pq"

	"github.com/pursuing-equity/commons/internal/store"
)

const (
	channel   = "commons"
	pingEvery = 20 * time.Second
)

// postgres sends after the commit, never within the transaction, where NOTIFY takes a lock that all writers of the server share.
type postgres struct {
	queue
	store *store.Store
	log   *slog.Logger
	name  string // of this process, before each batch: NOTIFY reaches its sender, too
}

// Postgres is a bus through the database of a store.
func Postgres(s *store.Store, logger *slog.Logger) Bus {
	return &postgres{queue: make(queue, queued), store: s, log: logger, name: rand.Text()[:16]}
}

// Run implements Bus.
func (p *postgres) Run(ctx context.Context, receive func(string), missed func()) {
	l := pq.NewListener(p.store.URL(), 100*time.Millisecond, 5*time.Second, func(_ pq.ListenerEventType, err error) {
		if err != nil && ctx.Err() == nil {
			p.log.WarnContext(ctx, "bus: messages between processes are interrupted, the poll goes on", "error", err)
		}
	})
	defer func() { _ = l.Close() }()
	listening := make(chan error, 1)
	go func() { listening <- l.Listen(channel) }() // blocks until there is a connection
	sent := make(chan struct{})
	go func() {
		defer close(sent)
		p.run(ctx, func(batch string) { p.notify(ctx, batch) })
	}()
	ping := time.NewTicker(pingEvery)
	defer ping.Stop()
	for {
		select {
		case <-ctx.Done():
			<-sent
			return
		case err := <-listening:
			if err != nil {
				p.log.WarnContext(ctx, "bus: cannot listen, the poll goes on", "error", err)
			}
			missed()
		case n := <-l.Notify:
			if n == nil { // the connection was lost and is back: anything may have happened
				missed()
				continue
			}
			if from, batch, _ := strings.Cut(n.Extra, ","); from != p.name {
				each(batch, receive)
			}
		case <-ping.C:
			go func() { _ = l.Ping() }() // a half-open connection fails here and is opened again
		}
	}
}

func (p *postgres) notify(ctx context.Context, batch string) {
	_, err := p.store.Client(ctx).ExecContext(ctx, "SELECT pg_notify($1, $2)", channel, p.name+","+batch)
	if err != nil && ctx.Err() == nil {
		p.log.WarnContext(ctx, "bus: a message was not sent, the poll makes up for it", "error", err)
	}
}
