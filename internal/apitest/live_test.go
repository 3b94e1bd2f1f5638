package apitest_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/pursuing-equity/commons/ent"
	"github.com/pursuing-equity/commons/ent/accesstoken"
	"github.com/pursuing-equity/commons/ent/member"
	"github.com/pursuing-equity/commons/ent/roleassignment"
	"github.com/pursuing-equity/commons/ent/space"
	"github.com/pursuing-equity/commons/ent/spacemembership"
	"github.com/pursuing-equity/commons/internal/apitest"
	"github.com/pursuing-equity/commons/internal/apitest/database"
	"github.com/pursuing-equity/commons/internal/gid"
)

const watch = `subscription($thread: ID!, $after: Cursor) { threadEvents(threadId: $thread, after: $after) { cursor __typename ... on PostCreated { post { seq body } } ... on PostDeleted { post { seq body } } } }`

// now is a cursor from which nothing that comes is missed.
func now(c interface {
	Must(string, apitest.Vars) *apitest.Response
}) any {
	return c.Must(`{ eventCursor }`, nil).At("eventCursor")
}

// Who loses access receives nothing that was posted after the loss was committed, wherever they are connected and whatever it was
// that they lost, and is told within two seconds.
func TestLostAccess(t *testing.T) {
	t.Parallel()
	type loss struct {
		do   func(w *apitest.World, ben *apitest.Person, membership, other gid.ID, thread gid.ID) error
		code string
	}
	losses := map[string]loss{
		"a membership": {func(w *apitest.World, _ *apitest.Person, membership, _, _ gid.ID) error {
			return w.Change(func(ctx context.Context, tx *ent.Client) error {
				return tx.SpaceMembership.UpdateOneID(membership).SetEndsAt(w.App.Config.Now()).Exec(ctx)
			})
		}, "NOT_FOUND"},
		"a membership that ends by the clock": {func(w *apitest.World, _ *apitest.Person, membership, _, _ gid.ID) error {
			ends := w.App.Config.Now().Add(1200 * time.Millisecond)
			err := w.Change(func(ctx context.Context, tx *ent.Client) error {
				return tx.SpaceMembership.UpdateOneID(membership).SetEndsAt(ends).Exec(ctx)
			})
			<-time.After(time.Until(ends.Add(20 * time.Millisecond)))
			return err
		}, "NOT_FOUND"},
		"the thread, which moved": {func(w *apitest.World, _ *apitest.Person, _, other, thread gid.ID) error {
			return w.Change(func(ctx context.Context, tx *ent.Client) error {
				return tx.Thread.UpdateOneID(thread).SetSpaceID(other).Exec(ctx)
			})
		}, "NOT_FOUND"},
		"the account": {func(w *apitest.World, ben *apitest.Person, _, _, _ gid.ID) error {
			return w.Change(func(ctx context.Context, tx *ent.Client) error {
				return tx.Member.UpdateOneID(ben.ID).SetStatus(member.StatusDEACTIVATED).Exec(ctx)
			})
		}, "close 4401"},
		"the token": {func(w *apitest.World, ben *apitest.Person, _, _, _ gid.ID) error {
			return w.Change(func(ctx context.Context, tx *ent.Client) error {
				return tx.AccessToken.Update().Where(accesstoken.MemberID(ben.ID)).SetRevokedAt(w.App.Config.Now()).Exec(ctx)
			})
		}, "close 4401"},
		"the token, by the clock": {func(w *apitest.World, ben *apitest.Person, _, _, _ gid.ID) error {
			ends := w.App.Config.Now().Add(1200 * time.Millisecond)
			err := w.Change(func(ctx context.Context, tx *ent.Client) error {
				return tx.AccessToken.Update().Where(accesstoken.MemberID(ben.ID)).SetExpiresAt(ends).Exec(ctx)
			})
			<-time.After(time.Until(ends.Add(20 * time.Millisecond)))
			return err
		}, "close 4401"},
	}
	for name, loss := range losses {
		t.Run("the loss of "+name, func(t *testing.T) {
			t.Parallel()
			for on, start := range topologies {
				t.Run(on, func(t *testing.T) {
					t.Parallel()
					a, b := start(t)
					ada, ben := a.Member("ada"), a.Member("ben")
					group, other := a.Space(space.KindAFFINITY, "Safe room", ada), a.Space(space.KindAFFINITY, "Another", ada)
					membership := a.Join(group, ben, spacemembership.RoleMEMBER)
					thread := a.Thread(ada, group, "Live", "first")
					there := b.As(ben.Token())
					sub := there.Subscribe(watch, vars{"thread": thread, "after": now(there)})
					a.Post(ada, thread, "before")
					sub.Next()
					if err := loss.do(a, ben, membership, other, thread); err != nil {
						t.Fatal(err)
					}
					lost := time.Now()
					a.Post(ada, thread, "after")
					m := sub.Message()
					got := m.Type
					switch m.Type {
					case "close":
						got = fmt.Sprint("close ", m.Close)
					case "error":
						var errs []apitest.Error
						_ = json.Unmarshal(m.Payload, &errs)
						got = errs[0].Code()
					}
					if took := time.Since(lost); took > 2*time.Second {
						t.Errorf("it took %v", took)
					}
					if got != loss.code {
						t.Errorf("got %q %s, want %q", got, m.Payload, loss.code)
					}
				})
			}
		})
	}
}

