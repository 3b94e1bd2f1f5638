// Package postgres gives tests a PostgreSQL: New returns the URL of a fresh database of the test's own.
//
// The server is the one that COMMONS_TEST_POSTGRES_URL names, or else a private throw-away cluster made from the
// machine's own binaries, or else, for root on Debian, from Debian's package. Nothing is ever skipped: where none of
// them works, the error says what to do.
//
// Each test binary is a process of its own. Under "make test" the command withpostgres starts one cluster for all of them
// and hands it down in the environment variable. A "go test" by hand starts one per process. Either way the cluster ends
// with the process that started it, also when that one is killed, and takes its files with it.
package postgres

import (
	"context"
	"database/sql"
	"fmt"
	"net/url"
	"os"
	"sync"
	"testing"
	"time"

	_ "github.com/lib/pq" // the driver "postgres"
)

// EnvURL names a server to use in place of a throw-away cluster. Its user must be allowed to create databases.
const EnvURL = "COMMONS_TEST_POSTGRES_URL"

// Template prepares a database once; every test then gets a copy, which takes some tens of milliseconds instead of a
// full migration. The zero Template gives empty databases.
type Template struct {
	// Key is different for different contents: a hash of the migrations, say. Processes that share a server share the
	// template of a key.
	Key string
	// Prepare fills the database at the URL. It leaves no connection open.
	Prepare func(ctx context.Context, databaseURL string) error
}

// New creates a database from the template and returns its URL, for lib/pq. The test's end drops it, connections
// and all. It is safe for parallel tests and processes.
func New(t testing.TB, tmpl Template) string {
	t.Helper()
	server, err := running()
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	name, err := server.create(ctx, tmpl)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), time.Minute)
		defer cancel()
		if err := server.drop(ctx, name); err != nil {
			t.Errorf("drop test database: %v", err)
		}
	})
	return server.databaseURL(name)
}

// running is this process's server, found or started at the first use. It is a package variable, against the
// house style, because it stands for something that the process has one of and that no test may own: tests of one binary run in
// any number and order, and go test gives them no common parent but the process.
var running = sync.OnceValues(func() (*server, error) {
	if given := os.Getenv(EnvURL); given != "" {
		return connect(given)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Minute) // Debian's package may have to come first
	defer cancel()
	c, err := Start(ctx)
	if err != nil {
		return nil, err
	}
	return connect(c.URL) // never stopped by hand: the cluster ends with the process
})

// server makes and drops databases on one PostgreSQL server.
type server struct {
	admin *sql.DB
	url   *url.URL
	// A copy of a template fails while another process prepares it, hence a lock on the server; within a process, this one
	// keeps waiting tests from holding a connection each.
	mu    sync.Mutex
	ready map[string]bool // template databases that are known to be complete
}

func connect(serverURL string) (*server, error) {
	u, err := url.Parse(serverURL)
	if err != nil {
		return nil, fmt.Errorf("%s is not a URL of the form postgres://user:password@host:port/database: %w", EnvURL, err)
	}
	db, err := sql.Open("postgres", serverURL)
	if err != nil {
		return nil, fmt.Errorf("open the test server: %w", err)
	}
	db.SetMaxOpenConns(4) // CREATE DATABASE is work for the server's disk, more at once are no faster
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	if err := db.PingContext(ctx); err != nil {
		return nil, fmt.Errorf("the PostgreSQL at %s (from %s) does not answer: start it, or unset the variable to get a throw-away cluster: %w",
			u.Redacted(), EnvURL, err)
	}
	return &server{admin: db, url: u, ready: map[string]bool{}}, nil
}

func (s *server) databaseURL(name string) string {
	u := *s.url
	u.Path = "/" + name
	return u.String()
}
