package page

import (
	"encoding/hex"
	"slices"
	"strings"

	"entgo.io/ent/dialect"
	"entgo.io/ent/dialect/sql"

	"github.com/pursuing-equity/commons/internal/fault"
	"github.com/pursuing-equity/commons/internal/gid"
)

const idColumn = "id"

// AnyOf is column = one of the ids, with a text that stays the same whatever their number, so that the statement is
// prepared once.
func AnyOf(column string, ids []gid.ID) func(*sql.Selector) {
	return func(s *sql.Selector) {
		s.Where(sql.P(func(b *sql.Builder) {
			b.Ident(s.C(column))
			if s.Dialect() == dialect.SQLite {
				b.WriteString(" IN (SELECT unhex(value) FROM json_each(").Arg(list(s.Dialect(), ids)).WriteString("))")
			} else {
				b.WriteString(" = ANY(").Arg(list(s.Dialect(), ids)).WriteString("::uuid[])")
			}
		}))
	}
}

// list writes ids as one argument: an array for PostgreSQL, JSON for SQLite.
func list(d string, ids []gid.ID) string {
	var b strings.Builder
	if d == dialect.SQLite {
		b.WriteByte('[')
		for i, id := range ids {
			if i > 0 {
				b.WriteByte(',')
			}
			b.WriteByte('"')
			b.WriteString(hex.EncodeToString(id[:]))
			b.WriteByte('"')
		}
		b.WriteByte(']')
		return b.String()
	}
	b.WriteByte('{')
	for i, id := range ids {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(id.UUID())
	}
	b.WriteByte('}')
	return b.String()
}

// Page cuts one page out of a query: conditions, order and limit.
func (o Order) Page(w Window) func(*sql.Selector) {
	return func(s *sql.Selector) {
		o.between(s, w)
		o.sort(s, w.Backward)
		s.Limit(w.Limit + 1)
	}
}

// PageOfEach cuts the same page out of the children of every parent in one statement that reads no more rows than it
// returns, whatever the number of children. Inner conditions say which children there are.
func (o Order) PageOfEach(w Window, foreignKey string, parents []gid.ID, inner ...func(*sql.Selector)) func(*sql.Selector) {
	if len(parents) == 1 {
		return func(s *sql.Selector) {
			s.Where(sql.EQ(s.C(foreignKey), parents[0]))
			for _, in := range inner {
				in(s)
			}
			o.Page(w)(s)
		}
	}
	return o.laterally(w, parents, func(in *sql.Selector, parent string) *sql.Predicate {
		return sql.P(func(b *sql.Builder) { b.Ident(in.C(foreignKey)).WriteString(" = " + parent) })
	}, inner)
}

// laterally cuts a page for each of several parents: of says, of a selector of children, which belong to the parent whose id
// is the expression that it is given.
func (o Order) laterally(w Window, parents []gid.ID, of func(in *sql.Selector, parent string) *sql.Predicate, inner []func(*sql.Selector)) func(*sql.Selector) {
	return func(s *sql.Selector) {
		d := s.Dialect()
		in := sql.Dialect(d).Select().From(sql.Table(s.TableName()).As("c"))
		in.Select(in.C(idColumn))
		parent := "p.id"
		if d == dialect.SQLite {
			parent = "unhex(p.value)"
		}
		in.Where(of(in, parent))
		for _, f := range inner {
			f(in)
		}
		o.Page(w)(in)
		s.Where(sql.P(func(b *sql.Builder) {
			b.Ident(s.C(idColumn))
			if d == dialect.SQLite {
				b.WriteString(" IN (SELECT x.id FROM json_each(").Arg(list(d, parents)).WriteString(") AS p JOIN ").
					Ident(s.TableName()).WriteString(" AS x ON x.id IN (").Join(in).WriteString("))")
			} else {
				b.WriteString(" IN (SELECT x.id FROM unnest(").Arg(list(d, parents)).WriteString("::uuid[]) AS p(id) CROSS JOIN LATERAL (").
					Join(in).WriteString(") AS x)")
			}
		}))
		o.sort(s, w.Backward)
	}
}

func (o Order) between(s *sql.Selector, w Window) {
	if w.After != nil {
		s.Where(o.beyond(s, *w.After, !o.Desc))
	}
	if w.Before != nil {
		s.Where(o.beyond(s, *w.Before, o.Desc))
	}
}

