package server

import (
	"context"
	"crypto/sha256"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/pursuing-equity/commons/internal/fault"
	"github.com/pursuing-equity/commons/internal/viewer"
)

// Cookie holds the secret of a browser's session. Scripts cannot read it, and other sites' pages cannot send it but by a plain link.
// Under https the prefix __Host- makes browsers keep it to this very host: no page of a sister domain can plant one.
type Cookie struct{ secure bool }

// NewCookie makes the cookie that fits the URL where browsers find us; without one it is that of plain http.
func NewCookie(publicURL string) Cookie {
	return Cookie{secure: strings.HasPrefix(strings.ToLower(publicURL), "https://")}
}

func (c Cookie) name() string {
	if c.secure {
		return "__Host-commons"
	}
	return "commons"
}

// Set gives the browser a secret to keep.
func (c Cookie) Set(w http.ResponseWriter, secret string, lasts time.Duration) {
	c.put(w, secret, max(1, int(lasts.Seconds())))
}

// Clear makes the browser forget.
func (c Cookie) Clear(w http.ResponseWriter) { c.put(w, "", -1) }

// put replaces what the answer said about the cookie before: an old one was cleared, and then somebody signed in.
func (c Cookie) put(w http.ResponseWriter, value string, maxAge int) {
	h := w.Header()
	h["Set-Cookie"] = slices.DeleteFunc(h["Set-Cookie"], func(line string) bool { return strings.HasPrefix(line, c.name()+"=") })
	//nolint:gosec // Secure is on under https; browsers would not keep such a cookie under plain http
	http.SetCookie(w, &http.Cookie{Name: c.name(), Value: value, Path: "/", MaxAge: maxAge, Secure: c.secure, HttpOnly: true, SameSite: http.SameSiteLaxMode})
}

// sent is the secret that a request brings. Of two cookies of the name one was planted: then neither counts, and found is true.
func (c Cookie) sent(r *http.Request) (secret string, found bool) {
	switch cookies := r.CookiesNamed(c.name()); len(cookies) {
	case 0:
		return "", false
	case 1:
		return cookies[0].Value, true
	default:
		return "", true
	}
}

// signIn says who sends a request: by its Authorization header, which must be right if it is there, or else by the cookie of a
// session. A cookie that signs nobody in, because it is old, stolen or made up, makes a visitor and is cleared. One that is due
// for it gets a new secret.
func (s *Server) signIn(w http.ResponseWriter, r *http.Request) (Session, error) {
	address := recordOf(r.Context()).address
	headers := r.Header.Values("Authorization")
	secret, found := s.cookie.sent(r)
	if len(headers) > 0 || !found || s.cfg.Resume == nil {
		return s.authenticate(r.Context(), headers, address)
	}
	session, err := s.check(r.Context(), "cookie", secret, func(ctx context.Context) (Session, error) { return s.cfg.Resume(ctx, secret, address) })
	if fault.Is(err, fault.Unauthenticated) {
		s.cookie.Clear(w)
		return Session{Viewer: viewer.Anonymous()}, nil
	}
	if err == nil && session.Secret != "" {
		s.cookie.Set(w, session.Secret, session.Lasts)
	}
	return session, err
}

// check asks who a secret signs in, within its time, unless that is known from a moment ago.
func (s *Server) check(ctx context.Context, way, secret string, look func(context.Context) (Session, error)) (Session, error) {
	ctx, cancel := context.WithTimeout(ctx, authTimeout)
	defer cancel()
	before := s.accessChanges()
	hash := sha256.Sum256([]byte(way + " " + secret)) // what is good in one place is not in the other
	session, changes, known := s.recent.find(hash)
	var err error
	if !known {
		session, err = look(ctx)
		session.changes = before
		if err == nil && session.Secret == "" {
			s.recent.put(hash, session, changes)
		}
	}
	if err == nil && !session.Expires.IsZero() && !session.Expires.After(s.cfg.Now()) {
		err = sessionExpired()
	}
	session.noRole, session.Viewer = session.noRole || session.Viewer.HoldsNoRole(), session.Viewer.Lasting()
	return session, err
}

// cookieWithoutOrigin reports whether a request would be signed in by a cookie and does not say which page it comes from. Every
// browser says so when it opens a websocket, for which it applies no rule of its own.
func (s *Server) cookieWithoutOrigin(r *http.Request) bool {
	_, found := s.cookie.sent(r)
	return found && r.Header.Get("Origin") == "" && r.Header.Get("Authorization") == ""
}
