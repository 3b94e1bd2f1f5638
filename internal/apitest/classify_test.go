package apitest_test

import (
	"context"
	"fmt"
	"maps"
	"strings"
	"sync"
	"testing"

	"github.com/pursuing-equity/commons/ent"
	"github.com/pursuing-equity/commons/ent/space"
	"github.com/pursuing-equity/commons/internal/apitest"
	"github.com/pursuing-equity/commons/internal/apitest/invariant"
	"github.com/pursuing-equity/commons/internal/community"
	"github.com/pursuing-equity/commons/internal/gid"
)

const (
	classify = `mutation($input: ClassifyThreadInput!) { classifyThread(input: $input) { thread { kind tags answered } errors { code message path } } }`
	accept   = `mutation($input: AcceptAnswerInput!) { acceptAnswer(input: $input) { thread { answered acceptedPost { id } } errors { code message path } } }`
)

// start starts a thread and returns its id.
func start(t *testing.T, p *apitest.Person, in vars) gid.ID {
	t.Helper()
	r := p.Must(`mutation($input: CreateThreadInput!) { createThread(input: $input) { thread { id } errors { code message path } } }`, input(in))
	return must(t, r.String("createThread.thread.id"))
}

func TestClassification(t *testing.T) {
	apitest.Each(t, func(w *apitest.World) {
		ada, ben, out := w.Member("ada"), w.Member("ben"), w.Member("out")
		network := w.Space(space.KindNETWORK, "Network", ada, ben)
		question := start(w.T, ben, vars{"spaceId": network, "title": "How do you ask?", "body": "About equity.", "kind": "QUESTION", "tags": []string{" Data ", "race-equity", "data"}})
		list := `query($id: ID!, $kind: ThreadKind, $tag: String, $pinned: Boolean, $first: Int!, $after: Cursor) { node(id: $id) { ... on Space { tags { tag threadCount }
			threads(first: $first, after: $after, kind: $kind, tag: $tag, pinned: $pinned) { edges { node { id kind tags } } pageInfo { hasNextPage endCursor } } } } }`

		w.T.Run("tags are kept in small letters, in their order and once", func(t *testing.T) {
			r := ada.Must(`query($id: ID!) { node(id: $id) { ... on Thread { kind tags answered } } }`, vars{"id": question})
			if got := fmt.Sprint(r.At("node")); got != "map[answered:false kind:QUESTION tags:[data race-equity]]" {
				t.Error(got)
			}
		})
		w.T.Run("a thread is found by its tags", func(t *testing.T) {
			r := ben.Must(`{ search(first: 5, query: "race-equity", kinds: [THREAD]) { edges { node { ... on Thread { id } } } } }`, nil)
			if r.String("search.edges.0.node.id") != question.String() {
				t.Errorf("found: %v", r.Data)
			}
		})
		w.T.Run("a list is narrowed by kind, tag and pin, and its pages hold together", func(t *testing.T) {
			for i := range 7 {
				start(t, ben, vars{"spaceId": network, "title": fmt.Sprintf("Note %d", i), "body": "x", "kind": "LEARNING_NOTE", "tags": []string{"data"}})
			}
			ada.Must(`mutation($input: PinThreadInput!) { pinThread(input: $input) { errors { code } } }`, input(vars{"threadId": question}))
			for _, c := range []struct {
				filter vars
				want   int
			}{
				{vars{"kind": "LEARNING_NOTE"}, 7}, {vars{"tag": "Data"}, 8}, {vars{"tag": "race-equity"}, 1}, {vars{"tag": "data", "kind": "QUESTION"}, 1},
				{vars{"kind": "ANNOUNCEMENT"}, 0}, {vars{"pinned": true}, 1}, {vars{"pinned": false}, 7}, {vars{}, 8}, {vars{"tag": "dat"}, 0},
			} {
				seen, v := map[string]bool{}, vars{"id": network, "first": 3}
				maps.Copy(v, c.filter)
				for {
					r := ben.Must(list, v)
					for i := range r.Len("node.threads.edges") {
						seen[r.String(fmt.Sprintf("node.threads.edges.%d.node.id", i))] = true
					}
					if r.At("node.threads.pageInfo.hasNextPage") != true {
						break
					}
					v["after"] = r.String("node.threads.pageInfo.endCursor")
				}
				if len(seen) != c.want {
					t.Errorf("%v: %d threads, want %d", c.filter, len(seen), c.want)
				}
			}
			r := ben.Must(list, vars{"id": network, "first": 1})
			if got := fmt.Sprint(r.At("node.tags")); got != "[map[tag:data threadCount:8] map[tag:race-equity threadCount:1]]" {
				t.Error(got)
			}
			other := ben.Must(list, vars{"id": network, "first": 1, "kind": "LEARNING_NOTE"}).String("node.threads.pageInfo.endCursor")
			if code := ben.Do(list, vars{"id": network, "first": 1, "after": other}).Code(); code != "INVALID_CURSOR" {
				t.Errorf("a cursor of another list: %q", code)
			}
		})
		w.T.Run("a list of many spaces takes as many statements as of one", func(t *testing.T) {
			q := `query($first: Int!) { spaces(first: $first) { edges { node { tags { tag } threads(first: 3, kind: LEARNING_NOTE) { edges { node { tags acceptedPost { id } } } } } } } }`
			count := func(first int) int64 { return w.LeastStatements(func() { ada.Must(q, vars{"first": first}) }) }
			for range 5 {
				start(t, ada, vars{"spaceId": w.Space(space.KindWORKGROUP, "W", ada), "title": "T", "body": "B", "kind": "LEARNING_NOTE", "tags": []string{"data"}})
			}
			if one, many := count(1), count(10); one != many {
				t.Errorf("%d statements for one space, %d for many", one, many)
			}
		})
		w.T.Run("only who moderates makes announcements", func(t *testing.T) {
			in := vars{"spaceId": network, "title": "News", "body": "x", "kind": "ANNOUNCEMENT"}
			if code := ben.Do(apitest.Operation(t, "create-thread"), input(in)).Code(); code != "FORBIDDEN" {
				t.Errorf("by a member: %q", code)
			}
			if code := ben.Do(classify, input(vars{"threadId": question, "kind": "ANNOUNCEMENT"})).Code(); code != "FORBIDDEN" {
				t.Errorf("classified by its author: %q", code)
			}
			start(t, ada, in)
		})
		w.T.Run("bad tags change nothing", func(t *testing.T) {
			for _, tags := range [][]string{{""}, {"two words"}, {"a--b"}, {"-a"}, {strings.Repeat("a", 41)}, {"<b>"}, strings.Split("a b c d e f g h i j k", " ")} {
				if code := ben.Do(classify, input(vars{"threadId": question, "tags": tags})).Code(); code != "INVALID_INPUT" {
					t.Errorf("%q: %q", tags, code)
				}
			}
			r := ben.Must(classify, input(vars{"threadId": question}))
			if got := fmt.Sprint(r.At("classifyThread.thread.tags")); got != "[data race-equity]" {
				t.Error(got)
			}
			r = ben.Must(classify, input(vars{"threadId": question, "tags": nil}))
			if r.Len("classifyThread.thread.tags") != 0 {
				t.Errorf("no tags: %v", r.Data)
			}
		})

		answer := w.Post(ada, question, "Like this.")
		w.T.Run("a question's author accepts an answer, and whoever follows the thread is told", func(t *testing.T) {
			live := ada.Subscribe(`subscription($id: ID!) { threadEvents(threadId: $id) { ... on ThreadChanged { thread { answered acceptedPost { id } } } } }`, vars{"id": question})
			defer live.Close()
			w.Eventually("it is open", func() bool { n, _ := w.App.Events.Subscriptions(); return n == 1 })
			ben.Must(accept, input(vars{"postId": answer}))
			if got := live.Next().String("threadEvents.thread.acceptedPost.id"); got != answer.String() {
				t.Errorf("told of %q", got)
			}
		})
		w.T.Run("what is no answer is not accepted", func(t *testing.T) {
			first := must(t, ben.Must(`query($id: ID!) { node(id: $id) { ... on Thread { posts(first: 1) { edges { node { id } } } } } }`, vars{"id": question}).String("node.posts.edges.0.node.id"))
			note := w.Thread(ben, network, "No question", "x")
			for post, want := range map[gid.ID]string{first: "INVALID_INPUT", w.Post(ada, note, "y"): "INVALID_INPUT", w.NewID(gid.Post): "NOT_FOUND"} {
				if code := ben.Do(accept, input(vars{"postId": post})).Code(); code != want {
					t.Errorf("%q, want %q", code, want)
				}
			}
			a, b := out.Do(accept, input(vars{"postId": answer})), out.Do(accept, input(vars{"postId": w.NewID(gid.Post)}))
			if a.Body != b.Body || a.Code() != "NOT_FOUND" {
				t.Errorf("%s\n%s", a.Body, b.Body)
			}
		})
		w.T.Run("two that accept at once leave one accepted", func(t *testing.T) {
			another := w.Post(ada, question, "Or like that.")
			var wg sync.WaitGroup
			for _, p := range []gid.ID{answer, another, answer, another} {
				wg.Go(func() { ben.Must(accept, input(vars{"postId": p})) })
			}
			wg.Wait()
			r := ben.Must(`query($id: ID!) { node(id: $id) { ... on Thread { answered acceptedPost { id } } } }`, vars{"id": question})
			if got := r.String("node.acceptedPost.id"); got != answer.String() && got != another.String() {
				t.Errorf("accepted: %v", r.Data)
			}
		})
		w.T.Run("an accepted answer that is deleted is none, and a thread that is no question has none", func(t *testing.T) {
			ben.Must(accept, input(vars{"postId": answer}))
			ada.Must(apitest.Operation(t, "delete-post"), input(vars{"postId": answer}))
			state := `query($id: ID!) { node(id: $id) { ... on Thread { answered viewerCanAcceptAnswer } } }`
			if r := ben.Must(state, vars{"id": question}); r.At("node.answered") != false || r.At("node.viewerCanAcceptAnswer") != true {
				t.Errorf("after the deletion: %v", r.Data)
			}
			ben.Must(accept, input(vars{"postId": w.Post(ada, question, "Again.")}))
			ben.Must(classify, input(vars{"threadId": question, "kind": "DISCUSSION"}))
			if r := ben.Must(state, vars{"id": question}); r.At("node.answered") != false || r.At("node.viewerCanAcceptAnswer") != false {
				t.Errorf("no question: %v", r.Data)
			}
		})
		sound(w)
	})
}

// sound checks what is true of every database.
func sound(w *apitest.World) {
	w.T.Helper()
	w.Tx(func(ctx context.Context, tx *ent.Client) error { // the builders do not make people found
		for _, p := range tx.Member.Query().AllX(ctx) {
			if err := community.IndexMember(ctx, tx, p); err != nil {
				return err
			}
		}
		return nil
	})
	invariant.Check(w.System(), w.T, w.App.Store.Client(w.System()))
}
