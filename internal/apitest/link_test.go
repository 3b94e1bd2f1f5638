package apitest_test

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pursuing-equity/commons/ent"
	"github.com/pursuing-equity/commons/ent/mail"
	"github.com/pursuing-equity/commons/ent/onetimetoken"
	"github.com/pursuing-equity/commons/ent/roleassignment"
	"github.com/pursuing-equity/commons/internal/account"
	"github.com/pursuing-equity/commons/internal/apitest"
	"github.com/pursuing-equity/commons/internal/gid"
)

// links makes the mail that waits for an address with a template, as the sender would, deletes it, and returns what it would say.
func links(w *apitest.World, address, template string) []map[string]string {
	w.T.Helper()
	var all []map[string]string
	rows, err := w.App.Store.Client(w.System()).Mail.Query().Where(mail.Address(address), mail.Template(template)).Order(mail.ByID()).All(w.System())
	if err != nil {
		w.T.Fatal(err)
	}
	for _, row := range rows {
		values, send, err := w.App.Accounts.Compose(context.Background(), row.Template, row.Address, row.Data)
		if err != nil {
			w.T.Fatal(err)
		}
		if send {
			all = append(all, values)
		}
		w.Tx(func(ctx context.Context, tx *ent.Client) error { return tx.Mail.DeleteOneID(row.ID).Exec(ctx) })
	}
	return all
}

// token is what a link carries.
func token(w *apitest.World, address, template string) string {
	w.T.Helper()
	all := links(w, address, template)
	if len(all) != 1 {
		w.T.Fatalf("%d mails %s to %s", len(all), template, address)
	}
	u, err := url.Parse(all[0]["link"])
	if err != nil || u.Fragment == "" || u.RawQuery != "" {
		w.T.Fatalf("link %q: %v", all[0]["link"], err)
	}
	return u.Fragment
}

