package apitest_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"github.com/pursuing-equity/commons/ent"
	"github.com/pursuing-equity/commons/ent/accesstoken"
	"github.com/pursuing-equity/commons/ent/mail"
	"github.com/pursuing-equity/commons/ent/roleassignment"
	"github.com/pursuing-equity/commons/ent/space"
	"github.com/pursuing-equity/commons/ent/webhookdelivery"
	"github.com/pursuing-equity/commons/internal/apitest"
	"github.com/pursuing-equity/commons/internal/apitest/database"
	"github.com/pursuing-equity/commons/internal/gid"
)

const (
	createEndpoint = `mutation($input: CreateWebhookEndpointInput!) { createWebhookEndpoint(input: $input) { endpoint { id } secret errors { code message path } } }`
	updateEndpoint = `mutation($input: UpdateWebhookEndpointInput!) { updateWebhookEndpoint(input: $input) { endpoint { id enabled url } errors { code message path } } }`
	pingEndpoint   = `mutation($input: PingWebhookEndpointInput!) { pingWebhookEndpoint(input: $input) { delivery { id state } errors { code message path } } }`
	theDeliveries  = `query($id: ID!) { node(id: $id) { ... on WebhookEndpoint { enabled failingSince
		deliveries(first: 100) { edges { node { id event payload state attempts status error durationMilliseconds nextAttemptAt deliveredAt failedAt } } } } } }`
)

// heardOf is a request that a receiver got.
type heardOf struct {
	id, kind string
	data     map[string]any
	header   http.Header
	body     []byte
}

// receiver is an endpoint outside. It answers what answer says.
type receiver struct {
	*httptest.Server
	answer func(w http.ResponseWriter, h heardOf)

	mu   sync.Mutex
	got  []heardOf
	news chan heardOf
}

func newReceiver(t *testing.T, answer func(w http.ResponseWriter, h heardOf)) *receiver {
	t.Helper()
	r := &receiver{answer: answer, news: make(chan heardOf, 1000)}
	r.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, request *http.Request) {
		body, _ := io.ReadAll(request.Body)
		var said struct {
			Type string
			Data map[string]any
		}
		_ = json.Unmarshal(body, &said)
		h := heardOf{request.Header.Get("webhook-id"), said.Type, said.Data, request.Header, body}
		r.mu.Lock()
		r.got = append(r.got, h)
		answer := r.answer
		r.mu.Unlock()
		r.news <- h
		if answer != nil {
			answer(w, h)
		}
	}))
	t.Cleanup(r.Close)
	return r
}

func (r *receiver) all() []heardOf {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]heardOf(nil), r.got...)
}

// next is what comes next, within ten seconds.
func (r *receiver) next(t *testing.T) heardOf {
	t.Helper()
	select {
	case h := <-r.news:
		return h
	case <-time.After(10 * time.Second):
		t.Fatal("nothing came")
		return heardOf{}
	}
}

// endpoint makes an endpoint for a receiver, in a browser of a member of staff, and returns its id and secret.
func endpoint(w *apitest.World, staff *apitest.Person, to string, events ...string) (id, secret string) {
	r := w.SignedIn(staff).Must(createEndpoint, input(vars{"url": to, "events": events}))
	return r.String("createWebhookEndpoint.endpoint.id"), r.String("createWebhookEndpoint.secret")
}

func verify(t *testing.T, secret string, h heardOf) error {
	t.Helper()
	verifier, err := standardwebhooks.NewWebhook(secret)
	if err != nil {
		t.Fatal(err)
	}
	return verifier.Verify(h.body, h.header)
}

