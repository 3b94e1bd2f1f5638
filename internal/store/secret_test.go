package store_test

import (
	"bytes"
	"context"
	"sync"
	"testing"
	"time"

	"github.com/pursuing-equity/commons/internal/apitest/database"
	"github.com/pursuing-equity/commons/internal/store"
	"github.com/pursuing-equity/commons/internal/viewer"
)

func opened(t *testing.T, url string) (context.Context, *store.Store) {
	t.Helper()
	ctx := viewer.NewContext(t.Context(), viewer.System("test"))
	s, err := store.Open(ctx, url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return ctx, s
}

func TestSecret(t *testing.T) {
	t.Parallel()
	database.Each(t, func(t *testing.T, url string) {
		ctx, s := opened(t, url)
		secrets := make([][]byte, 8)
		var all sync.WaitGroup
		for i := range secrets {
			all.Go(func() {
				var err error
				if secrets[i], err = s.Secret(ctx, "links"); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		for _, got := range secrets {
			if len(got) != 32 || !bytes.Equal(got, secrets[0]) {
				t.Errorf("two who asked got %x and %x", got, secrets[0])
			}
		}
		if other, err := s.Secret(ctx, "cursors"); err != nil || bytes.Equal(other, secrets[0]) {
			t.Errorf("another name has the same secret, %v", err)
		}
	})
}

// Requests that hold all connections of the pool ask for a secret that nobody has made: none waits for a connection of another.
func TestSecretWithoutAFreeConnection(t *testing.T) {
	t.Parallel()
	database.Each(t, func(t *testing.T, url string) {
		ctx, s := opened(t, url)
		ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
		defer cancel()
		var all, begun sync.WaitGroup
		holders := 4 // SQLite's readers
		if s.Postgres() {
			holders = store.PoolSize()
		}
		begun.Add(holders)
		for range holders {
			all.Go(func() {
				err := s.Snapshot(ctx, func(ctx context.Context) error {
					begun.Done()
					begun.Wait()
					_, err := s.Secret(ctx, "links")
					return err
				})
				if err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
	})
}

func TestTake(t *testing.T) {
	t.Parallel()
	database.Each(t, func(t *testing.T, url string) {
		ctx, s := opened(t, url)
		now := time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
		limit := store.Throttle{Burst: 3, Refill: time.Minute}
		take := func(at time.Time) time.Duration {
			wait, err := s.Take(ctx, "somebody@demo.example", limit, at)
			if err != nil {
				t.Fatal(err)
			}
			return wait
		}
		for range limit.Burst {
			if wait := take(now); wait != 0 {
				t.Fatalf("refused within the burst, for %s", wait)
			}
		}
		for range 5 { // being refused costs nothing more
			if wait := take(now); wait != time.Minute {
				t.Fatalf("wait %s, want a minute", wait)
			}
		}
		if wait := take(now.Add(59 * time.Second)); wait != time.Second {
			t.Errorf("wait %s, want a second", wait)
		}
		if wait := take(now.Add(time.Minute)); wait != 0 {
			t.Errorf("refused after the wait, for %s", wait)
		}
		if err := s.ForgetThrottles(ctx, now.Add(time.Hour)); err != nil {
			t.Fatal(err)
		}
		var taken sync.Map
		var all sync.WaitGroup
		for i := range 20 {
			all.Go(func() {
				if wait, err := s.Take(ctx, "crowd", limit, now); err != nil {
					t.Error(err)
				} else if wait == 0 {
					taken.Store(i, true)
				}
			})
		}
		all.Wait()
		n := 0
		taken.Range(func(any, any) bool { n++; return true })
		if n != limit.Burst {
			t.Errorf("%d of a crowd passed, want %d", n, limit.Burst)
		}
	})
}
