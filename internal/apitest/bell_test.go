package apitest_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pursuing-equity/commons/ent"
	"github.com/pursuing-equity/commons/ent/notification"
	"github.com/pursuing-equity/commons/ent/roleassignment"
	"github.com/pursuing-equity/commons/ent/space"
	"github.com/pursuing-equity/commons/ent/spacemembership"
	"github.com/pursuing-equity/commons/internal/apitest"
	"github.com/pursuing-equity/commons/internal/gid"
)

const (
	bellGroups = `query($first: Int!, $after: Cursor) { viewer { unreadNotificationCount notificationGroups(first: $first, after: $after) {
		edges { cursor node { thread { id title } newest { id readAt reasons subject { ... on Post { id } } } unreadCount actors { handle } } } pageInfo { hasNextPage endCursor } } } }`
	readGroup = `mutation($input: MarkNotificationGroupReadInput!) { markNotificationGroupRead(input: $input) { viewer { unreadNotificationCount } errors { code path } } }`
	bell      = `{ viewer { unreadNotificationCount notifications(first: 20) { edges { node { id reasons readAt actor { handle } subject { ... on Post { id } } } } } } }`
)

func TestNotificationGroups(t *testing.T) {
	apitest.Each(t, func(w *apitest.World) {
		ada, ben, cay, eve := w.Member("ada"), w.Member("ben"), w.Member("cay"), w.Member("eve")
		network, group := w.Space(space.KindNETWORK, "Network", ada, ben, cay, eve), w.Space(space.KindAFFINITY, "Unspoken", cay, ben)
		one, two, secret := w.Thread(ada, network, "One", "x"), w.Thread(ada, network, "Two", "x"), w.Thread(cay, group, "Secret", "x")
		call := func(by *apitest.Person, in gid.ID) gid.ID { return w.Post(by, in, "@"+ben.Handle+" hello") }
		call(ada, one)
		call(cay, two)
		call(cay, secret)
		call(cay, one)
		last := call(eve, one)
		groups := func(first int) *apitest.Response { return ben.Must(bellGroups, vars{"first": first}) }
		titles := func(r *apitest.Response) (all []string) {
			for i := range r.Len("viewer.notificationGroups.edges") {
				all = append(all, fmt.Sprintf("%s %d", r.String(fmt.Sprintf("viewer.notificationGroups.edges.%d.node.thread.title", i)), r.Int(fmt.Sprintf("viewer.notificationGroups.edges.%d.node.unreadCount", i))))
			}
			return all
		}
		w.T.Run("there is one group for each thread, by its newest notification, with how many are unread and who wrote last", func(t *testing.T) {
			r := groups(10)
			if got := titles(r); !slices.Equal(got, []string{"One 3", "Secret 1", "Two 1"}) {
				t.Fatalf("%q", got)
			}
			at := "viewer.notificationGroups.edges.0.node."
			if r.String(at+"newest.subject.id") != last.String() || r.String(at+"actors.0.handle") != eve.Handle || r.String(at+"actors.1.handle") != cay.Handle || r.String(at+"actors.2.handle") != ada.Handle {
				t.Errorf("%s", r.Body)
			}
		})
		w.T.Run("pages are turned by the newest notification, and as many statements bring a large page as a small one", func(t *testing.T) {
			var all []string
			for r := groups(1); ; {
				all = append(all, titles(r)...)
				if r.At("viewer.notificationGroups.pageInfo.hasNextPage") != true {
					break
				}
				r = ben.Must(bellGroups, vars{"first": 1, "after": r.At("viewer.notificationGroups.pageInfo.endCursor")})
			}
			if !slices.Equal(all, []string{"One 3", "Secret 1", "Two 1"}) {
				t.Errorf("%q", all)
			}
			ask := func(first int) func() { return func() { groups(first) } }
			if few, many := w.LeastStatements(ask(1)), w.LeastStatements(ask(100)); few != many {
				t.Errorf("%d statements for one group, %d for three", few, many)
			}
		})
		w.T.Run("a group whose thread the member cannot see any more is gone, and one of another's is none of theirs", func(t *testing.T) {
			w.App.Store.Client(w.System()).SpaceMembership.Delete().Where(spacemembership.SpaceID(group), spacemembership.MemberID(ben.ID)).ExecX(w.System())
			if got := titles(groups(10)); !slices.Equal(got, []string{"One 3", "Two 1"}) {
				t.Errorf("%q", got)
			}
			a, b := ben.Do(readGroup, input(vars{"threadId": secret})), ben.Do(readGroup, input(vars{"threadId": w.NewID(gid.Thread)}))
			if a.Code() != "NOT_FOUND" || a.Body != b.Body {
				t.Errorf("%s, and of nothing %s", a.Body, b.Body)
			}
			if n := ada.Must(bellGroups, vars{"first": 10}).Len("viewer.notificationGroups.edges"); n != 0 {
				t.Errorf("ada has %d", n)
			}
		})
		w.T.Run("whom the member does not hear is not in a group, which stands where it was without them", func(t *testing.T) {
			ben.Must(`mutation($input: BlockMemberInput!) { blockMember(input: $input) { errors { code } } }`, input(vars{"memberId": eve.ID}))
			r := groups(10)
			if got := titles(r); !slices.Equal(got, []string{"One 2", "Two 1"}) || r.String("viewer.notificationGroups.edges.0.node.actors.0.handle") != cay.Handle {
				t.Errorf("%q: %s", got, r.Body)
			}
		})
		w.T.Run("a group is read at once, on all devices, and again when there is more", func(t *testing.T) {
			live := follow(w, ben)
			if n := ben.Must(readGroup, input(vars{"threadId": one})).Int("markNotificationGroupRead.viewer.unreadNotificationCount"); n != 1 {
				t.Errorf("%d unread", n)
			}
			if got := live.Next(); got.String("notificationEvents.__typename") != "NotificationsRead" {
				t.Errorf("%s", got.Body)
			}
			ben.Must(readGroup, input(vars{"threadId": one}))
			if got := titles(groups(10)); !slices.Equal(got, []string{"One 0", "Two 1"}) {
				t.Errorf("%q", got)
			}
			call(ada, two)
			if got := live.Next(); got.String("notificationEvents.__typename") != "NotificationCreated" {
				t.Errorf("%s", got.Body)
			}
			if got := titles(groups(10)); !slices.Equal(got, []string{"Two 2", "One 0"}) {
				t.Errorf("%q", got)
			}
		})
	})
}

