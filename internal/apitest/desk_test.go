package apitest_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pursuing-equity/commons/ent"
	"github.com/pursuing-equity/commons/ent/accesstoken"
	"github.com/pursuing-equity/commons/ent/draft"
	"github.com/pursuing-equity/commons/ent/notification"
	"github.com/pursuing-equity/commons/ent/post"
	"github.com/pursuing-equity/commons/ent/space"
	"github.com/pursuing-equity/commons/ent/spacemembership"
	"github.com/pursuing-equity/commons/internal/apitest"
	"github.com/pursuing-equity/commons/internal/apitest/database"
	"github.com/pursuing-equity/commons/internal/gid"
)

const (
	saveDraft = `mutation($input: SaveDraftInput!) { saveDraft(input: $input) { draft { id version body failure publishAt space { id } thread { id } versions { version body } }
		newer { version body } errors { code message path } } }`
	scheduleDraft = `mutation($input: ScheduleDraftInput!) { scheduleDraft(input: $input) { draft { publishAt failure } errors { code message path } } }`
	publishDraft  = `mutation($input: PublishDraftInput!) { publishDraft(input: $input) { post { id body seq thread { id title } } errors { code message path } } }`
	deleteDraft   = `mutation($input: DeleteDraftInput!) { deleteDraft(input: $input) { draftId errors { code message path } } }`
	bookmarkPost  = `mutation($input: BookmarkPostInput!) { bookmarkPost(input: $input) { bookmark { id note remindAt post { id } } errors { code message path } } }`
	deskEvents    = `subscription { notificationEvents { __typename ... on DraftChanged { draftId draft { version body failure } }
		... on BookmarkChanged { post { id } bookmark { note remindedAt } } ... on NotificationCreated { notification { reasons readAt subject { ... on Post { id } } } } } }`
)

// later is a server whose clock the test moves.
func later(t *testing.T, test func(w *apitest.World, pass func(time.Duration))) {
	t.Helper()
	t.Parallel()
	database.Each(t, func(t *testing.T, url string) {
		var ahead atomic.Int64
		w := apitest.Serve(t, url, apitest.Clock(func() time.Time {
			return time.Now().UTC().Truncate(time.Microsecond).Add(time.Duration(ahead.Load()))
		}))
		test(w, func(d time.Duration) { ahead.Add(int64(d)) })
	})
}

