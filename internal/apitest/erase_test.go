package apitest_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/pursuing-equity/commons/ent"
	"github.com/pursuing-equity/commons/ent/member"
	"github.com/pursuing-equity/commons/ent/post"
	"github.com/pursuing-equity/commons/ent/readstate"
	"github.com/pursuing-equity/commons/ent/roleassignment"
	"github.com/pursuing-equity/commons/ent/searchdocument"
	"github.com/pursuing-equity/commons/ent/space"
	"github.com/pursuing-equity/commons/internal/apitest"
	"github.com/pursuing-equity/commons/internal/audit"
	"github.com/pursuing-equity/commons/internal/fault"
	"github.com/pursuing-equity/commons/internal/forum"
	"github.com/pursuing-equity/commons/internal/gid"
	"github.com/pursuing-equity/commons/internal/viewer"
)

// inBrowser is the person after signing in with a browser.
func inBrowser(p *apitest.Person) viewer.Viewer { return viewer.Session(p.ID, gid.ID{}) }

func TestErasure(t *testing.T) {
	apitest.Each(t, func(w *apitest.World) {
		admin, staff := w.Role(w.Member("admin"), roleassignment.RoleADMIN), w.Role(w.Member("staff"), roleassignment.RoleSTAFF)
		ada, ben := w.Member("ada"), w.Member("ben")
		network := w.Space(space.KindNETWORK, "Network", ben, ada)
		group := w.Space(space.KindAFFINITY, "Group", ada, ben)
		thread := w.Thread(ada, network, "Said by ada", "Said by ada")
		reply := w.Post(ben, thread, "Said by ben")
		flagged := w.Post(ada, thread, "Said in haste")
		ben.Must(flagPost, input(vars{"postId": flagged, "reason": "OTHER", "note": "Ada again."}))
		admin.Must(resolve, input(vars{"postId": flagged, "outcome": "UPHELD", "reason": "As Ada always does."}))
		ctx := ada.Context()
		t := w.T
		t.Run("it takes the person or an administrator, a browser, the handle, and a reason", func(t *testing.T) {
			for name, c := range map[string]struct {
				v              viewer.Viewer
				who            *gid.ID
				handle, reason string
				code           fault.Code
			}{
				"somebody else":            {inBrowser(ben), &ada.ID, ada.Handle, "R", fault.Forbidden},
				"staff":                    {inBrowser(staff), &ada.ID, ada.Handle, "R", fault.Forbidden},
				"an access token":          {ada.Viewer, nil, ada.Handle, "", fault.Forbidden},
				"an administrator's token": {admin.Viewer, &ada.ID, ada.Handle, "R", fault.Forbidden},
				"no reason":                {inBrowser(admin), &ada.ID, ada.Handle, "", fault.InvalidInput},
				"one's own reason":         {inBrowser(ada), nil, ada.Handle, "R", fault.InvalidInput},
				"another handle":           {inBrowser(ada), nil, ben.Handle, "", fault.InvalidInput},
				"the last administrator":   {inBrowser(admin), nil, admin.Handle, "", fault.Forbidden},
				"nobody":                   {viewer.Anonymous(), nil, ada.Handle, "", fault.Unauthenticated},
				"a stranger to them":       {inBrowser(w.Member("out")), &ada.ID, ada.Handle, "R", fault.NotFound},
			} {
				if _, err := w.App.Accounts.Erase(ctx, c.v, c.who, c.handle, c.reason); !fault.Is(err, c.code) {
					t.Errorf("%s: %v, want %s", name, err, c.code)
				}
			}
		})
		t.Run("tombstones, numbers and replies stay; places end, and a group is handed over", func(t *testing.T) {
			m, err := w.App.Accounts.Erase(ctx, inBrowser(admin), &ada.ID, ada.Handle, "Asked for by letter.")
			if err != nil || m.Status != member.StatusERASED || m.Name != "Erased member" {
				t.Fatalf("%v, %v", m, err)
			}
			if code := ada.Do(`{ viewer { id } }`, nil).Code(); code != "UNAUTHENTICATED" {
				t.Errorf("still signed in: %q", code)
			}
			if err := w.App.Accounts.FinishErasures(w.System()); err != nil {
				t.Fatal(err)
			}
			r := ben.Must(`query($id: ID!) { node(id: $id) { ... on Thread { title postCount author { name } posts(first: 5) { edges { node { id seq body deletedAt } } } } } }`, vars{"id": thread})
			if r.String("node.title") != "Erased thread" || r.String("node.author.name") != "Erased member" || r.Int("node.postCount") != 1 ||
				r.At("node.posts.edges.0.node.deletedAt") == nil || r.String("node.posts.edges.0.node.body") != "" ||
				r.String("node.posts.edges.1.node.id") != reply.String() || r.Int("node.posts.edges.1.node.seq") != 2 {
				t.Errorf("%s", r.Body)
			}
			r = ben.Must(`query($id: ID!) { node(id: $id) { ... on Space { viewerMembership { role } memberships(first: 5) { edges { cursor } } } } }`, vars{"id": group})
			if r.String("node.viewerMembership.role") != "FACILITATOR" || r.Len("node.memberships.edges") != 1 {
				t.Errorf("%s", r.Body)
			}
			if e := audited(w, audit.MemberErased, ada.ID); len(e) != 1 || e[0].Reason != "Asked for by letter." {
				t.Errorf("the audit log has %v", e)
			}
		})
		t.Run("nothing is left of what others said of it", func(t *testing.T) {
			f := w.App.Store.Client(w.System()).Flag.Query().OnlyX(w.System())
			if f.Note != "" || f.Resolution != "" || f.ReporterID != ben.ID {
				t.Errorf("%v", f)
			}
		})
		t.Run("it is once and for all", func(t *testing.T) {
			if _, err := w.App.Accounts.Erase(ctx, inBrowser(admin), &ada.ID, "whatever", "R"); err != nil {
				t.Errorf("again: %v", err)
			}
			if code := admin.Do(reactivateMember, input(vars{"memberId": ada.ID})).Code(); code != "INVALID_INPUT" {
				t.Errorf("opened again: %q", code)
			}
			if code := admin.Do(deactivateMember, input(vars{"memberId": ada.ID, "reason": "R"})).Code(); code != "INVALID_INPUT" {
				t.Errorf("closed: %q", code)
			}
			if e := audited(w, audit.MemberErased, ada.ID); len(e) != 1 {
				t.Errorf("%d entries", len(e))
			}
		})
	})
}

