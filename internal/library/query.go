package library

import (
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/pursuing-equity/commons/internal/store"
)

// leastBegun is how many characters a term must have to find what goes on; fewer would find nearly everything.
const leastBegun = 2

// stopWords are too frequent to look for, and PostgreSQL's index has none of them. Source: english.stop of PostgreSQL, which is
// Snowball's list. SQLite's index has them, so the rule is made here, for both.
var stopWords = wordSet(`i me my myself we our ours ourselves you your yours yourself yourselves he him his himself she her hers herself it its itself
 they them their theirs themselves what which who whom this that these those am is are was were be been being have has had having do does did
 doing a an the and but if or because as until while of at by for with about against between into through during before after above below to
 from up down in out on off over under again further then once here there when where why how all any both each few more most other some such
 no nor not only own same so than too very s t can will just don should now`)

func wordSet(words string) map[string]bool {
	set := make(map[string]bool)
	for word := range strings.FieldsSeq(words) {
		set[word] = true
	}
	return set
}

// parse reads the query language: words, of which all must match, the last one as the beginning of a word too, so that one can
// search while typing; "phrases" in quotes; and -exclusions of either. It has no syntax errors: a quote that is not closed goes on
// to the end, and signs mean nothing. It reports false when nothing is left to look for.
func parse(query string) (store.Terms, bool) {
	var t store.Terms
	for rest := query; rest != ""; {
		rest = strings.TrimLeftFunc(rest, unicode.IsSpace)
		exclude := strings.HasPrefix(rest, "-")
		rest = strings.TrimLeft(rest, "-")
		var term string
		phrase := strings.HasPrefix(rest, `"`)
		if phrase {
			term, rest, _ = strings.Cut(rest[1:], `"`)
		} else {
			end := strings.IndexFunc(rest, func(r rune) bool { return unicode.IsSpace(r) || r == '"' })
			if end < 0 {
				end = len(rest)
			}
			term, rest = rest[:end], rest[end:]
		}
		switch {
		case !meaningful(term):
		case exclude:
			t.Not = append(t.Not, term)
		case !phrase && rest == "" && begins(term):
			t.Begun = term
		default:
			t.Must = append(t.Must, term)
		}
	}
	return t, len(t.Must) > 0 || t.Begun != ""
}

// meaningful reports whether a term has a word that is worth looking for.
func meaningful(term string) bool {
	for word := range strings.FieldsFuncSeq(strings.ToLower(term), func(r rune) bool { return !inWord(r) }) {
		if !stopWords[word] {
			return true
		}
	}
	return false
}

// begins reports whether a term ends in what may be the beginning of a word: a sign at the end closes it.
func begins(term string) bool {
	end, _ := utf8.DecodeLastRuneInString(term)
	return utf8.RuneCountInString(term) >= leastBegun && inWord(end)
}

func inWord(r rune) bool { return unicode.IsLetter(r) || unicode.IsNumber(r) }