func TestLinks(t *testing.T) {
	eachAtTime(t, func(w *apitest.World, c *clock) {
		ada := w.Member("ada")
		setPassword(w, ada)
		ask := func(path, email string) *apitest.Page { return w.Browser().PostJSON(path, vars{"email": email}) }
		confirm := func(path, token string) *apitest.Page { return w.Browser().PostJSON(path, vars{"token": token}) }
		w.T.Run("asking is the same for who has an account and who has none", func(t *testing.T) {
			for _, path := range []string{"/auth/link", "/auth/reset"} {
				known, unknown := ask(path, email(ada)), ask(path, "nobody@example.org")
				if known.StatusCode != http.StatusAccepted || known.Text != unknown.Text || known.StatusCode != unknown.StatusCode {
					t.Errorf("%s: %d %s, %d %s", path, known.StatusCode, known.Text, unknown.StatusCode, unknown.Text)
				}
				a := w.Statements(func() { ask(path, email(ada)) })
				b := w.Statements(func() { ask(path, "nobody@example.org") })
				if a != b {
					t.Errorf("%s: %d statements, %d", path, a, b)
				}
			}
			if got := links(w, "nobody@example.org", account.MailSignIn); len(got) != 0 {
				t.Errorf("a link for nobody: %v", got)
			}
			links(w, email(ada), account.MailSignIn)
			links(w, email(ada), account.MailReset)
			c.add(time.Hour)
		})
		w.T.Run("the row that waits holds no secret", func(t *testing.T) {
			ask("/auth/link", email(ada))
			row, err := w.App.Store.Client(w.System()).Mail.Query().Where(mail.Template(account.MailSignIn)).Only(w.System())
			if err != nil || len(row.Data) != 0 {
				t.Errorf("%v: %v", row, err)
			}
			n, err := w.App.Store.Client(w.System()).OneTimeToken.Query().Where(onetimetoken.UsedAtIsNil(), onetimetoken.PurposeEQ(onetimetoken.PurposeSIGN_IN), onetimetoken.ExpiresAtGT(c.now())).Count(w.System())
			if err != nil || n != 0 {
				t.Errorf("%d tokens: %v", n, err)
			}
		})
		w.T.Run("scanners change nothing, and of twenty who press the button at once one signs in", func(t *testing.T) {
			link := token(w, email(ada), account.MailSignIn)
			for _, method := range []string{http.MethodGet, http.MethodHead} {
				for _, path := range []string{"/sign-in/link", "/sign-in/link?token=" + link, "/auth/link/confirm?token=" + link} {
					w.Browser().Request(method, path, nil)
				}
			}
			var in atomic.Int32
			var wg sync.WaitGroup
			for range 20 {
				wg.Go(func() {
					b := w.Browser()
					if p := b.PostJSON("/auth/link/confirm", vars{"token": link}); p.StatusCode == http.StatusOK && whoami(b) == "ada" {
						in.Add(1)
					} else if p.Code() != "INVALID_INPUT" {
						t.Errorf("%d %s", p.StatusCode, p.Text)
					}
				})
			}
			wg.Wait()
			if in.Load() != 1 {
				t.Errorf("%d signed in", in.Load())
			}
		})
		w.T.Run("a newer link voids the older, a link is void after 15 minutes, and for another purpose", func(t *testing.T) {
			ask("/auth/link", email(ada))
			older := token(w, email(ada), account.MailSignIn)
			ask("/auth/link", email(ada))
			newer := token(w, email(ada), account.MailSignIn)
			if p := confirm("/auth/link/confirm", older); p.Code() != "INVALID_INPUT" {
				t.Errorf("older: %d %s", p.StatusCode, p.Text)
			}
			for _, path := range []string{"/auth/email/confirm", "/auth/invitation/confirm"} {
				if p := confirm(path, newer); p.Code() != "INVALID_INPUT" {
					t.Errorf("%s: %d %s", path, p.StatusCode, p.Text)
				}
			}
			c.add(16 * time.Minute)
			if p := confirm("/auth/link/confirm", newer); p.Code() != "INVALID_INPUT" {
				t.Errorf("late: %d %s", p.StatusCode, p.Text)
			}
		})
		w.T.Run("a reset sets the password, ends all sessions and links, and signs in", func(t *testing.T) {
			c.add(time.Hour)
			other := w.SignedIn(ada)
			ask("/auth/link", email(ada))
			link := token(w, email(ada), account.MailSignIn)
			ask("/auth/reset", email(ada))
			reset := token(w, email(ada), account.MailReset)
			b := w.Browser()
			if p := b.PostJSON("/auth/reset/confirm", vars{"token": reset, "password": "passwordpassword"}); p.Code() != "INVALID_INPUT" {
				t.Fatalf("a common password: %d %s", p.StatusCode, p.Text)
			}
			if p := b.PostJSON("/auth/reset/confirm", vars{"token": reset, "password": "nine lanterns by the river"}); p.StatusCode != http.StatusOK || whoami(b) != "ada" {
				t.Fatalf("%d %s", p.StatusCode, p.Text)
			}
			if whoami(other) != "" || confirm("/auth/link/confirm", link).Code() != "INVALID_INPUT" {
				t.Error("an older session or link lives on")
			}
			if signIn(w.Browser(), email(ada), secretPassword).StatusCode != http.StatusUnauthorized ||
				signIn(w.Browser(), email(ada), "nine lanterns by the river").StatusCode != http.StatusOK {
				t.Error("the old password signs in, or the new one does not")
			}
			if got := links(w, email(ada), account.MailPasswordChanged); len(got) != 1 {
				t.Errorf("told by mail: %v", got)
			}
		})
		w.T.Run("nobody who is suspended is sent a link or can use one", func(t *testing.T) {
			c.add(time.Hour)
			ask("/auth/link", email(ada))
			link := token(w, email(ada), account.MailSignIn)
			ask("/auth/link", email(ada))
			w.Tx(func(ctx context.Context, tx *ent.Client) error {
				return tx.Member.UpdateOneID(ada.ID).SetSuspendedUntil(time.Now().Add(time.Hour)).Exec(ctx)
			})
			if p := confirm("/auth/link/confirm", link); p.Code() != "INVALID_INPUT" {
				t.Errorf("%d %s", p.StatusCode, p.Text)
			}
			if got := links(w, email(ada), account.MailSignIn); len(got) != 0 {
				t.Errorf("sent %v", got)
			}
		})
	})
}

