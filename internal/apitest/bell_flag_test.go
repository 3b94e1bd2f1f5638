package apitest_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/pursuing-equity/commons/ent/space"
	"github.com/pursuing-equity/commons/ent/spacemembership"
	"github.com/pursuing-equity/commons/internal/apitest"
	"github.com/pursuing-equity/commons/internal/gid"
)

// toldOf says what a member's bell shows: of each notification its reasons, whether it is unread, and by whom it is.
func toldOf(t *testing.T, p *apitest.Person, want ...string) {
	t.Helper()
	r := p.Must(bell, nil)
	var got []string
	for i := range r.Len("viewer.notifications.edges") {
		at := fmt.Sprintf("viewer.notifications.edges.%d.node.", i)
		state := "unread"
		if r.At(at+"readAt") != nil {
			state = "read"
		}
		got = append(got, fmt.Sprintf("%v %s by %s", r.At(at+"reasons"), state, r.String(at+"actor.handle")))
	}
	if !slices.Equal(got, want) {
		t.Errorf("%s is told %q, not %q", p.Handle, got, want)
	}
}

// A post that calls a moderator and is flagged as well is one notification of two things, of which one can be over without the other.
func TestFlaggedMention(t *testing.T) {
	eachWithOffice(t, func(w *apitest.World, o *apitest.Office, _ *clock) {
		ada, eve, kim, host := w.Member("ada"), w.Member("eve"), w.Member("kim"), w.Member("host")
		network := w.Space(space.KindNETWORK, "Network", host, ada, eve, kim)
		thread := w.Thread(ada, network, "On wards", "first")
		by := " by " + eve.Handle
		counts := func(t *testing.T, unread, mentions int) {
			t.Helper()
			r := host.Must(`{ viewer { unreadNotificationCount unreadMentionCount } }`, nil)
			if a, b := r.Int("viewer.unreadNotificationCount"), r.Int("viewer.unreadMentionCount"); a != unread || b != mentions {
				t.Errorf("%d unread, %d mentions", a, b)
			}
		}
		one := w.Post(eve, thread, "@"+host.Handle+" a grey heron")

		w.T.Run("bell and mail tell of both", func(t *testing.T) {
			kim.Must(flagPost, input(vars{"postId": one, "reason": "SPAM"}))
			toldOf(t, host, "[MENTION FLAGGED] unread"+by)
			counts(t, 1, 1)
			due(w)
			if l := latest(t, o, host); !strings.Contains(l.Text, "flagged a post by eve") || !strings.Contains(l.Text, "grey heron") {
				t.Errorf("%s", l.Text)
			}
		})
		w.T.Run("once the flags are resolved the mention is still unread, and its mail does not come again", func(t *testing.T) {
			live := follow(w, host)
			host.Must(resolve, input(vars{"postId": one, "outcome": "DISMISSED", "reason": "Fine."}))
			toldOf(t, host, "[MENTION] unread"+by)
			counts(t, 1, 1)
			for {
				if got := live.Next().String("notificationEvents.__typename"); got == "NotificationsRead" {
					break
				}
			}
			before := len(o.To(host))
			due(w)
			if after := len(o.To(host)); after != before {
				t.Errorf("%d mails more", after-before)
			}
		})
		w.T.Run("a mention that was read comes up for the flags alone, and is read when they are resolved", func(t *testing.T) {
			host.Must(readGroup, input(vars{"threadId": thread}))
			kim.Must(flagPost, input(vars{"postId": one, "reason": "SPAM"}))
			toldOf(t, host, "[MENTION FLAGGED] unread"+by)
			counts(t, 1, 0)
			due(w)
			if l := latest(t, o, host); !strings.Contains(l.Text, "flagged a post by eve") || strings.Contains(l.Text, "grey heron") {
				t.Errorf("%s", l.Text)
			}
			host.Must(resolve, input(vars{"postId": one, "outcome": "DISMISSED", "reason": "Fine."}))
			toldOf(t, host, "[MENTION] read"+by)
			counts(t, 0, 0)
		})
		w.T.Run("mail that waits for the mention goes when the flags are resolved before", func(t *testing.T) {
			two := w.Post(eve, thread, "@"+host.Handle+" a night heron")
			kim.Must(flagPost, input(vars{"postId": two, "reason": "SPAM"}))
			host.Must(resolve, input(vars{"postId": two, "outcome": "DISMISSED", "reason": "Fine."}))
			due(w)
			if l := latest(t, o, host); !strings.Contains(l.Text, "night heron") || strings.Contains(l.Text, "flagged") {
				t.Errorf("%s", l.Text)
			}
			host.Must(readGroup, input(vars{"threadId": thread}))
		})
		w.T.Run("who does not moderate there any more knows of no flags, in the list, the counts, the groups and in mail", func(t *testing.T) {
			three, four := w.Post(eve, thread, "@"+host.Handle+" a purple heron"), w.Post(eve, thread, "a squacco heron")
			for _, id := range []any{three, four} {
				kim.Must(flagPost, input(vars{"postId": id, "reason": "SPAM"}))
			}
			counts(t, 2, 1)
			w.App.Store.Client(w.System()).SpaceMembership.Update().Where(spacemembership.SpaceID(network), spacemembership.MemberID(host.ID)).
				SetRole(spacemembership.RoleMEMBER).ExecX(w.System())
			toldOf(t, host, "[MENTION] unread"+by, "[MENTION] read"+by, "[MENTION] read"+by)
			counts(t, 1, 1)
			r := host.Must(bellGroups, vars{"first": 10})
			if at := "viewer.notificationGroups.edges.0.node."; r.Int(at+"unreadCount") != 1 || r.String(at+"newest.subject.id") != three.String() {
				t.Errorf("%s", r.Body)
			}
			due(w)
			if l := latest(t, o, host); !strings.Contains(l.Text, "purple heron") || strings.Contains(l.Text, "flagged") {
				t.Errorf("%s", l.Text)
			}
		})
	})
}

