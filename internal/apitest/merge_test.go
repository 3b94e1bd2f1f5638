package apitest_test

import (
	"fmt"
	"maps"
	"sync"
	"testing"

	"github.com/pursuing-equity/commons/ent/roleassignment"
	"github.com/pursuing-equity/commons/ent/space"
	"github.com/pursuing-equity/commons/internal/apitest"
	"github.com/pursuing-equity/commons/internal/forum"
	"github.com/pursuing-equity/commons/internal/gid"
)

const (
	mergeThreads = `mutation($input: MergeThreadsInput!) { mergeThreads(input: $input) { thread { id postCount } errors { code message path } } }`
	splitThread  = `mutation($input: SplitThreadInput!) { splitThread(input: $input) { thread { id title postCount author { id } } errors { code message path } } }`
	wholeThread  = `query($id: ID!) { node(id: $id) { ... on Thread { postCount viewerUnreadCount viewerLastReadSeq viewerCanReply mergedInto { id }
		posts(first: 100) { edges { node { id seq body deletedAt movedTo { id seq thread { id } } replyTo { id } } } } } } }`
)

func TestMergeThreads(t *testing.T) {
	apitest.Each(t, func(w *apitest.World) {
		ada, ben, cal, out := w.Member("ada"), w.Member("ben"), w.Member("cal"), w.Member("out")
		network := w.Space(space.KindNETWORK, "Network", ada, ben, cal)
		hidden := w.Space(space.KindAFFINITY, "Room", ada)
		from, into := w.Thread(ben, network, "A duplicate", "first"), w.Thread(ada, network, "The one", "one")
		second := w.Post(cal, from, "second, for @"+ada.Handle)
		w.Post(ben, into, "two")
		gone := w.Post(ben, from, "gone")
		ben.Must(apitest.Operation(w.T, "delete-post"), input(vars{"postId": gone}))
		reply, err := w.App.Forum.CreatePost(ben.Context(), ben.Viewer, forum.NewPost{ThreadID: from, Body: "To that.", ReplyToID: &second})
		if err != nil {
			w.T.Fatal(err)
		}
		in := input(vars{"fromThreadId": from, "intoThreadId": into})
		mark := func(p *apitest.Person, thread gid.ID, upTo int) {
			p.Must(apitest.Operation(w.T, "mark-read"), input(vars{"threadId": thread, "upToSeq": upTo}))
		}
		mark(ada, from, 2) // of ada's nothing is unread in the one, and the last in the duplicate
		mark(ada, into, 2) // …
		mark(cal, from, 4) // cal has not read the one
		live := cal.Subscribe(`subscription($id: ID!) { threadEvents(threadId: $id) { __typename ... on PostMoved { post { seq movedTo { id thread { id } } } } ... on ThreadChanged { thread { mergedInto { id } } } } }`, vars{"id": from})
		defer live.Close()
		w.Eventually("it is open", func() bool { n, _ := w.App.Events.Subscriptions(); return n == 1 })

		w.T.Run("only who moderates both may, and nothing leaves or enters a hidden space", func(t *testing.T) {
			secret := w.Thread(ada, hidden, "S", "B")
			for _, c := range []struct {
				who  *apitest.Person
				in   vars
				code string
			}{
				{ben, in, "FORBIDDEN"}, {out, in, "NOT_FOUND"}, {ada, input(vars{"fromThreadId": from, "intoThreadId": from}), "INVALID_INPUT"},
				{ada, input(vars{"fromThreadId": secret, "intoThreadId": into}), "FORBIDDEN"}, {ada, input(vars{"fromThreadId": from, "intoThreadId": secret}), "FORBIDDEN"},
				{ada, input(vars{"fromThreadId": from, "intoThreadId": w.NewID(gid.Thread)}), "NOT_FOUND"},
			} {
				if code := c.who.Do(mergeThreads, c.in).Code(); code != c.code {
					t.Errorf("%v: %q, want %q", c.in, code, c.code)
				}
			}
		})
		w.T.Run("all posts go to the end of the other thread, however often and from where it is asked for", func(t *testing.T) {
			var wg sync.WaitGroup
			for range 4 {
				wg.Go(func() { ada.Must(mergeThreads, in) })
			}
			wg.Wait()
			r := ada.Must(wholeThread, vars{"id": into})
			if r.Len("node.posts.edges") != 6 || r.Int("node.postCount") != 5 || r.String("node.posts.edges.3.node.id") != second.String() || r.Int("node.posts.edges.3.node.seq") != 4 {
				t.Errorf("the one: %v", r.Data)
			}
			if r.String("node.posts.edges.5.node.id") != reply.ID.String() || r.String("node.posts.edges.5.node.replyTo.id") != second.String() {
				t.Errorf("the reply: %v", r.Data)
			}
			r = ben.Must(wholeThread, vars{"id": from})
			if r.String("node.mergedInto.id") != into.String() || r.At("node.viewerCanReply") != false || r.Int("node.postCount") != 0 || r.String("node.posts.edges.1.node.movedTo.id") != second.String() {
				t.Errorf("the duplicate: %v", r.Data)
			}
			if code := ben.Do(apitest.Operation(t, "create-post"), input(vars{"threadId": from, "body": "x"})).Code(); code != "THREAD_LOCKED" {
				t.Errorf("a post in what was merged: %q", code)
			}
			if r := ben.Must(apitest.Operation(t, "thread-list"), vars{"space": network, "first": 10}); r.Len("space.threads.edges") != 1 {
				t.Errorf("the list: %v", r.Data)
			}
		})
		w.T.Run("what is unread stays so, and what was read where a position can say it", func(t *testing.T) {
			for _, c := range []struct {
				who        *apitest.Person
				unread, at int
			}{{ada, 1, 4}, {cal, 4, 0}} {
				r := c.who.Must(wholeThread, vars{"id": into})
				if r.Int("node.viewerUnreadCount") != c.unread || r.Int("node.viewerLastReadSeq") != c.at {
					t.Errorf("%s: %d unread at %d", c.who.Handle, r.Int("node.viewerUnreadCount"), r.Int("node.viewerLastReadSeq"))
				}
				if r := c.who.Must(wholeThread, vars{"id": from}); r.Int("node.viewerUnreadCount") != 0 {
					t.Errorf("%s: %v", c.who.Handle, r.Data)
				}
			}
		})
		w.T.Run("whoever followed the thread is told where each post went, and that it was merged", func(t *testing.T) {
			for i := range 4 {
				got := live.Next()
				if got.String("threadEvents.__typename") != "PostMoved" || got.Int("threadEvents.post.seq") != i+1 || got.String("threadEvents.post.movedTo.thread.id") != into.String() {
					t.Errorf("told: %v", got.Data)
				}
			}
			if got := live.Next(); got.String("threadEvents.thread.mergedInto.id") != into.String() {
				t.Errorf("told: %v", got.Data)
			}
		})
		w.T.Run("merges of two threads into each other at once end, and one is done", func(t *testing.T) {
			for range 3 {
				a, b := w.Thread(ben, network, "A", "a"), w.Thread(ben, network, "B", "b")
				var wg sync.WaitGroup
				var codes [2]string
				for i, pair := range [][2]gid.ID{{a, b}, {b, a}} {
					wg.Go(func() {
						codes[i] = ada.Do(mergeThreads, input(vars{"fromThreadId": pair[0], "intoThreadId": pair[1]})).Code()
					})
				}
				wg.Wait()
				if done := fmt.Sprint(codes); done != "[ INVALID_INPUT]" && done != "[INVALID_INPUT ]" {
					t.Error(done)
				}
			}
		})
		sound(w)
	})
}

