package apitest_test

import (
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/pursuing-equity/commons/ent"
	"github.com/pursuing-equity/commons/ent/space"
	"github.com/pursuing-equity/commons/ent/spacemembership"
	"github.com/pursuing-equity/commons/ent/watchsetting"
	"github.com/pursuing-equity/commons/internal/apitest"
	"github.com/pursuing-equity/commons/internal/apitest/database"
	"github.com/pursuing-equity/commons/internal/apitest/invariant"
	"github.com/pursuing-equity/commons/internal/community"
	"github.com/pursuing-equity/commons/internal/fault"
	"github.com/pursuing-equity/commons/internal/forum"
	"github.com/pursuing-equity/commons/internal/gid"
)

// readers are members of two groups who do at random what changes what is unread. All choices are made by pick, which returns a number
// from 0 and below n: a generator that can shrink makes them in the one test, a source of chance in the other.
type readers struct {
	w      *apitest.World
	host   *apitest.Person // looks after both groups
	people []*apitest.Person
	spaces []gid.ID

	mu       sync.Mutex
	threads  []gid.ID
	posts    []gid.ID
	accepted map[string]int // operations that were not refused, by name
}

func newReaders(w *apitest.World, host *apitest.Person, people []*apitest.Person) *readers {
	all := append([]*apitest.Person{host}, people...)
	r := &readers{w: w, host: host, people: people, accepted: map[string]int{}}
	r.spaces = []gid.ID{w.Space(space.KindWORKGROUP, "One", all...), w.Space(space.KindAFFINITY, "Two", all...)}
	return r
}

func (r *readers) add(threadID, postID gid.ID) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if threadID != (gid.ID{}) {
		r.threads = append(r.threads, threadID)
	}
	if postID != (gid.ID{}) {
		r.posts = append(r.posts, postID)
	}
}

// recent picks among the last few of what was made, so that members meet.
func (r *readers) recent(pick func(n int) int, of *[]gid.ID) gid.ID {
	r.mu.Lock()
	defer r.mu.Unlock()
	some := (*of)[max(0, len(*of)-30):]
	if len(some) == 0 {
		return gid.ID{}
	}
	return some[len(some)-1-pick(len(some))]
}

// act is one thing that a member does. An error that is a fault was a refusal: of what they may not do, or of what is not there any more.
type act struct {
	name string
	do   func(r *readers, p *apitest.Person, pick func(n int) int) error
}

func acts() []act {
	return slices.Concat(writing(), reading(), moderating(), belonging())
}

func writing() []act {
	return []act{
		{"start a thread", func(r *readers, p *apitest.Person, pick func(int) int) error {
			t, err := r.w.App.Forum.CreateThread(p.Context(), p.Viewer, forum.NewThread{SpaceID: r.spaces[pick(2)], Title: "T", Body: r.words(pick)})
			if err == nil {
				r.add(t.ID, *t.LastPostID)
			}
			return err
		}},
		{"post", func(r *readers, p *apitest.Person, pick func(int) int) error {
			in := forum.NewPost{ThreadID: r.recent(pick, &r.threads), Body: r.words(pick)}
			post, err := r.w.App.Forum.CreatePost(p.Context(), p.Viewer, in)
			if err == nil {
				r.add(gid.ID{}, post.ID)
			}
			return err
		}},
		{"answer", func(r *readers, p *apitest.Person, pick func(int) int) error {
			to := r.recent(pick, &r.posts)
			answered, err := r.w.App.Forum.Post(p.Context(), p.Viewer, to)
			if err != nil {
				return err
			}
			post, err := r.w.App.Forum.CreatePost(p.Context(), p.Viewer, forum.NewPost{ThreadID: answered.ThreadID, ReplyToID: &to, Body: r.words(pick)})
			if err == nil {
				r.add(gid.ID{}, post.ID)
			}
			return err
		}},
		{"edit", func(r *readers, _ *apitest.Person, pick func(int) int) error {
			post, p, err := r.written(pick)
			if err != nil {
				return err
			}
			_, err = r.w.App.Forum.EditPost(p.Context(), p.Viewer, post.ID, post.Version, r.words(pick), nil)
			return err
		}},
		{"delete", func(r *readers, _ *apitest.Person, pick func(int) int) error {
			post, p, err := r.written(pick)
			if err != nil {
				return err
			}
			_, err = r.w.App.Forum.DeletePost(p.Context(), p.Viewer, post.ID)
			return err
		}},
	}
}

