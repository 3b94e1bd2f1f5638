package apitest_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pursuing-equity/commons/ent"
	"github.com/pursuing-equity/commons/ent/accesstoken"
	"github.com/pursuing-equity/commons/ent/roleassignment"
	"github.com/pursuing-equity/commons/ent/space"
	"github.com/pursuing-equity/commons/internal/apitest"
	"github.com/pursuing-equity/commons/internal/gid"
)

const (
	writePost = `mutation($input: CreatePostInput!) { createPost(input: $input) { errors { code message path } post { id quote attachments { id name url } cards { ... on Node { __typename id } }
		poll { id question multiple voters closed viewerHasVoted viewerCanVote options { id label votes viewerHasChosen } } } } }`
	vote      = `mutation($input: VoteInput!) { vote(input: $input) { errors { code message path } poll { voters viewerHasVoted options { votes viewerHasChosen } } } }`
	readExtra = `query($id: ID!) { node(id: $id) { ... on Post { quote deletedAt attachments { id name url } cards { ... on Node { __typename id } } poll { id voters closed viewerCanVote options { votes } } } } }`
)

// asked is a poll.
type asked struct {
	post, poll gid.ID
	options    []gid.ID
}

// ask writes a post with a poll of two options, of which one can be chosen.
func ask(t *testing.T, p *apitest.Person, thread gid.ID) asked {
	t.Helper()
	r := p.Must(writePost, input(vars{"threadId": thread, "body": "What do you think?", "poll": vars{"question": "Shall we?", "options": []string{"Yes", "No"}}}))
	a := asked{post: must(t, r.String("createPost.post.id")), poll: must(t, r.String("createPost.post.poll.id"))}
	for i := range r.Len("createPost.post.poll.options") {
		a.options = append(a.options, must(t, r.String(fmt.Sprintf("createPost.post.poll.options.%d.id", i))))
	}
	return a
}

func TestQuotes(t *testing.T) {
	apitest.Each(t, func(w *apitest.World) {
		ada, ben := w.Member("ada"), w.Member("ben")
		network := w.Space(space.KindNETWORK, "Network", ada, ben)
		thread := w.Thread(ada, network, "T", "B")
		said := w.Post(ada, thread, "We ask  every\npatient, each time.")
		in := func(quote string, to any) vars {
			return input(vars{"threadId": thread, "body": "I agree.", "replyToId": to, "quote": quote})
		}

		w.T.Run("a quote stands in the post that is answered, white space aside", func(t *testing.T) {
			if r := ben.Must(writePost, in("every patient,", said)); r.String("createPost.post.quote") != "every patient," {
				t.Errorf("quote: %v", r.Data)
			}
			for _, bad := range []vars{in("every doctor", said), in("every patient", nil), in(strings.Repeat("x", 2001), said)} {
				if code := ben.Do(writePost, bad).Code(); code != "INVALID_INPUT" {
					t.Errorf("%v: %q", bad, code)
				}
			}
		})
		w.T.Run("it goes with the post that it is of, and whoever follows the thread is told", func(t *testing.T) {
			reply := must(t, ben.Must(writePost, in("each time", said)).String("createPost.post.id"))
			live := ben.Subscribe(`subscription($id: ID!) { threadEvents(threadId: $id) { __typename ... on PostEdited { post { id quote } } } }`, vars{"id": thread})
			defer live.Close()
			w.Eventually("it is open", func() bool { n, _ := w.App.Events.Subscriptions(); return n == 1 })
			ada.Must(apitest.Operation(t, "delete-post"), input(vars{"postId": said}))
			if got := live.Next(); got.String("threadEvents.__typename") != "PostEdited" || got.At("threadEvents.post.quote") != nil {
				t.Errorf("told: %v", got.Data)
			}
			if r := ben.Must(readExtra, vars{"id": reply}); r.At("node.quote") != nil {
				t.Errorf("quote: %v", r.Data)
			}
		})
		sound(w)
	})
}

