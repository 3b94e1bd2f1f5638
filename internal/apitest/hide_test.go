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
	"time"

	"github.com/pursuing-equity/commons/ent/post"
	"github.com/pursuing-equity/commons/ent/roleassignment"
	"github.com/pursuing-equity/commons/ent/space"
	"github.com/pursuing-equity/commons/internal/apitest"
	"github.com/pursuing-equity/commons/internal/apitest/invariant"
	"github.com/pursuing-equity/commons/internal/gid"
)

// soundPosts fails the test where the database is not as every database is, but for members: builders do not index their names.
func soundPosts(w *apitest.World) {
	w.T.Helper()
	broken, err := invariant.Broken(w.System(), w.App.Store.Client(w.System()))
	if broken = slices.DeleteFunc(broken, func(s string) bool { return strings.HasPrefix(s, "search knows every active member") }); err != nil || len(broken) > 0 {
		w.T.Errorf("%v %q", err, broken)
	}
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
			told := follow(w, eve)
			defer told.Close()
			r := host.Must(hidePost, input(vars{"postId": bad, "reason": "Be kind."}))
			if r.String("hidePost.post.body") != "" || r.At("hidePost.post.hiddenAt") == nil || r.String("hidePost.post.hiddenBody") != "a grey heron, @"+ada.Handle || r.At("hidePost.post.viewerCanHide") != false {
				t.Errorf("%s", r.Body)
			}
			r = eve.Must(aPost, vars{"id": bad})
			if r.String("node.body") != "" || r.String("node.hiddenBody") != "a grey heron, @"+ada.Handle || r.String("node.hiddenReason") != "Be kind." || r.At("node.viewerCanEdit") != false {
				t.Errorf("the author reads %s", r.Body)
			}
			if got := told.Next(); got.String("notificationEvents.__typename") != "OwnPostModerated" || got.At("notificationEvents.post.hiddenAt") == nil || got.String("notificationEvents.post.hiddenBody") == "" {
				t.Errorf("the author is told %s", got.Body)
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
		soundPosts(w)
	})
}

// What waits to be told outside forgets what is hidden meanwhile.
func TestHiddenPostsAreNotToldOutside(t *testing.T) {
	eachWithOffice(t, func(w *apitest.World, o *apitest.Office, _ *clock) {
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
		letters := o.To(ben)
		if len(letters) != 1 || strings.Contains(letters[0].Text, "heron") || !strings.Contains(letters[0].Text, "swan") {
			t.Errorf("mail: %v", letters)
		}
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
		must0(t, err)
		answer, err := (&http.Client{Timeout: time.Minute}).Do(request)
		must0(t, err)
		defer func() { _ = answer.Body.Close() }()
		feed, err := io.ReadAll(answer.Body)
		must0(t, err)
		if strings.Contains(string(feed), "a heron") || strings.Contains(string(feed), "no herons") || !strings.Contains(string(feed), "swan") {
			t.Errorf("feed: %s", feed)
		}
	})
}

// Who follows another thread is told that a quote of a hidden post went, and came back.
func TestQuotesElsewhereOfHiddenPosts(t *testing.T) {
	apitest.Each(t, func(w *apitest.World) {
		staff, eve, ben := w.Role(w.Member("staff"), roleassignment.RoleSTAFF), w.Member("eve"), w.Member("ben")
		network := w.Space(space.KindNETWORK, "Network", staff, eve, ben)
		thread := w.Thread(eve, network, "T", "B")
		bad := w.Post(eve, thread, "a grey heron")
		quotes := must(w.T, ben.Must(`mutation($input: CreatePostInput!) { createPost(input: $input) { post { id } errors { code message } } }`,
			input(vars{"threadId": thread, "body": "So?", "replyToId": bad, "quote": "a grey heron"})).String("createPost.post.id"))
		elsewhere := staff.Must(splitThread, input(vars{"threadId": thread, "postIds": []any{quotes}, "title": "Another matter", "spaceId": network})).String("splitThread.thread.id")
		live := ben.Subscribe(`subscription($id: ID!, $after: Cursor) { threadEvents(threadId: $id, after: $after) { ... on PostEdited { post { id quote } } } }`,
			vars{"id": elsewhere, "after": ben.Must(`{ eventCursor }`, nil).String("eventCursor")})
		staff.Must(hidePost, input(vars{"postId": bad}))
		if got := live.Next(); got.String("threadEvents.post.id") != quotes.String() || got.At("threadEvents.post.quote") != nil {
			t.Errorf("%s", got.Body)
		}
		staff.Must(unhide, input(vars{"postId": bad}))
		if got := live.Next(); got.String("threadEvents.post.quote") != "a grey heron" {
			t.Errorf("%s", got.Body)
		}
	})
}

// Who follows another thread is told that a quote of a deleted post, or of somebody who was erased, is gone.
func TestQuotesElsewhereOfDeletedPosts(t *testing.T) {
	apitest.Each(t, func(w *apitest.World) {
		admin, eve, ben := w.Role(w.Member("admin"), roleassignment.RoleADMIN), w.Member("eve"), w.Member("ben")
		network := w.Space(space.KindNETWORK, "Network", admin, eve, ben)
		thread := w.Thread(ben, network, "T", "B")
		tried := func(goes func(said gid.ID)) {
			said := w.Post(eve, thread, "a grey heron")
			quotes := must(w.T, ben.Must(`mutation($input: CreatePostInput!) { createPost(input: $input) { post { id } errors { code message } } }`,
				input(vars{"threadId": thread, "body": "So?", "replyToId": said, "quote": "a grey heron"})).String("createPost.post.id"))
			elsewhere := admin.Must(splitThread, input(vars{"threadId": thread, "postIds": []any{quotes}, "title": "Another matter", "spaceId": network})).String("splitThread.thread.id")
			live := ben.Subscribe(`subscription($id: ID!, $after: Cursor) { threadEvents(threadId: $id, after: $after) { __typename ... on PostEdited { post { id quote } } } }`,
				vars{"id": elsewhere, "after": ben.Must(`{ eventCursor }`, nil).String("eventCursor")})
			goes(said)
			if got := live.Next(); got.String("threadEvents.post.id") != quotes.String() || got.At("threadEvents.post.quote") != nil {
				w.T.Errorf("%s", got.Body)
			}
		}
		tried(func(said gid.ID) { eve.Must(apitest.Operation(w.T, "delete-post"), input(vars{"postId": said})) })
		tried(func(gid.ID) {
			_, err := w.App.Accounts.Erase(w.System(), inBrowser(admin), &eve.ID, eve.Handle, "R")
			must0(w.T, err)
		})
	})
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
				r := rand.New(rand.NewPCG(seed, uint64(i)))
				c := w.App.Store.Client(w.System())
				for range 100 {
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
		w.T.Logf("seed %d", seed)
		soundPosts(w)
	})
}
