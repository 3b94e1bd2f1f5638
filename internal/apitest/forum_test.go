package apitest_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pursuing-equity/commons/ent/roleassignment"
	"github.com/pursuing-equity/commons/ent/space"
	"github.com/pursuing-equity/commons/internal/apitest"
	"github.com/pursuing-equity/commons/internal/gid"
)

type vars = apitest.Vars

func input(v map[string]any) vars { return vars{"input": v} }

func TestDiscussion(t *testing.T) {
	apitest.Each(t, func(w *apitest.World) {
		ada, ben, out := w.Member("ada"), w.Member("ben"), w.Member("out")
		network := w.Space(space.KindNETWORK, "Network", ada, ben)
		var thread, first, second string

		w.T.Run("a member starts a thread with its first post", func(t *testing.T) {
			r := ada.Must(apitest.Operation(t, "create-thread"), input(vars{"spaceId": network, "title": "REaL data", "body": "How do **you** collect it?"}))
			thread, first = r.String("createThread.thread.id"), r.String("createThread.thread.posts.edges.0.node.id")
			if r.Int("createThread.thread.posts.edges.0.node.seq") != 1 || r.String("createThread.thread.space.id") != network.String() {
				t.Errorf("thread: %v", r.Data)
			}
		})
		w.T.Run("an answer that mentions and replies makes one notification with two reasons", func(t *testing.T) {
			r := ben.Must(apitest.Operation(t, "create-post"), input(vars{"threadId": thread, "body": "We ask @" + ada.Handle + ".", "replyToId": first}))
			second = r.String("createPost.post.id")
			if r.Int("createPost.post.seq") != 2 || r.Int("createPost.post.version") != 1 {
				t.Errorf("post: %v", r.Data)
			}
			n := ada.Must(apitest.Operation(t, "notifications"), vars{"first": 10})
			if n.Int("viewer.unreadNotificationCount") != 1 || n.Len("viewer.notifications.edges") != 1 || n.Len("viewer.notifications.edges.0.node.reasons") != 2 {
				t.Errorf("notifications: %v", n.Data)
			}
			if n.String("viewer.notifications.edges.0.node.subject.id") != second {
				t.Errorf("subject: %v", n.Data)
			}
		})
		w.T.Run("the page shows sanitised HTML and unread counts leave one's own posts out", func(t *testing.T) {
			r := ada.Must(apitest.Operation(t, "thread-page"), vars{"id": thread, "first": 10})
			if got := r.String("thread.posts.edges.0.node.bodyHTML"); got != "<p>How do <strong>you</strong> collect it?</p>\n" {
				t.Errorf("bodyHTML: %q", got)
			}
			if r.At("thread.viewerCanReply") != true || r.String("thread.posts.edges.1.node.replyTo.id") != first {
				t.Errorf("page: %v", r.Data)
			}
			for p, want := range map[*apitest.Person]int{ada: 1, ben: 1} {
				l := p.Must(apitest.Operation(t, "thread-list"), vars{"space": network, "first": 10})
				if got := l.Int("space.threads.edges.0.node.viewerUnreadCount"); got != want {
					t.Errorf("unread of %s: %d, want %d", p.Handle, got, want)
				}
			}
		})
		w.T.Run("reading moves forward only, and reads the notification", func(t *testing.T) {
			r := ada.Must(apitest.Operation(t, "mark-read"), input(vars{"threadId": thread, "upToSeq": 2}))
			if r.Int("markThreadRead.thread.viewerUnreadCount") != 0 {
				t.Errorf("unread: %v", r.Data)
			}
			ada.Must(apitest.Operation(t, "mark-read"), input(vars{"threadId": thread, "upToSeq": 1}))
			n := ada.Must(apitest.Operation(t, "notifications"), vars{"first": 10})
			if n.Int("viewer.unreadNotificationCount") != 0 || n.At("viewer.notifications.edges.0.node.readAt") == nil {
				t.Errorf("notifications: %v", n.Data)
			}
		})
		w.T.Run("an edit keeps history and refuses a stale version", func(t *testing.T) {
			edit := apitest.Operation(t, "edit-post")
			r := ben.Must(edit, input(vars{"postId": second, "expectedVersion": 1, "body": "We ask everybody."}))
			if r.Int("editPost.post.version") != 2 || r.Len("editPost.post.revisions.edges") != 1 || r.Int("editPost.post.revisions.edges.0.node.version") != 1 {
				t.Errorf("edit: %v", r.Data)
			}
			if code := ben.Do(edit, input(vars{"postId": second, "expectedVersion": 1, "body": "x"})).Code(); code != "STALE_VERSION" {
				t.Errorf("stale edit: %q", code)
			}
			if code := ada.Do(edit, input(vars{"postId": second, "expectedVersion": 2, "body": "x"})).Code(); code != "FORBIDDEN" {
				t.Errorf("edit by another: %q", code)
			}
		})
		w.T.Run("a reaction counts once", func(t *testing.T) {
			react := apitest.Operation(t, "react")
			ada.Must(react, input(vars{"postId": second, "emoji": "👍"}))
			r := ada.Must(react, input(vars{"postId": second, "emoji": "👍"}))
			if r.Int("addReaction.post.reactions.0.count") != 1 || r.At("addReaction.post.reactions.0.viewerHasReacted") != true {
				t.Errorf("reactions: %v", r.Data)
			}
			if code := ada.Do(react, input(vars{"postId": second, "emoji": "hello"})).Code(); code != "INVALID_INPUT" {
				t.Errorf("no emoji: %q", code)
			}
		})
		w.T.Run("a deleted post leaves a tombstone that keeps its number and is never unread", func(t *testing.T) {
			w.Post(ben, must(t, thread), "a third")
			r := ben.Must(apitest.Operation(t, "delete-post"), input(vars{"postId": second}))
			if r.String("deletePost.post.body") != "" || r.Int("deletePost.post.seq") != 2 || r.At("deletePost.post.deletedAt") == nil {
				t.Errorf("tombstone: %v", r.Data)
			}
			third := ada.Must(`query($id: ID!) { node(id: $id) { ... on Thread { postCount viewerUnreadCount posts(first: 5) { edges { node { id seq } } } } } }`, vars{"id": thread})
			if third.Int("node.postCount") != 2 || third.Int("node.viewerUnreadCount") != 1 || third.Len("node.posts.edges") != 3 {
				t.Errorf("after the deletion: %v", third.Data)
			}
			ben.Must(apitest.Operation(t, "delete-post"), input(vars{"postId": third.String("node.posts.edges.2.node.id")}))
			after := ada.Must(`query($id: ID!) { node(id: $id) { ... on Thread { viewerUnreadCount } } }`, vars{"id": thread})
			if after.Int("node.viewerUnreadCount") != 0 {
				t.Errorf("a tombstone is unread: %v", after.Data)
			}
		})
		w.T.Run("a locked thread takes no posts", func(t *testing.T) {
			lock := `mutation($input: LockThreadInput!) { lockThread(input: $input) { thread { locked lockReason } errors { code } } }`
			if code := ben.Do(lock, input(vars{"threadId": thread})).Code(); code != "FORBIDDEN" {
				t.Errorf("lock by a member: %q", code)
			}
			ada.Must(lock, input(vars{"threadId": thread, "reason": "done"}))
			if code := ben.Do(apitest.Operation(t, "create-post"), input(vars{"threadId": thread, "body": "x"})).Code(); code != "THREAD_LOCKED" {
				t.Errorf("post in a locked thread: %q", code)
			}
		})
		w.T.Run("to an outsider all of it is like what never existed", func(t *testing.T) {
			for id, never := range map[string]gid.ID{thread: w.NewID(gid.Thread), first: w.NewID(gid.Post), network.String(): w.NewID(gid.Space)} {
				q := apitest.Operation(t, "point-read")
				if a, b := out.Do(q, vars{"id": id}), out.Do(q, vars{"id": never}); a.Body != b.Body || a.Code() != "NOT_FOUND" || a.Status != b.Status {
					t.Errorf("%s: %s\n%s", id, a.Body, b.Body)
				}
			}
			a := out.Do(apitest.Operation(t, "create-post"), input(vars{"threadId": thread, "body": "x"}))
			b := out.Do(apitest.Operation(t, "create-post"), input(vars{"threadId": w.NewID(gid.Thread), "body": "x"}))
			if a.Body != b.Body || a.Code() != "NOT_FOUND" {
				t.Errorf("post: %s\n%s", a.Body, b.Body)
			}
		})
	})
}

