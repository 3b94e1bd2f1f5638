package event

import (
	"context"
	"encoding/hex"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/pursuing-equity/commons/ent/member"
	"github.com/pursuing-equity/commons/internal/gid"
	"github.com/pursuing-equity/commons/internal/page"
	"github.com/pursuing-equity/commons/internal/store"
)

// Activity is who follows a thread just now and who is writing in it. It is never stored and may be some seconds behind: each process
// knows its own subscribers, hears of the others' over the bus, and forgets what it does not hear again.
type Activity struct {
	Present []gid.ID // members, at most MaxPresent
	Typing  []gid.ID
}

const (
	// MaxPresent is how many members an Activity names.
	MaxPresent = 50
	// maxKnown is how many a process knows of each other one, so that there are enough when some of them do not show their presence.
	maxKnown = 200
	// typingLasts is for how long a member counts as typing who does not say so again.
	typingLasts = 6 * time.Second
	// typingEvery is how often saying so again has an effect.
	typingEvery = 2 * time.Second
	// activityEvery is how often subscribers are told, at most.
	activityEvery = 500 * time.Millisecond
	// presenceEvery is how often a process says who is present with it, presenceLasts for how long the others believe it.
	presenceEvery = 20 * time.Second
	presenceLasts = 50 * time.Second
)

// activity is what a feed of a thread's activity knows beside its groups.
type activity struct {
	mu        sync.Mutex
	typing    map[gid.ID]time.Time // until when
	elsewhere map[string]elsewhere // by process
	told      []gid.ID             // whom this process has said to be present
	toldAt    time.Time
	state     Activity
	version   int
	timer     *time.Timer
}

// elsewhere is who is present with another process.
type elsewhere struct {
	turn    uint64
	members []gid.ID
	until   time.Time
}

func newActivity() *activity {
	return &activity{typing: map[gid.ID]time.Time{}, elsewhere: map[string]elsewhere{}}
}

// The messages on the bus, beside the wake-ups: who is present with a process, who types, and the question who is present.
const (
	sayMoved    = "e"
	sayPresence = "p"
	sayTyping   = "t"
	sayWho      = "q"
)

// heard takes a message from the bus.
func (l *Log) heard(message string) {
	if message == "" {
		return
	}
	kind, rest := message[:1], message[1:]
	id, rest, ok := cutID(rest)
	if !ok {
		return
	}
	switch kind {
	case sayMoved:
		for ok {
			l.hub.wake(id)
			id, rest, ok = cutID(rest)
		}
	case sayTyping:
		if member, _, ok := cutID(rest); ok {
			l.hub.typing(id, member, l.now())
		}
	case sayWho:
		if f := l.hub.active(id); f != nil {
			f.activity.retell()
			f.kick()
		}
	case sayPresence:
		l.heardPresence(id, rest)
	}
}

func (l *Log) heardPresence(stream gid.ID, text string) {
	f := l.hub.active(stream)
	parts := strings.Split(text, ":")
	if f == nil || len(parts) != 3 || parts[0] == l.process {
		return
	}
	turn, err := strconv.ParseUint(parts[1], 16, 64)
	if err != nil {
		return
	}
	var members []gid.ID
	for rest := parts[2]; rest != ""; {
		var id gid.ID
		var ok bool
		if id, rest, ok = cutID(rest); !ok {
			return
		}
		members = append(members, id)
	}
	a := f.activity
	a.mu.Lock()
	if old := a.elsewhere[parts[0]]; turn > old.turn {
		a.elsewhere[parts[0]] = elsewhere{turn, members, l.now().Add(presenceLasts)}
	}
	a.mu.Unlock()
	f.kick()
}

func cutID(text string) (id gid.ID, rest string, ok bool) {
	if len(text) < 2*len(id) {
		return id, "", false
	}
	_, err := hex.Decode(id[:], []byte(text[:2*len(id)]))
	return id, text[2*len(id):], err == nil
}

func (l *Log) say(kind string, ids ...gid.ID) {
	if l.bus == nil {
		return
	}
	b := append(make([]byte, 0, 1+32*len(ids)), kind...)
	for _, id := range ids {
		b = hex.AppendEncode(b, id[:])
	}
	l.bus.Send(string(b))
}

