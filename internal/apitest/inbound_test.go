package apitest_test

import (
	"context"
	"errors"
	"net"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-smtp"

	"github.com/pursuing-equity/commons/ent"
	"github.com/pursuing-equity/commons/ent/notification"
	"github.com/pursuing-equity/commons/ent/space"
	"github.com/pursuing-equity/commons/ent/spacemembership"
	"github.com/pursuing-equity/commons/internal/apitest"
	"github.com/pursuing-equity/commons/internal/apitest/database"
	"github.com/pursuing-equity/commons/internal/gid"
	"github.com/pursuing-equity/commons/internal/viewer"
)

// letter is a mail by LMTP; empty fields are as a person's program would write them.
type letter struct{ envelope, from, to, id, header, body string }

// deliver sends a mail as the server in front does, and returns its answer: nil when it was taken.
func deliver(t *testing.T, socket string, l letter) *smtp.SMTPError {
	t.Helper()
	conn, err := new(net.Dialer).DialContext(t.Context(), "unix", socket)
	must0(t, err)
	client := smtp.NewClientLMTP(conn)
	defer func() { _ = client.Close() }()
	told := func(err error) *smtp.SMTPError {
		if err == nil {
			return nil
		}
		e, is := errors.AsType[*smtp.SMTPError](err)
		if !is {
			t.Fatal(err)
		}
		return e
	}
	if err := client.Mail(l.envelope, nil); err != nil {
		return told(err)
	}
	if err := client.Rcpt(l.to, nil); err != nil {
		return told(err)
	}
	w, err := client.Data()
	must0(t, err)
	text := "From: " + l.from + "\r\nTo: " + l.to + "\r\nMessage-ID: " + l.id + "\r\nSubject: Re: Hello\r\n" + l.header + "\r\n" + strings.ReplaceAll(l.body, "\n", "\r\n")
	_, err = w.Write([]byte(text))
	must0(t, err)
	return told(w.Close())
}

