package apitest_test

import (
	"html"
	"net/http"
	netmail "net/mail"
	"net/url"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/pursuing-equity/commons/ent/accesstoken"
	"github.com/pursuing-equity/commons/ent/notification"
	"github.com/pursuing-equity/commons/ent/space"
	"github.com/pursuing-equity/commons/internal/apitest"
	"github.com/pursuing-equity/commons/internal/apitest/database"
)

const preferMail = `mutation($in: UpdateNotificationPreferenceInput!) { updateNotificationPreference(input: $in) { notificationPreference { directMail watchedMail digestHour } errors { code path } } }`

// due makes all mail due now, as if its hour had come, and waits until it was written down and sent.
func due(w *apitest.World) {
	w.T.Helper()
	c := w.App.Store.Client(w.System())
	c.Notification.Update().Where(notification.MailDueAtNotNil()).SetMailDueAt(w.App.Config.Now().Add(-time.Second)).ExecX(w.System())
	gone(w)
}

// gone waits until all mail that is due was written down and sent.
func gone(w *apitest.World) {
	w.T.Helper()
	c := w.App.Store.Client(w.System())
	w.App.Telling.Wake()
	w.Eventually("all mail went", func() bool {
		return c.Notification.Query().Where(notification.MailDueAtLTE(w.App.Config.Now())).CountX(w.System())+c.Mail.Query().CountX(w.System()) == 0
	})
}

// eachWithOffice is apitest.Each with a mail server for each database, and a clock.
func eachWithOffice(t *testing.T, test func(w *apitest.World, o *apitest.Office, c *clock), options ...apitest.Option) {
	t.Helper()
	t.Parallel()
	database.Each(t, func(t *testing.T, url string) {
		o, c := apitest.OpenOffice(t), new(clock)
		test(apitest.Serve(t, url, append(options, apitest.SMTP(o), apitest.Clock(c.now))...), o, c)
	})
}

// latest is the newest mail to somebody.
func latest(t *testing.T, o *apitest.Office, p *apitest.Person) apitest.Letter {
	t.Helper()
	all := o.To(p)
	if len(all) == 0 {
		t.Fatal("no mail came")
	}
	return all[len(all)-1]
}

var tags = regexp.MustCompile(`(?s)<head>.*?</head>|<[^>]*>`)

// said are the words of a mail's page, as they are read.
func said(page string) string {
	return strings.Join(strings.Fields(html.UnescapeString(tags.ReplaceAllString(page, " "))), " ")
}

// oneClick sends a form as a mail program does with one click: without a session, from nowhere.
func oneClick(t *testing.T, method, link string) int {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, link, strings.NewReader(url.Values{"List-Unsubscribe": {"One-Click"}}.Encode()))
	must0(t, err)
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	answer, err := (&http.Client{Timeout: time.Minute}).Do(req)
	must0(t, err)
	must0(t, answer.Body.Close())
	return answer.StatusCode
}