func TestDeletedMentionOfWhoLeft(t *testing.T) {
	apitest.Each(t, func(w *apitest.World) {
		ada, ben := w.Member("ada"), w.Member("ben")
		group := w.Space(space.KindAFFINITY, "Unspoken", ada, ben)
		thread := w.Thread(ada, group, "Secret", "x")
		said := w.Post(ada, thread, "@"+ben.Handle+" hello")
		live := follow(w, ben)
		w.App.Store.Client(w.System()).SpaceMembership.Delete().Where(spacemembership.SpaceID(group), spacemembership.MemberID(ben.ID)).ExecX(w.System())
		ada.Must(`mutation($input: DeletePostInput!) { deletePost(input: $input) { post { id } errors { code } } }`, input(vars{"postId": said}))
		w.Join(group, ben, spacemembership.RoleMEMBER)
		toldOf(w.T, ben, "[MENTION] read by "+ada.Handle)
		w.Post(ada, thread, "@"+ben.Handle+" welcome back")
		if got := live.Next().String("notificationEvents.__typename"); got != "NotificationCreated" {
			w.T.Errorf("while they were away they heard of %s", got)
		}
		if n := ben.Must(`{ viewer { unreadMentionCount } }`, nil).Int("viewer.unreadMentionCount"); n != 1 {
			w.T.Errorf("%d mentions unread", n)
		}
	})
}

// What a member had read before flags came is unread to them for as long as they moderate, and no longer.
func TestReadBeforeFlags(t *testing.T) {
	apitest.Each(t, func(w *apitest.World) {
		eve, kim, host := w.Member("eve"), w.Member("kim"), w.Member("host")
		network := w.Space(space.KindNETWORK, "Network", host, eve, kim)
		thread := w.Thread(eve, network, "On wards", "first")
		said := w.Post(eve, thread, "@"+host.Handle+" a grey heron")
		host.Must(readGroup, input(vars{"threadId": thread}))
		kim.Must(flagPost, input(vars{"postId": said, "reason": "SPAM"}))
		shows := func(reasons, state string, unread int) {
			w.T.Helper()
			toldOf(w.T, host, reasons+" "+state+" by "+eve.Handle)
			r := host.Must(bellGroups, vars{"first": 10})
			if at := "viewer.notificationGroups.edges.0.node."; r.Int("viewer.unreadNotificationCount") != unread || r.Int(at+"unreadCount") != unread || (r.At(at+"newest.readAt") == nil) != (unread == 1) {
				w.T.Errorf("%d unread: %s", unread, r.Body)
			}
		}
		role := func(to spacemembership.Role) {
			w.App.Store.Client(w.System()).SpaceMembership.Update().Where(spacemembership.SpaceID(network), spacemembership.MemberID(host.ID)).SetRole(to).ExecX(w.System())
		}
		shows("[MENTION FLAGGED]", "unread", 1)
		role(spacemembership.RoleMEMBER)
		shows("[MENTION]", "read", 0)
		role(spacemembership.RoleFACILITATOR)
		shows("[MENTION FLAGGED]", "unread", 1)
	})
}

// A group whose old notification comes up again is above what was told before that, and pages go on from where they were.
func TestGroupsComeUpAgain(t *testing.T) {
	apitest.Each(t, func(w *apitest.World) {
		eve, kim, host := w.Member("eve"), w.Member("kim"), w.Member("host")
		network := w.Space(space.KindNETWORK, "Network", host, eve, kim)
		said := map[string]gid.ID{}
		for _, title := range []string{"One", "Two", "Three"} {
			said[title] = w.Post(eve, w.Thread(eve, network, title, "x"), "@"+host.Handle+" a grey heron")
		}
		page := func(after any) (title string, cursor any) {
			w.T.Helper()
			r := host.Must(bellGroups, vars{"first": 1, "after": after})
			if r.Len("viewer.notificationGroups.edges") == 0 {
				return "", nil
			}
			return r.String("viewer.notificationGroups.edges.0.node.thread.title"), r.At("viewer.notificationGroups.edges.0.cursor")
		}
		in := func(want ...string) {
			w.T.Helper()
			var got []string
			for title, after := page(nil); title != ""; title, after = page(after) {
				got = append(got, title)
			}
			if !slices.Equal(got, want) {
				w.T.Errorf("%q, not %q", got, want)
			}
		}
		in("Three", "Two", "One")
		host.Must(`mutation { markAllRead(input: { notifications: true }) { errors { code } } }`, nil)
		kim.Must(flagPost, input(vars{"postId": said["One"], "reason": "SPAM"}))
		in("One", "Three", "Two")
		_, first := page(nil)
		second, after := page(first)
		kim.Must(flagPost, input(vars{"postId": said["Two"], "reason": "SPAM"}))
		if third, _ := page(after); second != "Three" || third != "" {
			w.T.Errorf("after %q comes %q, which is above by now", second, third)
		}
		in("Two", "One", "Three")
		w.Post(eve, w.Thread(eve, network, "Four", "x"), "@"+host.Handle+" a night heron")
		in("Four", "Two", "One", "Three")
	})
}
