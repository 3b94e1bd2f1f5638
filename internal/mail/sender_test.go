package mail

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/mail"
	"path"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-smtp"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/pursuing-equity/commons/ent"
	entmail "github.com/pursuing-equity/commons/ent/mail"
	"github.com/pursuing-equity/commons/internal/gid"
)

func TestDelivery(t *testing.T) {
	t.Parallel()
	t.Run("a mail arrives whole and leaves the queue", func(t *testing.T) {
		each(t, func(w *world) {
			w.send(link(1))
			id := w.row().ID
			w.clock.move(time.Minute)
			w.deliver()
			got := w.arrived(1)[0]
			header, subject, text, html := got.open(w.t)
			if got.to != "m1@example.org" || subject != "Your link to sign in to Commons" || !strings.Contains(text, "\nhttps://commons.example/link/1\n") ||
				!strings.Contains(html, `href="https://commons.example/link/1"`) {
				w.t.Errorf("to %s, %q:\n%s\n%s", got.to, subject, text, html)
			}
			for name, want := range map[string]string{
				"From": `"Commons" <commons@example.org>`, "To": "<m1@example.org>", "Message-Id": "<" + id.String() + "@example.org>",
				"Auto-Submitted": "auto-generated", "Mime-Version": "1.0", "Date": "Sun, 01 Mar 2026 12:00:00 +0000",
			} {
				if values := header[name]; len(values) != 1 || values[0] != want {
					w.t.Errorf("%s: %q", name, values)
				}
			}
			if rows := w.rows(); len(rows) != 0 {
				w.t.Errorf("left: %v", rows)
			}
			if sent := testutil.ToFloat64(w.sender.metrics.sent); sent != 1 {
				w.t.Errorf("%v were sent", sent)
			}
		})
	})
	t.Run("mail of a transaction that fails is never sent", func(t *testing.T) {
		each(t, func(w *world) {
			err := w.store.InTx(w.system(), func(ctx context.Context, tx *ent.Client) error {
				if err := w.mail.Send(ctx, tx, link(1)); err != nil {
					return err
				}
				return errors.New("no")
			})
			w.deliver()
			if err == nil || len(w.arrived(0)) != 0 {
				w.t.Error(err)
			}
		})
	})
	t.Run("a commit wakes the sender, which ends with its context", func(t *testing.T) {
		each(t, func(w *world) {
			ctx, cancel := context.WithCancel(w.t.Context())
			done := make(chan struct{})
			go func() {
				defer close(done)
				w.sender.Run(ctx)
			}()
			for i := range 3 {
				began := time.Now()
				w.send(link(i))
				<-w.office.arrived
				if took := time.Since(began); took > poll/2 {
					w.t.Errorf("it took %s, as long as a poll", took)
				}
			}
			cancel()
			<-done
		})
	})
	t.Run("a thousand mails take one statement each, and a few for each batch", func(t *testing.T) {
		each(t, func(w *world) {
			for range 10 {
				mails := make([]Mail, 100)
				for i := range mails {
					mails[i] = link(i)
				}
				w.send(mails...)
			}
			before := w.store.Statements()
			w.deliver()
			w.arrived(1000)
			if each := float64(w.store.Statements()-before) / 1000; each > 1.2 {
				w.t.Errorf("%.2f statements a mail", each)
			}
			if w.office.sessions > 1000/batch {
				w.t.Errorf("%d connections", w.office.sessions)
			}
		})
	})
}

