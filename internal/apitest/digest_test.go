package apitest_test

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pursuing-equity/commons/ent/notification"
	"github.com/pursuing-equity/commons/ent/space"
	"github.com/pursuing-equity/commons/internal/apitest"
	"github.com/pursuing-equity/commons/internal/mail"
)

const preferMail = `mutation($in: UpdateNotificationPreferenceInput!) { updateNotificationPreference(input: $in) { notificationPreference { directMail watchedMail digestHour } errors { code path } } }`

// due makes all mail due now, as if its hour had come, and waits until it was written down and sent.
func due(w *apitest.World) {
	w.T.Helper()
	c := w.App.Store.Client(w.System())
	c.Notification.Update().Where(notification.MailDueAtNotNil()).SetMailDueAt(w.App.Config.Now().Add(-time.Second)).ExecX(w.System())
	w.App.Telling.Wake()
	w.Eventually("all mail went", func() bool {
		return c.Notification.Query().Where(notification.MailDueAtNotNil()).CountX(w.System())+c.Mail.Query().CountX(w.System()) == 0
	})
}

func lettersTo(w *apitest.World, p *apitest.Person) []mail.Letter {
	return slices.DeleteFunc(w.App.Mailbox.Letters(), func(l mail.Letter) bool { return l.To.Address != p.Handle+"@example.org" })
}

func header(l mail.Letter, name string) string {
	for _, h := range l.Headers {
		if h.Name == name {
			return h.Value
		}
	}
	return ""
}

func TestNotificationMail(t *testing.T) {
	apitest.Each(t, func(w *apitest.World) {
		ada, ben := w.Member("ada"), w.Member("ben")
		group, hidden := w.Space(space.KindWORKGROUP, "Data", ada, ben), w.Space(space.KindAFFINITY, "Unspoken", ada, ben)
		one, two, muted := w.Thread(ada, group, "First matter", "x"), w.Thread(ada, group, "Second matter", "x"), w.Thread(ada, group, "Muted matter", "x")
		secret := w.Thread(ada, hidden, "Secret matter", "x")
		ben.Must(preferMail, vars{"in": vars{"directMail": "WEEKLY"}})
		call := func(what string) string { return "@" + ben.Handle + " " + what }
		w.Post(ada, one, call("already read"))
		ben.Must(`mutation($id: ID!) { markThreadRead(input: {threadId: $id, upToSeq: 2}) { errors { code } } }`, vars{"id": one})
		w.Post(ada, two, call("to be told"))
		w.Post(ada, muted, call("not to be heard"))
		ben.Must(watchThread, vars{"id": muted, "level": "MUTED"})
		due(w)
		letters := lettersTo(w, ben)
		if len(letters) != 1 {
			w.T.Fatalf("%d letters", len(letters))
		}
		l := letters[0]
		for text, want := range map[string]bool{"to be told": true, "Second matter": true, "already read": false, "not to be heard": false, "Muted": false} {
			if strings.Contains(l.Text, text) != want || strings.Contains(l.HTML, text) != want {
				w.T.Errorf("%q is there: %v", text, !want)
			}
		}
		link := strings.Trim(header(l, "List-Unsubscribe"), "<>")
		if header(l, "List-Unsubscribe-Post") != "List-Unsubscribe=One-Click" || header(l, "List-Id") == "" || header(l, "References") == "" || !strings.Contains(l.Text, link) {
			w.T.Errorf("the head is %v", l.Headers)
		}

		w.T.Run("nothing of a hidden space is in mail", func(t *testing.T) {
			w.Post(ada, secret, call("in confidence"))
			due(w)
			l := lettersTo(w, ben)[0]
			all := l.Subject + l.Text + l.HTML + l.MessageID
			for _, h := range l.Headers {
				all += h.Value
			}
			for _, text := range []string{"Secret", "Unspoken", "confidence", "ada", secret.String(), hidden.String()} {
				if strings.Contains(all, text) {
					t.Errorf("%q is there", text)
				}
			}
			if !strings.Contains(l.Text, "private conversation") {
				t.Error("there is no word of it at all")
			}
		})

		w.T.Run("one click unsubscribes, and opening the link does not", func(t *testing.T) {
			level := func() any {
				return ben.Must(`query($id: ID!) { node(id: $id) { ... on Thread { viewerWatchLevel } } }`, vars{"id": two}).At("node.viewerWatchLevel")
			}
			for _, method := range []string{http.MethodGet, http.MethodPost} {
				req, err := http.NewRequestWithContext(w.System(), method, link, strings.NewReader(url.Values{"List-Unsubscribe": {"One-Click"}}.Encode()))
				if err != nil {
					t.Fatal(err)
				}
				req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
				answer, err := (&http.Client{Timeout: time.Minute}).Do(req)
				if err != nil {
					t.Fatal(err)
				}
				_ = answer.Body.Close()
				if want := map[string]any{http.MethodGet: nil, http.MethodPost: "MUTED"}[method]; answer.StatusCode != http.StatusOK || level() != want {
					t.Errorf("%s: status %d, level %v", method, answer.StatusCode, level())
				}
			}
			if err := w.App.Notify.Unsubscribe(w.System(), link[strings.Index(link, "=")+1:len(link)-3]+"AAA"); err == nil {
				t.Error("a token that was changed is good")
			}
		})

		w.T.Run("whoever cannot see it any more gets no mail of it", func(t *testing.T) {
			before := len(lettersTo(w, ben))
			w.Post(ada, one, call("after all"))
			if _, err := w.App.Store.Client(w.System()).SpaceMembership.Delete().Exec(w.System()); err != nil {
				t.Fatal(err)
			}
			due(w)
			if n := len(lettersTo(w, ben)); n != before {
				t.Errorf("%d letters more", n-before)
			}
		})
	}, apitest.Mailbox())
}

// A thousand people whose mail is due at one hour cost statements by the batch.
func TestManyDigests(t *testing.T) {
	apitest.Each(t, func(w *apitest.World) {
		host := w.Member("host")
		group := w.Space(space.KindWORKGROUP, "Many", host)
		crowd(w, group, 1000)
		w.Post(host, w.Thread(host, group, "All", "first"), "more")
		allTold(w)
		c := w.App.Store.Client(w.System())
		c.Notification.Update().SetMailDueAt(w.App.Config.Now().Add(-time.Second)).ExecX(w.System())
		n := w.Statements(func() {
			if err := w.App.Telling.Digest(w.System()); err != nil {
				w.T.Error(err)
			}
		})
		if mails := c.Mail.Query().CountX(w.System()); mails < 1000 || n > 200 {
			w.T.Errorf("%d mails with %d statements", mails, n)
		} else {
			w.T.Logf("%d mails with %d statements", mails, n)
		}
	})
}
