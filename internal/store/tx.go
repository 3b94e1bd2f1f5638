package store

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/binary"
	"fmt"

	"entgo.io/ent/dialect"
	entsql "entgo.io/ent/dialect/sql"

	"github.com/pursuing-equity/commons/ent"
)

// maxAttempts is how often a transaction that lost to another one is run.
const maxAttempts = 4

// transaction is what the context of InTx knows.
type transaction struct {
	dialect string
	client  *ent.Client
	pending []func()
}

type transactionKey struct{}

// transactionOf panics outside of InTx.
func transactionOf(ctx context.Context) *transaction {
	t, ok := ctx.Value(transactionKey{}).(*transaction)
	if !ok {
		panic("store: outside of InTx")
	}
	return t
}

// InTx runs fn in a transaction and commits when it returns nil. fn may be run again when the database says that it lost to
// another transaction, so it must change nothing but through tx. There is no network work inside. What AfterCommit was
// given runs once the commit is known.
func (s *Store) InTx(ctx context.Context, fn func(ctx context.Context, tx *ent.Client) error) error {
	if t, joined := ctx.Value(joinedKey{}).(*transaction); joined {
		return fn(context.WithValue(ctx, transactionKey{}, t), t.client)
	}
	for attempt := 1; ; attempt++ {
		err := s.inTx(ctx, fn)
		if err == nil || attempt == maxAttempts || !retryable(err) || ctx.Err() != nil {
			return err
		}
	}
}

func (s *Store) inTx(ctx context.Context, fn func(ctx context.Context, tx *ent.Client) error) error {
	tx, err := s.write.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("begin transaction: %w", err)
	}
	defer func() { _ = tx.Rollback() }() // does nothing after a commit, and cleans up after an error or a panic
	t := &transaction{dialect: s.dialect, client: ent.NewClient(ent.Driver(&bound{dialect: s.dialect, Conn: entsql.Conn{ExecQuerier: tx}}))}
	if err := fn(context.WithValue(ctx, transactionKey{}, t), t.client); err != nil {
		return err
	}
	if err := tx.Commit(); err != nil {
		return fmt.Errorf("commit transaction: %w", err)
	}
	for _, f := range t.pending {
		f()
	}
	return nil
}

type joinedKey struct{}

// Joined is a context in which InTx begins no transaction but goes on in the one of ctx, and Client reads what it has written: so what a service
// does in its own transaction becomes part of a greater one. What fails must fail the greater one, too. It panics outside of InTx.
func Joined(ctx context.Context) context.Context {
	return context.WithValue(ctx, joinedKey{}, transactionOf(ctx))
}

// AfterCommit runs f once the transaction of the context has been committed, and never if it is not. It must not block.
func AfterCommit(ctx context.Context, f func()) {
	t := transactionOf(ctx)
	t.pending = append(t.pending, f)
}

// alone waits until no other transaction of this name runs, and keeps others waiting until this one ends. SQLite has one writer
// anyway.
func alone(ctx context.Context, tx *ent.Client, name []byte) error {
	if transactionOf(ctx).dialect == dialect.SQLite {
		return nil
	}
	sum := sha256.Sum256(name)
	if _, err := tx.ExecContext(ctx, "SELECT pg_advisory_xact_lock($1)", int64(binary.BigEndian.Uint64(sum[:]))); err != nil {
		return fmt.Errorf("wait for a transaction of the same name: %w", err)
	}
	return nil
}

// router sends reads to the pool that reads and everything else to the one that writes.
type router struct {
	dialect     string
	write, read *entsql.Driver
}

func (r *router) Query(ctx context.Context, query string, args, v any) error {
	return r.read.Query(ctx, query, args, v)
}

func (r *router) Exec(ctx context.Context, query string, args, v any) error {
	return r.write.Exec(ctx, query, args, v)
}

func (r *router) QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error) {
	return r.read.QueryContext(ctx, query, args...)
}

func (r *router) ExecContext(ctx context.Context, query string, args ...any) (sql.Result, error) {
	return r.write.ExecContext(ctx, query, args...)
}

// Tx refuses: writes go through Store.InTx.
func (r *router) Tx(context.Context) (dialect.Tx, error) {
	return nil, fmt.Errorf("store: begin transactions with Store.InTx")
}
func (r *router) Close() error    { return nil }
func (r *router) Dialect() string { return r.dialect }

// bound runs everything on one open transaction; ent's own transactions within it are that one.
type bound struct {
	entsql.Conn
	dialect string
}

func (b *bound) Tx(context.Context) (dialect.Tx, error) { return dialect.NopTx(b), nil }
func (b *bound) Close() error                           { return nil }
func (b *bound) Dialect() string                        { return b.dialect }

// LockRow makes a query of one row wait for, and hold, the row's lock until the transaction ends. It is the lock of who changes a row
// and keeps its key: rows that refer to it can be made meanwhile, else two who refer to each other's rows would wait in a circle.
// SQLite has one writer: there is nothing to lock.
func LockRow(s *entsql.Selector) {
	if s.Dialect() == dialect.Postgres {
		s.For(entsql.LockNoKeyUpdate)
	}
}

// KeepRows keeps the rows of a query from being deleted until the transaction ends, and holds up nobody who only changes them: so other
// rows can be made that refer to them. SQLite has one writer: there is nothing to keep.
func KeepRows(s *entsql.Selector) {
	if s.Dialect() == dialect.Postgres {
		s.For(entsql.LockKeyShare)
	}
}

// LockFreeRows makes a query leave out rows that other transactions hold, and hold those that it returns, until the transaction
// ends: workers that share a queue do not wait for each other. SQLite has one writer: there is nothing to leave out.
func LockFreeRows(s *entsql.Selector) {
	if s.Dialect() == dialect.Postgres {
		s.For(entsql.LockNoKeyUpdate, entsql.WithLockAction(entsql.SkipLocked))
	}
}

// lostRace makes InTx run the transaction again: another one has committed what this one was about to.
type lostRace struct{ error }

// RetryOnConflict makes InTx run the transaction again when a unique rule says that another one was first with the same row.
func RetryOnConflict(err error) error {
	if ent.IsConstraintError(err) {
		return lostRace{err}
	}
	return err
}