// fillThread writes posts into a thread, as the forum would but for events, many at a time; to be found if that is said.
func fillThread(w *apitest.World, thread gid.ID, n int, found bool, author func(i int) gid.ID, body func(i int) string) {
	w.T.Helper()
	t := w.App.Store.Client(w.System()).Thread.GetX(w.System(), thread)
	var last gid.ID
	at := w.App.Config.Now()
	for from := 0; from < n; from += 250 {
		w.Tx(func(ctx context.Context, tx *ent.Client) error {
			var posts []*ent.PostCreate
			var documents []*ent.SearchDocumentCreate
			for i := from; i < min(n, from+250); i++ {
				last = w.NewID(gid.Post)
				posts = append(posts, tx.Post.Create().SetID(last).SetThreadID(thread).SetAuthorID(author(i)).SetSeq(t.PostSeq+i+1).
					SetBody(body(i)).SetBodyHTML("<p>"+body(i)+"</p>").SetCreatedAt(at))
				documents = append(documents, tx.SearchDocument.Create().SetKind(searchdocument.KindPOST).SetObjectID(last).SetThreadID(thread).SetBody(body(i)))
			}
			if err := tx.Post.CreateBulk(posts...).Exec(ctx); err != nil {
				return err
			}
			if !found {
				return nil
			}
			return tx.SearchDocument.CreateBulk(documents...).Exec(ctx)
		})
	}
	w.Tx(func(ctx context.Context, tx *ent.Client) error {
		return tx.Thread.UpdateOneID(thread).SetPostSeq(t.PostSeq + n).SetLastPostID(last).SetLastActivityAt(at).Exec(ctx)
	})
}

