package store

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/lib/pq"

	"github.com/pursuing-equity/commons/internal/gid"
	"github.com/pursuing-equity/commons/internal/viewer"
)

// ErrNoViewer is the tripwire: a statement whose context does not say who asks. System work says viewer.System.
var ErrNoViewer = errors.New("store: a statement without a viewer in its context")

// statementsPerConn bounds the prepared statements that one connection keeps.
const statementsPerConn = 256

// settings make PostgreSQL plan a prepared statement once for a connection. Otherwise it plans the rules of access anew for each request,
// whenever it takes the general plan for dearer than the average one made to measure: ten times the work of a point read. And they
// keep it from compiling plans: it would do so anew for each request, takes half a second for a search that takes a tenth of one, and decides
// by costs that it puts far too high for rules of which the first that holds ends the work.
const settings = "SET plan_cache_mode = force_generic_plan; SET jit = off"

// connector wraps a driver's connector with what this project needs of every connection, on both databases: a cache of
// prepared statements (lib/pq otherwise prepares every parameterised statement anew, which costs a round trip), the
// tripwire, ids in the database's own form, and a count of statements.
type connector struct {
	driver.Connector
	sqlite     bool
	statements *atomic.Int64
	recorder   *atomic.Pointer[recorder]
	changes    *tableChanges
}

func (c *connector) Connect(ctx context.Context) (driver.Conn, error) {
	base, err := c.Connector.Connect(ctx)
	if err != nil {
		return nil, unreachable{err}
	}
	able, ok := base.(capable)
	if !ok {
		_ = base.Close()
		return nil, fmt.Errorf("store: a connection of %T lacks what this package needs of drivers", base)
	}
	if !c.sqlite {
		if _, err := able.ExecContext(ctx, settings, nil); err != nil {
			_ = base.Close()
			return nil, unreachable{err}
		}
	}
	return &conn{capable: able, connector: c, cache: make(map[string]*cached, 64)}, nil
}

// unreachable says that there is no connection to be had, for whatever reason the database gives.
type unreachable struct{ error }

func (u unreachable) Unwrap() error { return u.error }

// capable is what both drivers' connections can do.
type capable interface {
	driver.Conn
	driver.ConnPrepareContext
	driver.ExecerContext
	driver.ConnBeginTx
}

// statement is what both drivers' statements can do.
type statement interface {
	driver.Stmt
	driver.StmtQueryContext
	driver.StmtExecContext
}

type conn struct {
	capable
	*connector
	cache map[string]*cached
	clock uint64

	inTx    bool   // within a transaction
	watches uint64 // what it has touched: see tableChanges
}

type cached struct {
	statement
	used uint64
	busy bool // its rows are still open
}

func (c *conn) guard(ctx context.Context) error {
	if ctx.Value(upkeepKey{}) == nil {
		c.statements.Add(1)
	}
	if !viewer.Present(ctx) {
		return ErrNoViewer
	}
	return nil
}

// prepared returns a statement to run, and what to do when it is done with.
func (c *conn) prepared(ctx context.Context, query string) (statement, func(error), error) {
	s, ok := c.cache[query]
	if ok && s.busy {
		stmt, err := c.prepare(ctx, query)
		return stmt, func(error) { _ = stmt.Close() }, err
	}
	if !ok {
		stmt, err := c.prepare(ctx, query)
		if err != nil {
			return nil, nil, err
		}
		if len(c.cache) >= statementsPerConn {
			c.evict()
		}
		s = &cached{statement: stmt}
		c.cache[query] = s
	}
	c.clock++
	s.used, s.busy = c.clock, true
	return s.statement, func(err error) {
		s.busy = false
		if stale(err) {
			delete(c.cache, query)
			_ = s.Close()
		}
	}, nil
}

func (c *conn) prepare(ctx context.Context, query string) (statement, error) {
	stmt, err := c.capable.PrepareContext(ctx, query)
	if err != nil {
		return nil, err
	}
	able, ok := stmt.(statement)
	if !ok {
		_ = stmt.Close()
		return nil, fmt.Errorf("store: a statement of %T lacks what this package needs of drivers", stmt)
	}
	return able, nil
}

// stale reports whether the server no longer knows the statement or its columns, as after a migration.
func stale(err error) bool {
	e, ok := errors.AsType[*pq.Error](err)
	return ok && (e.Code == "0A000" || e.Code == "26000")
}

func (c *conn) evict() {
	var oldest string
	least := ^uint64(0)
	for q, s := range c.cache {
		if !s.busy && s.used < least {
			oldest, least = q, s.used
		}
	}
	if s, ok := c.cache[oldest]; ok {
		delete(c.cache, oldest)
		_ = s.Close()
	}
}

