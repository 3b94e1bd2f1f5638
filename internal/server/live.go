package server

import (
	"context"
	"sync"
	"time"

	"github.com/pursuing-equity/commons/internal/gid"
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
	// token is what the connection was signed in with; zero for none.
	token() gid.ID
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
	connections map[connection]bool
	idle        chan struct{} // closed when stopping and nothing runs any more
}

func newRegistry() *registry {
	return &registry{connections: map[connection]bool{}, idle: make(chan struct{})}
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

func (r *registry) add(c connection) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.stopping {
		return false
	}
	r.connections[c] = true
	return true
}

func (r *registry) remove(c connection) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.connections, c)
	r.check()
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

// recheck ends the connections whose token is no longer good. The stream of events itself evicts at once; this is the net
// below it.
func (s *Server) recheck(ctx context.Context) {
	if s.cfg.Recheck == nil {
		return
	}
	ticker := time.NewTicker(s.limits.Recheck)
	defer ticker.Stop()
	failures := 0
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		byToken := map[gid.ID][]connection{}
		for _, c := range s.live.all() {
			if id := c.token(); !id.IsZero() {
				byToken[id] = append(byToken[id], c)
			}
		}
		if len(byToken) == 0 {
			continue
		}
		tokens := make([]gid.ID, 0, len(byToken))
		for id := range byToken {
			tokens = append(tokens, id)
		}
		asking, cancel := context.WithTimeout(ctx, authTimeout)
		revoked, err := s.cfg.Recheck(asking, tokens)
		cancel()
		if err != nil {
			if failures++; failures == 1 || failures == recheckFailures {
				s.log.ErrorContext(ctx, "recheck of open connections failed", "failures", failures, "error", err.Error())
			}
			if failures >= recheckFailures {
				for _, connections := range byToken {
					for _, c := range connections {
						c.end(endUnsure)
					}
				}
			}
			continue
		}
		failures = 0
		for _, id := range revoked {
			for _, c := range byToken[id] {
				c.end(endRevoked)
			}
		}
	}
}