func must(t *testing.T, id string) gid.ID {
	t.Helper()
	parsed, err := gid.Parse(id)
	if err != nil {
		t.Fatal(err)
	}
	return parsed
}

func TestIdempotency(t *testing.T) {
	apitest.Each(t, func(w *apitest.World) {
		ada := w.Member("ada")
		network := w.Space(space.KindNETWORK, "Network", ada)
		thread := w.Thread(ada, network, "A thread", "first")
		create := apitest.Operation(w.T, "create-post")
		in := func(body string) vars { return input(vars{"threadId": thread, "body": body, "idempotencyKey": "k1"}) }

		w.T.Run("the same key and input at once makes one post", func(t *testing.T) {
			ids := make([]string, 8)
			var wg sync.WaitGroup
			for i := range ids {
				wg.Go(func() { ids[i] = ada.Must(create, in("once")).String("createPost.post.id") })
			}
			wg.Wait()
			for _, id := range ids {
				if id == "" || id != ids[0] {
					t.Fatalf("posts: %v", ids)
				}
			}
		})
		w.T.Run("another input is a conflict", func(t *testing.T) {
			if code := ada.Do(create, in("twice")).Code(); code != "IDEMPOTENCY_CONFLICT" {
				t.Errorf("code %q", code)
			}
		})
		w.T.Run("a failed attempt does not use the key up", func(t *testing.T) {
			key := vars{"threadId": thread, "body": "", "idempotencyKey": "k2"}
			if code := ada.Do(create, input(key)).Code(); code != "INVALID_INPUT" {
				t.Errorf("code %q", code)
			}
			key["body"] = "now"
			ada.Must(create, input(key))
		})
	})
}

