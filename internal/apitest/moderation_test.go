package apitest_test

import (
	"fmt"
	"sync"
	"testing"

	"github.com/pursuing-equity/commons/ent/event"
	"github.com/pursuing-equity/commons/ent/flag"
	"github.com/pursuing-equity/commons/ent/member"
	"github.com/pursuing-equity/commons/ent/moderationaction"
	"github.com/pursuing-equity/commons/ent/roleassignment"
	"github.com/pursuing-equity/commons/ent/space"
	"github.com/pursuing-equity/commons/internal/apitest"
)

const (
	flagPost = `mutation($input: FlagPostInput!) { flagPost(input: $input) { flag { id state reporter { name } resolvedBy { name } resolution } errors { code message path } } }`
	resolve  = `mutation($input: ResolveFlagsInput!) { resolveFlags(input: $input) { post { id body hiddenAt hiddenBody hiddenReason } errors { code message path } } }`
	hidePost = `mutation($input: HidePostInput!) { hidePost(input: $input) { post { id body bodyHTML hiddenAt hiddenBody hiddenReason viewerCanHide viewerCanFlag } errors { code message path } } }`
	unhide   = `mutation($input: UnhidePostInput!) { unhidePost(input: $input) { post { id body bodyHTML hiddenAt hiddenBody viewerCanHide } errors { code message path } } }`
	warn     = `mutation($input: WarnMemberInput!) { warnMember(input: $input) { warning { id reason moderator { name } } errors { code message path } } }`
	queue    = `{ moderationQueue(first: 10) { edges { flagCount node { id body } flags { reason note reporter { name } } } } }`
	actions  = `query($id: ID!) { node(id: $id) { ... on Space { viewerOpenFlagCount moderationActions(first: 20) { edges { node { kind reason moderator { name } member { name } post { id } } } } } } }`
	aPost    = `query($id: ID!) { node(id: $id) { ... on Post { body bodyHTML quote hiddenAt hiddenBody hiddenReason reactions { emoji } poll { question } attachments { id }
		revisions(first: 10) { edges { cursor } } viewerCanEdit viewerCanReact viewerCanFlag viewerCanHide viewerFlag { state } thread { postCount viewerUnreadCount answered lastPost { body } } } } }`
	moderationEvents = `subscription { notificationEvents { __typename ... on ModerationQueueChanged { openFlagCount post { id } } ... on FlagResolved { flag { state resolvedBy { name } } }
		... on OwnPostModerated { post { id body hiddenAt hiddenBody } } ... on MemberWarned { warning { id reason moderator { name } } } } }`
	warnings = `{ account { warnings { id reason acknowledgedAt moderator { name } space { id } } flags { state } } }`
)

// follow subscribes a person to their own events.
func follow(w *apitest.World, p *apitest.Person) *apitest.Subscription {
	before, _ := w.App.Events.Subscriptions()
	live := p.Subscribe(moderationEvents, nil)
	w.Eventually("it is open", func() bool { n, _ := w.App.Events.Subscriptions(); return n > before })
	return live
}

