package apitest_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3mem"

	"github.com/pursuing-equity/commons/ent"
	"github.com/pursuing-equity/commons/ent/post"
	"github.com/pursuing-equity/commons/ent/roleassignment"
	"github.com/pursuing-equity/commons/ent/space"
	"github.com/pursuing-equity/commons/internal/apitest"
	"github.com/pursuing-equity/commons/internal/apitest/database"
	spaces "github.com/pursuing-equity/commons/internal/archive"
	"github.com/pursuing-equity/commons/internal/file"
	"github.com/pursuing-equity/commons/internal/gid"
	"github.com/pursuing-equity/commons/internal/store"
)

// stalling is a storage that holds up what is written until it is let go.
type stalling struct {
	http.Handler
	stalls  atomic.Bool
	arrived chan struct{}
	letGo   chan struct{}
	over    chan struct{}
}

func (s *stalling) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodPut && strings.Count(r.URL.Path, "/") > 1 && s.stalls.Load() {
		s.arrived <- struct{}{}
		select {
		case <-s.letGo:
		case <-s.over:
		}
	}
	s.Handler.ServeHTTP(w, r)
}

// An archive takes long to store: for so long it is one process's own, and should another one have it all the same, neither writes over the other's.
func TestSlowStorageOfSpaceExports(t *testing.T) {
	t.Setenv("AWS_ACCESS_KEY_ID", "test")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "test")
	database.Each(t, func(t *testing.T, url string) {
		slow := &stalling{Handler: gofakes3.New(s3mem.New(), gofakes3.WithAutoBucket(true)).Server(), arrived: make(chan struct{}, 8), letGo: make(chan struct{}), over: make(chan struct{})}
		storage := httptest.NewServer(slow)
		t.Cleanup(storage.Close)
		c := new(clock)
		w := apitest.Serve(t, url, apitest.Clock(c.now), apitest.Files(file.Limits{}, "s3://files?region=us-east-1&use_path_style=true&endpoint="+storage.URL, ""))
		t.Cleanup(func() { close(slow.over) }) // before the server is asked to stop
		host := w.Member("host")
		group := w.Space(space.KindWORKGROUP, "Plans", host)
		w.Thread(host, group, "A plan", "x")
		client := w.App.Store.Client(w.System())

		t.Run("who was too slow writes over nothing", func(t *testing.T) {
			slow.stalls.Store(true)
			host.Must(requestExport, input(vars{"spaceId": group}))
			<-slow.arrived
			slow.stalls.Store(false)
			c.add(2 * time.Minute)
			must0(t, spaces.New(w.App.Archives.Config).Work(w.System()))
			_, first := got(t, w, finished(w, host, group))
			client.SpaceExport.Query().OnlyX(w.System())
			slow.letGo <- struct{}{}
			w.Quiet()
			_, after := got(t, w, finished(w, host, group))
			if string(first) != string(after) {
				t.Error("other bytes are there")
			}
			opened(t, after)
		})
		t.Run("the lease is renewed while it is stored", func(t *testing.T) {
			client.SpaceExport.Delete().ExecX(w.System())
			cfg := w.App.Archives.Config
			cfg.Lease = 300 * time.Millisecond
			cfg.Now = func() time.Time { return c.now().Add(time.Hour) } // what it is asked for is due for nobody else
			second := spaces.New(cfg)
			slow.stalls.Store(true)
			_, err := second.Request(host.Context(), host.Viewer, group, nil)
			must0(t, err)
			over := make(chan error)
			go func() { over <- second.Work(w.System()) }()
			<-slow.arrived
			slow.stalls.Store(false)
			next := func() *time.Time { return client.SpaceExport.Query().OnlyX(w.System()).NextAt }
			for range 3 {
				before := next()
				w.Eventually("it is renewed", func() bool { now := next(); return now != nil && before != nil && now.After(*before) })
			}
			slow.letGo <- struct{}{}
			must0(t, <-over)
			finished(w, host, group)
		})
	})
}

