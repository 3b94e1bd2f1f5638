package event

import (
	"context"
	"encoding/hex"
	"log/slog"
	"strings"
	"time"

	"github.com/lib/pq"

	"github.com/pursuing-equity/commons/internal/gid"
	"github.com/pursuing-equity/commons/internal/store"
)

const (
	channel = "commons_wake"
	// keysPerNotify keeps a message below the 8,000 bytes that NOTIFY takes.
	keysPerNotify = 200
	pingEvery     = 20 * time.Second
)

// wire carries wake-ups between the processes on one PostgreSQL. It sends after the commit, never within the transaction,
// where NOTIFY takes a lock that all writers of the server share.
type wire struct {
	store   *store.Store
	log     *slog.Logger
	pending chan gid.ID
}

func newWire(s *store.Store, logger *slog.Logger) *wire {
	return &wire{store: s, log: logger, pending: make(chan gid.ID, 4096)}
}

// send never blocks: when the queue is full the other processes' poll finds the stream.
func (w *wire) send(key gid.ID) {
	select {
	case w.pending <- key:
	default:
	}
}

func (w *wire) run(ctx context.Context, h *hub) {
	l := pq.NewListener(w.store.URL(), 100*time.Millisecond, 5*time.Second, func(_ pq.ListenerEventType, err error) {
		if err != nil && ctx.Err() == nil {
			w.log.WarnContext(ctx, "event log: wake-ups are interrupted, the poll goes on", "error", err)
		}
	})
	defer func() { _ = l.Close() }()
	listening := make(chan error, 1)
	go func() { listening <- l.Listen(channel) }() // blocks until there is a connection
	sent := make(chan struct{})
	go func() {
		defer close(sent)
		w.notify(ctx)
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
				w.log.WarnContext(ctx, "event log: cannot listen, the poll goes on", "error", err)
			}
			h.wakeAll()
		case n := <-l.Notify:
			if n == nil { // the connection was lost and is back: anything may have happened
				h.wakeAll()
				continue
			}
			for s := range strings.SplitSeq(n.Extra, ",") {
				var id gid.ID
				if b, err := hex.DecodeString(s); err == nil && len(b) == len(id) {
					copy(id[:], b)
					h.wake(id)
				}
			}
		case <-ping.C:
			go func() { _ = l.Ping() }() // a half-open connection fails here and is opened again
		}
	}
}

// notify sends what is pending, many keys a message.
func (w *wire) notify(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case first := <-w.pending:
			keys := map[gid.ID]struct{}{first: {}}
			for more := true; more && len(keys) < keysPerNotify; {
				select {
				case k := <-w.pending:
					keys[k] = struct{}{}
				default:
					more = false
				}
			}
			text := make([]string, 0, len(keys))
			for k := range keys {
				text = append(text, hex.EncodeToString(k[:]))
			}
			if _, err := w.store.Client(ctx).ExecContext(ctx, "SELECT pg_notify($1, $2)", channel, strings.Join(text, ",")); err != nil && ctx.Err() == nil {
				w.log.WarnContext(ctx, "event log: wake-up not sent, the poll makes up for it", "error", err)
			}
		}
	}
}
