package notify

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"html/template"
	"net/http"

	"github.com/pursuing-equity/commons/ent"
	"github.com/pursuing-equity/commons/ent/member"
	"github.com/pursuing-equity/commons/ent/notificationpreference"
	"github.com/pursuing-equity/commons/ent/watchsetting"
	"github.com/pursuing-equity/commons/internal/access"
	"github.com/pursuing-equity/commons/internal/fault"
	"github.com/pursuing-equity/commons/internal/gid"
	"github.com/pursuing-equity/commons/internal/viewer"
)

const unsubscribePath = "/notifications/unsubscribe"

// unsubscribeToken is what a link in a member's mail carries: the member and what they are to hear no more of, a thread, a space, or when it is
// the member all mail; signed, together with the address that it goes to. It never expires, and is void when the address changes.
func (s *Service) unsubscribeToken(ctx context.Context, m *ent.Member, of gid.ID) (string, error) {
	sum, err := s.seal(ctx, m, of)
	if err != nil {
		return "", err
	}
	return base64.RawURLEncoding.EncodeToString(append(append(append([]byte{}, m.ID[:]...), of[:]...), sum...)), nil
}

func (s *Service) seal(ctx context.Context, m *ent.Member, of gid.ID) ([]byte, error) {
	key, err := s.Store.Secret(ctx, "unsubscribe")
	if err != nil {
		return nil, err
	}
	sum := hmac.New(sha256.New, key)
	_, _ = fmt.Fprintf(sum, "unsubscribe %s %s %s", m.ID, of, m.Email)
	return sum.Sum(nil)[:16], nil
}

// Unsubscribe does what a link's token says: it mutes the thread or the space, or ends all mail. Doing it again changes nothing. It returns
// NOT_FOUND for a token that is not good.
func (s *Service) Unsubscribe(ctx context.Context, token string) error {
	raw, err := base64.RawURLEncoding.DecodeString(token)
	if err != nil || len(raw) != 48 {
		return fault.Missing()
	}
	id, of := gid.ID(raw[:16]), gid.ID(raw[16:32])
	ctx = viewer.NewContext(ctx, viewer.System("unsubscribe"))
	m, err := s.Store.Client(ctx).Member.Query().Where(member.ID(id), access.ActiveMembers()).Only(ctx)
	if ent.IsNotFound(err) {
		return fault.Missing()
	}
	if err != nil {
		return fmt.Errorf("load the member: %w", err)
	}
	sum, err := s.seal(ctx, m, of)
	if err != nil {
		return err
	}
	if !hmac.Equal(sum, raw[32:]) {
		return fault.Missing()
	}
	v := viewer.Member(id, gid.ID{}, viewer.Write)
	muted := watchsetting.LevelMUTED
	switch of.Kind() {
	case gid.Thread:
		_, err = s.SetThreadLevel(ctx, v, of, &muted)
	case gid.Space:
		_, err = s.SetSpaceLevel(ctx, v, of, &muted)
	default:
		never := Rhythm(notificationpreference.DirectMailNEVER)
		_, err = s.UpdatePreference(ctx, v, PreferencePatch{DirectMail: &never, WatchedMail: &never})
	}
	if fault.Is(err, fault.NotFound) {
		return nil // they cannot see it any more, and so hear nothing of it
	}
	return err
}

var unsubscribePage = template.Must(template.New("").Parse(`<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Commons: mail</title>
<link rel="icon" href="data:,">
<main>
{{if .Done}}<h1>Done</h1>
<p>You get no more of this mail. You can change that in Commons at any time.</p>
{{else}}<h1>No more of this mail?</h1>
<form method="post"><button>Unsubscribe</button></form>
{{end}}</main>
</html>
`))

// Pages are the endpoints of links in mail. To open one changes nothing: scanners do that too. To post to it does, without a cookie and from
// anywhere, as mail programs do with one click (RFC 8058): the token says who wants it.
func (s *Service) Pages() map[string]func(http.ResponseWriter, *http.Request, viewer.Viewer) error {
	show := func(w http.ResponseWriter, done bool) error {
		h := w.Header()
		h.Set("Content-Type", "text/html; charset=utf-8")
		h.Set("Content-Security-Policy", "default-src 'none'; img-src data:; base-uri 'none'; form-action 'self'; frame-ancestors 'none'")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("X-Content-Type-Options", "nosniff")
		return unsubscribePage.Execute(w, map[string]any{"Done": done})
	}
	return map[string]func(http.ResponseWriter, *http.Request, viewer.Viewer) error{
		"GET " + unsubscribePath: func(w http.ResponseWriter, _ *http.Request, _ viewer.Viewer) error { return show(w, false) },
		"POST " + unsubscribePath: func(w http.ResponseWriter, r *http.Request, _ viewer.Viewer) error {
			if err := s.Unsubscribe(r.Context(), r.URL.Query().Get("token")); err != nil {
				return err
			}
			return show(w, true)
		},
	}
}