func TestLinksComeFromTheConfiguration(t *testing.T) {
	apitest.Each(t, func(w *apitest.World) {
		ada := w.Member("ada")
		for _, header := range [][]string{{"Host", "evil.example"}, {"X-Forwarded-Host", "evil.example"}, {"Forwarded", "host=evil.example"}, {"X-Forwarded-Proto", "http"}} {
			w.Browser().PostJSON("/auth/link", vars{"email": email(ada)}, header...)
		}
		for _, mail := range links(w, email(ada), account.MailSignIn) {
			if !strings.HasPrefix(mail["link"], "https://commons.example/sign-in/link#cml_") {
				w.T.Errorf("link %q", mail["link"])
			}
		}
		p := w.Browser().PostJSON("/auth/link/confirm", vars{"token": token(w, askedLink(w, ada), account.MailSignIn)})
		if c := p.Cookies()[0]; c.Name != "__Host-commons" || !c.Secure || c.Path != "/" || c.Domain != "" {
			w.T.Errorf("under https: %v", c)
		}
	}, apitest.PublicURL("https://commons.example/"))
}

func askedLink(w *apitest.World, p *apitest.Person) string {
	w.T.Helper()
	if page := w.Browser().PostJSON("/auth/link", vars{"email": email(p)}); page.StatusCode != http.StatusAccepted {
		w.T.Fatalf("%d %s", page.StatusCode, page.Text)
	}
	// The throttle for one address may have had enough of the test: the mail is then made as if it had not.
	w.Tx(func(ctx context.Context, tx *ent.Client) error {
		if n, err := tx.Mail.Query().Where(mail.Address(email(p)), mail.Template(account.MailSignIn)).Count(ctx); err != nil || n > 0 {
			return err
		}
		now := w.App.Config.Now()
		return tx.Mail.Create().SetID(w.NewID(gid.Mail)).SetCreatedAt(now).SetNextAt(now).SetAddress(email(p)).SetTemplate(account.MailSignIn).Exec(ctx)
	})
	return email(p)
}

func TestInvitations(t *testing.T) {
	apitest.Each(t, func(w *apitest.World) {
		staff := w.Role(w.Member("staff"), roleassignment.RoleSTAFF)
		ada := w.Member("ada")
		invite := `mutation($input: InviteMemberInput!) { inviteMember(input: $input) { member { id name handle } errors { code message path } } }`
		who := vars{"name": "Zoë  O’Hara", "email": "Zoe@Example.org", "timeZone": "America/Chicago"}
		w.T.Run("whoever is invited signs in by the link, once, with a password of their own", func(t *testing.T) {
			id := staff.Must(invite, input(who)).String("inviteMember.member.id")
			again := staff.Must(invite, input(who)).String("inviteMember.member.id")
			if id == "" || id != again {
				t.Fatalf("%q, and again %q", id, again)
			}
			mails := links(w, "zoe@example.org", account.MailInvitation)
			if len(mails) != 2 || mails[0]["inviter"] != "staff" {
				t.Fatalf("%v", mails)
			}
			_, first, _ := strings.Cut(mails[0]["link"], "#")
			_, second, _ := strings.Cut(mails[1]["link"], "#")
			b := w.Browser()
			if p := b.PostJSON("/auth/invitation/confirm", vars{"token": first}); p.Code() != "INVALID_INPUT" {
				t.Errorf("the older: %d %s", p.StatusCode, p.Text)
			}
			if p := b.PostJSON("/auth/invitation/confirm", vars{"token": second, "password": secretPassword}); p.StatusCode != http.StatusOK || whoami(b) != "Zoë  O’Hara" {
				t.Errorf("%d %s", p.StatusCode, p.Text)
			}
			if p := b.PostJSON("/auth/invitation/confirm", vars{"token": second}); p.Code() != "INVALID_INPUT" {
				t.Errorf("again: %d %s", p.StatusCode, p.Text)
			}
		})
		w.T.Run("who has signed in is not invited, and nobody but staff invites", func(t *testing.T) {
			if r := staff.Do(invite, input(who)); r.Code() != "ALREADY_EXISTS" {
				t.Errorf("%s", r.Body)
			}
			for _, address := range []string{"zoe@example.org", "nobody@example.org"} {
				if r := ada.Do(invite, input(vars{"name": "Z", "email": address, "timeZone": "UTC"})); r.Code() != "FORBIDDEN" {
					t.Errorf("%s: %s", address, r.Body)
				}
			}
		})
	})
}