func TestFailure(t *testing.T) {
	t.Parallel()
	t.Run("what the server puts off comes again, ever later", func(t *testing.T) {
		each(t, func(w *world) {
			w.office.to = says(450)
			w.send(Mail{Address: "ann@example.org", Template: "password-changed"})
			began := w.clock.Now()
			last := time.Duration(0)
			for attempt := 1; attempt <= 12; attempt++ {
				w.deliver()
				row := w.row()
				gap := row.NextAt.Sub(w.clock.Now())
				if want := wait(attempt); row.Attempts != attempt || gap < want/2 || gap > 2*want || row.FailedAt != nil || !strings.Contains(row.LastError, "450") {
					w.t.Fatalf("attempt %d: next after %s: %+v", attempt, gap, row)
				}
				w.deliver() // too early
				if w.row().Attempts != attempt {
					w.t.Fatal("it was tried before its time")
				}
				last = gap
				w.clock.move(gap)
			}
			if last < longWait/2 || w.clock.Now().Sub(began) < 4*time.Hour {
				w.t.Errorf("the last wait is %s", last)
			}
			w.office.set(func() { w.office.to = nil })
			w.deliver()
			w.arrived(1)
			if len(w.rows()) != 0 {
				w.t.Error("it is still in the queue")
			}
		})
	})
	t.Run("a link is not worth sending after an hour, other mail not after three days", func(t *testing.T) {
		each(t, func(w *world) {
			w.office.to = says(450)
			w.send(link(1), Mail{Address: "ann@example.org", Template: "password-changed"})
			began := w.clock.Now()
			const step = 10 * time.Minute // between looks
			failed := map[string]time.Duration{}
			for len(failed) < 2 && w.clock.Now().Sub(began) < 100*time.Hour {
				w.deliver()
				for _, row := range w.rows() {
					if _, known := failed[row.Template]; !known && row.FailedAt != nil {
						failed[row.Template] = row.FailedAt.Sub(began)
					}
				}
				w.clock.move(step)
			}
			if d := failed["sign-in"]; d <= 0 || d > time.Hour+step {
				w.t.Errorf("the link: %s", d)
			}
			if d := failed["password-changed"]; d <= 70*time.Hour || d > 72*time.Hour+step {
				w.t.Errorf("the notice: %s", d)
			}
		})
	})
	t.Run("what the server refuses is kept with the reason, and forgotten after thirty days", func(t *testing.T) {
		each(t, func(w *world) {
			w.office.to = says(550)
			w.send(link(1))
			w.deliver()
			row := w.row()
			if row.FailedAt == nil || !strings.Contains(row.LastError, "550") {
				w.t.Fatalf("%+v", row)
			}
			if log := w.log.String(); strings.Contains(log, "m1@example.org") || !strings.Contains(log, row.ID.String()) {
				w.t.Errorf("the log: %s", log)
			}
			w.office.set(func() { w.office.to = nil })
			w.clock.move(keepDead - time.Minute)
			w.deliver()
			w.arrived(0)
			if err := w.sender.tidy(w.system()); err != nil || len(w.rows()) != 1 {
				w.t.Fatalf("forgotten early: %v", err)
			}
			w.clock.move(2 * time.Minute)
			w.deliver()
			if err := w.sender.tidy(w.system()); err != nil || len(w.rows()) != 0 {
				w.t.Errorf("%v, %d left", err, len(w.rows()))
			}
			w.arrived(0)
		})
	})
	t.Run("of too many dead letters the oldest are forgotten", func(t *testing.T) {
		each(t, func(w *world) {
			newest := w.clock.Now().Add(keepDead)
			for from := 0; from < maxDead+500; from += 500 {
				rows := make([]*ent.MailCreate, 500)
				for i := range rows {
					rows[i] = w.store.Client(w.system()).Mail.Create().SetID(w.mail.NewID(gid.Mail)).SetCreatedAt(w.clock.Now()).SetAddress("a@example.org").
						SetTemplate("sign-in").SetFailedAt(w.clock.Now()).SetNextAt(newest.Add(-time.Duration(from+i) * time.Millisecond))
				}
				if err := w.store.InTx(w.system(), func(ctx context.Context, tx *ent.Client) error { return tx.Mail.CreateBulk(rows...).Exec(ctx) }); err != nil {
					w.t.Fatal(err)
				}
			}
			w.send(link(1))
			if err := w.sender.tidy(w.system()); err != nil {
				w.t.Fatal(err)
			}
			mails := w.store.Client(w.system()).Mail
			dead, err := mails.Query().Where(entmail.FailedAtNotNil()).Count(w.system())
			oldest := mails.Query().Where(entmail.FailedAtNotNil()).Order(entmail.ByNextAt()).FirstX(w.system())
			if err != nil || dead != maxDead || !oldest.NextAt.Equal(newest.Add(-(maxDead-1)*time.Millisecond)) {
				w.t.Errorf("%d dead letters, the oldest of %s: %v", dead, oldest.NextAt, err)
			}
			if waiting := testutil.ToFloat64(w.sender.metrics.waiting); waiting != 1 {
				w.t.Errorf("%v wait", waiting)
			}
		})
	})
	t.Run("a server that refuses the sender gets all mail once that is put right", func(t *testing.T) {
		each(t, func(w *world) {
			w.office.from = says(550)
			w.send(link(1), link(2))
			w.deliver()
			w.office.set(func() { w.office.from = nil })
			w.clock.move(time.Minute)
			w.deliver()
			w.arrived(2)
		})
	})
	t.Run("one bad address does not keep the others", func(t *testing.T) {
		each(t, func(w *world) {
			w.office.to = func(to string) error {
				if to == "m1@example.org" {
					return &smtp.SMTPError{Code: 550, Message: "no such user"}
				}
				return nil
			}
			w.send(link(0), link(1), Mail{Address: "not an address", Template: "sign-in"}, link(2))
			w.deliver()
			w.arrived(2)
			for _, row := range w.rows() {
				if row.FailedAt == nil {
					w.t.Errorf("not a dead letter: %+v", row)
				}
			}
		})
	})
	t.Run("a server that is away costs one connection a batch, and nothing is lost", func(t *testing.T) {
		each(t, func(w *world) {
			here := w.office.url
			server, err := ParseServer("smtp://127.0.0.1:1")
			if err != nil {
				w.t.Fatal(err)
			}
			w.sender.Carrier = server
			w.send(link(1), link(2))
			w.deliver()
			for _, row := range w.rows() {
				if row.FailedAt != nil || row.Attempts != 1 || row.LastError == "" || !row.NextAt.After(w.clock.Now()) {
					w.t.Errorf("%+v", row)
				}
			}
			if w.sender.Carrier, err = ParseServer(here); err != nil {
				w.t.Fatal(err)
			}
			w.clock.move(time.Minute)
			w.deliver()
			w.arrived(2)
		})
	})
	t.Run("without a carrier mail waits", func(t *testing.T) {
		each(t, func(w *world) {
			w.sender.Carrier = nil
			ctx, cancel := context.WithCancel(w.t.Context())
			cancel()
			w.send(link(1))
			w.sender.Run(ctx)
			if row := w.row(); row.Attempts != 0 {
				w.t.Errorf("%+v", row)
			}
		})
	})
}

