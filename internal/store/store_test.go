package store_test

import (
	"context"
	"path/filepath"
	"testing"
	"time"

	"github.com/pursuing-equity/commons/ent"
	"github.com/pursuing-equity/commons/internal/gid"
	"github.com/pursuing-equity/commons/internal/store"
	"github.com/pursuing-equity/commons/internal/viewer"
	"os"
)

func open(t *testing.T, url string) (context.Context, *store.Store) {
	ctx := viewer.NewContext(t.Context(), viewer.System("test"))
	s, err := store.Open(ctx, url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	if _, err := s.Migrate(ctx); err != nil {
		t.Fatal(err)
	}
	return ctx, s
}

func TestStore(t *testing.T) {
	for name, url := range map[string]string{"sqlite": "sqlite:" + filepath.Join(t.TempDir(), "x.db"), "postgres": os.Getenv("TMP_PG")} {
		t.Run(name, func(t *testing.T) {
			ctx, s := open(t, url)
			d, err := s.Drift(ctx)
			if err != nil || d != "" {
				t.Fatalf("drift: %v\n%s", err, d)
			}
			now := time.Now().UTC().Truncate(time.Microsecond)
			id := gid.New(gid.Organization, now)
			err = s.InTx(ctx, func(ctx context.Context, tx *ent.Client) error {
				return tx.Organization.Create().SetID(id).SetName(id.String()).SetKind("CLINIC").SetCreatedAt(now).SetUpdatedAt(now).Exec(ctx)
			})
			if err != nil {
				t.Fatal(err)
			}
			err = s.Snapshot(ctx, func(ctx context.Context) error {
				p, err := s.Position(ctx)
				t.Log(p, err)
				o, err := s.Client(ctx).Organization.Get(ctx, id)
				if err != nil {
					return err
				}
				if !o.CreatedAt.Equal(now) || o.ID != id {
					t.Errorf("%v", o)
				}
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
		})
	}
}
