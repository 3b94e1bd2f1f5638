package apitest_test

import (
	"context"
	"fmt"
	"maps"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pursuing-equity/commons/ent"
	"github.com/pursuing-equity/commons/ent/space"
	"github.com/pursuing-equity/commons/internal/apitest"
	"github.com/pursuing-equity/commons/internal/apitest/database"
	"github.com/pursuing-equity/commons/internal/gid"
)

const (
	limits    = `{ account { limits { joinedLongAgoAt postsToGo postsPerHour threadsPerDay linksPerPost mentionsPerPost directConversationsPerDay introductionsPerDay } } }`
	briefPost = `mutation($input: CreatePostInput!) { createPost(input: $input) { post { id } errors { code path } } }`
)

// aged is a server that counts rates, whose clock the test moves; the second one is of the same database, or the same on SQLite.
func aged(t *testing.T, test func(w *apitest.World, second *apitest.World, pass func(time.Duration))) {
	t.Helper()
	t.Parallel()
	database.Each(t, func(t *testing.T, url string) {
		var ahead atomic.Int64
		clock := apitest.Clock(func() time.Time { return time.Now().UTC().Truncate(time.Microsecond).Add(time.Duration(ahead.Load())) })
		w := apitest.Serve(t, url, apitest.Rates(), clock)
		second := w
		if strings.HasPrefix(url, "postgres") {
			second = apitest.Serve(t, url, apitest.Rates(), clock)
		}
		test(w, second, func(d time.Duration) { ahead.Add(int64(d)) })
	})
}