// Of 10,000 notifications a page of groups reads those that are newer than its last group, by an index, and sorts nothing.
func TestGroupsOfManyNotifications(t *testing.T) {
	apitest.Each(t, func(w *apitest.World) {
		ada, ben := w.Member("ada"), w.Member("ben")
		network := w.Space(space.KindNETWORK, "Network", ada, ben)
		const threads, each = 500, 20
		at := w.App.Config.Now().Add(-time.Hour)
		var posts [threads][each]gid.ID
		ids := make([]gid.ID, threads)
		for from := 0; from < threads; from += 25 {
			w.Tx(func(ctx context.Context, tx *ent.Client) error {
				var ts []*ent.ThreadCreate
				var ps []*ent.PostCreate
				for i := from; i < from+25; i++ {
					ids[i] = w.NewID(gid.Thread)
					ts = append(ts, tx.Thread.Create().SetID(ids[i]).SetSpaceID(network).SetAuthorID(ada.ID).SetTitle("T").SetPostSeq(each).SetCreatedAt(at).SetUpdatedAt(at).SetLastActivityAt(at))
					for n := range each {
						posts[i][n] = w.NewID(gid.Post)
						ps = append(ps, tx.Post.Create().SetID(posts[i][n]).SetThreadID(ids[i]).SetAuthorID(ada.ID).SetSeq(n+1).SetBody("x").SetBodyHTML("<p>x</p>").SetCreatedAt(at))
					}
				}
				if err := tx.Thread.CreateBulk(ts...).Exec(ctx); err != nil {
					return err
				}
				return tx.Post.CreateBulk(ps...).Exec(ctx)
			})
		}
		for n := range each { // in turn, as threads grow beside each other
			w.Tx(func(ctx context.Context, tx *ent.Client) error {
				rows := make([]*ent.NotificationCreate, threads)
				for i := range rows {
					made := at.Add(time.Duration(n*threads+i) * time.Millisecond)
					rows[i] = tx.Notification.Create().SetID(gid.New(gid.Notification, made)).SetCreatedAt(made).SetToldAt(made).SetRecipientID(ben.ID).SetActorID(ada.ID).SetThreadID(ids[i]).
						SetPostID(posts[i][n]).SetReasons([]string{"WATCHING"})
				}
				return tx.Notification.CreateBulk(rows...).Exec(ctx)
			})
		}
		if _, err := w.App.Store.Client(w.System()).ExecContext(w.System(), "ANALYZE"); err != nil {
			w.T.Fatal(err)
		}
		look := func(name string) {
			w.T.Run(name, func(t *testing.T) {
				took := time.Now()
				var r *apitest.Response
				statements := w.App.Store.Record(func() { r = ben.Must(bellGroups, vars{"first": 20}) })
				for _, s := range statements {
					if !strings.Contains(s.Query, "later") {
						continue
					}
					p := explained(t, w, s.Query, s.Args)
					t.Logf("%d groups, all of the page in %s; %d buffers\n%s", r.Len("viewer.notificationGroups.edges"), time.Since(took), p.buffers, p.text)
					if p.sorts || strings.Contains(p.text, "SCAN notifications\n") || strings.Contains(p.text, "Seq Scan notifications") {
						t.Errorf("the plan sorts or reads the whole table:\n%s", p.text)
					}
					return
				}
				t.Errorf("the list's statement is not among %d", len(statements))
			})
		}
		look("500 threads")
		w.App.Store.Client(w.System()).Notification.Update().Where(notification.RecipientID(ben.ID)).SetThreadID(ids[0]).ExecX(w.System())
		look("all in one thread, as after a merge")
	})
}

