package event

import (
	"context"
	"sync"

	"github.com/pursuing-equity/commons/internal/gid"
	"github.com/pursuing-equity/commons/internal/store"
)

// changes reads what may have cost somebody their access, in the order in which it was committed, and makes those subscribers
// suspect whom it may concern. Whoever is about to send events first calls sync: then all that was committed before the
// call has been read, and so nothing that was written after an access was lost reaches who lost it.
type changes struct {
	store *store.Store
	hub   *hub

	counting sync.Mutex
	begun    uint64
	finished uint64

	reading sync.Mutex
	mark    store.AccessMark
	known   bool
	watch   []func(subjects []gid.ID)
}

// sync returns when every change that was committed before the call has been applied. Calls that wait at the same time share
// one statement.
func (c *changes) sync(ctx context.Context) error {
	c.counting.Lock()
	want := c.begun + 1 // one that begins from now on
	c.counting.Unlock()

	c.reading.Lock()
	defer c.reading.Unlock()
	c.counting.Lock()
	if c.finished >= want {
		c.counting.Unlock()
		return nil
	}
	c.begun++
	turn := c.begun
	c.counting.Unlock()

	found, mark, err := c.store.AccessChanges(ctx, c.mark)
	if err != nil {
		return err
	}
	c.mark, c.known = mark, true
	if len(found) > 0 {
		subjects := make([]gid.ID, len(found))
		for i, f := range found {
			subjects[i] = f.Subject
		}
		c.hub.suspect(subjects)
		for _, w := range c.watch {
			w(subjects)
		}
	}
	c.counting.Lock()
	c.finished = turn
	c.counting.Unlock()
	return nil
}

// begin makes sure that changes are read from now on.
func (c *changes) begin(ctx context.Context) error {
	c.reading.Lock()
	known := c.known
	c.reading.Unlock()
	if known {
		return nil
	}
	return c.sync(ctx)
}

// OnAccessChange calls f, which must not block, with the members and tokens whose access may have changed; a zero id is
// everybody. Call it before Run.
func (l *Log) OnAccessChange(f func(subjects []gid.ID)) {
	l.changes.watch = append(l.changes.watch, f)
}