func TestDrafts(t *testing.T) {
	apitest.Each(t, func(w *apitest.World) {
		ada, ben := w.Member("ada"), w.Member("ben")
		network := w.Space(space.KindNETWORK, "Network", ben, ada)
		thread := w.Thread(ben, network, "T", "B")
		phone := w.As(w.Token(ada, accesstoken.ScopeWRITE))
		w.T.Run("two devices save one draft, and neither overwrites the other", func(t *testing.T) {
			live := phone.Subscribe(deskEvents, nil)
			w.Eventually("it is open", func() bool { n, _ := w.App.Events.Subscriptions(); return n == 1 })
			begun := ada.Must(saveDraft, input(vars{"threadId": thread, "body": "One", "idempotencyKey": "k"}))
			again := ada.Must(saveDraft, input(vars{"threadId": thread, "body": "One", "idempotencyKey": "k"}))
			id := begun.String("saveDraft.draft.id")
			if again.String("saveDraft.draft.id") != id {
				t.Errorf("the same key made two: %s", again.Body)
			}
			if got := live.Next(); got.String("notificationEvents.draftId") != id || got.String("notificationEvents.draft.body") != "One" {
				t.Errorf("the other device is told %s", got.Body)
			}
			phone.Must(saveDraft, input(vars{"draftId": id, "expectedVersion": 1, "body": "Two"}))
			late := ada.Do(saveDraft, input(vars{"draftId": id, "expectedVersion": 1, "body": "Three"}))
			if late.Code() != "STALE_VERSION" || late.String("saveDraft.newer.body") != "Two" || late.Int("saveDraft.newer.version") != 2 || late.At("saveDraft.draft") != nil {
				t.Errorf("a stale save is answered %s", late.Body)
			}
			retried := phone.Must(saveDraft, input(vars{"draftId": id, "expectedVersion": 1, "body": "Two"}))
			if retried.Int("saveDraft.draft.version") != 2 || retried.Len("saveDraft.draft.versions") != 1 {
				t.Errorf("saving the same text again changes something: %s", retried.Body)
			}
			for version := 2; version < 30; version++ {
				ada.Must(saveDraft, input(vars{"draftId": id, "expectedVersion": version, "body": fmt.Sprint(version)}))
			}
			kept := ada.Must(saveDraft, input(vars{"draftId": id, "expectedVersion": 30, "title": "T"}))
			if kept.Len("saveDraft.draft.versions") != 20 || kept.Int("saveDraft.draft.versions.0.version") != 30 || kept.Int("saveDraft.draft.versions.19.version") != 11 {
				t.Errorf("kept are %s", kept.Body)
			}
			live.Close()
		})
		w.T.Run("what cannot be kept is refused, and nothing is kept", func(t *testing.T) {
			before := ada.Must(`{ viewer { drafts(first: 50) { edges { node { id } } } } }`, nil).Len("viewer.drafts.edges")
			for name, c := range map[string]struct {
				in   vars
				code string
			}{
				"no place":          {vars{"body": "x"}, "INVALID_INPUT"},
				"two places":        {vars{"spaceId": network, "threadId": thread}, "INVALID_INPUT"},
				"an answer nowhere": {vars{"spaceId": network, "replyToId": w.NewID(gid.Post)}, "INVALID_INPUT"},
				"no such answer":    {vars{"threadId": thread, "replyToId": w.NewID(gid.Post)}, "NOT_FOUND"},
				"too long":          {vars{"threadId": thread, "body": strings.Repeat("x", 50_001)}, "INVALID_INPUT"},
				"no such draft":     {vars{"draftId": w.NewID(gid.Draft), "expectedVersion": 1}, "NOT_FOUND"},
				"no version":        {vars{"draftId": w.NewID(gid.Draft)}, "INVALID_INPUT"},
			} {
				if got := ada.Do(saveDraft, input(c.in)); got.Code() != c.code {
					t.Errorf("%s: %s", name, got.Body)
				}
			}
			if n := ada.Must(`{ viewer { drafts(first: 50) { edges { node { id } } } } }`, nil).Len("viewer.drafts.edges"); n != before {
				t.Errorf("there are %d drafts, not %d", n, before)
			}
		})
		w.T.Run("a draft is published once, however often it is asked for", func(t *testing.T) {
			id := ada.Must(saveDraft, input(vars{"spaceId": network, "title": "New", "body": "Hello @" + ben.Handle})).String("saveDraft.draft.id")
			var posts sync.Map
			var together sync.WaitGroup
			for range 4 {
				together.Go(func() {
					r := ada.Do(publishDraft, input(vars{"draftId": id}))
					posts.Store(r.String("publishDraft.post.id")+r.Code(), true)
				})
			}
			together.Wait()
			n := 0
			posts.Range(func(key, _ any) bool { n++; t.Log(key); return true })
			if made := w.App.Store.Client(w.System()).Post.Query().Where(post.Body("Hello @" + ben.Handle)).CountX(w.System()); made != 1 || n != 1 {
				t.Errorf("%d posts, and %d different answers", made, n)
			}
			if got := ada.Do(`query($id: ID!) { node(id: $id) { id } }`, vars{"id": id}); got.Code() != "NOT_FOUND" {
				t.Errorf("the draft is still there: %s", got.Body)
			}
		})
		w.T.Run("who loses the place keeps the words and sees nothing of the place", func(t *testing.T) {
			group := w.Space(space.KindAFFINITY, "Group", ben)
			place := w.Join(group, ada, spacemembership.RoleMEMBER)
			secret := w.Thread(ben, group, "Secret", "B")
			id := ada.Must(saveDraft, input(vars{"threadId": secret, "body": "Mine"})).String("saveDraft.draft.id")
			w.Tx(func(ctx context.Context, tx *ent.Client) error {
				return tx.SpaceMembership.UpdateOneID(place).SetEndsAt(w.App.Config.Now().Add(-time.Second)).Exec(ctx)
			})
			saved := ada.Must(saveDraft, input(vars{"draftId": id, "expectedVersion": 1, "body": "Still mine"}))
			if saved.At("saveDraft.draft.thread") != nil || saved.String("saveDraft.draft.body") != "Still mine" {
				t.Errorf("%s", saved.Body)
			}
			if got := ada.Do(publishDraft, input(vars{"draftId": id})); got.Code() != "NOT_FOUND" {
				t.Errorf("it is published: %s", got.Body)
			}
			ada.Must(deleteDraft, input(vars{"draftId": id}))
		})
		w.T.Run("a page of drafts takes the same number of statements, whatever the number", func(t *testing.T) {
			const all = `{ viewer { drafts(first: 50) { edges { node { id space { id } thread { id } replyTo { id } versions { body } } } } bookmarks(first: 50) { edges { node { post { id viewerBookmark { id } } } } } } }`
			keep := func(n int) {
				for i := range n {
					ada.Must(saveDraft, input(vars{"threadId": thread, "body": fmt.Sprint(i)}))
					ada.Must(saveDraft, input(vars{"spaceId": network, "body": fmt.Sprint(i)}))
					ada.Must(bookmarkPost, input(vars{"postId": w.Post(ben, thread, "P")}))
				}
			}
			keep(1)
			few := w.LeastStatements(func() { ada.Must(all, nil) })
			keep(5)
			if many := w.LeastStatements(func() { ada.Must(all, nil) }); many != few {
				t.Errorf("%d statements, and %d for more", few, many)
			}
		})
	})
}