func TestAttachments(t *testing.T) {
	apitest.Each(t, func(w *apitest.World) {
		ada, ben, out := w.Member("ada"), w.Member("ben"), w.Member("out")
		admin := w.Role(w.Member("root"), roleassignment.RoleADMIN)
		w.Space(space.KindNETWORK, "Network", ada, ben)
		hidden := w.Space(space.KindAFFINITY, "Room", ada, ben)
		thread := w.Thread(ada, hidden, "T", "B")
		token := w.Token(ada, accesstoken.ScopeWRITE)
		file := func(t *testing.T) string {
			return upload(t, w, token, "name=notes.txt&purpose=POST", strings.NewReader("Notes.")).id(t)
		}
		status := func(t *testing.T, link string) int {
			t.Helper()
			r := send(t, http.MethodGet, w.URL+link[strings.Index(link, "/files/"):], nil)
			return r.status
		}
		first, second := file(w.T), file(w.T)
		edit := `mutation($input: EditPostInput!) { editPost(input: $input) { errors { code message path } post { version attachments { id } } } }`
		r := ada.Must(writePost, input(vars{"threadId": thread, "body": "Here.", "attachmentFileIds": []string{second, first}}))
		post, link := r.String("createPost.post.id"), r.String("createPost.post.attachments.0.url")

		w.T.Run("a post holds its author's files in their order, and who sees it can have them", func(t *testing.T) {
			if r.String("createPost.post.attachments.0.id") != second || r.String("createPost.post.attachments.1.id") != first {
				t.Errorf("attachments: %v", r.Data)
			}
			got := ben.Must(`query($id: ID!) { node(id: $id) { ... on File { name url } } }`, vars{"id": first})
			if got.String("node.name") != "notes.txt" || status(t, got.String("node.url")) != http.StatusOK {
				t.Errorf("file: %v", got.Data)
			}
		})
		w.T.Run("to others the files are as if there were none", func(t *testing.T) {
			for _, p := range []*apitest.Person{out, admin} {
				a := p.Do(`query($id: ID!) { node(id: $id) { id } }`, vars{"id": first})
				b := p.Do(`query($id: ID!) { node(id: $id) { id } }`, vars{"id": w.NewID(gid.File)})
				if a.Body != b.Body || a.Code() != "NOT_FOUND" {
					t.Errorf("%s\n%s", a.Body, b.Body)
				}
			}
		})
		w.T.Run("what is not one's own, of another purpose or in use is refused, and nothing is written", func(t *testing.T) {
			other := upload(t, w, token, "name=notes.txt&purpose=RESOURCE", strings.NewReader("Notes.")).id(t)
			free := file(t)
			for _, c := range []struct {
				who   *apitest.Person
				files []string
				code  string
			}{
				{ben, []string{free}, "NOT_FOUND"}, {ada, []string{first}, "INVALID_INPUT"}, {ada, []string{other}, "INVALID_INPUT"}, {ada, []string{free, free}, "INVALID_INPUT"},
				{ada, []string{free, w.NewID(gid.File).String()}, "NOT_FOUND"},
			} {
				if code := c.who.Do(writePost, input(vars{"threadId": thread, "body": "x", "attachmentFileIds": c.files})).Code(); code != c.code {
					t.Errorf("%q, want %q", code, c.code)
				}
			}
			ada.Must(`mutation($input: DeleteFileInput!) { deleteFile(input: $input) { errors { code } } }`, input(vars{"fileId": free})) // free still
		})
		w.T.Run("two posts that want one file at once: one has it", func(t *testing.T) {
			wanted, done := file(t), atomic.Int32{}
			var wg sync.WaitGroup
			for range 4 {
				wg.Go(func() {
					if ada.Do(writePost, input(vars{"threadId": thread, "body": "Mine.", "attachmentFileIds": []string{wanted}})).Code() == "" {
						done.Add(1)
					}
				})
			}
			wg.Wait()
			if done.Load() != 1 {
				t.Errorf("%d posts have it", done.Load())
			}
		})
		w.T.Run("an edit says which files stay, and the links of the others end", func(t *testing.T) {
			third := file(t)
			got := ada.Must(edit, input(vars{"postId": post, "expectedVersion": 1, "body": "Here.", "attachmentFileIds": []string{first, third}}))
			if got.Int("editPost.post.version") != 2 || got.String("editPost.post.attachments.0.id") != first || got.String("editPost.post.attachments.1.id") != third {
				t.Errorf("edited: %v", got.Data)
			}
			if s := status(t, link); s != http.StatusNotFound {
				t.Errorf("the link of what was taken away: %d", s)
			}
			if got = ada.Must(edit, input(vars{"postId": post, "expectedVersion": 2, "body": "Here it is."})); got.Len("editPost.post.attachments") != 2 {
				t.Errorf("an edit of the text: %v", got.Data)
			}
		})
		w.T.Run("files go with the post", func(t *testing.T) {
			link := ben.Must(readExtra, vars{"id": post}).String("node.attachments.0.url")
			ada.Must(apitest.Operation(t, "delete-post"), input(vars{"postId": post}))
			if r := ben.Must(readExtra, vars{"id": post}); r.Len("node.attachments") != 0 {
				t.Errorf("attachments: %v", r.Data)
			}
			if s := status(t, link); s != http.StatusNotFound {
				t.Errorf("the link: %d", s)
			}
			if err := w.App.Files.Sweep(w.System()); err != nil {
				t.Error(err)
			}
		})
		sound(w)
	})
}

