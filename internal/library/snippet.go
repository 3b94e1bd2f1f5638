package library

import (
	"html"
	"regexp"
	"strings"

	"github.com/pursuing-equity/commons/internal/store"
)

// Markdown that says nothing in a passage: targets of links and images, brackets before them, signs of headings, quotes and
// emphasis. A passage is cut out of its text, so this is no parser: what it does not know stays as it was written.
var (
	targets  = regexp.MustCompile(`!?\[([^\]\[]*)\]\([^)]*(?:\)|$)`)
	openings = regexp.MustCompile(`(?m)^[ \t]*(?:#{1,6}|>|[-*+])[ \t]+`)
	emphasis = strings.NewReplacer("**", "", "__", "", "~~", "", "`", "")
)

// snippet makes safe HTML of a passage: text is escaped, what matched stands in <mark>, and every mark is closed.
func snippet(passage string) string {
	passage = targets.ReplaceAllString(passage, "$1")
	passage = openings.ReplaceAllString(passage, "")
	passage = strings.Join(strings.Fields(emphasis.Replace(passage)), " ")
	var b strings.Builder
	open := false
	for passage != "" {
		i := strings.IndexAny(passage, store.MarkStart+store.MarkEnd)
		if i < 0 {
			i = len(passage)
		}
		b.WriteString(html.EscapeString(passage[:i]))
		if i == len(passage) {
			break
		}
		if start := passage[i:i+1] == store.MarkStart; start != open {
			open = start
			b.WriteString(map[bool]string{true: "<mark>", false: "</mark>"}[start])
		}
		passage = passage[i+1:]
	}
	if open {
		b.WriteString("</mark>")
	}
	return b.String()
}
