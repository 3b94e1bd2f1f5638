package apitest_test

import (
	"context"
	"fmt"
	"net"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/emersion/go-smtp"

	"github.com/pursuing-equity/commons/ent"
	"github.com/pursuing-equity/commons/ent/notification"
	"github.com/pursuing-equity/commons/ent/post"
	"github.com/pursuing-equity/commons/ent/space"
	"github.com/pursuing-equity/commons/internal/apitest"
	"github.com/pursuing-equity/commons/internal/apitest/database"
	"github.com/pursuing-equity/commons/internal/app"
)

// handOver gives a mail to a server that may be gone at any moment.
func handOver(ctx context.Context, socket, from, to, id, body string) error {
	conn, err := new(net.Dialer).DialContext(ctx, "unix", socket)
	if err != nil {
		return err
	}
	client := smtp.NewClientLMTP(conn)
	defer func() { _ = client.Close() }()
	if err := client.Mail(from, nil); err != nil {
		return err
	}
	if err := client.Rcpt(to, nil); err != nil {
		return err
	}
	w, err := client.Data()
	if err != nil {
		return err
	}
	if _, err := fmt.Fprintf(w, "From: %s\r\nTo: %s\r\nMessage-ID: %s\r\nSubject: Re: Hello\r\n\r\n%s\r\n", from, to, id, body); err != nil {
		return err
	}
	return w.Close()
}

// A mail that was taken is a post, once, however often the server that takes it is killed, and its sender, who was not answered, sends it again.
func TestAnswersByMailSurviveKills(t *testing.T) {
	database.Each(t, func(t *testing.T, url string) {
		const many, domain = 120, "reply.example"
		socket := filepath.Join(t.TempDir(), "lmtp")
		v := newVictim(t, url, func(c *app.Config) { c.InboundDomain = domain })
		v.server.Env = append(v.server.Env, "COMMONS_INBOUND_LISTEN=lmtp:unix:"+socket, "COMMONS_INBOUND_DOMAIN="+domain)
		ada, ben := v.Member("ada"), v.Member("ben")
		network := v.Space(space.KindNETWORK, "Network", ada, ben)
		thread := v.Thread(ada, network, "Plans", "Shall we, @"+ben.Handle+"?")
		client := v.App.Store.Client(v.System())
		must0(t, v.server.Start(t.Context()))
		v.until("ben is notified", func() bool {
			return client.Notification.Query().Where(notification.RecipientID(ben.ID)).ExistX(v.System())
		})
		must0(t, v.server.Kill())
		address, err := v.App.Inbound.ReplyAddress(v.System(), client.Notification.Query().Where(notification.RecipientID(ben.ID)).FirstIDX(v.System()))
		must0(t, err)

		var sending sync.WaitGroup
		var next, refused atomic.Int64
		ctx, stop := context.WithTimeout(t.Context(), 2*time.Minute)
		defer stop()
		for range 4 {
			sending.Go(func() {
				for i := next.Add(1); i <= many; i = next.Add(1) {
					for handOver(ctx, socket, ben.Handle+"@example.org", address, fmt.Sprintf("<%d@mail.example>", i), fmt.Sprintf("Answer %d.", i)) != nil {
						refused.Add(1)
						if ctx.Err() != nil {
							return
						}
					}
				}
			})
		}
		posted := func() int { return client.Post.Query().Where(post.AuthorID(ben.ID)).CountX(v.System()) }
		amidst := 0
		for _, n := range []int{1, many / 4, many / 2, 3 * many / 4} {
			if got := v.killAt(n, posted); got > 0 && got < many {
				amidst++
			}
		}
		if amidst == 0 {
			t.Error("it was never killed in the middle: this proves nothing")
		}
		must0(t, v.server.Start(t.Context()))
		sending.Wait()
		must0(t, v.server.Kill())
		bodies := map[string]int{}
		for _, p := range client.Post.Query().Where(post.AuthorID(ben.ID), post.ThreadID(thread)).AllX(v.System()) {
			bodies[p.Body]++
		}
		for i := range many {
			if n := bodies[fmt.Sprintf("Answer %d.", i+1)]; n != 1 {
				t.Errorf("mail %d is %d posts", i+1, n)
			}
		}
		if posted() != many {
			t.Errorf("%d posts, want %d", posted(), many)
		}
		soundPosts(v.World)
		t.Logf("killed in the middle %d times of 4; mails were sent again %d times", amidst, refused.Load())
	})
}

// Everybody gets one digest, however often the server that writes and sends them is killed on the way. What was sent when it was killed, and not yet
// written down as sent, comes again under the same Message-ID, by which mail programs know it.
func TestDigestsSurviveKills(t *testing.T) {
	database.Each(t, func(t *testing.T, url string) {
		const many = 400
		office := apitest.OpenOffice(t)
		v := newVictim(t, url)
		v.server.Env = append(v.server.Env, "COMMONS_SMTP_URL="+office.URL(), "COMMONS_MAIL_FROM=Commons <commons@commons.example>")
		ada := v.Member("ada")
		group := v.Space(space.KindWORKGROUP, "Large", ada)
		crowd(v.World, group, many)
		thread := v.Thread(ada, group, "Many", "first")
		v.Post(ada, thread, "second")
		client := v.App.Store.Client(v.System())
		must0(t, v.server.Start(t.Context()))
		v.until("everybody is notified", func() bool {
			return client.NotificationJob.Query().CountX(v.System()) == 0 && client.Notification.Query().Where(notification.ThreadID(thread)).CountX(v.System()) >= many
		})
		must0(t, v.server.Kill())
		told := client.Notification.Query().CountX(v.System())
		v.Tx(func(ctx context.Context, tx *ent.Client) error { // the hour of all has come
			return tx.Notification.Update().SetMailDueAt(v.App.Config.Now().Add(-time.Second)).ClearMailedAt().Exec(ctx)
		})
		came := func() int {
			seen := map[string]bool{}
			for _, l := range office.All() {
				seen[l.Envelope] = true
			}
			return len(seen)
		}
		amidst := 0
		for _, n := range []int{1, many / 3, 2 * many / 3} {
			if got := v.killAt(n, came); got > 0 && got < many {
				amidst++
			}
			v.expire("mails", "next_at")
		}
		if amidst == 0 {
			t.Error("it was never killed in the middle: this proves nothing")
		}
		must0(t, v.server.Start(t.Context()))
		v.until("all mail went", func() bool {
			return client.Mail.Query().CountX(v.System())+client.Notification.Query().Where(notification.MailDueAtNotNil()).CountX(v.System()) == 0
		})
		must0(t, v.server.Kill())
		digests, all := map[string]map[string]bool{}, office.All()
		for _, l := range all {
			if digests[l.Envelope] == nil {
				digests[l.Envelope] = map[string]bool{}
			}
			digests[l.Envelope][l.Header.Get("Message-Id")] = true
		}
		for address, ids := range digests {
			if len(ids) != 1 || !strings.HasSuffix(address, "@crowd.example") {
				t.Errorf("%s got %d digests", address, len(ids))
			}
		}
		if len(digests) != many {
			t.Errorf("%d members got a digest, want %d", len(digests), many)
		}
		t.Logf("killed in the middle %d times of 3; of %d notifications; %d mails came again", amidst, told, len(all)-many)
	})
}
