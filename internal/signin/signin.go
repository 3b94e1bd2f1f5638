// Package signin serves what people sign in by: endpoints under /auth/ that take and give JSON, for any front end, and small pages
// under /sign-in that use them, for when there is none and for the links in mail. The rules are internal/account's.
package signin

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"mime"
	"net/http"
	"strings"
	"time"

	jsonv2 "github.com/go-json-experiment/json"

	"github.com/pursuing-equity/commons/internal/account"
	"github.com/pursuing-equity/commons/internal/fault"
	"github.com/pursuing-equity/commons/internal/gid"
	"github.com/pursuing-equity/commons/internal/openid"
	"github.com/pursuing-equity/commons/internal/viewer"
)

// Config is what the endpoints need. All fields but OpenID are needed.
type Config struct {
	Accounts *account.Service
	// SetCookie gives the browser a session's secret, and ClearCookie takes it away.
	SetCookie   func(w http.ResponseWriter, secret string, lasts time.Duration)
	ClearCookie func(w http.ResponseWriter)
	Now         func() time.Time
	// OpenID is a provider that members can also sign in with. Nil: none.
	OpenID *openid.Provider
}

// Page is an endpoint of plain HTTP, as internal/server has it.
type Page = func(w http.ResponseWriter, r *http.Request, v viewer.Viewer) error

// Limits of a request: a body in bytes, and the time to send it.
const (
	mostBody = 4 << 10
	bodyTime = 10 * time.Second
)

// Pages are all endpoints, by the patterns of http.ServeMux.
func Pages(c Config) map[string]Page {
	pages := map[string]Page{
		"GET /auth/session":             c.session,
		"POST /auth/sign-in":            c.signIn,
		"POST /auth/sign-out":           c.signOut,
		"POST /auth/link":               c.link,
		"POST /auth/link/confirm":       c.linkConfirm,
		"POST /auth/password":           c.password,
		"POST /auth/reset":              c.reset,
		"POST /auth/reset/confirm":      c.resetConfirm,
		"POST /auth/email":              c.email,
		"POST /auth/email/confirm":      c.emailConfirm,
		"POST /auth/invitation/confirm": c.invitationConfirm,
		"POST /auth/sign-up":            c.signUp,
		"POST /auth/sign-up/confirm":    c.signUpConfirm,
	}
	if c.OpenID != nil {
		pages["GET /auth/oidc"] = c.beginOpenID
		pages["POST /auth/oidc/connect"] = c.connectOpenID
		pages["GET "+OpenIDCallback] = c.endOpenID
	}
	maps.Copy(pages, c.html())
	return pages
}

// read reads the body, which must be strict JSON (RFC 8259 with unique names, as RFC 7493 asks) and an object with no other members
// than the value has. A form of another site cannot send that type.
func (c Config) read(w http.ResponseWriter, r *http.Request, value any) error {
	media, params, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	charset := params["charset"]
	if err != nil || media != "application/json" || charset != "" && !strings.EqualFold(charset, "utf-8") || r.Header.Get("Content-Encoding") != "" {
		return fault.New(fault.UnsupportedMediaType, "Send Content-Type: application/json, in UTF-8 and without a Content-Encoding.")
	}
	control := http.NewResponseController(w)
	_ = control.SetReadDeadline(c.Now().Add(bodyTime)) // tests' recorders have no deadlines
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, mostBody))
	if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return fault.New(fault.PayloadTooLarge, "The body is larger than %d bytes.", mostBody)
	}
	if err != nil {
		return fault.New(fault.BadRequest, "The body could not be read.").Because(err)
	}
	_ = control.SetReadDeadline(time.Time{})
	// What was wrong is not said, nor kept as a cause: it could quote the body.
	if err := jsonv2.Unmarshal(body, value, jsonv2.RejectUnknownMembers(true)); err != nil || strings.Contains(string(body), `\u0000`) {
		return fault.New(fault.BadRequest, "The body is not the JSON object that this endpoint takes.")
	}
	return nil
}

// write answers with JSON.
func write(w http.ResponseWriter, status int, value any) error {
	body, err := json.Marshal(value)
	if err != nil {
		return fmt.Errorf("write JSON: %w", err)
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	_, err = w.Write(append(body, '\n'))
	return err
}

// accepted is the one answer to who asks for a mail: it does not say whether there will be one.
func accepted(w http.ResponseWriter) error {
	return write(w, http.StatusAccepted, map[string]string{"message": "If an account has this address, a mail is on its way."})
}

func done(w http.ResponseWriter) error {
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// signedIn is what GET /auth/session shows, and what signing in returns.
type signedIn struct {
	Member    *person    `json:"member"` // null: nobody signed in
	With      string     `json:"with,omitempty"`
	ExpiresAt *time.Time `json:"expiresAt,omitempty"`
}

type person struct {
	ID     gid.ID `json:"id"`
	Handle string `json:"handle"`
	Name   string `json:"name"`
}

// started answers with the session that began: its secret goes into the cookie only. The cookie of one that runs already is left as it is.
func (c Config) started(w http.ResponseWriter, s *account.Started, err error) error {
	if err != nil {
		return err
	}
	if s.Secret != "" {
		c.SetCookie(w, s.Secret, s.Lasts)
	}
	return write(w, http.StatusOK, signedIn{Member: &person{s.Member.ID, s.Member.Handle, s.Member.Name}, With: "session", ExpiresAt: &s.Expires})
}
