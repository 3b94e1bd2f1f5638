package apitest_test

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pursuing-equity/commons/ent"
	"github.com/pursuing-equity/commons/ent/accesstoken"
	"github.com/pursuing-equity/commons/ent/mail"
	"github.com/pursuing-equity/commons/ent/member"
	"github.com/pursuing-equity/commons/ent/roleassignment"
	"github.com/pursuing-equity/commons/internal/account"
	"github.com/pursuing-equity/commons/internal/apitest"
	"github.com/pursuing-equity/commons/internal/gid"
	"github.com/pursuing-equity/commons/internal/viewer"
)

// taking is a call that takes applications for ten days.
func taking(w *apitest.World) (call gid.ID) {
	call, _ = draftFor(w, w.Member("first"))
	return call
}

func wantsIn(call gid.ID, address string) vars {
	return vars{"email": address, "name": "Zoë", "timeZone": "America/Chicago", "callId": call}
}

// signUpLink is the token of the one link that waits for an address.
func signUpLink(w *apitest.World, call gid.ID, address string) string {
	w.T.Helper()
	if p := w.Browser().PostJSON("/auth/sign-up", wantsIn(call, address)); p.StatusCode != http.StatusAccepted {
		w.T.Fatalf("%d %s", p.StatusCode, p.Text)
	}
	return token(w, address, account.MailSignUp)
}

func membersOf(w *apitest.World) int {
	return w.App.Store.Client(w.System()).Member.Query().CountX(w.System())
}

// Nobody's mailbox is filled by who asks for accounts in their name, and no network address writes to a list of them.
func TestStrangersCauseLittleMail(t *testing.T) {
	later(t, func(w *apitest.World, pass func(time.Duration)) {
		call := taking(w)
		w.T.Run("a day of asking sends an address seven mails at most, and nobody learns that", func(t *testing.T) {
			sent := 0
			for range 24 * 4 {
				if p := w.Browser().PostJSON("/auth/sign-up", wantsIn(call, "much@example.org")); p.StatusCode != http.StatusAccepted {
					t.Fatalf("%d %s", p.StatusCode, p.Text)
				}
				sent += len(links(w, "much@example.org", account.MailSignUp))
				pass(15 * time.Minute)
			}
			if sent < 6 || sent > 7 {
				t.Errorf("%d mails", sent)
			}
		})
		w.T.Run("a network address that asks for many is told to wait", func(t *testing.T) {
			pass(2 * time.Hour)
			asked, last := 0, ""
			for ; asked < 40 && last == ""; asked++ {
				last = w.Browser().PostJSON("/auth/sign-up", wantsIn(call, fmt.Sprintf("nr%d@example.org", asked))).Code()
			}
			if last != "RATE_LIMITED" || asked < 31 || asked > 33 {
				t.Errorf("%q after %d", last, asked)
			}
			pass(2 * time.Minute)
			if p := w.Browser().PostJSON("/auth/sign-up", wantsIn(call, "next@example.org")); p.StatusCode != http.StatusAccepted {
				t.Errorf("%d %s", p.StatusCode, p.Text)
			}
			pass(21 * time.Second)
			if p := w.Browser().PostJSON("/auth/sign-up", wantsIn(call, "after@example.org")); p.Code() != "RATE_LIMITED" {
				t.Errorf("%d %s", p.StatusCode, p.Text)
			}
		})
	})
}

