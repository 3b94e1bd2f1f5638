package store

import (
	"context"
	"fmt"
	"slices"

	"entgo.io/ent/dialect"
	entsql "entgo.io/ent/dialect/sql"

	"github.com/pursuing-equity/commons/ent/predicate"
	"github.com/pursuing-equity/commons/ent/searchdocument"
	"github.com/pursuing-equity/commons/internal/gid"
	"github.com/pursuing-equity/commons/internal/page"
)

// Terms are what a text must hold to be found. Each is a word or several, which must stand side by side; words are compared by
// their stem. Any text is allowed: nothing in it has a meaning for the database.
type Terms struct {
	Must []string
	// Begun is one more that must be there, whose last word may go on: "her" finds "heron". Empty for none.
	Begun string
	Not   []string
}

// Search is a search to run. Something must be wanted: Must or Begun.
type Search struct {
	Terms
	// Kinds are the sorts of object to find; all when empty.
	Kinds []searchdocument.Kind
	// Visible says which documents there are at all: it is applied before anything is ranked.
	Visible predicate.SearchDocument
}

// Match is an object that was found.
type Match struct {
	Object gid.ID
	// Rank is how well it matches, higher is better. It depends on the document and the terms alone, never on other documents:
	// so it tells nothing of hidden ones, and stays as it is while others come and go.
	Rank int64
	// Passage is a piece of its text, each word that matched between MarkStart and MarkEnd.
	Passage string
}

// Marks in a passage. Services refuse control characters in texts, but whoever reads a passage must not rely on it.
const (
	MarkStart = "\x01"
	MarkEnd   = "\x02"
)

// SearchOrder is the order of what is found, the best first. Name tells searches apart.
func SearchOrder(name string) page.Order {
	return page.Order{Name: name, Column: "rank", Part: page.ByRank, Desc: true}
}

// Place is the match's place in its order.
func (m *Match) Place() page.Key { return page.Key{Int: m.Rank, ID: m.Object} }

// Search finds a page of objects in one statement, for page.Build. What is not visible takes no part in it, and passages are
// cut for the rows of the page alone.
func (s *Store) Search(ctx context.Context, q Search, o page.Order, w page.Window) ([]*Match, error) {
	query, args := s.searchStatement(q, o, w)
	rows, err := s.query(ctx, query, args)
	if err != nil {
		return nil, fmt.Errorf("search: %w", err)
	}
	defer func() { _ = rows.Close() }()
	var found []*Match
	for rows.Next() {
		m := new(Match)
		if err := rows.Scan(&m.Object, &m.Rank, &m.Passage); err != nil {
			return nil, fmt.Errorf("read what was found: %w", err)
		}
		found = append(found, m)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("search: %w", err)
	}
	slices.SortFunc(found, func(a, b *Match) int { // the passages' join keeps no order
		if w.Backward {
			a, b = b, a
		}
		return o.Compare(a.Place(), b.Place())
	})
	return found, nil
}

// searchDialect is what a search says differently to each database.
type searchDialect struct {
	hits    func(b *entsql.Builder, t Terms) // common table expressions to begin with
	index   string                           // what the documents are joined with
	match   func(b *entsql.Builder, t Terms) // the join's condition
	rank    func(b *entsql.Builder, t Terms)
	passage func(b *entsql.Builder, t Terms) // the last column, and where it comes from
}

// searchStatement selects the visible documents that match with their rank, cuts the page out of them, and fetches its passages.
func (s *Store) searchStatement(q Search, o page.Order, w page.Window) (string, []any) {
	with := postgresSearch()
	if s.dialect == dialect.SQLite {
		with = sqliteSearch()
	}
	d := entsql.Dialect(s.dialect)
	documents := d.Table(searchdocument.Table)
	found := d.Select().From(documents)
	found.AppendSelectAs(documents.C(searchdocument.FieldID), "document").AppendSelectAs(documents.C(searchdocument.FieldObjectID), "id")
	found.AppendSelectExprAs(entsql.ExprFunc(func(b *entsql.Builder) { with.rank(b, q.Terms) }), o.Column)
	found.Join(d.Table(with.index).As(with.index)).OnP(entsql.P(func(b *entsql.Builder) { with.match(b, q.Terms) }))
	if len(q.Kinds) > 0 {
		searchdocument.KindIn(q.Kinds...)(found)
	}
	q.Visible(found)

	cut := d.Select("document", "id", o.Column).From(d.Table("found"))
	o.Page(w)(cut)

	var b entsql.Builder
	b.SetDialect(s.dialect)
	b.WriteString("WITH ")
	with.hits(&b, q.Terms)
	b.WriteString("found AS MATERIALIZED (").Join(found).WriteString("), page AS (").Join(cut).WriteString(") SELECT page.id, page.rank, ")
	with.passage(&b, q.Terms)
	return b.Query()
}