// written is a post and who wrote it.
func (r *readers) written(pick func(int) int) (*ent.Post, *apitest.Person, error) {
	post, err := r.w.App.Forum.Post(r.host.Context(), r.host.Viewer, r.recent(pick, &r.posts))
	if err != nil {
		return nil, nil, err
	}
	return post, r.people[slices.IndexFunc(r.people, func(p *apitest.Person) bool { return p.ID == post.AuthorID })], nil
}

// words is a text that calls nobody, who looks after the space, or somebody.
func (r *readers) words(pick func(int) int) string {
	switch pick(4) {
	case 0:
		return fmt.Sprint("words ", pick(1000))
	case 1:
		return "@facilitators, look"
	default:
		return fmt.Sprintf("@%s, %d", r.people[pick(len(r.people))].Handle, pick(1000))
	}
}

func reading() []act {
	levels := []*watchsetting.Level{nil}
	for _, l := range []watchsetting.Level{watchsetting.LevelMUTED, watchsetting.LevelNORMAL, watchsetting.LevelWATCHING, watchsetting.LevelMUTED} {
		levels = append(levels, &l)
	}
	return []act{
		{"read up to a post", func(r *readers, p *apitest.Person, pick func(int) int) error {
			_, err := r.w.App.Forum.MarkThreadRead(p.Context(), p.Viewer, r.recent(pick, &r.threads), pick(20))
			return err
		}},
		{"mark as unread", func(r *readers, p *apitest.Person, pick func(int) int) error {
			_, err := r.w.App.Forum.MarkThreadUnread(p.Context(), p.Viewer, r.recent(pick, &r.threads), 1+pick(20))
			return err
		}},
		{"read a space", func(r *readers, p *apitest.Person, pick func(int) int) error {
			_, err := r.w.App.Forum.MarkSpaceRead(p.Context(), p.Viewer, r.spaces[pick(2)])
			return err
		}},
		{"read everything", func(r *readers, p *apitest.Person, pick func(int) int) error {
			return r.w.App.Forum.MarkAllRead(p.Context(), p.Viewer, pick(2) == 1)
		}},
		{"set a thread's level", func(r *readers, p *apitest.Person, pick func(int) int) error {
			_, err := r.w.App.Notify.SetThreadLevel(p.Context(), p.Viewer, r.recent(pick, &r.threads), levels[pick(len(levels))])
			return err
		}},
		{"set a space's level", func(r *readers, p *apitest.Person, pick func(int) int) error {
			_, err := r.w.App.Notify.SetSpaceLevel(p.Context(), p.Viewer, r.spaces[pick(2)], levels[pick(len(levels))])
			return err
		}},
	}
}