func TestSharing(t *testing.T) {
	t.Parallel()
	t.Run("two processes at work send each mail once", func(t *testing.T) {
		each(t, func(w *world) {
			const n = 300
			for i := range n {
				w.send(link(i))
			}
			var working sync.WaitGroup
			for range 2 {
				s := w.newSender(w.open())
				working.Go(func() {
					if err := s.Deliver(w.system()); err != nil {
						w.t.Error(err)
					}
				})
			}
			working.Wait()
			w.deliver() // what one gave back while the other looked
			times := map[string]int{}
			for _, m := range w.arrived(n) {
				times[m.to]++
			}
			if len(times) != n {
				w.t.Errorf("%d people got mail, not %d", len(times), n)
			}
		})
	})
	t.Run("a process that dies with a mail in its hands delays it by its lease, and doubles have one Message-ID", func(t *testing.T) {
		each(t, func(w *world) {
			w.send(link(1))
			dying := w.newSender(w.open())
			mails, _, err := dying.take(w.system())
			if err != nil || len(mails) != 1 {
				w.t.Fatal(mails, err)
			}
			connection, err := dying.connect(w.system())
			if err != nil {
				w.t.Fatal(err)
			}
			if err := dying.send(w.system(), connection, mails[0]); err != nil {
				w.t.Fatal(err)
			}
			w.deliver()
			w.arrived(1)
			w.clock.move(lease)
			w.deliver()
			ids := map[string]bool{}
			for _, m := range w.arrived(2) {
				header, _, _, _ := m.open(w.t)
				ids[header.Get("Message-Id")] = true
			}
			if len(ids) != 1 || len(w.rows()) != 0 {
				w.t.Errorf("%v, %d left", ids, len(w.rows()))
			}
			w.clock.move(lease)
			w.deliver()
			w.arrived(2)
		})
	})
	t.Run("who comes late with a failure does not disturb who has the mail now", func(t *testing.T) {
		each(t, func(w *world) {
			w.send(link(1))
			slow, _, err := w.sender.take(w.system())
			if err != nil {
				w.t.Fatal(err)
			}
			w.clock.move(lease)
			if _, _, err := w.newSender(w.open()).take(w.system()); err != nil {
				w.t.Fatal(err)
			}
			before := w.row()
			if err := w.sender.settle(w.system(), slow[0], ErrRefused); err != nil {
				w.t.Fatal(err)
			}
			if after := w.row(); after.FailedAt != nil || !after.NextAt.Equal(before.NextAt) {
				w.t.Errorf("%+v", after)
			}
		})
	})
	t.Run("who is asked to stop gives back what was not tried", func(t *testing.T) {
		each(t, func(w *world) {
			w.send(link(1), link(2), link(3))
			ctx, cancel := context.WithCancel(w.system())
			w.office.data = func() error { cancel(); return nil } // while the first is on its way
			if err := w.sender.Deliver(ctx); !errors.Is(err, context.Canceled) {
				w.t.Fatal(err)
			}
			w.arrived(1)
			rows := w.rows()
			if len(rows) != 2 {
				w.t.Fatalf("%d left", len(rows))
			}
			for _, row := range rows {
				if row.Attempts != 0 || row.NextAt.After(w.clock.Now()) {
					w.t.Errorf("%+v", row)
				}
			}
		})
	})
}