func TestFlags(t *testing.T) {
	apitest.Each(t, func(w *apitest.World) {
		ada, ben, eve, kim := w.Member("ada"), w.Member("ben"), w.Member("eve"), w.Member("kim")
		host, second, outsider := w.Member("host"), w.Role(w.Member("second"), roleassignment.RoleSTAFF), w.Member("outsider")
		network := w.Space(space.KindNETWORK, "Network", host, ada, ben, eve, kim)
		thread := w.Thread(ada, network, "On wards", "first")
		bad := w.Post(eve, thread, "a harmful word: heron")

		w.T.Run("a reader flags a post once while it waits, and an outsider finds nothing", func(t *testing.T) {
			live := follow(w, host)
			first := ben.Must(flagPost, input(vars{"postId": bad, "reason": "HARASSMENT", "note": "Look at this.", "idempotencyKey": "k"}))
			again := ben.Must(flagPost, input(vars{"postId": bad, "reason": "HARASSMENT", "note": "Look at this.", "idempotencyKey": "k"}))
			if first.String("flagPost.flag.id") != again.String("flagPost.flag.id") || first.String("flagPost.flag.reporter.name") != "ben" {
				t.Errorf("%s %s", first.Body, again.Body)
			}
			if code := ben.Do(flagPost, input(vars{"postId": bad, "reason": "SPAM"})).Code(); code != "ALREADY_EXISTS" {
				t.Errorf("twice: %q", code)
			}
			kim.Must(flagPost, input(vars{"postId": bad, "reason": "SPAM"}))
			if code := outsider.Do(flagPost, input(vars{"postId": bad, "reason": "SPAM"})).Code(); code != "NOT_FOUND" {
				t.Errorf("outsider: %q", code)
			}
			if code := ben.Do(flagPost, input(vars{"postId": bad, "reason": "OTHER"})).Code(); code != "INVALID_INPUT" {
				t.Errorf("other without a note: %q", code)
			}
			if got := live.Next(); got.String("notificationEvents.__typename") != "ModerationQueueChanged" || got.Int("notificationEvents.openFlagCount") != 1 {
				t.Errorf("the facilitator is told %s", got.Body)
			}
		})
		w.T.Run("those who moderate see who flagged, and the author and readers see nothing", func(t *testing.T) {
			for _, p := range []*apitest.Person{host, second} {
				r := p.Must(queue, nil)
				if r.Len("moderationQueue.edges") != 1 || r.Int("moderationQueue.edges.0.flagCount") != 2 || r.String("moderationQueue.edges.0.flags.0.reporter.name") != "ben" {
					t.Errorf("%s", r.Body)
				}
				if n := p.Must(actions, vars{"id": network}).Int("node.viewerOpenFlagCount"); n != 1 || p.Must(`{ account { openFlagCount } }`, nil).Int("account.openFlagCount") != 1 {
					t.Errorf("%d", n)
				}
			}
			id := ben.Must(`{ account { flags { id } } }`, nil).String("account.flags.0.id")
			for _, p := range []*apitest.Person{ada, eve, kim} {
				r := p.Must(queue, nil)
				if r.Len("moderationQueue.edges") != 0 || p.Must(actions, vars{"id": network}).Int("node.viewerOpenFlagCount") != 0 {
					t.Errorf("%s", r.Body)
				}
				if code := p.Do(`query($id: ID!) { node(id: $id) { id } }`, vars{"id": id}).Code(); code != "NOT_FOUND" {
					t.Errorf("the flag itself: %q", code)
				}
				if code := p.Do(resolve, input(vars{"postId": bad, "outcome": "DISMISSED"})).Code(); code != "FORBIDDEN" {
					t.Errorf("decides: %q", code)
				}
			}
			if code := outsider.Do(resolve, input(vars{"postId": bad, "outcome": "DISMISSED"})).Code(); code != "NOT_FOUND" {
				t.Errorf("outsider: %q", code)
			}
		})
		w.T.Run("of two moderators at once exactly one decides, and the other sees how", func(t *testing.T) {
			live := follow(w, ben)
			codes := make([]string, 2)
			var both sync.WaitGroup
			for i, p := range []*apitest.Person{host, second} {
				both.Go(func() {
					r := p.Do(resolve, input(vars{"postId": bad, "outcome": "UPHELD", "action": "HIDE", "reason": "by " + p.Handle}))
					codes[i] = r.Code()
					if r.String("resolveFlags.post.hiddenBody") != "a harmful word: heron" || r.String("resolveFlags.post.body") != "" {
						t.Errorf("%s", r.Body)
					}
				})
			}
			both.Wait()
			if fmt.Sprint(codes) != "[ ALREADY_EXISTS]" && fmt.Sprint(codes) != "[ALREADY_EXISTS ]" {
				t.Errorf("codes %q", codes)
			}
			c := w.App.Store.Client(w.System())
			if n := c.ModerationAction.Query().Where(moderationaction.PostID(bad)).CountX(w.System()); n != 1 {
				t.Errorf("%d acts", n)
			}
			if n := c.Flag.Query().Where(flag.StateEQ(flag.StateUPHELD)).CountX(w.System()); n != 2 {
				t.Errorf("%d flags upheld", n)
			}
			if got := live.Next(); got.String("notificationEvents.flag.state") != "UPHELD" || got.At("notificationEvents.flag.resolvedBy") != nil {
				t.Errorf("who flagged is told %s", got.Body)
			}
			if n := host.Must(queue, nil).Len("moderationQueue.edges"); n != 0 {
				t.Errorf("%d wait", n)
			}
			r := host.Must(actions, vars{"id": network})
			if r.Len("node.moderationActions.edges") != 1 || r.String("node.moderationActions.edges.0.node.kind") != "HIDE" || r.String("node.moderationActions.edges.0.node.member.name") != "eve" {
				t.Errorf("%s", r.Body)
			}
			if n := ada.Must(actions, vars{"id": network}).Len("node.moderationActions.edges"); n != 0 {
				t.Errorf("a reader sees %d acts", n)
			}
		})
		w.T.Run("nobody flags their own posts, and no moderator decides about theirs", func(t *testing.T) {
			hosts := w.Post(host, thread, "by the facilitator")
			if code := host.Do(flagPost, input(vars{"postId": hosts, "reason": "SPAM"})).Code(); code != "FORBIDDEN" {
				t.Errorf("flags: %q", code)
			}
			live := follow(w, second)
			ben.Must(flagPost, input(vars{"postId": hosts, "reason": "OFF_TOPIC"}))
			if got := live.Next(); got.String("notificationEvents.post.id") != hosts.String() {
				t.Errorf("staff are told %s", got.Body)
			}
			if n := host.Must(queue, nil).Len("moderationQueue.edges"); n != 0 {
				t.Errorf("%d in their own queue", n)
			}
			for _, m := range []string{resolve, hidePost, unhide} {
				in := vars{"postId": hosts}
				if m == resolve {
					in["outcome"] = "DISMISSED"
				}
				if code := host.Do(m, input(in)).Code(); code != "FORBIDDEN" {
					t.Errorf("%s: %q", m, code)
				}
			}
			if code := second.Do(resolve, input(vars{"postId": hosts, "outcome": "DISMISSED", "action": "HIDE"})).Code(); code != "INVALID_INPUT" {
				t.Errorf("dismissed and hidden: %q", code)
			}
			second.Must(resolve, input(vars{"postId": hosts, "outcome": "DISMISSED"}))
			r := ben.Must(warnings, nil)
			if r.String("account.flags.0.state") != "DISMISSED" || r.String("account.flags.1.state") != "UPHELD" {
				t.Errorf("%s", r.Body)
			}
			ben.Must(flagPost, input(vars{"postId": hosts, "reason": "OFF_TOPIC"}))
		})
		w.T.Run("nobody moderates a direct conversation", func(t *testing.T) {
			direct := w.Space(space.KindDIRECT, "", eve, ben)
			said := w.Post(ben, w.Thread(eve, direct, "T", "B"), "between us")
			for query, in := range map[string]vars{
				flagPost: {"postId": said, "reason": "HARASSMENT"}, hidePost: {"postId": said}, warn: {"memberId": ben.ID, "spaceId": direct, "text": "No."},
			} {
				if code := eve.Do(query, input(in)).Code(); code != "FORBIDDEN" {
					t.Errorf("%s: %q", query, code)
				}
			}
		})
	})
}

