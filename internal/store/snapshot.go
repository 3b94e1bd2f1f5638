package store

import (
	"context"
	"database/sql"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"

	"entgo.io/ent/dialect"
	entsql "entgo.io/ent/dialect/sql"

	"github.com/pursuing-equity/commons/ent"
)

type snapshotKey struct{}

// snapshot is one read-only view of the database that all reads of a request share. Its connection takes one statement
// at a time, so reads that resolvers send at once wait for each other here.
type snapshot struct {
	client  *ent.Client
	drv     *oneAtATime
	changes uint64 // how many changes had been told when it was opened
}

// Snapshot runs fn with a context in which Client reads from one unchanging view of the database: a query and the position
// that it returns agree.
func (s *Store) Snapshot(ctx context.Context, fn func(ctx context.Context) error) error {
	changes := s.changes.count.Load()
	tx, err := s.read.BeginTx(ctx, &sql.TxOptions{Isolation: sql.LevelRepeatableRead, ReadOnly: true})
	if err != nil {
		return fmt.Errorf("begin snapshot: %w", err)
	}
	defer func() { _ = tx.Rollback() }() // it read only: nothing to commit
	drv := &oneAtATime{bound: bound{dialect: s.dialect, Conn: entsql.Conn{ExecQuerier: tx}}}
	return fn(context.WithValue(ctx, snapshotKey{}, &snapshot{client: ent.NewClient(ent.Driver(drv)), drv: drv, changes: changes}))
}

// Settled waits until all transactions that write while it is called are over: what they did is in each snapshot from then on, and who begins
// later sees what was committed before. It gives up with ctx. On SQLite there is nothing to wait for: who has written had the only place to write at.
func (s *Store) Settled(ctx context.Context) error {
	if s.dialect == dialect.SQLite {
		return nil
	}
	next, _, err := number(ctx, s.read, "SELECT pg_snapshot_xmax(pg_current_snapshot())::text::bigint")
	if err != nil {
		return fmt.Errorf("look who writes: %w", err)
	}
	for {
		over, _, err := number(ctx, s.read, "SELECT count(*) FROM (SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint AS oldest) AS x WHERE oldest >= $1", next)
		if err != nil {
			return fmt.Errorf("wait for who writes: %w", err)
		}
		if over == 1 {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(settling):
		}
	}
}

// settling is between two looks whether who writes is over.
const settling = 20 * time.Millisecond

// oneAtATime lets one statement at a time onto the connection: from sending it until its rows are closed.
type oneAtATime struct {
	bound
	mu sync.Mutex
}

func (o *oneAtATime) Query(ctx context.Context, query string, args, v any) error {
	o.mu.Lock()
	rows, ok := v.(*entsql.Rows)
	if !ok {
		o.mu.Unlock()
		return fmt.Errorf("store: rows go into *sql.Rows, not %T", v)
	}
	if err := o.bound.Query(ctx, query, args, v); err != nil {
		o.mu.Unlock()
		return err
	}
	rows.ColumnScanner = &lockedRows{ColumnScanner: rows.ColumnScanner, unlock: sync.OnceFunc(o.mu.Unlock)}
	return nil
}

func (o *oneAtATime) Exec(context.Context, string, any, any) error {
	return fmt.Errorf("store: a snapshot is read only")
}

func (o *oneAtATime) Tx(context.Context) (dialect.Tx, error) {
	return nil, fmt.Errorf("store: a snapshot is read only")
}

type lockedRows struct {
	entsql.ColumnScanner
	unlock func()
}

func (r *lockedRows) Close() error {
	err := r.ColumnScanner.Close()
	r.unlock()
	return err
}

// Position is a place in the whole event log: what a view of the database could see of it.
type Position struct {
	// At is when the position was taken, by the database's clock.
	At time.Time
	// LastID is the newest event, on SQLite, where one writer makes ids commit in order.
	LastID int64
	// Xmin, Xmax and Running are PostgreSQL's snapshot: transactions below Xmin, and those below Xmax that are not Running,
	// are seen. Ids commit out of order there, so no single id could say it.
	Xmin, Xmax int64
	Running    []int64
}

// Position reads the position of the context's snapshot, or of now.
func (s *Store) Position(ctx context.Context) (Position, error) {
	var p Position
	if s.dialect == dialect.SQLite {
		err := s.row(ctx, "SELECT coalesce(max(id), 0), CAST(unixepoch('subsec') * 1000000 AS INTEGER) FROM events", nil, func(r entsql.ColumnScanner) error {
			var micros int64
			err := r.Scan(&p.LastID, &micros)
			p.At = time.UnixMicro(micros).UTC()
			return err
		})
		return p, err
	}
	var text string
	err := s.row(ctx, "SELECT pg_current_snapshot()::text, statement_timestamp()", nil, func(r entsql.ColumnScanner) error {
		return r.Scan(&text, &p.At)
	})
	if err != nil {
		return p, err
	}
	p.At = p.At.UTC()
	parts := strings.Split(text, ":")
	if len(parts) != 3 {
		return p, fmt.Errorf("read position: unexpected snapshot %q", text)
	}
	if p.Xmin, err = strconv.ParseInt(parts[0], 10, 64); err != nil {
		return p, fmt.Errorf("read position: %w", err)
	}
	if p.Xmax, err = strconv.ParseInt(parts[1], 10, 64); err != nil {
		return p, fmt.Errorf("read position: %w", err)
	}
	for x := range strings.SplitSeq(parts[2], ",") {
		if x == "" {
			continue
		}
		n, err := strconv.ParseInt(x, 10, 64)
		if err != nil {
			return p, fmt.Errorf("read position: %w", err)
		}
		p.Running = append(p.Running, n)
	}
	return p, nil
}

// row reads one row with the context's client.
func (s *Store) row(ctx context.Context, query string, args []any, scan func(entsql.ColumnScanner) error) error {
	if args == nil {
		args = []any{}
	}
	rows, err := s.query(ctx, query, args)
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }()
	if !rows.Next() {
		if err := rows.Err(); err != nil {
			return err
		}
		return sql.ErrNoRows
	}
	return scan(rows)
}

// query reads rows where the context's client reads. The caller closes them.
func (s *Store) query(ctx context.Context, query string, args []any) (*entsql.Rows, error) {
	var drv interface {
		Query(ctx context.Context, query string, args, v any) error
	} = entsql.OpenDB(s.dialect, s.read)
	if snap, ok := ctx.Value(snapshotKey{}).(*snapshot); ok {
		drv = snap.drv
	}
	rows := &entsql.Rows{}
	if err := drv.Query(ctx, query, args, rows); err != nil {
		return nil, err
	}
	return rows, nil
}
