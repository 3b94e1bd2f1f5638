// Package sibling lets rows that one statement loaded know each other, so that a field is resolved for all of them at once.
//
// A page of posts, or the teams of all cohorts of a page, come from one statement and form one group. The first row whose
// author is asked for loads the authors of the whole group, and these form the next group: one statement for each edge and
// level, whatever the number of rows and wherever in the graph they stand, and always the same number. gqlgen's own batches
// end at every connection (edges { node }), and a loader that waits for others to join depends on the scheduler.
package sibling

import (
	"fmt"
	"sync"
)

// Group is the rows of one statement. It lives as long as they do.
type Group[T any] struct {
	rows   []*T
	place  func() map[*T]int
	fields sync.Map // key of a field → *call of its type
}

// Join makes a group. The slice must not change afterwards.
func Join[T any](rows []*T) *Group[T] {
	return &Group[T]{rows: rows, place: sync.OnceValue(func() map[*T]int {
		m := make(map[*T]int, len(rows))
		for i, r := range rows {
			m[r] = i
		}
		return m
	})}
}

type call[R any] struct {
	once    sync.Once
	results []R
	err     error
}

// Resolve returns a row's part of what resolve returns for the whole group. Resolve is called once for each key; it returns
// a result a row, in their order. A nil group is a row that has no siblings.
func Resolve[T, R any](g *Group[T], row *T, key any, resolve func([]*T) ([]R, error)) (R, error) {
	var zero R
	if g == nil {
		results, err := resolve([]*T{row})
		if err != nil || len(results) != 1 {
			return zero, err
		}
		return results[0], nil
	}
	v, ok := g.fields.Load(key)
	if !ok {
		v, _ = g.fields.LoadOrStore(key, new(call[R]))
	}
	c, ok := v.(*call[R])
	if !ok {
		return zero, fmt.Errorf("sibling: the key %v stands for a field of another type", key)
	}
	c.once.Do(func() { c.results, c.err = resolve(g.rows) })
	if c.err != nil {
		return zero, c.err
	}
	return c.results[g.place()[row]], nil
}