func TestScheduledPosts(t *testing.T) {
	later(t, func(w *apitest.World, pass func(time.Duration)) {
		ada, ben := w.Member("ada"), w.Member("ben")
		network := w.Space(space.KindNETWORK, "Network", ben, ada)
		thread := w.Thread(ben, network, "T", "B")
		plan := func(body string) gid.ID {
			id := ada.Must(saveDraft, input(vars{"threadId": thread, "body": body})).String("saveDraft.draft.id")
			ada.Must(scheduleDraft, input(vars{"draftId": id, "publishAt": w.App.Config.Now().Add(time.Minute)}))
			return must(w.T, id)
		}
		written := func(body string) int {
			return w.App.Store.Client(w.System()).Post.Query().Where(post.Body(body)).CountX(w.System())
		}
		due := func() {
			if err := w.App.Desk.PublishDue(w.System()); err != nil {
				w.T.Fatal(err)
			}
		}
		w.T.Run("it is published when its time has come, once, by several workers at once", func(t *testing.T) {
			for i := range 30 {
				plan(fmt.Sprintf("Number %d", i))
			}
			due()
			if n := written("Number 0"); n != 0 {
				t.Fatal("it is published early")
			}
			pass(2 * time.Minute)
			var together sync.WaitGroup
			for range 4 {
				together.Go(func() { _ = w.App.Desk.PublishDue(w.System()) })
			}
			together.Wait()
			w.Eventually("all are published", func() bool { // the server's own worker may still be at it
				return !w.App.Store.Client(w.System()).Draft.Query().Where(draft.MemberID(ada.ID)).ExistX(w.System())
			})
			for i := range 30 {
				if n := written(fmt.Sprintf("Number %d", i)); n != 1 {
					t.Errorf("number %d was published %d times", i, n)
				}
			}
		})
		w.T.Run("a process that dies on the way leaves it to the next one", func(t *testing.T) {
			id := plan("After the crash")
			pass(2 * time.Minute)
			w.Tx(func(ctx context.Context, tx *ent.Client) error { // as the one that died had taken it
				return tx.Draft.Update().Where(draft.ID(id)).SetPublishAt(w.App.Config.Now().Add(time.Minute)).Exec(ctx)
			})
			due()
			if written("After the crash") != 0 {
				t.Error("its lease is not kept")
			}
			pass(2 * time.Minute)
			w.Eventually("it is published", func() bool { due(); return written("After the crash") == 1 })
		})
		w.T.Run("what its author may not do at that moment stays with the reason, and they are told", func(t *testing.T) {
			live := ada.Subscribe(deskEvents, nil)
			w.Eventually("it is open", func() bool { n, _ := w.App.Events.Subscriptions(); return n == 1 })
			id := plan("Refused")
			live.Next() // saved
			live.Next() // scheduled
			for _, change := range []struct {
				code     string
				do, undo func(ctx context.Context, tx *ent.Client) error
			}{
				{"THREAD_LOCKED",
					func(ctx context.Context, tx *ent.Client) error {
						return tx.Thread.UpdateOneID(thread).SetLocked(true).Exec(ctx)
					},
					func(ctx context.Context, tx *ent.Client) error {
						return tx.Thread.UpdateOneID(thread).SetLocked(false).Exec(ctx)
					}},
				{"ARCHIVED",
					func(ctx context.Context, tx *ent.Client) error {
						return tx.Space.UpdateOneID(network).SetArchivedAt(w.App.Config.Now()).Exec(ctx)
					},
					func(ctx context.Context, tx *ent.Client) error {
						return tx.Space.UpdateOneID(network).ClearArchivedAt().Exec(ctx)
					}},
				{"NOT_FOUND",
					func(ctx context.Context, tx *ent.Client) error {
						return tx.SpaceMembership.Update().Where(spacemembership.MemberID(ada.ID)).SetEndsAt(time.Now().Add(-time.Second)).Exec(ctx)
					},
					func(ctx context.Context, tx *ent.Client) error {
						return tx.SpaceMembership.Update().Where(spacemembership.MemberID(ada.ID)).ClearEndsAt().Exec(ctx)
					}},
			} {
				ada.Must(scheduleDraft, input(vars{"draftId": id, "publishAt": w.App.Config.Now().Add(time.Minute)}))
				for live.Next().At("notificationEvents.draft.failure") != nil { // scheduled again: nothing has failed since
				}
				w.Tx(change.do)
				pass(2 * time.Minute)
				due()
				if got := live.Next().String("notificationEvents.draft.failure"); got != change.code {
					t.Errorf("told is %s, not %s", got, change.code)
				}
				w.Tx(change.undo)
			}
			live.Close()
			ada.Must(scheduleDraft, input(vars{"draftId": id, "publishAt": w.App.Config.Now().Add(time.Minute)}))
			w.Tx(func(ctx context.Context, tx *ent.Client) error {
				return tx.Member.UpdateOneID(ada.ID).SetSuspendedUntil(w.App.Config.Now().Add(24 * time.Hour)).Exec(ctx)
			})
			pass(2 * time.Minute)
			w.Eventually("a suspended author is refused", func() bool {
				due()
				return w.App.Store.Client(w.System()).Draft.GetX(w.System(), id).Failure == "FORBIDDEN"
			})
			if written("Refused") != 0 {
				t.Error("it was published")
			}
		})
	})
}