func TestAnswersByMail(t *testing.T) {
	t.Parallel()
	database.Each(t, func(t *testing.T, url string) {
		socket := filepath.Join(t.TempDir(), "lmtp")
		w := apitest.Serve(t, url, apitest.Inbound("lmtp:unix:"+socket))
		ada, ben := w.Member("ada"), w.Member("ben")
		network := w.Space(space.KindNETWORK, "Network", ada, ben)
		group := w.Space(space.KindAFFINITY, "Zanzibar", ada, ben)
		told := func(thread gid.ID) (id gid.ID, address string) {
			t.Helper()
			w.Eventually("ben is notified", func() bool {
				var err error
				id, err = w.App.Store.Client(w.System()).Notification.Query().Where(notification.RecipientID(ben.ID), notification.ThreadID(thread)).
					Order(notification.ByID()).FirstID(w.System())
				return err == nil
			})
			address, err := w.App.Inbound.ReplyAddress(w.System(), id)
			must0(t, err)
			return id, address
		}
		posts := func(thread gid.ID) *apitest.Response {
			return ada.Must(`query($id: ID!) { node(id: $id) { ... on Thread { posts(first: 100) { edges { node { body author { id } replyTo { id } } } } } } }`, vars{"id": thread})
		}
		from := ben.Handle + "@example.org"
		thread := w.Thread(ada, network, "Plans", "Shall we, @"+ben.Handle+"?")
		_, address := told(thread)
		const quote = "Yes, *gladly*.\n\nOn Tue, 12 Mar 2024 at 10:00, Ada <a@example.org> wrote:\n> Shall we?\n"

		t.Run("an answer is posted, without what it quotes", func(t *testing.T) {
			l := letter{from, `"Ben" <` + strings.ToUpper(from) + ">", strings.ToUpper(address), "<1@mail.example>", "", quote}
			if e := deliver(t, socket, l); e != nil {
				t.Fatal(e)
			}
			got := posts(thread)
			if got.Len("node.posts.edges") != 2 || got.String("node.posts.edges.1.node.body") != "Yes, *gladly*." || got.String("node.posts.edges.1.node.author.id") != ben.ID.String() ||
				got.At("node.posts.edges.1.node.replyTo") == nil {
				t.Errorf("%s", got.Body)
			}
		})
		t.Run("the same mail makes one post, however often and at once it comes", func(t *testing.T) {
			var sending sync.WaitGroup
			for range 8 {
				sending.Go(func() {
					for {
						e := deliver(t, socket, letter{from, from, address, "<2@mail.example>", "", "Twice."})
						if e == nil {
							return
						}
						if e.Code != 451 {
							t.Error(e)
							return
						}
					}
				})
			}
			sending.Wait()
			if got := posts(thread); got.Len("node.posts.edges") != 3 {
				t.Errorf("%s", got.Body)
			}
		})
		t.Run("HTML, encodings and charsets are read", func(t *testing.T) {
			header := "Content-Type: multipart/alternative; boundary=b\r\n"
			body := "--b\nContent-Type: text/html; charset=iso-8859-1\nContent-Transfer-Encoding: quoted-printable\n\n<p>Gr=FC=DFe</p><blockquote>x</blockquote>\n--b--\n"
			if e := deliver(t, socket, letter{from, from, address, "<3@mail.example>", header, body}); e != nil {
				t.Fatal(e)
			}
			if got := posts(thread); got.String("node.posts.edges.3.node.body") != "Grüße" {
				t.Errorf("%s", got.Body)
			}
		})
		t.Run("what programs and lists send is refused", func(t *testing.T) {
			for name, l := range map[string]letter{
				"no sender":         {"", from, address, "<4@mail.example>", "", "Hello"},
				"an automatic one":  {from, from, address, "<5@mail.example>", "Auto-Submitted: auto-replied\r\n", "Hello"},
				"a list":            {from, from, address, "<6@mail.example>", "List-Id: <a.example>\r\n", "Hello"},
				"bulk":              {from, from, address, "<7@mail.example>", "Precedence: bulk\r\n", "Hello"},
				"an out of office":  {from, from, address, "<8@mail.example>", "X-Auto-Response-Suppress: All\r\n", "Hello"},
				"a mail of our own": {from, from, address, "<" + w.NewID(gid.Mail).String() + "@commons.example>", "", "Hello"},
				"a report":          {from, from, address, "<9@mail.example>", "Content-Type: multipart/report; boundary=b\r\n", "--b--"},
			} {
				if e := deliver(t, socket, l); e == nil || e.Code != 550 {
					t.Errorf("%s: %v", name, e)
				}
			}
			for name, l := range map[string]letter{
				"nothing but a quote": {from, from, address, "<10@mail.example>", "", "> Shall we?"},
				"two senders":         {from, from + ", a@example.org", address, "<11@mail.example>", "", "Hello"},
			} {
				if e := deliver(t, socket, l); e == nil || e.Code != 550 {
					t.Errorf("%s: %v", name, e)
				}
			}
			if got := posts(thread); got.Len("node.posts.edges") != 4 {
				t.Errorf("%s", got.Body)
			}
		})
		t.Run("nobody else can use the address, nor guess one", func(t *testing.T) {
			forged := address[:len("reply+")+30] + strings.Repeat("a", 12) + "@reply.example"
			for _, to := range []string{forged, "reply+@reply.example", "reply@reply.example", "postmaster@reply.example", strings.Replace(address, "reply.example", "elsewhere.example", 1)} {
				if e := deliver(t, socket, letter{from, from, to, "<12@mail.example>", "", "Hello"}); e == nil || e.Code != 550 || e.EnhancedCode != (smtp.EnhancedCode{5, 1, 1}) {
					t.Errorf("%s: %v", to, e)
				}
			}
			other := ada.Handle + "@example.org"
			if e := deliver(t, socket, letter{other, other, address, "<13@mail.example>", "", "Hello"}); e == nil || e.Code != 550 {
				t.Errorf("%v", e)
			}
		})
		t.Run("a locked thread says so", func(t *testing.T) {
			locked := w.Thread(ada, network, "Closed", "@"+ben.Handle)
			_, to := told(locked)
			_, err := w.App.Forum.LockThread(ada.Context(), ada.Viewer, locked, "Enough")
			must0(t, err)
			if e := deliver(t, socket, letter{from, from, to, "<14@mail.example>", "", "Hello"}); e == nil || e.Code != 550 || !strings.Contains(e.Message, "locked") {
				t.Errorf("%v", e)
			}
		})
		t.Run("a thread that the sender can no longer see is told nothing of", func(t *testing.T) {
			hidden := w.Thread(ada, group, "Secret plans", "@"+ben.Handle)
			_, to := told(hidden)
			if e := deliver(t, socket, letter{from, from, to, "<15@mail.example>", "", "Inside."}); e != nil {
				t.Fatal(e)
			}
			_, err := w.App.Forum.LockThread(ada.Context(), ada.Viewer, hidden, "Enough") // of which nothing must show either
			must0(t, err)
			w.Tx(func(ctx context.Context, tx *ent.Client) error {
				return tx.SpaceMembership.Update().Where(spacemembership.SpaceID(group), spacemembership.MemberID(ben.ID)).
					SetEndsAt(w.App.Config.Now().Add(-time.Second).Truncate(time.Millisecond)).Exec(ctx)
			})
			gone := deliver(t, socket, letter{from, from, to, "<16@mail.example>", "", "Outside."})
			other := ada.Handle + "@example.org"
			never := deliver(t, socket, letter{other, other, address, "<17@mail.example>", "", "Outside."})
			if gone == nil || never == nil || gone.Code != never.Code || gone.EnhancedCode != never.EnhancedCode ||
				strings.ReplaceAll(gone.Message, to, "") != strings.ReplaceAll(never.Message, address, "") || strings.Contains(gone.Message, "locked") {
				t.Errorf("%v, %v", gone, never)
			}
			if got := posts(hidden); got.Len("node.posts.edges") != 2 {
				t.Errorf("%s", got.Body)
			}
		})
		t.Run("somebody whose account is closed posts nothing", func(t *testing.T) {
			carl := w.Member("carl")
			w.Join(network, carl, spacemembership.RoleMEMBER)
			open := w.Thread(ada, network, "For carl", "@"+carl.Handle)
			var id gid.ID
			w.Eventually("carl is notified", func() bool {
				var err error
				id, err = w.App.Store.Client(w.System()).Notification.Query().Where(notification.RecipientID(carl.ID)).FirstID(w.System())
				return err == nil
			})
			to, err := w.App.Inbound.ReplyAddress(w.System(), id)
			must0(t, err)
			_, err = w.App.Accounts.Deactivate(carl.Context(), viewer.Session(carl.ID, gid.ID{}), nil, "")
			must0(t, err)
			mine := carl.Handle + "@example.org"
			if e := deliver(t, socket, letter{mine, mine, to, "<18@mail.example>", "", "Hello"}); e == nil || e.Code != 550 {
				t.Errorf("%v", e)
			}
			if got := posts(open); got.Len("node.posts.edges") != 1 {
				t.Errorf("%s", got.Body)
			}
		})
		t.Run("what has trouble here is asked for again", func(t *testing.T) {
			must0(t, w.App.Store.Close())
			if e := deliver(t, socket, letter{from, from, address, "<19@mail.example>", "", "Hello"}); e == nil || e.Code != 451 {
				t.Errorf("%v", e)
			}
		})
	})
}
