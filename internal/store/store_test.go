package store_test

import (
	"context"
	"errors"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/pursuing-equity/commons/ent"
	"github.com/pursuing-equity/commons/internal/apitest/database"
	"github.com/pursuing-equity/commons/internal/apitest/postgres"
	"github.com/pursuing-equity/commons/internal/gid"
	"github.com/pursuing-equity/commons/internal/store"
	"github.com/pursuing-equity/commons/internal/viewer"
)

func open(t *testing.T, url string) (context.Context, *store.Store) {
	t.Helper()
	ctx := viewer.NewContext(t.Context(), viewer.System("test"))
	s, err := store.Open(ctx, url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return ctx, s
}

func create(ctx context.Context, tx *ent.Client, now time.Time) (gid.ID, error) {
	id := gid.New(gid.Organization, now)
	return id, tx.Organization.Create().SetID(id).SetName(id.String()).SetKind("CLINIC").SetCreatedAt(now).SetUpdatedAt(now).Exec(ctx)
}

func TestMigrations(t *testing.T) {
	t.Parallel()
	for name, url := range map[string]string{
		"sqlite":   "sqlite:" + filepath.Join(t.TempDir(), "empty.db"),
		"postgres": postgres.New(t, postgres.Template{}),
	} {
		t.Run(name, func(t *testing.T) {
			ctx, s := open(t, url)
			_, beside := open(t, url)
			t.Run("two that start at once both end well", func(t *testing.T) {
				var wg sync.WaitGroup
				for _, s := range []*store.Store{s, beside} {
					wg.Go(func() {
						if _, err := s.Migrate(ctx); err != nil && s.Postgres() { // two processes share no SQLite file
							t.Error(err)
						}
					})
				}
				wg.Wait()
			})
			t.Run("afterwards there is nothing left to do", func(t *testing.T) {
				if applied, err := s.Migrate(ctx); err != nil || len(applied) != 0 {
					t.Errorf("applied %v: %v", applied, err)
				}
				if pending, err := s.Pending(ctx); err != nil || pending {
					t.Errorf("pending %v: %v", pending, err)
				}
			})
			t.Run("they make exactly what the schema says", func(t *testing.T) {
				if drift, err := s.Drift(ctx); err != nil || drift != "" {
					t.Errorf("drift: %v\n%s", err, drift)
				}
			})
		})
	}
}

func TestTransactions(t *testing.T) {
	t.Parallel()
	database.Each(t, func(t *testing.T, url string) {
		ctx, s := open(t, url)
		now := time.Now().UTC().Truncate(time.Microsecond)
		count := func(ctx context.Context) int {
			n, err := s.Client(ctx).Organization.Query().Count(ctx)
			if err != nil {
				t.Fatal(err)
			}
			return n
		}
		t.Run("a commit keeps ids and times as they were, and then runs what waited for it", func(t *testing.T) {
			var id gid.ID
			ran := 0
			err := s.InTx(ctx, func(ctx context.Context, tx *ent.Client) (err error) {
				store.AfterCommit(ctx, func() { ran++ })
				id, err = create(ctx, tx, now)
				return err
			})
			if err != nil || ran != 1 {
				t.Fatalf("ran %d: %v", ran, err)
			}
			o, err := s.Client(ctx).Organization.Get(ctx, id)
			if err != nil || o.ID != id || !o.CreatedAt.Equal(now) {
				t.Errorf("%v: %v", o, err)
			}
		})
		t.Run("an error and a panic leave nothing behind", func(t *testing.T) {
			before := count(ctx)
			fail := errors.New("no")
			for _, end := range []func() error{func() error { return fail }, func() error { panic(fail) }} {
				func() {
					defer func() { _ = recover() }()
					_ = s.InTx(ctx, func(ctx context.Context, tx *ent.Client) error {
						store.AfterCommit(ctx, func() { t.Error("ran without a commit") })
						if _, err := create(ctx, tx, now); err != nil {
							t.Error(err)
						}
						return end()
					})
				}()
			}
			if after := count(ctx); after != before {
				t.Errorf("%d organizations, were %d", after, before)
			}
		})
		t.Run("a lost race is run again", func(t *testing.T) {
			attempts := 0
			err := s.InTx(ctx, func(ctx context.Context, tx *ent.Client) error {
				if attempts++; attempts > 1 {
					return nil
				}
				id, err := create(ctx, tx, now)
				if err != nil {
					return err
				}
				return store.RetryOnConflict(tx.Organization.Create().SetID(id).SetName("x").SetKind("CLINIC").SetCreatedAt(now).SetUpdatedAt(now).Exec(ctx))
			})
			if err != nil || attempts != 2 {
				t.Errorf("%d attempts: %v", attempts, err)
			}
		})
		t.Run("a snapshot does not see what is committed after it began", func(t *testing.T) {
			err := s.Snapshot(ctx, func(snap context.Context) error {
				before := count(snap)
				p, err := s.Position(snap)
				if err != nil || p.At.IsZero() {
					t.Errorf("position %v: %v", p, err)
				}
				err = s.InTx(ctx, func(ctx context.Context, tx *ent.Client) error {
					_, err := create(ctx, tx, now)
					return err
				})
				if inside, outside := count(snap), count(ctx); inside != before || outside != before+1 {
					t.Errorf("%d inside and %d outside, were %d", inside, outside, before)
				}
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
		})
		t.Run("an idempotency key is forgotten when it is old, and not before", func(t *testing.T) {
			key := "k"
			once := func(at time.Time) {
				m := gid.New(gid.Member, at)
				err := s.InTx(ctx, func(ctx context.Context, tx *ent.Client) error {
					err := tx.Member.Create().SetID(m).SetCreatedAt(at).SetUpdatedAt(at).SetEmail(m.String()).SetHandle(m.String()).SetName("x").SetTimeZone("UTC").Exec(ctx)
					if err != nil {
						return err
					}
					_, err = store.Once{Member: m, Operation: "o", Key: &key, At: at}.Do(ctx, tx, func() (gid.ID, error) { return m, nil })
					return err
				})
				if err != nil {
					t.Fatal(err)
				}
			}
			once(now.Add(-25 * time.Hour))
			once(now.Add(-49 * time.Hour))
			if n, err := s.ForgetKeys(ctx, now); err != nil || n != 1 {
				t.Errorf("forgot %d: %v", n, err)
			}
		})
		t.Run("a statement without a viewer does not run", func(t *testing.T) {
			if _, err := s.Client(t.Context()).Organization.Query().Count(t.Context()); !errors.Is(err, store.ErrNoViewer) {
				t.Errorf("error: %v", err)
			}
		})
	})
}

func TestPreparedStatementsOutliveAMigration(t *testing.T) {
	t.Parallel()
	ctx, s := open(t, database.Postgres(t))
	one := func() error {
		return s.InTx(ctx, func(ctx context.Context, tx *ent.Client) error {
			rows, err := tx.QueryContext(ctx, "SELECT about FROM organizations WHERE name = $1", "x")
			if err != nil {
				return err
			}
			return errors.Join(rows.Close(), rows.Err())
		})
	}
	for range 2 * store.PoolSize() { // most connections have prepared it
		if err := one(); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := s.Client(ctx).ExecContext(ctx, "ALTER TABLE organizations ALTER COLUMN about TYPE varchar"); err != nil {
		t.Fatal(err)
	}
	for range 2 * store.PoolSize() {
		if err := one(); err != nil {
			t.Fatal(err)
		}
	}
}
