package signin

import (
	"bytes"
	"errors"
	"html/template"
	"net/http"
	"net/url"
	"strings"

	"github.com/pursuing-equity/commons/internal/access"
	"github.com/pursuing-equity/commons/internal/fault"
	"github.com/pursuing-equity/commons/internal/openid"
	"github.com/pursuing-equity/commons/internal/viewer"
)

// OpenIDCallback is where the provider sends people back to.
const OpenIDCallback = "/auth/oidc/callback"

// attemptSeconds is for how long a browser keeps an attempt.
const attemptSeconds = 600

// beginOpenID sends a visitor to the provider. Where they go afterwards is a page of ours, under "next".
func (c Config) beginOpenID(w http.ResponseWriter, r *http.Request, _ viewer.Viewer) error {
	location, attempt, err := c.OpenID.Begin(r.Context())
	if err != nil {
		return c.failed(w, err)
	}
	attempt.Return = ownPage(r.URL.Query().Get("next"))
	if err := c.keep(w, r, attempt); err != nil {
		return err
	}
	http.Redirect(w, r, location, http.StatusSeeOther)
	return nil
}

// connectOpenID says where to go to connect an identity with the account of who is signed in. It is a POST, and the attempt is bound
// to the session: with a link of somebody else's making nobody connects somebody else's identity with their own account.
func (c Config) connectOpenID(w http.ResponseWriter, r *http.Request, v viewer.Viewer) error {
	if err := c.read(w, r, &struct{}{}); err != nil {
		return err
	}
	if _, err := access.InBrowser(v); err != nil {
		return err
	}
	location, attempt, err := c.OpenID.Begin(r.Context())
	if err != nil {
		return err
	}
	attempt.Return, attempt.Session = "/sign-in", v.TokenID().String()
	if err := c.keep(w, r, attempt); err != nil {
		return err
	}
	return write(w, http.StatusOK, map[string]string{"location": location})
}

// endOpenID is where the provider sends people back to: it signs them in, or connects their identity. An attempt ends here once,
// whatever comes of it, in the browser that began it.
func (c Config) endOpenID(w http.ResponseWriter, r *http.Request, v viewer.Viewer) error {
	ctx := r.Context()
	attempt, err := c.kept(w, r)
	if err != nil {
		return c.failed(w, err)
	}
	if err := c.Accounts.UseOnce(ctx, "openid "+attempt.State); err != nil {
		if fault.Is(err, fault.Unauthenticated) {
			err = openid.ErrAnswer
		}
		return c.failed(w, err)
	}
	if attempt.Session != "" && (!v.InBrowser() || v.TokenID().String() != attempt.Session) {
		return c.failed(w, openid.ErrAnswer)
	}
	who, err := c.OpenID.Finish(ctx, attempt, r.URL.Query())
	if err != nil {
		return c.failed(w, err)
	}
	if attempt.Session != "" {
		err = c.Accounts.ConnectIdentity(ctx, v, who, c.OpenID.Label())
	} else {
		s, e := c.Accounts.SignInWithIdentity(ctx, v, who, c.OpenID.Label(), r.UserAgent())
		if err = e; err == nil {
			c.SetCookie(w, s.Secret, s.Lasts)
		}
	}
	if err != nil {
		return c.failed(w, err)
	}
	http.Redirect(w, r, attempt.Return, http.StatusSeeOther)
	return nil
}

// failed shows why there was no sign-in, in words of ours only, and the way back.
func (c Config) failed(w http.ResponseWriter, err error) error {
	var status int
	var message string
	var f *fault.Error
	switch {
	case errors.Is(err, openid.ErrAnswer):
		status, message = http.StatusBadRequest, "This sign-in is not valid any more: it took too long, was done already, or began in another browser. Please try again."
	case errors.Is(err, openid.ErrRefused):
		status, message = http.StatusForbidden, "You were not signed in there. Please try again, or choose another way."
	case errors.As(err, &f) && f.Code != fault.Internal:
		if status, message = f.Code.Status(), f.Message; f.Code == fault.AlreadyExists {
			status = http.StatusConflict
		}
	default:
		return err
	}
	var page bytes.Buffer
	if err := failedPage.Execute(&page, map[string]any{"Page": "failed", "Title": "Not signed in", "Message": message}); err != nil {
		return err
	}
	pageHeaders(w, "text/html; charset=utf-8")
	w.WriteHeader(status)
	_, _ = page.WriteTo(w) // the client may be gone
	return nil
}

var failedPage = template.Must(template.ParseFS(files, "page/page.html.tmpl"))

// keep gives the browser the attempt, sealed.
func (c Config) keep(w http.ResponseWriter, r *http.Request, attempt openid.Attempt) error {
	key, err := c.Accounts.Store.Secret(r.Context(), "openid")
	if err != nil {
		return err
	}
	sealed, err := openid.Seal(key, attempt)
	if err != nil {
		return err
	}
	http.SetCookie(w, c.attemptCookie(sealed, attemptSeconds))
	return nil
}

// kept takes the attempt out of the browser.
func (c Config) kept(w http.ResponseWriter, r *http.Request) (openid.Attempt, error) {
	cookies := r.CookiesNamed(c.attemptCookie("", 0).Name)
	if len(cookies) != 1 {
		return openid.Attempt{}, openid.ErrAnswer
	}
	http.SetCookie(w, c.attemptCookie("", -1))
	key, err := c.Accounts.Store.Secret(r.Context(), "openid")
	if err != nil {
		return openid.Attempt{}, err
	}
	return openid.Unseal(key, cookies[0].Value)
}

// attemptCookie comes back with the provider's redirect: SameSite=Lax sends cookies with plain links from elsewhere.
func (c Config) attemptCookie(value string, maxAge int) *http.Cookie {
	name, secure := "commons-openid", strings.HasPrefix(c.Accounts.PublicURL, "https://")
	if secure {
		name = "__Host-" + name
	}
	//nolint:gosec // secure under https; over plain http a secure one would not come back
	return &http.Cookie{Name: name, Value: value, Path: "/", MaxAge: maxAge, Secure: secure, HttpOnly: true, SameSite: http.SameSiteLaxMode}
}

// ownPage is a path of this server, or the first page for anything else. A browser reads \\ as / and leaves control characters out.
func ownPage(next string) string {
	u, err := url.Parse(next)
	if err != nil || u.Scheme != "" || u.Host != "" || u.User != nil || !strings.HasPrefix(next, "/") || strings.HasPrefix(next, "//") ||
		strings.ContainsFunc(next, func(r rune) bool { return r == '\\' || r < ' ' || r == 0x7f }) {
		return "/"
	}
	return next
}
