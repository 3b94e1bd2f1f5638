package inbound

import (
	"regexp"
	"strings"
	"unicode"
)

// clean is a text with one way to end a line, and nothing in it that is not seen.
func clean(text string) string {
	text = strings.NewReplacer("\r\n", "\n", "\r", "\n", "\u00a0", " ", "\u200b", "", "\ufeff", "").Replace(strings.ToValidUTF8(text, "\ufffd"))
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) && r != '\n' && r != '\t' {
			return -1
		}
		return r
	}, text)
}

// unfold joins the lines of a flowed text (RFC 3676): one that ends with a space goes on in the next.
func unfold(text string, deleteSpace bool) string {
	var b strings.Builder
	joins := false
	for line := range strings.SplitSeq(text, "\n") {
		quoted := strings.HasPrefix(line, ">")
		if !quoted {
			line = strings.TrimPrefix(line, " ") // stuffed
		}
		if joins && quoted {
			b.WriteByte('\n')
		}
		joins = strings.HasSuffix(line, " ") && line != "-- " && !quoted
		if joins && deleteSpace {
			line = strings.TrimSuffix(line, " ")
		}
		b.WriteString(line)
		if !joins {
			b.WriteByte('\n')
		}
	}
	return b.String()
}

// The marks by which mail programs tell what is not the sender's own, in the languages that they speak.
var (
	// divider stands before what was quoted: -----Original Message-----, and a line of underscores.
	divider = regexp.MustCompile(`(?i)^\s*(_{10,}|-{10,}|-{2,}\s*(original (message|appointment)|(ursprüngliche|weitergeleitete) nachricht|original-?nachricht|message (d'origine|d’origine|original|initial|transféré)|` +
		`mensaje original|mensagem original|messaggio (originale|inoltrato)|oorspronkelijk bericht|(ursprungligt|oprindelig|opprinnelig) (meddelande|meddelelse|melding)|original ?meddelande|` +
		`alkuperäinen viesti|(wiadomość oryginalna|oryginalna wiadomość)|původní (zpráva|e-mail)|forwarded message|reply message|mesaj original|eredeti üzenet|исходное сообщение)\s*-{2,})\s*$`)

	// wrote ends the line that says who wrote what is quoted, and when.
	wrote = regexp.MustCompile(`(?i)(^|\s)(wrote|writes|schrieb|a écrit|écrit|escribió|escribio|ha scritto|scrisse|schreef|skrev|escreveu|napisał\(?a?\)?|napisal\(?a?\)?|napsala?|kirjoitti|a scris|írta|написал(\(а\))?|пишет)(\s.{0,200})?\s*[:：]\s*$`)
	begun = regexp.MustCompile(`(?i)^\s*(on|am|le|el|il|op|den|em|no dia|w dniu|dne|dnia|po|pe|at|in|a|ti|to|ke|ma|la|pada|vào|\d|[\p{L}\p{N}"'<*].*[<(@])`)
	dated = regexp.MustCompile(`[\d@]`)

	// from and more are the lines of a header that was quoted as text.
	from = regexp.MustCompile(`(?i)^[\s*>]*(from|von|de|da|van|från|fra|lähettäjä|od|nadawca|expéditeur|remitente|feladó|от)\s*:\*?\s*\S`)
	more = regexp.MustCompile(`(?i)^[\s*>]*(sent|gesendet|envoyé|envoyé le|enviado|enviado el|enviada|enviada em|inviato|verzonden|skickat|sendt|lähetetty|wysłano|odesláno|date|datum|fecha|data|dato|päivämäärä|` +
		`to|an|à|para|a|aan|till|til|vastaanottaja|do|komu|subject|betreff|objet|asunto|oggetto|onderwerp|ämne|emne|aihe|temat|předmět|cc|kopie)\s*:\*?(\s|$)`)

	// device is a signature that a program wrote.
	device = regexp.MustCompile(`(?i)^\s*[<\[*(_]*(sent (from|via|with) (my |the |mail for |yahoo|outlook|samsung|proton|a )|get outlook for|(von|mit) (meinem|meiner) .{1,40} gesendet|gesendet (von|mit|aus) |diese nachricht wurde von .{1,40} gesendet|` +
		`envoyé (de|depuis|à partir de) (mon|ma|l)|télécharger outlook|enviado (desde|do|de|a partir do) (mi|meu|minha|outlook|el|o) ?|obtener outlook|inviato da(l|lla|l mio| i| )|scarica outlook|verzonden (vanaf|met|via) |` +
		`skickat från (min|outlook)|sendt fra (min|outlook)|hent outlook|lähetetty |wysłan[eoy] (z|za pomocą) |odesláno z |laden sie outlook|outlook für (ios|android) (beziehen|herunterladen)|hämta outlook|download outlook)`)
)

