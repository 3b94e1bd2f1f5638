package apitest_test

import (
	"archive/zip"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/pursuing-equity/commons/ent"
	"github.com/pursuing-equity/commons/ent/auditentry"
	"github.com/pursuing-equity/commons/ent/roleassignment"
	"github.com/pursuing-equity/commons/ent/space"
	"github.com/pursuing-equity/commons/ent/spacemembership"
	"github.com/pursuing-equity/commons/internal/apitest"
	"github.com/pursuing-equity/commons/internal/apitest/database"
	"github.com/pursuing-equity/commons/internal/app"
	"github.com/pursuing-equity/commons/internal/audit"
	"github.com/pursuing-equity/commons/internal/gid"
)

const (
	requestExport = `mutation($input: RequestSpaceExportInput!) { requestSpaceExport(input: $input) { export { state } errors { code message path } } }`
	theExport     = `query($id: ID!) { node(id: $id) { ... on Space { export { state postCount size requestedAt finishedAt expiresAt url } } } }`
)

// exported is what an archive of a space holds.
type exported struct {
	Space struct {
		ID   gid.ID
		Name string
	}
	Threads []struct {
		ID     gid.ID
		Title  string
		Tags   []string
		Author *struct{ Handle string }
		Posts  []struct {
			ID          gid.ID
			Seq         int
			State, Body string
			Edits       int
			Author      *struct{ Handle string }
			Reactions   []struct {
				Emoji string
				Count int
			}
			Poll *struct {
				Options []struct {
					Label string
					Votes int
				}
			}
		}
	}
}

// opened reads an archive of a space, and its files by name.
func opened(t *testing.T, body []byte) (exported, map[string]string) {
	t.Helper()
	z, err := zip.NewReader(bytes.NewReader(body), int64(len(body)))
	must0(t, err)
	files := map[string]string{}
	for _, f := range z.File {
		if id, is := strings.CutPrefix(f.Name, "threads/"); is {
			if _, err := gid.Parse(strings.TrimSuffix(id, ".md")); err != nil {
				t.Errorf("a file called %q", f.Name)
			}
		}
		r, err := f.Open()
		must0(t, err)
		content, err := io.ReadAll(r)
		must0(t, err)
		files[f.Name] = string(content)
	}
	var all exported
	must0(t, json.Unmarshal([]byte(files["space.json"]), &all))
	return all, files
}

// finished waits until a space's archive is there, and returns its link for somebody.
func finished(w *apitest.World, p *apitest.Person, id gid.ID) string {
	w.T.Helper()
	w.Eventually("the archive is there", func() bool { return p.Must(theExport, vars{"id": id}).String("node.export.state") == "DONE" })
	return p.Must(theExport, vars{"id": id}).String("node.export.url")
}

func got(t *testing.T, w *apitest.World, link string) (int, []byte) {
	t.Helper()
	r := fetch(w, http.MethodGet, link)
	defer func() { _ = r.Body.Close() }()
	body, err := io.ReadAll(r.Body)
	must0(t, err)
	return r.StatusCode, body
}

// place is the membership that somebody has in a space.
func place(w *apitest.World, in gid.ID, p *apitest.Person) gid.ID {
	return w.App.Store.Client(w.System()).SpaceMembership.Query().Where(spacemembership.SpaceID(in), spacemembership.MemberID(p.ID)).OnlyIDX(w.System())
}

