package server

import (
	"context"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/pursuing-equity/commons/internal/fault"
	"github.com/pursuing-equity/commons/internal/gid"
	"github.com/pursuing-equity/commons/internal/viewer"
)

// ending is why the server ends a connection that lives longer than a request.
type ending byte

const (
	endDrain ending = iota
	endExpired
	endRevoked
	endUnsure // nobody can say whether the session is still good
)

// connection is a websocket or an event stream.
type connection interface {
	// who signed the connection in.
	who() viewer.Viewer
	// end tells the client why and closes. It does not block.
	end(ending)
	// kill closes at once.
	kill()
}

// registry knows what is running, so that a drain can wait for it and a revocation can find it.
type registry struct {
	mu          sync.Mutex
	stopping    bool
	requests    int
	connections map[connection]string // and whose they are
	held        map[string]int        // how many connections each has
	most        int                   // that one may have; 0: any number
	changes     uint64                // how often somebody's access may have changed
	suspected   map[gid.ID]bool       // members and tokens whose access may have changed; zero: everybody's
	idle        chan struct{}         // closed when stopping and nothing runs any more
}

func newRegistry(shares bool, most int) *registry {
	if !shares {
		most = 0
	}
	return &registry{
		connections: map[connection]string{}, held: map[string]int{}, most: most, suspected: map[gid.ID]bool{}, idle: make(chan struct{}),
	}
}

// enter counts a request in, unless the server drains.
func (r *registry) enter() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.stopping {
		return false
	}
	r.requests++
	return true
}

func (r *registry) leave() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.requests--
	r.check()
}

// room says why one more connection of a holder would be refused.
func (r *registry) room(holder string) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.refuses(holder)
}

func (r *registry) refuses(holder string) error {
	switch {
	case r.stopping:
		return stopping()
	case r.most > 0 && r.held[holder] >= r.most:
		return &tooSoon{fault.New(fault.RateLimited, "More than %d connections are open. Close one first.", r.most), 5 * time.Second}
	default:
		return nil
	}
}

// add counts a connection in, or says why not.
func (r *registry) add(c connection, holder string) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if err := r.refuses(holder); err != nil {
		return err
	}
	r.connections[c] = holder
	r.held[holder]++
	return nil
}

// move makes a connection that signed in somebody else's, unless they have too many.
func (r *registry) move(c connection, holder string) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	before, ok := r.connections[c]
	if !ok || before == holder {
		return nil
	}
	if err := r.refuses(holder); err != nil {
		return err
	}
	r.release(before)
	r.connections[c] = holder
	r.held[holder]++
	return nil
}

func (r *registry) remove(c connection) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if holder, ok := r.connections[c]; ok {
		delete(r.connections, c)
		r.release(holder)
	}
	r.check()
}

// release is called under the lock.
func (r *registry) release(holder string) {
	if r.held[holder]--; r.held[holder] == 0 {
		delete(r.held, holder)
	}
}

func stopping() *fault.Error {
	return fault.New(fault.Unavailable, "This server is about to stop. Try again.")
}

func (r *registry) check() {
	if !r.stopping || r.requests > 0 || len(r.connections) > 0 {
		return
	}
	select {
	case <-r.idle:
	default:
		close(r.idle)
	}
}

func (r *registry) draining() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.stopping
}

// stop lets nothing new in.
func (r *registry) stop() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.stopping = true
	r.check()
}

func (r *registry) all() []connection {
	r.mu.Lock()
	defer r.mu.Unlock()
	out := make([]connection, 0, len(r.connections))
	for c := range r.connections {
		out = append(out, c)
	}
	return out
}

// recheckFailures is for how many rechecks in a row the answer may fail to come before connections are sent away: who lost
// access must not stay because the database is away.
const recheckFailures = 30

// accessChanged has the connections' tokens looked at: somebody's access may have changed.
func (s *Server) accessChanged(subjects []gid.ID) {
	if s.recent != nil {
		s.recent.forget()
	}
	s.live.suspect(subjects)
	select {
	case s.suspects <- struct{}{}:
	default: // it has yet to look at the one before
	}
}

// suspect remembers whose tokens to look at next.
func (r *registry) suspect(subjects []gid.ID) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.changes++
	for _, subject := range subjects {
		if subject.IsZero() || subject.Kind() == gid.Member || subject.Kind() == gid.AccessToken {
			r.suspected[subject] = true
		}
	}
}

// accessChanges counts how often somebody's access may have changed.
func (s *Server) accessChanges() uint64 {
	s.live.mu.Lock()
	defer s.live.mu.Unlock()
	return s.live.changes
}

// signedIn has a connection's token looked at again if access changed between its check and the moment when the registry knew
// of it.
func (s *Server) signedIn(session Session) {
	if token := session.Viewer.TokenID(); !token.IsZero() && s.accessChanges() != session.changes {
		s.accessChanged([]gid.ID{token})
	}
}

// byToken are the connections of tokens, of all or only of those that are suspected.
func (r *registry) byToken(all bool) map[gid.ID][]connection {
	r.mu.Lock()
	defer r.mu.Unlock()
	out := map[gid.ID][]connection{}
	all = all || r.suspected[gid.ID{}]
	if !all && len(r.suspected) == 0 {
		return out
	}
	for c := range r.connections {
		v := c.who()
		token := v.TokenID()
		member, _ := v.MemberID()
		if !token.IsZero() && (all || r.suspected[token] || r.suspected[member]) {
			out[token] = append(out[token], c)
		}
	}
	clear(r.suspected)
	return out
}

// recheck ends the connections whose token is no longer good: at once when the log says that access may have changed, and
// every Limits.Recheck as the net below it.
func (s *Server) recheck(ctx context.Context) {
	if s.cfg.Recheck == nil {
		return
	}
	ticker := time.NewTicker(s.limits.Recheck)
	defer ticker.Stop()
	failures := 0
	for {
		all := true
		select {
		case <-ctx.Done():
			return
		case <-s.suspects:
			all = false
		case <-ticker.C:
		}
		for more := true; more; {
			more = s.recheckOnce(ctx, all, &failures)
			all = true // after a failure it is not known which were asked
		}
	}
}

// recheckOnce reports whether it failed and is to be done again; it has waited a second then.
func (s *Server) recheckOnce(ctx context.Context, all bool, failures *int) bool {
	byToken := s.live.byToken(all)
	if len(byToken) == 0 {
		return false
	}
	asking, cancel := context.WithTimeout(ctx, authTimeout)
	defer cancel()
	revoked, err := s.cfg.Recheck(asking, slices.Collect(maps.Keys(byToken)))
	if err == nil {
		*failures = 0
		for _, id := range revoked {
			for _, c := range byToken[id] {
				c.end(endRevoked)
			}
		}
		return false
	}
	if *failures++; *failures == 1 || *failures == recheckFailures {
		s.log.ErrorContext(ctx, "recheck of open connections failed", "failures", *failures, "error", err.Error())
	}
	if *failures >= recheckFailures {
		for _, connections := range byToken {
			for _, c := range connections {
				c.end(endUnsure)
			}
		}
		return false
	}
	pause := time.NewTimer(time.Second)
	defer pause.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-pause.C:
		return true
	}
}