func TestSplitThread(t *testing.T) {
	apitest.Each(t, func(w *apitest.World) {
		ada, ben, cal := w.Member("ada"), w.Member("ben"), w.Member("cal")
		staff := w.Role(w.Member("staff"), roleassignment.RoleSTAFF)
		network := w.Space(space.KindNETWORK, "Network", ada, ben, cal)
		team := w.Space(space.KindWORKGROUP, "Few", ada, ben)
		hidden := w.Space(space.KindAFFINITY, "Room", staff)
		thread := w.Thread(ben, network, "Much at once", "one")
		ids := []gid.ID{{}, {}}
		for i := 3; i <= 6; i++ {
			ids = append(ids, w.Post([]*apitest.Person{ben, cal}[i%2], thread, fmt.Sprintf("post %d", i-1)))
		}
		two, three, five := ids[2], ids[3], ids[5]
		reply, err := w.App.Forum.CreatePost(ben.Context(), ben.Viewer, forum.NewPost{ThreadID: thread, Body: "To two", ReplyToID: &two})
		if err != nil {
			w.T.Fatal(err)
		}
		ada.Must(apitest.Operation(w.T, "mark-read"), input(vars{"threadId": thread, "upToSeq": 3}))
		in := vars{"threadId": thread, "postIds": []gid.ID{five, two, three}, "title": "Another matter", "spaceId": team, "idempotencyKey": "split"}

		w.T.Run("what cannot be split changes nothing", func(t *testing.T) {
			for _, c := range []struct {
				who  *apitest.Person
				with vars
				code string
			}{
				{ben, vars{}, "FORBIDDEN"}, {staff, vars{"spaceId": hidden}, "FORBIDDEN"}, {staff, vars{"postIds": []gid.ID{}}, "INVALID_INPUT"},
				{staff, vars{"postIds": []gid.ID{w.NewID(gid.Post)}}, "NOT_FOUND"}, {staff, vars{"title": ""}, "INVALID_INPUT"}, {staff, vars{"spaceId": w.NewID(gid.Space)}, "NOT_FOUND"},
			} {
				v := vars{}
				maps.Copy(v, in)
				maps.Copy(v, c.with)
				if code := c.who.Do(splitThread, input(v)).Code(); code != c.code {
					t.Errorf("%v: %q, want %q", c.with, code, c.code)
				}
			}
		})
		var split gid.ID
		w.T.Run("the posts begin a thread of their own, once", func(t *testing.T) {
			r := staff.Must(splitThread, input(in))
			split = must(t, r.String("splitThread.thread.id"))
			if again := staff.Must(splitThread, input(in)); again.String("splitThread.thread.id") != split.String() {
				t.Errorf("again: %v", again.Data)
			}
			got := ada.Must(wholeThread, vars{"id": split})
			for i, id := range []gid.ID{two, three, five} {
				if at := fmt.Sprintf("node.posts.edges.%d.node.", i); got.String(at+"id") != id.String() || got.Int(at+"seq") != i+1 {
					t.Errorf("post %d: %v", i+1, got.Data)
				}
			}
			if got.Int("node.viewerUnreadCount") != 1 || got.Int("node.viewerLastReadSeq") != 2 {
				t.Errorf("unread: %v", got.Data)
			}
			if old := ada.Must(wholeThread, vars{"id": thread}); old.Int("node.postCount") != 3 || old.Int("node.viewerUnreadCount") != 2 {
				t.Errorf("the old thread: %v", old.Data)
			}
		})
		w.T.Run("who cannot see where it went sees a tombstone, in old events too", func(t *testing.T) {
			r := cal.Must(wholeThread, vars{"id": thread})
			if r.At("node.posts.edges.1.node.movedTo") != nil || r.At("node.posts.edges.1.node.deletedAt") == nil {
				t.Errorf("tombstone: %v", r.Data)
			}
			if got := cal.Must(`query($id: ID!) { node(id: $id) { ... on Post { replyTo { id } } } }`, vars{"id": reply.ID}); got.At("node.replyTo") != nil {
				t.Errorf("what was answered: %v", got.Data)
			}
			if code := cal.Do(`query($id: ID!) { node(id: $id) { id } }`, vars{"id": two}).Code(); code != "NOT_FOUND" {
				t.Errorf("the post: %q", code)
			}
		})
		sound(w)
	})
}
