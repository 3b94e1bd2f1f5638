package library_test

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/pursuing-equity/commons/internal/apitest/database"
	"github.com/pursuing-equity/commons/internal/fault"
	"github.com/pursuing-equity/commons/internal/viewer"
)

// FuzzSearch: no query makes either database fail, and every snippet is safe HTML.
func FuzzSearch(f *testing.F) {
	for _, q := range []string{
		"heron", `"heron stands" -still`, "heron & | ! <-> :* ( )", `\' \\ '' "`, `heron' | 'x`, "heron:*A", "NEAR(heron stands, 2)", "title : heron", "^heron", "heron*",
		"{title body}: heron", "heron + stands", "AND", "NOT heron", "a OR b", "%_", "-", "--", `"`, `""`, `-"`, "$1 ?1 @x :x", "https://example.org/a?b=c#d", "me@example.org",
		"<b>heron</b>", "&amp; &", "1e400 -5 0x10 1.5.2", "héron ß ﬁ İ", "日本語 検索", "👩‍⚕️ heron", "\u200d\ufeff\u00ad", "а̀ b̀", "ⅷ ²", "\u2028", "heron\u0301", "/usr/local/bin", "x-y-z", "-x-y",
		strings.Repeat("a ", 100), strings.Repeat("-a ", 66), strings.Repeat(`"b`, 100), strings.Repeat("é", 200), strings.Repeat("'", 200), strings.Repeat(`\`, 200),
	} {
		f.Add(q)
	}
	worlds := []*world{newWorld(f, database.SQLite(f)), newWorld(f, database.Postgres(f))}
	for _, w := range worlds {
		ann := w.participant("Ann")
		thread := w.thread(w.network, ann, "<i>Heron</i> sightings & more")
		w.post(thread, ann, 1, "A heron stands still. <b>x</b> [y](https://example.org/a?b=c)")
	}
	everybody := viewer.System("test")
	f.Fuzz(func(t *testing.T, query string) {
		sound := utf8.ValidString(query) && !strings.ContainsFunc(strings.TrimSpace(query), unicode.IsControl)
		for _, w := range worlds {
			found, err := w.Search(viewer.NewContext(t.Context(), everybody), everybody, query, nil, first(5))
			if err != nil {
				if !fault.Is(err, fault.InvalidInput) || sound && strings.TrimSpace(query) != "" && utf8.RuneCountInString(strings.TrimSpace(query)) <= 200 {
					t.Errorf("%q: %v", query, err)
				}
				continue
			}
			for _, e := range found.Edges {
				if strings.ContainsAny(strings.NewReplacer("<mark>", "", "</mark>", "").Replace(e.Node.Snippet), "<>\x01\x02") {
					t.Errorf("%q: snippet %q", query, e.Node.Snippet)
				}
			}
		}
	})
}