func TestSpaceExport(t *testing.T) {
	apitest.Each(t, func(w *apitest.World) {
		host, ada, ben, out := w.Member("host"), w.Member("ada"), w.Member("ben"), w.Member("out")
		staff, admin := w.Role(w.Member("staff"), roleassignment.RoleSTAFF), w.Role(w.Member("admin"), roleassignment.RoleADMIN)
		group, secret := w.Space(space.KindWORKGROUP, "Pursuing equity", host, ada, ben), w.Space(space.KindAFFINITY, "Room", host, ada)
		direct := w.Space(space.KindDIRECT, "", ada, host)
		w.Thread(ada, secret, "Between us", "zanzibar")
		thread := w.Thread(ada, group, "../../A \"plan\": # x", "First, *written* by ada")
		edited := w.Post(ben, thread, "Before")
		ben.Must(`mutation($input: EditPostInput!) { editPost(input: $input) { errors { code message } } }`, input(vars{"postId": edited, "expectedVersion": 1, "body": "After"}))
		ada.Must(`mutation($input: AddReactionInput!) { addReaction(input: $input) { errors { code message } } }`, input(vars{"postId": edited, "emoji": "👍"}))
		gone := w.Post(ben, thread, "A deleted heron")
		ben.Must(apitest.Operation(w.T, "delete-post"), input(vars{"postId": gone}))
		bad := w.Post(ben, thread, "A hidden heron")
		host.Must(hidePost, input(vars{"postId": bad, "reason": "R"}))
		asked := ask(w.T, ada, w.Thread(ada, group, "A question", "Q"))
		ben.Must(vote, input(vars{"pollId": asked.poll, "optionIds": []gid.ID{asked.options[0]}}))
		left := w.Member("left")
		w.Join(group, left, "MEMBER")
		w.Post(left, thread, "Said by who left")
		if _, err := w.App.Accounts.Erase(w.System(), inBrowser(admin), &left.ID, left.Handle, "R"); err != nil {
			w.T.Fatal(err)
		}
		must0(w.T, w.App.Accounts.FinishErasures(w.System()))
		ada.Must(`mutation($input: BlockMemberInput!) { blockMember(input: $input) { errors { code message } } }`, input(vars{"memberId": ben.ID}))

		w.T.Run("only who manages the space may, and what is hidden is never exported", func(t *testing.T) {
			for _, c := range []struct {
				who  *apitest.Person
				of   gid.ID
				code string
			}{
				{ada, group, "FORBIDDEN"}, {out, group, "NOT_FOUND"}, {out, secret, "NOT_FOUND"}, {staff, secret, "NOT_FOUND"}, {host, secret, "FORBIDDEN"},
				{ada, direct, "FORBIDDEN"}, {host, w.NewID(gid.Space), "NOT_FOUND"},
			} {
				if got := c.who.Do(requestExport, input(vars{"spaceId": c.of})); got.Code() != c.code {
					t.Errorf("%s of %s: %s, want %s", c.who.Handle, c.of, got.Body, c.code)
				}
			}
			if n := w.App.Store.Client(w.System()).SpaceExport.Query().CountX(w.System()); n != 0 {
				t.Errorf("%d archives", n)
			}
		})
		var link string
		w.T.Run("it holds what was said, and of what is not said any more that it was", func(t *testing.T) {
			var wg sync.WaitGroup
			for range 3 {
				wg.Go(func() { host.Must(requestExport, input(vars{"spaceId": group, "idempotencyKey": "k"})) })
			}
			wg.Wait()
			link = finished(w, host, group)
			status, body := got(t, w, link)
			if status != http.StatusOK {
				t.Fatalf("%d %s", status, body)
			}
			all, files := opened(t, body)
			if all.Space.ID != group || len(all.Threads) != 2 || len(all.Threads[0].Posts) != 5 || len(files) != 4 {
				t.Fatalf("%+v", all)
			}
			posts := all.Threads[0].Posts
			for i, want := range []string{"SAID", "SAID", "DELETED", "HIDDEN", "DELETED"} {
				if posts[i].State != want || posts[i].Seq != i+1 || want != "SAID" && posts[i].Body != "" {
					t.Errorf("post %d: %+v", i+1, posts[i])
				}
			}
			if posts[1].Body != "After" || posts[1].Edits != 1 || posts[1].Author.Handle != ben.Handle || len(posts[1].Reactions) != 1 || posts[1].Reactions[0].Count != 1 || posts[4].Author != nil {
				t.Errorf("%+v", posts)
			}
			polls := all.Threads[1].Posts
			if poll := polls[len(polls)-1].Poll; poll == nil || len(poll.Options) < 2 || poll.Options[0].Votes != 1 {
				t.Errorf("%+v", all.Threads[1])
			}
			text := files["threads/"+thread.String()+".md"]
			for _, part := range []string{"---\nid: " + thread.String(), "First, *written* by ada", "## 2. ben (@" + ben.Handle + ")", "👍 1", "*This post was deleted.*", "hidden by a moderator", "## 5. somebody who has left"} {
				if !strings.Contains(text, part) {
					t.Errorf("no %q in %s", part, text)
				}
			}
			for _, hidden := range []string{"heron", "zanzibar", "Between us", secret.String(), direct.String(), left.Handle, left.ID.String(), "Said by who left", ada.Token()} {
				if strings.Contains(fmt.Sprint(files), hidden) {
					t.Errorf("it holds %q", hidden)
				}
			}
		})
		w.T.Run("it is written down who asked and who fetched, and done once", func(t *testing.T) {
			c := w.App.Store.Client(w.System())
			for action, want := range map[audit.Action]int{audit.SpaceExportRequested: 1, audit.SpaceExported: 1} {
				if n := c.AuditEntry.Query().Where(auditentry.Action(string(action)), auditentry.SubjectID(group), auditentry.ActorID(host.ID)).CountX(w.System()); n != want {
					t.Errorf("%s: %d entries", action, n)
				}
			}
			if n := c.SpaceExport.Query().CountX(w.System()); n != 1 {
				t.Errorf("%d archives", n)
			}
		})
		w.T.Run("who cannot manage the space any more gets nothing, with the link that they had", func(t *testing.T) {
			_, nothing := got(t, w, "/space-exports/x")
			missing := func(what, link string) {
				t.Helper()
				if status, body := got(t, w, link); status != http.StatusNotFound || string(body) != string(nothing) {
					t.Errorf("%s: %d %.200s", what, status, body)
				}
			}
			theirs := finished(w, staff, group)
			changed := []byte(link)
			if at := len(changed) - 30; changed[at] != 'A' {
				changed[at] = 'A'
			} else {
				changed[at] = 'B'
			}
			missing("a changed link", string(changed))
			host.Must(`mutation($input: UpdateSpaceMembershipInput!) { updateSpaceMembership(input: $input) { errors { code message } } }`,
				input(vars{"spaceMembershipId": place(w, group, ada), "role": "FACILITATOR"}))
			adas := finished(w, ada, group)
			if status, _ := got(t, w, adas); status != http.StatusOK {
				t.Errorf("a new facilitator: %d", status)
			}
			if status, _ := got(t, w, theirs); status != http.StatusOK {
				t.Errorf("staff: %d", status)
			}
			staff.Must(suspendMember, input(vars{"memberId": ada.ID, "until": w.App.Config.Now().Add(1e12), "reason": "R"}))
			missing("a suspended facilitator", adas)
			staff.Must(`mutation($input: EndSpaceMembershipInput!) { endSpaceMembership(input: $input) { errors { code message } } }`, input(vars{"spaceMembershipId": place(w, group, host)}))
			missing("a facilitator who left", link)
			if got := ben.Must(theExport, vars{"id": group}); got.At("node.export") != nil {
				t.Errorf("a member sees %s", got.Body)
			}
		})
	})
}

