package apitest_test

import (
	"context"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pursuing-equity/commons/ent"
	"github.com/pursuing-equity/commons/ent/accesstoken"
	"github.com/pursuing-equity/commons/ent/member"
	"github.com/pursuing-equity/commons/ent/space"
	"github.com/pursuing-equity/commons/internal/account"
	"github.com/pursuing-equity/commons/internal/apitest"
)

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