// Letters go to people who never heard of the network.
func TestSignersGetFewLetters(t *testing.T) {
	later(t, func(w *apitest.World, pass func(time.Duration)) {
		ada, ben := w.Member("ada"), w.Member("ben")
		of := map[*apitest.Person][]gid.ID{}
		for _, who := range []*apitest.Person{ada, ada, ben} {
			_, id := draftFor(w, who, letterOf)
			of[who] = append(of[who], id)
		}
		ask := func(who *apitest.Person, application gid.ID, address string) *apitest.Response {
			fresh := w.As(w.Token(who, accesstoken.ScopeWRITE)) // hours go by
			r := fresh.Do(askSignature, input(vars{"applicationId": application, "requirement": "letter", "signer": "CEO", "name": "Cyd", "email": address}))
			if r.Code() == "" {
				fresh.Must(cancelSignature, input(vars{"applicationId": application, "signerRequestId": r.String("requestSignature.application.signerRequests.0.id")}))
			}
			return r
		}
		w.T.Run("one address gets ten, whoever asks and for what, and later one more", func(t *testing.T) {
			for n := range 10 {
				if r := ask(ada, of[ada][n%2], "cyd@clinic.example"); r.Code() != "" {
					t.Fatalf("%d: %s", n, r.Body)
				}
			}
			for who, all := range of {
				if r := ask(who, all[0], "CYD@clinic.example"); r.Code() != "LIMIT_REACHED" || !strings.Contains(r.Body, `"email"`) {
					t.Errorf("%s", r.Body)
				}
			}
			if r := ask(ben, of[ben][0], "dee@clinic.example"); r.Code() != "" {
				t.Errorf("%s", r.Body)
			}
			pass(3 * time.Hour)
			if r := ask(ben, of[ben][0], "cyd@clinic.example"); r.Code() != "" {
				t.Errorf("%s", r.Body)
			}
			if r := ask(ben, of[ben][0], "cyd@clinic.example"); r.Code() != "LIMIT_REACHED" {
				t.Errorf("%s", r.Body)
			}
		})
		w.T.Run("one member asks for thirty, of all their applications together", func(t *testing.T) {
			pass(25 * time.Hour)
			n, code := 0, ""
			for ; n < 40 && code == ""; n++ {
				code = ask(ada, of[ada][n%2], fmt.Sprintf("nr%d@clinic.example", n)).Code()
			}
			if code != "LIMIT_REACHED" || n != 31 {
				t.Errorf("%q after %d", code, n)
			}
			if r := ask(ben, of[ben][0], "eve@clinic.example"); r.Code() != "" {
				t.Errorf("%s", r.Body)
			}
		})
	})
}

// Mail whose link is dead is not tried any more, and staff cannot have it tried again.
func TestMailOfDeadLinksEnds(t *testing.T) {
	eachWithOffice(t, func(w *apitest.World, o *apitest.Office, c *clock) {
		staff, ada := w.Role(w.Member("staff"), roleassignment.RoleSTAFF), w.Member("ada")
		call, id := draftFor(w, ada, letterOf)
		for _, address := range []string{"zoe@example.org", "cyd@clinic.example"} {
			o.Refuse(address, 450)
		}
		waiting := func() []*ent.Mail {
			return w.App.Store.Client(w.System()).Mail.Query().Where(mail.FailedAtIsNil()).AllX(w.System())
		}
		pass := func(d time.Duration) { // each attempt comes when it is due
			for end := c.now().Add(d); c.now().Before(end); {
				next := end
				for _, m := range waiting() {
					if m.NextAt.Before(next) {
						next = m.NextAt
					}
				}
				c.add(max(0, next.Sub(c.now())) + time.Millisecond)
				w.App.Sender.Wake()
				w.Eventually("what is due was tried", func() bool {
					return !slices.ContainsFunc(waiting(), func(m *ent.Mail) bool { return !m.NextAt.After(c.now()) })
				})
			}
		}
		w.T.Run("a link that makes an account, after a day", func(t *testing.T) {
			w.Browser().PostJSON("/auth/sign-up", wantsIn(call, "zoe@example.org"))
			pass(20 * time.Hour)
			if n := len(waiting()); n != 1 {
				t.Errorf("%d mails wait after 20 hours", n)
			}
			pass(6 * time.Hour)
			if n := len(waiting()); n != 0 {
				t.Errorf("%d mails wait after 26 hours", n)
			}
			staff := w.As(w.Token(staff, accesstoken.ScopeWRITE))
			r := staff.Must(failedMails, nil)
			if r.Len("failedMails.edges") != 1 || r.At("failedMails.edges.0.node.canRetry") != false {
				t.Fatalf("%s", r.Body)
			}
			if code := staff.Do(retryMail, input(vars{"mailId": r.At("failedMails.edges.0.node.id")})).Code(); code != "FORBIDDEN" {
				t.Errorf("%q", code)
			}
		})
		w.T.Run("a letter, once the call is closed", func(t *testing.T) {
			w.Tx(func(ctx context.Context, tx *ent.Client) error {
				return tx.Call.UpdateOneID(call).SetDueAt(c.now().Add(3 * time.Hour)).SetClosesAt(c.now().Add(4 * time.Hour)).Exec(ctx)
			})
			r := w.As(w.Token(ada, accesstoken.ScopeWRITE)).Do(askSignature, input(vars{"applicationId": id, "requirement": "letter", "signer": "CEO", "name": "Cyd", "email": "cyd@clinic.example"}))
			if r.Code() != "" {
				t.Fatalf("%s", r.Body)
			}
			pass(2 * time.Hour)
			if n := len(waiting()); n != 1 {
				t.Errorf("%d mails wait before it is closed", n)
			}
			pass(3 * time.Hour)
			if n := len(waiting()); n != 0 {
				t.Errorf("%d mails wait once it is closed", n)
			}
		})
	})
}

