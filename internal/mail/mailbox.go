package mail

import (
	"context"
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"html/template"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/pursuing-equity/commons/internal/fault"
	"github.com/pursuing-equity/commons/internal/viewer"
)

// mailboxSize is how many letters the mailbox keeps.
const mailboxSize = 100

// Mailbox is where mail goes on a machine on which somebody tries Commons out: the process keeps the newest hundred letters and
// shows them on a page, whoever they are to. The zero Mailbox is empty.
type Mailbox struct {
	mu      sync.Mutex
	letters []Letter
}

// Connect opens the mailbox.
func (m *Mailbox) Connect(context.Context) (Connection, error) { return slot{m}, nil }

// Letters are those that it keeps, the newest first.
func (m *Mailbox) Letters() []Letter {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.letters)
}

type slot struct{ *Mailbox }

func (s slot) Send(_ context.Context, l Letter) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.letters = append([]Letter{l}, s.letters[:min(len(s.letters), mailboxSize-1)]...)
	return nil
}

func (slot) Close() error { return nil }

var (
	//go:embed templates/mailbox.css
	mailboxStyle string
	mailboxPage  = template.Must(template.ParseFS(files, "templates/mailbox.html.tmpl"))
)

// Page shows the letters as text, with their links as buttons. It answers programs on this machine only, and only where they ask
// for this machine by its own name: the letters sign people in.
func (m *Mailbox) Page(w http.ResponseWriter, r *http.Request, _ viewer.Viewer) error {
	if !local(r) {
		return fault.Missing()
	}
	type line struct{ Text, Link string }
	type letter struct {
		Letter
		At    string
		Lines []line
	}
	var shown []letter
	for _, l := range m.Letters() {
		s := letter{Letter: l, At: l.Date.Format(time.RFC1123)}
		for text := range strings.SplitSeq(strings.TrimSpace(l.Text), "\n") {
			if strings.HasPrefix(text, "https://") || strings.HasPrefix(text, "http://") {
				s.Lines = append(s.Lines, line{Link: text})
				continue
			}
			s.Lines = append(s.Lines, line{Text: text})
		}
		shown = append(shown, s)
	}
	hash := sha256.Sum256([]byte(mailboxStyle))
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'sha256-"+base64.StdEncoding.EncodeToString(hash[:])+
		"'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'")
	return mailboxPage.Execute(w, map[string]any{"Style": template.CSS(mailboxStyle), "Letters": shown}) //nolint:gosec // our own style
}

// local reports whether a request comes from this machine and was meant for it: a page elsewhere whose name was pointed here, and
// what a proxy hands on, ask for another host.
func local(r *http.Request) bool {
	from, _, err := net.SplitHostPort(r.RemoteAddr)
	if err != nil || !loopback(from) {
		return false
	}
	for _, name := range []string{"X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "Forwarded", "X-Real-Ip", "Via"} {
		if r.Header.Get(name) != "" {
			return false
		}
	}
	host := r.Host
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	}
	return loopback(strings.Trim(host, "[]"))
}