// An archive of 5,000 posts, in one long and many short threads, takes statements by the page and no more memory than a small one. Nothing runs
// beside it: the heap is the whole process's.
func TestSpaceExportStreams(t *testing.T) {
	streams := func(t *testing.T, url string) {
		a, err := app.Open(context.Background(), app.Config{DatabaseURL: url, DataDir: t.TempDir(), Logger: slog.New(slog.DiscardHandler)}) //nolint:usetesting // closed after the test's context has ended
		must0(t, err)
		t.Cleanup(func() { must0(t, a.Close()) })
		w := &apitest.World{T: t, App: a}
		host := w.Member("host")
		group := w.Space(space.KindWORKGROUP, "Much", host)
		const long, short = 4_700, 300
		fillThread(w, w.Thread(host, group, "Long", "First"), long-1, false, func(int) gid.ID { return host.ID }, func(i int) string { return fmt.Sprintf("%d ", i) + strings.Repeat("word ", 1600) })
		for i := range short {
			w.Thread(host, group, fmt.Sprint("Short ", i), "Only")
		}
		_, err = a.Archives.Request(host.Context(), host.Viewer, group, nil)
		must0(t, err)
		var n int64
		grew := heapOf(func() { n = w.Statements(func() { must0(t, a.Archives.Work(w.System())) }) })
		all, files, e := kept(w)
		posts := 0
		for _, t := range all.Threads {
			posts += len(t.Posts)
		}
		t.Logf("%d posts in %d bytes, %d statements, %d KiB more heap at most", posts, e.Size, n, grew>>10)
		if posts != long+short || e.Posts != posts || len(all.Threads) != short+1 || len(files) != short+3 || len(files["space.json"]) < 30<<20 {
			t.Errorf("%d posts, %d threads, %d files, %d bytes", posts, len(all.Threads), len(files), len(files["space.json"]))
		}
		if n > 30*(long+short)/500 {
			t.Errorf("%d statements", n)
		}
		if grew > 48<<20 {
			t.Errorf("the heap grew by %d MiB", grew>>20)
		}
	}
	t.Run("sqlite", func(t *testing.T) { streams(t, database.SQLite(t)) })
	t.Run("postgres", func(t *testing.T) { streams(t, database.Postgres(t)) })
}