func TestWebhooks(t *testing.T) {
	apitest.Each(t, func(w *apitest.World) {
		t := w.T
		staff, ada, ben := w.Role(w.Member("staff"), roleassignment.RoleSTAFF), w.Member("ada"), w.Member("ben")
		network, group := w.Space(space.KindNETWORK, "Network", ada, ben), w.Space(space.KindAFFINITY, "Group", ada, ben)
		team := w.Space(space.KindTEAM, "Team", ada, ben)
		cost := func() int64 { // the least of several: what goes on in the background takes statements, too
			least := w.Statements(func() { w.Thread(ada, network, "T", "B") })
			for range 4 {
				least = min(least, w.Statements(func() { w.Thread(ada, network, "T", "B") }))
			}
			return least
		}
		before := cost()
		r := newReceiver(t, nil)
		id, secret := endpoint(w, staff, r.URL, "THREAD_CREATED", "POST_CREATED", "POST_EDITED", "POST_DELETED", "SPACE_CREATED")

		t.Run("a ping arrives, signed as others verify it", func(t *testing.T) {
			delivery := staff.Must(pingEndpoint, input(vars{"endpointId": id})).String("pingWebhookEndpoint.delivery.id")
			h := r.next(t)
			if err := verify(t, secret, h); err != nil || h.kind != "ping" || h.id != delivery {
				t.Errorf("%v: %s %s", err, h.header, h.body)
			}
			if verify(t, "whsec_"+strings.Repeat("A", 43)+"=", h) == nil {
				t.Error("any secret verifies")
			}
			w.Eventually("it is written down as delivered", func() bool {
				got := staff.Must(theDeliveries, vars{"id": id})
				return got.String("node.deliveries.edges.0.node.state") == "DELIVERED" && got.Int("node.deliveries.edges.0.node.status") == 200
			})
		})
		t.Run("what happens in a hidden space is told to nobody", func(t *testing.T) {
			n := len(r.all())
			secret := w.Thread(ada, group, "Secret", "S")
			w.Post(ben, secret, "S")
			_, err := w.App.Forum.DeletePost(ada.Context(), ada.Viewer, w.Post(ada, secret, "S"))
			must0(t, err)
			ada.Must(`mutation($input: CreateSpaceInput!) { createSpace(input: $input) { errors { code message } } }`, input(vars{"kind": "DIRECT", "memberIds": []gid.ID{ben.ID}}))
			thread := w.Thread(ada, network, "Open", "O")
			a, b := r.next(t), r.next(t)
			for _, h := range []heardOf{a, b} {
				if h.data["threadId"] != thread.String() || h.data["threadTitle"] != "Open" || h.data["actorId"] != ada.ID.String() {
					t.Errorf("%s", h.body)
				}
			}
			if a.kind == b.kind || len(r.all()) != n+2 {
				t.Errorf("%s and %s, %d in all", a.kind, b.kind, len(r.all())-n)
			}
			if got := staff.Must(theDeliveries, vars{"id": id}); got.Len("node.deliveries.edges") != 3 {
				t.Errorf("the log has %d", got.Len("node.deliveries.edges"))
			}
		})
		t.Run("a team's threads are told of without their titles", func(t *testing.T) {
			w.Thread(ada, team, "Ours", "O")
			for range 2 {
				if h := r.next(t); h.data["threadTitle"] != nil || strings.Contains(string(h.body), "Ours") {
					t.Errorf("%s", h.body)
				}
			}
		})
		t.Run("what moves into a hidden space before it is sent is not told of", func(t *testing.T) {
			var held atomic.Bool
			held.Store(true)
			r.mu.Lock()
			r.answer = func(w http.ResponseWriter, _ heardOf) {
				if held.Load() {
					w.WriteHeader(http.StatusServiceUnavailable)
				}
			}
			r.mu.Unlock()
			thread := w.Thread(ada, network, "Moving", "M")
			r.next(t)
			r.next(t)
			w.Tx(func(ctx context.Context, tx *ent.Client) error {
				return tx.Thread.UpdateOneID(thread).SetSpaceID(group).Exec(ctx)
			})
			held.Store(false)
			w.Eventually("both deliveries are gone", func() bool {
				w.Tx(func(ctx context.Context, tx *ent.Client) error {
					return tx.WebhookDelivery.Update().Where(webhookdelivery.NextAtNotNil()).SetNextAt(w.App.Config.Now().Add(-time.Second)).Exec(ctx)
				})
				w.App.Webhooks.Wake()
				return !strings.Contains(staff.Must(theDeliveries, vars{"id": id}).Body, thread.String())
			})
		})
		t.Run("a renewed secret signs beside the one before", func(t *testing.T) {
			rotate := `mutation($input: RotateWebhookSecretInput!) { rotateWebhookSecret(input: $input) { secret errors { code message } } }`
			browser := w.SignedIn(staff)
			if code := staff.Do(rotate, input(vars{"endpointId": id})).Code(); code != "FORBIDDEN" {
				t.Errorf("a token learns a secret that outlives it: %q", code)
			}
			fresh := browser.Must(rotate, input(vars{"endpointId": id, "idempotencyKey": "once"})).String("rotateWebhookSecret.secret")
			if again := browser.Must(rotate, input(vars{"endpointId": id, "idempotencyKey": "once"})).String("rotateWebhookSecret.secret"); again != fresh || fresh == secret {
				t.Error("the same key gave another secret, or the old one")
			}
			staff.Must(pingEndpoint, input(vars{"endpointId": id}))
			for h := r.next(t); ; h = r.next(t) {
				if h.kind != "ping" {
					continue
				}
				if err := verify(t, fresh, h); err != nil {
					t.Error(err)
				}
				if err := verify(t, secret, h); err != nil {
					t.Error(err)
				}
				break
			}
		})
		t.Run("an endpoint that was deleted is told nothing, and costs nothing", func(t *testing.T) {
			staff.Must(`mutation($input: DeleteWebhookEndpointInput!) { deleteWebhookEndpoint(input: $input) { deletedId errors { code message } } }`, input(vars{"endpointId": id}))
			w.Eventually("a thread costs what it did, once the server knows", func() bool { return cost() <= before })
			if got := staff.Do(theDeliveries, vars{"id": id}); got.Code() != "NOT_FOUND" {
				t.Errorf("%s", got.Body)
			}
		})
	}, apitest.Webhooks())
}