func TestCards(t *testing.T) {
	apitest.Each(t, func(w *apitest.World) {
		ada, ben := w.Member("ada"), w.Member("ben")
		network := w.Space(space.KindNETWORK, "Network", ada, ben)
		secret := w.Thread(ada, w.Space(space.KindAFFINITY, "Room", ada), "In confidence", "B")
		thread := w.Thread(ada, network, "T", "B")
		elsewhere := w.Thread(ada, network, "U", "B")
		body := fmt.Sprintf("See %s, %s/threads/%s?x=1 and %s, %s. Not https://other.example/%s nor `%s`.", secret, w.URL, elsewhere, network, w.NewID(gid.Thread), thread, thread)
		post := w.Post(ada, thread, body)
		names := func(p *apitest.Person) string {
			r := p.Must(readExtra, vars{"id": post})
			var ids []string
			for i := range r.Len("node.cards") {
				ids = append(ids, r.String(fmt.Sprintf("node.cards.%d.id", i)))
			}
			return strings.Join(ids, " ")
		}
		w.T.Run("each reader gets the cards of what they can see, in the order of the text", func(t *testing.T) {
			if got, want := names(ada), fmt.Sprintf("%s %s %s", secret, elsewhere, network); got != want {
				t.Errorf("ada: %s, want %s", got, want)
			}
			if got, want := names(ben), fmt.Sprintf("%s %s", elsewhere, network); got != want {
				t.Errorf("ben: %s, want %s", got, want)
			}
		})
		w.T.Run("an edit links anew", func(t *testing.T) {
			ada.Must(apitest.Operation(t, "edit-post"), input(vars{"postId": post, "expectedVersion": 1, "body": "See " + thread.String()}))
			if got := names(ben); got != thread.String() {
				t.Error(got)
			}
		})
		w.T.Run("a page of posts takes the same statements whatever their number", func(t *testing.T) {
			for range 20 {
				w.Post(ben, thread, body)
				ask(t, ada, thread)
			}
			q := `query($id: ID!, $first: Int!) { node(id: $id) { ... on Thread { posts(first: $first) { edges { node { quote attachments { id } cards { ... on Node { id } }
				poll { viewerHasVoted viewerCanVote options { viewerHasChosen } } revisions(first: 5) { edges { node { diff { kind } } } } } } } } } }`
			count := func(first int) int64 {
				return w.LeastStatements(func() { ben.Must(q, vars{"id": thread, "first": first}) })
			}
			if ten, all := count(10), count(40); ten != all {
				t.Errorf("%d statements for 10 posts, %d for 40", ten, all)
			}
		})
		sound(w)
	})
}

