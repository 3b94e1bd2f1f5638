package apitest_test

import (
	"context"
	"net/http"
	"runtime"
	"runtime/metrics"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pursuing-equity/commons/ent"
	"github.com/pursuing-equity/commons/ent/member"
	"github.com/pursuing-equity/commons/internal/account"
	"github.com/pursuing-equity/commons/internal/apitest"
	"github.com/pursuing-equity/commons/internal/apitest/database"
)

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
