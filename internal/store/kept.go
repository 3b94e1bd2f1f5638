package store

import (
	"context"
	"sync"
	"time"

	"github.com/pursuing-equity/commons/internal/gid"
)

// keptLasts is how long a row is kept. What changes it is told at once, by this process and by the log of others; this is how old a row can be
// should the log be late.
const keptLasts = time.Second

// keptMost bounds how many rows of a kind are kept.
const keptMost = 20_000

// Kept remembers for a moment rows that change seldom and stand on every page: who wrote, where they work, in what team. It knows nothing of
// access: that was decided before a row is asked for by its id. A nil Kept keeps nothing.
type Kept[T any] struct {
	store *Store
	id    func(*T) gid.ID
	now   func() time.Time

	mu      sync.RWMutex
	changes uint64
	rows    map[gid.ID]kept[T]
}

type kept[T any] struct {
	row   *T
	until time.Time
}

// Keep makes a Kept of a table's rows.
func Keep[T any](s *Store, table string, now func() time.Time, id func(*T) gid.ID) *Kept[T] {
	k := &Kept[T]{store: s, id: id, now: now, rows: map[gid.ID]kept[T]{}}
	s.OnChange(func() { k.Forget() }, table)
	return k
}

// Forget forgets rows that have changed; without ids it forgets all. Who reads from a view of the database that was opened before puts none
// back, whichever process made the change.
func (k *Kept[T]) Forget(ids ...gid.ID) {
	k.store.changes.count.Add(1)
	k.mu.Lock()
	defer k.mu.Unlock()
	k.changes++
	if len(ids) == 0 {
		clear(k.rows)
	}
	for _, id := range ids {
		delete(k.rows, id)
	}
}

// Find returns the rows of ids, in any order, without those that there are not. What is not kept is loaded with one call of load. The rows are
// shared: whoever wants to change or link them makes copies.
func (k *Kept[T]) Find(ctx context.Context, ids []gid.ID, load func(missing []gid.ID) ([]*T, error)) ([]*T, error) {
	if k == nil {
		return load(ids)
	}
	found, missing, changes := k.look(ids)
	if len(missing) == 0 {
		return found, nil
	}
	loaded, err := load(missing)
	if err != nil {
		return nil, err
	}
	if unchanged(ctx, k.store) {
		k.put(loaded, changes)
	}
	return append(found, loaded...), nil
}

func (k *Kept[T]) look(ids []gid.ID) (found []*T, missing []gid.ID, changes uint64) {
	now := k.now()
	found = make([]*T, 0, len(ids))
	k.mu.RLock()
	defer k.mu.RUnlock()
	for _, id := range ids {
		if r, ok := k.rows[id]; ok && r.until.After(now) {
			found = append(found, r.row)
		} else {
			missing = append(missing, id)
		}
	}
	return found, missing, k.changes
}

func (k *Kept[T]) put(rows []*T, changes uint64) {
	until := k.now().Add(keptLasts)
	k.mu.Lock()
	defer k.mu.Unlock()
	if changes != k.changes { // one of them may be what it was before
		return
	}
	if len(k.rows)+len(rows) > keptMost {
		clear(k.rows)
	}
	for _, row := range rows {
		k.rows[k.id(row)] = kept[T]{row, until}
	}
}

// unchanged is false for who reads from a view of the database that was opened before the last change: what they read may be old.
func unchanged(ctx context.Context, s *Store) bool {
	snap, ok := ctx.Value(snapshotKey{}).(*snapshot)
	return !ok || snap.changes == s.changes.count.Load()
}