func TestPolls(t *testing.T) {
	apitest.Each(t, func(w *apitest.World) {
		ada, ben, cal, out := w.Member("ada"), w.Member("ben"), w.Member("cal"), w.Member("out")
		admin := w.Role(w.Member("root"), roleassignment.RoleADMIN)
		w.Space(space.KindNETWORK, "Network", ada, ben, cal)
		thread := w.Thread(ada, w.Space(space.KindAFFINITY, "Room", ada, ben, cal), "T", "B")
		one := ask(w.T, ada, thread)

		w.T.Run("a vote takes the place of the one before, and only the voter sees it", func(t *testing.T) {
			live := cal.Subscribe(`subscription($id: ID!) { threadEvents(threadId: $id) { ... on PollChanged { post { poll { voters options { votes } } } } } }`, vars{"id": thread})
			defer live.Close()
			w.Eventually("it is open", func() bool { n, _ := w.App.Events.Subscriptions(); return n == 1 })
			ben.Must(vote, input(vars{"pollId": one.poll, "optionIds": []gid.ID{one.options[0]}}))
			if got := fmt.Sprint(live.Next().At("threadEvents.post.poll")); got != "map[options:[map[votes:1] map[votes:0]] voters:1]" {
				t.Error(got)
			}
			ben.Must(vote, input(vars{"pollId": one.poll, "optionIds": []gid.ID{one.options[0]}})) // changes nothing
			r := ben.Must(vote, input(vars{"pollId": one.poll, "optionIds": []gid.ID{one.options[1]}}))
			if got := fmt.Sprint(r.At("vote.poll")); got != "map[options:[map[viewerHasChosen:false votes:0] map[viewerHasChosen:true votes:1]] viewerHasVoted:true voters:1]" {
				t.Error(got)
			}
			if got := fmt.Sprint(live.Next().At("threadEvents.post.poll")); got != "map[options:[map[votes:0] map[votes:1]] voters:1]" {
				t.Error(got)
			}
			if r := cal.Must(`query($id: ID!) { node(id: $id) { ... on Poll { viewerHasVoted options { viewerHasChosen } } } }`, vars{"id": one.poll}); r.At("node.viewerHasVoted") != false {
				t.Errorf("of another: %v", r.Data)
			}
			if r := ben.Must(vote, input(vars{"pollId": one.poll, "optionIds": []gid.ID{}})); r.Int("vote.poll.voters") != 0 {
				t.Errorf("taken back: %v", r.Data)
			}
		})
		w.T.Run("votes that come at once are counted", func(t *testing.T) {
			var wg sync.WaitGroup
			for i, p := range []*apitest.Person{ada, ben, cal, ada, ben, cal} {
				wg.Go(func() { p.Must(vote, input(vars{"pollId": one.poll, "optionIds": []gid.ID{one.options[i%2]}})) })
			}
			wg.Wait()
			r := ada.Must(readExtra, vars{"id": one.post})
			if n := r.Int("node.poll.options.0.votes") + r.Int("node.poll.options.1.votes"); n != 3 || r.Int("node.poll.voters") != 3 {
				t.Errorf("poll: %v", r.Data)
			}
		})
		w.T.Run("what is no vote changes nothing", func(t *testing.T) {
			another := ask(t, ada, thread)
			for _, c := range []struct {
				options []gid.ID
				code    string
			}{{one.options, "INVALID_INPUT"}, {[]gid.ID{another.options[0]}, "NOT_FOUND"}, {[]gid.ID{w.NewID(gid.PollOption)}, "NOT_FOUND"}} {
				if code := ben.Do(vote, input(vars{"pollId": one.poll, "optionIds": c.options})).Code(); code != c.code {
					t.Errorf("%q, want %q", code, c.code)
				}
			}
			for _, p := range []vars{
				{"question": "", "options": []string{"a", "b"}}, {"question": "?", "options": []string{"a"}}, {"question": "?", "options": []string{"a", "A"}},
				{"question": "?", "options": strings.Split("abcdefghijk", "")}, {"question": "?", "options": []string{"a", "b"}, "closesAt": "2020-01-01T00:00:00Z"},
			} {
				if code := ben.Do(writePost, input(vars{"threadId": thread, "body": "x", "poll": p})).Code(); code != "INVALID_INPUT" {
					t.Errorf("%v: %q", p, code)
				}
			}
		})
		w.T.Run("to others a poll of a hidden space is as if there were none", func(t *testing.T) {
			for _, p := range []*apitest.Person{out, admin} {
				a := p.Do(vote, input(vars{"pollId": one.poll, "optionIds": []gid.ID{one.options[0]}}))
				b := p.Do(vote, input(vars{"pollId": w.NewID(gid.Poll), "optionIds": []gid.ID{w.NewID(gid.PollOption)}}))
				if a.Body != b.Body || a.Code() != "NOT_FOUND" {
					t.Errorf("%s\n%s", a.Body, b.Body)
				}
			}
		})
		w.T.Run("it ends at the instant at which it closes, and with its post", func(t *testing.T) {
			closes := w.App.Config.Now().Add(time.Hour)
			r := ada.Must(writePost, input(vars{"threadId": thread, "body": "x", "poll": vars{"question": "Both?", "options": []string{"a", "b"}, "multiple": true, "closesAt": closes}}))
			poll, options := r.String("createPost.post.poll.id"), []string{r.String("createPost.post.poll.options.0.id"), r.String("createPost.post.poll.options.1.id")}
			ben.Must(vote, input(vars{"pollId": poll, "optionIds": options}))
			w.Tx(func(ctx context.Context, tx *ent.Client) error {
				return tx.Poll.UpdateOneID(must(t, poll)).SetClosesAt(w.App.Config.Now()).Exec(ctx) // from this instant on
			})
			if code := cal.Do(vote, input(vars{"pollId": poll, "optionIds": options})).Code(); code != "FORBIDDEN" {
				t.Errorf("a late vote: %q", code)
			}
			got := cal.Must(readExtra, vars{"id": r.String("createPost.post.id")})
			if got.At("node.poll.closed") != true || got.At("node.poll.viewerCanVote") != false || got.Int("node.poll.voters") != 1 {
				t.Errorf("closed: %v", got.Data)
			}
			ada.Must(apitest.Operation(t, "delete-post"), input(vars{"postId": one.post}))
			if got := cal.Do(`query($id: ID!) { node(id: $id) { id } }`, vars{"id": one.poll}); got.Code() != "NOT_FOUND" {
				t.Errorf("with its post: %v", got.Data)
			}
		})
		sound(w)
	})
}