// QueryContext runs a statement that returns rows.
func (c *conn) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Rows, error) {
	if err := c.guard(ctx); err != nil {
		return nil, err
	}
	if r := c.recorder.Load(); r != nil {
		r.add(query, args)
	}
	defer c.sent(ctx, query)
	stmt, done, err := c.prepared(ctx, query)
	if err != nil {
		return nil, err
	}
	rows, err := stmt.QueryContext(ctx, args)
	if err != nil {
		done(err)
		return nil, err
	}
	return newRows(rows, done), nil
}

// ExecContext runs a statement that returns no rows. Without arguments it may be a script of several.
func (c *conn) ExecContext(ctx context.Context, query string, args []driver.NamedValue) (driver.Result, error) {
	if err := c.guard(ctx); err != nil {
		return nil, err
	}
	defer c.sent(ctx, query)
	if len(args) == 0 {
		return c.capable.ExecContext(ctx, query, args)
	}
	stmt, done, err := c.prepared(ctx, query)
	if err != nil {
		return nil, err
	}
	res, err := stmt.ExecContext(ctx, args)
	done(err)
	return res, err
}

// BeginTx begins a transaction. It is not counted as a statement.
func (c *conn) BeginTx(ctx context.Context, opts driver.TxOptions) (driver.Tx, error) {
	if c.sqlite {
		opts.Isolation = 0 // a SQLite transaction is a snapshot anyway, and its driver knows no other level
	}
	t, err := c.capable.BeginTx(ctx, opts)
	if err != nil {
		return nil, err
	}
	c.inTx, c.watches = true, 0
	return &tx{Tx: t, conn: c}, nil
}

// PrepareContext is for those who keep their own statements, such as bulk loads.
func (c *conn) PrepareContext(ctx context.Context, query string) (driver.Stmt, error) {
	if err := c.guard(ctx); err != nil {
		return nil, err
	}
	return c.capable.PrepareContext(ctx, query)
}

// CheckNamedValue gives SQLite the 16 bytes of an id and UTC times; PostgreSQL takes a uuid's text.
func (c *conn) CheckNamedValue(nv *driver.NamedValue) error {
	if c.sqlite {
		switch v := nv.Value.(type) {
		case gid.ID:
			if nv.Value = nil; !v.IsZero() {
				nv.Value = v[:]
			}
			return nil
		case *gid.ID:
			if nv.Value = nil; v != nil && !v.IsZero() {
				nv.Value = v[:]
			}
			return nil
		case time.Time:
			nv.Value = v.UTC()
			return nil
		}
	}
	if ch, ok := c.capable.(driver.NamedValueChecker); ok {
		return ch.CheckNamedValue(nv)
	}
	return driver.ErrSkip
}

// Ping asks the server whether it is there.
func (c *conn) Ping(ctx context.Context) error {
	if p, ok := c.capable.(driver.Pinger); ok {
		return p.Ping(ctx)
	}
	return nil
}

// ResetSession is called before the connection is used again.
func (c *conn) ResetSession(ctx context.Context) error {
	if r, ok := c.capable.(driver.SessionResetter); ok {
		return r.ResetSession(ctx)
	}
	return nil
}

// IsValid reports whether the pool may keep the connection.
func (c *conn) IsValid() bool {
	if v, ok := c.capable.(driver.Validator); ok {
		return v.IsValid()
	}
	return true
}

// Close closes the statements with the connection.
func (c *conn) Close() error {
	for q, s := range c.cache {
		_ = s.Close()
		delete(c.cache, q)
	}
	return c.capable.Close()
}

// rows tells the cache when its statement is free again.
type rows struct {
	driver.Rows
	done func(error)
}

// typedRows keeps what database/sql asks of rows that know their columns' types.
type typedRows struct {
	*rows
	driver.RowsColumnTypeDatabaseTypeName
}

func newRows(base driver.Rows, done func(error)) driver.Rows {
	r := &rows{Rows: base, done: done}
	if t, ok := base.(driver.RowsColumnTypeDatabaseTypeName); ok {
		return &typedRows{rows: r, RowsColumnTypeDatabaseTypeName: t}
	}
	return r
}

func (r *typedRows) Columns() []string              { return r.rows.Columns() }
func (r *typedRows) Close() error                   { return r.rows.Close() }
func (r *typedRows) Next(dest []driver.Value) error { return r.rows.Next(dest) }

// Close frees the statement.
func (r *rows) Close() error {
	err := r.Rows.Close()
	if r.done != nil {
		r.done(err)
		r.done = nil
	}
	return err
}
