package apitest_test

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/pursuing-equity/commons/ent"
	"github.com/pursuing-equity/commons/ent/roleassignment"
	"github.com/pursuing-equity/commons/ent/space"
	"github.com/pursuing-equity/commons/internal/apitest"
	"github.com/pursuing-equity/commons/internal/gid"
)

// What goes to another thread is told of as what it is, and never as something new.
func TestWebhooksOfMoves(t *testing.T) {
	apitest.Each(t, func(w *apitest.World) {
		staff, ada := w.Role(w.Member("staff"), roleassignment.RoleSTAFF), w.Member("ada")
		network, group := w.Space(space.KindNETWORK, "Network", ada), w.Space(space.KindAFFINITY, "Group", ada)
		from, into := w.Thread(ada, network, "Twice", "first"), w.Thread(ada, network, "Once", "one")
		second, third := w.Post(ada, from, "second"), w.Post(ada, from, "third")
		r := newReceiver(w.T, nil)
		endpoint(w, staff, r.URL, "THREAD_CREATED", "POST_CREATED", "THREAD_MERGED", "THREAD_SPLIT")

		w.T.Run("a split is a new thread and one split", func(t *testing.T) {
			split := staff.Must(splitThread, input(vars{"threadId": from, "postIds": []gid.ID{third, second}, "title": "Apart"})).String("splitThread.thread.id")
			kinds := map[string]heardOf{}
			for range 2 {
				h := r.next(t)
				kinds[h.kind] = h
			}
			h := kinds["thread.split"]
			if h.data["threadId"] != split || h.data["fromThreadId"] != from.String() || h.data["fromSpaceId"] != network.String() || h.data["actorId"] != staff.ID.String() ||
				fmt.Sprint(h.data["postIds"]) != fmt.Sprint([]gid.ID{second, third}) || h.data["threadTitle"] != "Apart" {
				t.Errorf("%s", h.body)
			}
			if kinds["thread.created"].data["threadId"] != split {
				t.Errorf("%v", kinds)
			}
		})
		w.T.Run("a merge is one merge, whatever the number of posts", func(t *testing.T) {
			staff.Must(mergeThreads, input(vars{"fromThreadId": from, "intoThreadId": into}))
			h := r.next(t)
			if h.kind != "thread.merged" || h.data["threadId"] != from.String() || h.data["intoThreadId"] != into.String() || h.data["intoSpaceId"] != network.String() {
				t.Errorf("%s", h.body)
			}
		})
		w.T.Run("in a hidden space it is told to nobody", func(t *testing.T) {
			a, b := w.Thread(ada, group, "A", "a"), w.Thread(ada, group, "B", "b")
			ada.Must(mergeThreads, input(vars{"fromThreadId": a, "intoThreadId": b}))
			w.Post(ada, b, "c")
			ada.Must(splitThread, input(vars{"threadId": b, "postIds": []gid.ID{w.Post(ada, b, "d")}, "title": "C"}))
			w.Thread(ada, network, "Open", "o")
			for range 2 {
				r.next(t)
			}
			if got := len(r.all()); got != 5 {
				t.Errorf("%d deliveries", got)
			}
		})
		sound(w)
	}, apitest.Webhooks())
}

// A merge holds both threads while it counts anew for who reads them: with 5,000 readers and 1,000 posts on either side that is no more than
// two seconds, and the counters are exact at once.
func TestMergeOfManyReaders(t *testing.T) {
	apitest.Each(t, func(w *apitest.World) {
		const readers, posts = 5_000, 1_000
		host := w.Member("host")
		network := w.Space(space.KindNETWORK, "Network", host)
		from, into := w.Thread(host, network, "Twice", "first"), w.Thread(host, network, "Once", "one")
		crowd(w, network, readers)
		client := w.App.Store.Client(w.System())
		members := client.Member.Query().IDsX(w.System())
		for _, thread := range []gid.ID{from, into} {
			fillThread(w, thread, posts-1, true, func(i int) gid.ID { return host.ID }, func(i int) string { return fmt.Sprint("post ", i) })
			at := w.App.Config.Now()
			for some := range slices.Chunk(members, 500) {
				w.Tx(func(ctx context.Context, tx *ent.Client) error {
					var rows []*ent.ReadStateCreate
					for i, id := range some {
						if id == host.ID {
							continue // has a position, as who wrote the thread
						}
						rows = append(rows, tx.ReadState.Create().SetID(w.NewID(gid.ReadState)).SetCreatedAt(at).SetUpdatedAt(at).SetThreadID(thread).SetMemberID(id).SetLastReadSeq(i*2%(posts+1)))
					}
					return tx.ReadState.CreateBulk(rows...).Exec(ctx)
				})
			}
		}
		began := time.Now()
		host.Must(mergeThreads, input(vars{"fromThreadId": from, "intoThreadId": into}))
		took := time.Since(began)
		w.T.Logf("merged %d posts for %d readers in %v", posts, readers, took)
		if took > 2*time.Second*raceFactor {
			w.T.Errorf("it took %v", took)
		}
		soundPosts(w)
	})
}
