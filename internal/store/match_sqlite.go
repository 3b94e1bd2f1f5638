package store

import (
	"fmt"
	"strings"

	entsql "entgo.io/ent/dialect/sql"

	"github.com/pursuing-equity/commons/ent/searchdocument"
)

func sqliteSearch() searchDialect {
	none := func(*entsql.Builder, Terms) {}
	return searchDialect{hits: none, index: "search_index", match: sqliteMatch, rank: sqliteRank, passage: sqlitePassage}
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
	wanted := []string{"(" + strings.Join(all, " AND ") + ")"}
	for _, n := range t.Not {
		wanted = append(wanted, quote(n))
	}
	return strings.Join(wanted, " NOT ")
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
