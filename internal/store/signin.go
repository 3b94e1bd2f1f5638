package store

import (
	"context"
	"database/sql/driver"
	"strings"
	"sync"
)

// signInChanges tells who asks that this process has changed rows which decide who is signed in.
type signInChanges struct {
	mu   sync.Mutex
	told []func()
}

// OnSignInChange has changed called after each change of tokens, sessions or accounts that this process commits, before InTx
// returns; also when it is not known whether the commit arrived. A new row ends no sign-in and is not told. Changes of other
// processes come by the event log.
func (s *Store) OnSignInChange(changed func()) {
	s.signIns.mu.Lock()
	defer s.signIns.mu.Unlock()
	s.signIns.told = append(s.signIns.told, changed)
}

func (c *signInChanges) tell() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, f := range c.told {
		f()
	}
}

// sent looks at a statement that was run: outside of a transaction it is committed.
func (c *conn) sent(ctx context.Context, query string) {
	switch {
	case !mayEndSignIns(query), ctx.Value(upkeepKey{}) != nil: // upkeep writes down when a token was last used, often, and ends none
	case c.inTx:
		c.ended = true
	default:
		c.signIns.tell()
	}
}

// mayEndSignIns may be wrong in one direction: a table's name can stand in a statement that changes another.
func mayEndSignIns(query string) bool {
	if strings.HasPrefix(query, "SELECT") || strings.HasPrefix(query, "INSERT") {
		return false
	}
	return strings.Contains(query, "access_tokens") || strings.Contains(query, "members")
}

// tx knows when a transaction is over.
type tx struct {
	driver.Tx
	conn *conn
}

// Commit tells of ended sign-ins afterwards.
func (t *tx) Commit() error {
	defer t.over(true)
	return t.Tx.Commit()
}

// Rollback tells nobody.
func (t *tx) Rollback() error {
	defer t.over(false)
	return t.Tx.Rollback()
}

func (t *tx) over(tell bool) {
	tell = tell && t.conn.ended
	t.conn.inTx, t.conn.ended = false, false
	if tell {
		t.conn.signIns.tell()
	}
}
