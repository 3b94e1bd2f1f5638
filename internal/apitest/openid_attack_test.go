package apitest_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/base64"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/pursuing-equity/commons/internal/apitest"
	"github.com/pursuing-equity/commons/internal/apitest/database"
	"github.com/pursuing-equity/commons/internal/openid"
)

// honestly is who is signed in after an honest sign-in.
func honestly(b *person, p *impostor) string {
	comeIn(b, p)
	return b.who()
}

// Each attack ends with nobody signed in.
func TestOpenIDAttacks(t *testing.T) {
	t.Parallel()
	attack := func(name string, do func(w *apitest.World, p *impostor, c *clock, b *person) (status int)) {
		t.Run(name, func(t *testing.T) {
			withProvider(t, func(w *apitest.World, p *impostor, c *clock) {
				ada := w.Member("ada")
				p.become("subject-1", email(ada), true)
				b := browserOf(w)
				if status := do(w, p, c, b); status < 400 || status >= 500 || b.who() != "" || identities(w) != 0 {
					w.T.Errorf("%d, signed in as %q, %d identities", status, b.who(), identities(w))
				}
				if b.attempt() != nil {
					w.T.Error("the attempt is still in the browser")
				}
				// What an honest provider says is taken: it was the attack that was refused.
				p.token, p.sign = nil, nil
				p.become("subject-1", email(ada), true)
				if honest := browserOf(w); honestly(honest, p) != ada.Handle {
					w.T.Errorf("an honest sign-in is refused too")
				}
			})
		})
	}
	// answer changes the provider's answer on its way back.
	answer := func(change func(p *impostor, q url.Values)) func(*apitest.World, *impostor, *clock, *person) int {
		return func(w *apitest.World, p *impostor, _ *clock, b *person) int {
			u := p.approve(w.T, b.begin("/auth/oidc"))
			q := u.Query()
			change(p, q)
			u.RawQuery = q.Encode()
			status, _, page := b.back(u)
			if strings.Contains(page, "evil") {
				w.T.Errorf("the page repeats what it was told: %s", page)
			}
			return status
		}
	}
	attack("a wrong state", answer(func(_ *impostor, q url.Values) { q.Set("state", strings.Repeat("A", len(q.Get("state")))) }))
	attack("no state", answer(func(_ *impostor, q url.Values) { q.Del("state") }))
	attack("two states", answer(func(_ *impostor, q url.Values) { q.Add("state", "x") }))
	attack("no code", answer(func(_ *impostor, q url.Values) { q.Del("code") }))
	attack("a made-up code", answer(func(_ *impostor, q url.Values) { q.Set("code", "x") }))
	attack("an answer of another provider", answer(func(_ *impostor, q url.Values) { q.Set("iss", "https://evil.example") }))
	attack("an error of the provider, with a text for the page", answer(func(_ *impostor, q url.Values) {
		q.Del("code")
		q.Set("error", "access_denied")
		q.Set("error_description", "<a href=//evil.example>evil</a>")
	}))
	attack("an answer without the provider's name, where it always says it", func(w *apitest.World, p *impostor, _ *clock, b *person) int {
		p.saysIss = true
		u := p.approve(w.T, b.begin("/auth/oidc"))
		q := u.Query()
		q.Del("iss")
		u.RawQuery = q.Encode()
		status, _, _ := b.back(u)
		return status
	})
	attack("the state of another browser", func(w *apitest.World, p *impostor, _ *clock, b *person) int {
		u := p.approve(w.T, browserOf(w).begin("/auth/oidc"))
		status, _, _ := b.back(u) // without an attempt of its own
		b.begin("/auth/oidc")
		if again, _, _ := b.back(u); again != status { // and with one
			w.T.Errorf("%d, and %d", status, again)
		}
		return status
	})
	attack("a code that was given to somebody else", func(w *apitest.World, p *impostor, _ *clock, b *person) int {
		theirs := p.approve(w.T, browserOf(w).begin("/auth/oidc")).Query().Get("code")
		u := p.approve(w.T, b.begin("/auth/oidc"))
		q := u.Query()
		q.Set("code", theirs)
		u.RawQuery = q.Encode()
		status, _, _ := b.back(u)
		return status
	})
	attack("an attempt that lasted too long", func(w *apitest.World, p *impostor, c *clock, b *person) int {
		u := p.approve(w.T, b.begin("/auth/oidc"))
		c.add(11 * time.Minute)
		status, _, _ := b.back(u)
		return status
	})
	attack("an attempt that is not sealed by this installation", func(w *apitest.World, p *impostor, c *clock, b *person) int {
		u := p.approve(w.T, b.begin("/auth/oidc"))
		forged, err := openid.Seal(make([]byte, 32), openid.Attempt{State: u.Query().Get("state"), Until: c.now().Add(time.Hour)})
		if err != nil {
			w.T.Fatal(err)
		}
		b.plant("commons-openid", forged)
		status, _, _ := b.back(u)
		return status
	})
	// claims changes the id token.
	claims := func(change func(claims map[string]any)) func(*apitest.World, *impostor, *clock, *person) int {
		return func(_ *apitest.World, p *impostor, _ *clock, b *person) int {
			p.token = change
			status, _, _ := comeIn(b, p)
			return status
		}
	}
	set := func(name string, value any) func(*apitest.World, *impostor, *clock, *person) int {
		return claims(func(claims map[string]any) { claims[name] = value })
	}
	attack("a wrong nonce", set("nonce", "x"))
	attack("no nonce", claims(func(claims map[string]any) { delete(claims, "nonce") }))
	attack("a token for another program", set("aud", "another"))
	attack("a token for many, made for another", claims(func(claims map[string]any) { claims["aud"], claims["azp"] = []string{"commons", "another"}, "another" }))
	attack("a token for many, made for nobody in particular", set("aud", []string{"commons", "another"}))
	attack("a token of another issuer", set("iss", "https://evil.example"))
	attack("a token that has expired", set("exp", time.Now().Add(-time.Hour).Unix()))
	attack("a token about nobody", set("sub", ""))
	attack("a token about an endless subject", set("sub", strings.Repeat("s", 256)))
	attack("a token with the access token of another", set("at_hash", "AAAAAAAAAAAAAAAAAAAAAA"))
	// signature signs the id token in another way.
	signature := func(sign func(p *impostor, claims []byte) string) func(*apitest.World, *impostor, *clock, *person) int {
		return func(_ *apitest.World, p *impostor, _ *clock, b *person) int {
			p.sign = func(claims []byte) string { return sign(p, claims) }
			status, _, _ := comeIn(b, p)
			return status
		}
	}
	attack("a token that nobody signed", signature(func(_ *impostor, claims []byte) string {
		return base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"none"}`)) + "." + base64.RawURLEncoding.EncodeToString(claims) + "."
	}))
	attack("a token signed with the client's secret", signature(func(_ *impostor, claims []byte) string {
		return signed(jose.HS256, []byte(strings.Repeat(clientSecret, 2)), claims)
	}))
	attack("a token signed with the public key as a secret", signature(func(p *impostor, claims []byte) string {
		public, _ := p.key.PublicKey.Bytes()
		return signed(jose.HS256, public, claims)
	}))
	attack("a token signed by a stranger", signature(func(_ *impostor, claims []byte) string {
		key, _ := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		return signed(jose.ES256, key, claims)
	}))
	attack("no token", signature(func(*impostor, []byte) string { return "" }))

	t.Run("an answer that comes twice, even with the attempt kept from before", func(t *testing.T) {
		withProvider(t, func(w *apitest.World, p *impostor, _ *clock) {
			ada := w.Member("ada")
			p.become("subject-1", email(ada), true)
			b, thief := browserOf(w), browserOf(w)
			location := b.begin("/auth/oidc")
			kept := b.attempt()
			u := p.approve(w.T, location)
			if b.back(u); b.who() != ada.Handle {
				w.T.Fatalf("signed in as %q", b.who())
			}
			thief.plant(kept.Name, kept.Value)
			p.approve(w.T, location) // the provider would take the code again
			if status, _, _ := thief.back(u); status != http.StatusBadRequest || thief.who() != "" {
				w.T.Errorf("%d, signed in as %q", status, thief.who())
			}
		})
	})
	t.Run("a way back that leads elsewhere leads to the first page", func(t *testing.T) {
		withProvider(t, func(w *apitest.World, p *impostor, _ *clock) {
			ada := w.Member("ada")
			p.become("subject-1", email(ada), true)
			for _, next := range []string{"https://evil.example", "//evil.example", `/\evil.example`, `\\evil.example`, "/\t/evil.example", "evil.example", "javascript:alert(1)", "/\r\nLocation: https://evil.example", "///evil.example", ""} {
				b := browserOf(w)
				if status, location, _ := b.back(p.approve(w.T, b.begin("/auth/oidc?next="+url.QueryEscape(next)))); status != http.StatusSeeOther || location != "/" {
					w.T.Errorf("%q: %d to %q", next, status, location)
				}
			}
		})
	})
}

func TestOpenIDKeepsSecrets(t *testing.T) {
	t.Parallel()
	p := newImpostor(t)
	logs := new(locked)
	w := apitest.Serve(t, database.SQLite(t), apitest.PublicURL("https://commons.example"), apitest.Log(logs),
		apitest.OpenID(openid.Config{Issuer: p.URL, ClientID: "commons", ClientSecret: clientSecret, Label: "Example Health"}))
	b := browserOf(w)
	resp, _ := b.ask(http.MethodGet, "/auth/oidc", "", "Host", "evil.example")
	set := resp.Header.Get("Set-Cookie")
	for _, want := range []string{"__Host-commons-openid=", "; Path=/", "; Max-Age=600", "; HttpOnly", "; Secure", "; SameSite=Lax"} {
		if !strings.Contains(set, want) {
			t.Errorf("%s lacks %s", set, want)
		}
	}
	u, err := url.Parse(resp.Header.Get("Location"))
	if err != nil {
		t.Fatal(err)
	}
	if back := u.Query().Get("redirect_uri"); back != "https://commons.example/auth/oidc/callback" {
		t.Errorf("the way back is %s", back)
	}
	b.ask(http.MethodGet, "/auth/oidc/callback?code=verysecretcode&state="+u.Query().Get("state"), "")
	if err := w.Stop(); err != nil {
		t.Fatal(err)
	}
	text := logs.b.String()
	if !strings.Contains(text, "/auth/oidc") {
		t.Fatal("the log is empty")
	}
	for _, secret := range []string{clientSecret, "verysecretcode", u.Query().Get("state"), u.Query().Get("nonce")} {
		if strings.Contains(text, secret) {
			t.Errorf("the log has %s", secret)
		}
	}
}