func TestNotificationMail(t *testing.T) {
	eachWithOffice(t, func(w *apitest.World, o *apitest.Office, _ *clock) {
		ada, ben := w.Member("ada"), w.Member("ben")
		group, hidden := w.Space(space.KindWORKGROUP, "Datenqualität", ada, ben), w.Space(space.KindAFFINITY, "Unspoken", ada, ben)
		one, two := w.Thread(ada, group, "Größe & <b>Maß</b>", "x"), w.Thread(ada, group, "Second matter", "x")
		secret := w.Thread(ada, hidden, "Secret matter", "x")
		call := func(what string) string { return "@" + ben.Handle + " " + what }

		w.Post(ada, one, call("Wie <i>hoch</i>?\r\nBcc: eve@example.org\r\n\r\nist es & warum"))
		due(w)
		first := latest(w.T, o, ben)
		w.T.Run("who it is from and to, when, and what it is called are in its head", func(t *testing.T) {
			h := first.Header
			from, err := h.AddressList("From")
			must0(t, err)
			to, err := h.AddressList("To")
			must0(t, err)
			if len(from) != 1 || *from[0] != (netmail.Address{Name: "Commons", Address: "commons@commons.example"}) || len(to) != 1 || to[0].Address != ben.Handle+"@example.org" {
				t.Errorf("from %v to %v", from, to)
			}
			if at, err := h.Date(); err != nil || w.App.Config.Now().Sub(at).Abs() > time.Hour {
				t.Errorf("at %v: %v", at, err)
			}
			if id := h.Get("Message-Id"); !regexp.MustCompile(`^<pst_[0-9a-z]+\.mbr_[0-9a-z]+@commons\.example>$`).MatchString(id) {
				t.Errorf("it is called %s", id)
			}
			if h.Get("Auto-Submitted") != "auto-generated" {
				t.Errorf("a program wrote it: %v", h)
			}
			if first.Subject != "Größe & <b>Maß</b>" || strings.ContainsFunc(first.Raw, func(r rune) bool { return r > 126 }) {
				t.Errorf("the subject is %q, and all of it ASCII on its way:\n%s", first.Subject, first.Raw)
			}
		})
		w.T.Run("what somebody wrote becomes no header and no markup, and both parts say the same", func(t *testing.T) {
			if h := first.Header; h.Get("Bcc") != "" || len(h["To"]) != 1 || !strings.Contains(first.Text, "Bcc: eve@example.org") {
				t.Errorf("%v", h)
			}
			if strings.Contains(first.HTML, "<i>") || strings.Contains(first.HTML, "<b>") {
				t.Errorf("markup got in: %s", first.HTML)
			}
			page, last := said(first.HTML), 0
			for paragraph := range strings.SplitSeq(strings.TrimSpace(first.Text), "\n\n") {
				words := strings.Join(strings.Fields(strings.Replace(paragraph, ":\nhttp", " http", 1)), " ")
				at := strings.Index(page[last:], words)
				if at < 0 {
					t.Fatalf("the page lacks %q, or has it elsewhere:\n%s", words, page)
				}
				last += at + len(words)
			}
		})
		w.T.Run("mails of one thread are shown as one by mail programs", func(t *testing.T) {
			w.Post(ada, one, call("again"))
			due(w)
			second := latest(t, o, ben)
			root := first.Header.Get("In-Reply-To")
			if root == "" || first.Header.Get("References") != root || second.Header.Get("In-Reply-To") != root || second.Header.Get("References") != root ||
				second.Subject != first.Subject || second.Header.Get("Message-Id") == first.Header.Get("Message-Id") {
				t.Errorf("%v, then %v", first.Header, second.Header)
			}
			w.Post(ada, two, call("elsewhere"))
			due(w)
			if other := latest(t, o, ben).Header.Get("In-Reply-To"); other == root || other == "" {
				t.Errorf("another thread is called %q too", other)
			}
			if id := first.Header.Get("List-Id"); id == "" || id != second.Header.Get("List-Id") || !strings.HasSuffix(id, ".commons.example>") {
				t.Errorf("the list is %s", id)
			}
		})
		w.T.Run("nothing of a hidden space is in mail", func(t *testing.T) {
			w.Post(ada, secret, call("in confidence"))
			due(w)
			l := latest(t, o, ben)
			for _, text := range []string{"Secret", "Unspoken", "confidence", "ada", secret.String(), hidden.String()} {
				if all := l.Raw + l.Text + l.HTML + l.Subject; strings.Contains(all, text) {
					t.Errorf("%q is there", text)
				}
			}
			if !strings.Contains(l.Text, "private conversation") || l.Header.Get("Reply-To") != "" {
				t.Errorf("%s", l.Raw)
			}
		})
		w.T.Run("one click unsubscribes, opening the link does not, and doing it again changes nothing", func(t *testing.T) {
			link := strings.Trim(first.Header.Get("List-Unsubscribe"), "<>")
			if first.Header.Get("List-Unsubscribe-Post") != "List-Unsubscribe=One-Click" || !strings.Contains(first.Text, link) {
				t.Errorf("%v", first.Header)
			}
			level := func() any {
				return ben.Must(`query($id: ID!) { node(id: $id) { ... on Thread { viewerWatchLevel } } }`, vars{"id": one}).At("node.viewerWatchLevel")
			}
			for _, do := range []struct {
				method string
				want   any
			}{{http.MethodGet, nil}, {http.MethodPost, "MUTED"}, {http.MethodPost, "MUTED"}} {
				if status, got := oneClick(t, do.method, link), level(); status != http.StatusOK || got != do.want {
					t.Errorf("%s: status %d, level %v", do.method, status, got)
				}
			}
			before := len(o.To(ben))
			w.Post(ada, one, call("once more"))
			due(w)
			if n := len(o.To(ben)); n != before {
				t.Errorf("%d mails more", n-before)
			}
			if status := oneClick(t, http.MethodPost, link[:len(link)-3]+"AAA"); status != http.StatusNotFound {
				t.Errorf("a token that was changed: %d", status)
			}
		})
		w.T.Run("whoever cannot see it any more gets no mail of it", func(t *testing.T) {
			before := len(o.To(ben))
			w.Post(ada, two, call("after all"))
			w.App.Store.Client(w.System()).SpaceMembership.Delete().ExecX(w.System())
			due(w)
			if n := len(o.To(ben)); n != before {
				t.Errorf("%d letters more", n-before)
			}
		})
	})
}