func TestWebhookFailures(t *testing.T) {
	t.Parallel()
	database.Each(t, func(t *testing.T, url string) {
		var ahead atomic.Int64
		w := apitest.Serve(t, url, apitest.Webhooks(), apitest.Clock(func() time.Time {
			return time.Now().UTC().Truncate(time.Microsecond).Add(time.Duration(ahead.Load()))
		}))
		staff := w.Role(w.Member("staff"), roleassignment.RoleSTAFF)
		state := func(id string) *apitest.Response { return staff.Must(theDeliveries, vars{"id": id}) }
		newest := "node.deliveries.edges.0.node."
		later := func(d time.Duration) {
			ahead.Add(int64(d))
			staff.Client = w.As(w.Token(staff, accesstoken.ScopeWRITE)) // the one before has expired
			w.App.Webhooks.Wake()
		}
		t.Run("what fails is sent again with the same id, and then later and later", func(t *testing.T) {
			var tries atomic.Int64
			r := newReceiver(t, func(w http.ResponseWriter, _ heardOf) {
				if tries.Add(1) < 3 {
					w.WriteHeader(http.StatusInternalServerError)
					_, _ = io.WriteString(w, "out of\x00 order "+strings.Repeat("x", 5000))
				}
			})
			id, secret := endpoint(w, staff, r.URL, "SPACE_CREATED")
			staff.Must(pingEndpoint, input(vars{"endpointId": id}))
			first := r.next(t)
			w.Eventually("the failure is written down", func() bool {
				s := state(id)
				return s.String(newest+"state") == "PENDING" && s.Int(newest+"status") == 500 && strings.HasPrefix(s.String(newest+"error"), "status 500: out of  order xxx") &&
					s.At("node.failingSince") != nil && s.At(newest+"nextAttemptAt") != nil
			})
			later(6 * time.Second)
			second := r.next(t)
			w.Eventually("the second, too", func() bool { // while it is being sent, the next attempt is a lease away, and afterwards minutes
				s := state(id)
				next, err := time.Parse(time.RFC3339, s.String(newest+"nextAttemptAt"))
				return err == nil && s.Int(newest+"attempts") == 2 && next.After(time.Now().Add(time.Duration(ahead.Load())+4*time.Minute))
			})
			later(6 * time.Minute)
			third := r.next(t)
			if first.id != second.id || second.id != third.id || string(first.body) != string(third.body) {
				t.Errorf("%s %s %s", first.id, second.id, third.id)
			}
			_ = secret // its time is ahead of the verifier's clock
			w.Eventually("it arrived", func() bool {
				s := state(id)
				return s.String(newest+"state") == "DELIVERED" && s.Int(newest+"attempts") == 3 && s.At("node.failingSince") == nil
			})
		})
		t.Run("redirects are not followed", func(t *testing.T) {
			elsewhere := newReceiver(t, nil)
			r := newReceiver(t, func(w http.ResponseWriter, _ heardOf) {
				w.Header().Set("Location", elsewhere.URL)
				w.WriteHeader(http.StatusTemporaryRedirect)
			})
			id, _ := endpoint(w, staff, r.URL, "SPACE_CREATED")
			staff.Must(pingEndpoint, input(vars{"endpointId": id}))
			r.next(t)
			w.Eventually("it failed", func() bool { return state(id).Int(newest+"status") == 307 })
			if len(elsewhere.all()) > 0 {
				t.Error("it went elsewhere")
			}
		})
		t.Run("a slow endpoint keeps no other waiting", func(t *testing.T) {
			stall := make(chan struct{})
			defer close(stall)
			slow, quick := newReceiver(t, func(http.ResponseWriter, heardOf) { <-stall }), newReceiver(t, nil)
			slowID, _ := endpoint(w, staff, slow.URL, "SPACE_CREATED")
			quickID, _ := endpoint(w, staff, quick.URL, "SPACE_CREATED")
			for range 120 {
				staff.Must(pingEndpoint, input(vars{"endpointId": slowID}))
			}
			staff.Must(pingEndpoint, input(vars{"endpointId": quickID}))
			quick.next(t)
			if n := len(slow.all()); n > 4 {
				t.Errorf("%d requests at once to one endpoint", n)
			}
		})
		t.Run("an endpoint that says that it is gone is disabled, staff are told, and what failed can be sent again", func(t *testing.T) {
			var gone atomic.Bool
			gone.Store(true)
			r := newReceiver(t, func(w http.ResponseWriter, _ heardOf) {
				if gone.Load() {
					w.WriteHeader(http.StatusGone)
				}
			})
			id, _ := endpoint(w, staff, r.URL, "SPACE_CREATED")
			staff.Must(pingEndpoint, input(vars{"endpointId": id}))
			lost := r.next(t)
			w.Eventually("it is disabled", func() bool {
				s := state(id)
				return s.At("node.enabled") == false && s.String(newest+"state") == "FAILED"
			})
			n, err := w.App.Store.Client(w.System()).Mail.Query().Where(mail.Template("webhook-disabled"), mail.Address(staff.Handle+"@example.org")).Count(w.System())
			if err != nil || n != 1 {
				t.Errorf("%d mails, %v", n, err)
			}
			if got := staff.Do(pingEndpoint, input(vars{"endpointId": id})); got.Code() != "FORBIDDEN" {
				t.Errorf("%s", got.Body)
			}
			gone.Store(false)
			staff.Must(updateEndpoint, input(vars{"endpointId": id, "enabled": true}))
			replayed := staff.Must(`mutation($input: ReplayFailedDeliveriesInput!) { replayFailedDeliveries(input: $input) { count errors { code message } } }`,
				input(vars{"endpointId": id, "since": "2023-01-01T00:00:00Z"}))
			if replayed.Int("replayFailedDeliveries.count") != 1 || r.next(t).id != lost.id {
				t.Errorf("%s", replayed.Body)
			}
			w.Eventually("it arrived", func() bool { return state(id).String(newest+"state") == "DELIVERED" })
			staff.Must(`mutation($input: ReplayWebhookDeliveryInput!) { replayWebhookDelivery(input: $input) { delivery { state } errors { code message } } }`, input(vars{"deliveryId": lost.id}))
			if r.next(t).id != lost.id {
				t.Error("another delivery was replayed")
			}
		})
		t.Run("an endpoint that fails for five days is disabled", func(t *testing.T) {
			r := newReceiver(t, func(w http.ResponseWriter, _ heardOf) { w.WriteHeader(http.StatusBadGateway) })
			id, _ := endpoint(w, staff, r.URL, "SPACE_CREATED")
			for range 3 {
				staff.Must(pingEndpoint, input(vars{"endpointId": id}))
				r.next(t)
				w.Eventually("the failure is written down", func() bool { return state(id).Int(newest+"attempts") == 1 && state(id).Int(newest+"status") == 502 })
				w.Tx(func(ctx context.Context, tx *ent.Client) error { // what comes next is a delivery of later
					return tx.WebhookDelivery.Update().Where(webhookdelivery.NextAtNotNil()).SetNextAt(w.App.Config.Now().Add(100 * 24 * time.Hour)).Exec(ctx)
				})
				if state(id).At("node.enabled") == false {
					break
				}
				later(2*24*time.Hour + 13*time.Hour)
			}
			w.Eventually("it is disabled", func() bool { return state(id).At("node.enabled") == false })
		})
		t.Run("a token makes no endpoint and leads none elsewhere: what it made would outlive it", func(t *testing.T) {
			good := vars{"url": "https://example.org/", "events": []string{"SPACE_CREATED"}}
			if got := staff.Do(createEndpoint, input(good)); got.Code() != "FORBIDDEN" {
				t.Errorf("%s", got.Body)
			}
			id, _ := endpoint(w, staff, "https://example.org/", "SPACE_CREATED")
			if got := staff.Do(updateEndpoint, input(vars{"endpointId": id, "url": "https://example.com/"})); got.Code() != "FORBIDDEN" {
				t.Errorf("%s", got.Body)
			}
			staff.Must(updateEndpoint, input(vars{"endpointId": id, "enabled": false}))
		})
		t.Run("bad input changes nothing", func(t *testing.T) {
			browser := w.SignedIn(staff)
			for _, bad := range []vars{
				{"url": "https://10.0.0.1/", "events": []string{"SPACE_CREATED"}}, {"url": "http://example.org/", "events": []string{"SPACE_CREATED"}},
				{"url": "https://example.org/", "events": []string{}}, {"url": "https://example.org/", "events": []string{"SPACE_CREATED"}, "description": strings.Repeat("x", 501)},
			} {
				if got := browser.Do(createEndpoint, input(bad)); got.Code() != "INVALID_INPUT" {
					t.Errorf("%s", got.Body)
				}
			}
		})
	})
}