// What is taken back can be fetched in no archive that was made before.
func TestSpaceExportForgets(t *testing.T) {
	apitest.Each(t, func(w *apitest.World) {
		host, ada, admin := w.Member("host"), w.Member("ada"), w.Role(w.Member("admin"), roleassignment.RoleADMIN)
		group, other := w.Space(space.KindWORKGROUP, "Plans", host, ada), w.Space(space.KindWORKGROUP, "Others", host)
		thread := w.Thread(host, group, "A plan", "x")
		one, two := w.Post(ada, thread, "a grey heron"), w.Post(ada, thread, "a night heron")
		moves := w.Thread(ada, group, "A thread", "y")
		var links []string
		ready := func() { // of both spaces
			links = nil
			for _, id := range []gid.ID{group, other} {
				if host.Must(theExport, vars{"id": id}).At("node.export") == nil {
					host.Must(requestExport, input(vars{"spaceId": id}))
				}
				links = append(links, finished(w, host, id))
			}
		}
		gone := func(t *testing.T, which ...int) {
			t.Helper()
			for i, link := range links {
				want := http.StatusOK
				for _, n := range which {
					if n == i {
						want = http.StatusNotFound
					}
				}
				if status, _ := got(t, w, link); status != want {
					t.Errorf("archive %d: %d, not %d", i, status, want)
				}
			}
		}
		for _, c := range []struct {
			name string
			do   func()
			gone []int
		}{
			{"a post is deleted", func() { ada.Must(apitest.Operation(w.T, "delete-post"), input(vars{"postId": one})) }, []int{0}},
			{"a post is hidden", func() { host.Must(hidePost, input(vars{"postId": two, "reason": "R"})) }, []int{0}},
			{"a thread moves away", func() {
				host.Must(`mutation($input: MoveThreadInput!) { moveThread(input: $input) { errors { code } } }`, input(vars{"threadId": moves, "spaceId": other}))
			}, []int{0}},
			{"a thread is merged into one of another space", func() {
				into := w.Thread(host, other, "Another", "z")
				host.Must(mergeThreads, input(vars{"fromThreadId": w.Thread(host, group, "Wandering", "z"), "intoThreadId": into}))
			}, []int{0}},
			{"posts are split off into another space", func() {
				id := w.Post(host, thread, "z")
				host.Must(splitThread, input(vars{"threadId": thread, "postIds": []any{id}, "title": "Split", "spaceId": other}))
			}, []int{0}},
			{"a member is erased", func() {
				_, err := w.App.Accounts.Erase(w.System(), inBrowser(admin), &ada.ID, ada.Handle, "R")
				must0(w.T, err)
			}, []int{0, 1}},
		} {
			w.T.Run(c.name, func(t *testing.T) {
				ready()
				gone(t)
				c.do()
				gone(t, c.gone...)
			})
		}
	})
}

// A deletion that commits after an archive was begun is waited for, though it had looked for archives before there was one.
func TestSpaceExportWaitsForDeletions(t *testing.T) {
	apitest.Each(t, func(w *apitest.World) {
		if !w.App.Store.Postgres() {
			w.T.Skip("who deletes has the only place to write at: nobody can ask for an archive meanwhile")
		}
		host, ada := w.Member("host"), w.Member("ada")
		group := w.Space(space.KindWORKGROUP, "Plans", host, ada)
		thread := w.Thread(host, group, "A plan", "x")
		said := w.Post(ada, thread, "a grey heron")
		quotes := must(w.T, host.Must(`mutation($input: CreatePostInput!) { createPost(input: $input) { post { id } errors { code message } } }`,
			input(vars{"threadId": thread, "body": "So?", "replyToId": said, "quote": "grey"})).String("createPost.post.id"))
		deleted := make(chan *apitest.Response, 1)
		asked := false
		w.Tx(func(ctx context.Context, tx *ent.Client) error {
			if _, err := tx.Post.Query().Where(post.ID(quotes), store.LockRow).Only(ctx); err != nil { // what a deletion changes last
				return err
			}
			go func() { deleted <- ada.Do(apitest.Operation(w.T, "delete-post"), input(vars{"postId": said})) }()
			w.Eventually("the deletion waits", func() bool {
				rows, err := w.App.Store.Client(w.System()).QueryContext(w.System(), "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'")
				must0(w.T, err)
				defer func() { _ = rows.Close() }()
				return rows.Next() && rows.Err() == nil
			})
			host.Must(requestExport, input(vars{"spaceId": group}))
			asked = true
			for range 100 {
				if r := host.Must(theExport, vars{"id": group}); r.String("node.export.state") != "PENDING" {
					w.T.Errorf("%s", r.Body)
					break
				}
			}
			return nil
		})
		if r := <-deleted; !asked || r.Code() != "" {
			w.T.Fatal(r)
		}
		_, body := got(w.T, w, finished(w, host, group))
		all, files := opened(w.T, body)
		if len(all.Threads) != 1 || strings.Contains(fmt.Sprint(files), "heron") {
			w.T.Errorf("%v", files)
		}
	})
}
