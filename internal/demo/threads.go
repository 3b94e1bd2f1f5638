package demo

import (
	"math"
	"slices"
	"strings"
	"time"

	"github.com/pursuing-equity/commons/internal/gid"
)

// writer makes one thread's posts.
type writer struct {
	stream
	plan    *plan
	thread  threadPlan
	decks   map[string]*deck
	links   *deck
	members []int // who takes part, as indexes into plan.members
	out     *Discussion
	places  []place
}

// make writes the i-th thread.
func (p *plan) make(i int) *Discussion {
	t := p.threads[i]
	w := &writer{stream: newStream(p.seed, "thread", i), plan: p, thread: t, decks: map[string]*deck{}, out: &Discussion{}, places: places()}
	w.shuffleDecks()
	w.choosePeople()
	times := w.times()

	w.out.Posts = make([]Post, 0, t.posts)
	for seq := 1; seq <= t.posts; seq++ {
		w.post(seq, times[seq-1])
	}
	first, last := w.out.Posts[0], w.out.Posts[t.posts-1]
	thread := &w.out.Thread
	*thread = Thread{
		ID: w.id(gid.Thread, first.CreatedAt), SpaceID: p.spaces[p.rooms[t.room].space].ID, AuthorID: first.AuthorID, Title: t.title,
		PostSeq: t.posts, LastPostID: last.ID, CreatedAt: first.CreatedAt, LastActivityAt: last.CreatedAt,
		Pinned: t.long || w.chance(3),
	}
	if !t.long && w.chance(3) {
		thread.Locked, thread.LockReason = true, pick(w.stream, []string{"Answered; please open a new thread for new questions.", "The call is over.", "We go on in the thread of this quarter."})
	}
	w.changePosts()
	w.react()
	w.classify()
	if i == p.moderated {
		w.moderate()
	}
	w.readStates()
	w.notify()
	return w.out
}

func (w *writer) shuffleDecks() {
	about, anything := w.plan.topics[w.thread.topic], w.plan.topics[0]
	for _, part := range []string{partOpen, partSay, partAsk, partTry} {
		w.decks[part] = &deck{lines: about.lines[part]}
	}
	for _, part := range []string{partThanks, partHello, partMention, partList, partLink, partQuoted, partClose, partShort} {
		w.decks[part] = &deck{lines: anything.lines[part]}
	}
	if links := about.lines[partLink]; len(links) > 0 {
		w.links = &deck{lines: links}
	}
}

// choosePeople picks who takes part; the first of them opens the thread.
func (w *writer) choosePeople() {
	r := w.plan.rooms[w.thread.room]
	n := 3 + int(1.5*math.Sqrt(float64(w.thread.posts)))
	w.members = sample(w.stream, r.writers, n)
	staff := w.plan.topics[w.thread.topic].staff || w.thread.long || w.chance(12)
	if len(r.staff) > 0 && staff {
		w.members = slices.DeleteFunc(w.members, func(m int) bool { return m == r.staff[0] })
		w.members = append([]int{pick(w.stream, r.staff)}, w.members...)
	}
	seen := map[int]bool{}
	w.members = slices.DeleteFunc(w.members, func(m int) bool {
		twice := seen[m]
		seen[m] = true
		return twice
	})
}

// times are the posts' instants: many in the first days and then fewer, each later than the one before.
func (w *writer) times() []time.Time {
	total := workUntil(w.plan.until)
	start := w.thread.start
	span := time.Duration((1 + 9*w.Float64()) * float64(w.thread.posts) * float64(dayLength) / 8)
	if w.thread.long {
		span = total
	}
	span = min(span, total-start)
	offsets := make([]time.Duration, w.thread.posts)
	for i := range offsets[1:] {
		x := w.Float64()
		if !w.thread.long {
			x *= x
		}
		offsets[i+1] = time.Duration(x * float64(span))
	}
	slices.Sort(offsets)
	out := make([]time.Time, len(offsets))
	for i, o := range offsets {
		out[i] = busy(start + o).Add(time.Duration(w.IntN(1000)) * time.Microsecond).Truncate(time.Microsecond)
		if i > 0 && !out[i].After(out[i-1]) {
			out[i] = out[i-1].Add(time.Microsecond)
		}
	}
	return out
}

// post writes the post with a number.
func (w *writer) post(seq int, at time.Time) {
	author := w.members[0]
	if seq > 1 {
		author = w.author()
	}
	p := Post{ID: w.id(gid.Post, at), AuthorID: w.plan.members[author].ID, Seq: seq, Version: 1, CreatedAt: at}
	f := slots{stream: w.stream, at: at, city: w.city(author)}
	if seq == 1 {
		p.Body = w.opening(f)
	} else {
		to := w.answered()
		f.first = w.firstName(to.AuthorID)
		if other := pick(w.stream, w.members); w.plan.members[other].ID != p.AuthorID {
			f.mention = "@" + w.plan.members[other].Handle
		}
		if to.AuthorID == p.AuthorID {
			f.first = ""
		}
		if seq > 2 && w.chance(45) {
			p.ReplyToID = to.ID
		}
		p.Body = w.reply(f, to)
	}
	w.out.Posts = append(w.out.Posts, p)
}

// author is who writes next: the one who opened the thread comes back often, and hardly anyone writes twice in a row.
func (w *writer) author() int {
	last := w.out.Posts[len(w.out.Posts)-1].AuthorID
	for range 3 {
		m := w.members[w.IntN(len(w.members))]
		if w.chance(15) {
			m = w.members[0]
		}
		if w.plan.members[m].ID != last {
			return m
		}
	}
	return w.members[len(w.members)-1]
}

// answered is an earlier post, most likely a recent one.
func (w *writer) answered() *Post {
	back := int(w.ExpFloat64() * 2)
	return &w.out.Posts[max(0, len(w.out.Posts)-1-back)]
}

func (w *writer) firstName(id gid.ID) string {
	for _, m := range w.members {
		if w.plan.members[m].ID == id {
			return strings.Fields(w.plan.members[m].Name)[0]
		}
	}
	return ""
}

// city is one where the author's clock shows the same time.
func (w *writer) city(member int) string {
	zone := w.plan.members[member].TimeZone
	start := w.IntN(len(w.places))
	for i := range w.places {
		if at := w.places[(start+i)%len(w.places)]; at.zone == zone {
			return at.city
		}
	}
	return w.places[start].city
}