func TestPrepare(t *testing.T) {
	t.Parallel()
	t.Run("links are made when the mail goes out and stand nowhere", func(t *testing.T) {
		each(t, func(w *world) {
			w.sender.Prepare = map[string]Prepare{"sign-in": func(_ context.Context, template, address string, data map[string]string) (map[string]string, bool, error) {
				if template != "sign-in" || data["who"] != "ann" {
					return nil, false, fmt.Errorf("%s %v", template, data)
				}
				return map[string]string{"link": "https://commons.example/link/secret"}, address != "nobody@example.org", nil
			}}
			data := map[string]string{"who": "ann"}
			w.send(Mail{Address: "ann@example.org", Template: "sign-in", Data: data}, Mail{Address: "nobody@example.org", Template: "sign-in", Data: data})
			w.deliver()
			if header, _, text, _ := w.arrived(1)[0].open(w.t); !strings.Contains(text, "secret") || !strings.Contains(header.Get("Message-Id"), ".1@") {
				w.t.Errorf("%v\n%s", header, text)
			}
			if n := len(w.rows()); n != 0 || testutil.ToFloat64(w.sender.metrics.dropped) != 1 {
				w.t.Errorf("%d left", n)
			}
		})
	})
	t.Run("an owner that cannot tell is asked again", func(t *testing.T) {
		each(t, func(w *world) {
			w.sender.Prepare = map[string]Prepare{"sign-in": func(context.Context, string, string, map[string]string) (map[string]string, bool, error) {
				return nil, false, errors.New("the database is away")
			}}
			w.send(link(1))
			w.deliver()
			if row := w.row(); row.FailedAt != nil || row.Attempts != 1 {
				w.t.Errorf("%+v", row)
			}
		})
	})
}

