package store

import (
	"strings"

	entsql "entgo.io/ent/dialect/sql"
)

func postgresSearch() searchDialect {
	return searchDialect{hits: postgresHits, index: "hits", match: postgresMatch, rank: postgresRank, passage: postgresPassage}
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

// postgresHits asks the index by itself: the planner takes predicates of visibility for far more selective than they are, and would
// otherwise begin with all documents.
func postgresHits(b *entsql.Builder, t Terms) {
	b.WriteString("hits AS MATERIALIZED (SELECT document_id, vector FROM search_index WHERE vector @@ ")
	tsquery(b, t)
	b.WriteString("), ")
}

func postgresMatch(b *entsql.Builder, _ Terms) {
	b.WriteString(`"hits"."document_id" = "search_documents"."id"`)
}

// postgresRank weighs titles (A) above bodies (B), near words above far ones, and short texts above long ones.
func postgresRank(b *entsql.Builder, t Terms) {
	b.WriteString(`CAST(1000000 * ts_rank_cd('{0.1, 0.2, 0.4, 1.0}', "hits"."vector", `)
	tsquery(b, t)
	b.WriteString(", 1) AS bigint)")
}

func postgresPassage(b *entsql.Builder, t Terms) {
	b.WriteString("ts_headline('english', concat_ws(E'\\n', nullif(d.title, ''), nullif(left(d.body, 100000), '')), ")
	tsquery(b, t)
	b.WriteString(", ").Arg("MaxWords=32, MinWords=16, ShortWord=0, StartSel=" + MarkStart + ", StopSel=" + MarkEnd).
		WriteString(") FROM page JOIN search_documents AS d ON d.id = page.document")
}