func TestLimitsOfNewMembers(t *testing.T) {
	aged(t, func(w, second *apitest.World, pass func(time.Duration)) {
		ada, host := w.Member("ada"), w.Member("host")
		ben, eve, kim, lee, joe := w.Member("ben"), w.Member("eve"), w.Member("kim"), w.Member("lee"), w.Member("joe")
		network := w.Space(space.KindNETWORK, "Network", host, ada, ben, eve, kim, lee, joe)
		thread := w.Thread(host, network, "T", "B")
		elsewhere := second.As(ada.Token())
		write := func(c *apitest.Client, more vars) string {
			in := vars{"threadId": thread, "body": "Hello."}
			maps.Copy(in, more)
			return c.Do(briefPost, input(in)).Code()
		}

		w.T.Run("threads, direct conversations and introductions are few a day", func(t *testing.T) {
			start := func() string {
				return ben.Do(`mutation($input: CreateThreadInput!) { createThread(input: $input) { errors { code } } }`, input(vars{"spaceId": network, "title": "T", "body": "B"})).Code()
			}
			talk := func(p *apitest.Person) string {
				return ben.Do(`mutation($input: CreateSpaceInput!) { createSpace(input: $input) { errors { code } } }`, input(vars{"kind": "DIRECT", "memberIds": []gid.ID{p.ID}})).Code()
			}
			introduce := func(a, b *apitest.Person) string {
				return lee.Do(`mutation($input: IntroduceInput!) { introduce(input: $input) { errors { code } } }`, input(vars{"memberIds": []gid.ID{a.ID, b.ID}, "message": "Meet."})).Code()
			}
			if got := fmt.Sprint(start(), start(), start(), start()); got != "LIMIT_REACHED" {
				t.Errorf("threads: %s", got)
			}
			if got := fmt.Sprint(talk(eve), talk(kim), talk(lee), talk(joe)); got != "LIMIT_REACHED" {
				t.Errorf("conversations: %s", got)
			}
			if got := fmt.Sprint(introduce(eve, kim), introduce(kim, joe)); got != "LIMIT_REACHED" {
				t.Errorf("introductions: %s", got)
			}
		})
		w.T.Run("what was refused is not counted", func(t *testing.T) {
			start := func(space gid.ID) string {
				return kim.Do(`mutation($input: CreateThreadInput!) { createThread(input: $input) { errors { code } } }`, input(vars{"spaceId": space, "title": "T", "body": "B"})).Code()
			}
			for range 4 {
				if code := start(w.NewID(gid.Space)); code != "NOT_FOUND" {
					t.Errorf("in no space: %q", code)
				}
			}
			for range 10 {
				if code := kim.Do(briefPost, input(vars{"threadId": thread, "body": "Hello."})).Code(); code != "" {
					t.Fatal(code)
				}
			}
			for range 4 {
				if code := start(network); code != "LIMIT_REACHED" {
					t.Errorf("after ten posts: %q", code)
				}
			}
			pass(30 * time.Minute)
			if got := fmt.Sprint(start(network), start(network), start(network), start(network)); got != "LIMIT_REACHED" {
				t.Errorf("three threads a day: %s", got)
			}
		})
		w.T.Run("a new member writes ten posts within an hour, whichever server they ask", func(t *testing.T) {
			r := ada.Must(limits, nil)
			if r.Int("account.limits.postsPerHour") != 10 || r.Int("account.limits.threadsPerDay") != 3 || r.Int("account.limits.postsToGo") != 5 {
				t.Errorf("%s", r.Body)
			}
			var codes []string
			for n := range 12 {
				c := ada.Client
				if n%2 == 1 {
					c = elsewhere
				}
				codes = append(codes, write(c, vars{"idempotencyKey": fmt.Sprint(n)}))
			}
			if got := strings.Join(codes, ","); got != ",,,,,,,,,,LIMIT_REACHED,LIMIT_REACHED" {
				t.Errorf("%s", got)
			}
			if code := write(elsewhere, vars{"idempotencyKey": "3"}); code != "" {
				t.Errorf("what was done with its key is not counted again: %q", code)
			}
			pass(time.Hour / 10)
			if code := write(elsewhere, nil); code != "" {
				t.Errorf("a tenth of an hour later: %q", code)
			}
			if n := ada.Must(limits, nil).Int("account.limits.postsToGo"); n != 0 {
				t.Errorf("%d posts to go", n)
			}
		})
		w.T.Run("links and mentions are few, in edits too, and links to this server are free", func(t *testing.T) {
			pass(20 * time.Minute) // tokens last for an hour
			many := "https://a.example https://b.example [c](https://c.example) https://d.example"
			if code := write(ada.Client, vars{"body": many}); code != "LIMIT_REACHED" {
				t.Errorf("four links: %q", code)
			}
			home := strings.Repeat(w.URL+"/threads/"+thread.String()+" ", 5)
			if code := write(ada.Client, vars{"body": home + "https://a.example"}); code != "" {
				t.Errorf("links to this server: %q", code)
			}
			calls := "@facilitators @everyone"
			for _, p := range []*apitest.Person{ben, eve, kim, lee, joe} {
				calls += " @" + p.Handle
			}
			if code := write(ada.Client, vars{"body": calls}); code != "LIMIT_REACHED" {
				t.Errorf("seven mentions: %q", code)
			}
			id := ada.Must(briefPost, input(vars{"threadId": thread, "body": "x"})).String("createPost.post.id")
			if code := ada.Do(`mutation($input: EditPostInput!) { editPost(input: $input) { errors { code } } }`, input(vars{"postId": id, "expectedVersion": 1, "body": many})).Code(); code != "LIMIT_REACHED" {
				t.Errorf("edited to four links: %q", code)
			}
		})
		w.T.Run("a facilitator is not new, and who began a direct conversation is", func(t *testing.T) {
			if r := host.Must(limits, nil); r.At("account.limits") != nil {
				t.Errorf("%s", r.Body)
			}
			if r := ben.Must(limits, nil); r.At("account.limits") == nil {
				t.Errorf("%s", r.Body)
			}
		})
		w.T.Run("after seven days, and with five posts, nobody is new", func(t *testing.T) {
			w.Tx(func(ctx context.Context, tx *ent.Client) error { // long ago: the tokens would not outlive a week
				_, err := tx.ExecContext(ctx, "UPDATE members SET created_at = '2023-01-01 00:00:00+00:00' WHERE name IN ('ada', 'joe')")
				return err
			})
			if r := ada.Must(limits, nil); r.At("account.limits") != nil {
				t.Errorf("%s", r.Body)
			}
			for range 11 {
				if code := write(ada.Client, vars{"body": "https://a.example https://b.example https://c.example https://d.example"}); code != "" {
					t.Fatal(code)
				}
			}
			if r := joe.Must(limits, nil); r.Int("account.limits.postsToGo") != 5 {
				t.Errorf("who wrote nothing is new: %s", r.Body)
			}
			if r := joe.Must(limits, nil); r.String("account.limits.joinedLongAgoAt") != "2023-01-08T00:00:00Z" {
				t.Errorf("%s", r.Body)
			}
		})
	})
}

// Where no rates hold, nobody is new.
func TestNobodyIsNewWithoutRates(t *testing.T) {
	apitest.Each(t, func(w *apitest.World) {
		if r := w.Member("ada").Must(limits, nil); r.At("account.limits") != nil {
			w.T.Errorf("%s", r.Body)
		}
	})
}