func TestCompose(t *testing.T) {
	t.Parallel()
	s := NewSender(Sender{From: mail.Address{Name: "Commons", Address: "commons@example.org"}})
	compose := func(address, template string, values map[string]string) (Letter, error) {
		return s.compose(&ent.Mail{ID: gid.New(gid.Mail, time.Now()), CreatedAt: time.Now(), Address: address, Template: template}, values)
	}
	full := map[string]string{"link": "https://commons.example/x", "name": "Ann", "inviter": "Ben", "email": "new@example.org", "provider": "Example", "minutes": "15", "days": "7"}
	names, err := fs.Glob(files, "templates/*.txt.tmpl")
	if err != nil || len(names) < 9 {
		t.Fatal(names, err)
	}
	for _, name := range names {
		template := strings.TrimSuffix(path.Base(name), ".txt.tmpl")
		for _, values := range []map[string]string{full, {"link": full["link"]}} {
			l, err := compose("ann@example.org", template, values)
			if err != nil || l.Subject == "" || strings.Contains(l.Text+l.HTML, "no value") || !strings.HasPrefix(l.Text, "Hello") {
				t.Errorf("%s: %v\n%s", template, err, l.Text)
			}
			if strings.Contains(l.Text, "https://") != strings.Contains(l.HTML, "<a href") {
				t.Errorf("%s: one part has a link and the other none\n%s\n%s", template, l.Text, l.HTML)
			}
		}
	}
	t.Run("a value can neither add a header nor a paragraph nor markup", func(t *testing.T) {
		for _, evil := range []string{
			"Ann\r\nBcc: all@example.org\r\n\r\nBuy!", "Ann\nSubject: other", "Ann\x00\u2028Bcc: x", "=?utf-8?q?Ann=0D=0ABcc:_x?=", "<script>alert(1)</script>",
			"Ann\n\nClick here:\nhttps://evil.example/", strings.Repeat("A", 10_000), "\xff\xfe",
		} {
			l, err := compose("ann@example.org", "invitation", map[string]string{"link": full["link"], "name": evil, "inviter": evil})
			if err != nil {
				t.Fatal(err)
			}
			msg, err := message(l)
			if err != nil {
				t.Fatal(err)
			}
			var raw strings.Builder
			if _, err := msg.WriteTo(&raw); err != nil {
				t.Fatal(err)
			}
			header, subject, text, html := received{text: []byte(raw.String())}.open(t)
			if len(header) != 8 || header.Get("Bcc") != "" || subject != "You are invited to Commons" {
				t.Errorf("%q: %v", evil, header)
			}
			if strings.Count(text, "\n\n") != 3 || strings.Count(html, "<a ") != 1 || strings.Contains(html, "<script") || len(text) > 3000 {
				t.Errorf("%q:\n%s\n%s", evil, text, html)
			}
		}
	})
	t.Run("a sender's name is encoded", func(t *testing.T) {
		l, err := compose("ann@example.org", "sign-in", full)
		if err != nil {
			t.Fatal(err)
		}
		l.From.Name = "Commons\r\nBcc: x@example.org"
		if msg, err := message(l); err == nil {
			var raw strings.Builder
			_, _ = msg.WriteTo(&raw)
			if header, _, _, _ := (received{text: []byte(raw.String())}).open(t); header.Get("Bcc") != "" {
				t.Errorf("%v", header)
			}
		}
	})
	for _, address := range []string{
		"", "ann", "ann@example.org\r\nBcc: x@example.org", "ann@example.org, ben@example.org", "Ann <ann@example.org>", "<ann@example.org>",
		"ann@example.org>\r\nRCPT TO:<ben@example.org", "ann@exa mple.org", " ann@example.org", "=?utf-8?q?ann?= <x@example.org>",
	} {
		t.Run(fmt.Sprintf("%q is no address to send to", address), func(t *testing.T) {
			if _, err := compose(address, "sign-in", full); !errors.Is(err, ErrRefused) {
				t.Error(err)
			}
		})
	}
	for _, bad := range []string{"", "javascript:alert(1)", "/relative", "data:text/html,x", "https:nohost", "//evil.example/x"} {
		t.Run(fmt.Sprintf("%q is no link", bad), func(t *testing.T) {
			if _, err := compose("ann@example.org", "sign-in", map[string]string{"link": bad}); !errors.Is(err, ErrRefused) {
				t.Error(err)
			}
		})
	}
	t.Run("an unknown template is refused", func(t *testing.T) {
		if _, err := compose("ann@example.org", "nothing", nil); !errors.Is(err, ErrRefused) {
			t.Error(err)
		}
	})
}