// tell says to the other processes who is present in a thread with this one.
func (l *Log) tell(stream gid.ID, members []gid.ID) {
	if l.bus == nil {
		return
	}
	b := hex.AppendEncode([]byte(sayPresence), stream[:])
	b = fmt.Appendf(b, "%s:%x:", l.process, l.turn.Add(1))
	for _, id := range members {
		b = hex.AppendEncode(b, id[:])
	}
	l.bus.Send(string(b))
}

// tell does so while the feed is followed; whoever is the last to leave has the last word.
func (h *hub) tell(f *feed, members []gid.ID) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.feeds[f.key()] != f {
		return false
	}
	f.log.tell(f.stream, members)
	return true
}

// Typing tells those who follow the thread's activity that a member is writing. It lasts for some seconds, or until the member
// has posted. The caller has checked that the member may.
func (l *Log) Typing(thread, member gid.ID) {
	if l.hub.typing(thread, member, l.now()) {
		l.say(sayTyping, thread, member)
	}
}

// active is the feed of a thread's activity; nil when nobody here follows it.
func (h *hub) active(thread gid.ID) *feed {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.feeds[feedKey{thread, true}]
}

// typing notes that a member is writing. It reports whether that is worth telling: it was not told a moment ago.
func (h *hub) typing(thread, member gid.ID, now time.Time) bool {
	h.mu.Lock()
	f := h.feeds[feedKey{thread, true}]
	key := typist{thread, member}
	last, again := h.typists[key]
	if again = again && now.Sub(last) < typingEvery; !again {
		if len(h.typists) >= maxTypists {
			clear(h.typists)
		}
		h.typists[key] = now
	}
	h.mu.Unlock()
	if again {
		return false
	}
	if f != nil {
		f.activity.mu.Lock()
		f.activity.typing[member] = now.Add(typingLasts)
		f.activity.mu.Unlock()
		f.kick()
	}
	return true
}

type typist struct{ thread, member gid.ID }

const maxTypists = 10_000

// posted ends that a member is writing: they have.
func (h *hub) posted(thread, member gid.ID) {
	h.mu.Lock()
	f := h.feeds[feedKey{thread, true}]
	delete(h.typists, typist{thread, member})
	h.mu.Unlock()
	if f == nil {
		return
	}
	f.activity.mu.Lock()
	_, was := f.activity.typing[member]
	delete(f.activity.typing, member)
	f.activity.mu.Unlock()
	if was {
		f.kick()
	}
}

// retell has the process say again who is present.
func (a *activity) retell() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.toldAt = time.Time{}
}

// knows reports whether any of the members types, or is present with another process: of them there is no subscription here, and they
// may not want to be seen any more.
func (a *activity) knows(members []gid.ID) bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return slices.ContainsFunc(members, func(id gid.ID) bool {
		if _, types := a.typing[id]; types {
			return true
		}
		for _, e := range a.elsewhere {
			if slices.Contains(e.members, id) {
				return true
			}
		}
		return false
	})
}

// present are the members who follow a feed in this process.
func (f *feed) present() []gid.ID {
	f.mu.Lock()
	defer f.mu.Unlock()
	seen := map[gid.ID]bool{}
	for _, g := range f.groups {
		g.mu.Lock()
		for _, s := range g.members {
			seen[s.member] = true
		}
		g.mu.Unlock()
	}
	return sortedIDs(seen)
}

func sortedIDs(set map[gid.ID]bool) []gid.ID {
	delete(set, gid.ID{})
	ids := make([]gid.ID, 0, len(set))
	for id := range set {
		ids = append(ids, id)
	}
	slices.SortFunc(ids, compareIDs)
	return ids[:min(len(ids), maxKnown)]
}

// shown leaves out the members who do not show that they are here: one statement by primary key.
func (l *Log) shown(ctx context.Context, a Activity) (Activity, error) {
	hidden, err := l.store.Client(ctx).Member.Query().
		Where(page.AnyOf(member.FieldID, slices.Concat(a.Present, a.Typing)), member.ShowsPresence(false)).IDs(store.Upkeep(ctx))
	if err != nil {
		return Activity{}, fmt.Errorf("look who shows their presence: %w", err)
	}
	keep := func(ids []gid.ID) []gid.ID {
		ids = slices.DeleteFunc(ids, func(id gid.ID) bool { return slices.Contains(hidden, id) })
		return ids[:min(len(ids), MaxPresent)]
	}
	return Activity{Present: keep(a.Present), Typing: keep(a.Typing)}, nil
}

