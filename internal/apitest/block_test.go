package apitest_test

import (
	"fmt"
	"testing"

	"github.com/pursuing-equity/commons/ent/post"
	"github.com/pursuing-equity/commons/ent/space"
	"github.com/pursuing-equity/commons/internal/apitest"
	"github.com/pursuing-equity/commons/internal/gid"
)

// byMember writes a mutation of a member.
func byMember(name string) string {
	return fmt.Sprintf("mutation($input: %s%sInput!) { %s(input: $input) { account { blocks { kind member { name } } } errors { code message } } }", string(name[0]-32), name[1:], name)
}

const heardThread = `query($id: ID!) { node(id: $id) { ... on Thread { viewerUnreadCount lastPost { body } space { viewerUnreadCount }
	posts(first: 100) { edges { node { seq body replyTo { body viewerHasMutedAuthor } } } } } } viewer { unreadNotificationCount } }`

// bodies are what a viewer reads in a thread, in order.
func bodies(r *apitest.Response) []string {
	var all []string
	for i := range r.Len("node.posts.edges") {
		all = append(all, r.String(fmt.Sprintf("node.posts.edges.%d.node.body", i)))
	}
	return all
}

func TestBlock(t *testing.T) {
	apitest.Each(t, func(w *apitest.World) {
		ada, ben, eve := w.Member("ada"), w.Member("ben"), w.Member("eve")
		network := w.Space(space.KindNETWORK, "Network", w.Member("host"), ada, ben, eve)
		thread := w.Thread(ada, network, "On wards", "first")
		w.Post(eve, thread, "eve before")
		ada.Must(byMember("blockMember"), input(vars{"memberId": eve.ID}))

		w.T.Run("posts of a blocked member are left out of the thread, the counts and the searches", func(t *testing.T) {
			bens := w.Post(ben, thread, "ben after")
			eves := w.Post(eve, thread, "eve after, a heron")
			r := ada.Must(heardThread, vars{"id": thread})
			if got := fmt.Sprint(bodies(r)); got != "[first ben after]" {
				t.Errorf("ada reads %s", got)
			}
			if r.String("node.lastPost.body") != "ben after" || r.Int("node.viewerUnreadCount") != 1 || r.Int("node.space.viewerUnreadCount") != 1 {
				t.Errorf("ada counts %s", r.Body)
			}
			if n := ada.Must(`{ search(first: 10, query: "heron") { edges { cursor } } }`, nil).Len("search.edges"); n != 0 {
				t.Errorf("ada finds %d", n)
			}
			if n := ben.Must(`{ search(first: 10, query: "heron") { edges { cursor } } }`, nil).Len("search.edges"); n != 1 {
				t.Errorf("ben finds %d", n)
			}
			r = ada.Must(`query($id: ID!) { node(id: $id) { ... on Post { body viewerHasMutedAuthor } } }`, vars{"id": eves})
			if r.String("node.body") == "" || r.At("node.viewerHasMutedAuthor") != true {
				t.Errorf("where something leads to it, ada can ask for it: %s", r.Body)
			}
			ada.Must(`mutation($input: MarkThreadReadInput!) { markThreadRead(input: $input) { errors { code } } }`, input(vars{"threadId": thread, "upToSeq": 3}))
			if r = ada.Must(heardThread, vars{"id": thread}); r.Int("node.viewerUnreadCount") != 0 {
				t.Errorf("all that ada hears of is read: %s", r.Body)
			}
			_ = bens
		})
		w.T.Run("their mentions and answers notify nobody who blocks them", func(t *testing.T) {
			before := ada.Must(`{ viewer { unreadNotificationCount } }`, nil).Int("viewer.unreadNotificationCount")
			first := w.App.Store.Client(w.System()).Post.Query().Where(post.ThreadID(thread), post.Seq(1)).OnlyX(w.System()).ID
			eve.Must(apitest.Operation(t, "create-post"), input(vars{"threadId": thread, "body": "Well, @" + ada.Handle, "replyToId": first}))
			if n := ada.Must(`{ viewer { unreadNotificationCount } }`, nil).Int("viewer.unreadNotificationCount"); n != before {
				t.Errorf("%d notifications, and before %d", n, before)
			}
			w.Post(ben, thread, "Well, @"+ada.Handle)
			if n := ada.Must(`{ viewer { unreadNotificationCount } }`, nil).Int("viewer.unreadNotificationCount"); n != before+1 {
				t.Errorf("ben's mention: %d notifications", n)
			}
		})
		w.T.Run("the blocked member starts no direct conversation, and is told no more than that", func(t *testing.T) {
			create := `mutation($input: CreateSpaceInput!) { createSpace(input: $input) { space { id } errors { code path } } }`
			if code := eve.Do(create, input(vars{"kind": "DIRECT", "memberIds": []gid.ID{ada.ID}})).Code(); code != "FORBIDDEN" {
				t.Errorf("code %q", code)
			}
			ben.Must(create, input(vars{"kind": "DIRECT", "memberIds": []gid.ID{ada.ID, eve.ID}}))
			seen := `query($id: ID!) { node(id: $id) { ... on Member { id name handle status } } }`
			if a, b := eve.Do(seen, vars{"id": ada.ID}), eve.Do(seen, vars{"id": ben.ID}); a.Code() != "" || b.Code() != "" {
				t.Errorf("eve sees both as before: %s %s", a.Body, b.Body)
			}
		})
		w.T.Run("a mute does the same and takes messages, and its end gives everything back", func(t *testing.T) {
			r := ada.Must(byMember("muteMember"), input(vars{"memberId": eve.ID}))
			if r.String("muteMember.account.blocks.0.kind") != "BLOCK" {
				t.Errorf("who is blocked stays blocked: %s", r.Body)
			}
			ada.Must(byMember("unblockMember"), input(vars{"memberId": eve.ID}))
			ada.Must(byMember("muteMember"), input(vars{"memberId": eve.ID}))
			r = ada.Must(byMember("muteMember"), input(vars{"memberId": eve.ID}))
			if r.Len("muteMember.account.blocks") != 1 || r.String("muteMember.account.blocks.0.member.name") != "eve" {
				t.Errorf("%s", r.Body)
			}
			eve.Must(`mutation($input: CreateSpaceInput!) { createSpace(input: $input) { space { id } errors { code message } } }`, input(vars{"kind": "DIRECT", "memberIds": []gid.ID{ada.ID}}))
			if got := bodies(ada.Must(heardThread, vars{"id": thread})); len(got) != 3 {
				t.Errorf("muted, ada reads %q", got)
			}
			ada.Must(byMember("unmuteMember"), input(vars{"memberId": eve.ID}))
			if got := bodies(ada.Must(heardThread, vars{"id": thread})); len(got) != 6 {
				t.Errorf("ada reads %q", got)
			}
		})
		w.T.Run("nobody blocks themselves", func(t *testing.T) {
			if code := ada.Do(byMember("blockMember"), input(vars{"memberId": ada.ID})).Code(); code != "INVALID_INPUT" {
				t.Errorf("code %q", code)
			}
		})
	})
}