func TestBookmarks(t *testing.T) {
	later(t, func(w *apitest.World, pass func(time.Duration)) {
		ada, ben := w.Member("ada"), w.Member("ben")
		network, group := w.Space(space.KindNETWORK, "Network", ben, ada), w.Space(space.KindAFFINITY, "Group", ben)
		place := w.Join(group, ada, spacemembership.RoleMEMBER)
		thread := w.Thread(ben, network, "T", "B")
		kept, mentioned, gone := w.Post(ben, thread, "Keep this"), w.Post(ben, thread, "Hello @"+ada.Handle), w.Post(ben, thread, "Gone soon")
		hidden := w.Post(ben, w.Thread(ben, group, "S", "B"), "Hidden soon")
		const list = `{ viewer { bookmarks(first: 50) { edges { node { note remindAt remindedAt post { id } } } } } }`
		told := func(p gid.ID) []*ent.Notification {
			return w.App.Store.Client(w.System()).Notification.Query().Where(notification.RecipientID(ada.ID), notification.PostID(p)).AllX(w.System())
		}
		w.T.Run("a post is kept once, and changed by keeping it again", func(t *testing.T) {
			ada.Must(bookmarkPost, input(vars{"postId": kept, "note": "For the call"}))
			r := ada.Must(bookmarkPost, input(vars{"postId": kept, "remindAt": w.App.Config.Now().Add(time.Minute)}))
			if r.String("bookmarkPost.bookmark.note") != "For the call" || r.At("bookmarkPost.bookmark.remindAt") == nil {
				t.Errorf("%s", r.Body)
			}
			if n := ada.Must(list, nil).Len("viewer.bookmarks.edges"); n != 1 {
				t.Errorf("%d bookmarks", n)
			}
			if got := ada.Do(bookmarkPost, input(vars{"postId": kept, "remindAt": "2020-01-01T00:00:00Z"})); got.Code() != "INVALID_INPUT" {
				t.Errorf("the past is accepted: %s", got.Body)
			}
		})
		w.T.Run("who wanted to be reminded is reminded once, of what they can still see", func(t *testing.T) {
			w.Eventually("the mention came", func() bool { return len(told(mentioned)) == 1 })
			ada.Must(`mutation { markNotificationsRead(input: {}) { errors { code message } } }`, nil)
			for _, p := range []gid.ID{mentioned, gone, hidden} {
				ada.Must(bookmarkPost, input(vars{"postId": p, "remindAt": w.App.Config.Now().Add(time.Minute)}))
			}
			ben.Must(`mutation($input: DeletePostInput!) { deletePost(input: $input) { errors { code message } } }`, input(vars{"postId": gone}))
			w.Tx(func(ctx context.Context, tx *ent.Client) error {
				return tx.SpaceMembership.UpdateOneID(place).SetEndsAt(w.App.Config.Now().Add(-time.Second)).Exec(ctx)
			})
			pass(2 * time.Minute)
			var together sync.WaitGroup
			for range 4 {
				together.Go(func() { _ = w.App.Desk.RemindDue(w.System()) })
			}
			together.Wait()
			w.Eventually("nothing is due", func() bool { return w.App.Desk.RemindDue(w.System()) == nil })
			for p, reasons := range map[gid.ID]string{kept: "[REMINDER]", mentioned: "[MENTION REMINDER]"} {
				if n := told(p); len(n) != 1 || fmt.Sprint(n[0].Reasons) != reasons || n[0].ReadAt != nil {
					t.Errorf("of what is seen: %v", n)
				}
			}
			for _, p := range []gid.ID{gone, hidden} {
				if n := told(p); len(n) > 0 {
					t.Errorf("of what is gone or hidden: %v", n)
				}
			}
			r := ada.Must(list, nil)
			if r.Len("viewer.bookmarks.edges") != 3 || strings.Contains(r.Body, hidden.String()) {
				t.Errorf("%s", r.Body)
			}
		})
		w.T.Run("it can be let go", func(t *testing.T) {
			for range 2 {
				ada.Must(`mutation($input: RemoveBookmarkInput!) { removeBookmark(input: $input) { post { viewerBookmark { id } } errors { code message } } }`, input(vars{"postId": kept}))
			}
			if n := ada.Must(list, nil).Len("viewer.bookmarks.edges"); n != 2 {
				t.Errorf("%d bookmarks", n)
			}
		})
	})
}
