// Package openid asks an OpenID provider who somebody is: the authorization code flow of OpenID Connect Core 1.0 with PKCE
// (RFC 7636), state and nonce. It knows no members; what an identity is good for is internal/account's to say.
package openid

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"github.com/pursuing-equity/commons/internal/fault"
)

const (
	// askLimit is for one exchange with the provider.
	askLimit = 10 * time.Second
	// answerSize is the most that is read of an answer of the provider.
	answerSize = 1 << 20
	// metadataLasts is how old what the provider says of itself gets. Its keys are looked up whenever a token is signed by an unknown one.
	metadataLasts = time.Hour
	// rest is for how long a provider that did not answer is not asked again: nobody waits in a line for what will not come.
	rest = 3 * time.Second
)

// Config is where the provider is and how it knows us.
type Config struct {
	Issuer       string // https, but on this machine
	ClientID     string
	ClientSecret string
	Label        string // what people call it
	RedirectURL  string // where it sends people back to
	Now          func() time.Time
}

// Provider is an OpenID provider. It is first asked when somebody signs in, and again whenever it did not answer.
type Provider struct {
	cfg    Config
	client *http.Client

	mu       sync.Mutex
	metadata *metadata // nil: not known yet
	failed   time.Time // when it last did not answer
	failure  error
}

// metadata is what the provider says of itself.
type metadata struct {
	provider *oidc.Provider
	saysIss  bool // RFC 9207: its answers name it
	read     time.Time
}

// New makes a provider, or names the setting that is wrong. It does not ask it anything.
func New(cfg Config) (*Provider, error) {
	if err := CheckIssuer(cfg.Issuer); err != nil {
		return nil, err
	}
	if cfg.ClientID == "" {
		return nil, errors.New("the client id is missing")
	}
	return &Provider{cfg: cfg, client: &http.Client{Timeout: askLimit, Transport: bounded{http.DefaultTransport}}}, nil
}

// CheckIssuer tells what is wrong with an issuer's URL.
func CheckIssuer(issuer string) error {
	u, err := url.Parse(issuer)
	if err != nil || u.Host == "" || u.RawQuery != "" || u.Fragment != "" || u.User != nil {
		return errors.New("must be an https URL without a query")
	}
	ip := net.ParseIP(u.Hostname())
	if u.Scheme != "https" && (u.Scheme != "http" || u.Hostname() != "localhost" && (ip == nil || !ip.IsLoopback())) {
		return errors.New("must be an https URL; http is for a provider on this machine")
	}
	return nil
}

// Label is what people call the provider.
func (p *Provider) Label() string { return p.cfg.Label }

// Issuer is the provider's own name.
func (p *Provider) Issuer() string { return p.cfg.Issuer }

// Attempt is a sign-in that was begun. It belongs into the browser that began it and is a secret: who has it can end it.
type Attempt struct {
	State    string    `json:"state"`
	Nonce    string    `json:"nonce"`
	Verifier string    `json:"verifier"`
	Until    time.Time `json:"until"`
	// Return is the page to go to in the end.
	Return string `json:"return,omitempty"`
	// Session is the one whose member links the identity to the account; empty: the identity signs in.
	Session string `json:"session,omitempty"`
}

// attemptLasts is how long somebody may take at the provider.
const attemptLasts = 10 * time.Minute

// Identity is what the provider says of a person. Issuer and Subject together stay theirs for ever; the mail address may change
// and may one day be another's.
type Identity struct {
	Issuer, Subject string
	Email           string // lower case; empty when the provider does not vouch for one
}

// Begin begins a sign-in: the browser goes to the location and brings back an answer to the attempt.
func (p *Provider) Begin(ctx context.Context) (location string, a Attempt, err error) {
	m, err := p.ask(ctx)
	if err != nil {
		return "", a, err
	}
	a = Attempt{State: random(), Nonce: random(), Verifier: oauth2.GenerateVerifier(), Until: p.cfg.Now().Add(attemptLasts)}
	return p.oauth(m).AuthCodeURL(a.State, oidc.Nonce(a.Nonce), oauth2.S256ChallengeOption(a.Verifier)), a, nil
}