// heapOf is by how many bytes the heap grows at most while something is done.
func heapOf(do func()) int64 {
	stop, peak := make(chan struct{}), make(chan uint64)
	runtime.GC()
	var before runtime.MemStats
	runtime.ReadMemStats(&before)
	go func() {
		var most uint64
		tick := time.NewTicker(5 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-stop:
				peak <- most
				return
			case <-tick.C:
				var m runtime.MemStats
				runtime.ReadMemStats(&m)
				most = max(most, m.HeapAlloc)
			}
		}
	}()
	do()
	close(stop)
	return int64(<-peak) - int64(before.HeapAlloc)
}

// kept is the one archive that there is.
func kept(w *apitest.World) (exported, map[string]string, *ent.SpaceExport) {
	w.T.Helper()
	e := w.App.Store.Client(w.System()).SpaceExport.Query().OnlyX(w.System())
	content := w.App.Files.Kept(w.System(), *e.KeptID, e.Size)
	body, err := io.ReadAll(content)
	must0(w.T, err)
	must0(w.T, content.Close())
	all, files := opened(w.T, body)
	return all, files, e
}

// An archive that a server was killed over is put together once by the next one.
func TestExportingSurvivesKills(t *testing.T) {
	database.Each(t, func(t *testing.T, url string) {
		const many = 5_000
		v := newVictim(t, url)
		host := v.Member("host")
		group := v.Space(space.KindWORKGROUP, "Much", host)
		fillThread(v.World, v.Thread(host, group, "Long", "First"), many-1, true, func(int) gid.ID { return host.ID }, func(i int) string { return fmt.Sprintf("%d ", i) + strings.Repeat("word ", 400) })
		_, err := v.App.Archives.Request(host.Context(), host.Viewer, group, nil)
		must0(t, err)
		client := v.App.Store.Client(v.System())
		far := func() int { return client.SpaceExport.Query().OnlyX(v.System()).Posts }
		amidst := 0
		for _, n := range []int{1_000, 2_000} {
			v.killAt(n, far)
			if client.SpaceExport.Query().OnlyX(v.System()).FinishedAt == nil {
				amidst++
			}
			v.expire("space_exports", "next_at")
		}
		if amidst == 0 {
			t.Error("it was never killed in the middle: this proves nothing")
		}
		must0(t, v.server.Start(t.Context()))
		v.until("it is there", func() bool { return client.SpaceExport.Query().OnlyX(v.System()).FinishedAt != nil })
		must0(t, v.server.Kill())
		all, _, e := kept(v.World)
		if e.Posts != many || len(all.Threads) != 1 || len(all.Threads[0].Posts) != many {
			t.Errorf("%d posts", e.Posts)
		}
		for i, p := range all.Threads[0].Posts {
			if p.Seq != i+1 {
				t.Fatalf("post %d at place %d", p.Seq, i)
			}
		}
		t.Logf("killed in the middle %d times of 2", amidst)
	})
}
