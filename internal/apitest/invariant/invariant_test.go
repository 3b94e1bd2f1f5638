package invariant_test

import (
	"context"
	"errors"
	"path/filepath"
	"testing"

	"github.com/pursuing-equity/commons/ent"
	"github.com/pursuing-equity/commons/internal/apitest/invariant"
	"github.com/pursuing-equity/commons/internal/apitest/postgres"
	"github.com/pursuing-equity/commons/internal/demo"
	"github.com/pursuing-equity/commons/internal/store"
	"github.com/pursuing-equity/commons/internal/viewer"
)

// TestBrokenFindsDamage damages a sound database in one way after another: a rule that never fails proves nothing.
func TestBrokenFindsDamage(t *testing.T) {
	t.Parallel()
	for name, url := range map[string]func(*testing.T) string{
		"sqlite":   func(t *testing.T) string { return "sqlite:" + filepath.Join(t.TempDir(), "commons.db") },
		"postgres": func(t *testing.T) string { return postgres.New(t, postgres.Template{}) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx := viewer.NewContext(t.Context(), viewer.System("test"))
			s, err := store.Open(ctx, url(t))
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = s.Close() })
			if _, err := s.Migrate(ctx); err != nil {
				t.Fatal(err)
			}
			w, err := demo.Generate(demo.Options{Scale: 1, Seed: 1})
			if err != nil {
				t.Fatal(err)
			}
			if err := demo.Load(ctx, s, w, func(text string) string { return "<p>" + text }); err != nil {
				t.Fatal(err)
			}
			invariant.Check(ctx, t, s.Client(ctx))
			for sentence, damage := range map[string]string{
				"a gap in a thread's numbers":           `UPDATE posts SET seq = seq + 1000000 WHERE id = (SELECT id FROM posts WHERE seq = 3 ORDER BY id LIMIT 1)`,
				"a thread that counts too many posts":   `UPDATE threads SET post_seq = post_seq + 1 WHERE id = (SELECT id FROM threads ORDER BY id LIMIT 1)`,
				"a tombstone with a body":               `UPDATE posts SET body = 'x' WHERE deleted_at IS NOT NULL`,
				"a lost revision":                       `DELETE FROM post_revisions WHERE id = (SELECT id FROM post_revisions ORDER BY id LIMIT 1)`,
				"a lost reaction":                       `DELETE FROM reactions WHERE id = (SELECT id FROM reactions ORDER BY id LIMIT 1)`,
				"a read state that is too far":          `UPDATE read_states SET last_read_seq = 1000000`,
				"a post that search lacks":              `DELETE FROM search_documents WHERE kind = 'POST'`,
				"a member under an old name":            `UPDATE members SET name = 'x' WHERE handle = 'lead'`,
				"a lost membership of a space":          `DELETE FROM space_memberships WHERE derived`,
				"a membership of a space for no reason": `UPDATE enrollments SET state = 'WITHDRAWN'`,
				"a resource without its version":        `DELETE FROM resource_versions`,
				"an event that nobody counted":          `INSERT INTO events (stream_id, seq, kind, object_id, created_at) SELECT id, 7, 'X', id, created_at FROM threads`,
			} {
				undo := errors.New("undo")
				err := s.InTx(ctx, func(ctx context.Context, tx *ent.Client) error {
					if _, err := tx.ExecContext(ctx, damage); err != nil {
						return err
					}
					broken, err := invariant.Broken(ctx, tx)
					if err != nil {
						return err
					}
					if len(broken) == 0 {
						t.Errorf("nothing found %s", sentence)
					}
					return undo
				})
				if !errors.Is(err, undo) {
					t.Errorf("%s: %v", sentence, err)
				}
			}
		})
	}
}