// An erasure of thousands of posts is broken off again and again and goes on, while others write in the same threads and wait for no
// more than one step of it.
func TestErasureGoesOnAfterAKill(t *testing.T) {
	apitest.Each(t, func(w *apitest.World) {
		ada, ben := w.Member("ada"), w.Member("ben")
		network := w.Space(space.KindNETWORK, "Network", ben, ada)
		const threads, each = 5, 250
		all := make([]gid.ID, threads)
		for i := range all {
			all[i] = w.Thread(ben, network, fmt.Sprintf("Thread %d", i), "Of ben")
			fillThread(w, all[i], each, true, func(i int) gid.ID {
				if i%5 == 4 {
					return ben.ID
				}
				return ada.ID
			}, func(i int) string {
				if i%5 == 4 {
					return "Of ben"
				}
				return strings.Repeat(fmt.Sprintf("Word %d of a xylographer. ", i), 1+i%40)
			})
			ben.Must(`mutation($input: MarkThreadReadInput!) { markThreadRead(input: $input) { errors { code message } } }`, input(vars{"threadId": all[i], "upToSeq": 50*i + 2}))
		}
		w.Tx(func(ctx context.Context, tx *ent.Client) error { // as Erase begins, but that the server is not told
			if err := w.App.Community.Leave(ctx, tx, ada.ID); err != nil {
				return err
			}
			return tx.Member.UpdateOneID(ada.ID).SetStatus(member.StatusERASED).SetErasingHandle(ada.Handle).Exec(ctx)
		})
		left := func() int {
			return w.App.Store.Client(w.System()).Post.Query().Where(post.AuthorID(ada.ID), post.DeletedAtIsNil()).CountX(w.System())
		}
		stop, slowest := make(chan struct{}), make(chan time.Duration)
		go func() {
			var worst time.Duration
			next := time.NewTicker(10 * time.Millisecond)
			defer next.Stop()
			for i := 0; ; i++ {
				select {
				case <-stop:
					slowest <- worst
					return
				case <-next.C:
				}
				began := time.Now()
				if _, err := w.App.Forum.CreatePost(ben.Context(), ben.Viewer, forum.NewPost{ThreadID: all[i%threads], Body: "Meanwhile"}); err != nil {
					w.T.Error(err)
				}
				worst = max(worst, time.Since(began))
			}
		}()
		kills, was := 0, left()
		for limit := 40 * time.Millisecond; ; limit += 10 * time.Millisecond {
			ctx, cancel := context.WithTimeout(w.System(), limit)
			err := w.App.Accounts.FinishErasures(ctx)
			cancel()
			if err == nil {
				break
			}
			if now := left(); now > 0 && now < was {
				kills, was = kills+1, now
			}
		}
		close(stop)
		w.T.Logf("broken off %d times on the way; somebody else's post took at most %v", kills, <-slowest)
		if kills == 0 {
			w.T.Error("it was never broken off on the way")
		}
		if n := left(); n != 0 {
			w.T.Errorf("%d posts left", n)
		}
		c := w.App.Store.Client(w.System())
		for _, id := range all {
			th := c.Thread.GetX(w.System(), id)
			state := c.ReadState.Query().Where(readstate.ThreadID(id)).OnlyX(w.System())
			uncounted := c.Post.Query().Where(post.ThreadID(id), post.SeqGT(state.LastReadSeq), post.Or(post.AuthorID(ben.ID), post.DeletedAtNotNil())).CountX(w.System())
			if tombstones := c.Post.Query().Where(post.ThreadID(id), post.DeletedAtNotNil()).CountX(w.System()); th.DeletedPosts != tombstones || tombstones != each*4/5 || state.Uncounted != uncounted {
				w.T.Errorf("%d tombstones, counted %d; uncounted %d, want %d", tombstones, th.DeletedPosts, state.Uncounted, uncounted)
			}
		}
		if err := w.App.Store.Scrub(w.System()); err != nil {
			w.T.Fatal(err)
		}
		if found := w.Traces("xylographer"); len(found) > 0 {
			w.T.Errorf("in the database: %d times", len(found))
		}
		if found := w.FileTraces("xylographer"); len(found) > 0 {
			w.T.Error(found)
		}
	})
}
