// Package markdown renders what members write: goldmark without raw HTML, then bluemonday, so that a flaw in one is caught by
// the other.
package markdown

import (
	"bytes"
	"html"
	"regexp"
	"strings"

	"github.com/microcosm-cc/bluemonday"
	"github.com/yuin/goldmark"
	emoji "github.com/yuin/goldmark-emoji"
	"github.com/yuin/goldmark/extension"
)

// Renderer turns Markdown into safe HTML. It is safe for concurrent use.
type Renderer struct {
	md     goldmark.Markdown
	policy *bluemonday.Policy
}

// What stands in the attributes that are let through: the language of code, as front ends that colour it look for it, and the one sort of
// input that a task list has.
var (
	language = regexp.MustCompile(`^language-[A-Za-z0-9+#._-]{1,30}$`)
	checkbox = regexp.MustCompile(`^checkbox$`)
)

// New makes a renderer for CommonMark with tables, task lists, strikethrough, bare links and emoji by their names (:smile:). Images are left out: a
// picture from elsewhere would tell its server who reads.
func New() *Renderer {
	p := bluemonday.NewPolicy()
	p.AllowStandardURLs()
	p.AllowAttrs("href").OnElements("a")
	p.RequireNoFollowOnLinks(true)
	p.RequireNoReferrerOnLinks(true)
	p.AllowElements("p", "br", "hr", "h1", "h2", "h3", "h4", "h5", "h6", "blockquote", "pre", "code", "em", "strong", "del", "ul", "ol", "li",
		"table", "thead", "tbody", "tr", "th", "td")
	p.AllowAttrs("start").Matching(bluemonday.Integer).OnElements("ol")
	p.AllowAttrs("align").Matching(bluemonday.CellAlign).OnElements("th", "td")
	p.AllowAttrs("class").Matching(language).OnElements("code")
	p.AllowAttrs("type").Matching(checkbox).OnElements("input")
	p.AllowAttrs("checked", "disabled").OnElements("input")
	table := extension.NewTable(extension.WithTableCellAlignMethod(extension.TableCellAlignAttribute))
	return &Renderer{
		md:     goldmark.New(goldmark.WithExtensions(table, extension.TaskList, extension.Strikethrough, extension.Linkify, emoji.Emoji)),
		policy: p,
	}
}

// HTML renders Markdown. It never fails: what cannot be rendered is shown as it was written, escaped.
func (r *Renderer) HTML(source string) string {
	if source == "" {
		return ""
	}
	var b bytes.Buffer
	if tangled(source) {
		return "<p>" + html.EscapeString(source) + "</p>"
	}
	if err := r.md.Convert([]byte(source), &b); err != nil {
		return "<p>" + html.EscapeString(source) + "</p>"
	}
	return string(r.policy.SanitizeBytes(b.Bytes()))
}

// Of what takes goldmark's time with its square nobody writes as much: links, and quotes or lists in each other.
const (
	mostLinks  = 2_000
	mostNested = 100
)

// tangled says whether a text has more of either.
func tangled(source string) bool {
	if strings.Count(source, "](") > mostLinks {
		return true
	}
	for line := range strings.SplitSeq(source, "\n") {
		nested := 0
		for _, r := range line {
			if !strings.ContainsRune("> \t-*+", r) || nested > mostNested {
				break
			}
			if r == '>' {
				nested++
			}
		}
		if nested > mostNested {
			return true
		}
	}
	return false
}
