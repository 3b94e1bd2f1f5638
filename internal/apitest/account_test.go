package apitest_test

import (
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pursuing-equity/commons/ent/accesstoken"
	"github.com/pursuing-equity/commons/internal/account"
	"github.com/pursuing-equity/commons/internal/apitest"
	"github.com/pursuing-equity/commons/internal/apitest/database"
)

const secretPassword = "seven lanterns by the river"

// setPassword gives somebody the password that the tests sign in with.
func setPassword(w *apitest.World, people ...*apitest.Person) {
	w.T.Helper()
	var emails []string
	for _, p := range people {
		emails = append(emails, email(p))
	}
	if err := w.App.Accounts.SetFirstPasswords(w.System(), emails, secretPassword); err != nil {
		w.T.Fatal(err)
	}
}

func email(p *apitest.Person) string { return p.Handle + "@example.org" }

// clock is ahead of the machine's by what a test adds.
type clock struct{ ahead atomic.Int64 }

func (c *clock) now() time.Time {
	return time.Now().Add(time.Duration(c.ahead.Load())).UTC().Truncate(time.Microsecond)
}

func (c *clock) add(d time.Duration) { c.ahead.Add(int64(d)) }

// eachAtTime is apitest.Each with a clock for each database.
func eachAtTime(t *testing.T, test func(w *apitest.World, c *clock), options ...apitest.Option) {
	t.Helper()
	t.Parallel()
	database.Each(t, func(t *testing.T, url string) {
		c := new(clock)
		test(apitest.Serve(t, url, append(options, apitest.Clock(c.now))...), c)
	})
}

// whoami is the name of who a client is signed in as; empty for a visitor.
func whoami(c *apitest.Client) string { return c.Do(`{ viewer { name } }`, nil).String("viewer.name") }

func TestChangeOfPasswordAndEmail(t *testing.T) {
	eachAtTime(t, func(w *apitest.World, c *clock) {
		ada, ben := w.Member("ada"), w.Member("ben")
		setPassword(w, ada)
		w.T.Run("a token, a reader and a visitor change nothing", func(t *testing.T) {
			for who, client := range map[string]*apitest.Client{"token": ada.Client, "reader": w.As(w.Token(ada, accesstoken.ScopeREAD))} {
				for _, path := range []string{"/auth/password", "/auth/email"} {
					in := vars{"present": secretPassword, "password": "ten lanterns by the river"}
					if path == "/auth/email" {
						in = vars{"present": secretPassword, "email": "new@example.org"}
					}
					if p := client.PostJSON(path, in); p.Code() != "FORBIDDEN" || p.StatusCode != http.StatusForbidden {
						t.Errorf("%s %s: %d %s", who, path, p.StatusCode, p.Text)
					}
				}
			}
			if p := w.Browser().PostJSON("/auth/password", vars{"present": "", "password": "ten lanterns by the river"}); p.Code() != "UNAUTHENTICATED" {
				t.Errorf("visitor: %d %s", p.StatusCode, p.Text)
			}
		})
		w.T.Run("the present password is needed, and the other sessions end", func(t *testing.T) {
			b, other := w.SignedIn(ada), w.SignedIn(ada)
			if p := b.PostJSON("/auth/password", vars{"present": "wrong", "password": "ten lanterns by the river"}); p.Code() != "INVALID_INPUT" {
				t.Errorf("%d %s", p.StatusCode, p.Text)
			}
			if p := b.PostJSON("/auth/password", vars{"present": secretPassword, "password": "ten lanterns by the river"}); p.StatusCode != http.StatusNoContent {
				t.Fatalf("%d %s", p.StatusCode, p.Text)
			}
			if whoami(b) != "ada" || whoami(other) != "" || ada.Do(`{ viewer { name } }`, nil).String("viewer.name") != "ada" {
				t.Error("this session and tokens stay, others end")
			}
		})
		w.T.Run("who has none chooses a first one in a session", func(t *testing.T) {
			b := w.SignedIn(ben)
			if p := b.PostJSON("/auth/password", vars{"present": "", "password": secretPassword}); p.StatusCode != http.StatusNoContent {
				t.Errorf("%d %s", p.StatusCode, p.Text)
			}
		})
		w.T.Run("weak ones are refused", func(t *testing.T) {
			b := w.SignedIn(ben)
			for _, weak := range []string{"short", "passwordpassword", "aaaaaaaaaaaaaaaa", "123456789012345", "ben ben ben ben", ben.Handle + "@example.org", strings.Repeat("long and longer ", 20), "tab\tand bell\a and more"} {
				if p := b.PostJSON("/auth/password", vars{"present": secretPassword, "password": weak}); p.Code() != "INVALID_INPUT" {
					t.Errorf("%q: %d %s", weak, p.StatusCode, p.Text)
				}
				c.add(time.Minute)
			}
		})
		w.T.Run("an address changes when the new one is confirmed, and the old one is told twice", func(t *testing.T) {
			b := w.SignedIn(ben)
			if p := b.PostJSON("/auth/email", vars{"email": "Ben.New@Example.org", "present": "wrong"}); p.Code() != "INVALID_INPUT" {
				t.Errorf("%d %s", p.StatusCode, p.Text)
			}
			if p := b.PostJSON("/auth/email", vars{"email": "Ben.New@Example.org", "present": secretPassword}); p.StatusCode != http.StatusAccepted {
				t.Fatalf("%d %s", p.StatusCode, p.Text)
			}
			if got := links(w, email(ben), account.MailEmailAsked); len(got) != 1 || got[0]["email"] != "ben.new@example.org" {
				t.Errorf("notice: %v", got)
			}
			link := token(w, "ben.new@example.org", account.MailConfirmEmail)
			if p := w.Browser().PostJSON("/auth/email/confirm", vars{"token": link}); p.StatusCode != http.StatusNoContent {
				t.Fatalf("%d %s", p.StatusCode, p.Text)
			}
			if got := b.Must(`{ account { email hasPassword } }`, nil).String("account.email"); got != "ben.new@example.org" {
				t.Errorf("address %q", got)
			}
			if got := links(w, email(ben), account.MailEmailChanged); len(got) != 1 {
				t.Errorf("notice: %v", got)
			}
		})
		w.T.Run("somebody else's address is answered as a free one, and gets no mail", func(t *testing.T) {
			c.add(time.Hour)
			b := w.SignedIn(ben)
			free := b.PostJSON("/auth/email", vars{"email": "free@example.org", "present": secretPassword})
			taken := b.PostJSON("/auth/email", vars{"email": email(ada), "present": secretPassword})
			if free.Text != taken.Text || free.StatusCode != taken.StatusCode || len(links(w, email(ada), account.MailConfirmEmail)) != 0 {
				t.Errorf("%s, %s", free.Text, taken.Text)
			}
		})
	})
}
