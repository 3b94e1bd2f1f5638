package apitest_test

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/nats-io/nats-server/v2/server"

	"github.com/pursuing-equity/commons/ent"
	"github.com/pursuing-equity/commons/ent/roleassignment"
	"github.com/pursuing-equity/commons/ent/space"
	"github.com/pursuing-equity/commons/ent/spacemembership"
	"github.com/pursuing-equity/commons/internal/apitest"
	"github.com/pursuing-equity/commons/internal/apitest/database"
	"github.com/pursuing-equity/commons/internal/gid"
)

const activity = `subscription($thread: ID!) { threadActivity(threadId: $thread) { present { name } typing { name } } }`

// startNATS runs a NATS server on loopback.
func startNATS(t *testing.T) (stop func(), url string) {
	t.Helper()
	s, err := server.NewServer(&server.Options{Host: "127.0.0.1", Port: server.RANDOM_PORT, NoLog: true, NoSigs: true})
	if err != nil {
		t.Fatal(err)
	}
	go s.Start()
	stop = func() {
		s.Shutdown()
		s.WaitForShutdown()
	}
	t.Cleanup(stop)
	if !s.ReadyForConnections(10 * time.Second) {
		t.Fatal("the NATS server does not start")
	}
	return stop, s.ClientURL()
}

// topologies are the ways in which a writer's server and a reader's server may be connected.
var topologies = map[string]func(t *testing.T, options ...apitest.Option) (writer, reader *apitest.World){
	"sqlite": func(t *testing.T, options ...apitest.Option) (*apitest.World, *apitest.World) {
		w := apitest.Serve(t, database.SQLite(t), options...)
		return w, w
	},
	"two replicas on postgres": func(t *testing.T, options ...apitest.Option) (*apitest.World, *apitest.World) {
		url := database.Postgres(t)
		return apitest.Serve(t, url, options...), apitest.Serve(t, url, options...)
	},
	"two replicas on postgres with nats": func(t *testing.T, options ...apitest.Option) (*apitest.World, *apitest.World) {
		url := database.Postgres(t)
		_, bus := startNATS(t)
		options = append(options, apitest.Bus(bus))
		return apitest.Serve(t, url, options...), apitest.Serve(t, url, options...)
	},
}

// everywhere runs a test on each topology.
func everywhere(t *testing.T, test func(t *testing.T, writer, reader *apitest.World)) {
	t.Helper()
	t.Parallel()
	for name, start := range topologies {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			writer, reader := start(t)
			test(t, writer, reader)
		})
	}
}

func names(r *apitest.Response, field string) []string {
	names := []string{}
	for i := range r.Len("threadActivity." + field) {
		names = append(names, r.String(fmt.Sprintf("threadActivity.%s.%d.name", field, i)))
	}
	slices.Sort(names)
	return names
}

// until reads the activity until it is as it should be.
func until(t *testing.T, sub *apitest.Subscription, present, typing []string) {
	t.Helper()
	for range 20 {
		if r := sub.Next(); slices.Equal(names(r, "present"), present) && slices.Equal(names(r, "typing"), typing) {
			return
		}
	}
	t.Fatalf("present %v, typing %v: this did not come", present, typing)
}

func typing(c interface {
	Do(string, apitest.Vars) *apitest.Response
}, thread gid.ID) string {
	return c.Do(`mutation($input: IndicateTypingInput!) { indicateTyping(input: $input) { thread { id } errors { code } } }`, input(vars{"threadId": thread})).Code()
}

func TestThreadActivity(t *testing.T) {
	everywhere(t, func(t *testing.T, a, b *apitest.World) {
		ada, ben := a.Member("ada"), a.Member("ben")
		thread := a.Thread(ada, a.Space(space.KindNETWORK, "Network", ada, ben), "Live", "first")
		there := b.As(ben.Token())
		hers := ada.Subscribe(activity, vars{"thread": thread})
		until(t, hers, []string{"ada"}, []string{})
		his := there.Subscribe(activity, vars{"thread": thread})
		until(t, his, []string{"ada", "ben"}, []string{})
		until(t, hers, []string{"ada", "ben"}, []string{})
		again := there.Subscribe(activity, vars{"thread": thread})
		until(t, again, []string{"ada", "ben"}, []string{}) // at once, though nothing changed

		if code := typing(ada, thread); code != "" {
			t.Fatal(code)
		}
		until(t, his, []string{"ada", "ben"}, []string{"ada"})
		until(t, hers, []string{"ada", "ben"}, []string{"ada"})
		events := there.Subscribe(watch, vars{"thread": thread, "after": now(there)})
		a.Post(ada, thread, "what she wrote")
		events.Next()
		until(t, his, []string{"ada", "ben"}, []string{})

		again.Close()
		his.Close()
		until(t, hers, []string{"ada"}, []string{})
	})
}

func TestTypingIsForgotten(t *testing.T) {
	everywhere(t, func(t *testing.T, a, b *apitest.World) {
		ada, ben := a.Member("ada"), a.Member("ben")
		thread := a.Thread(ada, a.Space(space.KindNETWORK, "Network", ada, ben), "Live", "first")
		his := b.As(ben.Token()).Subscribe(activity, vars{"thread": thread})
		until(t, his, []string{"ben"}, []string{})
		for range 5 { // more often than it has an effect
			if code := typing(ada, thread); code != "" {
				t.Fatal(code)
			}
		}
		until(t, his, []string{"ben"}, []string{"ada"})
		began := time.Now()
		until(t, his, []string{"ben"}, []string{})
		if took := time.Since(began); took > 9*time.Second || took < 3*time.Second {
			t.Errorf("it took %v", took)
		}
	})
}

// Nobody hears of a hidden space, and who leaves it hears nothing more.
func TestHiddenActivity(t *testing.T) {
	everywhere(t, func(t *testing.T, a, b *apitest.World) {
		ada, ben, eve := a.Member("ada"), a.Member("ben"), a.Role(a.Member("eve"), roleassignment.RoleSTAFF)
		group := a.Space(space.KindAFFINITY, "Safe room", ada)
		membership := a.Join(group, ben, spacemembership.RoleMEMBER)
		thread := a.Thread(ada, group, "Live", "first")
		outside := b.As(eve.Token())
		if code := outside.Subscribe(activity, vars{"thread": thread}).Failure(); code != "NOT_FOUND" {
			t.Errorf("an outsider follows: %q", code)
		}
		if code := typing(outside, thread); code != "NOT_FOUND" {
			t.Errorf("an outsider types: %q", code)
		}
		hers := ada.Subscribe(activity, vars{"thread": thread})
		his := b.As(ben.Token()).Subscribe(activity, vars{"thread": thread})
		until(t, hers, []string{"ada", "ben"}, []string{})
		until(t, his, []string{"ada", "ben"}, []string{})
		if err := a.Change(func(ctx context.Context, tx *ent.Client) error {
			return tx.SpaceMembership.UpdateOneID(membership).SetEndsAt(a.App.Config.Now()).Exec(ctx)
		}); err != nil {
			t.Fatal(err)
		}
		lost := time.Now()
		if code := typing(ada, thread); code != "" {
			t.Fatal(code)
		}
		if m := his.Message(); m.Type != "error" || time.Since(lost) > 2*time.Second {
			t.Errorf("after the loss: %s %s, after %v", m.Type, m.Payload, time.Since(lost))
		}
		until(t, hers, []string{"ada"}, []string{"ada"})
	})
}
