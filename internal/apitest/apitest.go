// Package apitest is the black-box harness: the real server on a real port, over HTTP and websocket, each case on SQLite and
// on PostgreSQL, with builders for what a test needs to exist.
package apitest

import (
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pursuing-equity/commons/internal/apitest/database"
	"github.com/pursuing-equity/commons/internal/app"
	"github.com/pursuing-equity/commons/internal/explorer"
	"github.com/pursuing-equity/commons/internal/file"
	"github.com/pursuing-equity/commons/internal/gid"
	"github.com/pursuing-equity/commons/internal/openid"
	"github.com/pursuing-equity/commons/internal/server"
	"github.com/pursuing-equity/commons/internal/viewer"
)

// World is a running server and its database.
type World struct {
	T    *testing.T
	URL  string // http://127.0.0.1:port
	App  *app.App
	Stop func() error // drains the server and waits; called at the end of the test if it was not before
	made atomic.Int64
	http *http.Client
}

// Option changes the server before it starts.
type Option func(*settings)

type settings struct {
	app.Config
	explorer func(*app.App) explorer.Options
}

// Limits changes the server's limits.
func Limits(l server.Limits) Option { return func(s *settings) { s.Limits = l } }

// Clock sets the time. It may be ahead of the machine's, and only go forward.
func Clock(now func() time.Time) Option { return func(s *settings) { s.Now = now } }

// Log is where the server writes its log, down to what is for debugging.
func Log(w io.Writer) Option {
	return func(s *settings) {
		s.Logger = slog.New(slog.NewJSONHandler(w, &slog.HandlerOptions{Level: slog.LevelDebug}))
	}
}

// PublicURL is where browsers find the server, as it is told.
func PublicURL(url string) Option { return func(s *settings) { s.PublicURL = url } }

// Rates turns on rates, and the shares that one viewer has.
func Rates() Option { return func(s *settings) { s.RateLimit = true } }

// Proxies are trusted to say where requests come from.
func Proxies(networks ...netip.Prefix) Option {
	return func(s *settings) { s.TrustedProxies = networks }
}

// DropWakeups makes events come by the poll only.
func DropWakeups() Option { return func(s *settings) { s.DropWakeups = true } }

// Webhooks may go to this machine.
func Webhooks() Option {
	return func(s *settings) { s.WebhookAllow = []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")} }
}

// Inbound takes mail at an address, as COMMONS_INBOUND_LISTEN has it, for reply.example.
func Inbound(listen string) Option {
	return func(s *settings) { s.InboundListen, s.InboundDomain = listen, "reply.example" }
}

// HoldWebhooks writes down what is to be sent to webhooks, and sends nothing.
func HoldWebhooks() Option { return func(s *settings) { s.HoldWebhooks = true } }

// Bus carries wake-ups through NATS servers.
func Bus(url string) Option { return func(s *settings) { s.BusURL = url } }

// OpenID lets members sign in with a provider.
func OpenID(provider openid.Config) Option {
	return func(s *settings) { s.OpenID = provider }
}

// Mailbox sends mail to the demo's mailbox.
func Mailbox() Option { return func(s *settings) { s.Demo = true } }

// Files changes how much can be uploaded, where it is kept and what scans it: a bucket's URL and clamd's address, or none.
func Files(limits file.Limits, bucketURL, clamd string) Option {
	return func(s *settings) { s.Files, s.FilesURL, s.ClamdAddress = limits, bucketURL, clamd }
}

// Script makes the program take the time and its ids from the test.
func Script(now func() time.Time, newID func(gid.Kind) gid.ID) Option {
	return func(s *settings) { s.Now, s.NewID = now, newID }
}

// Explorer gives the explorer's page what it offers; it may fill the database first.
func Explorer(options func(*app.App) explorer.Options) Option {
	return func(s *settings) { s.explorer = options }
}

// Each runs a test against a server on each database.
func Each(t *testing.T, test func(w *World), options ...Option) {
	t.Helper()
	t.Parallel()
	database.Each(t, func(t *testing.T, url string) { test(Serve(t, url, options...)) })
}

// Serve starts a server on the migrated database at a URL.
func Serve(t *testing.T, databaseURL string, options ...Option) *World {
	t.Helper()
	cfg := settings{Config: app.Config{DatabaseURL: databaseURL, DataDir: t.TempDir(), Logger: slog.New(slog.DiscardHandler)}}
	cfg.Limits.Drain, cfg.Limits.DrainSpread = 5*time.Second, 10*time.Millisecond
	for _, o := range options {
		o(&cfg)
	}
	ctx, cancel := context.WithCancel(context.Background()) //nolint:usetesting // the server drains after the test's context has ended
	a, err := app.Open(ctx, cfg.Config)
	if err != nil {
		cancel()
		t.Fatal(err)
	}
	ln, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		cancel()
		t.Fatal(err)
	}
	var offers explorer.Options
	if cfg.explorer != nil {
		offers = cfg.explorer(a)
	}
	page, err := explorer.Handler(offers)
	if err != nil {
		cancel()
		t.Fatal(err)
	}
	w := &World{T: t, URL: "http://" + ln.Addr().String(), App: a, http: &http.Client{Timeout: 30 * time.Second, Transport: &http.Transport{MaxIdleConnsPerHost: 16}}}
	done := make(chan error, 1)
	go func() { done <- a.Serve(ctx, ln, page) }()
	stopped := false
	w.Stop = func() error {
		if stopped {
			return nil
		}
		stopped = true
		cancel()
		err := <-done
		if closeErr := a.Close(); err == nil {
			err = closeErr
		}
		return err
	}
	t.Cleanup(func() {
		w.http.CloseIdleConnections()
		if err := w.Stop(); err != nil {
			t.Errorf("stop the server: %v", err)
		}
	})
	return w
}

// System is a context for builders and for looking at the database: the system asks.
func (w *World) System() context.Context {
	return viewer.NewContext(context.Background(), viewer.System("test"))
}

// Statements is how many SQL statements the server sent while fn ran, with no rows kept from before. Nothing else may run meanwhile.
func (w *World) Statements(fn func()) int64 {
	w.App.Kept.Forget([]gid.ID{{}})
	before := w.App.Store.Statements()
	fn()
	return w.App.Store.Statements() - before
}

// LeastStatements is Statements for what changes nothing: the least of some times, since now and then a worker asks something beside it.
func (w *World) LeastStatements(fn func()) int64 {
	n := w.Statements(fn)
	for range 3 {
		n = min(n, w.Statements(fn))
	}
	return n
}

// Eventually waits until a condition holds, ten seconds at most.
func (w *World) Eventually(what string, holds func() bool) {
	w.T.Helper()
	deadline := time.After(10 * time.Second)
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !holds() {
		select {
		case <-tick.C:
		case <-deadline:
			w.T.Fatalf("in vain: %s", what)
		}
	}
}

// Quiet waits until no subscription is open.
func (w *World) Quiet() {
	w.T.Helper()
	w.Eventually("no subscription is open", func() bool {
		n, streams := w.App.Events.Subscriptions()
		return n == 0 && streams == 0
	})
}
