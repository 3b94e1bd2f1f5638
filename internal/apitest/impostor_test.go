package apitest_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
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

	"github.com/pursuing-equity/commons/internal/apitest"
	"github.com/pursuing-equity/commons/internal/apitest/database"
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
