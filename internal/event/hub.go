package event

import (
	"sync"

	"github.com/pursuing-equity/commons/internal/gid"
)

// hub knows who follows what in this process. It holds no events: it only wakes.
type hub struct {
	mu   sync.Mutex
	keys map[gid.ID]*topic
}

type topic struct {
	seen      int // the highest number that the poll has seen
	followers map[*follower]struct{}
}

// follower is one subscription. Its channel holds one wake-up: more say nothing more.
type follower struct {
	woken chan struct{}
}

func newHub() *hub { return &hub{keys: make(map[gid.ID]*topic)} }

// join makes a follower of several keys: the stream, and the member whose access is to be checked again.
func (h *hub) join(keys ...gid.ID) *follower {
	f := &follower{woken: make(chan struct{}, 1)}
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, k := range keys {
		t := h.keys[k]
		if t == nil {
			t = &topic{followers: make(map[*follower]struct{})}
			h.keys[k] = t
		}
		t.followers[f] = struct{}{}
	}
	return f
}

func (h *hub) leave(f *follower, keys ...gid.ID) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, k := range keys {
		if t := h.keys[k]; t != nil {
			delete(t.followers, f)
			if len(t.followers) == 0 {
				delete(h.keys, k)
			}
		}
	}
}

func (h *hub) wake(key gid.ID) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.keys[key].wake()
}

func (h *hub) wakeAll() {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, t := range h.keys {
		t.wake()
	}
}

func (t *topic) wake() {
	if t == nil {
		return
	}
	for f := range t.followers {
		select {
		case f.woken <- struct{}{}:
		default: // it has yet to look at the one before
		}
	}
}

// moved wakes the stream's followers if the poll finds a number that it has not seen.
func (h *hub) moved(stream gid.ID, seq int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if t := h.keys[stream]; t != nil && seq > t.seen {
		t.seen = seq
		t.wake()
	}
}

// streams are the threads and members that are followed.
func (h *hub) streams() (threads, members []gid.ID) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for k := range h.keys {
		if k.Kind() == gid.Thread {
			threads = append(threads, k)
		} else {
			members = append(members, k)
		}
	}
	return threads, members
}
