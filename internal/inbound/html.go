package inbound

import (
	"slices"
	"strings"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

// quotes are the marks by which mail programs tell what they quoted: classes and ids.
var quotes = []string{
	"gmail_quote", "gmail_attr", "yahoo_quoted", "protonmail_quote", "moz-cite-prefix", "divrplyfwdmsg", "appendonsend", "tutanota_quote", "zmail_extra",
	"moz-signature", "gmail_signature", "ms-outlook-mobile-reference-message", "mail-editor-reference-message-container", "x_divrplyfwdmsg",
}

// fromHTML is the text of a page as it reads, up to what it quotes.
func fromHTML(page string) string {
	var b strings.Builder
	tokens := html.NewTokenizer(strings.NewReader(page))
	hidden, link := 0, ""
	for {
		switch tokens.Next() {
		case html.ErrorToken:
			return clean(b.String())
		case html.TextToken:
			if hidden == 0 {
				said := strings.Join(strings.Fields(string(tokens.Text())), " ")
				if said != "" && b.Len() > 0 && !strings.HasSuffix(b.String(), "\n") && !strings.HasSuffix(b.String(), " ") && !strings.HasPrefix(said, ",") && !strings.HasPrefix(said, ".") {
					b.WriteByte(' ')
				}
				b.WriteString(said)
			}
		case html.StartTagToken, html.SelfClosingTagToken:
			t := tokens.Token()
			switch t.DataAtom {
			case atom.Style, atom.Script, atom.Head, atom.Title, atom.Template:
				if t.Type == html.StartTagToken {
					hidden++
				}
			case atom.Blockquote:
				return clean(b.String())
			case atom.A:
				link = attribute(t, "href")
			case atom.Li:
				b.WriteString("\n- ")
			case atom.Br:
				b.WriteByte('\n')
			case atom.P, atom.Div, atom.Tr, atom.Ul, atom.Ol, atom.H1, atom.H2, atom.H3, atom.H4, atom.Hr, atom.Table:
				if b.Len() > 0 && !strings.HasSuffix(b.String(), "\n") {
					b.WriteByte('\n')
				}
			}
			if quoting(t) {
				return clean(b.String())
			}
		case html.EndTagToken:
			t := tokens.Token()
			switch t.DataAtom {
			case atom.Style, atom.Script, atom.Head, atom.Title, atom.Template:
				hidden = max(0, hidden-1)
			case atom.A:
				if strings.HasPrefix(link, "http") && !strings.HasSuffix(b.String(), link) {
					b.WriteString(" <" + link + ">")
				}
				link = ""
			case atom.P, atom.H1, atom.H2, atom.H3, atom.H4, atom.Ul, atom.Ol, atom.Table:
				b.WriteString("\n\n")
			case atom.Div, atom.Tr:
				if !strings.HasSuffix(b.String(), "\n") {
					b.WriteByte('\n')
				}
			}
		}
	}
}

func attribute(t html.Token, name string) string {
	for _, a := range t.Attr {
		if a.Key == name {
			return a.Val
		}
	}
	return ""
}

// quoting reports whether a tag begins what was quoted, or a signature.
func quoting(t html.Token) bool {
	for name := range strings.FieldsSeq(strings.ToLower(attribute(t, "class") + " " + attribute(t, "id"))) {
		if slices.Contains(quotes, name) {
			return true
		}
	}
	return false
}