func TestDiffs(t *testing.T) {
	apitest.Each(t, func(w *apitest.World) {
		ada := w.Member("ada")
		post := w.Post(ada, w.Thread(ada, w.Space(space.KindNETWORK, "Network", ada), "T", "B"), "We ask patients.")
		for i, body := range []string{"We ask all patients.", "We ask all patients and staff.", "We ask everybody."} {
			ada.Must(apitest.Operation(w.T, "edit-post"), input(vars{"postId": post, "expectedVersion": i + 1, "body": body}))
		}
		q := `query($id: ID!, $first: Int!, $after: Cursor) { node(id: $id) { ... on Post { revisions(first: $first, after: $after) { pageInfo { endCursor } edges { node { version diff { kind text } } } } } } }`
		show := func(r *apitest.Response, i int) string {
			var b strings.Builder
			for j := range r.Len(fmt.Sprintf("node.revisions.edges.%d.node.diff", i)) {
				at := fmt.Sprintf("node.revisions.edges.%d.node.diff.%d.", i, j)
				b.WriteString(map[string]string{"DELETED": "-", "INSERTED": "+"}[r.String(at+"kind")] + "[" + r.String(at+"text") + "]")
			}
			return b.String()
		}
		r := ada.Must(q, vars{"id": post, "first": 2})
		if a, b := show(r, 0), show(r, 1); a != "[We ask ]-[all patients and staff]+[everybody][.]" || b != "[We ask all patients]+[ and staff][.]" {
			w.T.Errorf("%s\n%s", a, b)
		}
		r = ada.Must(q, vars{"id": post, "first": 2, "after": r.String("node.revisions.pageInfo.endCursor")})
		if a := show(r, 0); a != "[We ask ]+[all ][patients.]" {
			w.T.Error(a)
		}
	})
}
