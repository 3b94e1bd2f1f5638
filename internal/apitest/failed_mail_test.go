package apitest_test

import (
	"context"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/pursuing-equity/commons/ent"
	"github.com/pursuing-equity/commons/ent/accesstoken"
	"github.com/pursuing-equity/commons/ent/auditentry"
	"github.com/pursuing-equity/commons/ent/mail"
	"github.com/pursuing-equity/commons/ent/notification"
	"github.com/pursuing-equity/commons/ent/roleassignment"
	"github.com/pursuing-equity/commons/ent/space"
	"github.com/pursuing-equity/commons/internal/account"
	"github.com/pursuing-equity/commons/internal/apitest"
	"github.com/pursuing-equity/commons/internal/apitest/database"
	"github.com/pursuing-equity/commons/internal/gid"
	"github.com/pursuing-equity/commons/internal/viewer"
)

const (
	failedMails = `query($template: String) { failedMails(first: 10, template: $template) { edges { node { id template recipient { handle } address attempts error canRetry createdAt retriedAt failedAt } } } }`
	retryMail   = `mutation($input: RetryFailedMailInput!) { retryFailedMail(input: $input) { retriedId errors { code path } } }`
	discardMail = `mutation($input: DiscardFailedMailInput!) { discardFailedMail(input: $input) { discardedId errors { code path } } }`
	resumeMail  = `mutation { resumeMail(input: {}) { notificationPreference { mailStoppedAt } errors { code } } }`
	mailStopped = `{ account { notificationPreference { mailStoppedAt } } }`
)

// attempted makes all mail due now, and waits until so many mails have failed for good and no other waits.
func attempted(w *apitest.World, failed int) []*ent.Mail {
	w.T.Helper()
	c := w.App.Store.Client(w.System())
	c.Notification.Update().Where(notification.MailDueAtNotNil()).SetMailDueAt(w.App.Config.Now().Add(-time.Second)).ExecX(w.System())
	w.App.Telling.Wake()
	var rows []*ent.Mail
	w.Eventually("every mail went or failed", func() bool {
		due := c.Notification.Query().Where(notification.MailDueAtLTE(w.App.Config.Now())).CountX(w.System()) // first: they become mail
		rows = c.Mail.Query().Order(mail.ByID()).AllX(w.System())
		waits := 0
		for _, m := range rows {
			if m.FailedAt == nil {
				waits++
			}
		}
		return due == 0 && waits == 0 && len(rows) == failed
	})
	return rows
}

// stopped is since when a member gets no mail, as they are told in a session of now.
func stopped(w *apitest.World, p *apitest.Person) any {
	w.T.Helper()
	return w.As(w.Token(p, accesstoken.ScopeREAD)).Must(mailStopped, nil).At("account.notificationPreference.mailStoppedAt")
}