// What is flagged in a hidden group is for its own facilitators: others see no row, no count, no event and no entry of the audit log.
func TestFlagsOfHiddenGroups(t *testing.T) {
	apitest.Each(t, func(w *apitest.World) {
		ada, ben, eve := w.Member("ada"), w.Member("ben"), w.Member("eve")
		admin, staff := w.Role(w.Member("admin"), roleassignment.RoleADMIN), w.Role(w.Member("staff"), roleassignment.RoleSTAFF)
		w.Space(space.KindNETWORK, "Network", w.Member("host"), ada, ben, eve)
		group := w.Space(space.KindAFFINITY, "Group", ada, ben, eve)
		said := w.Post(eve, w.Thread(ada, group, "T", "B"), "in confidence")
		counted := func() (n int) {
			for _, p := range []*apitest.Person{admin, staff} {
				n += w.App.Store.Client(w.System()).Member.Query().Where(member.ID(p.ID)).OnlyX(w.System()).EventSeq
				n += w.App.Store.Client(w.System()).Event.Query().Where(event.StreamID(p.ID)).CountX(w.System())
				n += p.Must(queue, nil).Len("moderationQueue.edges")
				n += p.Must(`{ auditEntries(first: 100) { edges { cursor } } }`, nil).Len("auditEntries.edges")
				n += p.Must(`{ viewer { unreadNotificationCount } }`, nil).Int("viewer.unreadNotificationCount")
			}
			return n
		}
		before := counted()
		live := follow(w, ada)
		ben.Must(flagPost, input(vars{"postId": said, "reason": "PRIVACY"}))
		if got := live.Next(); got.Int("notificationEvents.openFlagCount") != 1 {
			t.Errorf("the facilitator is told %s", got.Body)
		}
		if r := ada.Must(queue, nil); r.Len("moderationQueue.edges") != 1 {
			t.Errorf("%s", r.Body)
		}
		for _, p := range []*apitest.Person{admin, staff} {
			if code := p.Do(`query($id: ID!) { moderationQueue(first: 1, spaceId: $id) { edges { cursor } } }`, vars{"id": group}).Code(); code != "NOT_FOUND" {
				t.Errorf("queue of the group: %q", code)
			}
			for query, in := range map[string]vars{
				flagPost: {"postId": said, "reason": "SPAM"}, resolve: {"postId": said, "outcome": "UPHELD"}, hidePost: {"postId": said}, unhide: {"postId": said},
				warn: {"memberId": eve.ID, "postId": said, "text": "No."},
			} {
				if code := p.Do(query, input(in)).Code(); code != "NOT_FOUND" {
					t.Errorf("%s: %q", query, code)
				}
			}
		}
		ada.Must(resolve, input(vars{"postId": said, "outcome": "UPHELD", "action": "WARN", "reason": "Not even here."}))
		ada.Must(hidePost, input(vars{"postId": said}))
		if after := counted(); after != before {
			t.Errorf("administrators and staff see %d of it", after-before)
		}
		if r := eve.Must(warnings, nil); r.String("account.warnings.0.reason") != "Not even here." || r.String("account.warnings.0.space.id") != group.String() {
			t.Errorf("%s", r.Body)
		}
		audit := `query($id: ID!) { auditEntries(first: 10, subjectId: $id) { edges { node { action } } } }`
		if n := ada.Must(audit, vars{"id": said}).Len("auditEntries.edges"); n != 2 {
			t.Errorf("%d entries for who moderates the group", n)
		}
		ada.Must(unhide, input(vars{"postId": said}))
		warning := eve.Must(warnings, nil).String("account.warnings.0.id")
		for _, p := range []*apitest.Person{ben, eve} {
			for _, id := range []any{said, warning} {
				if r := p.Must(audit, vars{"id": id}); r.Len("auditEntries.edges") != 0 {
					t.Errorf("%s, who moderates nothing, reads %s", p.Handle, r.Body)
				}
			}
		}
	})
}

