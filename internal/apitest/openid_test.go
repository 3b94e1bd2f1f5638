package apitest_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/pursuing-equity/commons/ent"
	"github.com/pursuing-equity/commons/ent/auditentry"
	entmail "github.com/pursuing-equity/commons/ent/mail"
	"github.com/pursuing-equity/commons/internal/account"
	"github.com/pursuing-equity/commons/internal/apitest"
	"github.com/pursuing-equity/commons/internal/apitest/database"
	"github.com/pursuing-equity/commons/internal/audit"
	"github.com/pursuing-equity/commons/internal/gid"
	"github.com/pursuing-equity/commons/internal/openid"
)

// impostor is an OpenID provider that does as it is told, right or wrong. It is honest about codes, PKCE and its clients.
type impostor struct {
	*httptest.Server
	key *ecdsa.PrivateKey

	mu      sync.Mutex
	codes   map[string]url.Values // what each code was asked for with
	person  map[string]any        // claims of who is signed in there
	token   func(claims map[string]any)
	sign    func(claims []byte) string // nil: rightly
	saysIss bool
	silent  bool // does not answer
	info    map[string]any
}

const clientSecret = "the client's secret"

func newImpostor(t *testing.T) *impostor {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	p := &impostor{key: key, codes: map[string]url.Values{}, person: map[string]any{}}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /.well-known/openid-configuration", func(w http.ResponseWriter, _ *http.Request) {
		p.answer(w, map[string]any{
			"issuer": p.URL, "authorization_endpoint": p.URL + "/authorize", "token_endpoint": p.URL + "/token", "jwks_uri": p.URL + "/keys",
			"userinfo_endpoint": p.URL + "/info", "response_types_supported": []string{"code"}, "subject_types_supported": []string{"public"},
			"id_token_signing_alg_values_supported": []string{"ES256", "HS256", "none"}, "code_challenge_methods_supported": []string{"S256"},
			"authorization_response_iss_parameter_supported": p.saysIss,
		})
	})
	mux.HandleFunc("GET /keys", func(w http.ResponseWriter, _ *http.Request) {
		p.answer(w, jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: key.Public(), KeyID: "1", Algorithm: "ES256", Use: "sig"}}})
	})
	mux.HandleFunc("GET /info", func(w http.ResponseWriter, _ *http.Request) { p.answer(w, p.info) })
	mux.HandleFunc("POST /token", p.exchange)
	p.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p.mu.Lock()
		silent := p.silent
		p.mu.Unlock()
		if silent {
			w.WriteHeader(http.StatusBadGateway)
			return
		}
		mux.ServeHTTP(w, r)
	}))
	t.Cleanup(p.Close)
	return p
}

func (p *impostor) answer(w http.ResponseWriter, body any) {
	w.Header().Set("Content-Type", "application/json")
	if err := json.NewEncoder(w).Encode(body); err != nil {
		panic(err)
	}
}

func (p *impostor) exchange(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	defer p.mu.Unlock()
	id, secret, _ := r.BasicAuth()
	asked, known := p.codes[r.FormValue("code")]
	delete(p.codes, r.FormValue("code"))
	challenge := sha256.Sum256([]byte(r.FormValue("code_verifier")))
	if secret, _ = url.QueryUnescape(secret); !known || id != "commons" || secret != clientSecret || r.FormValue("redirect_uri") != asked.Get("redirect_uri") ||
		base64.RawURLEncoding.EncodeToString(challenge[:]) != asked.Get("code_challenge") {
		w.WriteHeader(http.StatusBadRequest)
		p.answer(w, map[string]any{"error": "invalid_grant"})
		return
	}
	claims := map[string]any{"iss": p.URL, "aud": "commons", "nonce": asked.Get("nonce"), "iat": time.Now().Unix(), "exp": time.Now().Add(time.Hour).Unix()}
	maps.Copy(claims, p.person)
	if p.token != nil {
		p.token(claims)
	}
	text, err := json.Marshal(claims)
	if err != nil {
		panic(err)
	}
	sign := p.sign
	if sign == nil {
		sign = func(claims []byte) string { return signed(jose.ES256, p.key, claims) }
	}
	p.answer(w, map[string]any{"access_token": "opaque", "token_type": "Bearer", "id_token": sign(text)})
}