func TestHiddenSpaces(t *testing.T) {
	apitest.Each(t, func(w *apitest.World) {
		ada, ben := w.Member("ada"), w.Member("ben")
		admin := w.Role(w.Member("root"), roleassignment.RoleADMIN)
		w.Space(space.KindNETWORK, "Network", ben, ada)
		hidden := w.Space(space.KindAFFINITY, "Safe room", ada)
		thread := w.Thread(ada, hidden, "In confidence", "zanzibar @"+ben.Handle)
		post := must(w.T, ada.Must(`query($id: ID!) { node(id: $id) { ... on Thread { lastPost { id } } } }`, vars{"id": thread}).String("node.lastPost.id"))

		w.T.Run("administrators and participants get the answer of what never existed", func(t *testing.T) {
			for _, p := range []*apitest.Person{ben, admin} {
				for _, id := range []gid.ID{hidden, thread, post} {
					q := `query($id: ID!) { node(id: $id) { __typename id } nodes(ids: [$id]) { id } }`
					if a, b := p.Do(q, vars{"id": id}), p.Do(q, vars{"id": w.NewID(id.Kind())}); a.Body != b.Body || a.Code() != "NOT_FOUND" {
						t.Errorf("%s: %s\n%s", p.Handle, a.Body, b.Body)
					}
				}
				sub := p.Subscribe(apitest.Operation(t, "thread-events"), vars{"thread": thread})
				if code := sub.Failure(); code != "NOT_FOUND" {
					t.Errorf("subscription: %q", code)
				}
			}
		})
		w.T.Run("a mention of somebody outside notifies nobody", func(t *testing.T) {
			if n := ben.Must(apitest.Operation(t, "notifications"), vars{"first": 10}); n.Len("viewer.notifications.edges") != 0 {
				t.Errorf("notifications: %v", n.Data)
			}
		})
	})
}