// Unread counters with blocks are what a slow count of the posts that are heard says, whatever was read, deleted, blocked and heard again.
func TestUnreadCountsWithBlocks(t *testing.T) {
	apitest.Each(t, func(w *apitest.World) {
		ada := w.Member("ada")
		others := []*apitest.Person{w.Member("ben"), w.Member("eve"), w.Member("kim")}
		network := w.Space(space.KindNETWORK, "Network", append(others, ada)...)
		threads := []gid.ID{w.Thread(ada, network, "One", "first"), w.Thread(others[1], network, "Two", "first")}
		unheard, read := map[gid.ID]bool{}, map[gid.ID]int{threads[0]: 1}
		for n := range 60 {
			who, thread := others[n*7%3], threads[n%2]
			switch {
			case n%5 == 4:
				if unheard[who.ID] = !unheard[who.ID]; unheard[who.ID] {
					ada.Must(byMember("muteMember"), input(vars{"memberId": who.ID}))
				} else {
					ada.Must(byMember("unmuteMember"), input(vars{"memberId": who.ID}))
				}
			case n%11 == 10:
				up := n / 3
				read[thread] = max(read[thread], min(up, w.App.Store.Client(w.System()).Thread.GetX(w.System(), thread).PostSeq))
				ada.Must(`mutation($input: MarkThreadReadInput!) { markThreadRead(input: $input) { errors { code } } }`, input(vars{"threadId": thread, "upToSeq": up}))
			default:
				id := w.Post(who, thread, fmt.Sprint(n))
				if n%6 == 3 {
					who.Must(apitest.Operation(w.T, "delete-post"), input(vars{"postId": id}))
				}
			}
			total := 0
			for _, thread := range threads {
				want := 0
				for _, p := range w.App.Store.Client(w.System()).Post.Query().Where(post.ThreadID(thread), post.SeqGT(read[thread]), post.DeletedAtIsNil()).AllX(w.System()) {
					if p.AuthorID != ada.ID && !unheard[p.AuthorID] {
						want++
					}
				}
				total += want
				r := ada.Must(heardThread, vars{"id": thread})
				if r.Int("node.viewerUnreadCount") != want {
					w.T.Fatalf("after step %d: %d unread, and there are %d", n, r.Int("node.viewerUnreadCount"), want)
				}
				if thread == threads[1] && r.Int("node.space.viewerUnreadCount") != total {
					w.T.Fatalf("after step %d: %d unread in the space, and there are %d", n, r.Int("node.space.viewerUnreadCount"), total)
				}
			}
		}
	})
}

