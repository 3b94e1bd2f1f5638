package app

import (
	"testing"

	"github.com/pursuing-equity/commons/internal/account"
	"github.com/pursuing-equity/commons/internal/mail"
	"github.com/pursuing-equity/commons/internal/review"
	"github.com/pursuing-equity/commons/internal/webhook"
)

func TestTemplatesOfAccounts(t *testing.T) {
	for _, template := range append(account.Templates(), webhook.MailDisabled, review.MailAssigned) {
		if !mail.Known(template) {
			t.Errorf("there is no text for %s", template)
		}
	}
}

func TestMailFrom(t *testing.T) {
	for _, c := range []struct{ given, publicURL, want string }{
		{"", "", `"Commons" <commons@localhost>`},
		{"", "https://commons.example:8443/", `"Commons" <commons@commons.example>`},
		{"", "http://127.0.0.1:8080", `"Commons" <commons@localhost>`},
		{"", "http://[::1]:8080", `"Commons" <commons@localhost>`},
		{"Pursuing Equity <hello@example.org>", "https://commons.example", `"Pursuing Equity" <hello@example.org>`},
		{"hello@example.org", "", `<hello@example.org>`},
		{"hello", "", ""},
		{"a@example.org\r\nBcc: b@example.org", "", ""},
	} {
		from, err := mailFrom(c.given, c.publicURL)
		if (err != nil) != (c.want == "") || err == nil && from.String() != c.want {
			t.Errorf("%q, %q: %s, %v", c.given, c.publicURL, from.String(), err)
		}
	}
}
