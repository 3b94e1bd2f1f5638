package apitest_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/pursuing-equity/commons/ent"
	"github.com/pursuing-equity/commons/ent/event"
	"github.com/pursuing-equity/commons/ent/space"
	"github.com/pursuing-equity/commons/ent/spacemembership"
	"github.com/pursuing-equity/commons/internal/apitest"
	"github.com/pursuing-equity/commons/internal/apitest/database"
)

func TestThreadEvents(t *testing.T) {
	apitest.Each(t, func(w *apitest.World) {
		ada, ben := w.Member("ada"), w.Member("ben")
		network := w.Space(space.KindNETWORK, "Network", ada, ben)
		thread := w.Thread(ada, network, "Live", "first")
		events := apitest.Operation(w.T, "thread-events")

		w.T.Run("everything arrives in order, and a subscriber that was away gets exactly what it missed", func(t *testing.T) {
			sub := ben.Subscribe(events, vars{"thread": thread, "after": ben.Must(`{ eventCursor }`, nil).At("eventCursor")})
			post := w.Post(ada, thread, "second")
			got := sub.Next()
			if got.String("threadEvents.__typename") != "PostCreated" || got.String("threadEvents.post.id") != post.String() || got.String("threadEvents.post.author.name") != "ada" {
				t.Errorf("event: %v", got.Data)
			}
			cursor := got.String("threadEvents.cursor")
			sub.Close()

			ada.Must(apitest.Operation(t, "edit-post"), input(vars{"postId": post, "expectedVersion": 1, "body": "second, edited"}))
			ben.Must(apitest.Operation(t, "react"), input(vars{"postId": post, "emoji": "🎉"}))
			ada.Must(`mutation($input: RenameThreadInput!) { renameThread(input: $input) { errors { code } } }`, input(vars{"threadId": thread, "title": "Renamed"}))
			ada.Must(apitest.Operation(t, "delete-post"), input(vars{"postId": post}))

			sub = ben.Subscribe(events, vars{"thread": thread, "after": cursor})
			for _, want := range []string{"PostEdited", "ReactionsChanged", "ThreadChanged", "PostDeleted"} {
				if r := sub.Next(); r.String("threadEvents.__typename") != want {
					t.Errorf("%v where %s was due", r.Data, want)
				}
			}
			sub.Close()
		})
		w.T.Run("a query and the cursor that it returns agree while others write", func(t *testing.T) {
			stop := make(chan struct{})
			var wg sync.WaitGroup
			for range 3 {
				wg.Go(func() {
					for n := 0; ; n++ {
						select {
						case <-stop:
							return
						default:
							w.Post(ada, thread, fmt.Sprint(n))
						}
					}
				})
			}
			for range 10 {
				r := ben.Must(`query($id: ID!) { node(id: $id) { ... on Thread { posts(last: 1) { edges { node { seq } } } } } eventCursor }`, vars{"id": thread})
				sub := ben.Subscribe(events, vars{"thread": thread, "after": r.String("eventCursor")})
				if got, want := sub.Next().Int("threadEvents.post.seq"), r.Int("node.posts.edges.0.node.seq")+1; got != want {
					t.Errorf("the first event is of post %d, want %d", got, want)
				}
				sub.Close()
			}
			close(stop)
			wg.Wait()
		})
		w.T.Run("a cursor of another thread is refused, and one that is too old says so", func(t *testing.T) {
			other := w.Thread(ada, network, "Other", "first")
			sub := ben.Subscribe(events, vars{"thread": thread, "after": ben.Must(`{ eventCursor }`, nil).At("eventCursor")})
			w.Post(ada, thread, "one more")
			cursor := sub.Next().String("threadEvents.cursor")
			if code := ben.Subscribe(events, vars{"thread": other, "after": cursor}).Failure(); code != "INVALID_CURSOR" {
				t.Errorf("code %q", code)
			}
			sub.Close()
			w.Quiet() // what a subscriber has just got is remembered for others for a while
			w.Post(ada, thread, "and one more")
			w.Tx(func(ctx context.Context, tx *ent.Client) error {
				_, err := tx.Event.Delete().Where(event.StreamID(thread)).Exec(ctx)
				return err
			})
			if code := ben.Subscribe(events, vars{"thread": thread, "after": cursor}).Failure(); code != "RESET_REQUIRED" {
				t.Errorf("code %q", code)
			}
		})
	})
}

func TestNotificationEvents(t *testing.T) {
	apitest.Each(t, func(w *apitest.World) {
		ada, ben := w.Member("ada"), w.Member("ben")
		network := w.Space(space.KindNETWORK, "Network", ada, ben)
		thread := w.Thread(ada, network, "Live", "first")
		sub := ben.Subscribe(apitest.Operation(w.T, "notification-events"), vars{"after": ben.Must(`{ eventCursor }`, nil).At("eventCursor")})
		w.Post(ada, thread, "Hello @"+ben.Handle+"!")
		got := sub.Next()
		if got.String("notificationEvents.__typename") != "NotificationCreated" || got.Int("notificationEvents.unreadNotificationCount") != 1 {
			w.T.Errorf("event: %v", got.Data)
		}
		ben.Must(`mutation { markNotificationsRead(input: {}) { viewer { unreadNotificationCount } errors { code } } }`, nil)
		if got = sub.Next(); got.String("notificationEvents.__typename") != "NotificationsRead" || got.Int("notificationEvents.unreadNotificationCount") != 0 {
			w.T.Errorf("event: %v", got.Data)
		}
		if code := w.As("").Subscribe(apitest.Operation(w.T, "notification-events"), nil).Failure(); code != "UNAUTHENTICATED" {
			w.T.Errorf("a visitor: %q", code)
		}
	})
}

func TestLosingAccessEndsTheSubscription(t *testing.T) {
	apitest.Each(t, func(w *apitest.World) {
		ada, ben := w.Member("ada"), w.Member("ben")
		group := w.Space(space.KindAFFINITY, "Safe room", ada)
		membership := w.Join(group, ben, spacemembership.RoleMEMBER)
		thread := w.Thread(ada, group, "Live", "first")
		sub := ben.Subscribe(apitest.Operation(w.T, "thread-events"), vars{"thread": thread, "after": ben.Must(`{ eventCursor }`, nil).At("eventCursor")})
		w.Post(ada, thread, "before")
		sub.Next()
		w.Tx(func(ctx context.Context, tx *ent.Client) error {
			return tx.SpaceMembership.UpdateOneID(membership).SetEndsAt(w.App.Config.Now().Add(-time.Second)).Exec(ctx)
		})
		w.Post(ada, thread, "after")
		if code := sub.Failure(); code != "NOT_FOUND" {
			w.T.Errorf("code %q", code)
		}
	})
}

func TestReplicas(t *testing.T) {
	t.Parallel()
	url := database.Postgres(t)
	a, b := apitest.Serve(t, url), apitest.Serve(t, url)
	ada := a.Member("ada")
	network := a.Space(space.KindNETWORK, "Network", ada)
	thread := a.Thread(ada, network, "Live", "first")
	elsewhere := b.As(ada.Token())
	sub := elsewhere.Subscribe(apitest.Operation(t, "thread-events"), vars{"thread": thread, "after": elsewhere.Must(`{ eventCursor }`, nil).At("eventCursor")})
	for n := range 20 {
		a.Post(ada, thread, fmt.Sprint(n))
		if got := sub.Next().String("threadEvents.post.body"); got != fmt.Sprint(n) {
			t.Fatalf("post %q where %d was due", got, n)
		}
	}
}
