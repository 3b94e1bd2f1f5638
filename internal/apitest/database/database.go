// Package database gives each test a migrated database of its own, on SQLite and on PostgreSQL: migrations run once, tests
// start from a copy.
package database

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/pursuing-equity/commons/ent/migrate"
	"github.com/pursuing-equity/commons/internal/apitest/postgres"
	"github.com/pursuing-equity/commons/internal/store"
	"github.com/pursuing-equity/commons/internal/viewer"
)

// Each runs a test on both databases, in parallel, each time with the URL of a fresh migrated database.
func Each(t *testing.T, test func(t *testing.T, url string)) {
	t.Helper()
	t.Run("sqlite", func(t *testing.T) {
		t.Parallel()
		test(t, SQLite(t))
	})
	t.Run("postgres", func(t *testing.T) {
		t.Parallel()
		test(t, Postgres(t))
	})
}

// Postgres is the URL of a fresh migrated database on PostgreSQL.
func Postgres(t testing.TB) string {
	t.Helper()
	return postgres.New(t, postgres.Template{Key: key(t), Prepare: apply})
}

// SQLite is the URL of a fresh migrated file.
func SQLite(t testing.TB) string {
	t.Helper()
	from, err := template()
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "commons.db")
	if err := os.WriteFile(path, from, 0o600); err != nil {
		t.Fatal(err)
	}
	return "sqlite:" + path
}

// template is a migrated SQLite file; a process makes one.
var template = sync.OnceValues(func() ([]byte, error) {
	dir, err := os.MkdirTemp("", "commons-template")
	if err != nil {
		return nil, err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	path := filepath.Join(dir, "commons.db")
	if err := apply(context.Background(), "sqlite:"+path); err != nil {
		return nil, err
	}
	return os.ReadFile(path)
})

// apply migrates the database at a URL and closes it, so that the file or template is complete.
func apply(ctx context.Context, url string) error {
	ctx = viewer.NewContext(ctx, viewer.System("test template"))
	s, err := store.Open(ctx, url)
	if err != nil {
		return err
	}
	if _, err := s.Migrate(ctx); err != nil {
		_ = s.Close()
		return err
	}
	return s.Close()
}

// key changes with the migrations, so that an old template is not used for new ones.
func key(t testing.TB) string {
	t.Helper()
	h := sha256.New()
	err := fs.WalkDir(migrate.Files, ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := fs.ReadFile(migrate.Files, path)
		h.Write([]byte(path))
		h.Write(text)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return hex.EncodeToString(h.Sum(nil))
}
