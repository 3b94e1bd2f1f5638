package apitest_test

import (
	"bytes"
	"context"
	"net/http"
	"net/url"
	"regexp"
	"runtime"
	"runtime/metrics"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pursuing-equity/commons/ent"
	"github.com/pursuing-equity/commons/ent/accesstoken"
	"github.com/pursuing-equity/commons/ent/auditentry"
	"github.com/pursuing-equity/commons/ent/mail"
	"github.com/pursuing-equity/commons/ent/member"
	"github.com/pursuing-equity/commons/ent/onetimetoken"
	"github.com/pursuing-equity/commons/ent/roleassignment"
	"github.com/pursuing-equity/commons/ent/space"
	"github.com/pursuing-equity/commons/internal/account"
	"github.com/pursuing-equity/commons/internal/apitest"
	"github.com/pursuing-equity/commons/internal/apitest/database"
	"github.com/pursuing-equity/commons/internal/audit"
	"github.com/pursuing-equity/commons/internal/gid"
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

// links makes the mail that waits for an address with a template, as the sender would, deletes it, and returns what it would say.
func links(w *apitest.World, address, template string) []map[string]string {
	w.T.Helper()
	var all []map[string]string
	rows, err := w.App.Store.Client(w.System()).Mail.Query().Where(mail.Address(address), mail.Template(template)).Order(mail.ByID()).All(w.System())
	if err != nil {
		w.T.Fatal(err)
	}
	for _, row := range rows {
		values, send, err := w.App.Accounts.Compose(context.Background(), row.Template, row.Address, row.Data)
		if err != nil {
			w.T.Fatal(err)
		}
		if send {
			all = append(all, values)
		}
		w.Tx(func(ctx context.Context, tx *ent.Client) error { return tx.Mail.DeleteOneID(row.ID).Exec(ctx) })
	}
	return all
}

// token is what a link carries.
func token(w *apitest.World, address, template string) string {
	w.T.Helper()
	all := links(w, address, template)
	if len(all) != 1 {
		w.T.Fatalf("%d mails %s to %s", len(all), template, address)
	}
	u, err := url.Parse(all[0]["link"])
	if err != nil || u.Fragment == "" || u.RawQuery != "" {
		w.T.Fatalf("link %q: %v", all[0]["link"], err)
	}
	return u.Fragment
}

func signIn(c *apitest.Client, email, password string) *apitest.Page {
	return c.PostJSON("/auth/sign-in", vars{"email": email, "password": password})
}

func TestPasswordSignIn(t *testing.T) {
	apitest.Each(t, func(w *apitest.World) {
		ada, ben, cal, dee := w.Member("ada"), w.Member("ben"), w.Member("cal"), w.Member("dee")
		setPassword(w, ada, cal, dee)
		w.Tx(func(ctx context.Context, tx *ent.Client) error {
			return tx.Member.UpdateOneID(cal.ID).SetSuspendedUntil(w.App.Config.Now().Add(time.Hour)).Exec(ctx)
		})
		w.Tx(func(ctx context.Context, tx *ent.Client) error {
			return tx.Member.UpdateOneID(dee.ID).SetStatus(member.StatusDEACTIVATED).Exec(ctx)
		})
		w.T.Run("the right password signs in, and the answer and its cookie tell nothing else", func(t *testing.T) {
			b := w.Browser()
			p := signIn(b, "  "+strings.ToUpper(email(ada)), secretPassword)
			if p.StatusCode != http.StatusOK || whoami(b) != "ada" {
				t.Fatalf("%d %s", p.StatusCode, p.Text)
			}
			c := p.Cookies()[0]
			if c.Name != "commons" || !c.HttpOnly || c.Secure || c.SameSite != http.SameSiteLaxMode || c.Path != "/" || c.Domain != "" || len(p.Cookies()) != 1 {
				t.Errorf("cookie %v", p.Cookies())
			}
			if strings.Contains(p.Text, b.Cookie()) || p.Header.Get("Cache-Control") != "no-store" {
				t.Errorf("%s %v", p.Text, p.Header)
			}
			if got := b.Request(http.MethodGet, "/auth/session", nil).Text; !strings.Contains(got, ada.ID.String()) || !strings.Contains(got, `"with":"session"`) {
				t.Errorf("session: %s", got)
			}
		})
		w.T.Run("a wrong password, an account without one, a suspended, a closed and an unknown one are the same bytes", func(t *testing.T) {
			first := ""
			for who, try := range map[string][2]string{
				"wrong": {email(ada), "eight lanterns by the river"}, "without": {email(ben), secretPassword}, "suspended": {email(cal), secretPassword},
				"closed": {email(dee), secretPassword}, "unknown": {"nobody@example.org", secretPassword}, "no address": {"x", secretPassword},
				"empty": {"", ""},
			} {
				p := signIn(w.Browser(), try[0], try[1])
				if p.StatusCode != http.StatusUnauthorized || p.Code() != "UNAUTHENTICATED" || len(p.Cookies()) > 0 {
					t.Errorf("%s: %d %s", who, p.StatusCode, p.Text)
				}
				if first == "" {
					first = p.Text
				}
				if p.Text != first {
					t.Errorf("%s: %s, others %s", who, p.Text, first)
				}
			}
		})
		w.T.Run("they take the same statements", func(t *testing.T) {
			count := func(email string) int64 {
				return w.Statements(func() { signIn(w.Browser(), email, "not this one at all") })
			}
			known, unknown := count(email(ada)), count("somebody@example.org")
			if known != unknown {
				t.Errorf("known %d, unknown %d", known, unknown)
			}
		})
	})
}

// What is known and what is not take the same time: the ratio of medians is near one, where without hashing for nobody it would be
// a hundred. Alternating tries spread the machine's moods over both.
func TestSignInTime(t *testing.T) {
	c := new(clock)
	w := apitest.Serve(t, database.SQLite(t), apitest.Clock(c.now))
	ada := w.Member("ada")
	setPassword(w, ada)
	var known, unknown []time.Duration
	for range 15 {
		c.add(time.Hour) // no throttle
		for email, times := range map[string]*[]time.Duration{email(ada): &known, "nobody@example.org": &unknown} {
			began := time.Now()
			signIn(w.Browser(), email, "not this one at all")
			*times = append(*times, time.Since(began))
		}
	}
	slices.Sort(known)
	slices.Sort(unknown)
	a, b := known[len(known)/2], unknown[len(unknown)/2]
	t.Logf("median: known %v, unknown %v", a, b)
	if a > b*2 || b > a*2 {
		t.Errorf("median: known %v, unknown %v", a, b)
	}
}

func TestSessionFixation(t *testing.T) {
	apitest.Each(t, func(w *apitest.World) {
		ada, eve := w.Member("ada"), w.Member("eve")
		setPassword(w, ada)
		w.T.Run("a cookie that the client brought is never adopted", func(t *testing.T) {
			b := w.Browser()
			planted := "cms_" + strings.Repeat("A", 43)
			b.SetCookie(planted)
			signIn(b, email(ada), secretPassword)
			if b.Cookie() == planted || whoami(b) != "ada" {
				t.Errorf("cookie %q", b.Cookie())
			}
			thief := w.Browser()
			thief.SetCookie(planted)
			if who := whoami(thief); who != "" {
				t.Errorf("the planted cookie is %q", who)
			}
		})
		w.T.Run("signing in ends the session that the browser was in", func(t *testing.T) {
			b := w.SignedIn(eve)
			planted := b.Cookie()
			signIn(b, email(ada), secretPassword)
			thief := w.Browser()
			thief.SetCookie(planted)
			if who := whoami(thief); who != "" || whoami(b) != "ada" {
				t.Errorf("the old cookie is %q", who)
			}
		})
		w.T.Run("a token is no cookie and a cookie no token", func(t *testing.T) {
			b := w.Browser()
			b.SetCookie(ada.Token())
			if who := whoami(b); who != "" {
				t.Errorf("a token as a cookie is %q", who)
			}
			if r := w.As(w.SignedIn(ada).Cookie()).Do(`{ viewer { name } }`, nil); r.Code() != "UNAUTHENTICATED" {
				t.Errorf("a cookie as a token: %s", r.Body)
			}
		})
		w.T.Run("of two cookies neither counts", func(t *testing.T) {
			mine, planted := w.SignedIn(ada).Cookie(), w.SignedIn(eve).Cookie()
			r := w.As("").Request(http.MethodGet, "/auth/session", nil, "Cookie", "commons="+planted+"; commons="+mine)
			if !strings.Contains(r.Text, `"member":null`) {
				t.Errorf("%s", r.Text)
			}
		})
	})
}

func TestSessionRotation(t *testing.T) {
	eachAtTime(t, func(w *apitest.World, c *clock) {
		ada := w.Member("ada")
		w.T.Run("a secret is renewed after an hour, and a minute later the old one is nobody", func(t *testing.T) {
			b := w.SignedIn(ada)
			first := b.Cookie()
			if whoami(b); b.Cookie() != first {
				t.Fatal("renewed at once")
			}
			c.add(61 * time.Minute)
			var wg sync.WaitGroup
			var renewed, known atomic.Int32
			for range 20 { // at once with the old one: nobody is signed out, and one gets the new one
				wg.Go(func() {
					alone := w.Browser()
					alone.SetCookie(first)
					if whoami(alone) == "ada" {
						known.Add(1)
					}
					if alone.Cookie() != first {
						renewed.Add(1)
						b.SetCookie(alone.Cookie())
					}
				})
			}
			wg.Wait()
			if known.Load() != 20 || renewed.Load() != 1 {
				t.Fatalf("%d known, %d renewed", known.Load(), renewed.Load())
			}
			c.add(2 * time.Minute)
			thief := w.Browser()
			thief.SetCookie(first)
			p := thief.Request(http.MethodGet, "/auth/session", nil)
			if p.StatusCode != http.StatusOK || !strings.Contains(p.Text, `"member":null`) || thief.Cookie() != "" {
				t.Errorf("the old cookie: %d %s, and the browser holds %q", p.StatusCode, p.Text, thief.Cookie())
			}
			if who := whoami(b); who != "ada" {
				t.Errorf("the new cookie is %q", who)
			}
		})
		w.T.Run("a websocket renews it too", func(t *testing.T) {
			b := w.SignedIn(ada)
			first := b.Cookie()
			c.add(61 * time.Minute)
			b.Subscribe(`subscription { notificationEvents { cursor } }`, nil).Close()
			if b.Cookie() == first || whoami(b) != "ada" {
				t.Error("it did not")
			}
		})
		w.T.Run("it ends after 14 days without use, and after 90 with", func(t *testing.T) {
			idle, used := w.SignedIn(ada), w.SignedIn(ada)
			days := 0
			for ; days < 100 && whoami(used) == "ada"; days += 10 {
				c.add(10 * 24 * time.Hour)
				if days == 10 && whoami(idle) != "" {
					t.Error("an idle session lives on")
				}
			}
			if days != 90 {
				t.Errorf("it ended after %d days", days)
			}
		})
		w.T.Run("what has long been over is forgotten, and what is used is not", func(t *testing.T) {
			b, gone := w.SignedIn(ada), w.SignedIn(ada)
			gone.PostJSON("/auth/sign-out", vars{})
			b.PostJSON("/auth/link", vars{"email": email(ada)})
			links(w, email(ada), account.MailSignIn)
			for range 4 {
				c.add(10 * 24 * time.Hour)
				whoami(b)
			}
			if err := w.App.Accounts.Forget(w.System()); err != nil {
				t.Fatal(err)
			}
			client := w.App.Store.Client(w.System())
			sessions, err := client.AccessToken.Query().Where(accesstoken.KindEQ(accesstoken.KindSESSION), accesstoken.RevokedAtNotNil()).Count(w.System())
			tokens, err2 := client.OneTimeToken.Query().Count(w.System())
			if err != nil || err2 != nil || sessions != 0 || tokens != 0 || whoami(b) != "ada" {
				t.Errorf("%d sessions, %d links: %v %v", sessions, tokens, err, err2)
			}
		})
		w.T.Run("when it was last used is written down every few minutes, and not with every request", func(t *testing.T) {
			b := w.SignedIn(ada)
			last := func() any {
				return b.Must(`{ account { sessions { lastUsedAt current browser } } }`, nil).At("account.sessions.0.lastUsedAt")
			}
			first := last()
			if again := last(); again != first {
				t.Errorf("%v, then %v", first, again)
			}
			c.add(6 * time.Minute)
			whoami(b)
			if later := last(); later == first {
				t.Errorf("still %v", later)
			}
			c.add(2 * time.Second) // until then the sign-in is known
			if n := w.Statements(func() { whoami(b) }); n != 2 {
				t.Errorf("a request of one statement sent %d with its sign-in", n)
			}
		})
	})
}

func TestLinks(t *testing.T) {
	eachAtTime(t, func(w *apitest.World, c *clock) {
		ada := w.Member("ada")
		setPassword(w, ada)
		ask := func(path, email string) *apitest.Page { return w.Browser().PostJSON(path, vars{"email": email}) }
		confirm := func(path, token string) *apitest.Page { return w.Browser().PostJSON(path, vars{"token": token}) }
		w.T.Run("asking is the same for who has an account and who has none", func(t *testing.T) {
			for _, path := range []string{"/auth/link", "/auth/reset"} {
				known, unknown := ask(path, email(ada)), ask(path, "nobody@example.org")
				if known.StatusCode != http.StatusAccepted || known.Text != unknown.Text || known.StatusCode != unknown.StatusCode {
					t.Errorf("%s: %d %s, %d %s", path, known.StatusCode, known.Text, unknown.StatusCode, unknown.Text)
				}
				a := w.Statements(func() { ask(path, email(ada)) })
				b := w.Statements(func() { ask(path, "nobody@example.org") })
				if a != b {
					t.Errorf("%s: %d statements, %d", path, a, b)
				}
			}
			if got := links(w, "nobody@example.org", account.MailSignIn); len(got) != 0 {
				t.Errorf("a link for nobody: %v", got)
			}
			links(w, email(ada), account.MailSignIn)
			links(w, email(ada), account.MailReset)
			c.add(time.Hour)
		})
		w.T.Run("the row that waits holds no secret", func(t *testing.T) {
			ask("/auth/link", email(ada))
			row, err := w.App.Store.Client(w.System()).Mail.Query().Where(mail.Template(account.MailSignIn)).Only(w.System())
			if err != nil || len(row.Data) != 0 {
				t.Errorf("%v: %v", row, err)
			}
			n, err := w.App.Store.Client(w.System()).OneTimeToken.Query().Where(onetimetoken.UsedAtIsNil(), onetimetoken.PurposeEQ(onetimetoken.PurposeSIGN_IN), onetimetoken.ExpiresAtGT(c.now())).Count(w.System())
			if err != nil || n != 0 {
				t.Errorf("%d tokens: %v", n, err)
			}
		})
		w.T.Run("scanners change nothing, and of twenty who press the button at once one signs in", func(t *testing.T) {
			link := token(w, email(ada), account.MailSignIn)
			for _, method := range []string{http.MethodGet, http.MethodHead} {
				for _, path := range []string{"/sign-in/link", "/sign-in/link?token=" + link, "/auth/link/confirm?token=" + link} {
					w.Browser().Request(method, path, nil)
				}
			}
			var in atomic.Int32
			var wg sync.WaitGroup
			for range 20 {
				wg.Go(func() {
					b := w.Browser()
					if p := b.PostJSON("/auth/link/confirm", vars{"token": link}); p.StatusCode == http.StatusOK && whoami(b) == "ada" {
						in.Add(1)
					} else if p.Code() != "INVALID_INPUT" {
						t.Errorf("%d %s", p.StatusCode, p.Text)
					}
				})
			}
			wg.Wait()
			if in.Load() != 1 {
				t.Errorf("%d signed in", in.Load())
			}
		})
		w.T.Run("a newer link voids the older, a link is void after 15 minutes, and for another purpose", func(t *testing.T) {
			ask("/auth/link", email(ada))
			older := token(w, email(ada), account.MailSignIn)
			ask("/auth/link", email(ada))
			newer := token(w, email(ada), account.MailSignIn)
			if p := confirm("/auth/link/confirm", older); p.Code() != "INVALID_INPUT" {
				t.Errorf("older: %d %s", p.StatusCode, p.Text)
			}
			for _, path := range []string{"/auth/email/confirm", "/auth/invitation/confirm"} {
				if p := confirm(path, newer); p.Code() != "INVALID_INPUT" {
					t.Errorf("%s: %d %s", path, p.StatusCode, p.Text)
				}
			}
			c.add(16 * time.Minute)
			if p := confirm("/auth/link/confirm", newer); p.Code() != "INVALID_INPUT" {
				t.Errorf("late: %d %s", p.StatusCode, p.Text)
			}
		})
		w.T.Run("a reset sets the password, ends all sessions and links, and signs in", func(t *testing.T) {
			c.add(time.Hour)
			other := w.SignedIn(ada)
			ask("/auth/link", email(ada))
			link := token(w, email(ada), account.MailSignIn)
			ask("/auth/reset", email(ada))
			reset := token(w, email(ada), account.MailReset)
			b := w.Browser()
			if p := b.PostJSON("/auth/reset/confirm", vars{"token": reset, "password": "passwordpassword"}); p.Code() != "INVALID_INPUT" {
				t.Fatalf("a common password: %d %s", p.StatusCode, p.Text)
			}
			if p := b.PostJSON("/auth/reset/confirm", vars{"token": reset, "password": "nine lanterns by the river"}); p.StatusCode != http.StatusOK || whoami(b) != "ada" {
				t.Fatalf("%d %s", p.StatusCode, p.Text)
			}
			if whoami(other) != "" || confirm("/auth/link/confirm", link).Code() != "INVALID_INPUT" {
				t.Error("an older session or link lives on")
			}
			if signIn(w.Browser(), email(ada), secretPassword).StatusCode != http.StatusUnauthorized ||
				signIn(w.Browser(), email(ada), "nine lanterns by the river").StatusCode != http.StatusOK {
				t.Error("the old password signs in, or the new one does not")
			}
			if got := links(w, email(ada), account.MailPasswordChanged); len(got) != 1 {
				t.Errorf("told by mail: %v", got)
			}
		})
		w.T.Run("nobody who is suspended is sent a link or can use one", func(t *testing.T) {
			c.add(time.Hour)
			ask("/auth/link", email(ada))
			link := token(w, email(ada), account.MailSignIn)
			ask("/auth/link", email(ada))
			w.Tx(func(ctx context.Context, tx *ent.Client) error {
				return tx.Member.UpdateOneID(ada.ID).SetSuspendedUntil(time.Now().Add(time.Hour)).Exec(ctx)
			})
			if p := confirm("/auth/link/confirm", link); p.Code() != "INVALID_INPUT" {
				t.Errorf("%d %s", p.StatusCode, p.Text)
			}
			if got := links(w, email(ada), account.MailSignIn); len(got) != 0 {
				t.Errorf("sent %v", got)
			}
		})
	})
}

func TestLinksComeFromTheConfiguration(t *testing.T) {
	apitest.Each(t, func(w *apitest.World) {
		ada := w.Member("ada")
		for _, header := range [][]string{{"Host", "evil.example"}, {"X-Forwarded-Host", "evil.example"}, {"Forwarded", "host=evil.example"}, {"X-Forwarded-Proto", "http"}} {
			w.Browser().PostJSON("/auth/link", vars{"email": email(ada)}, header...)
		}
		for _, mail := range links(w, email(ada), account.MailSignIn) {
			if !strings.HasPrefix(mail["link"], "https://commons.example/sign-in/link#cml_") {
				w.T.Errorf("link %q", mail["link"])
			}
		}
		p := w.Browser().PostJSON("/auth/link/confirm", vars{"token": token(w, askedLink(w, ada), account.MailSignIn)})
		if c := p.Cookies()[0]; c.Name != "__Host-commons" || !c.Secure || c.Path != "/" || c.Domain != "" {
			w.T.Errorf("under https: %v", c)
		}
	}, apitest.PublicURL("https://commons.example/"))
}

func askedLink(w *apitest.World, p *apitest.Person) string {
	w.T.Helper()
	if page := w.Browser().PostJSON("/auth/link", vars{"email": email(p)}); page.StatusCode != http.StatusAccepted {
		w.T.Fatalf("%d %s", page.StatusCode, page.Text)
	}
	// The throttle for one address may have had enough of the test: the mail is then made as if it had not.
	w.Tx(func(ctx context.Context, tx *ent.Client) error {
		if n, err := tx.Mail.Query().Where(mail.Address(email(p)), mail.Template(account.MailSignIn)).Count(ctx); err != nil || n > 0 {
			return err
		}
		now := w.App.Config.Now()
		return tx.Mail.Create().SetID(w.NewID(gid.Mail)).SetCreatedAt(now).SetNextAt(now).SetAddress(email(p)).SetTemplate(account.MailSignIn).Exec(ctx)
	})
	return email(p)
}

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

func TestThrottles(t *testing.T) {
	t.Run("guesses are counted across replicas, and a link still signs in", func(t *testing.T) {
		t.Parallel()
		url, c := database.Postgres(t), new(clock)
		a, b := apitest.Serve(t, url, apitest.Clock(c.now)), apitest.Serve(t, url, apitest.Clock(c.now))
		ada := a.Member("ada")
		setPassword(a, ada)
		tries := func(email string) (answered int, last *apitest.Page) {
			for i := range 14 {
				last = signIn([]*apitest.Client{a.Browser(), b.Browser()}[i%2], email, "not this one at all")
				if last.StatusCode == http.StatusUnauthorized {
					answered++
				}
			}
			return answered, last
		}
		known, last := tries(email(ada))
		if last.StatusCode != http.StatusTooManyRequests || last.Code() != "RATE_LIMITED" || last.Header.Get("Retry-After") == "" || last.Header.Get("Retry-After") == "0" {
			t.Errorf("%d %s %v", last.StatusCode, last.Text, last.Header)
		}
		if unknown, _ := tries("nobody@example.org"); known != unknown || known > 12 {
			t.Errorf("%d tries of a known account, %d of an unknown one", known, unknown)
		}
		browser := b.Browser()
		if p := browser.PostJSON("/auth/link/confirm", vars{"token": token(a, askedLink(a, ada), account.MailSignIn)}); p.StatusCode != http.StatusOK {
			t.Errorf("the link: %d %s", p.StatusCode, p.Text)
		}
		c.add(31 * time.Second)
		if p := signIn(b.Browser(), email(ada), secretPassword); p.StatusCode != http.StatusOK {
			t.Errorf("after the wait: %d %s", p.StatusCode, p.Text)
		}
	})
	t.Run("one address is sent a few mails, silently", func(t *testing.T) {
		apitest.Each(t, func(w *apitest.World) {
			ada := w.Member("ada")
			for range 8 {
				if p := w.Browser().PostJSON("/auth/link", vars{"email": email(ada)}); p.StatusCode != http.StatusAccepted {
					w.T.Errorf("%d %s", p.StatusCode, p.Text)
				}
			}
			if got := links(w, email(ada), account.MailSignIn); len(got) != 3 {
				w.T.Errorf("%d mails", len(got))
			}
		})
	})
}

// A flood of sign-ins from many places takes the memory of as many hashes as there are cores, and the server answers others meanwhile.
func TestLoginFlood(t *testing.T) {
	w := apitest.Serve(t, database.SQLite(t))
	ada := w.Member("ada")
	var busy, answered atomic.Int32
	var peak atomic.Uint64
	stop := make(chan struct{})
	var watching sync.WaitGroup
	watching.Go(func() {
		sample := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
		for {
			metrics.Read(sample)
			peak.Store(max(peak.Load(), sample[0].Value.Uint64()))
			select {
			case <-stop:
				return
			case <-time.After(2 * time.Millisecond):
			}
		}
	})
	runtime.GC()
	var wg sync.WaitGroup
	for i := range 300 {
		wg.Go(func() {
			// The hasher alone, behind the throttles: what a botnet of many addresses gets to.
			if _, _, err := w.App.Accounts.Hasher.Verify(t.Context(), "", strings.Repeat("x", i%100)); err != nil {
				busy.Add(1)
			} else {
				answered.Add(1)
			}
		})
	}
	began := time.Now()
	if who := ada.Do(`{ viewer { name } }`, nil).String("viewer.name"); who != "ada" {
		t.Errorf("meanwhile: %q", who)
	}
	took := time.Since(began)
	wg.Wait()
	close(stop)
	watching.Wait()
	t.Logf("%d hashed, %d sent away, peak %d MiB, another request took %v", answered.Load(), busy.Load(), peak.Load()>>20, took)
	if busy.Load() == 0 || answered.Load() == 0 || peak.Load() > 400<<20 || took > 5*time.Second {
		t.Error("the flood was not bounded")
	}
}

// What ends a session ends its websockets and event streams within two seconds, on other replicas too.
func TestEndedSessionsEndLiveConnections(t *testing.T) {
	t.Parallel()
	for how, end := range map[string]func(w *apitest.World, ada *apitest.Person, b, other *apitest.Client){
		"signing out": func(w *apitest.World, _ *apitest.Person, b, _ *apitest.Client) {
			if p := b.PostJSON("/auth/sign-out", vars{}); p.StatusCode != http.StatusNoContent || b.Cookie() != "" {
				w.T.Errorf("%d %s", p.StatusCode, p.Text)
			}
		},
		"ending it in another browser": func(w *apitest.World, _ *apitest.Person, _, other *apitest.Client) {
			r := other.Must(`{ account { sessions { id current } } }`, nil)
			for i := range r.Len("account.sessions") {
				at := "account.sessions." + string(rune('0'+i))
				if r.At(at+".current") == false {
					other.Must(`mutation($input: EndSessionInput!) { endSession(input: $input) { account { sessions { id } } errors { code message } } }`, input(vars{"sessionId": r.At(at + ".id")}))
				}
			}
		},
		"ending all others": func(_ *apitest.World, _ *apitest.Person, _, other *apitest.Client) {
			other.Must(`mutation($input: EndOtherSessionsInput!) { endOtherSessions(input: $input) { errors { code message } } }`, input(vars{}))
		},
		"another password": func(w *apitest.World, _ *apitest.Person, _, other *apitest.Client) {
			if p := other.PostJSON("/auth/password", vars{"present": "", "password": secretPassword}); p.StatusCode != http.StatusNoContent {
				w.T.Errorf("%d %s", p.StatusCode, p.Text)
			}
		},
		"a closed account": func(w *apitest.World, ada *apitest.Person, _, _ *apitest.Client) {
			w.Tx(func(ctx context.Context, tx *ent.Client) error {
				return tx.Member.UpdateOneID(ada.ID).SetStatus(member.StatusDEACTIVATED).Exec(ctx)
			})
		},
	} {
		t.Run(how, func(t *testing.T) {
			t.Parallel()
			for on, start := range topologies {
				t.Run(on, func(t *testing.T) {
					t.Parallel()
					a, b := start(t)
					ada := a.Member("ada")
					thread := a.Thread(ada, a.Space(space.KindAFFINITY, "Safe room", ada), "Live", "first")
					browser, other := a.SignedIn(ada), a.SignedIn(ada)
					there := browser.At(b)
					socket := there.Subscribe(watch, vars{"thread": thread, "after": now(there)})
					a.Post(ada, thread, "hello")
					socket.Next()
					stream := there.Stream(watch, vars{"thread": thread, "after": now(there)})
					began := time.Now()
					end(a, ada, browser, other)
					if text := stream(); !strings.Contains(text, "UNAUTHENTICATED") || time.Since(began) > 2*time.Second {
						t.Errorf("the event stream ended with %q after %v", text, time.Since(began))
					}
					m := socket.Message()
					if took := time.Since(began); m.Close != 4401 || took > 2*time.Second {
						t.Errorf("%+v after %v", m, took)
					} else {
						t.Logf("%v", took)
					}
				})
			}
		})
	}
}

func TestCookiesAndOrigins(t *testing.T) {
	apitest.Each(t, func(w *apitest.World) {
		ada := w.Member("ada")
		b := w.SignedIn(ada)
		upgrade := func(headers ...string) int {
			return b.Request(http.MethodGet, "/graphql", nil, append(headers, "Connection", "Upgrade", "Upgrade", "websocket",
				"Sec-WebSocket-Version", "13", "Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==", "Sec-WebSocket-Protocol", "graphql-transport-ws")...).StatusCode
		}
		w.T.Run("a websocket with a cookie needs an origin, and the right one", func(t *testing.T) {
			if got := upgrade(); got != http.StatusForbidden {
				t.Errorf("without: %d", got)
			}
			for _, origin := range []string{"https://evil.example", "null"} {
				if got := upgrade("Origin", origin); got != http.StatusForbidden {
					t.Errorf("%s: %d", origin, got)
				}
			}
		})
		w.T.Run("another site's page posts nothing, and a form of any site neither", func(t *testing.T) {
			for _, headers := range [][]string{{"Origin", "https://evil.example"}, {"Sec-Fetch-Site", "cross-site"}, {"Sec-Fetch-Site", "same-site"}} {
				if p := b.PostJSON("/auth/sign-out", vars{}, headers...); p.Code() != "FORBIDDEN" {
					t.Errorf("%v: %d %s", headers, p.StatusCode, p.Text)
				}
			}
			for _, media := range []string{"text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", ""} {
				for _, path := range []string{"/auth/sign-out", "/auth/sign-in", "/graphql"} {
					if p := b.Request(http.MethodPost, path, []byte(`{}`), "Content-Type", media); p.Code() != "UNSUPPORTED_MEDIA_TYPE" {
						t.Errorf("%s %s: %d %s", path, media, p.StatusCode, p.Text)
					}
				}
			}
			if who := whoami(b); who != "ada" {
				t.Errorf("signed out: %q", who)
			}
		})
		w.T.Run("GET with a cookie changes nothing", func(t *testing.T) {
			query := url.QueryEscape(`mutation { endOtherSessions(input: {}) { errors { code } } }`)
			if p := b.Request(http.MethodGet, "/graphql?query="+query, nil); p.Code() != "METHOD_NOT_ALLOWED" {
				t.Errorf("%d %s", p.StatusCode, p.Text)
			}
			for _, path := range []string{"/auth/sign-out", "/auth/password", "/auth/link/confirm"} {
				if p := b.Request(http.MethodGet, path, nil); p.StatusCode != http.StatusMethodNotAllowed {
					t.Errorf("%s: %d", path, p.StatusCode)
				}
			}
		})
		w.T.Run("a wrong header is an error though the cookie is right, and the right one goes first", func(t *testing.T) {
			if p := b.Request(http.MethodGet, "/auth/session", nil, "Authorization", "Bearer cmn_wrong"); p.Code() != "UNAUTHENTICATED" {
				t.Errorf("%d %s", p.StatusCode, p.Text)
			}
			ben := w.Member("ben")
			if p := b.Request(http.MethodGet, "/auth/session", nil, "Authorization", "Bearer "+ben.Token()); !strings.Contains(p.Text, `"with":"token"`) || !strings.Contains(p.Text, ben.ID.String()) {
				t.Errorf("%s", p.Text)
			}
		})
		w.T.Run("bodies are strict JSON of a few members and bytes", func(t *testing.T) {
			for body, code := range map[string]string{
				`{"email":"a@b.c","email":"d@e.f"}`: "BAD_REQUEST", `{"email":"a@b.c","x":1}`: "BAD_REQUEST", `[{"email":"a@b.c"}]`: "BAD_REQUEST", `{"email":1}`: "BAD_REQUEST",
				`{"email":"a@b.c"} {}`: "BAD_REQUEST", `{"email":"a@b.c\u0000"}`: "BAD_REQUEST", "{\"email\":\"\xff\"}": "BAD_REQUEST", ``: "BAD_REQUEST",
				`{"email":"` + strings.Repeat("a", 5000) + `"}`: "PAYLOAD_TOO_LARGE", `{"email":"a\r\nBcc: b@c.d"}`: "INVALID_INPUT", `{"email":"a, b@c.d"}`: "INVALID_INPUT",
			} {
				if p := w.Browser().Request(http.MethodPost, "/auth/link", []byte(body)); p.Code() != code {
					t.Errorf("%.60s: %d %s, want %s", body, p.StatusCode, p.Text, code)
				}
			}
		})
		w.T.Run("the pages are strict, load nothing from elsewhere and have no inline script", func(t *testing.T) {
			for _, path := range []string{"/sign-in", "/sign-in/link", "/sign-in/reset", "/sign-in/email", "/sign-in/invitation"} {
				p := w.Browser().Request(http.MethodGet, path, nil)
				policy := p.Header.Get("Content-Security-Policy")
				if p.StatusCode != http.StatusOK || !strings.Contains(policy, "default-src 'none'") || strings.Contains(policy, "unsafe") || p.Header.Get("Referrer-Policy") != "no-referrer" {
					t.Errorf("%s: %d %v", path, p.StatusCode, p.Header)
				}
				for _, src := range regexp.MustCompile(`(?:src|href)="([^"]*)"`).FindAllStringSubmatch(p.Text, -1) {
					if got := w.Browser().Request(http.MethodGet, src[1], nil); !strings.HasPrefix(src[1], "/sign-in/") || got.StatusCode != http.StatusOK {
						t.Errorf("%s loads %s: %d", path, src[1], got.StatusCode)
					}
				}
				if regexp.MustCompile(`<script>|<script [^>]*>[^<]|style=|\son[a-z]+="`).MatchString(p.Text) {
					t.Errorf("%s has inline code", path)
				}
			}
		})
	})
}

func TestAccessTokens(t *testing.T) {
	apitest.Each(t, func(w *apitest.World) {
		ada, ben := w.Member("ada"), w.Member("ben")
		b := w.SignedIn(ada)
		create := `mutation($input: CreateAccessTokenInput!) { createAccessToken(input: $input) { accessToken { id name scope expiresAt } token errors { code message path } } }`
		in := func(scope string, lasts time.Duration, more ...any) vars {
			v := vars{"name": "Reports", "scope": scope, "expiresAt": time.Now().Add(lasts).UTC().Format(time.RFC3339)}
			if len(more) > 0 {
				v["idempotencyKey"] = more[0]
			}
			return input(v)
		}
		w.T.Run("a token is shown once, works, and can be revoked", func(t *testing.T) {
			keyed := in("READ", time.Hour, "k1")
			r := b.Must(create, keyed)
			secret, id := r.String("createAccessToken.token"), r.String("createAccessToken.accessToken.id")
			program := w.As(secret)
			if whoami(program) != "ada" {
				t.Fatal("it signs nobody in")
			}
			if code := program.Do(`mutation { updateProfile(input: { pronouns: "x" }) { errors { code } } }`, nil).Code(); code != "INSUFFICIENT_SCOPE" {
				t.Errorf("it may write: %s", code)
			}
			if again := b.Must(create, keyed); again.String("createAccessToken.accessToken.id") != id || again.At("createAccessToken.token") != nil {
				t.Errorf("again: %s", again.Body)
			}
			if got := b.Must(`{ account { accessTokens { id name lastUsedAt } } }`, nil); got.Len("account.accessTokens") < 1 {
				t.Errorf("%s", got.Body)
			}
			b.Must(`mutation($input: RevokeAccessTokenInput!) { revokeAccessToken(input: $input) { account { accessTokens { id } } errors { code message } } }`, input(vars{"accessTokenId": id}))
			if r := program.Do(`{ viewer { name } }`, nil); r.Code() != "UNAUTHENTICATED" {
				t.Errorf("revoked: %s", r.Body)
			}
		})
		w.T.Run("it ends within a year", func(t *testing.T) {
			for _, lasts := range []time.Duration{-time.Hour, 400 * 24 * time.Hour} {
				if code := b.Do(create, in("READ", lasts)).Code(); code != "INVALID_INPUT" {
					t.Errorf("%v: %s", lasts, code)
				}
			}
		})
		w.T.Run("a stolen token makes no other, and somebody else's is not there", func(t *testing.T) {
			if code := ada.Do(create, in("WRITE", time.Hour)).Code(); code != "FORBIDDEN" {
				t.Errorf("%s", code)
			}
			id := b.Must(create, in("READ", time.Hour)).String("createAccessToken.accessToken.id")
			revoke := `mutation($input: RevokeAccessTokenInput!) { revokeAccessToken(input: $input) { errors { code message path } } }`
			theirs := w.SignedIn(ben).Do(revoke, input(vars{"accessTokenId": id}))
			none := w.SignedIn(ben).Do(revoke, input(vars{"accessTokenId": w.NewID(gid.AccessToken)}))
			if theirs.Code() != "NOT_FOUND" || theirs.Body != none.Body {
				t.Errorf("%s, %s", theirs.Body, none.Body)
			}
		})
		w.T.Run("all of it is in the audit log", func(t *testing.T) {
			for _, action := range []audit.Action{audit.AccessTokenCreated, audit.AccessTokenRevoked, audit.SignedIn} {
				n, err := w.App.Store.Client(w.System()).AuditEntry.Query().Where(auditentry.Action(string(action)), auditentry.ActorID(ada.ID)).Count(w.System())
				if err != nil || n == 0 {
					t.Errorf("%s: %d, %v", action, n, err)
				}
			}
		})
	})
}

func TestInvitations(t *testing.T) {
	apitest.Each(t, func(w *apitest.World) {
		staff := w.Role(w.Member("staff"), roleassignment.RoleSTAFF)
		ada := w.Member("ada")
		invite := `mutation($input: InviteMemberInput!) { inviteMember(input: $input) { member { id name handle } errors { code message path } } }`
		who := vars{"name": "Zoë  O’Hara", "email": "Zoe@Example.org", "timeZone": "America/Chicago"}
		w.T.Run("whoever is invited signs in by the link, once, with a password of their own", func(t *testing.T) {
			id := staff.Must(invite, input(who)).String("inviteMember.member.id")
			again := staff.Must(invite, input(who)).String("inviteMember.member.id")
			if id == "" || id != again {
				t.Fatalf("%q, and again %q", id, again)
			}
			mails := links(w, "zoe@example.org", account.MailInvitation)
			if len(mails) != 2 || mails[0]["inviter"] != "staff" {
				t.Fatalf("%v", mails)
			}
			_, first, _ := strings.Cut(mails[0]["link"], "#")
			_, second, _ := strings.Cut(mails[1]["link"], "#")
			b := w.Browser()
			if p := b.PostJSON("/auth/invitation/confirm", vars{"token": first}); p.Code() != "INVALID_INPUT" {
				t.Errorf("the older: %d %s", p.StatusCode, p.Text)
			}
			if p := b.PostJSON("/auth/invitation/confirm", vars{"token": second, "password": secretPassword}); p.StatusCode != http.StatusOK || whoami(b) != "Zoë  O’Hara" {
				t.Errorf("%d %s", p.StatusCode, p.Text)
			}
			if p := b.PostJSON("/auth/invitation/confirm", vars{"token": second}); p.Code() != "INVALID_INPUT" {
				t.Errorf("again: %d %s", p.StatusCode, p.Text)
			}
		})
		w.T.Run("who has signed in is not invited, and nobody but staff invites", func(t *testing.T) {
			if r := staff.Do(invite, input(who)); r.Code() != "ALREADY_EXISTS" {
				t.Errorf("%s", r.Body)
			}
			for _, address := range []string{"zoe@example.org", "nobody@example.org"} {
				if r := ada.Do(invite, input(vars{"name": "Z", "email": address, "timeZone": "UTC"})); r.Code() != "FORBIDDEN" {
					t.Errorf("%s: %s", address, r.Body)
				}
			}
		})
	})
}

// locked is a buffer that several goroutines write to.
type locked struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *locked) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func TestNothingSecretIsLogged(t *testing.T) {
	logs := new(locked)
	w := apitest.Serve(t, database.SQLite(t), apitest.Log(logs))
	ada := w.Member("ada")
	setPassword(w, ada)
	b := w.Browser()
	signIn(b, email(ada), "wrong lanterns by the river")
	signIn(b, email(ada), secretPassword)
	secrets := []string{secretPassword, "lanterns", b.Cookie(), ada.Token()}
	w.Browser().Request(http.MethodPost, "/auth/sign-in", []byte(`{"email":"x","password":"`+secretPassword+`"`))
	w.As("").Request(http.MethodGet, "/auth/session", nil, "Authorization", "Bearer cmn_wrongtoken")
	link := token(w, askedLink(w, ada), account.MailSignIn)
	b.PostJSON("/auth/link/confirm", vars{"token": link})
	b.PostJSON("/auth/link/confirm", vars{"token": link})
	secrets = append(secrets, link, b.Cookie(), "cmn_wrongtoken", "cms_", "cml_")
	b.Subscribe(`subscription { notificationEvents { cursor } }`, nil).Close()
	b.PostJSON("/auth/password", vars{"present": secretPassword, "password": "eleven lanterns by the river"})
	if err := w.Stop(); err != nil {
		t.Fatal(err)
	}
	text := logs.b.String()
	if !strings.Contains(text, "/auth/sign-in") {
		t.Fatal("the log is empty")
	}
	for _, secret := range secrets {
		if strings.Contains(text, secret) {
			t.Errorf("the log holds %q", secret)
		}
	}
}