func TestBellOfModeration(t *testing.T) {
	eachWithOffice(t, func(w *apitest.World, o *apitest.Office, _ *clock) {
		ada, ben, eve, kim := w.Member("ada"), w.Member("ben"), w.Member("eve"), w.Member("kim")
		host, staff, outsider := w.Member("host"), w.Role(w.Member("staff"), roleassignment.RoleSTAFF), w.Member("outsider")
		network, group := w.Space(space.KindNETWORK, "Network", host, ada, ben, eve, kim), w.Space(space.KindAFFINITY, "Unspoken", ada, ben, eve)
		thread := w.Thread(ada, network, "On wards", "first")
		bad := w.Post(eve, thread, "a harmful word: heron")
		host.Must(`mutation($input: BlockMemberInput!) { blockMember(input: $input) { errors { code } } }`, input(vars{"memberId": eve.ID}))
		ben.Must(`mutation($input: BlockMemberInput!) { blockMember(input: $input) { errors { code } } }`, input(vars{"memberId": eve.ID}))
		is := toldOf
		by := " by " + eve.Handle

		w.T.Run("those who moderate are told once while flags wait, whomever they block, and not who flagged", func(t *testing.T) {
			ben.Must(flagPost, input(vars{"postId": bad, "reason": "HARASSMENT"}))
			kim.Must(flagPost, input(vars{"postId": bad, "reason": "SPAM"}))
			for _, p := range []*apitest.Person{host, staff} {
				is(t, p, "[FLAGGED] unread"+by)
			}
			for _, p := range []*apitest.Person{ada, ben, eve, kim, outsider} {
				is(t, p)
			}
		})
		w.T.Run("mail says that, and not what was written", func(t *testing.T) {
			due(w)
			l := latest(t, o, host)
			if !strings.Contains(l.Text, "flagged a post by eve") || strings.Contains(l.Raw+l.Text, "heron") || strings.Contains(l.Text, "ben") || l.Header.Get("Reply-To") != "" {
				t.Errorf("%s", l.Text)
			}
			if len(o.To(host)) != 1 || len(o.To(ben)) != 0 {
				t.Errorf("%d mails", len(o.To(host)))
			}
		})
		w.T.Run("once it is decided theirs is read, and who flagged is told, hidden or not, by nobody's name", func(t *testing.T) {
			staff.Must(resolve, input(vars{"postId": bad, "outcome": "UPHELD", "action": "WARN", "reason": "Be kind."}))
			is(t, host, "[FLAGGED] read"+by)
			is(t, staff, "[FLAGGED] read"+by)
			is(t, ben, "[FLAG_RESOLVED] unread"+by)
			is(t, kim, "[FLAG_RESOLVED] unread"+by)
			is(t, eve, "[WARNED] unread"+by)
			due(w)
			if l := latest(t, o, eve); !strings.Contains(l.Text, "have warned you") || strings.Contains(l.Text, "Be kind") {
				t.Errorf("%s", l.Text)
			}
			if l := latest(t, o, ben); !strings.Contains(l.Text, "have decided about a post that you flagged") {
				t.Errorf("%s", l.Text)
			}
		})
		w.T.Run("flagged again after that it comes up again, in the same notification", func(t *testing.T) {
			kim.Must(flagPost, input(vars{"postId": bad, "reason": "SPAM"}))
			is(t, host, "[FLAGGED] unread"+by)
			host.Must(hidePost, input(vars{"postId": bad, "reason": "R"}))
			is(t, host, "[FLAGGED] read"+by)
			is(t, kim, "[FLAG_RESOLVED] unread"+by)
			is(t, ben, "[FLAG_RESOLVED] read"+by) // the post is gone from sight
		})
		w.T.Run("of a hidden group only its own facilitators are told, and nobody of their own posts", func(t *testing.T) {
			said := w.Post(ben, w.Thread(ada, group, "Secret", "x"), "between us")
			eve.Must(flagPost, input(vars{"postId": said, "reason": "PRIVACY"}))
			is(t, ada, "[FLAGGED] unread by "+ben.Handle)
			is(t, staff, "[FLAGGED] read"+by)
			own := w.Post(host, thread, "by the facilitator")
			kim.Must(flagPost, input(vars{"postId": own, "reason": "OFF_TOPIC"}))
			is(t, host, "[FLAGGED] read"+by)
			is(t, staff, "[FLAGGED] unread by "+host.Handle, "[FLAGGED] read"+by)
		})
	})
}
