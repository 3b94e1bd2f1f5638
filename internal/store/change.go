package store

import (
	"context"
	"database/sql/driver"
	"strings"
	"sync"
	"sync/atomic"
)

// tableChanges tells who asks that this process has changed rows of a table.
type tableChanges struct {
	count atomic.Uint64 // of changes that were told

	mu      sync.RWMutex
	watches []watch
}

type watch struct {
	tables []string
	rows   bool // new rows are told, too
	told   func()
}

// OnChange has changed called after each change of rows of the tables that this process commits, before InTx returns; also when it is not
// known whether the commit arrived. A new row changes none and is not told, and neither is the number of a member's newest event. Changes of
// other processes come by the event log.
func (s *Store) OnChange(changed func(), tables ...string) {
	s.changes.mu.Lock()
	defer s.changes.mu.Unlock()
	s.changes.watches = append(s.changes.watches, watch{tables, false, changed})
}

// OnSignInChange is OnChange for what decides who is signed in, and whether they hold a role. A new role is told.
func (s *Store) OnSignInChange(changed func()) {
	s.OnChange(changed, "access_tokens", "members")
	s.changes.mu.Lock()
	defer s.changes.mu.Unlock()
	s.changes.watches = append(s.changes.watches, watch{[]string{"role_assignments"}, true, changed})
}

// touched are the watches that a statement may concern, a bit for each. It may be wrong in one direction: a table's name can stand in a
// statement that changes another.
func (c *tableChanges) touched(query string) (watches uint64) {
	if strings.HasPrefix(query, "SELECT") || countsEvents(query) {
		return 0
	}
	rows := strings.HasPrefix(query, "INSERT") && !strings.Contains(query, "DO UPDATE")
	c.mu.RLock()
	defer c.mu.RUnlock()
	for i, w := range c.watches {
		if rows && !w.rows {
			continue
		}
		for _, table := range w.tables {
			if strings.Contains(query, table) {
				watches |= 1 << i
			}
		}
	}
	return watches
}

// countsEvents is true for the statement that numbers events of members, which runs with every notification.
func countsEvents(query string) bool {
	rest, ok := strings.CutPrefix(query, "UPDATE ")
	if !ok || len(rest) < len(`"members" SET "event_seq"`) {
		return false
	}
	set, _, _ := strings.Cut(rest, " WHERE ")
	return strings.Trim(rest[:len(`"members"`)], "\"`") == "members" && strings.HasPrefix(rest[len(`"members" SET `)+1:], "event_seq") && !strings.Contains(set, `, "`) && !strings.Contains(set, ", `")
}

func (c *tableChanges) tell(watches uint64) {
	if watches == 0 {
		return
	}
	c.count.Add(1)
	c.mu.RLock()
	defer c.mu.RUnlock()
	for i, w := range c.watches {
		if watches&(1<<i) != 0 {
			w.told()
		}
	}
}

// sent looks at a statement that was run: outside of a transaction it is committed.
func (c *conn) sent(ctx context.Context, query string) {
	if ctx.Value(upkeepKey{}) != nil { // upkeep writes down when a token was last used, often, and ends none
		return
	}
	watches := c.changes.touched(query)
	if c.inTx {
		c.watches |= watches
		return
	}
	c.changes.tell(watches)
}

// tx knows when a transaction is over.
type tx struct {
	driver.Tx
	conn *conn
}

// Commit tells of changes afterwards.
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
	watches := t.conn.watches
	t.conn.inTx, t.conn.watches = false, 0
	if tell {
		t.conn.changes.tell(watches)
	}
}