// Errors of an answer. Whatever it is, the person can only begin again.
var (
	ErrAnswer  = errors.New("the answer is none to this attempt")
	ErrRefused = errors.New("the provider did not sign the person in")
)

// Finish reads the provider's answer, the query of the redirect, and asks it who the person is. It returns ErrAnswer for what is
// forged, late, of another provider or of another attempt, ErrRefused where the provider says no, and UNAVAILABLE when it does
// not answer.
func (p *Provider) Finish(ctx context.Context, a Attempt, answer url.Values) (Identity, error) {
	for _, name := range []string{"state", "code", "iss", "error"} {
		if len(answer[name]) > 1 {
			return Identity{}, fmt.Errorf("%w: %s twice", ErrAnswer, name)
		}
	}
	if a.State == "" || subtle.ConstantTimeCompare([]byte(answer.Get("state")), []byte(a.State)) != 1 || !p.cfg.Now().Before(a.Until) {
		return Identity{}, fmt.Errorf("%w: state", ErrAnswer)
	}
	m, err := p.ask(ctx)
	if err != nil {
		return Identity{}, err
	}
	if iss := answer.Get("iss"); iss != "" && iss != p.cfg.Issuer || iss == "" && m.saysIss {
		return Identity{}, fmt.Errorf("%w: issuer", ErrAnswer)
	}
	if answer.Get("error") != "" {
		return Identity{}, ErrRefused // what it says more is for nobody's eyes: anybody can write it into a link
	}
	if answer.Get("code") == "" {
		return Identity{}, fmt.Errorf("%w: no code", ErrAnswer)
	}
	ctx, cancel := context.WithTimeout(oidc.ClientContext(ctx, p.client), askLimit)
	defer cancel()
	token, err := p.oauth(m).Exchange(ctx, answer.Get("code"), oauth2.VerifierOption(a.Verifier))
	if err != nil {
		if refused, ok := errors.AsType[*oauth2.RetrieveError](err); ok && refused.Response.StatusCode < 500 {
			return Identity{}, fmt.Errorf("%w: the code is not good: %s", ErrAnswer, refused.ErrorCode)
		}
		return Identity{}, away(err)
	}
	return p.identity(ctx, m, token, a.Nonce)
}

// identity reads the id token. It came straight from the provider, and is checked all the same: signature by an asymmetric key of
// the provider, issuer, audience, expiry and nonce.
func (p *Provider) identity(ctx context.Context, m *metadata, token *oauth2.Token, nonce string) (Identity, error) {
	raw, ok := token.Extra("id_token").(string)
	if !ok {
		return Identity{}, fmt.Errorf("%w: no id token", ErrAnswer)
	}
	id, err := m.provider.Verifier(&oidc.Config{ClientID: p.cfg.ClientID, Now: p.cfg.Now}).Verify(ctx, raw)
	if err != nil {
		return Identity{}, fmt.Errorf("%w: %w", ErrAnswer, err)
	}
	var claims struct {
		AuthorizedParty string `json:"azp"`
		email
	}
	if err := id.Claims(&claims); err != nil {
		return Identity{}, fmt.Errorf("%w: %w", ErrAnswer, err)
	}
	switch {
	case subtle.ConstantTimeCompare([]byte(id.Nonce), []byte(nonce)) != 1:
		return Identity{}, fmt.Errorf("%w: nonce", ErrAnswer)
	case len(id.Audience) > 1 && claims.AuthorizedParty != p.cfg.ClientID, claims.AuthorizedParty != "" && claims.AuthorizedParty != p.cfg.ClientID:
		return Identity{}, fmt.Errorf("%w: the token was made for %q", ErrAnswer, claims.AuthorizedParty)
	case id.Subject == "" || len(id.Subject) > 255 || !plain(id.Subject): // the specification allows no others
		return Identity{}, fmt.Errorf("%w: subject", ErrAnswer)
	}
	if id.AccessTokenHash != "" {
		if err := id.VerifyAccessToken(token.AccessToken); err != nil {
			return Identity{}, fmt.Errorf("%w: %w", ErrAnswer, err)
		}
	}
	who := Identity{Issuer: id.Issuer, Subject: id.Subject, Email: claims.verified()}
	if claims.Email == "" && m.provider.UserInfoEndpoint() != "" {
		info, err := m.provider.UserInfo(ctx, oauth2.StaticTokenSource(token))
		if err != nil {
			return Identity{}, away(err)
		}
		if info.Subject != id.Subject {
			return Identity{}, fmt.Errorf("%w: what it tells is of somebody else", ErrAnswer)
		}
		var more email
		if err := info.Claims(&more); err != nil {
			return Identity{}, fmt.Errorf("%w: %w", ErrAnswer, err)
		}
		who.Email = more.verified()
	}
	return who, nil
}