// Staff see what they see by their role, and only as long.
func TestLostRole(t *testing.T) {
	everywhere(t, func(t *testing.T, a, b *apitest.World) {
		ada, eve := a.Member("ada"), a.Role(a.Member("eve"), roleassignment.RoleSTAFF)
		thread := a.Thread(ada, a.Space(space.KindWORKGROUP, "Data", ada), "Live", "first")
		there := b.As(eve.Token())
		sub := there.Subscribe(watch, vars{"thread": thread, "after": now(there)})
		a.Post(ada, thread, "before")
		sub.Next()
		if err := a.Change(func(ctx context.Context, tx *ent.Client) error {
			return tx.RoleAssignment.Update().Where(roleassignment.MemberID(eve.ID)).SetEndsAt(a.App.Config.Now()).Exec(ctx)
		}); err != nil {
			t.Fatal(err)
		}
		lost := time.Now()
		a.Post(ada, thread, "after")
		if code := sub.Failure(); code != "NOT_FOUND" || time.Since(lost) > 2*time.Second {
			t.Errorf("code %q after %v", code, time.Since(lost))
		}
	})
}

func TestIdleSubscriptionsEnd(t *testing.T) {
	apitest.Each(t, func(w *apitest.World) {
		ada, ben := w.Member("ada"), w.Member("ben")
		group := w.Space(space.KindAFFINITY, "Safe room", ada)
		membership := w.Join(group, ben, spacemembership.RoleMEMBER)
		thread := w.Thread(ada, group, "Live", "first")
		sub := ben.Subscribe(watch, vars{"thread": thread, "after": now(ben)})
		w.Post(ada, thread, "before")
		sub.Next()
		began := time.Now()
		if code := ben.Do(`mutation($input: EndSpaceMembershipInput!) { endSpaceMembership(input: $input) { errors { code } } }`, input(vars{"spaceMembershipId": membership})).Code(); code != "" {
			w.T.Fatal(code)
		}
		if code := sub.Failure(); code != "NOT_FOUND" || time.Since(began) > 2*time.Second {
			w.T.Errorf("code %q after %v", code, time.Since(began))
		}
		w.Quiet()
	})
}

// One event is executed once, however many receive it.
func TestOneExecutionForAll(t *testing.T) {
	apitest.Each(t, func(w *apitest.World) {
		ada := w.Member("ada")
		network := w.Space(space.KindNETWORK, "Network", ada)
		thread := w.Thread(ada, network, "Live", "first")
		document := apitest.Operation(w.T, "thread-events")
		var subs []*apitest.Subscription
		follow := func(n int) {
			for range n {
				m := w.Member(fmt.Sprint("m", len(subs)))
				w.Join(network, m, spacemembership.RoleMEMBER)
				subs = append(subs, m.Subscribe(document, vars{"thread": thread, "after": now(m)}))
			}
			w.Post(ada, thread, "everybody is there")
			for _, s := range subs {
				s.Next()
			}
		}
		cost := func() int64 {
			least := int64(1 << 30)
			for range 5 { // a wake-up that comes late costs one more look
				least = min(least, w.Statements(func() {
					w.Post(ada, thread, "Hello")
					for _, s := range subs {
						s.Next()
					}
				}))
			}
			return least
		}
		follow(1)
		one := cost()
		follow(20)
		if many := cost(); many > one {
			w.T.Errorf("%d statements for 21 subscribers, %d for one", many, one)
		}
	})
}

