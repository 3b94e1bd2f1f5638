package apitest_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pursuing-equity/commons/ent"
	"github.com/pursuing-equity/commons/ent/auditentry"
	entmail "github.com/pursuing-equity/commons/ent/mail"
	"github.com/pursuing-equity/commons/internal/account"
	"github.com/pursuing-equity/commons/internal/apitest"
	"github.com/pursuing-equity/commons/internal/audit"
	"github.com/pursuing-equity/commons/internal/gid"
)

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
