package apitest_test

import (
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/pursuing-equity/commons/ent/event"
	"github.com/pursuing-equity/commons/ent/flag"
	"github.com/pursuing-equity/commons/ent/member"
	"github.com/pursuing-equity/commons/ent/moderationaction"
	"github.com/pursuing-equity/commons/ent/post"
	"github.com/pursuing-equity/commons/ent/roleassignment"
	"github.com/pursuing-equity/commons/ent/space"
	"github.com/pursuing-equity/commons/internal/apitest"
	"github.com/pursuing-equity/commons/internal/apitest/invariant"
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
		... on MemberWarned { warning { id reason moderator { name } } } } }`
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
			t.Errorf("%d entries for who belongs to the group", n)
		}
	})
}

func TestHiddenPosts(t *testing.T) {
	apitest.Each(t, func(w *apitest.World) {
		ada, ben, eve, host := w.Member("ada"), w.Member("ben"), w.Member("eve"), w.Member("host")
		network := w.Space(space.KindNETWORK, "Network", host, ada, ben, eve)
		started := ada.Must(`mutation($input: CreateThreadInput!) { createThread(input: $input) { thread { id } errors { code message } } }`,
			input(vars{"spaceId": network, "title": "A question", "body": "first", "kind": "QUESTION"}))
		thread := must(w.T, started.String("createThread.thread.id"))
		bad := must(w.T, eve.Must(apitest.Operation(w.T, "create-post"), input(vars{"threadId": thread, "body": "a heron, @" + ada.Handle})).String("createPost.post.id"))
		eve.Must(`mutation($input: EditPostInput!) { editPost(input: $input) { errors { code message } } }`, input(vars{"postId": bad, "expectedVersion": 1, "body": "a grey heron, @" + ada.Handle}))
		ben.Must(`mutation($input: AddReactionInput!) { addReaction(input: $input) { errors { code message } } }`, input(vars{"postId": bad, "emoji": "👍"}))
		ada.Must(`mutation($input: AcceptAnswerInput!) { acceptAnswer(input: $input) { errors { code message } } }`, input(vars{"postId": bad}))
		quoting := must(w.T, ben.Must(`mutation($input: CreatePostInput!) { createPost(input: $input) { post { id quote } errors { code message } } }`,
			input(vars{"threadId": thread, "body": "So?", "replyToId": bad, "quote": "a grey heron"})).String("createPost.post.id"))
		found := func(p *apitest.Person) int {
			return p.Must(`{ search(first: 10, query: "heron") { edges { cursor } } }`, nil).Len("search.edges")
		}
		events := ben.Subscribe(`subscription($id: ID!) { threadEvents(threadId: $id) { __typename ... on PostHidden { post { body bodyHTML hiddenAt } } ... on PostRestored { post { body } }
			... on ThreadChanged { thread { answered } } ... on PostEdited { post { id quote } } } }`, vars{"id": thread})
		w.Eventually("it is open", func() bool { n, _ := w.App.Events.Subscriptions(); return n == 1 })
		unread := func(p *apitest.Person) string {
			r := p.Must(`query($id: ID!) { node(id: $id) { ... on Thread { viewerUnreadCount space { viewerUnreadCount } } } viewer { unreadPostCount unreadMentionCount unreadNotificationCount } }`, vars{"id": thread})
			return fmt.Sprint(r.Int("node.viewerUnreadCount"), r.Int("node.space.viewerUnreadCount"), r.Int("viewer.unreadPostCount"), r.Int("viewer.unreadMentionCount"))
		}
		before := map[*apitest.Person]string{ada: unread(ada), ben: unread(ben), eve: unread(eve), host: unread(host)}

		w.T.Run("a reader sees a tombstone, its author and moderators what it said", func(t *testing.T) {
			r := host.Must(hidePost, input(vars{"postId": bad, "reason": "Be kind."}))
			if r.String("hidePost.post.body") != "" || r.At("hidePost.post.hiddenAt") == nil || r.String("hidePost.post.hiddenBody") != "a grey heron, @"+ada.Handle || r.At("hidePost.post.viewerCanHide") != false {
				t.Errorf("%s", r.Body)
			}
			r = eve.Must(aPost, vars{"id": bad})
			if r.String("node.body") != "" || r.String("node.hiddenBody") != "a grey heron, @"+ada.Handle || r.String("node.hiddenReason") != "Be kind." || r.At("node.viewerCanEdit") != false {
				t.Errorf("the author reads %s", r.Body)
			}
			r = ben.Must(aPost, vars{"id": bad})
			if r.String("node.body") != "" || r.String("node.bodyHTML") != "" || r.At("node.hiddenAt") == nil || r.At("node.hiddenBody") != nil || r.At("node.hiddenReason") != nil ||
				r.Len("node.reactions") != 0 || r.Len("node.revisions.edges") != 0 || r.At("node.viewerCanReact") != false || r.At("node.viewerCanFlag") != false ||
				r.Int("node.thread.postCount") != 2 || r.At("node.thread.answered") != false {
				t.Errorf("a reader reads %s", r.Body)
			}
			if r := ben.Must(aPost, vars{"id": quoting}); r.At("node.quote") != nil {
				t.Errorf("a quote says %s", r.Body)
			}
			host.Must(hidePost, input(vars{"postId": bad}))
		})
		w.T.Run("a live subscription of a reader is told without the text, and no search finds it", func(t *testing.T) {
			if got := events.Next(); got.String("threadEvents.__typename") != "PostHidden" || got.String("threadEvents.post.body") != "" || got.String("threadEvents.post.bodyHTML") != "" {
				t.Errorf("%s", got.Body)
			}
			if got := events.Next(); got.String("threadEvents.__typename") != "ThreadChanged" || got.At("threadEvents.thread.answered") != false {
				t.Errorf("%s", got.Body)
			}
			if got := events.Next(); got.String("threadEvents.post.id") != quoting.String() || got.At("threadEvents.post.quote") != nil {
				t.Errorf("%s", got.Body)
			}
			if found(ben) != 0 || found(eve) != 0 {
				t.Errorf("found by %d and %d", found(ben), found(eve))
			}
		})
		w.T.Run("it is unread for nobody, and its notifications are read", func(t *testing.T) {
			if got := unread(ada); got != "1 1 1 0" {
				t.Errorf("ada has %s unread, and before %s", got, before[ada])
			}
			if got := unread(host); got != "2 2 2 0" {
				t.Errorf("host has %s unread, and before %s", got, before[host])
			}
			ada.Must(`mutation($input: MarkThreadUnreadInput!) { markThreadUnread(input: $input) { errors { code } } }`, input(vars{"threadId": thread, "fromSeq": 1}))
			if got := unread(ada); got != "1 1 1 0" {
				t.Errorf("marked unread, ada has %s", got)
			}
		})
		w.T.Run("nobody edits, answers with a quote of, accepts or reacts to what is hidden", func(t *testing.T) {
			for query, in := range map[string]vars{
				`mutation($input: EditPostInput!) { editPost(input: $input) { errors { code } } }`:         {"postId": bad, "expectedVersion": 2, "body": "x"},
				`mutation($input: AddReactionInput!) { addReaction(input: $input) { errors { code } } }`:   {"postId": bad, "emoji": "👍"},
				`mutation($input: AcceptAnswerInput!) { acceptAnswer(input: $input) { errors { code } } }`: {"postId": bad},
			} {
				p := eve
				if in["expectedVersion"] == nil {
					p = ada
				}
				if code := p.Do(query, input(in)).Code(); code != "FORBIDDEN" {
					t.Errorf("%s: %q", query, code)
				}
			}
			if code := ben.Do(`mutation($input: CreatePostInput!) { createPost(input: $input) { errors { code } } }`, input(vars{"threadId": thread, "body": "x", "replyToId": bad, "quote": "a grey heron"})).Code(); code != "INVALID_INPUT" {
				t.Errorf("quote: %q", code)
			}
		})
		w.T.Run("shown again, all is as before", func(t *testing.T) {
			if code := eve.Do(unhide, input(vars{"postId": bad})).Code(); code != "FORBIDDEN" {
				t.Errorf("the author: %q", code)
			}
			r := host.Must(unhide, input(vars{"postId": bad}))
			if r.String("unhidePost.post.body") != "a grey heron, @"+ada.Handle || r.At("unhidePost.post.hiddenAt") != nil || r.At("unhidePost.post.hiddenBody") != nil {
				t.Errorf("%s", r.Body)
			}
			if got := events.Next(); got.String("threadEvents.__typename") != "PostRestored" || got.String("threadEvents.post.body") == "" {
				t.Errorf("%s", got.Body)
			}
			r = ben.Must(aPost, vars{"id": bad})
			if r.Len("node.reactions") != 1 || r.Len("node.revisions.edges") != 1 || r.Int("node.thread.postCount") != 3 || found(ben) != 1 {
				t.Errorf("%s", r.Body)
			}
			if r := ben.Must(aPost, vars{"id": quoting}); r.String("node.quote") != "a grey heron" {
				t.Errorf("a quote says %s", r.Body)
			}
			for p, counts := range before {
				if p == ada { // her mention was read when it was hidden, and stays so
					counts = "2 2 2 0"
				}
				if got := unread(p); got != counts {
					t.Errorf("%s has %s unread, and before %s", p.Handle, got, counts)
				}
			}
		})
		w.T.Run("what was hidden and then deleted is gone, and counted once", func(t *testing.T) {
			host.Must(hidePost, input(vars{"postId": bad}))
			eve.Must(apitest.Operation(t, "delete-post"), input(vars{"postId": bad}))
			r := eve.Must(aPost, vars{"id": bad})
			if r.At("node.hiddenAt") != nil || r.At("node.hiddenBody") != nil || r.Int("node.thread.postCount") != 2 {
				t.Errorf("%s", r.Body)
			}
			if got := unread(host); got != "2 2 2 0" {
				t.Errorf("host has %s unread", got)
			}
			if code := host.Do(hidePost, input(vars{"postId": bad})).Code(); code != "FORBIDDEN" {
				t.Errorf("hides a tombstone: %q", code)
			}
		})
		broken, err := invariant.Broken(w.System(), w.App.Store.Client(w.System()))
		if broken = slices.DeleteFunc(broken, func(s string) bool { return strings.HasPrefix(s, "search knows every active member") }); err != nil || len(broken) > 0 {
			w.T.Errorf("%v %q", err, broken) // but for members: builders do not index their names
		}
	})
}

func TestWarnings(t *testing.T) {
	apitest.Each(t, func(w *apitest.World) {
		ada, eve, host, outsider := w.Member("ada"), w.Member("eve"), w.Member("host"), w.Member("outsider")
		network := w.Space(space.KindNETWORK, "Network", host, ada, eve)
		said := w.Post(eve, w.Thread(ada, network, "T", "B"), "rude")
		acknowledge := `mutation($input: AcknowledgeWarningInput!) { acknowledgeWarning(input: $input) { warning { acknowledgedAt } errors { code } } }`

		live := follow(w, eve)
		r := host.Must(warn, input(vars{"memberId": eve.ID, "postId": said, "text": "Be kind.", "idempotencyKey": "k"}))
		host.Must(warn, input(vars{"memberId": eve.ID, "postId": said, "text": "Be kind.", "idempotencyKey": "k"}))
		id := r.String("warnMember.warning.id")
		if got := live.Next(); got.String("notificationEvents.warning.id") != id || got.String("notificationEvents.warning.reason") != "Be kind." || got.At("notificationEvents.warning.moderator") != nil {
			t.Errorf("the member is told %s", got.Body)
		}
		host.Must(warn, input(vars{"memberId": ada.ID, "spaceId": network, "text": "You too."}))
		w.T.Run("the member reads the warning, not who gave it, and acknowledges it", func(t *testing.T) {
			r := eve.Must(warnings, nil)
			if r.Len("account.warnings") != 1 || r.String("account.warnings.0.reason") != "Be kind." || r.At("account.warnings.0.acknowledgedAt") != nil || r.At("account.warnings.0.moderator") != nil {
				t.Errorf("%s", r.Body)
			}
			if code := ada.Do(acknowledge, input(vars{"warningId": id})).Code(); code != "NOT_FOUND" {
				t.Errorf("somebody else: %q", code)
			}
			at := eve.Must(acknowledge, input(vars{"warningId": id})).String("acknowledgeWarning.warning.acknowledgedAt")
			if again := eve.Must(acknowledge, input(vars{"warningId": id})).String("acknowledgeWarning.warning.acknowledgedAt"); at == "" || again != at {
				t.Errorf("%s and %s", at, again)
			}
			r = host.Must(actions, vars{"id": network})
			if r.Len("node.moderationActions.edges") != 2 || r.String("node.moderationActions.edges.1.node.moderator.name") != "host" {
				t.Errorf("%s", r.Body)
			}
		})
		w.T.Run("only whom a moderator sees there is warned", func(t *testing.T) {
			for what, c := range map[string]struct {
				by   *apitest.Person
				in   vars
				code string
			}{
				"a reader":                 {ada, vars{"memberId": eve.ID, "postId": said, "text": "x"}, "FORBIDDEN"},
				"an outsider":              {outsider, vars{"memberId": eve.ID, "postId": said, "text": "x"}, "NOT_FOUND"},
				"not its author":           {host, vars{"memberId": ada.ID, "postId": said, "text": "x"}, "NOT_FOUND"},
				"who does not belong":      {host, vars{"memberId": outsider.ID, "spaceId": network, "text": "x"}, "NOT_FOUND"},
				"themselves":               {host, vars{"memberId": host.ID, "spaceId": network, "text": "x"}, "FORBIDDEN"},
				"neither a space nor post": {host, vars{"memberId": eve.ID, "text": "x"}, "INVALID_INPUT"},
			} {
				if code := c.by.Do(warn, input(c.in)).Code(); code != c.code {
					t.Errorf("%s: %q", what, code)
				}
			}
		})
		w.T.Run("locks and suspensions stand in the log", func(t *testing.T) {
			thread := w.Thread(ada, network, "T", "B")
			host.Must(`mutation($input: LockThreadInput!) { lockThread(input: $input) { errors { code } } }`, input(vars{"threadId": thread, "reason": "Enough"}))
			host.Must(`mutation($input: UnlockThreadInput!) { unlockThread(input: $input) { errors { code } } }`, input(vars{"threadId": thread}))
			r := host.Must(actions, vars{"id": network})
			if r.String("node.moderationActions.edges.0.node.kind") != "UNLOCK" || r.String("node.moderationActions.edges.1.node.kind") != "LOCK" || r.String("node.moderationActions.edges.1.node.reason") != "Enough" {
				t.Errorf("%s", r.Body)
			}
			staff := w.Role(w.Member("staff"), roleassignment.RoleSTAFF)
			until := w.App.Config.Now().AddDate(0, 0, 3)
			staff.Must(`mutation($input: SuspendMemberInput!) { suspendMember(input: $input) { errors { code } } }`, input(vars{"memberId": eve.ID, "until": until, "reason": "Again."}))
			m := w.App.Store.Client(w.System()).ModerationAction.Query().Where(moderationaction.KindEQ(moderationaction.KindSUSPEND)).OnlyX(w.System())
			node := `query($id: ID!) { node(id: $id) { ... on ModerationAction { kind reason endsAt member { name } } } }`
			if r := staff.Must(node, vars{"id": m.ID}); r.String("node.reason") != "Again." || r.At("node.endsAt") == nil || r.String("node.member.name") != "eve" {
				t.Errorf("%s", r.Body)
			}
			if code := host.Do(node, vars{"id": m.ID}).Code(); code != "NOT_FOUND" {
				t.Errorf("a facilitator: %q", code)
			}
		})
	})
}

// What waits to be told outside forgets what is hidden meanwhile.
func TestHiddenPostsAreNotToldOutside(t *testing.T) {
	apitest.Each(t, func(w *apitest.World) {
		t := w.T
		ada, ben, host := w.Member("ada"), w.Member("ben"), w.Member("host")
		network := w.Space(space.KindNETWORK, "Network", host, ada, ben)
		thread := w.Thread(ada, network, "T", "the first heron")
		ben.Must(preferMail, vars{"in": vars{"directMail": "WEEKLY"}})
		url := w.SignedIn(ben).Must(`mutation($input: CreateFeedAddressInput!) { createFeedAddress(input: $input) { url errors { code } } }`, input(vars{"spaceId": network})).String("createFeedAddress.url")
		said := w.Post(ada, thread, "@"+ben.Handle+" a heron")
		host.Must(hidePost, input(vars{"postId": said, "reason": "no herons"}))
		w.Post(ada, thread, "@"+ben.Handle+" a swan")
		due(w)
		letters := lettersTo(w, ben)
		if len(letters) != 1 || strings.Contains(letters[0].Text, "heron") || !strings.Contains(letters[0].Text, "swan") {
			t.Errorf("mail: %v", letters)
		}
		answer, err := http.Get(url) //nolint:noctx // a test's own server
		must0(t, err)
		defer func() { _ = answer.Body.Close() }()
		feed, err := io.ReadAll(answer.Body)
		must0(t, err)
		if strings.Contains(string(feed), "a heron") || strings.Contains(string(feed), "no herons") || !strings.Contains(string(feed), "swan") {
			t.Errorf("feed: %s", feed)
		}
	}, apitest.Mailbox())
}

// Counters are what a slow recount says, whatever was written, read, deleted, hidden and shown again, by many at once.
func TestCountsWithHiddenPosts(t *testing.T) {
	apitest.Each(t, func(w *apitest.World) {
		host := w.Member("host")
		people := []*apitest.Person{host, w.Member("ada"), w.Member("ben"), w.Member("eve")}
		network := w.Space(space.KindNETWORK, "Network", people...)
		thread := w.Thread(people[1], network, "T", "first")
		seed := rand.Uint64()
		var all sync.WaitGroup
		for i, p := range people {
			all.Go(func() {
				r := rand.New(rand.NewPCG(seed, uint64(i))) //nolint:gosec // it makes no secret
				c := w.App.Store.Client(w.System())
				for range 40 {
					ids, err := c.Post.Query().Where(post.ThreadID(thread)).Order(post.BySeq()).IDs(w.System())
					if err != nil {
						w.T.Error(err)
						return
					}
					id, seq := ids[r.IntN(len(ids))], r.IntN(len(ids))+1
					switch r.IntN(7) {
					case 0, 1:
						w.Post(p, thread, "another")
					case 2:
						p.Do(apitest.Operation(w.T, "delete-post"), input(vars{"postId": id}))
					case 3:
						p.Do(`mutation($input: MarkThreadReadInput!) { markThreadRead(input: $input) { errors { code } } }`, input(vars{"threadId": thread, "upToSeq": seq}))
					case 4:
						p.Do(`mutation($input: MarkThreadUnreadInput!) { markThreadUnread(input: $input) { errors { code } } }`, input(vars{"threadId": thread, "fromSeq": seq}))
					case 5:
						host.Do(hidePost, input(vars{"postId": id}))
					case 6:
						host.Do(unhide, input(vars{"postId": id}))
					}
				}
			})
		}
		all.Wait()
		w.Quiet()
		broken, err := invariant.Broken(w.System(), w.App.Store.Client(w.System()))
		if broken = slices.DeleteFunc(broken, func(s string) bool { return strings.HasPrefix(s, "search knows every active member") }); err != nil || len(broken) > 0 {
			w.T.Errorf("with seed %d: %v %q", seed, err, broken)
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
		cost := func() int64 { // the least of several: what goes on in the background takes statements, too
			least := w.Statements(func() { host.Must(whole, vars{"id": network}) })
			for range 4 {
				least = min(least, w.Statements(func() { host.Must(whole, vars{"id": network}) }))
			}
			return least
		}
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