func signed(algorithm jose.SignatureAlgorithm, key any, claims []byte) string {
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: algorithm, Key: key}, (&jose.SignerOptions{}).WithHeader("kid", "1"))
	if err != nil {
		panic(err)
	}
	object, err := signer.Sign(claims)
	if err != nil {
		panic(err)
	}
	text, err := object.CompactSerialize()
	if err != nil {
		panic(err)
	}
	return text
}

// become makes somebody be signed in at the provider.
func (p *impostor) become(subject, address string, verified any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.person = map[string]any{"sub": subject, "email": address, "email_verified": verified}
	p.info = p.person
}

// approve is what the provider does when the person agrees: it sends the browser back to the returned URL.
func (p *impostor) approve(t *testing.T, location string) *url.URL {
	t.Helper()
	u, err := url.Parse(location)
	if err != nil || !strings.HasPrefix(location, p.URL+"/authorize?") {
		t.Fatalf("sent to %q: %v", location, err)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	asked := u.Query()
	if asked.Get("response_type") != "code" || asked.Get("code_challenge_method") != "S256" || len(asked.Get("state")) < 40 || len(asked.Get("nonce")) < 40 {
		t.Fatalf("asked %v", asked)
	}
	code := base64.RawURLEncoding.EncodeToString(sha256.New().Sum([]byte(asked.Get("state")))[:20])
	p.codes[code] = asked
	back, err := url.Parse(asked.Get("redirect_uri"))
	if err != nil {
		t.Fatal(err)
	}
	answer := url.Values{"code": {code}, "state": {asked.Get("state")}}
	if p.saysIss {
		answer.Set("iss", p.URL)
	}
	back.RawQuery = answer.Encode()
	return back
}

// person is somebody with a browser of their own.
type person struct {
	t    *testing.T
	base string
	http *http.Client
}

func browserOf(w *apitest.World) *person {
	jar, err := cookiejar.New(nil)
	if err != nil {
		w.T.Fatal(err)
	}
	return &person{t: w.T, base: w.URL, http: &http.Client{Timeout: 30 * time.Second, Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
}

// oidcReply is an answer whose body was read.
type oidcReply struct {
	StatusCode int
	Header     http.Header
}

func (b *person) ask(method, address, body string, headers ...string) (oidcReply, string) {
	b.t.Helper()
	if strings.HasPrefix(address, "/") {
		address = b.base + address
	}
	req, err := http.NewRequestWithContext(b.t.Context(), method, address, strings.NewReader(body))
	if err != nil {
		b.t.Fatal(err)
	}
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i+1 < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	resp, err := b.http.Do(req)
	if err != nil {
		b.t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	return oidcReply{resp.StatusCode, resp.Header}, string(text)
}

// begin goes to the provider.
func (b *person) begin(path string) string {
	b.t.Helper()
	resp, text := b.ask(http.MethodGet, path, "")
	if resp.StatusCode != http.StatusSeeOther {
		b.t.Fatalf("%d: %s", resp.StatusCode, text)
	}
	return resp.Header.Get("Location")
}

// back comes back from the provider and returns the status, where to go, and the page.
func (b *person) back(u *url.URL) (status int, location, page string) {
	b.t.Helper()
	resp, text := b.ask(http.MethodGet, u.String(), "")
	return resp.StatusCode, resp.Header.Get("Location"), text
}

// who is signed in: a handle, or nothing.
func (b *person) who() string {
	b.t.Helper()
	_, text := b.ask(http.MethodGet, "/auth/session", "")
	var answer struct {
		Member *struct{ Handle string }
	}
	if err := json.Unmarshal([]byte(text), &answer); err != nil {
		b.t.Fatalf("%v: %s", err, text)
	}
	if answer.Member == nil {
		return ""
	}
	return answer.Member.Handle
}

// attempt is the cookie of a sign-in that was begun.
func (b *person) attempt() *http.Cookie {
	u, _ := url.Parse(b.base)
	for _, c := range b.http.Jar.Cookies(u) {
		if c.Name == "commons-openid" {
			return c
		}
	}
	return nil
}

// plant puts a cookie into the browser, which speaks plain http.
func (b *person) plant(name, value string) {
	u, _ := url.Parse(b.base)
	b.http.Jar.SetCookies(u, []*http.Cookie{{Name: name, Value: value, Path: "/"}}) //nolint:gosec // a secure one is not sent over plain http
}

// withProvider runs a case with a provider of its own on each database.
func withProvider(t *testing.T, test func(w *apitest.World, p *impostor, c *clock)) {
	t.Helper()
	t.Parallel()
	database.Each(t, func(t *testing.T, databaseURL string) {
		p, c := newImpostor(t), new(clock)
		w := apitest.Serve(t, databaseURL, apitest.Clock(c.now), apitest.OpenID(openid.Config{Issuer: p.URL, ClientID: "commons", ClientSecret: clientSecret, Label: "Example Health"}))
		test(w, p, c)
	})
}

// comeIn goes the whole way.
func comeIn(b *person, p *impostor) (status int, location, page string) {
	b.t.Helper()
	return b.back(p.approve(b.t, b.begin("/auth/oidc")))
}

func identities(w *apitest.World) int {
	n, err := w.App.Store.Client(w.System()).Identity.Query().Count(w.System())
	if err != nil {
		w.T.Fatal(err)
	}
	return n
}

func TestOpenIDSignIn(t *testing.T) {
	t.Parallel()
	t.Run("a verified address recognises a member once, and then issuer and subject do", func(t *testing.T) {
		withProvider(t, func(w *apitest.World, p *impostor, _ *clock) {
			ada, ben := w.Member("ada"), w.Member("ben")
			b := browserOf(w)
			p.become("subject-1", strings.ToUpper(email(ada)), true)
			status, location, page := b.back(p.approve(w.T, b.begin("/auth/oidc?next=/%3Ftab%3D2")))
			if status != http.StatusSeeOther || location != "/?tab=2" || b.who() != ada.Handle {
				w.T.Fatalf("%d to %s, as %s: %s", status, location, b.who(), page)
			}
			client := w.App.Store.Client(w.System())
			mails, err := client.Mail.Query().Where(entmail.Address(email(ada)), entmail.Template(account.MailIdentityLinked)).Count(w.System())
			if err != nil || mails != 1 {
				w.T.Errorf("%d mails: %v", mails, err)
			}
			linked, err := client.AuditEntry.Query().Where(auditentry.ActorID(ada.ID), auditentry.Action(string(audit.IdentityLinked))).Count(w.System())
			if err != nil || linked != 1 {
				w.T.Errorf("%d entries: %v", linked, err)
			}
			// The address becomes somebody else's at the provider: the subject counts.
			again := browserOf(w)
			p.become("subject-1", email(ben), true)
			if comeIn(again, p); again.who() != ada.Handle {
				w.T.Errorf("signed in as %s", again.who())
			}
			other := browserOf(w)
			p.become("subject-2", email(ada), true)
			if status, _, _ := comeIn(other, p); status != http.StatusUnauthorized || other.who() != "" || identities(w) != 1 {
				w.T.Errorf("%d, signed in as %q", status, other.who())
			}
		})
	})
	t.Run("a provider may tell the address at its userinfo endpoint, of the same person only", func(t *testing.T) {
		withProvider(t, func(w *apitest.World, p *impostor, _ *clock) {
			ada := w.Member("ada")
			p.person = map[string]any{"sub": "subject-1"}
			p.info = map[string]any{"sub": "subject-2", "email": email(ada), "email_verified": true}
			b := browserOf(w)
			if status, _, _ := comeIn(b, p); status != http.StatusBadRequest || b.who() != "" {
				w.T.Errorf("%d, signed in as %q", status, b.who())
			}
			p.info["sub"] = "subject-1"
			if comeIn(b, p); b.who() != ada.Handle {
				w.T.Errorf("signed in as %q", b.who())
			}
		})
	})
	t.Run("nobody is recognised without a verified address, nobody becomes a member, and the page does not say why", func(t *testing.T) {
		withProvider(t, func(w *apitest.World, p *impostor, _ *clock) {
			ada, gone, kim := w.Member("ada"), w.Member("gone"), w.Member("kim")
			if err := w.Change(func(ctx context.Context, tx *ent.Client) error {
				if err := tx.Identity.Create().SetID(w.NewID(gid.Identity)).SetCreatedAt(w.App.Config.Now()).SetMemberID(gone.ID).SetIssuer(p.URL).SetSubject("gone").Exec(ctx); err != nil {
					return err
				}
				return tx.Member.UpdateOneID(gone.ID).SetSuspendedUntil(w.App.Config.Now().Add(time.Hour)).Exec(ctx)
			}); err != nil {
				w.T.Fatal(err)
			}
			before := w.App.Store.Client(w.System()).Member.Query().CountX(w.System())
			first := ""
			for _, who := range []struct {
				subject, email string
				verified       any
			}{
				{"s", "nobody@example.org", true}, {"s", email(ada), false}, {"s", email(ada), nil}, {"s", email(ada), "yes"}, {"s", email(ada), 1}, {"s", "", true},
				{"gone", email(gone), true}, {"s", email(gone), true}, {"s", email(ada) + "\x00", true}, {"s", strings.Replace(email(kim), "k", "\u212a", 1), true},
			} {
				p.become(who.subject, who.email, who.verified)
				b := browserOf(w)
				status, _, page := comeIn(b, p)
				if first == "" {
					first = page
				}
				if status != http.StatusUnauthorized || b.who() != "" || page != first {
					w.T.Errorf("%v: %d, signed in as %q: %s", who, status, b.who(), page)
				}
			}
			after := w.App.Store.Client(w.System()).Member.Query().CountX(w.System())
			if after != before || identities(w) != 1 {
				w.T.Errorf("%d members more, %d identities", after-before, identities(w))
			}
		})
	})
	t.Run("two who come at once for the first time are one identity", func(t *testing.T) {
		withProvider(t, func(w *apitest.World, p *impostor, _ *clock) {
			ada := w.Member("ada")
			p.become("subject-1", email(ada), true)
			var all sync.WaitGroup
			for range 8 {
				b := browserOf(w)
				u := p.approve(w.T, b.begin("/auth/oidc"))
				all.Go(func() {
					if status, _, page := b.back(u); status != http.StatusSeeOther {
						w.T.Errorf("%d: %s", status, page)
					}
				})
			}
			all.Wait()
			if n := identities(w); n != 1 {
				w.T.Errorf("%d identities", n)
			}
		})
	})
	t.Run("a provider that is away stops nothing, and is asked again", func(t *testing.T) {
		withProvider(t, func(w *apitest.World, p *impostor, c *clock) {
			ada := w.Member("ada")
			p.become("subject-1", email(ada), true)
			p.silent = true
			b := browserOf(w)
			if resp, page := b.ask(http.MethodGet, "/auth/oidc", ""); resp.StatusCode != http.StatusServiceUnavailable || !strings.Contains(page, "/sign-in") {
				w.T.Errorf("%d: %s", resp.StatusCode, page)
			}
			if resp, _ := b.ask(http.MethodGet, "/sign-in", ""); resp.StatusCode != http.StatusOK {
				w.T.Errorf("the sign-in page: %d", resp.StatusCode)
			}
			p.mu.Lock()
			p.silent = false
			p.mu.Unlock()
			c.add(5 * time.Second)
			if comeIn(b, p); b.who() != ada.Handle {
				w.T.Errorf("signed in as %q", b.who())
			}
		})
	})
}

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

func TestConnectIdentity(t *testing.T) {
	t.Parallel()
	connect := func(b *person, headers ...string) (int, string) {
		resp, text := b.ask(http.MethodPost, "/auth/oidc/connect", "{}", headers...)
		var answer struct{ Location string }
		_ = json.Unmarshal([]byte(text), &answer)
		return resp.StatusCode, answer.Location
	}
	const mine = `{ account { identities { id issuer subject createdAt } } }`
	signedIn := func(w *apitest.World, p *apitest.Person) (*person, *apitest.Client) {
		c, b := w.SignedIn(p), browserOf(w)
		b.plant("commons", c.Cookie())
		return b, c
	}
	t.Run("who is signed in connects an identity, whatever its address, and removes it for good", func(t *testing.T) {
		withProvider(t, func(w *apitest.World, p *impostor, _ *clock) {
			ada := w.Member("ada")
			b, c := signedIn(w, ada)
			p.become("subject-1", "ada@work.example", false)
			status, location := connect(b)
			if status != http.StatusOK {
				w.T.Fatal(status)
			}
			if status, to, page := b.back(p.approve(w.T, location)); status != http.StatusSeeOther || to != "/sign-in" {
				w.T.Fatalf("%d to %s: %s", status, to, page)
			}
			other := browserOf(w)
			if comeIn(other, p); other.who() != ada.Handle {
				w.T.Fatalf("signed in as %q", other.who())
			}
			id, _ := c.Must(mine, nil).At("account.identities.0.id").(string)
			removed := c.Must(`mutation($id: ID!) { unlinkIdentity(input: {identityId: $id}) { account { identities { id } } errors { code } } }`, vars{"id": id})
			if got := fmt.Sprint(removed.At("unlinkIdentity")); got != "map[account:map[identities:[]] errors:[]]" {
				w.T.Error(got)
			}
			p.become("subject-1", email(ada), true)
			again := browserOf(w)
			if status, _, _ := comeIn(again, p); status != http.StatusUnauthorized || again.who() != "" {
				w.T.Errorf("%d, signed in as %q with an identity that was removed", status, again.who())
			}
		})
	})
	t.Run("it needs a session, the same one from beginning to end, and no other site's page can begin it", func(t *testing.T) {
		withProvider(t, func(w *apitest.World, p *impostor, _ *clock) {
			ada, mallory := w.Member("ada"), w.Member("mallory")
			if status, _ := connect(browserOf(w)); status != http.StatusUnauthorized {
				w.T.Errorf("a visitor: %d", status)
			}
			if status, _ := connect(browserOf(w), "Authorization", "Bearer "+ada.Token()); status != http.StatusForbidden {
				w.T.Errorf("a program: %d", status)
			}
			b, _ := signedIn(w, ada)
			if status, _ := connect(b, "Sec-Fetch-Site", "cross-site"); status != http.StatusForbidden {
				w.T.Errorf("another site's page: %d", status)
			}
			// Mallory begins, and plants the attempt into Ada's browser.
			m, _ := signedIn(w, mallory)
			p.become("mallory", email(mallory), true)
			_, location := connect(m)
			b.plant("commons-openid", m.attempt().Value)
			if status, _, _ := b.back(p.approve(w.T, location)); status != http.StatusBadRequest || identities(w) != 0 {
				w.T.Errorf("%d, %d identities", status, identities(w))
			}
		})
	})
	t.Run("an identity signs one member in, and a member has one of each provider", func(t *testing.T) {
		withProvider(t, func(w *apitest.World, p *impostor, _ *clock) {
			ada, ben := w.Member("ada"), w.Member("ben")
			a, client := signedIn(w, ada)
			b, stranger := signedIn(w, ben)
			p.become("subject-1", "", false)
			_, location := connect(a)
			a.back(p.approve(w.T, location))
			_, location = connect(b)
			if status, _, _ := b.back(p.approve(w.T, location)); status != http.StatusConflict {
				w.T.Errorf("another's: %d", status)
			}
			_, location = connect(a)
			if status, _, _ := a.back(p.approve(w.T, location)); status != http.StatusSeeOther {
				w.T.Errorf("the same again: %d", status)
			}
			p.become("subject-2", "", false)
			_, location = connect(a)
			if status, _, _ := a.back(p.approve(w.T, location)); status != http.StatusConflict || identities(w) != 1 {
				w.T.Errorf("a second one: %d", status)
			}
			id := client.Must(mine, nil).At("account.identities.0.id")
			got := stranger.Do(`mutation($id: ID!) { unlinkIdentity(input: {identityId: $id}) { errors { code } } }`, vars{"id": id}).At("unlinkIdentity.errors.0.code")
			if got != "NOT_FOUND" || identities(w) != 1 {
				w.T.Errorf("a stranger's removal: %v", got)
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
