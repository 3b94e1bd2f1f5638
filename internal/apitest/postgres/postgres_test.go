package postgres

import (
	"bufio"
	"context"
	"crypto/rand"
	"database/sql"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

func open(t *testing.T, databaseURL string) *sql.DB {
	t.Helper()
	db, err := sql.Open("postgres", databaseURL)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return db
}

func TestNew(t *testing.T) {
	t.Parallel()
	var prepared atomic.Int32
	tmpl := Template{
		Key: t.Name() + rand.Text(),
		Prepare: func(ctx context.Context, databaseURL string) error {
			prepared.Add(1)
			db, err := sql.Open("postgres", databaseURL)
			if err != nil {
				return err
			}
			defer db.Close() //nolint:errcheck // the test sees what matters: copying fails while a connection is open
			_, err = db.ExecContext(ctx, "CREATE TABLE note (body text NOT NULL); INSERT INTO note VALUES ('from the template')")
			return err
		},
	}

	t.Run("each test has a copy of its own, prepared once", func(t *testing.T) {
		var all sync.WaitGroup
		for range 6 {
			all.Go(func() {
				db := open(t, New(t, tmpl))
				if _, err := db.ExecContext(t.Context(), "INSERT INTO note VALUES ('mine')"); err != nil {
					t.Error(err)
				}
				var n int
				if err := db.QueryRowContext(t.Context(), "SELECT count(*) FROM note").Scan(&n); err != nil || n != 2 {
					t.Errorf("notes = %d, %v; want 2", n, err)
				}
			})
		}
		all.Wait()
		if n := prepared.Load(); n != 1 {
			t.Errorf("prepared %d times, want once", n)
		}
	})

	t.Run("another process finds the template and does not prepare it again", func(t *testing.T) {
		s, err := running()
		if err != nil {
			t.Fatal(err)
		}
		other, err := connect(s.url.String())
		if err != nil {
			t.Fatal(err)
		}
		defer other.admin.Close() //nolint:errcheck // nothing is written through it
		if _, err := other.template(t.Context(), tmpl); err != nil || prepared.Load() != 1 {
			t.Errorf("prepared %d times, %v; want once", prepared.Load(), err)
		}
	})

	t.Run("the database is gone after the test, even with an open connection", func(t *testing.T) {
		var made string
		t.Run("the test", func(t *testing.T) {
			made = New(t, Template{})
			db, err := sql.Open("postgres", made)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = db.Close() }) // the server cuts it
			if err := db.PingContext(t.Context()); err != nil {
				t.Fatal(err)
			}
		})
		if err := open(t, made).PingContext(t.Context()); err == nil {
			t.Error("the database is still there")
		}
	})
}

// TestClusterEndsWithItsProcess runs this binary again as a process that starts a cluster, and kills it.
func TestClusterEndsWithItsProcess(t *testing.T) {
	t.Parallel()
	const child = "COMMONS_TEST_CLUSTER_CHILD"
	if os.Getenv(child) != "" {
		c, err := Start(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		fmt.Println(c.URL)
		select {} // until killed
	}

	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^"+t.Name()+"$")
	cmd.Env = append(os.Environ(), child+"=1")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stderr = os.Stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	if !lines.Scan() {
		t.Fatalf("the child did not start a cluster: %v", lines.Err())
	}
	u, err := url.Parse(lines.Text())
	if err != nil {
		t.Fatal(err)
	}
	dir := u.Query().Get("host")
	db := open(t, u.String())
	if err := db.PingContext(t.Context()); err != nil {
		t.Fatal(err)
	}

	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = cmd.Wait() // killed

	// Nobody is left to send a signal: look until the guard has removed the directory, its last act.
	deadline := time.After(30 * time.Second)
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		if _, err := os.Stat(dir); os.IsNotExist(err) {
			break
		}
		select {
		case <-deadline:
			t.Fatalf("%s is still there 30 s after its process was killed", dir)
		case <-tick.C:
		}
	}
	if err := db.PingContext(t.Context()); err == nil {
		t.Error("the server still answers")
	}
}

func BenchmarkNew(b *testing.B) {
	tmpl := Template{Key: b.Name() + rand.Text(), Prepare: func(context.Context, string) error { return nil }}
	s, err := running()
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		name, err := s.create(b.Context(), tmpl)
		if err != nil {
			b.Fatal(err)
		}
		if err := s.drop(b.Context(), name); err != nil {
			b.Fatal(err)
		}
	}
}