func TestDenseNumbers(t *testing.T) {
	apitest.Each(t, func(w *apitest.World) {
		ada, ben := w.Member("ada"), w.Member("ben")
		network := w.Space(space.KindNETWORK, "Network", ada, ben)
		thread := w.Thread(ada, network, "Busy", "first")
		const each = 500 // four writers, two a member: 2,000 in all
		var wg sync.WaitGroup
		for i := range 4 {
			p := []*apitest.Person{ada, ben}[i%2]
			wg.Go(func() {
				for n := range each {
					p.Must(apitest.Operation(w.T, "create-post"), input(vars{"threadId": thread, "body": fmt.Sprintf("%d/%d", i, n)}))
				}
			})
		}
		wg.Wait()
		var after any
		seen, want := map[string]bool{}, 1
		for {
			r := ada.Must(apitest.Operation(w.T, "thread-page"), vars{"id": thread, "first": 100, "after": after})
			for i := range r.Len("thread.posts.edges") {
				at := fmt.Sprintf("thread.posts.edges.%d.node.", i)
				if got := r.Int(at + "seq"); got != want {
					w.T.Fatalf("seq %d where %d was due", got, want)
				}
				seen[r.String(at+"body")] = true
				want++
			}
			if r.At("thread.posts.pageInfo.hasNextPage") != true {
				break
			}
			after = r.At("thread.posts.pageInfo.endCursor")
		}
		if want != 4*each+2 || len(seen) != 4*each+1 {
			w.T.Errorf("%d posts, %d bodies", want-1, len(seen))
		}
		for _, p := range []*apitest.Person{ada, ben} {
			l := p.Must(apitest.Operation(w.T, "thread-list"), vars{"space": network, "first": 1})
			if got, want := l.Int("space.threads.edges.0.node.viewerUnreadCount"), 2*each; p == ben && got != want+1 || p == ada && got != want {
				w.T.Errorf("unread of %s: %d", p.Handle, got)
			}
		}
	})
}

func TestStatementsDoNotGrow(t *testing.T) {
	now := time.Now().UTC().Truncate(time.Microsecond) // it stands still: so a sign-in that was looked up once is known
	apitest.Each(t, func(w *apitest.World) {
		ada, ben := w.Member("ada"), w.Member("ben")
		network := w.Space(space.KindNETWORK, "Network", ada, ben)
		thread := w.Thread(ada, network, "Long", "first")
		for i := range 110 {
			body := fmt.Sprintf("post %d", i)
			w.Post([]*apitest.Person{ada, ben}[i%2], thread, body)
			w.Thread(ben, network, fmt.Sprintf("thread %d", i), body)
		}
		for name, v := range map[string]vars{"thread-page": {"id": thread}, "thread-list": {"space": network}, "spaces": {}, "notifications": {}} {
			w.T.Run(name, func(t *testing.T) {
				count := func(first int) int64 {
					v["first"] = first
					return w.LeastStatements(func() { ada.Must(apitest.Operation(t, name), v) })
				}
				count(10) // whatever is prepared once
				ten, hundred := count(10), count(100)
				t.Logf("%s: %d statements", name, ten)
				if ten != hundred {
					t.Errorf("%d statements for 10 rows, %d for 100", ten, hundred)
				}
			})
		}
	}, apitest.Clock(func() time.Time { return now }))
}