// beyond compares the row with a key as one value: databases walk an index to it, which they do not for a chain of ORs.
func (o Order) beyond(s *sql.Selector, k Key, greater bool) *sql.Predicate {
	columns, args := []string{s.C(idColumn)}, []any{k.ID}
	switch o.Part {
	case ByText:
		columns, args = []string{s.C(o.Column), s.C(idColumn)}, []any{k.Text, k.ID}
	case ByTime:
		columns, args = []string{s.C(o.Column), s.C(idColumn)}, []any{k.Time, k.ID}
	case ByRank:
		columns, args = []string{s.C(o.Column), s.C(idColumn)}, []any{k.Int, k.ID}
	case ByInt:
		columns, args = []string{s.C(o.Column)}, []any{k.Int}
	case ByID:
	}
	if len(columns) == 1 {
		if greater {
			return sql.GT(columns[0], args[0])
		}
		return sql.LT(columns[0], args[0])
	}
	if greater {
		return sql.CompositeGT(columns, args...)
	}
	return sql.CompositeLT(columns, args...)
}

func (o Order) sort(s *sql.Selector, backward bool) {
	dir := sql.Asc
	if o.Desc != backward {
		dir = sql.Desc
	}
	if o.Column != "" {
		s.OrderBy(dir(s.C(o.Column)))
	}
	if o.Part != ByInt {
		s.OrderBy(dir(s.C(idColumn)))
	}
}

// Build makes the connection of the rows that Page selected.
func Build[T any](o Order, w Window, scope gid.ID, rows []*T, key func(*T) Key) *Connection[T] {
	more := len(rows) > w.Limit
	if more {
		rows = rows[:w.Limit]
	}
	if w.Backward {
		rows = slices.Clone(rows) // several parents may share the slice
		slices.Reverse(rows)
	}
	c := &Connection[T]{Edges: make([]*Edge[T], len(rows))}
	for i, row := range rows {
		c.Edges[i] = &Edge[T]{Cursor: o.Cursor(key(row), scope), Node: row}
	}
	c.PageInfo.HasNextPage, c.PageInfo.HasPreviousPage = more, w.After != nil
	if w.Backward {
		c.PageInfo.HasNextPage, c.PageInfo.HasPreviousPage = w.Before != nil, more
	}
	if len(rows) > 0 {
		c.PageInfo.StartCursor = &c.Edges[0].Cursor
		c.PageInfo.EndCursor = &c.Edges[len(rows)-1].Cursor
	}
	return c
}

// Each makes the same page of every parent's children: it checks the arguments, has load fetch all children in one
// statement with the predicate that it is given, and returns a connection a parent, in their order.
func Each[T any](o Order, a Args, foreignKey string, parents []gid.ID, key func(*T) Key, parent func(*T) gid.ID,
	load func(within func(*sql.Selector)) ([]*T, error), inner ...func(*sql.Selector),
) ([]*Connection[T], error) {
	all := parents
	parents = distinct(parents)
	w, err := a.windowOfEach(o, parents)
	if err != nil {
		return nil, err
	}
	rows, err := load(o.PageOfEach(w, foreignKey, parents, inner...))
	if err != nil {
		return nil, err
	}
	of := make(map[gid.ID][]*T, len(parents))
	for _, row := range rows {
		of[parent(row)] = append(of[parent(row)], row)
	}
	out := make([]*Connection[T], len(all))
	for i, p := range all {
		out[i] = Build(o, w, p, of[p], key)
	}
	return out, nil
}

// windowOfEach checks the arguments of the same list of several parents.
func (a Args) windowOfEach(o Order, parents []gid.ID) (Window, error) {
	if len(parents) == 1 {
		return a.Window(o, parents[0])
	}
	if a.After != nil || a.Before != nil {
		// A cursor is of one parent's list; there are several here, so it is not theirs.
		return Window{}, fault.New(fault.InvalidCursor, "This cursor is of one list, and there are several here. Ask for the one object by its id.")
	}
	return a.Window(o, gid.ID{})
}

func distinct(ids []gid.ID) []gid.ID {
	seen := make(map[gid.ID]bool, len(ids))
	out := make([]gid.ID, 0, len(ids))
	for _, id := range ids {
		if !seen[id] {
			seen[id] = true
			out = append(out, id)
		}
	}
	return out
}