func moderating() []act {
	return []act{
		{"hide", func(r *readers, _ *apitest.Person, pick func(int) int) error {
			_, err := r.w.App.Moderation.HidePost(r.host.Context(), r.host.Viewer, r.recent(pick, &r.posts), "Be kind.")
			return err
		}},
		{"show again", func(r *readers, _ *apitest.Person, pick func(int) int) error {
			_, err := r.w.App.Moderation.UnhidePost(r.host.Context(), r.host.Viewer, r.recent(pick, &r.posts), "It was kind.")
			return err
		}},
		{"move a thread", func(r *readers, _ *apitest.Person, pick func(int) int) error {
			_, err := r.w.App.Forum.MoveThread(r.host.Context(), r.host.Viewer, r.recent(pick, &r.threads), r.spaces[pick(2)])
			return err
		}},
		{"merge threads", func(r *readers, _ *apitest.Person, pick func(int) int) error {
			_, err := r.w.App.Forum.MergeThreads(r.host.Context(), r.host.Viewer, r.recent(pick, &r.threads), r.recent(pick, &r.threads))
			return err
		}},
		{"split a thread", func(r *readers, _ *apitest.Person, pick func(int) int) error {
			id := r.recent(pick, &r.posts)
			post, err := r.w.App.Forum.Post(r.host.Context(), r.host.Viewer, id)
			if err != nil {
				return err
			}
			t, err := r.w.App.Forum.SplitThread(r.host.Context(), r.host.Viewer, forum.Split{ThreadID: post.ThreadID, PostIDs: []gid.ID{id}, Title: "Split"})
			if err == nil {
				r.add(t.ID, *t.LastPostID)
			}
			return err
		}},
		{"block", func(r *readers, p *apitest.Person, pick func(int) int) error {
			return r.w.App.Moderation.BlockMember(p.Context(), p.Viewer, r.people[pick(len(r.people))].ID)
		}},
		{"end a block", func(r *readers, p *apitest.Person, pick func(int) int) error {
			return r.w.App.Moderation.UnblockMember(p.Context(), p.Viewer, r.people[pick(len(r.people))].ID)
		}},
		{"mute", func(r *readers, p *apitest.Person, pick func(int) int) error {
			return r.w.App.Moderation.MuteMember(p.Context(), p.Viewer, r.people[pick(len(r.people))].ID)
		}},
		{"end a mute", func(r *readers, p *apitest.Person, pick func(int) int) error {
			return r.w.App.Moderation.UnmuteMember(p.Context(), p.Viewer, r.people[pick(len(r.people))].ID)
		}},
	}
}

func belonging() []act {
	return []act{
		{"join", func(r *readers, p *apitest.Person, pick func(int) int) error {
			_, err := r.w.App.Community.CreateSpaceMembership(r.host.Context(), r.host.Viewer,
				community.NewSpaceMembership{SpaceID: r.spaces[pick(2)], MemberID: p.ID, Role: spacemembership.RoleMEMBER})
			return err
		}},
		{"leave", func(r *readers, p *apitest.Person, pick func(int) int) error {
			m, err := r.w.App.Store.Client(r.w.System()).SpaceMembership.Query().
				Where(spacemembership.SpaceID(r.spaces[pick(2)]), spacemembership.MemberID(p.ID)).Only(r.w.System())
			if err != nil {
				return err
			}
			_, err = r.w.App.Community.EndSpaceMembership(r.host.Context(), r.host.Viewer, m.ID)
			return err
		}},
	}
}

// run does one thing. What is refused is nothing to complain of; what fails is.
func (r *readers) run(a act, pick func(int) int) error {
	err := a.do(r, r.people[pick(len(r.people))], pick)
	var refusal *fault.Error
	switch {
	case err == nil:
		r.mu.Lock()
		r.accepted[a.name]++
		r.mu.Unlock()
	case !errors.As(err, &refusal) || refusal.Code == fault.Internal:
		return fmt.Errorf("%s: %w", a.name, err)
	}
	return nil
}

// differences are sentences on what the services count otherwise than a recount does. Nobody may write meanwhile.
func (r *readers) differences() ([]string, error) {
	again, err := invariant.NewRecount(r.w.System(), r.w.App.Store.Client(r.w.System()), r.w.App.Config.Now(), r.spaces...)
	if err != nil {
		return nil, err
	}
	var found []string
	differ := func(p *apitest.Person, of string, got, want invariant.Unread) {
		if got != want {
			found = append(found, fmt.Sprintf("%s, in %s: %+v are counted, %+v are there", p.Handle, of, got, want))
		}
	}
	for _, p := range append([]*apitest.Person{r.host}, r.people...) {
		ctx := p.Context()
		spaces, err := r.w.App.Forum.UnreadOfSpaces(ctx, p.Viewer, r.spaces)
		if err != nil {
			return nil, err
		}
		all, err := r.w.App.Forum.UnreadOfAll(ctx, p.Viewer)
		if err != nil {
			return nil, err
		}
		var sum invariant.Unread
		for i, id := range r.spaces {
			want := again.Space(p.ID, id)
			differ(p, "space "+strconv.Itoa(i), invariant.Unread(spaces[id]), want)
			sum.Posts, sum.Mentions = sum.Posts+want.Posts, sum.Mentions+want.Mentions
		}
		differ(p, "all", invariant.Unread(all), sum)
		var threads []*ent.Thread
		var ids []gid.ID
		for _, t := range again.Threads() {
			if again.Belongs(p.ID, t.SpaceID) {
				threads, ids = append(threads, t), append(ids, t.ID)
			}
		}
		posts, err := r.w.App.Forum.UnreadCounts(ctx, p.Viewer, threads)
		if err != nil {
			return nil, err
		}
		mentions, err := r.w.App.Forum.UnreadMentions(ctx, p.Viewer, ids)
		if err != nil {
			return nil, err
		}
		for i, t := range threads {
			differ(p, fmt.Sprintf("thread %v of %d posts", t.ID, t.PostSeq), invariant.Unread{Posts: posts[i], Mentions: mentions[t.ID]}, again.Thread(p.ID, t))
		}
	}
	return found, nil
}