func TestBadInput(t *testing.T) {
	apitest.Each(t, func(w *apitest.World) {
		ada := w.Member("ada")
		network := w.Space(space.KindNETWORK, "Network", ada)
		thread := w.Thread(ada, network, "A thread", "first")
		posts := `query($id: ID!, $first: Int, $after: Cursor, $last: Int) { node(id: $id) { ... on Thread { posts(first: $first, after: $after, last: $last) { pageInfo { endCursor } } } ... on Space { threads(first: $first, after: $after) { pageInfo { endCursor } } } } }`
		threads := ada.Must(posts, vars{"id": network, "first": 1}).String("node.threads.pageInfo.endCursor")
		for name, c := range map[string]struct {
			query string
			vars  vars
			code  string
		}{
			"a malformed id":              {posts, vars{"id": "nonsense", "first": 1}, "INVALID_ID"},
			"an id of an unknown kind":    {posts, vars{"id": "zzz_00000000000000000000000000", "first": 1}, "INVALID_ID"},
			"a malformed id in an input":  {apitest.Operation(w.T, "create-post"), input(vars{"threadId": "thr_x", "body": "x"}), "INVALID_ID"},
			"no count":                    {posts, vars{"id": thread}, "INVALID_INPUT"},
			"both counts":                 {posts, vars{"id": thread, "first": 1, "last": 1}, "INVALID_INPUT"},
			"first: 0":                    {posts, vars{"id": thread, "first": 0}, "INVALID_INPUT"},
			"first: -1":                   {posts, vars{"id": thread, "first": -1}, "INVALID_INPUT"},
			"first: 1e9":                  {posts, vars{"id": thread, "first": 1000000000}, "INVALID_INPUT"},
			"first beyond 32 bits":        {posts, vars{"id": thread, "first": 1e12}, "INVALID_INPUT"},
			"a cursor of another list":    {posts, vars{"id": thread, "first": 1, "after": threads}, "INVALID_CURSOR"},
			"a cursor that is none":       {posts, vars{"id": thread, "first": 1, "after": "%%%"}, "INVALID_CURSOR"},
			"an unknown enum value":       {`query($k: ResourceKind) { resources(first: 1, kind: $k) { pageInfo { endCursor } } }`, vars{"k": "NONSENSE"}, "BAD_VARIABLES"},
			"an empty body":               {apitest.Operation(w.T, "create-post"), input(vars{"threadId": thread, "body": " \n "}), "INVALID_INPUT"},
			"a body that is too long":     {apitest.Operation(w.T, "create-post"), input(vars{"threadId": thread, "body": strings.Repeat("x", 50001)}), "INVALID_INPUT"},
			"a title of two lines":        {apitest.Operation(w.T, "create-thread"), input(vars{"spaceId": network, "title": "a\nb", "body": "x"}), "INVALID_INPUT"},
			"a reply to another thread's": {apitest.Operation(w.T, "create-post"), input(vars{"threadId": thread, "body": "x", "replyToId": w.NewID(gid.Post)}), "NOT_FOUND"},
			"a field that does not exist": {`{ nonsense }`, nil, "GRAPHQL_VALIDATION_FAILED"},
			"no GraphQL":                  {`{`, nil, "GRAPHQL_PARSE_FAILED"},
		} {
			w.T.Run(name, func(t *testing.T) {
				if r := ada.Do(c.query, c.vars); r.Code() != c.code {
					t.Errorf("code %q, want %q: %s", r.Code(), c.code, r.Body)
				}
			})
		}
		for name, body := range map[string]string{
			"a lone surrogate":       `{"query":"{ viewer { id } }","variables":{"x":"\ud800"}}`,
			"a zero character":       `{"query":"{ viewer { id } }","variables":{"x":"a\u0000b"}}`,
			"a body of 10 MB":        `{"query":"` + strings.Repeat("x", 10<<20) + `"}`,
			"no JSON":                `{"query":`,
			"an array of operations": `[{"query":"{ viewer { id } }"}]`,
		} {
			w.T.Run(name, func(t *testing.T) {
				if r := ada.Send([]byte(body)); r.Status < 400 || r.Status >= 500 || r.Code() == "" || r.Code() == "INTERNAL" {
					t.Errorf("status %d: %s", r.Status, r.Body)
				}
			})
		}
		ada.Must(`{ viewer { id } }`, nil) // the server lives
	})
}
