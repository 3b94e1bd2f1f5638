package apitest_test

import (
	"context"
	"fmt"
	"log/slog"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/pursuing-equity/commons/ent"
	"github.com/pursuing-equity/commons/ent/event"
	"github.com/pursuing-equity/commons/ent/notification"
	"github.com/pursuing-equity/commons/ent/post"
	"github.com/pursuing-equity/commons/ent/space"
	"github.com/pursuing-equity/commons/internal/apitest"
	"github.com/pursuing-equity/commons/internal/apitest/database"
	"github.com/pursuing-equity/commons/internal/apitest/process"
	"github.com/pursuing-equity/commons/internal/app"
	"github.com/pursuing-equity/commons/internal/gid"
)

// victim is a database in which nothing is done but by a server in a process of its own, which is killed.
type victim struct {
	*apitest.World
	server *process.Server
}

func newVictim(t *testing.T, url string, options ...func(*app.Config)) *victim {
	t.Helper()
	dir := t.TempDir()
	binary := filepath.Join(dir, "commons")
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", binary, "../../cmd/commons").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	cfg := app.Config{DatabaseURL: url, DataDir: dir, Logger: slog.New(slog.DiscardHandler)}
	for _, o := range options {
		o(&cfg)
	}
	a, err := app.Open(context.Background(), cfg) //nolint:usetesting // closed after the test's context has ended
	must0(t, err)
	t.Cleanup(func() { must0(t, a.Close()) })
	address, err := process.FreeAddress()
	must0(t, err)
	v := &victim{World: &apitest.World{T: t, App: a}, server: &process.Server{Binary: binary, Dir: dir, Address: address, Env: []string{"COMMONS_DATABASE_URL=" + url}}}
	t.Cleanup(v.server.Close)
	return v
}

// killAt starts the server and kills it once so many of something are there. It returns how many there are then.
func (v *victim) killAt(n int, count func() int) int {
	v.T.Helper()
	must0(v.T, v.server.Start(v.T.Context()))
	v.until(fmt.Sprintf("%d are there", n), func() bool { return count() >= n })
	must0(v.T, v.server.Kill())
	return count()
}

// until waits for a condition that another process brings about.
func (v *victim) until(what string, holds func() bool) {
	v.T.Helper()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for deadline := time.After(30 * time.Second); !holds(); {
		select {
		case <-tick.C:
		case <-deadline:
			v.T.Fatalf("in vain: %s", what)
		}
	}
}

// expire ends the leases that the killed process had, which others would wait for.
func (v *victim) expire(table, column string) {
	v.Tx(func(ctx context.Context, tx *ent.Client) error {
		_, err := tx.ExecContext(ctx, `UPDATE `+table+` SET `+column+` = created_at WHERE `+column+` IS NOT NULL`)
		return err
	})
}

// Who watches is told of a post once, however often the server that tells them is killed on the way.
func TestTellingSurvivesKills(t *testing.T) {
	database.Each(t, func(t *testing.T, url string) {
		const many = 4000
		v := newVictim(t, url)
		ada, host := v.Member("ada"), v.Member("host")
		group := v.Space(space.KindWORKGROUP, "Large", host, ada)
		crowd(v.World, group, many)
		written := v.Post(ada, v.Thread(host, group, "Many", "first"), "for many")
		client := v.App.Store.Client(v.System())
		told := func() int { return client.Notification.Query().Where(notification.PostID(written)).CountX(v.System()) }
		amidst := 0
		for _, n := range []int{1, many / 3, 2 * many / 3} {
			if got := v.killAt(n, told); got > 0 && got < many {
				amidst++
			}
			v.expire("notification_jobs", "next_at")
		}
		if amidst == 0 {
			t.Error("it was never killed in the middle: this proves nothing")
		}
		must0(t, v.server.Start(t.Context()))
		v.until("everybody was told", func() bool { return client.NotificationJob.Query().CountX(v.System()) == 0 })
		must0(t, v.server.Kill())
		events := client.Event.Query().Where(event.Kind("NOTIFICATION_CREATED"), event.ActorID(ada.ID)).CountX(v.System())
		once := map[gid.ID]bool{}
		for _, n := range client.Notification.Query().Where(notification.PostID(written)).AllX(v.System()) {
			once[n.RecipientID] = true
		}
		if told() != many || len(once) != many || events != many {
			t.Errorf("%d notifications for %d members in %d events, want %d", told(), len(once), events, many)
		}
		soundPosts(v.World)
		t.Logf("killed in the middle %d times of 3", amidst)
	})
}

// What is scheduled is published once, however often the server that publishes it is killed on the way.
func TestPublishingSurvivesKills(t *testing.T) {
	database.Each(t, func(t *testing.T, url string) {
		const many = 200
		v := newVictim(t, url)
		ada, host := v.Member("ada"), v.Member("host")
		group := v.Space(space.KindWORKGROUP, "Group", host, ada)
		thread := v.Thread(host, group, "Plans", "first")
		v.Tx(func(ctx context.Context, tx *ent.Client) error {
			due := v.App.Config.Now().Add(-time.Minute)
			rows := make([]*ent.DraftCreate, many)
			for i := range rows {
				rows[i] = tx.Draft.Create().SetID(v.NewID(gid.Draft)).SetCreatedAt(due).SetUpdatedAt(due).SetMemberID(ada.ID).SetPublishAt(due).SetBody(fmt.Sprint("plan ", i))
				if i%2 == 0 {
					rows[i].SetThreadID(thread)
				} else {
					rows[i].SetSpaceID(group).SetTitle("Plan")
				}
			}
			return tx.Draft.CreateBulk(rows...).Exec(ctx)
		})
		client := v.App.Store.Client(v.System())
		published := func() int { return client.Post.Query().Where(post.AuthorID(ada.ID)).CountX(v.System()) }
		amidst := 0
		for _, n := range []int{5, many / 3, 2 * many / 3} {
			if got := v.killAt(n, published); got > 0 && got < many {
				amidst++
			}
			v.expire("drafts", "publish_at")
		}
		if amidst == 0 {
			t.Error("it was never killed in the middle: this proves nothing")
		}
		must0(t, v.server.Start(t.Context()))
		v.until("everything is published", func() bool { return client.Draft.Query().CountX(v.System()) == 0 })
		must0(t, v.server.Kill())
		bodies := map[string]int{}
		for _, p := range client.Post.Query().Where(post.AuthorID(ada.ID)).AllX(v.System()) {
			bodies[p.Body]++
		}
		for i := range many {
			if n := bodies[fmt.Sprint("plan ", i)]; n != 1 {
				t.Errorf("plan %d was published %d times", i, n)
			}
		}
		if published() != many {
			t.Errorf("%d posts, want %d", published(), many)
		}
		soundPosts(v.World)
		t.Logf("killed in the middle %d times of 3", amidst)
	})
}