// Two replicas share the work: each delivery is sent by one of them, while both are alive.
func TestWebhooksOfTwoReplicas(t *testing.T) {
	t.Parallel()
	url := database.Postgres(t)
	a, b := apitest.Serve(t, url, apitest.Webhooks()), apitest.Serve(t, url, apitest.Webhooks())
	staff, ada := a.Role(a.Member("staff"), roleassignment.RoleSTAFF), a.Member("ada")
	network := a.Space(space.KindNETWORK, "Network", ada)
	r := newReceiver(t, nil)
	endpoint(a, staff, r.URL, "POST_CREATED")
	thread := a.Thread(ada, network, "T", "B")
	r.next(t)
	var writing sync.WaitGroup
	for i, w := range []*apitest.World{a, b} {
		writing.Go(func() {
			for n := range 50 {
				w.Post(ada, thread, fmt.Sprintf("%d of %d", n, i))
				w.App.Webhooks.Wake()
			}
		})
	}
	writing.Wait()
	seen := map[string]int{}
	for range 100 {
		seen[r.next(t).id]++
	}
	a.Eventually("all are delivered", func() bool {
		n, err := a.App.Store.Client(a.System()).WebhookDelivery.Query().Where(webhookdelivery.DeliveredAtIsNil()).Count(a.System())
		return err == nil && n == 0
	})
	if len(seen) != 100 || len(r.all()) != 101 {
		t.Errorf("%d deliveries in %d requests", len(seen), len(r.all())-1)
	}
}
