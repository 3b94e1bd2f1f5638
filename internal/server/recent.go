package server

import (
	"crypto/sha256"
	"sync"
	"time"
)

// recentLasts is how long a sign-in is believed without a look at the database. Whatever ends one forgets them all: a change in this
// process before whoever made it has an answer, one in another process when the log tells of it. Should the log be late, this is
// how late a revocation can be.
const recentLasts = time.Second

// recentMost bounds what is remembered.
const recentMost = 10_000

// recent remembers for a moment who tokens and sessions signed in. Those that are not good are not remembered. A nil one remembers
// nothing.
type recent struct {
	now func() time.Time

	mu      sync.Mutex
	changes uint64 // how often somebody's sign-in may have ended
	byToken map[[sha256.Size]byte]recentSession
}

type recentSession struct {
	session Session
	until   time.Time
}

func newRecent(now func() time.Time) *recent {
	return &recent{now: now, byToken: map[[sha256.Size]byte]recentSession{}}
}

// find returns who a token signed in a moment ago. When it is not known, changes is for put.
func (r *recent) find(token [sha256.Size]byte) (session Session, changes uint64, ok bool) {
	if r == nil {
		return Session{}, 0, false
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	found, ok := r.byToken[token]
	if ok && !found.until.After(r.now()) {
		delete(r.byToken, token)
		ok = false
	}
	return found.session, r.changes, ok
}

// put remembers a sign-in, unless one may have ended since find.
func (r *recent) put(token [sha256.Size]byte, session Session, changes uint64) {
	if r == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if changes != r.changes {
		return
	}
	if len(r.byToken) >= recentMost {
		clear(r.byToken)
	}
	r.byToken[token] = recentSession{session, r.now().Add(recentLasts)}
}

// forget forgets all.
func (r *recent) forget() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.changes++
	clear(r.byToken)
}
