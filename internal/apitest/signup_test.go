package apitest_test

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/pursuing-equity/commons/ent"
	"github.com/pursuing-equity/commons/ent/auditentry"
	"github.com/pursuing-equity/commons/ent/member"
	"github.com/pursuing-equity/commons/ent/onetimetoken"
	"github.com/pursuing-equity/commons/ent/space"
	"github.com/pursuing-equity/commons/internal/account"
	"github.com/pursuing-equity/commons/internal/apitest"
	"github.com/pursuing-equity/commons/internal/gid"
)

func TestSignUp(t *testing.T) {
	later(t, func(w *apitest.World, pass func(time.Duration)) {
		ada := w.Member("ada")
		w.Space(space.KindNETWORK, "Network", ada)
		var open gid.ID
		w.Tx(func(ctx context.Context, tx *ent.Client) error {
			offering, err := offeringOf(ctx, tx, w)
			if err != nil {
				return err
			}
			open, err = callOf(ctx, tx, w, offering)
			if err != nil {
				return err
			}
			return tx.Call.UpdateOneID(open).SetDueAt(w.App.Config.Now().Add(20 * time.Minute)).SetClosesAt(w.App.Config.Now().Add(40 * time.Minute)).Exec(ctx)
		})
		ask := func(address string) vars {
			return vars{"email": address, "name": "Zoë O’Hara", "timeZone": "America/Chicago", "callId": open}
		}
		count := func() (n int) {
			w.Tx(func(ctx context.Context, tx *ent.Client) (err error) {
				n, err = tx.Member.Query().Count(ctx)
				return err
			})
			return n
		}
		w.T.Run("the answer is the same for an address that somebody has and for one that nobody has, and nothing is kept", func(t *testing.T) {
			before := count()
			known, unknown := w.Browser().PostJSON("/auth/sign-up", ask(email(ada))), w.Browser().PostJSON("/auth/sign-up", ask("Zoe@Example.org"))
			if known.StatusCode != http.StatusAccepted || known.Text != unknown.Text || known.StatusCode != unknown.StatusCode {
				t.Errorf("%d %s and %d %s", known.StatusCode, known.Text, unknown.StatusCode, unknown.Text)
			}
			if n := count(); n != before {
				t.Errorf("%d members, %d before", n, before)
			}
			if got := links(w, email(ada), account.MailSignUp); len(got) != 0 {
				t.Error(got)
			}
			if got := links(w, email(ada), account.MailSignUpKnown); len(got) != 1 || strings.Contains(got[0]["link"], "#") {
				t.Error(got)
			}
			if got := links(w, "zoe@example.org", account.MailSignUpKnown); len(got) != 0 {
				t.Error(got)
			}
		})
		var b *apitest.Client
		w.T.Run("the link makes the account once, and applies", func(t *testing.T) {
			all := links(w, "zoe@example.org", account.MailSignUp)
			if len(all) != 1 || strings.Contains(strings.Join([]string{strings.Split(all[0]["link"], "#")[0], all[0]["name"]}, " "), "Zo") {
				t.Fatal(all)
			}
			_, secret, _ := strings.Cut(all[0]["link"], "#")
			b = w.Browser()
			for _, void := range []string{"", "cmu_", secret + "A", secret[:len(secret)-4] + "AAAA", "cml_" + secret[4:]} {
				if p := b.PostJSON("/auth/sign-up/confirm", vars{"token": void, "password": secretPassword}); p.Code() != "INVALID_INPUT" {
					t.Errorf("%q: %d %s", void, p.StatusCode, p.Text)
				}
			}
			if p := b.PostJSON("/auth/sign-up/confirm", vars{"token": secret, "password": "short"}); p.Code() != "INVALID_INPUT" {
				t.Errorf("%d %s", p.StatusCode, p.Text)
			}
			if p := b.PostJSON("/auth/sign-up/confirm", vars{"token": secret, "password": secretPassword}); p.StatusCode != http.StatusOK || whoami(b) != "Zoë O’Hara" {
				t.Fatalf("%d %s", p.StatusCode, p.Text)
			}
			if p := w.Browser().PostJSON("/auth/sign-up/confirm", vars{"token": secret}); p.Code() != "ALREADY_EXISTS" {
				t.Errorf("again: %d %s", p.StatusCode, p.Text)
			}
			if p := w.Browser().PostJSON("/auth/sign-in", vars{"email": "zoe@example.org", "password": secretPassword}); p.StatusCode != http.StatusOK {
				t.Errorf("%d %s", p.StatusCode, p.Text)
			}
			b.Must(startApplication, input(vars{"callId": open, "organizationName": "Clinic", "organizationKind": "CLINIC"}))
			w.Tx(func(ctx context.Context, tx *ent.Client) error {
				if n, err := tx.AuditEntry.Query().Where(auditentry.Action("SIGNED_UP")).Count(ctx); err != nil || n != 1 {
					t.Errorf("%d entries (%v)", n, err)
				}
				return nil
			})
		})
		w.T.Run("an applicant is in no directory, and sees nobody", func(t *testing.T) {
			if r := ada.Must(`{ members(first: 50) { edges { node { name } } } }`, nil); r.Len("members.edges") != 1 {
				t.Error(r)
			}
			if r := b.Must(`{ members(first: 50) { edges { node { name } } } organizations(first: 50) { edges { cursor } } spaces(first: 50) { edges { cursor } } }`, nil); r.Len("members.edges") != 1 ||
				r.Len("organizations.edges") != 0 || r.Len("spaces.edges") != 0 {
				t.Error(r)
			}
			var id gid.ID
			w.Tx(func(ctx context.Context, tx *ent.Client) (err error) {
				id, err = tx.Member.Query().Where(member.Email("zoe@example.org")).OnlyID(ctx)
				return err
			})
			if r := ada.Do(`query($id: ID!) { node(id: $id) { id } }`, vars{"id": id}); r.Code() != "NOT_FOUND" {
				t.Error(r)
			}
			if r := ada.Must(`{ search(query: "Zoë", first: 10) { edges { cursor } } }`, nil); r.Len("search.edges") != 0 {
				t.Error(r)
			}
		})
		w.T.Run("who was invited meanwhile has the address: the link is void, and the account theirs", func(t *testing.T) {
			w.Browser().PostJSON("/auth/sign-up", ask("mae@example.org"))
			all := links(w, "mae@example.org", account.MailSignUp)
			_, secret, _ := strings.Cut(all[0]["link"], "#")
			mae := w.Member("mae")
			w.Tx(func(ctx context.Context, tx *ent.Client) error {
				return tx.Member.UpdateOneID(mae.ID).SetEmail("mae@example.org").Exec(ctx)
			})
			if p := w.Browser().PostJSON("/auth/sign-up/confirm", vars{"token": secret}); p.Code() != "INVALID_INPUT" {
				t.Errorf("%d %s", p.StatusCode, p.Text)
			}
		})
		w.T.Run("an address is not flooded, and nobody learns that", func(t *testing.T) {
			for range 6 {
				if p := w.Browser().PostJSON("/auth/sign-up", ask("much@example.org")); p.StatusCode != http.StatusAccepted {
					t.Errorf("%d %s", p.StatusCode, p.Text)
				}
			}
			if got := links(w, "much@example.org", account.MailSignUp); len(got) != 3 {
				t.Errorf("%d mails", len(got))
			}
		})
		w.T.Run("without a call that takes applications there is no sign-up", func(t *testing.T) {
			in := ask("late@example.org")
			in["callId"] = w.NewID(gid.Call)
			if p := w.Browser().PostJSON("/auth/sign-up", in); p.Code() != "NOT_FOUND" {
				t.Errorf("%d %s", p.StatusCode, p.Text)
			}
			pass(41 * time.Minute)
			if p := w.Browser().PostJSON("/auth/sign-up", ask("late@example.org")); p.Code() != "CALL_CLOSED" {
				t.Errorf("%d %s", p.StatusCode, p.Text)
			}
			w.Tx(func(ctx context.Context, tx *ent.Client) error {
				if n, err := tx.OneTimeToken.Query().Where(onetimetoken.Email("late@example.org")).Count(ctx); err != nil || n != 0 {
					t.Errorf("%d (%v)", n, err)
				}
				return nil
			})
		})
	})
}
