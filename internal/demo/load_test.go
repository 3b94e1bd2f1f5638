package demo_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/pursuing-equity/commons/internal/demo"
	"github.com/pursuing-equity/commons/internal/store"
	"github.com/pursuing-equity/commons/internal/viewer"
)

func html(markdown string) string { return "<p>" + markdown + "</p>" }

func TestLoad(t *testing.T) {
	urls := map[string]string{"sqlite": "sqlite:" + filepath.Join(t.TempDir(), "x.db"), "postgres": os.Getenv("TMP_PG")}
	for name, url := range urls {
		t.Run(name, func(t *testing.T) {
			ctx := viewer.NewContext(t.Context(), viewer.System("test"))
			s, err := store.Open(ctx, url)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = s.Close() })
			if _, err := s.Migrate(ctx); err != nil {
				t.Fatal(err)
			}
			began := time.Now()
			w := world(t, demo.Options{Scale: 1, Seed: 1})
			if err := demo.Load(ctx, s, w, html); err != nil {
				t.Fatal(err)
			}
			t.Log(time.Since(began))
			if err := demo.Load(ctx, s, w, html); !errors.Is(err, demo.ErrNotEmpty) {
				t.Errorf("loaded twice: %v", err)
			}
		})
	}
}
