package invariant_test

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/pursuing-equity/commons/ent"
	"github.com/pursuing-equity/commons/internal/apitest/invariant"
	"github.com/pursuing-equity/commons/internal/apitest/postgres"
	"github.com/pursuing-equity/commons/internal/demo"
	"github.com/pursuing-equity/commons/internal/store"
	"github.com/pursuing-equity/commons/internal/viewer"
)

// damage is SQL that breaks the rule of a sentence.
type damage struct{ breaks, sql string }

func damages() []damage {
	return []damage{
		{"a thread's posts are numbered from 1", `UPDATE posts SET seq = seq + 1000000 WHERE id = (SELECT id FROM posts WHERE seq = 3 ORDER BY id LIMIT 1)`},
		{"a thread counts its posts", `UPDATE threads SET post_seq = post_seq + 1 WHERE id = (SELECT id FROM threads ORDER BY id LIMIT 1)`},
		{"a tombstone says nothing", `UPDATE posts SET body = 'x' WHERE deleted_at IS NOT NULL`},
		{"a post has a revision for every older version", `DELETE FROM post_revisions WHERE id = (SELECT id FROM post_revisions ORDER BY id LIMIT 1)`},
		{"a post counts its reactions", `DELETE FROM reactions WHERE id = (SELECT id FROM reactions ORDER BY id LIMIT 1)`},
		{"nobody has read further", `UPDATE read_states SET last_read_seq = 1000000`},
		{"search knows every post", `DELETE FROM search_documents WHERE object_id = (SELECT object_id FROM search_documents WHERE kind = 'POST' ORDER BY object_id LIMIT 1)`},
		{"search knows every active member", `UPDATE members SET name = 'x' WHERE handle = 'lead'`},
		{"who is in a team is in the spaces", `DELETE FROM space_memberships WHERE derived AND member_id = (SELECT id FROM members WHERE handle = 'member')`},
		{"a derived membership of a space has a reason", `UPDATE enrollments SET state = 'WITHDRAWN'`},
		{"a resource is at its newest version", `DELETE FROM resource_versions`},
		{"of their own post somebody is notified", notified("author_id", "author_id", `["MENTION", "WARNED"]`, 1)},
		{"a notification is by the post's author", notified("(SELECT id FROM members WHERE handle = 'lead')", "(SELECT id FROM members WHERE handle = 'lead')", `["WATCHING"]`, 2)},
		{"a notification is in its post's thread", `UPDATE notifications SET told_at = '1970-01-01 00:00:00+00:00'`},
		{"a notice is of an application or a warning", `INSERT INTO notices (id, created_at, told_at, recipient_id, reason) SELECT id, created_at, created_at, id, 'WARNED' FROM members WHERE handle = 'lead'`},
		{"a thread's stream of events", `INSERT INTO events (stream_id, seq, kind, object_id, created_at) SELECT id, 7, 'X', id, created_at FROM threads`},
	}
}

// notified makes a notification of some thread's post with a number.
func notified(recipient, actor, reasons string, seq int) string {
	return fmt.Sprintf(`INSERT INTO notifications (id, created_at, told_at, recipient_id, actor_id, thread_id, post_id, reasons)
		SELECT id, created_at, created_at, %s, %s, thread_id, id, '%s' FROM posts WHERE seq = %d AND author_id <> (SELECT id FROM members WHERE handle = 'lead') ORDER BY posts.id LIMIT 1`,
		recipient, actor, reasons, seq)
}

// TestBrokenFindsDamage damages a sound database: a rule that never fails proves nothing.
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
			undo := errors.New("undo")
			err = s.InTx(ctx, func(ctx context.Context, tx *ent.Client) error {
				for _, d := range damages() {
					if _, err := tx.ExecContext(ctx, d.sql); err != nil {
						return err
					}
				}
				broken, err := invariant.Broken(ctx, tx)
				if err != nil {
					return err
				}
				for _, d := range damages() {
					if !slices.ContainsFunc(broken, func(sentence string) bool { return strings.HasPrefix(sentence, d.breaks) }) {
						t.Errorf("nothing says that it is broken: %s", d.breaks)
					}
				}
				return undo
			})
			if !errors.Is(err, undo) {
				t.Error(err)
			}
		})
	}
}
