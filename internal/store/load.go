package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"iter"
	"strings"

	"github.com/lib/pq"
)

// Loader adds many rows in one transaction, in the fastest way that the database has: COPY on PostgreSQL, statements of
// many rows on SQLite. It knows tables and columns only; whoever uses it answers for the rules that services keep.
type Loader struct {
	tx       *sql.Tx
	postgres bool
}

// Load runs fn in a transaction and commits when it returns nil. Unlike InTx it never runs fn again.
func (s *Store) Load(ctx context.Context, fn func(ctx context.Context, l *Loader) error) error {
	tx, err := s.write.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("begin load: %w", err)
	}
	defer func() { _ = tx.Rollback() }()
	if err := fn(ctx, &Loader{tx: tx, postgres: s.Postgres()}); err != nil {
		return err
	}
	if s.Postgres() {
		// Until autovacuum comes round, the planner would take full tables for empty ones.
		if _, err := tx.ExecContext(ctx, "ANALYZE"); err != nil {
			return fmt.Errorf("analyze loaded tables: %w", err)
		}
	}
	if err := tx.Commit(); err != nil {
		return fmt.Errorf("commit load: %w", err)
	}
	return nil
}

// Empty reports whether a table has no row.
func (l *Loader) Empty(ctx context.Context, table string) (bool, error) {
	var found bool
	if err := l.tx.QueryRowContext(ctx, "SELECT EXISTS (SELECT 1 FROM "+table+")").Scan(&found); err != nil {
		return false, fmt.Errorf("look into %s: %w", table, err)
	}
	return !found, nil
}

// Insert adds the rows to the columns of a table. A row's slice may be used again for the next row. Values are what
// database/sql takes, gid.ID, and json.RawMessage for columns of JSON.
func (l *Loader) Insert(ctx context.Context, table string, columns []string, rows iter.Seq[[]any]) error {
	insert := l.insertMany
	if l.postgres {
		insert = l.copyIn
	}
	if err := insert(ctx, table, columns, rows); err != nil {
		return fmt.Errorf("load %s: %w", table, err)
	}
	return nil
}

func (l *Loader) copyIn(ctx context.Context, table string, columns []string, rows iter.Seq[[]any]) error {
	var stmt *sql.Stmt
	for row := range rows {
		if stmt == nil {
			var err error
			if stmt, err = l.tx.PrepareContext(ctx, copyStatement(table, columns)); err != nil {
				return err
			}
			defer func() { _ = stmt.Close() }()
		}
		for i, v := range row {
			if raw, ok := v.(json.RawMessage); ok {
				row[i] = text(raw) // COPY would write bytes as bytea
			}
		}
		if _, err := stmt.ExecContext(ctx, row...); err != nil {
			return err
		}
	}
	if stmt == nil {
		return nil
	}
	_, err := stmt.ExecContext(ctx) // COPY ends, and checks the foreign keys
	return err
}

func text(raw json.RawMessage) any {
	if raw == nil {
		return nil
	}
	return string(raw)
}

// valuesPerStatement keeps statements well under SQLite's 32,766 values; more rows at once gain nothing.
const valuesPerStatement = 1000

func (l *Loader) insertMany(ctx context.Context, table string, columns []string, rows iter.Seq[[]any]) error {
	perStatement := max(1, valuesPerStatement/len(columns))
	var stmt *sql.Stmt
	values := make([]any, 0, perStatement*len(columns))
	for row := range rows {
		for _, v := range row {
			if raw, ok := v.(json.RawMessage); ok && raw == nil {
				v = nil
			}
			values = append(values, v)
		}
		if len(values) < perStatement*len(columns) {
			continue
		}
		if stmt == nil {
			var err error
			if stmt, err = l.tx.PrepareContext(ctx, insertInto(table, columns, perStatement)); err != nil {
				return err
			}
			defer func() { _ = stmt.Close() }()
		}
		if _, err := stmt.ExecContext(ctx, values...); err != nil {
			return err
		}
		values = values[:0]
	}
	if len(values) == 0 {
		return nil
	}
	rest, err := l.tx.PrepareContext(ctx, insertInto(table, columns, len(values)/len(columns)))
	if err != nil {
		return err
	}
	defer func() { _ = rest.Close() }()
	_, err = rest.ExecContext(ctx, values...)
	return err
}

func insertInto(table string, columns []string, rows int) string {
	row := "(" + strings.TrimSuffix(strings.Repeat("?,", len(columns)), ",") + "),"
	return "INSERT INTO `" + table + "` (`" + strings.Join(columns, "`,`") + "`) VALUES " + strings.TrimSuffix(strings.Repeat(row, rows), ",")
}

// copyStatement is PostgreSQL's COPY from the client.
func copyStatement(table string, columns []string) string {
	quoted := make([]string, len(columns))
	for i, c := range columns {
		quoted[i] = pq.QuoteIdentifier(c)
	}
	return "COPY " + pq.QuoteIdentifier(table) + " (" + strings.Join(quoted, ", ") + ") FROM STDIN"
}