func TestWhatDependsOnWhoAsks(t *testing.T) {
	apitest.Each(t, func(w *apitest.World) {
		ada, ben := w.Member("ada"), w.Member("ben")
		network := w.Space(space.KindNETWORK, "Network", ada, ben)
		thread := w.Thread(ada, network, "Live", "first")
		personal := `subscription($thread: ID!, $after: Cursor) { threadEvents(threadId: $thread, after: $after) { cursor
			... on PostCreated { post { id viewerCanEdit } } ... on ReactionsChanged { post { reactions { emoji count viewerHasReacted } } } } }`
		hers, his := ada.Subscribe(personal, vars{"thread": thread, "after": now(ada)}), ben.Subscribe(personal, vars{"thread": thread, "after": now(ben)})
		post := w.Post(ada, thread, "Hello")
		if mine, other := hers.Next().At("threadEvents.post.viewerCanEdit"), his.Next().At("threadEvents.post.viewerCanEdit"); mine != true || other != false {
			w.T.Errorf("who wrote it can edit it: %v; who did not: %v", mine, other)
		}
		ben.Must(apitest.Operation(w.T, "react"), input(vars{"postId": post, "emoji": "🎉"}))
		if other, mine := hers.Next().At("threadEvents.post.reactions.0.viewerHasReacted"), his.Next().At("threadEvents.post.reactions.0.viewerHasReacted"); mine != true || other != false {
			w.T.Errorf("who reacted: %v; who did not: %v", mine, other)
		}
	})
}

// What a subscriber missed is shown as it stands now, also when another has been shown it before.
func TestDeletedPostsAreNotReplayed(t *testing.T) {
	apitest.Each(t, func(w *apitest.World) {
		ada, ben := w.Member("ada"), w.Member("ben")
		network := w.Space(space.KindNETWORK, "Network", ada, ben)
		thread := w.Thread(ada, network, "Live", "first")
		start := now(ben)
		sub := ada.Subscribe(watch, vars{"thread": thread, "after": start})
		post := w.Post(ada, thread, "a secret")
		sub.Next()
		ada.Must(apitest.Operation(w.T, "delete-post"), input(vars{"postId": post}))
		sub.Next()
		late := ben.Subscribe(watch, vars{"thread": thread, "after": start})
		for range 2 {
			if body := late.Next().String("threadEvents.post.body"); body != "" {
				w.T.Errorf("a deleted post says %q", body)
			}
		}
	})
}

// Who was away for long catches up by more than one batch, also beside others who do.
func TestLongAbsence(t *testing.T) {
	apitest.Each(t, func(w *apitest.World) {
		ada := w.Member("ada")
		thread := w.Thread(ada, w.Space(space.KindNETWORK, "Network", ada), "Live", "first")
		start := now(ada)
		const missed = 230
		for n := range missed {
			w.Post(ada, thread, fmt.Sprint(n))
		}
		var subs []*apitest.Subscription
		for range 3 {
			subs = append(subs, ada.Subscribe(watch, vars{"thread": thread, "after": start}))
		}
		w.Post(ada, thread, fmt.Sprint(missed))
		for _, sub := range subs {
			for n := range missed + 1 {
				if got := sub.Next().String("threadEvents.post.body"); got != fmt.Sprint(n) {
					w.T.Fatalf("post %q where %d was due", got, n)
				}
			}
		}
	})
}

// An event reaches a subscriber of another replica at once, and when the bus is away, by the poll.
func TestBus(t *testing.T) {
	everywhere(t, func(t *testing.T, a, b *apitest.World) {
		ada := a.Member("ada")
		thread := a.Thread(ada, a.Space(space.KindNETWORK, "Network", ada), "Live", "first")
		there := b.As(ada.Token())
		sub := there.Subscribe(watch, vars{"thread": thread, "after": now(there)})
		a.Post(ada, thread, "at first the poll may be what brings it")
		sub.Next()
		for range 3 {
			began := time.Now()
			a.Post(ada, thread, "Hello")
			sub.Next()
			if took := time.Since(began); took > time.Second {
				t.Errorf("it took %v", took)
			}
		}
	})
}

