package event

import (
	"context"
	"slices"

	"github.com/pursuing-equity/commons/internal/access"
	"github.com/pursuing-equity/commons/internal/gid"
)

// deafness is whom a member blocks or mutes. What those do is taken out where frames are sent to each subscriber, not where they are
// executed: the members of a group go on sharing their bytes, and who blocks nobody pays a look at a pointer.
type deafness struct {
	to  map[gid.ID]bool
	key string // the same for the same members
}

// heard leaves out the frames of members who are not heard. It copies nothing when there is none.
func (d *deafness) heard(frames []Frame) []Frame {
	not := func(f Frame) bool { return slices.ContainsFunc(f.by, func(id gid.ID) bool { return d.to[id] }) }
	if !slices.ContainsFunc(frames, not) {
		return frames
	}
	return slices.DeleteFunc(slices.Clone(frames), not)
}

// activity leaves out the members who are not heard.
func (d *deafness) activity(a Activity) Activity {
	if d == nil {
		return a
	}
	not := func(id gid.ID) bool { return d.to[id] }
	return Activity{Present: slices.DeleteFunc(slices.Clone(a.Present), not), Typing: slices.DeleteFunc(slices.Clone(a.Typing), not)}
}

// listen learns whom the members of some subscriptions hear from: one statement. Whoever asks has made sure that a change meanwhile
// makes them suspect again.
func (l *Log) listen(ctx context.Context, subs []*Subscription) error {
	members := distinct(subs, func(s *Subscription) gid.ID { return s.member })
	if len(members) == 0 {
		return nil
	}
	unheard, err := access.Unheard(ctx, l.store.Client(ctx), members...)
	if err != nil {
		return err
	}
	for _, s := range subs {
		s.setDeafness(unheard[s.member])
	}
	return nil
}

func (s *Subscription) setDeafness(to map[gid.ID]bool) {
	var now *deafness
	if len(to) > 0 {
		ids := make([]gid.ID, 0, len(to))
		for id := range to {
			ids = append(ids, id)
		}
		slices.SortFunc(ids, compareIDs)
		now = &deafness{to: to}
		for _, id := range ids {
			now.key += string(id[:])
		}
	}
	before := s.deafness.Swap(now)
	if s.execute != nil && before.differs(now) {
		s.regroup(now)
	}
}

func (d *deafness) differs(from *deafness) bool {
	if d == nil || from == nil {
		return d != from
	}
	return d.key != from.key
}

// regroup moves a subscription of an activity to those who hear from the same members.
func (s *Subscription) regroup(deaf *deafness) {
	s.placing.Lock()
	defer s.placing.Unlock()
	if s.over.Load() {
		return
	}
	old := s.group
	live := old.remove(s)
	s.feed.drop(old)
	s.group = s.feed.join(s.key, deaf, s.execute)
	if live {
		s.group.mu.Lock()
		s.group.add(s)
		s.group.mu.Unlock()
	}
	s.feed.kick()
}