// change is the first instant of a day, some days ahead, between which and the day before clocks in a zone change forward.
func change(t *testing.T, zone string, after time.Time) (first time.Time, location *time.Location) {
	t.Helper()
	location, err := time.LoadLocation(zone)
	must0(t, err)
	local := after.In(location)
	noon := func(day int) time.Time {
		return time.Date(local.Year(), local.Month(), local.Day()+day, 12, 0, 0, 0, location)
	}
	for day := 10; day < 400; day++ {
		_, before := noon(day - 1).Zone()
		if _, offset := noon(day).Zone(); offset > before {
			return noon(day), location
		}
	}
	t.Fatal("clocks never change")
	return first, location
}

// A weekly digest comes at the hour that the member's clock shows, in the week in which clocks change too.
func TestWeeklyDigest(t *testing.T) {
	eachWithOffice(t, func(w *apitest.World, o *apitest.Office, c *clock) {
		ada, ben := w.Member("ada"), w.Member("ben")
		group := w.Space(space.KindWORKGROUP, "Data", ada, ben)
		one, two, muted := w.Thread(ada, group, "First matter", "x"), w.Thread(ada, group, "Second matter", "x"), w.Thread(ada, group, "Muted matter", "x")
		changed, location := change(w.T, "America/Chicago", c.now()) // a Sunday
		c.add(changed.AddDate(0, 0, -4).Sub(c.now()))                // the Wednesday before
		ada.Client, ben.Client = w.As(w.Token(ada, accesstoken.ScopeWRITE)), w.As(w.Token(ben, accesstoken.ScopeWRITE))
		ben.Must(preferMail, vars{"in": vars{"directMail": "WEEKLY", "digestHour": 8, "digestWeekday": 1}})
		call := func(what string) string { return "@" + ben.Handle + " " + what }
		w.Post(ada, one, call("already read"))
		ben.Must(`mutation($id: ID!) { markThreadRead(input: {threadId: $id, upToSeq: 2}) { errors { code } } }`, vars{"id": one})
		w.Post(ada, two, call("to be told"))
		w.Post(ada, muted, call("not to be heard"))
		ben.Must(watchThread, vars{"id": muted, "level": "MUTED"})

		eight := time.Date(changed.Year(), changed.Month(), changed.Day()+1, 8, 0, 0, 0, location)
		c.add(eight.Add(-time.Minute).Sub(c.now()))
		must0(w.T, w.App.Telling.Digest(w.System()))
		if n := len(o.To(ben)) + w.App.Store.Client(w.System()).Mail.Query().CountX(w.System()); n != 0 {
			w.T.Fatalf("%d mails before eight", n)
		}
		c.add(time.Minute)
		gone(w)
		if n := len(o.To(ben)); n != 1 {
			w.T.Fatalf("%d mails at eight", n)
		}
		l := latest(w.T, o, ben)
		for text, want := range map[string]bool{"to be told": true, "Second matter": true, "already read": false, "not to be heard": false, "Muted": false} {
			if strings.Contains(l.Text, text) != want || strings.Contains(l.HTML, text) != want {
				w.T.Errorf("%q is there: %v", text, !want)
			}
		}
		if strings.Count(l.Text, "to be told") != 1 {
			w.T.Errorf("it is told more than once: %s", l.Text)
		}
		c.add(8 * 24 * time.Hour)
		must0(w.T, w.App.Telling.Digest(w.System()))
		if n := len(o.To(ben)) + w.App.Store.Client(w.System()).Mail.Query().CountX(w.System()); n != 1 {
			w.T.Errorf("%d mails a week later, of the same", n)
		}
	})
}