func TestFailedMail(t *testing.T) {
	eachWithOffice(t, func(w *apitest.World, o *apitest.Office, _ *clock) {
		ada, ben, cay := w.Member("ada"), w.Member("ben"), w.Member("cay")
		staff, second := w.Role(w.Member("staff"), roleassignment.RoleSTAFF), w.Role(w.Member("second"), roleassignment.RoleADMIN)
		group, hidden := w.Space(space.KindNETWORK, "Network", ada, ben), w.Space(space.KindAFFINITY, "Unspoken", ada, cay)
		open, secret := w.Thread(ada, group, "Open matter", "x"), w.Thread(ada, hidden, "Secret matter", "x")
		address := ben.Handle + "@example.org"
		o.Refuse(address, 550)
		o.Refuse(cay.Handle+"@example.org", 550)
		w.Post(ada, open, "@"+ben.Handle+" confidential words")
		w.Post(ada, secret, "@"+cay.Handle+" in confidence")
		rows := attempted(w, 2)
		var shown, unseen gid.ID
		for _, m := range rows {
			if m.Address == address {
				shown = m.ID
			} else {
				unseen = m.ID
			}
		}
		audited := func() int {
			return w.App.Store.Client(w.System()).AuditEntry.Query().Where(auditentry.ActionIn("MAIL_RETRIED", "MAIL_DISCARDED")).CountX(w.System())
		}

		w.T.Run("staff see what failed, to whom and why, and nothing of what it says", func(t *testing.T) {
			r := staff.Must(failedMails, nil)
			at := "failedMails.edges.0.node."
			if r.Len("failedMails.edges") != 1 || r.String(at+"id") != shown.String() || r.String(at+"template") != "notifications" || r.String(at+"recipient.handle") != ben.Handle ||
				r.String(at+"address") != "b•••@example.org" || r.Int(at+"attempts") != 1 || !strings.Contains(r.String(at+"error"), "No such user") ||
				r.At(at+"canRetry") != true || r.At(at+"failedAt") == nil || r.At(at+"retriedAt") != nil {
				t.Errorf("%s", r.Body)
			}
			for _, text := range []string{"confidential", "Open matter", address, "ada"} {
				if strings.Contains(r.Whole, text) {
					t.Errorf("%q is there: %s", text, r.Body)
				}
			}
			if n := staff.Must(failedMails, vars{"template": "sign-in"}).Len("failedMails.edges"); n != 0 {
				t.Errorf("%d of another template", n)
			}
		})
		w.T.Run("to all others, and of a hidden space to staff too, there is no such mail", func(t *testing.T) {
			for _, p := range []*apitest.Person{ada, ben} {
				if n := p.Must(failedMails, nil).Len("failedMails.edges"); n != 0 {
					t.Errorf("%s sees %d", p.Handle, n)
				}
				for _, m := range []string{retryMail, discardMail} {
					if code := p.Do(m, input(vars{"mailId": shown})).Code(); code != "NOT_FOUND" {
						t.Errorf("%s: %q", p.Handle, code)
					}
				}
			}
			for _, m := range []string{retryMail, discardMail} {
				a, b := second.Do(m, input(vars{"mailId": unseen})), second.Do(m, input(vars{"mailId": w.NewID(gid.Mail)}))
				if a.Body != b.Body || a.Code() != "NOT_FOUND" {
					t.Errorf("%s, and of nothing %s", a.Body, b.Body)
				}
			}
		})
		w.T.Run("a mail that is retried goes, once, and that is written down", func(t *testing.T) {
			o.Refuse(address, 0)
			ben.Must(resumeMail, nil)
			first := staff.Must(retryMail, input(vars{"mailId": shown, "idempotencyKey": "k"}))
			attempted(w, 1)
			again := staff.Must(retryMail, input(vars{"mailId": shown, "idempotencyKey": "k"}))
			if first.Body != again.Body || first.String("retryFailedMail.retriedId") != shown.String() {
				t.Errorf("%s, then %s", first.Body, again.Body)
			}
			if code := second.Do(retryMail, input(vars{"mailId": shown})).Code(); code != "NOT_FOUND" {
				t.Errorf("one that went: %q", code)
			}
			if l := latest(t, o, ben); len(o.To(ben)) != 1 || !strings.Contains(l.Text, "confidential words") {
				t.Errorf("%d mails", len(o.To(ben)))
			}
			if n := audited(); n != 1 {
				t.Errorf("%d entries", n)
			}
		})
		w.T.Run("a mail that is discarded is gone", func(t *testing.T) {
			o.Refuse(address, 554)
			w.Post(ada, open, "@"+ben.Handle+" once more")
			attempted(w, 2)
			id := staff.Must(failedMails, nil).String("failedMails.edges.0.node.id")
			if got := staff.Must(discardMail, input(vars{"mailId": id})).String("discardFailedMail.discardedId"); got != id {
				t.Errorf("%s", got)
			}
			if code := staff.Do(discardMail, input(vars{"mailId": id})).Code(); code != "NOT_FOUND" || audited() != 2 {
				t.Errorf("again: %q, %d entries", code, audited())
			}
		})
		w.T.Run("a link that somebody asked for long ago is not sent again", func(t *testing.T) {
			c := w.App.Store.Client(w.System())
			id, ago := w.NewID(gid.Mail), w.App.Config.Now().Add(-2*time.Hour)
			c.Mail.Create().SetID(id).SetCreatedAt(ago).SetAddress(address).SetTemplate(account.MailSignIn).SetNextAt(ago.AddDate(0, 1, 0)).SetFailedAt(ago).SetAttempts(3).ExecX(w.System())
			if r := staff.Must(failedMails, nil); r.At("failedMails.edges.0.node.canRetry") != false {
				t.Errorf("%s", r.Body)
			}
			if code := staff.Do(retryMail, input(vars{"mailId": id})).Code(); code != "FORBIDDEN" {
				t.Errorf("%q", code)
			}
		})
	})
}