// TestUnreadStepByStep looks for a short series of steps after which a counter is wrong: what fails is shrunk.
func TestUnreadStepByStep(t *testing.T) {
	checks := "16"
	if raceFactor > 1 {
		checks = "3"
	}
	must0(t, flag.Set("rapid.checks", checks))
	must0(t, flag.Set("rapid.steps", "60"))
	must0(t, flag.Set("rapid.nofailfile", "true"))
	database.Each(t, func(t *testing.T, url string) {
		w := apitest.Serve(t, url)
		rapid.Check(t, func(rt *rapid.T) {
			r := newReaders(w, w.Member("host"), []*apitest.Person{w.Member("ada"), w.Member("ben"), w.Member("eve")})
			steps := map[string]func(*rapid.T){"": func(rt *rapid.T) {
				allTold(w)
				found, err := r.differences()
				if err != nil || len(found) > 0 {
					rt.Fatalf("%v %q", err, found)
				}
			}}
			for _, a := range acts() {
				steps[a.name] = func(rt *rapid.T) {
					if err := r.run(a, func(n int) int { return rapid.IntRange(0, n-1).Draw(rt, "choice") }); err != nil {
						rt.Fatal(err)
					}
				}
			}
			rt.Repeat(steps)
		})
		soundPosts(w)
	})
}

// TestUnreadInParallel lets fifty members do ten thousand things at once, and recounts after every quarter.
func TestUnreadInParallel(t *testing.T) {
	database.Each(t, func(t *testing.T, url string) {
		const people, rounds = 50, 4
		operations := 10_000
		if strings.HasPrefix(url, "sqlite:") { // which runs in this process: the race detector slows it down, too
			operations /= raceFactor
		}
		w := apitest.Serve(t, url)
		var members []*apitest.Person
		for range people {
			members = append(members, w.Member("m"))
		}
		r := newReaders(w, w.Member("host"), members)
		seed := rand.Uint64()
		t.Logf("the seed is %d", seed)
		all := acts()
		for range 3 { // what is done more often than the rest
			all = append(all, writing()[1], writing()[2], reading()[0], reading()[1], belonging()[0])
		}
		began := time.Now()
		for round := range rounds {
			var left atomic.Int64
			left.Store(int64(operations / rounds))
			var wg sync.WaitGroup
			for i := range people {
				wg.Go(func() {
					chance := rand.New(rand.NewPCG(seed, uint64(round*people+i)))
					for left.Add(-1) >= 0 {
						if err := r.run(all[chance.IntN(len(all))], chance.IntN); err != nil {
							t.Error(err)
						}
					}
				})
			}
			wg.Wait()
			allTold(w)
			found, err := r.differences()
			if err != nil || len(found) > 0 {
				t.Fatalf("after round %d: %v, %d differences: %q", round, err, len(found), found[:min(len(found), 10)])
			}
		}
		t.Logf("%d operations by %d members took %v; accepted were %v", operations, people, time.Since(began), r.accepted)
		for _, a := range acts() {
			if r.accepted[a.name] == 0 {
				t.Errorf("nobody could ever %s", a.name)
			}
		}
		soundPosts(w)
	})
}