// email is what the provider says of the person's mail address. Some write the truth as a text.
type email struct {
	Email    string `json:"email"`
	Verified any    `json:"email_verified"`
}

// verified is the address if the provider vouches for it. One that is not plain ASCII is left out: there are letters, such as the
// Kelvin sign, whose small form is in ASCII, so that two people's addresses would be one.
func (e email) verified() string {
	if e.Verified != true && e.Verified != "true" || len(e.Email) > 254 || !plain(e.Email) {
		return ""
	}
	return strings.ToLower(e.Email)
}

// plain reports whether a text has printable ASCII characters only.
func plain(text string) bool {
	return !strings.ContainsFunc(text, func(r rune) bool { return r < ' ' || r > '~' })
}

func (p *Provider) oauth(m *metadata) *oauth2.Config {
	return &oauth2.Config{
		ClientID: p.cfg.ClientID, ClientSecret: p.cfg.ClientSecret, Endpoint: m.provider.Endpoint(),
		RedirectURL: p.cfg.RedirectURL, Scopes: []string{oidc.ScopeOpenID, "email"},
	}
}

// ask returns what the provider says of itself, and asks it when that is not known or old. What is old is better than nothing.
func (p *Provider) ask(ctx context.Context) (*metadata, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := p.cfg.Now()
	if p.metadata != nil && now.Sub(p.metadata.read) < metadataLasts {
		return p.metadata, nil
	}
	if p.failure == nil || now.Sub(p.failed) >= rest {
		var m *metadata
		if m, p.failure = p.read(ctx); p.failure == nil {
			m.read = now
			p.metadata = m
		}
		p.failed = now
	}
	if p.metadata == nil {
		return nil, away(p.failure)
	}
	return p.metadata, nil
}

func (p *Provider) read(ctx context.Context) (*metadata, error) {
	// The library keeps the context for the keys that it reads later.
	provider, err := oidc.NewProvider(oidc.ClientContext(context.WithoutCancel(ctx), p.client), p.cfg.Issuer)
	if err != nil {
		return nil, err
	}
	var more struct {
		SaysIss bool     `json:"authorization_response_iss_parameter_supported"`
		PKCE    []string `json:"code_challenge_methods_supported"`
	}
	if err := provider.Claims(&more); err != nil {
		return nil, err
	}
	if len(more.PKCE) > 0 && !slices.Contains(more.PKCE, "S256") {
		return nil, errors.New("it does not know S256")
	}
	return &metadata{provider: provider, saysIss: more.SaysIss}, nil
}

func away(cause error) error {
	return fault.New(fault.Unavailable, "The sign-in service does not answer. Try again in a moment.").Because(fmt.Errorf("ask the OpenID provider: %w", cause))
}

func random() string {
	b := make([]byte, 32)
	_, _ = rand.Read(b) // never fails
	return base64.RawURLEncoding.EncodeToString(b)
}

// bounded reads no more of an answer than an honest one has.
type bounded struct{ http.RoundTripper }

func (b bounded) RoundTrip(r *http.Request) (*http.Response, error) {
	answer, err := b.RoundTripper.RoundTrip(r)
	if err == nil {
		answer.Body = struct {
			io.Reader
			io.Closer
		}{io.LimitReader(answer.Body, answerSize), answer.Body}
	}
	return answer, err
}
