package apitest_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"
	"time"

	"github.com/99designs/gqlgen/graphql"

	"github.com/pursuing-equity/commons/graph"
	"github.com/pursuing-equity/commons/internal/apitest/database"
	"github.com/pursuing-equity/commons/internal/app"
	"github.com/pursuing-equity/commons/internal/server"
	"github.com/pursuing-equity/commons/internal/store"
	"github.com/pursuing-equity/commons/internal/viewer"
)

// BenchmarkChecks compares a point read with everything on (sign-in, access, rates, places) with the same read of the same row by
// the system, which signs in without a look at the database, may see everything and has no rates. The two take turns; the ratio
// is of their medians.
func BenchmarkChecks(b *testing.B) {
	for name, open := range map[string]func(testing.TB) string{"sqlite": database.SQLite, "postgres": database.Postgres} {
		b.Run(name, func(b *testing.B) {
			a, err := app.Open(b.Context(), app.Config{
				DatabaseURL: open(b), DataDir: b.TempDir(), Logger: slog.New(slog.DiscardHandler), RateLimit: true, Limits: server.Limits{RateBurst: 100_000_000},
			})
			if err != nil {
				b.Fatal(err)
			}
			if err := a.LoadDemo(b.Context(), 1, 1); err != nil {
				b.Fatal(err)
			}
			tokens, err := a.DemoTokens(b.Context())
			if err != nil {
				b.Fatal(err)
			}
			thread, err := a.ExampleThread(b.Context())
			if err != nil {
				b.Fatal(err)
			}
			body, err := json.Marshal(map[string]any{"query": `query($id: ID!) { node(id: $id) { id ... on Thread { title } } }`, "variables": vars{"id": thread}})
			if err != nil {
				b.Fatal(err)
			}
			checked, stop := serveApp(b, a)
			defer stop()
			unchecked := httptest.NewServer(withoutChecks(b, a))
			defer unchecked.Close()

			client := &http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{MaxIdleConnsPerHost: 4}}
			defer client.CloseIdleConnections()
			read := func(url string) time.Duration {
				req, err := http.NewRequestWithContext(b.Context(), http.MethodPost, url+"/graphql", bytes.NewReader(body))
				if err != nil {
					b.Fatal(err)
				}
				req.Header.Set("Content-Type", "application/json")
				req.Header.Set("Authorization", "Bearer "+tokens["member@demo.example"])
				began := time.Now()
				resp, err := client.Do(req)
				if err != nil {
					b.Fatal(err)
				}
				answer, err := io.ReadAll(resp.Body)
				took := time.Since(began)
				_ = resp.Body.Close()
				if err != nil || !bytes.Contains(answer, []byte(thread)) {
					b.Fatalf("%v: %s", err, answer)
				}
				return took
			}
			for range 200 { // connections open, statements are prepared
				read(checked)
				read(unchecked.URL)
			}
			var with, without []time.Duration
			for b.Loop() {
				with, without = append(with, read(checked)), append(without, read(unchecked.URL))
			}
			p50 := func(all []time.Duration) float64 {
				slices.Sort(all)
				return float64(all[len(all)/2])
			}
			b.ReportMetric(p50(with)/1000, "µs-checked")
			b.ReportMetric(p50(without)/1000, "µs-unchecked")
			b.ReportMetric(p50(with)/p50(without), "ratio")
		})
	}
}

// serveApp serves the program until the returned function is called.
func serveApp(b *testing.B, a *app.App) (url string, stop func()) {
	b.Helper()
	ctx, cancel := context.WithCancel(context.WithoutCancel(b.Context()))
	ln, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- a.Serve(ctx, ln, nil) }()
	return fmt.Sprint("http://", ln.Addr()), func() {
		cancel()
		if err := <-done; err != nil {
			b.Error(err)
		}
		if err := a.Close(); err != nil {
			b.Error(err)
		}
	}
}

// withoutChecks is the same API for the system.
func withoutChecks(b *testing.B, a *app.App) http.Handler {
	b.Helper()
	resolver := &graph.Resolver{Store: a.Store, Events: a.Events, Community: a.Community, Forum: a.Forum, Notify: a.Notify, Library: a.Library}
	s, err := server.New(server.Config{
		Schema: resolver.Schema(),
		Authenticate: func(context.Context, string, string) (server.Session, error) {
			return server.Session{Viewer: viewer.System("benchmark")}, nil
		},
		Explain:    store.Fault,
		Extensions: []graphql.HandlerExtension{graph.Snapshot{Store: a.Store}},
		Logger:     slog.New(slog.DiscardHandler),
		Now:        a.Config.Now,
	})
	if err != nil {
		b.Fatal(err)
	}
	return s.Handler()
}
