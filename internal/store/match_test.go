package store

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/pursuing-equity/commons/ent/searchdocument"
	"github.com/pursuing-equity/commons/internal/access"
	"github.com/pursuing-equity/commons/internal/apitest/postgres"
	"github.com/pursuing-equity/commons/internal/gid"
	"github.com/pursuing-equity/commons/internal/page"
	"github.com/pursuing-equity/commons/internal/viewer"
)

// TestSearchUsesTheIndex looks at the plans: the words' index comes first, and documents are fetched by their key.
func TestSearchUsesTheIndex(t *testing.T) {
	t.Parallel()
	for name, url := range map[string]string{
		"sqlite":   "sqlite:" + filepath.Join(t.TempDir(), "commons.db"),
		"postgres": postgres.New(t, postgres.Template{}),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx := viewer.NewContext(t.Context(), viewer.System("test"))
			s, err := Open(ctx, url)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = s.Close() })
			if _, err := s.Migrate(ctx); err != nil {
				t.Fatal(err)
			}
			fill(ctx, t, s, 4_000)
			member := viewer.Member(gid.New(gid.Member, time.Now()), gid.ID{}, viewer.Read)
			order := SearchOrder("test")
			whole := Terms{Must: []string{"rare77"}, Not: []string{"still water"}}
			begun := whole
			begun.Begun = "her"
			for _, v := range []viewer.Viewer{member, viewer.Anonymous(), viewer.System("test")} {
				for _, w := range []page.Window{{Limit: 20}, {Limit: 20, Backward: true, After: &page.Key{Int: 5}, Before: &page.Key{Int: 9}}} {
					for _, c := range []struct {
						Terms
						settings string
					}{
						{whole, "SET plan_cache_mode = force_custom_plan"},
						{whole, "SET plan_cache_mode = force_generic_plan"},
						// So few documents are read whole sooner than all words that begin so are looked up: here it matters that the index could.
						{begun, "SET enable_seqscan = off"},
					} {
						q := Search{Terms: c.Terms, Kinds: []searchdocument.Kind{"POST"}, Visible: access.VisibleSearchDocuments(v)}
						query, args := s.searchStatement(q, order, w)
						plan := explain(ctx, t, s, c.settings, query, args)
						words, key := "SCAN search_index VIRTUAL TABLE", "SEARCH search_documents USING INTEGER PRIMARY KEY"
						if s.Postgres() {
							words, key = "Bitmap Index Scan on search_index_vector", "Index Scan using search_documents_pkey on search_documents"
						}
						if !strings.Contains(plan, words) || !strings.Contains(plan, key) {
							t.Errorf("%v, %s:\n%s", v, c.settings, plan)
						}
					}
				}
			}
		})
	}
}

// fill adds documents, one in a hundred with any one rare word, all with a common one and many of their own.
func fill(ctx context.Context, t *testing.T, s *Store, n int) {
	t.Helper()
	err := s.Load(ctx, func(ctx context.Context, l *Loader) error {
		columns := []string{"kind", "object_id", "title", "body"}
		return l.Insert(ctx, searchdocument.Table, columns, func(yield func([]any) bool) {
			for i := range n {
				body := fmt.Sprintf("A heron stands in the water rare%d. ", i%100) + strings.Repeat("It waits and waits. ", 15)
				for j := range 60 {
					body += fmt.Sprintf("word%d ", (i*61+j*j)%20_000)
				}
				if !yield([]any{"POST", gid.New(gid.Post, time.Now()), "", body}) {
					return
				}
			}
		})
	})
	tidy := "ANALYZE"
	if s.Postgres() {
		tidy = "VACUUM ANALYZE" // moves what is new from the index's list of pending entries into the index
	}
	if err == nil {
		_, err = s.write.ExecContext(ctx, tidy)
	}
	if err != nil {
		t.Fatal(err)
	}
}

func explain(ctx context.Context, t *testing.T, s *Store, settings, query string, args []any) string {
	t.Helper()
	c, err := s.write.Conn(ctx)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	how := "EXPLAIN QUERY PLAN "
	if s.Postgres() {
		how = "EXPLAIN "
		if _, err := c.ExecContext(ctx, "RESET ALL; "+settings); err != nil {
			t.Fatal(err)
		}
	}
	rows, err := c.QueryContext(ctx, how+query, args...)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	columns, err := rows.Columns()
	if err != nil {
		t.Fatal(err)
	}
	var plan []string
	for rows.Next() {
		values := make([]any, len(columns)) // SQLite's have numbers before the text
		for i := range values {
			values[i] = new(any)
		}
		var text string
		values[len(values)-1] = &text
		if err := rows.Scan(values...); err != nil {
			t.Fatal(err)
		}
		plan = append(plan, text)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return strings.Join(plan, "\n")
}
