package demo

import (
	"iter"
	"math"
	"slices"
	"time"

	"github.com/pursuing-equity/commons/internal/gid"
)

// plan is what Discussions needs to make any thread without the others.
type plan struct {
	rooms   []room
	threads []threadPlan
	seed    uint64
	topics  []topic
	until   time.Time
	members []Member
	spaces  []Space
	inside  map[[2]gid.ID]bool // space and member, of memberships that last
	// moderated is the thread in which moderators had something to do; negative when there is none.
	moderated int
}

// threadPlan is where a thread is, what about, when and how long.
type threadPlan struct {
	room  int
	topic int
	posts int
	start time.Duration // in working time
	title string
	long  bool
}

// plan deals the threads to the rooms and the posts to the threads. The posts of all threads add up to Options.posts.
func (g *generator) plan() {
	s := g.stream("plan", 0)
	p := &g.world.discussions
	p.seed, p.topics, p.until, p.members, p.spaces = g.options.Seed, g.topics, g.until, g.world.Members, g.world.Spaces

	p.inside = make(map[[2]gid.ID]bool, len(g.world.SpaceMemberships))
	for _, m := range g.world.SpaceMemberships {
		if m.EndsAt.IsZero() {
			p.inside[[2]gid.ID{m.SpaceID, m.MemberID}] = true
		}
	}
	total, cities := workUntil(g.until), places()
	growth := float64(g.options.threads()) / float64(baseThreads*g.options.waves())
	var weights []float64
	for i, r := range p.rooms {
		kind := p.spaces[r.space].Kind
		fitting := topicsFor(p.topics, kind)
		n := float64(r.threads) * growth
		if kind == "NETWORK" {
			n *= float64(g.options.waves())
		}
		count := max(1, int(math.Round(n)))
		if kind == "DIRECT" {
			count = 1
		}
		titles := map[int]*deck{}
		for j := range count {
			t := fitting[s.IntN(len(fitting))]
			if p.topics[t].staff && len(r.staff) == 0 {
				t = fitting[0]
			}
			if titles[t] == nil {
				titles[t] = &deck{lines: p.topics[t].lines[partTitle]}
			}
			start := time.Duration(s.Int64N(int64(total)))
			f := slots{stream: s, at: busy(start), city: pick(s, cities).city}
			tp := threadPlan{room: i, topic: t, start: start, title: f.filled(titles[t].deal(s))}
			weight := math.Exp(0.75 * s.NormFloat64())
			if kind == "NETWORK" || kind == "COHORT" {
				weight *= 1.6
			}
			if kind == "NETWORK" && j == 0 {
				// The welcome thread is the long one, from the first day on.
				tp.long, tp.start, tp.topic = true, 0, slices.IndexFunc(p.topics, func(t topic) bool { return t.name == "introductions" })
				tp.title = p.topics[tp.topic].lines[partTitle][0]
				weight = 0
			}
			p.threads = append(p.threads, tp)
			weights = append(weights, weight)
		}
	}
	p.share(weights, g.options.posts())
	p.settle()
}

// share gives each thread two posts at least, the long thread a twenty-fourth of all, and the rest by weight.
func (p *plan) share(weights []float64, posts int) {
	sum, rest := 0.0, posts
	for i, w := range weights {
		sum += w
		p.threads[i].posts = 2
		if p.threads[i].long {
			p.threads[i].posts = posts / 24
		}
		rest -= p.threads[i].posts
	}
	given, soFar := 0, 0.0
	for i, w := range weights {
		soFar += w
		upTo := int(math.Round(soFar / sum * float64(rest)))
		p.threads[i].posts += upTo - given
		given = upTo
	}
}

// topicsFor are the indexes of the topics that fit a kind of space.
func topicsFor(topics []topic, kind string) []int {
	var fitting []int
	for i, t := range topics {
		if t.fits(kind) {
			fitting = append(fitting, i)
		}
	}
	return fitting
}

// Threads is how many threads the world has.
func (w *World) Threads() int { return len(w.discussions.threads) }

// Posts is how many posts the world has, tombstones included.
func (w *World) Posts() int {
	n := 0
	for _, t := range w.discussions.threads {
		n += t.posts
	}
	return n
}

// Discussion makes the i-th thread. It may be called from several goroutines at once.
func (w *World) Discussion(i int) *Discussion { return w.discussions.make(i) }

// Discussions makes all threads, one at a time.
func (w *World) Discussions() iter.Seq[*Discussion] {
	return func(yield func(*Discussion) bool) {
		for i := range w.discussions.threads {
			if !yield(w.Discussion(i)) {
				return
			}
		}
	}
}
