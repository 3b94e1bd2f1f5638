package page

import (
	"entgo.io/ent/dialect/sql"

	"github.com/pursuing-equity/commons/internal/gid"
)

// Walk reads all rows that there are, size at a time in the order of their ids, and hands each batch to do. Load gets what cuts the
// next batch out of its query. Rows that come or go meanwhile are met or not; none is met twice.
func Walk[T any](size int, id func(*T) gid.ID, load func(within func(*sql.Selector)) ([]*T, error), do func([]*T) error) error {
	w := Window{Limit: size - 1} // Page reads one more, to know whether there is one
	for {
		rows, err := load(Order{Part: ByID}.Page(w))
		if err != nil || len(rows) == 0 {
			return err
		}
		if err := do(rows); err != nil || len(rows) < size {
			return err
		}
		w.After = &Key{ID: id(rows[len(rows)-1])}
	}
}