func TestBounces(t *testing.T) {
	eachWithOffice(t, func(w *apitest.World, o *apitest.Office, c *clock) {
		ada, ben := w.Member("ada"), w.Member("ben")
		thread := w.Thread(ada, w.Space(space.KindNETWORK, "Network", ada, ben), "T", "x")
		address := ben.Handle + "@example.org"
		call := func(failed int) {
			w.Post(ada, thread, "@"+ben.Handle+" hello")
			attempted(w, failed)
		}
		told := func() int {
			return ben.Must(`{ viewer { unreadNotificationCount } }`, nil).Int("viewer.unreadNotificationCount")
		}

		w.T.Run("a server that knows no such mailbox stops mail at once, and the bell goes on", func(t *testing.T) {
			call(0)
			if len(o.To(ben)) != 1 || stopped(w, ben) != nil {
				t.Fatalf("%d mails", len(o.To(ben)))
			}
			o.Refuse(address, 550)
			call(1)
			o.Refuse(address, 0)
			call(1)
			if stopped(w, ben) == nil || stopped(w, ada) != nil || len(o.To(ben)) != 1 || told() != 3 {
				t.Errorf("stopped at %v, %d mails, told of %d", stopped(w, ben), len(o.To(ben)), told())
			}
		})
		w.T.Run("mail that signs in goes, and who follows its link gets mail again", func(t *testing.T) {
			must0(t, w.App.Accounts.RequestLink(w.System(), viewer.Anonymous(), address))
			attempted(w, 1)
			link := latest(t, o, ben).Text
			_, link, _ = strings.Cut(link, "#")
			link, _, _ = strings.Cut(link, "\n")
			_, err := w.App.Accounts.SignInWithLink(w.System(), viewer.Anonymous(), link, "Firefox")
			must0(t, err)
			call(1)
			if stopped(w, ben) != nil || len(o.To(ben)) != 3 {
				t.Errorf("stopped at %v, %d mails", stopped(w, ben), len(o.To(ben)))
			}
		})
		refused := func(status string) {
			must0(w.T, w.App.Notify.MailRefused(w.System(), address, status))
		}
		w.T.Run("what is about the way there, or about us, stops nobody's mail", func(t *testing.T) {
			for range 5 {
				for _, status := range []string{"5.7.1", "5.3.0", ""} {
					refused(status)
				}
				c.add(25 * time.Hour)
			}
			if stopped(w, ben) != nil {
				t.Error("stopped")
			}
		})
		w.T.Run("other refusals of the address stop it on the third day, and those of a day count once", func(t *testing.T) {
			for day := range 2 {
				for range 3 {
					refused("5.2.1")
				}
				if stopped(w, ben) != nil {
					t.Fatalf("stopped on day %d", day)
				}
				c.add(25 * time.Hour)
			}
			refused("5.2.2")
			if stopped(w, ben) == nil {
				t.Error("not stopped on the third day")
			}
		})
		w.T.Run("the member's word resumes it, and what is a week apart is counted anew", func(t *testing.T) {
			if r := w.As(w.Token(ben, accesstoken.ScopeWRITE)).Must(resumeMail, nil); r.At("resumeMail.notificationPreference.mailStoppedAt") != nil || stopped(w, ben) != nil {
				t.Errorf("%s", r.Body)
			}
			for range 4 {
				refused("5.2.2")
				c.add(8 * 24 * time.Hour)
			}
			if stopped(w, ben) != nil {
				t.Error("stopped by what is a week apart")
			}
		})
		w.T.Run("what nobody has is nobody's trouble", func(t *testing.T) {
			must0(t, w.App.Notify.MailRefused(w.System(), "nobody@example.org", "5.1.1"))
		})
	})
}

