// Package store opens the database, runs transactions and snapshots, applies migrations and searches. It is the only
// package that knows which database it is: SQLite, the embedded default for one process, or PostgreSQL, for many.
package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"entgo.io/ent/dialect"
	entsql "entgo.io/ent/dialect/sql"
	"github.com/lib/pq"
	"modernc.org/sqlite"
	sqlitelib "modernc.org/sqlite/lib"

	"github.com/pursuing-equity/commons/ent"
	"github.com/pursuing-equity/commons/internal/fault"
)

// Store is an open database. It is safe for concurrent use.
type Store struct {
	client     *ent.Client
	write      *sql.DB // the only connection that writes, on SQLite; the same pool as read on PostgreSQL
	read       *sql.DB
	plain      driver.Connector // without this package's wrapping
	dialect    string
	url        string
	statements atomic.Int64
	recorder   atomic.Pointer[recorder]
	changes    tableChanges
	secrets    sync.Map // of []byte, by name
}

// PoolSize is how many connections the pool of PostgreSQL holds, open and idle alike: closing idle ones costs a factor of
// six and more under load.
func PoolSize() int { return max(4, 4*runtime.GOMAXPROCS(0)) }

// Open opens the database at url: "sqlite:path/to/file.db" or "postgres://…". It makes SQLite's directory and file when
// there are none; it applies no migration.
func Open(ctx context.Context, databaseURL string) (*Store, error) {
	s := &Store{url: databaseURL}
	switch {
	case strings.HasPrefix(databaseURL, "sqlite:"):
		if err := s.openSQLite(strings.TrimPrefix(databaseURL, "sqlite:")); err != nil {
			return nil, err
		}
	case strings.HasPrefix(databaseURL, "postgres://"), strings.HasPrefix(databaseURL, "postgresql://"):
		base, err := pq.NewConnector(databaseURL)
		if err != nil {
			return nil, fmt.Errorf("open database: %w", err)
		}
		s.dialect = dialect.Postgres
		s.read = s.pool(base, PoolSize())
		s.write = s.read
	default:
		return nil, errors.New("open database: the URL must begin with sqlite: or postgres://")
	}
	s.client = ent.NewClient(ent.Driver(&router{
		dialect: s.dialect,
		write:   entsql.OpenDB(s.dialect, s.write),
		read:    entsql.OpenDB(s.dialect, s.read),
	}))
	if err := s.Ping(ctx); err != nil {
		_ = s.Close()
		return nil, fmt.Errorf("open database: %w", err)
	}
	return s, nil
}

// openSQLite opens one connection that writes beside a few that read: that is faster than many writers, and none of
// them waits for a lock. A file in memory is not supported: its connections would not share it.
func (s *Store) openSQLite(path string) error {
	if path == "" || strings.Contains(path, ":memory:") {
		return errors.New("open database: sqlite: needs the path of a file")
	}
	if dir := filepath.Dir(path); dir != "." {
		if err := os.MkdirAll(dir, 0o750); err != nil {
			return fmt.Errorf("open database: %w", err)
		}
	}
	s.dialect = dialect.SQLite
	query := url.Values{
		"_time_format": {"sqlite"},
		"_pragma": {
			"busy_timeout(5000)", "journal_mode(WAL)", "synchronous(FULL)", "foreign_keys(1)", "temp_store(MEMORY)", "cache_size(-8000)",
			"secure_delete(1)", // what is deleted is overwritten in the file: an erased member's words are gone
		},
	}
	file := "file:" + (&url.URL{Path: path}).EscapedPath() + "?"
	s.read = s.pool(dsn(file+query.Encode()+"&_pragma=query_only(1)"), 4)
	s.write = s.pool(dsn(file+query.Encode()+"&_txlock=immediate"), 1)
	return nil
}