func TestBusIsAway(t *testing.T) {
	t.Parallel()
	url := database.Postgres(t)
	stop, bus := startNATS(t)
	a, b := apitest.Serve(t, url, apitest.Bus(bus)), apitest.Serve(t, url, apitest.Bus(bus))
	ada := a.Member("ada")
	thread := a.Thread(ada, a.Space(space.KindNETWORK, "Network", ada), "Live", "first")
	there := b.As(ada.Token())
	sub := there.Subscribe(watch, vars{"thread": thread, "after": now(there)})
	stop()
	for n := range 3 {
		a.Post(ada, thread, fmt.Sprint(n))
	}
	for n := range 3 {
		if got := sub.Next().String("threadEvents.post.body"); got != fmt.Sprint(n) {
			t.Errorf("post %q where %d was due", got, n)
		}
	}
}

// Without any wake-up events come by the poll: late, and all of them.
func TestDroppedWakeups(t *testing.T) {
	apitest.Each(t, func(w *apitest.World) {
		ada := w.Member("ada")
		thread := w.Thread(ada, w.Space(space.KindNETWORK, "Network", ada), "Live", "first")
		sub := ada.Subscribe(watch, vars{"thread": thread, "after": now(ada)})
		for n := range 5 {
			w.Post(ada, thread, fmt.Sprint(n))
		}
		for n := range 5 {
			if got := sub.Next().String("threadEvents.post.body"); got != fmt.Sprint(n) {
				w.T.Errorf("post %q where %d was due", got, n)
			}
		}
	}, apitest.DropWakeups())
}

// Server-sent events are the same stream: ids that resume, and an end for who may not read on.
func TestEventStream(t *testing.T) {
	apitest.Each(t, func(w *apitest.World) {
		ada, ben := w.Member("ada"), w.Member("ben")
		group := w.Space(space.KindAFFINITY, "Safe room", ada)
		membership := w.Join(group, ben, spacemembership.RoleMEMBER)
		thread := w.Thread(ada, group, "Live", "first")
		browser := &http.Client{Timeout: time.Minute}
		open := func(after string) (next func() (id, data string), done func()) {
			variables, _ := json.Marshal(vars{"thread": thread})
			req, err := http.NewRequestWithContext(w.T.Context(), http.MethodGet, w.URL+"/graphql?"+url.Values{"query": {watch}, "variables": {string(variables)}}.Encode(), nil)
			if err != nil {
				w.T.Fatal(err)
			}
			req.Header.Set("Accept", "text/event-stream")
			req.Header.Set("Authorization", "Bearer "+ben.Token())
			req.Header.Set("Last-Event-ID", after)
			resp, err := browser.Do(req) //nolint:bodyclose // done closes it
			if err != nil {
				w.T.Fatal(err)
			}
			lines := bufio.NewScanner(resp.Body)
			return func() (id, data string) {
				for lines.Scan() {
					if rest, ok := strings.CutPrefix(lines.Text(), "id: "); ok {
						id = rest
					}
					if rest, ok := strings.CutPrefix(lines.Text(), "data: "); ok {
						return id, rest
					}
				}
				return "", ""
			}, func() { _ = resp.Body.Close() }
		}
		next, done := open(fmt.Sprint(now(ben)))
		w.Post(ada, thread, "one")
		id, data := next()
		if id == "" || !strings.Contains(data, `"body":"one"`) {
			w.T.Errorf("id %q, data %s", id, data)
		}
		done()
		w.Post(ada, thread, "two")
		next, done = open(id)
		defer done()
		if _, data := next(); !strings.Contains(data, `"body":"two"`) {
			w.T.Errorf("after the resume: %s", data)
		}
		w.Tx(func(ctx context.Context, tx *ent.Client) error {
			return tx.SpaceMembership.UpdateOneID(membership).SetEndsAt(w.App.Config.Now()).Exec(ctx)
		})
		w.Post(ada, thread, "three")
		if _, data := next(); !strings.Contains(data, "NOT_FOUND") || strings.Contains(data, "three") {
			w.T.Errorf("after the loss: %s", data)
		}
	})
}

// Sockets that come and go leave nothing behind.
func TestNoGoroutineStays(t *testing.T) {
	w := apitest.Serve(t, database.SQLite(t))
	ada := w.Member("ada")
	thread := w.Thread(ada, w.Space(space.KindNETWORK, "Network", ada), "Live", "first")
	after := now(ada)
	ada.Subscribe(watch, vars{"thread": thread, "after": after}).Close()
	w.Quiet()
	before := runtime.NumGoroutine()
	for range 10_000 {
		ada.Subscribe(watch, vars{"thread": thread, "after": after}).Close()
	}
	w.Quiet()
	w.Eventually(fmt.Sprintf("as many goroutines as before, %d", before), func() bool { return runtime.NumGoroutine() <= before+3 })
}