// Who asked to be reminded is reminded by mail too, by their preference, even of a thread that they muted.
func TestRemindersByMail(t *testing.T) {
	eachWithOffice(t, func(w *apitest.World, o *apitest.Office, c *clock) {
		ada, ben := w.Member("ada"), w.Member("ben")
		thread := w.Thread(ada, w.Space(space.KindWORKGROUP, "Data", ada, ben), "Plans", "x")
		post := w.Post(ada, thread, "Bring the figures")
		remind := func() {
			ben.Must(bookmarkPost, input(vars{"postId": post, "remindAt": c.now().Add(time.Minute)}))
			c.add(2 * time.Minute)
			must0(w.T, w.App.Desk.RemindDue(w.System()))
		}
		ben.Must(watchThread, vars{"id": thread, "level": "MUTED"})
		remind()
		c.add(3 * time.Minute) // what is to come at once waits for two
		gone(w)
		if l := latest(w.T, o, ben); len(o.To(ben)) != 1 || !strings.Contains(l.Text, "You wanted to be reminded. ada wrote: Bring the figures") {
			w.T.Errorf("%d mails, %s", len(o.To(ben)), l.Text)
		}
		remind()
		c.add(3 * time.Minute)
		gone(w)
		if n := len(o.To(ben)); n != 2 {
			w.T.Errorf("%d mails after a second reminder", n)
		}
		if first, second := o.To(ben)[0].Header, o.To(ben)[1].Header; first.Get("Message-Id") == second.Get("Message-Id") || first.Get("References") != second.Get("References") {
			w.T.Errorf("a receiver takes the second for the first, or for another thread's: %s", second.Get("Message-Id"))
		}
		ben.Must(preferMail, vars{"in": vars{"directMail": "NEVER"}})
		remind()
		if n := w.App.Store.Client(w.System()).Notification.Query().Where(notification.MailDueAtNotNil()).CountX(w.System()); n != 0 {
			w.T.Error("who wants no mail is to get some")
		}
	})
}

// A reminder that is told by no mail leaves a post in the digest that it waited for.
func TestReminderOfADigest(t *testing.T) {
	eachWithOffice(t, func(w *apitest.World, o *apitest.Office, c *clock) {
		ada, ben := w.Member("ada"), w.Member("ben")
		thread := w.Thread(ada, w.Space(space.KindWORKGROUP, "Data", ada, ben), "Plans", "x")
		ben.Must(preferMail, vars{"in": vars{"directMail": "NEVER", "watchedMail": "HOURLY"}})
		ben.Must(watchThread, vars{"id": thread, "level": "WATCHING"})
		post := w.Post(ada, thread, "Bring the figures")
		waits := func() int {
			return w.App.Store.Client(w.System()).Notification.Query().Where(notification.PostID(post), notification.MailDueAtNotNil()).CountX(w.System())
		}
		w.App.Telling.Wake()
		w.Eventually("it waits for the digest", func() bool { return waits() == 1 })
		ben.Must(bookmarkPost, input(vars{"postId": post, "remindAt": c.now().Add(time.Second)}))
		c.add(2 * time.Second)
		must0(w.T, w.App.Desk.RemindDue(w.System()))
		c.add(time.Hour)
		gone(w)
		if l := latest(w.T, o, ben); !strings.Contains(l.Text, "Bring the figures") {
			w.T.Errorf("%s", l.Text)
		}
	})
}

// A member answers the mail that they got: with the address, and by the names, that stand in it.
func TestAnswerToTheMail(t *testing.T) {
	t.Parallel()
	database.Each(t, func(t *testing.T, url string) {
		o, socket := apitest.OpenOffice(t), filepath.Join(t.TempDir(), "lmtp")
		w := apitest.Serve(t, url, apitest.SMTP(o), apitest.Inbound("lmtp:unix:"+socket))
		ada, ben := w.Member("ada"), w.Member("ben")
		group := w.Space(space.KindWORKGROUP, "Data", ada, ben)
		thread := w.Thread(ada, group, "Plans", "x")
		w.Post(ada, thread, "Shall we, @"+ben.Handle+"?")
		due(w)
		l := latest(t, o, ben)
		to, err := l.Header.AddressList("Reply-To")
		if err != nil || len(to) != 1 || !strings.HasSuffix(to[0].Address, "@reply.example") {
			t.Fatalf("%v: %v", l.Header, err)
		}
		mine := ben.Handle + "@example.org"
		answer := func(id, body string) letter {
			return letter{mine, mine, to[0].Address, id, "In-Reply-To: " + l.Header.Get("Message-Id") + "\r\nReferences: " + l.Header.Get("References") + "\r\n", body}
		}
		if e := deliver(t, socket, answer("<a@mail.example>", "Yes.\n\nOn Monday, Commons <commons@commons.example> wrote:\n> "+strings.ReplaceAll(l.Text, "\n", "\n> "))); e != nil {
			t.Fatal(e)
		}
		r := ada.Must(wholeThread, vars{"id": thread})
		if n := r.Len("node.posts.edges"); n != 3 || r.String("node.posts.edges.2.node.body") != "Yes." {
			t.Errorf("%s", r.Body)
		}
		t.Run("nobody learns why from a thread that they can see no more", func(t *testing.T) {
			w.App.Store.Client(w.System()).SpaceMembership.Delete().ExecX(w.System())
			e := deliver(t, socket, answer("<b@mail.example>", "And more."))
			if e == nil || e.Code != 550 || strings.Contains(e.Message, "Plans") || strings.Contains(e.Message, "Data") {
				t.Errorf("%v", e)
			}
		})
	})
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