func (s *Store) pool(base driver.Connector, size int) *sql.DB {
	s.plain = base
	db := sql.OpenDB(&connector{Connector: base, sqlite: s.dialect == dialect.SQLite, statements: &s.statements, recorder: &s.recorder, changes: &s.changes})
	db.SetMaxOpenConns(size)
	db.SetMaxIdleConns(size)
	return db
}

// dsn is a connector for SQLite's driver, which has none.
type dsn string

func (d dsn) Connect(context.Context) (driver.Conn, error) { return new(sqlite.Driver).Open(string(d)) }
func (d dsn) Driver() driver.Driver                        { return new(sqlite.Driver) }

// Client returns what to read with: the snapshot of the request if it has one, the transaction of Joined, else the database.
func (s *Store) Client(ctx context.Context) *ent.Client {
	if snap, ok := ctx.Value(snapshotKey{}).(*snapshot); ok {
		return snap.client
	}
	if t, joined := ctx.Value(joinedKey{}).(*transaction); joined {
		return t.client
	}
	return s.client
}

// Ping asks whether the database answers.
func (s *Store) Ping(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	if err := s.write.PingContext(ctx); err != nil {
		return err
	}
	return s.read.PingContext(ctx)
}

// Close closes all connections.
func (s *Store) Close() error {
	if s.read == s.write {
		return s.write.Close()
	}
	return errors.Join(s.read.Close(), s.write.Close())
}

// Postgres reports whether the database is PostgreSQL. Only internal/event asks, to know how wake-ups travel.
func (s *Store) Postgres() bool { return s.dialect == dialect.Postgres }

// URL is what Open was given.
func (s *Store) URL() string { return s.url }

// Upkeep marks what is done for nobody in particular, at intervals: Statements leaves it out.
func Upkeep(ctx context.Context) context.Context { return context.WithValue(ctx, upkeepKey{}, true) }

type upkeepKey struct{}

// Statements is how many statements were sent so far, upkeep left out; tests compare two readings.
func (s *Store) Statements() int64 { return s.statements.Load() }

// Fault turns an error of the database into a fault where it is one that a client should know: UNAVAILABLE while the
// database cannot be reached, TIMEOUT when the request's time was up. Others it returns as they are.
func Fault(err error) error {
	switch {
	case err == nil || len(fault.All(err)) > 0:
		return err
	case errors.Is(err, context.DeadlineExceeded) || queryCanceled(err):
		return fault.New(fault.Timeout, "This took too long. Ask for less at a time.").Because(err)
	case unavailable(err):
		return fault.New(fault.Unavailable, "The service is not available just now. Try again in a moment.").Because(err)
	}
	return err
}

func queryCanceled(err error) bool {
	e, ok := errors.AsType[*pq.Error](err)
	return ok && e.Code == "57014"
}

func unavailable(err error) bool {
	if _, ok := errors.AsType[unreachable](err); ok {
		return true
	}
	if e, ok := errors.AsType[*pq.Error](err); ok {
		class := e.Code.Class()
		return class == "08" || class == "53" || e.Code == "57P01" || e.Code == "57P02" || e.Code == "57P03"
	}
	if e, ok := errors.AsType[*sqlite.Error](err); ok {
		switch e.Code() & 0xff {
		case sqlitelib.SQLITE_BUSY, sqlitelib.SQLITE_LOCKED, sqlitelib.SQLITE_IOERR, sqlitelib.SQLITE_FULL, sqlitelib.SQLITE_CANTOPEN:
			return true
		}
		return false
	}
	var ne net.Error
	return errors.Is(err, driver.ErrBadConn) || errors.Is(err, sql.ErrConnDone) || errors.As(err, &ne) || errors.Is(err, net.ErrClosed)
}

// retryable reports whether the transaction lost to another one and may simply be run again.
func retryable(err error) bool {
	if _, ok := errors.AsType[lostRace](err); ok {
		return true
	}
	e, ok := errors.AsType[*pq.Error](err)
	return ok && (e.Code == "40001" || e.Code == "40P01" || stale(err))
}