// maxLines is how many lines are looked at: far more than a post has.
const maxLines = 5_000

// strip is what the sender wrote: without what was quoted below it or above it, and without a signature. Quotes between which they
// wrote stay, for Markdown writes them the same way.
func strip(text string) string {
	lines := strings.SplitN(clean(text), "\n", maxLines+1)
	lines = lines[:min(len(lines), maxLines)]
	for i := range lines {
		lines[i] = strings.TrimRight(lines[i], " \t")
	}
	lines = own(skipQuoted(lines))
	for len(lines) > 0 && (blank(lines[len(lines)-1]) || quoted(lines[len(lines)-1])) {
		lines = lines[:len(lines)-1]
	}
	var b strings.Builder
	empty := 0
	for _, line := range lines {
		if blank(line) {
			empty++
			continue
		}
		if b.Len() > 0 {
			b.WriteString(strings.Repeat("\n", 1+min(empty, 1)))
		}
		empty = 0
		b.WriteString(line)
	}
	return strings.Trim(b.String(), "\n")
}

func blank(line string) bool  { return strings.TrimSpace(line) == "" }
func quoted(line string) bool { return strings.HasPrefix(strings.TrimLeft(line, " "), ">") }

// skipQuoted leaves out what stands above an answer that was written below: who wrote what, and the quote of it.
func skipQuoted(lines []string) []string {
	for {
		for len(lines) > 0 && blank(lines[0]) {
			lines = lines[1:]
		}
		rest := lines
		if n := attribution(lines, 0); n > 0 {
			rest = lines[n:]
			for len(rest) > 0 && blank(rest[0]) {
				rest = rest[1:]
			}
			if len(rest) == 0 || !quoted(rest[0]) {
				return lines[:0] // all of it is somebody else's
			}
		}
		n := 0
		for n < len(rest) && quoted(rest[n]) {
			n++
		}
		if n == 0 {
			return lines
		}
		lines = rest[n:]
	}
}

// own are the lines before the first mark of what is not the sender's.
func own(lines []string) []string {
	for i := range lines {
		if mark(lines[i:]) {
			return lines[:i]
		}
		if n := attribution(lines, i); n > 0 && (i+n >= len(lines) || !answered(lines[i+n:])) {
			return lines[:i]
		}
	}
	return lines
}

// answered reports whether something of the sender's stands right behind a quote. It looks no further, so that all of it takes one pass.
func answered(lines []string) bool {
	seen := false
	for i, line := range lines {
		switch {
		case quoted(line):
			seen = true
		case blank(line):
		default:
			return seen && !mark(lines[i:]) && attribution(lines, i) == 0
		}
	}
	return false
}

// mark reports whether lines begin with what ends what the sender wrote.
func mark(lines []string) bool {
	return lines[0] == "--" || lines[0] == "—" || divider.MatchString(lines[0]) || device.MatchString(lines[0]) || header(lines)
}

// attribution is how many lines at a place say who wrote what follows: it may be broken over four. Zero: none do.
func attribution(lines []string, at int) int {
	if at >= len(lines) || quoted(lines[at]) || !begun.MatchString(lines[at]) {
		return 0
	}
	var joined strings.Builder
	for n := 0; n < 4 && at+n < len(lines) && (n == 0 || !blank(lines[at+n])); n++ {
		if joined.WriteString(" " + lines[at+n]); joined.Len() > 600 {
			return 0
		}
		if wrote.MatchString(joined.String()) && dated.MatchString(joined.String()) {
			return n + 1
		}
	}
	return 0
}

// header reports whether lines begin with the header of another mail, written as text.
func header(lines []string) bool {
	if !from.MatchString(lines[0]) {
		return false
	}
	n := 0
	for _, line := range lines[1:min(len(lines), 7)] {
		if more.MatchString(line) {
			n++
		}
	}
	return n >= 2
}
