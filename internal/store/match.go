package store

import (
	"context"
	"fmt"
	"slices"
	"strings"

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
	// Begun is one more that must be there, whose last word may go on: "ther" finds "therapy". Empty for none.
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

// searchStatement selects the visible documents that match with their rank, cuts the page out of them, and fetches its passages.
func (s *Store) searchStatement(q Search, o page.Order, w page.Window) (string, []any) {
	match, rank, passage := postgresMatch, postgresRank, postgresPassage
	if s.dialect == dialect.SQLite {
		match, rank, passage = sqliteMatch, sqliteRank, sqlitePassage
	}
	d := entsql.Dialect(s.dialect)
	documents := d.Table(searchdocument.Table)
	found := d.Select().From(documents)
	found.AppendSelectAs(documents.C(searchdocument.FieldID), "document").AppendSelectAs(documents.C(searchdocument.FieldObjectID), "id")
	found.AppendSelectExprAs(entsql.ExprFunc(func(b *entsql.Builder) { rank(b, q.Terms) }), o.Column)
	found.Join(d.Table("search_index").As("search_index")).OnP(entsql.P(func(b *entsql.Builder) { match(b, q.Terms) }))
	if len(q.Kinds) > 0 {
		searchdocument.KindIn(q.Kinds...)(found)
	}
	q.Visible(found)

	cut := d.Select("document", "id", o.Column).From(d.Table("found"))
	o.Page(w)(cut)

	var b entsql.Builder
	b.SetDialect(s.dialect)
	b.WriteString("WITH found AS (").Join(found).WriteString("), page AS (").Join(cut).WriteString(") SELECT page.id, page.rank, ")
	passage(&b, q.Terms)
	return b.Query()
}

// tsquery writes the terms as PostgreSQL's tsquery. Every word goes to the parser between quotes, so no text is a syntax error,
// and several words in one pair of quotes are a phrase. The word that may go on is looked for by its stem, and as it
// was typed: the stem of "running" alone would begin "runt", too.
func tsquery(b *entsql.Builder, t Terms) {
	b.WriteString("(to_tsquery('english', ").Arg(quoted(t.Must)).WriteString(")")
	if t.Begun != "" {
		begun := quoted([]string{t.Begun})
		b.WriteString(" && (to_tsquery('english', ").Arg(begun).WriteString(") || to_tsquery('simple', ").Arg(begun + ":*").WriteString("))")
	}
	for _, n := range t.Not {
		b.WriteString(" && !! to_tsquery('english', ").Arg(quoted([]string{n})).WriteString(")")
	}
	b.WriteString(")")
}

func quoted(terms []string) string {
	all := make([]string, len(terms))
	for i, t := range terms {
		all[i] = "'" + strings.NewReplacer(`\`, `\\`, `'`, `''`).Replace(t) + "'"
	}
	return strings.Join(all, " & ")
}

func postgresMatch(b *entsql.Builder, t Terms) {
	b.WriteString(`"search_index"."document_id" = "search_documents"."id" AND "search_index"."vector" @@ `)
	tsquery(b, t)
}

// postgresRank weighs titles (A) above bodies (B), near words above far ones, and short texts above long ones.
func postgresRank(b *entsql.Builder, t Terms) {
	b.WriteString(`CAST(1000000 * ts_rank_cd('{0.1, 0.2, 0.4, 1.0}', "search_index"."vector", `)
	tsquery(b, t)
	b.WriteString(", 1) AS bigint)")
}

func postgresPassage(b *entsql.Builder, t Terms) {
	b.WriteString("ts_headline('english', concat_ws(E'\\n', nullif(d.title, ''), nullif(left(d.body, 100000), '')), ")
	tsquery(b, t)
	b.WriteString(", ").Arg("MaxWords=32, MinWords=16, ShortWord=0, StartSel=" + MarkStart + ", StopSel=" + MarkEnd).
		WriteString(") FROM page JOIN search_documents AS d ON d.id = page.document")
}

// fts writes the terms as FTS5's expression, each between quotes, where nothing but a quote has a meaning.
func fts(t Terms) string {
	quote := func(s string) string { return `"` + strings.ReplaceAll(s, `"`, " ") + `"` }
	var all []string
	for _, m := range t.Must {
		all = append(all, quote(m))
	}
	if t.Begun != "" {
		all = append(all, quote(t.Begun)+" *")
	}
	expression := "(" + strings.Join(all, " AND ") + ")"
	for _, n := range t.Not {
		expression += " NOT " + quote(n)
	}
	return expression
}

// sqliteMatch begins with the index: the plus keeps SQLite from searching it anew for every document.
func sqliteMatch(b *entsql.Builder, t Terms) {
	b.WriteString("`search_documents`.`id` = +`search_index`.`rowid` AND `search_index` MATCH ").Arg(fts(t))
}

// sqliteRank counts what matched, in titles above bodies, and in short texts above long ones. FTS5's own bm25 weighs words by how
// many documents have them, hidden ones too, and so would tell of those.
func sqliteRank(b *entsql.Builder, _ Terms) {
	const hits = "(length(highlight(`search_index`, %d, char(1), '')) - length(`search_documents`.`%s`))"
	b.WriteString("CAST(1000000.0 * (" + fmt.Sprintf(hits, 0, searchdocument.FieldTitle) + " + 0.4 * " + fmt.Sprintf(hits, 1, searchdocument.FieldBody) +
		") / (1.0 + ln(1.0 + (length(`search_documents`.`title`) + length(`search_documents`.`body`)) / 6.0)) AS INTEGER)")
}

func sqlitePassage(b *entsql.Builder, t Terms) {
	b.WriteString("snippet(search_index, -1, ").Arg(MarkStart).WriteString(", ").Arg(MarkEnd).WriteString(", '…', 32) " +
		"FROM page CROSS JOIN search_index ON search_index.rowid = page.document WHERE search_index MATCH ").Arg(fts(t))
}