// A page of the queue, and of what moderators did, takes as many statements whatever is on it.
func TestModerationStatementsDoNotGrow(t *testing.T) {
	apitest.Each(t, func(w *apitest.World) {
		ada, eve, host := w.Member("ada"), w.Member("eve"), w.Member("host")
		network := w.Space(space.KindNETWORK, "Network", host, ada, eve)
		thread := w.Thread(eve, network, "T", "B")
		whole := `query($id: ID!) { moderationQueue(first: 50) { edges { flagCount flags { reporter { name } resolvedBy { name } resolution post { id } }
			node { hiddenBody hiddenReason viewerFlag { id } viewerCanHide viewerCanFlag } } }
			node(id: $id) { ... on Space { viewerOpenFlagCount moderationActions(first: 50) { edges { node { moderator { name } member { name } space { id } thread { id } post { hiddenBody } } } } } } }`
		cost := func() int64 { return w.LeastStatements(func() { host.Must(whole, vars{"id": network}) }) }
		some := func() {
			ada.Must(flagPost, input(vars{"postId": w.Post(eve, thread, "x"), "reason": "SPAM"}))
			hidden := w.Post(eve, thread, "y")
			host.Must(hidePost, input(vars{"postId": hidden}))
			host.Must(warn, input(vars{"memberId": eve.ID, "postId": hidden, "text": "No."}))
		}
		some()
		few := cost()
		for range 10 {
			some()
		}
		if many := cost(); many != few {
			w.T.Errorf("%d statements, and %d with more on the page", few, many)
		}
		r := host.Must(whole, vars{"id": network})
		if r.Len("moderationQueue.edges") != 11 || r.Len("node.moderationActions.edges") != 22 || r.Int("node.viewerOpenFlagCount") != 11 {
			w.T.Errorf("%s", r.Body)
		}
		turned := host.Must(`{ moderationQueue(last: 2) { edges { node { seq } } pageInfo { hasPreviousPage } } }`, nil)
		if turned.Int("moderationQueue.edges.1.node.seq") != 22 || turned.At("moderationQueue.pageInfo.hasPreviousPage") != true {
			w.T.Errorf("%s", turned.Body)
		}
	})
}
