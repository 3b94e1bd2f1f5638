package page

import (
	"entgo.io/ent/dialect/sql"

	"github.com/pursuing-equity/commons/internal/gid"
)

// Through is a table between parents and children, where a child has several parents: a cohort's teams by way of enrollments.
type Through struct {
	Table, Parent, Child string
	On                   string                   // the children's column that Child has; their id when empty
	Where                func(link *sql.Selector) // which links count
}

// Link is one row of the table between.
type Link struct{ Parent, Child gid.ID }

// EachThrough is Each where a child has several parents: one statement for the children of all pages, and one for the links
// between them and the parents.
func EachThrough[T any](o Order, a Args, t Through, parents []gid.ID, key func(*T) Key,
	load func(within func(*sql.Selector)) ([]*T, error), links func(parents, children []gid.ID) ([]Link, error), inner ...func(*sql.Selector),
) ([]*Connection[T], error) {
	all := parents
	parents = distinct(parents)
	w, err := a.windowOfEach(o, parents)
	if err != nil {
		return nil, err
	}
	rows, err := load(o.laterally(w, parents, t.of, inner))
	if err != nil {
		return nil, err
	}
	children := make([]gid.ID, len(rows))
	for i, row := range rows {
		children[i] = key(row).ID
	}
	linked, err := links(parents, children)
	if err != nil {
		return nil, err
	}
	has := make(map[Link]bool, len(linked))
	for _, l := range linked {
		has[l] = true
	}
	out := make([]*Connection[T], len(all))
	for i, p := range all {
		// The rows are in the list's order. Those of this parent that came with another parent's page lie behind its own page.
		var own []*T
		for _, row := range rows {
			if len(own) <= w.Limit && has[Link{p, key(row).ID}] {
				own = append(own, row)
			}
		}
		out[i] = Build(o, w, p, own, key)
	}
	return out, nil
}

func (t Through) of(in *sql.Selector, parent string) *sql.Predicate {
	link := sql.Dialect(in.Dialect()).Select().From(sql.Table(t.Table).As("l"))
	link.Select(link.C(t.Child))
	link.Where(sql.P(func(b *sql.Builder) { b.Ident(link.C(t.Parent)).WriteString(" = " + parent) }))
	t.Where(link)
	on := t.On
	if on == "" {
		on = idColumn
	}
	return sql.In(in.C(on), link)
}