// What a blocked member does is not sent to who blocks them: at once when the block is made, from any replica, and to nobody else less.
func TestEventsOfBlockedMembers(t *testing.T) {
	everywhere(t, func(t *testing.T, a, b *apitest.World) {
		ada, ben, eve := a.Member("ada"), a.Member("ben"), a.Member("eve")
		network := a.Space(space.KindNETWORK, "Network", ben, ada, eve)
		thread := a.Thread(ben, network, "Live", "first")
		react := func(p *apitest.Person, id gid.ID) {
			p.Must(apitest.Operation(t, "react"), input(vars{"postId": id, "emoji": "🎉"}))
		}
		listen := func(p *apitest.Person) *apitest.Subscription {
			there := b.As(p.Token())
			return there.Subscribe(`subscription($thread: ID!, $after: Cursor) { threadEvents(threadId: $thread, after: $after) { cursor __typename
				... on PostCreated { post { seq body } } ... on PostDeleted { post { seq } } ... on ReactionsChanged { post { seq } } } }`, vars{"thread": thread, "after": now(there)})
		}
		adas, bens := listen(ada), listen(ben)
		next := func(s *apitest.Subscription) string {
			r := s.Next()
			return fmt.Sprintf("%s %d", r.String("threadEvents.__typename"), r.Int("threadEvents.post.seq"))
		}
		want := func(s *apitest.Subscription, all ...string) {
			t.Helper()
			for _, w := range all {
				if got := next(s); got != w {
					t.Errorf("%s where %s was due", got, w)
				}
			}
		}
		a.Post(eve, thread, "before")
		want(adas, "PostCreated 2")
		a.As(ada.Token()).Must(byMember("blockMember"), input(vars{"memberId": eve.ID}))
		mine := a.Post(ben, thread, "of ben")
		eves := a.Post(eve, thread, "of eve")
		react(eve, mine)
		react(ben, eves)
		eve.Must(apitest.Operation(t, "delete-post"), input(vars{"postId": eves}))
		a.Post(ben, thread, "of ben again")
		want(adas, "PostCreated 3", "PostDeleted 4", "PostCreated 5")
		want(bens, "PostCreated 2", "PostCreated 3", "PostCreated 4", "ReactionsChanged 3", "ReactionsChanged 4", "PostDeleted 4", "PostCreated 5")
		a.As(ada.Token()).Must(byMember("unblockMember"), input(vars{"memberId": eve.ID}))
		a.Post(eve, thread, "heard again")
		want(adas, "PostCreated 6")
	})
}

// Who blocks somebody sees them neither present nor typing, also when the block is made while they look.
func TestActivityOfBlockedMembers(t *testing.T) {
	everywhere(t, func(t *testing.T, a, b *apitest.World) {
		ada, ben, eve := a.Member("ada"), a.Member("ben"), a.Member("eve")
		thread := a.Thread(ben, a.Space(space.KindNETWORK, "Network", ben, ada, eve), "Live", "first")
		eves := a.As(eve.Token()).Subscribe(activity, vars{"thread": thread})
		defer eves.Close()
		adas, bens := b.As(ada.Token()).Subscribe(activity, vars{"thread": thread}), b.As(ben.Token()).Subscribe(activity, vars{"thread": thread})
		until := func(s *apitest.Subscription, present, typing string) {
			t.Helper()
			for r := s.Next(); ; r = s.Next() {
				if fmt.Sprint(names(r, "present")) == present && fmt.Sprint(names(r, "typing")) == typing {
					return
				}
			}
		}
		until(adas, "[ada ben eve]", "[]")
		a.As(ada.Token()).Must(byMember("muteMember"), input(vars{"memberId": eve.ID}))
		until(adas, "[ada ben]", "[]")
		eve.Must(`mutation($input: IndicateTypingInput!) { indicateTyping(input: $input) { errors { code message } } }`, input(vars{"threadId": thread}))
		until(bens, "[ada ben eve]", "[eve]")
		a.As(ada.Token()).Must(byMember("unmuteMember"), input(vars{"memberId": eve.ID}))
		until(adas, "[ada ben eve]", "[]")
	})
}