// A link makes one account, whatever becomes of it and of the address.
func TestSignUpLinksWorkOnce(t *testing.T) {
	later(t, func(w *apitest.World, pass func(time.Duration)) {
		call := taking(w)
		confirm := func(b *apitest.Client, secret string) *apitest.Page {
			return b.PostJSON("/auth/sign-up/confirm", vars{"token": secret, "password": secretPassword})
		}
		zoe, secret := w.Browser(), signUpLink(w, call, "zoe@example.org")
		first := confirm(zoe, secret)
		if first.StatusCode != http.StatusOK {
			w.T.Fatalf("%d %s", first.StatusCode, first.Text)
		}
		sessions := func() int { return w.App.Store.Client(w.System()).AccessToken.Query().CountX(w.System()) }
		members, running := membersOf(w), sessions()
		again := func(t *testing.T) {
			t.Helper()
			if p := confirm(w.Browser(), secret); p.Code() != "ALREADY_EXISTS" {
				t.Errorf("%d %s", p.StatusCode, p.Text)
			}
			if n := membersOf(w); n != members || sessions() > running {
				t.Errorf("%d members, %d before; %d sessions, %d before", n, members, sessions(), running)
			}
		}
		w.T.Run("the browser that made the account is told the same again, and nothing changes", func(t *testing.T) {
			p := confirm(zoe, secret)
			if p.StatusCode != http.StatusOK || p.Text != first.Text || p.Header.Get("Set-Cookie") != "" || whoami(zoe) != "Zoë" {
				t.Errorf("%d %s, first %s", p.StatusCode, p.Text, first.Text)
			}
		})
		w.T.Run("anybody else is told that it was used", again)
		w.T.Run("it makes no second account once the address is free again", func(t *testing.T) {
			w.Tx(func(ctx context.Context, tx *ent.Client) error {
				return tx.Member.Update().Where(member.Email("zoe@example.org")).SetEmail("moved@example.org").Exec(ctx)
			})
			again(t)
		})
		w.T.Run("nor once the account is erased", func(t *testing.T) {
			m := w.App.Store.Client(w.System()).Member.Query().Where(member.Email("moved@example.org")).OnlyX(w.System())
			_, err := w.App.Accounts.Erase(w.System(), viewer.Session(m.ID, gid.ID{}), nil, m.Handle, "")
			must0(t, err)
			again(t)
		})
		w.T.Run("of many at once one makes it", func(t *testing.T) {
			secret := signUpLink(w, call, "mae@example.org")
			var made, used atomic.Int64
			var sending sync.WaitGroup
			for range 6 {
				b := w.Browser()
				sending.Go(func() {
					switch p := b.PostJSON("/auth/sign-up/confirm", vars{"token": secret}); {
					case p.StatusCode == http.StatusOK:
						made.Add(1)
					case p.Code() == "ALREADY_EXISTS":
						used.Add(1)
					default:
						t.Errorf("%d %s", p.StatusCode, p.Text)
					}
				})
			}
			sending.Wait()
			if made.Load() != 1 || used.Load() != 5 || membersOf(w) != members+1 {
				t.Errorf("%d made it, %d were told that it was used; %d members", made.Load(), used.Load(), membersOf(w))
			}
		})
		w.T.Run("a call that takes no more applications makes no accounts", func(t *testing.T) {
			secret := signUpLink(w, call, "late@example.org")
			w.Tx(func(ctx context.Context, tx *ent.Client) error {
				return tx.Call.UpdateOneID(call).SetDueAt(w.App.Config.Now().Add(time.Minute)).SetClosesAt(w.App.Config.Now().Add(2 * time.Minute)).Exec(ctx)
			})
			pass(3 * time.Minute)
			before := membersOf(w)
			if p := confirm(w.Browser(), secret); p.Code() != "CALL_CLOSED" || membersOf(w) != before {
				t.Errorf("%d %s", p.StatusCode, p.Text)
			}
		})
	})
}
