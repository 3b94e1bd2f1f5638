package mail

import (
	"cmp"
	"context"
	"embed"
	"fmt"
	htmltemplate "html/template"
	"maps"
	netmail "net/mail"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"text/template"
	"time"
	"unicode"

	"github.com/pursuing-equity/commons/ent"
)

const (
	briefWorth = time.Hour
	longWorth  = 3 * 24 * time.Hour
)

// brief are the templates of mail that is soon worth nothing: who asked for a link and got none has asked again.
var brief = []string{"sign-in", "reset-password", "confirm-email", "export-link"}

// worth is for how long after it was written down a mail is still worth sending.
func worth(template string) time.Duration {
	if slices.Contains(brief, template) {
		return briefWorth
	}
	return longWorth
}

// ends is when a mail is not worth sending any more: when it has waited for too long, or its link is dead.
func ends(m *ent.Mail) time.Time {
	end := since(m).Add(worth(m.Template))
	if m.Until != nil && m.Until.Before(end) {
		return *m.Until
	}
	return end
}

// The texts are in templates/, each with the subject in its first line; the owner of a template says which values there are.
//
//go:embed templates
var files embed.FS

var (
	texts = template.Must(template.New("").Option("missingkey=zero").ParseFS(files, "templates/*.txt.tmpl"))
	frame = htmltemplate.Must(htmltemplate.ParseFS(files, "templates/frame.html.tmpl"))
)

// Known reports whether there is a template of that name.
func Known(template string) bool { return texts.Lookup(template+".txt.tmpl") != nil }

// compose writes a letter: the subject, and below it paragraphs, of which both bodies are made. Values are single lines of bounded length, so that none can add a paragraph, nor a header.
func (s *Sender) compose(m *ent.Mail, values map[string]string) (Letter, error) {
	to, err := netmail.ParseAddress(m.Address)
	if err != nil || to.Name != "" || to.Address != m.Address {
		return Letter{}, fmt.Errorf("%w: not an address to send to", ErrRefused)
	}
	values = maps.Clone(values)
	for name, v := range values {
		values[name] = line(v)
	}
	link := values["link"]
	if u, err := url.Parse(link); link != "" && (err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http") {
		return Letter{}, fmt.Errorf("%w: the link is none", ErrRefused)
	}
	var out strings.Builder
	t := texts.Lookup(m.Template + ".txt.tmpl")
	if t == nil {
		return Letter{}, fmt.Errorf("%w: no template is called %s", ErrRefused, m.Template)
	}
	if err := t.Execute(&out, values); err != nil {
		return Letter{}, fmt.Errorf("write the mail's text: %w", err)
	}
	subject, body, _ := strings.Cut(out.String(), "\n")
	body = strings.Trim(body, "\n")
	var paragraphs []Part
	for text := range strings.SplitSeq(body, "\n\n") {
		p := Part{Text: text}
		label, target, ok := strings.Cut(text, ":\n")
		switch {
		case ok && target == link:
			p = Part{Text: label, Link: link}
		case strings.HasSuffix(text, ":"):
			return Letter{}, fmt.Errorf("%w: the link is missing", ErrRefused)
		}
		paragraphs = append(paragraphs, p)
	}
	out.Reset()
	if err := frame.Execute(&out, map[string]any{"Subject": subject, "Paragraphs": paragraphs}); err != nil {
		return Letter{}, fmt.Errorf("write the mail's page: %w", err)
	}
	id := m.ID.String()
	if link != m.Data["link"] { // it was made for this attempt: who dropped this mail as a double would be left with a link that is void
		id += "." + strconv.Itoa(m.Attempts)
	}
	_, domain, _ := strings.Cut(s.From.Address, "@")
	return Letter{
		MessageID: id + "@" + domain,
		Date:      m.CreatedAt,
		From:      s.From,
		To:        netmail.Address{Address: m.Address},
		Subject:   subject,
		Text:      body + "\n",
		HTML:      out.String(),
	}, nil
}

// line is a text as one line of bounded length, without what hides or turns what follows.
func line(text string) string {
	words := strings.FieldsFunc(strings.ToValidUTF8(text, "\uFFFD"), func(r rune) bool {
		return unicode.IsControl(r) || unicode.IsSpace(r) || unicode.Is(unicode.Bidi_Control, r)
	})
	return head(strings.Join(words, " "), 500)
}

// letter composes a mail from its template's file, or has its owner write it.
func (s *Sender) letter(ctx context.Context, m *ent.Mail, values map[string]string) (Letter, error) {
	write := s.Write[m.Template]
	if write == nil {
		return s.compose(m, values)
	}
	draft, err := write(ctx, m.Address, m.Data)
	if err != nil {
		return Letter{}, fmt.Errorf("write the mail: %w", err)
	}
	if draft == nil {
		return Letter{}, errDropped
	}
	to, err := netmail.ParseAddress(m.Address)
	if err != nil || to.Name != "" || to.Address != m.Address {
		return Letter{}, fmt.Errorf("%w: not an address to send to", ErrRefused)
	}
	subject := line(draft.Subject)
	parts, text := make([]Part, len(draft.Parts)), make([]string, len(draft.Parts))
	for i, p := range draft.Parts {
		parts[i] = Part{Text: line(p.Text), Link: p.Link}
		if text[i] = parts[i].Text; p.Link != "" {
			text[i] += ":\n" + p.Link
		}
	}
	var html strings.Builder
	if err := frame.Execute(&html, map[string]any{"Subject": subject, "Paragraphs": parts}); err != nil {
		return Letter{}, fmt.Errorf("write the mail's page: %w", err)
	}
	_, domain, _ := strings.Cut(s.From.Address, "@")
	return Letter{
		MessageID: cmp.Or(draft.ID, m.ID.String()) + "@" + domain, Date: m.CreatedAt, From: s.From, To: *to,
		Subject: subject, Text: strings.Join(text, "\n\n") + "\n", HTML: html.String(), Headers: draft.Headers, ReturnPath: draft.ReturnPath,
	}, nil
}
