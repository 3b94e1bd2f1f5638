package demo

import (
	"strings"
	"unicode/utf8"
)

// resourceBase is where the links in posts and resources lead: a name that never resolves.
const resourceBase = "https://library.commons.example/"

// opening is a thread's first post: a greeting, what it is about, often a list, and a question.
func (w *writer) opening(f slots) string {
	var b strings.Builder
	if w.chance(55) {
		f.fill(&b, w.decks[partHello].deal(w.stream))
		b.WriteString("\n\n")
	}
	f.fill(&b, w.decks[partOpen].deal(w.stream))
	if w.chance(60) {
		b.WriteByte(' ')
		f.fill(&b, w.decks[partSay].deal(w.stream))
	}
	switch n := w.IntN(10); {
	case n < 3:
		w.list(&b, f, w.chance(40))
	case n < 5 && w.links != nil:
		b.WriteString("\n\n")
		w.link(&b, f)
	}
	b.WriteString("\n\n")
	if w.chance(50) {
		b.WriteString("**")
		f.fill(&b, w.decks[partAsk].deal(w.stream))
		b.WriteString("**")
	} else {
		f.fill(&b, w.decks[partAsk].deal(w.stream))
	}
	if w.chance(30) {
		b.WriteByte(' ')
		f.fill(&b, w.decks[partClose].deal(w.stream))
	}
	return b.String()
}

// reply answers an earlier post in one of the ways in which people do; what cannot be done here is done in another way.
func (w *writer) reply(f slots, to *Post) string {
	var b strings.Builder
	n, quote := w.IntN(100), firstSentence(to.Body)
	switch {
	case n >= 68 && n < 76 && w.links == nil, n >= 76 && n < 84 && f.mention == "", n >= 84 && n < 94 && quote == "":
		n = w.IntN(68)
	}
	if f.first != "" && n >= 12 && n < 84 && w.chance(45) {
		f.fill(&b, w.decks[partThanks].deal(w.stream))
		b.WriteByte(' ')
	}
	switch {
	case n < 12:
		f.fill(&b, w.decks[partShort].deal(w.stream))
		b.WriteByte(' ')
		w.say(&b, f, 1)
		b.WriteByte(' ')
		f.fill(&b, w.decks[pick(w.stream, []string{partAsk, partClose})].deal(w.stream))
	case n < 40:
		w.say(&b, f, w.between(2, 3))
	case n < 56:
		w.say(&b, f, 2)
		w.gap(&b)
		f.fill(&b, w.decks[partAsk].deal(w.stream))
	case n < 68:
		w.say(&b, f, 1)
		w.list(&b, f, w.chance(30))
	case n < 76:
		w.say(&b, f, 1)
		w.gap(&b)
		w.link(&b, f)
	case n < 84:
		w.say(&b, f, 1)
		b.WriteString("\n\n")
		f.fill(&b, w.decks[partMention].deal(w.stream))
		b.WriteByte(' ')
		f.fill(&b, w.decks[partAsk].deal(w.stream))
	case n < 94:
		b.WriteString("> ")
		b.WriteString(quote)
		b.WriteString("\n\n")
		f.fill(&b, w.decks[partQuoted].deal(w.stream))
		b.WriteByte(' ')
		w.say(&b, f, 1)
	default:
		w.say(&b, f, 2)
		w.gap(&b)
		f.fill(&b, w.decks[partClose].deal(w.stream))
	}
	if w.chance(9) {
		b.WriteByte(' ')
		b.WriteString(pick(w.stream, emoji()))
	}
	return strings.TrimSpace(b.String())
}

// say writes sentences in a row.
func (w *writer) say(b *strings.Builder, f slots, sentences int) {
	for i := range sentences {
		if i > 0 {
			b.WriteByte(' ')
		}
		f.fill(b, w.decks[partSay].deal(w.stream))
	}
}

// gap is a space or a new paragraph.
func (w *writer) gap(b *strings.Builder) {
	if w.chance(50) {
		b.WriteByte(' ')
		return
	}
	b.WriteString("\n\n")
}

// list writes two to four suggestions as a Markdown list.
func (w *writer) list(b *strings.Builder, f slots, numbered bool) {
	b.WriteString("\n\n")
	f.fill(b, w.decks[partList].deal(w.stream))
	b.WriteByte('\n')
	items := min(w.between(2, 4), len(w.decks[partTry].lines))
	w.decks[partTry].room(items)
	for i := range items {
		b.WriteByte('\n')
		if numbered {
			b.WriteString(string(rune('1'+i)) + ". ")
		} else {
			b.WriteString("- ")
		}
		f.fill(b, w.decks[partTry].deal(w.stream))
	}
}

// link writes a sentence with a Markdown link.
func (w *writer) link(b *strings.Builder, f slots) {
	label, path, _ := strings.Cut(w.links.deal(w.stream), " | ")
	f.link = "[" + label + "](" + resourceBase + path + ")"
	f.fill(b, w.decks[partLink].deal(w.stream))
}

// firstSentence is the first sentence of a post that is no quotation itself, to be quoted: no list, no greeting,
// no link, and no mention, which would call the person again. It is empty when there is none.
func firstSentence(body string) string {
	for line := range strings.SplitSeq(body, "\n") {
		line = strings.Trim(line, "* ")
		if line == "" || line[0] == '>' || line[0] == '-' || strings.HasSuffix(line, ",") || strings.ContainsAny(line, "@[") {
			continue
		}
		for i := 0; i < len(line); {
			r, size := utf8.DecodeRuneInString(line[i:])
			i += size
			if (r == '.' || r == '?' || r == '!') && i < len(line) && line[i] == ' ' && i > 40 {
				return line[:i]
			}
		}
		return line
	}
	return ""
}

func emoji() []string { return []string{"🙂", "🙏", "💛", "👏", "🌱", "📈", "☕", "💪"} }