func compareIDs(a, b gid.ID) int { return slices.Compare(a[:], b[:]) }

// now is who is present and who types, whether they show it or not. It tells the other processes what they do not know, and has the
// feed look again when the next thing is to be forgotten.
func (a *activity) now(f *feed) Activity {
	here, at := f.present(), f.log.now()
	a.mu.Lock()
	defer a.mu.Unlock()
	next := at.Add(presenceEvery)
	present := make(map[gid.ID]bool, len(here))
	for _, id := range here {
		present[id] = true
	}
	for process, e := range a.elsewhere {
		if !at.Before(e.until) {
			delete(a.elsewhere, process)
			continue
		}
		for _, id := range e.members {
			present[id] = true
		}
	}
	typing := map[gid.ID]bool{}
	for id, until := range a.typing {
		if !at.Before(until) {
			delete(a.typing, id)
			continue
		}
		typing[id] = true
		if until.Before(next) {
			next = until
		}
	}
	state := Activity{Present: sortedIDs(present), Typing: sortedIDs(typing)}
	if !slices.Equal(here, a.told) || at.Sub(a.toldAt) >= presenceEvery {
		if !f.log.hub.tell(f, here) {
			return state // nobody follows it any more
		}
		a.told, a.toldAt = here, at
	}
	if a.timer == nil {
		a.timer = time.AfterFunc(next.Sub(at), f.kick)
	} else {
		a.timer.Reset(next.Sub(at))
	}
	return state
}

// becomes notes how the activity stands now, and numbers it anew if that is not how it stood.
func (a *activity) becomes(state Activity) (version int) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.version == 0 || !slices.Equal(state.Present, a.state.Present) || !slices.Equal(state.Typing, a.state.Typing) {
		a.state = state
		a.version++
	}
	return a.version
}

// stepActivity brings the activity to the groups that do not know it, in the order of step.
func (f *feed) stepActivity(ctx context.Context) (bool, error) {
	var state Activity
	err := f.log.until(ctx, func() (err error) {
		state, err = f.log.shown(ctx, f.activity.now(f))
		return err
	})
	if err != nil {
		return false, err
	}
	version := f.activity.becomes(state)
	f.mu.Lock()
	var work []*due
	for _, g := range f.groups {
		g.mu.Lock()
		if g.head < version && len(g.members) > 0 {
			work = append(work, &due{group: g})
		}
		g.mu.Unlock()
	}
	f.mu.Unlock()
	if len(work) == 0 {
		return false, f.evict(ctx)
	}
	parallel(work, func(d *due) {
		d.err = f.log.until(ctx, func() (err error) {
			heard := d.group.deafness.activity(state)
			d.frames, err = d.group.execute(ctx, &Batch{activity: &heard, shown: []int{version}})
			return err
		})
	})
	if err := f.log.until(ctx, func() error { return f.log.changes.sync(ctx) }); err != nil {
		return false, err
	}
	if err := f.log.until(ctx, func() error { return f.evict(ctx) }); err != nil {
		return false, err
	}
	for _, d := range work {
		if d.err != nil {
			d.group.fail(d.err)
			continue
		}
		d.group.publishActivity(d.frames, version)
	}
	return false, nil
}

// publishActivity sends the newest activity to everybody in the group.
func (g *group) publishActivity(frames []Frame, version int) {
	g.mu.Lock()
	g.head, g.latest = version, frames
	g.sending = append(g.sending[:0], g.members...)
	g.mu.Unlock()
	fanOut(g.sending, frames)
	clear(g.sending)
}

// enterActivity makes a subscription live unless it is suspect: it gets what the others know, and is told of as they are.
func (g *group) enterActivity(s *Subscription) (live, closed bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.closed || s.suspect.Load() {
		return false, g.closed
	}
	if g.latest != nil {
		s.send(g.latest)
	}
	g.add(s)
	return true, false
}
