package apitest

import (
	"bytes"
	"context"
	"database/sql"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/pursuing-equity/commons/ent"
)

// Traces looks for words, without regard to case, in every row of every table of the database, those of the search's index too, and
// returns where they are: "posts: word".
func (w *World) Traces(words ...string) []string {
	w.T.Helper()
	c := w.App.Store.Client(w.System())
	tables, rows := `SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name`, `SELECT * FROM "%s"`
	if w.App.Store.Postgres() {
		tables, rows = `SELECT table_name FROM information_schema.tables WHERE table_schema = 'public' ORDER BY 1`, `SELECT t::text FROM "%s" AS t`
	} else {
		// The index holds its words packed; this table of SQLite's own shows them as they are.
		w.Tx(func(ctx context.Context, tx *ent.Client) error {
			_, err := tx.ExecContext(ctx, `CREATE VIRTUAL TABLE IF NOT EXISTS words_of_search USING fts5vocab(search_index, row)`)
			return err
		})
	}
	var names []string
	w.each(c, tables, func(values []any) { names = append(names, string(text(values[0]))) })
	var found []string
	for _, name := range names {
		w.each(c, fmt.Sprintf(rows, name), func(values []any) {
			for _, v := range values {
				found = append(found, in(name, text(v), words)...)
			}
		})
	}
	return found
}

// each runs fn for each row of a query of any columns.
func (w *World) each(c *ent.Client, query string, fn func(values []any)) {
	w.T.Helper()
	rows, err := c.QueryContext(w.System(), query)
	if err != nil {
		w.T.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	if err := scan(rows, fn); err != nil {
		w.T.Fatal(err)
	}
}

func scan(rows *sql.Rows, fn func(values []any)) error {
	columns, err := rows.Columns()
	if err != nil {
		return err
	}
	for rows.Next() {
		values, into := make([]any, len(columns)), make([]any, len(columns))
		for i := range values {
			into[i] = &values[i]
		}
		if err := rows.Scan(into...); err != nil {
			return err
		}
		fn(values)
	}
	return rows.Err()
}

func text(v any) []byte {
	if b, ok := v.([]byte); ok {
		return b
	}
	return fmt.Append(nil, v)
}

// in are the words that a text holds.
func in(where string, content []byte, words []string) []string {
	var found []string
	content = bytes.ToLower(content)
	for _, word := range words {
		if bytes.Contains(content, []byte(strings.ToLower(word))) {
			found = append(found, where+": "+word)
		}
	}
	return found
}

// FileTraces looks for words in all files of the server's data directory, and of the database's where that is in files.
func (w *World) FileTraces(words ...string) []string {
	w.T.Helper()
	dirs := []string{w.App.Config.DataDir}
	if path, ok := strings.CutPrefix(w.App.Config.DatabaseURL, "sqlite:"); ok {
		dirs = append(dirs, filepath.Dir(path))
	}
	var found []string
	for _, dir := range dirs {
		files := os.DirFS(dir)
		err := fs.WalkDir(files, ".", func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() {
				return err
			}
			content, err := fs.ReadFile(files, path)
			found = append(found, in(d.Name(), content, words)...)
			return err
		})
		if err != nil {
			w.T.Fatal(err)
		}
	}
	return found
}
