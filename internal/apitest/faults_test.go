package apitest_test

import (
	"context"
	"database/sql"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/pursuing-equity/commons/ent"
	"github.com/pursuing-equity/commons/ent/space"
	"github.com/pursuing-equity/commons/internal/apitest"
	"github.com/pursuing-equity/commons/internal/apitest/database"
	"github.com/pursuing-equity/commons/internal/store"
)

func status(t *testing.T, u string) int {
	t.Helper()
	client := &http.Client{Timeout: 20 * time.Second}
	resp, err := client.Get(u) //nolint:noctx // the client has a time limit
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	return resp.StatusCode
}

// eventually waits until a condition holds, for at most ten seconds.
func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	deadline := time.After(10 * time.Second)
	for !holds() {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("%s: not within ten seconds", what)
		}
	}
}

// away makes PostgreSQL refuse and cut all connections to a database until the returned function is called.
func away(t *testing.T, databaseURL string) (back func()) {
	t.Helper()
	u, err := url.Parse(databaseURL)
	if err != nil {
		t.Fatal(err)
	}
	name := strings.TrimPrefix(u.Path, "/")
	u.Path = "/postgres"
	admin, err := sql.Open("postgres", u.String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = admin.Close() })
	do := func(query string, args ...any) {
		t.Helper()
		if _, err := admin.ExecContext(t.Context(), query, args...); err != nil {
			t.Fatal(err)
		}
	}
	do(`ALTER DATABASE "` + name + `" ALLOW_CONNECTIONS false`)
	do("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1", name)
	return func() { do(`ALTER DATABASE "` + name + `" ALLOW_CONNECTIONS true`) }
}

func TestTheDatabaseGoesAway(t *testing.T) {
	t.Parallel()
	databaseURL := database.Postgres(t)
	w := apitest.Serve(t, databaseURL)
	ada := w.Member("ada")
	network := w.Space(space.KindNETWORK, "Network", ada)
	thread := w.Thread(ada, network, "Live", "first")
	cursor := ada.Must(`{ eventCursor }`, nil).At("eventCursor")
	sub := ada.Subscribe(apitest.Operation(t, "thread-events"), vars{"thread": thread, "after": cursor})
	w.Post(ada, thread, "before")
	if got := sub.Next(); got.String("threadEvents.post.body") != "before" {
		t.Fatalf("event: %v", got.Data)
	}

	back := away(t, databaseURL)
	t.Run("requests say so, and the server lives", func(t *testing.T) {
		for _, query := range []string{`{ spaces(first: 1) { edges { node { id } } } }`, `{ eventCursor viewer { id } }`, `mutation { markNotificationsRead(input: {}) { errors { code } } }`} {
			if r := ada.Do(query, nil); r.Code() != "UNAVAILABLE" {
				t.Errorf("%s: status %d, %s", query, r.Status, r.Body)
			}
		}
		if r := w.As("").Do(`{ programs { id } }`, nil); r.Code() != "UNAVAILABLE" {
			t.Errorf("a visitor: status %d, %s", r.Status, r.Body)
		}
		if ready, live := status(t, w.URL+"/readyz"), status(t, w.URL+"/livez"); ready != http.StatusServiceUnavailable || live != http.StatusOK {
			t.Errorf("ready %d, live %d", ready, live)
		}
	})
	back()
	t.Run("it comes back by itself, and a subscriber loses nothing", func(t *testing.T) {
		eventually(t, "ready again", func() bool { return status(t, w.URL+"/readyz") == http.StatusOK })
		post := ada.Must(apitest.Operation(t, "create-post"), input(vars{"threadId": thread, "body": "after"}))
		if got := sub.Next(); got.String("threadEvents.post.body") != "after" { // the one that was open goes on
			t.Errorf("event: %v", got.Data)
		}
		resumed := ada.Subscribe(apitest.Operation(t, "thread-events"), vars{"thread": thread, "after": cursor})
		for _, want := range []string{"before", "after"} {
			if got := resumed.Next(); got.String("threadEvents.post.body") != want {
				t.Errorf("event: %v", got.Data)
			}
		}
		if post.Int("createPost.post.seq") != 3 {
			t.Errorf("post: %v", post.Data)
		}
	})
}

func TestAnotherProcessHoldsTheFile(t *testing.T) {
	t.Parallel()
	databaseURL := database.SQLite(t)
	w := apitest.Serve(t, databaseURL)
	ada := w.Member("ada")
	thread := w.Thread(ada, w.Space(space.KindNETWORK, "Network", ada), "Live", "first")

	now(ada) // the server has made the key of its cursors, which it does as it starts, beside all else

	other, err := store.Open(w.System(), databaseURL)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = other.Close() }()
	held, release, done := make(chan struct{}), make(chan struct{}), make(chan error, 1)
	go func() {
		done <- other.InTx(w.System(), func(context.Context, *ent.Client) error { // it begins with the write lock
			close(held)
			<-release
			return nil
		})
	}()
	<-held
	if r := ada.Do(apitest.Operation(t, "create-post"), input(vars{"threadId": thread, "body": "x"})); r.Code() != "UNAVAILABLE" {
		t.Errorf("a write while the file is held: %s", r.Body)
	}
	ada.Must(apitest.Operation(t, "thread-page"), vars{"id": thread, "first": 1}) // reads go on
	close(release)
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	ada.Must(apitest.Operation(t, "create-post"), input(vars{"threadId": thread, "body": "x"}))
}
