package mail

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/pursuing-equity/commons/internal/apitest/database"
	"github.com/pursuing-equity/commons/internal/fault"
	"github.com/pursuing-equity/commons/internal/viewer"
)

func TestMailbox(t *testing.T) {
	t.Parallel()
	w := newWorld(t, database.SQLite(t))
	box := new(Mailbox)
	w.sender.Carrier = box
	for i := range mailboxSize + 5 {
		w.send(link(i))
		w.deliver()
	}
	ask := func(change func(*http.Request)) (*httptest.ResponseRecorder, error) {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "http://127.0.0.1:8080/mailbox", http.NoBody)
		r.RemoteAddr = "127.0.0.1:40000"
		change(r)
		rec := httptest.NewRecorder()
		return rec, box.Page(rec, r, viewer.Anonymous())
	}
	t.Run("it shows the newest letters and their links as buttons", func(t *testing.T) {
		rec, err := ask(func(*http.Request) {})
		if err != nil {
			t.Fatal(err)
		}
		body := rec.Body.String()
		if n := strings.Count(body, "<article>"); n != mailboxSize || strings.Contains(body, "link/4<") || !strings.Contains(body, fmt.Sprintf(`href="https://commons.example/link/%d"`, mailboxSize+4)) {
			t.Errorf("%d letters:\n%s", n, body)
		}
		if policy := rec.Header().Get("Content-Security-Policy"); !strings.HasPrefix(policy, "default-src 'none'; style-src 'sha256-") || strings.Contains(policy, "script-src") {
			t.Error(policy)
		}
	})
	for name, change := range map[string]func(*http.Request){
		"who asks from elsewhere":              func(r *http.Request) { r.RemoteAddr = "192.0.2.1:40000" },
		"a name that was pointed here":         func(r *http.Request) { r.Host = "evil.example:8080" },
		"a name that begins like the loopback": func(r *http.Request) { r.Host = "127.0.0.1.evil.example" },
		"what a proxy hands on":                func(r *http.Request) { r.Header.Set("X-Forwarded-For", "192.0.2.1") },
	} {
		t.Run(name+" sees nothing", func(t *testing.T) {
			if rec, err := ask(change); !fault.Is(err, fault.NotFound) || rec.Body.Len() > 0 {
				t.Errorf("%v: %s", err, rec.Body)
			}
		})
	}
	for _, host := range []string{"localhost:8080", "[::1]:8080", "127.0.0.1"} {
		t.Run(host+" is this machine", func(t *testing.T) {
			if _, err := ask(func(r *http.Request) { r.Host = host }); err != nil {
				t.Error(err)
			}
		})
	}
}