// A report as mail servers write them (RFC 3464, appendix E).
func report(action, status string, recipients []string) (header, body string) {
	return "Content-Type: multipart/report; report-type=delivery-status;\r\n\tboundary=\"r\"\r\nMIME-Version: 1.0\r\nAuto-Submitted: auto-replied\r\n",
		"--r\n\nThe mail could not be delivered.\n\n--r\nContent-Type: message/delivery-status\n\nReporting-MTA: dns; mail.example\n\n" + strings.Join(recipients, "\n") + "\nAction: " +
			action + "\nStatus: " + status + "\nDiagnostic-Code: smtp; 550 no\n\n--r\nContent-Type: message/rfc822\n\nSubject: x\n\nx\n--r--\n"
}

func TestReportsOfDelivery(t *testing.T) {
	t.Parallel()
	database.Each(t, func(t *testing.T, url string) {
		o, socket := apitest.OpenOffice(t), filepath.Join(t.TempDir(), "lmtp")
		c := new(clock)
		w := apitest.Serve(t, url, apitest.SMTP(o), apitest.Inbound("lmtp:unix:"+socket), apitest.Clock(c.now))
		ada, ben := w.Member("ada"), w.Member("ben")
		thread := w.Thread(ada, w.Space(space.KindNETWORK, "Network", ada, ben), "T", "x")
		w.Post(ada, thread, "@"+ben.Handle+" hello")
		attempted(w, 0)
		path := latest(t, o, ben).Sender
		if !strings.HasPrefix(path, "bounce+") {
			t.Fatalf("the envelope's sender is %q", path)
		}
		mine := ben.Handle + "@example.org"
		send := func(sender, to, action, status string, recipients ...string) int {
			if len(recipients) == 0 {
				recipients = []string{"Final-Recipient: rfc822; " + mine}
			}
			header, body := report(action, status, recipients)
			if e := deliver(t, socket, letter{sender, "MAILER-DAEMON@mail.example", to, "<" + w.NewID(gid.Post).String() + "@mail.example>", header, body}); e != nil {
				return e.Code
			}
			return http.StatusOK
		}
		t.Run("a mail that is late, was delivered or comes from a person changes nothing", func(t *testing.T) {
			for _, action := range []string{"delayed", "delivered", "relayed"} {
				if code := send("", path, action, "5.1.1"); code != http.StatusOK || stopped(w, ben) != nil {
					t.Errorf("%s: %d, stopped at %v", action, code, stopped(w, ben))
				}
			}
			if code := send("eve@example.org", path, "failed", "5.1.1"); code != 550 {
				t.Errorf("from a person: %d", code)
			}
			if e := deliver(t, socket, letter{"", "x@mail.example", path, "<a@mail.example>", "", "no report"}); e == nil || e.Code != 550 {
				t.Errorf("no report: %v", e)
			}
			if code := send("", strings.Replace(path, "bounce+a", "bounce+b", 1), "failed", "5.1.1"); code != 550 {
				t.Errorf("an address that was not made here: %d", code)
			}
			if stopped(w, ben) != nil {
				t.Error("stopped")
			}
		})
		t.Run("a report of another mailbox changes nothing, whoever sent the mail on", func(t *testing.T) {
			for _, recipients := range [][]string{
				{"Final-Recipient: rfc822; elsewhere@example.org"}, {"Original-Recipient: rfc822; list@example.org", "Final-Recipient: rfc822;elsewhere@example.org"},
				{"Final-Recipient: rfc822; x" + mine}, {"X-Recipient: rfc822; " + mine},
				{"Final-Recipient: rfc822; " + mine + "\nAction: delivered\nStatus: 2.0.0\n\nFinal-Recipient: rfc822; elsewhere@example.org"},
			} {
				if code := send("", path, "failed", "5.1.1", recipients...); code != http.StatusOK || stopped(w, ben) != nil {
					t.Errorf("%v: %d, stopped at %v", recipients, code, stopped(w, ben))
				}
			}
		})
		t.Run("one of the address that the mail was for stops mail, wherever it led, among others", func(t *testing.T) {
			for _, recipients := range [][]string{
				{"Original-Recipient: rfc822;" + strings.ToUpper(mine), "Final-Recipient: rfc822; inside@mail.example"},
				{"Final-Recipient: rfc822; elsewhere@example.org\nAction: failed\nStatus: 5.7.1\n\nFinal-Recipient: RFC822; <" + mine + ">"},
			} {
				if code := send("", path, "failed", "5.1.1", recipients...); code != http.StatusOK || stopped(w, ben) == nil {
					t.Errorf("%v: %d", recipients, code)
				}
				ben.Must(resumeMail, nil)
			}
		})
		t.Run("a mailbox that another server does not find stops mail", func(t *testing.T) {
			if code := send("", strings.ToUpper(path), "Failed", "5.1.1 (bad mailbox)"); code != http.StatusOK || stopped(w, ben) == nil || stopped(w, ada) != nil {
				t.Errorf("%d, stopped at %v", code, stopped(w, ben))
			}
		})
		t.Run("after two weeks no report is waited for", func(t *testing.T) {
			w.As(w.Token(ben, accesstoken.ScopeWRITE)).Must(resumeMail, nil)
			c.add(13 * 24 * time.Hour)
			if code := send("", path, "failed", "5.1.1"); code != http.StatusOK || stopped(w, ben) == nil {
				t.Errorf("%d, stopped at %v", code, stopped(w, ben))
			}
			w.As(w.Token(ben, accesstoken.ScopeWRITE)).Must(resumeMail, nil)
			c.add(2 * 24 * time.Hour)
			if code := send("", path, "failed", "5.1.1"); code != 550 || stopped(w, ben) != nil {
				t.Errorf("%d, stopped at %v", code, stopped(w, ben))
			}
			if now := w.App.Inbound.ReturnPathOf(ben.ID, mine); now == path || send("", now, "failed", "5.1.1") != http.StatusOK || stopped(w, ben) == nil {
				t.Errorf("%s, stopped at %v", now, stopped(w, ben))
			}
		})
		t.Run("an address that the member has no more is reported of in vain", func(t *testing.T) {
			w.As(w.Token(ben, accesstoken.ScopeWRITE)).Must(resumeMail, nil)
			path, his := w.App.Inbound.ReturnPathOf(ben.ID, mine), w.As(w.Token(ben, accesstoken.ScopeREAD))
			w.Tx(func(ctx context.Context, tx *ent.Client) error {
				return tx.Member.UpdateOneID(ben.ID).SetEmail("new-" + ben.Handle + "@example.org").Exec(ctx)
			})
			if code := send("", path, "failed", "5.1.1"); code != 550 || his.Must(mailStopped, nil).At("account.notificationPreference.mailStoppedAt") != nil {
				t.Errorf("%d", code)
			}
		})
	})
}
