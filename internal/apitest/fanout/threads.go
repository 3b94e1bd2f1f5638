//go:build linux

package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/pursuing-equity/commons/internal/apitest"
	"github.com/pursuing-equity/commons/internal/apitest/fanout/load"
)

const (
	threadCount    = 1000
	watchers       = 10 // of each thread
	stalledOfTen   = 2
	postsPerSecond = 100
	stallAfter     = 10 * time.Second
	lasts          = 60 * time.Second
	cutWithin      = 15 * time.Second
	lateness       = 100 * time.Millisecond
)

// many is a thousand small threads with ten watchers each. Two of the ten stop reading for as long as it takes until they are
// cut; then they come back behind the last event that they have seen.
type many struct {
	server  *commons
	clients *load.Clients
	began   time.Time

	mu      sync.Mutex
	cursors []string // by client: of the last event
	seqs    []int    // by client: of the last post
	wrong   []string
	posts   map[post]*seen
	stalled time.Time
	cuts    []time.Duration
	late    []time.Duration
	again   chan int
}

type post struct{ thread, seq int }

// seen is who of the healthy watchers got a post, and when.
type seen struct {
	acked time.Time
	count int
	last  time.Time
}

// threads runs the scenario and checks the promises.
func threads(ctx context.Context, o options) error {
	s, err := openCommons(ctx, o)
	if err != nil {
		return err
	}
	defer s.close()
	if err := s.startThreads(ctx, threadCount-1); err != nil {
		return err
	}
	n := threadCount * watchers
	m := &many{server: s, cursors: make([]string, n), seqs: make([]int, n), posts: map[post]*seen{}, again: make(chan int, n)}
	var start struct{ EventCursor string }
	if err := s.ask(ctx, 0, `{eventCursor}`, nil, &start); err != nil {
		return err
	}
	for i := range m.cursors {
		m.cursors[i], m.seqs[i] = start.EventCursor, 1
	}
	text, err := apitest.OperationText("thread-events")
	if err != nil {
		return err
	}
	p := s.protocol()
	p.Subscribe = func(n int) string {
		m.mu.Lock()
		defer m.mu.Unlock()
		return subscribe(operationID(n), text, map[string]any{"thread": s.threads[n%threadCount], "after": m.cursors[n]})
	}
	p.Seen, p.Cut = m.seen, m.cut
	if m.clients, err = load.Dial(p, n); err != nil {
		return err
	}
	defer m.clients.Close()
	rest(ctx, s.p, o.rest)
	used := s.p.cpu()
	if err := m.run(ctx); err != nil {
		return err
	}
	return m.report(o, s.p.cpu()-used)
}

// isStalled says which clients stall: two of each thread's ten.
func isStalled(n int) bool { return n/threadCount < stalledOfTen }

func (m *many) run(ctx context.Context) error {
	var writing, dialing sync.WaitGroup
	var failed error
	fail := func(err error) {
		m.mu.Lock()
		defer m.mu.Unlock()
		failed = errors.Join(failed, err)
	}
	m.began = time.Now()
	for range 4 {
		dialing.Go(func() {
			for n := range m.again {
				if err := m.clients.Redial(n); err != nil {
					fail(fmt.Errorf("come back: %w", err))
				}
			}
		})
	}
	tick := time.NewTicker(time.Second / postsPerSecond)
	defer tick.Stop()
	stalls := time.After(stallAfter)
	for end := time.After(lasts); end != nil; {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-end:
			end = nil
		case <-stalls:
			m.mu.Lock()
			m.stalled = time.Now()
			m.mu.Unlock()
			for n := range threadCount * stalledOfTen {
				if err := m.clients.Stall(n); err != nil {
					return err
				}
			}
		case <-tick.C:
			writing.Go(func() {
				if err := m.post(ctx); err != nil {
					fail(err)
				}
			})
		}
	}
	writing.Wait()
	deadline := time.Now().Add(30 * time.Second)
	for !m.complete() && time.Now().Before(deadline) {
		time.Sleep(50 * time.Millisecond) // the clients are measured: a signal from each would cost them
	}
	close(m.again)
	dialing.Wait()
	m.mu.Lock()
	defer m.mu.Unlock()
	return failed
}

func (m *many) post(ctx context.Context) error {
	thread := rand.IntN(threadCount)
	seq, err := m.server.write(ctx, rand.IntN(members), m.server.threads[thread], "Equity is a team sport. Equity is a team sport. ")
	if err != nil {
		return fmt.Errorf("post: %w", err)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.of(post{thread, seq}).acked = time.Now()
	return nil
}

// of is called under the lock.
func (m *many) of(p post) *seen {
	s := m.posts[p]
	if s == nil {
		s = &seen{}
		m.posts[p] = s
	}
	return s
}

// seen takes a message that a client got.
func (m *many) seen(n int, payload []byte) {
	cursor, seq := field(payload, `"cursor":"`), field(payload, `"seq":`)
	number, err := strconv.Atoi(seq)
	now := time.Now()
	m.mu.Lock()
	defer m.mu.Unlock()
	if err != nil || cursor == "" || number != m.seqs[n]+1 {
		m.wrong = append(m.wrong, fmt.Sprintf("client %d got %q behind post %d", n, payload, m.seqs[n]))
		return
	}
	m.seqs[n], m.cursors[n] = number, cursor
	if !isStalled(n) {
		s := m.of(post{n % threadCount, number})
		s.count++
		s.last = now
	}
}

func field(payload []byte, before string) string {
	_, rest, ok := bytes.Cut(payload, []byte(before))
	if !ok {
		return ""
	}
	return string(rest[:max(0, bytes.IndexAny(rest, `",}`))])
}

// cut is when the server has closed a stalled client's socket.
func (m *many) cut(n int) {
	m.mu.Lock()
	m.cuts = append(m.cuts, time.Since(m.stalled))
	m.mu.Unlock()
	m.again <- n
}

// complete reports whether everybody has everything.
func (m *many) complete() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	newest := make([]int, threadCount)
	for p, s := range m.posts {
		newest[p.thread] = max(newest[p.thread], p.seq)
		if s.count < watchers-stalledOfTen {
			return false
		}
	}
	for n, seq := range m.seqs {
		if newest[n%threadCount] != 0 && seq < newest[n%threadCount] {
			return false
		}
	}
	return len(m.cuts) == threadCount*stalledOfTen
}

func (m *many) report(o options, cpu time.Duration) error {
	all := m.complete()
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, s := range m.posts {
		m.late = append(m.late, max(0, s.last.Sub(s.acked)))
	}
	slices.Sort(m.late)
	slices.Sort(m.cuts)
	if len(m.late) == 0 || len(m.cuts) == 0 {
		return errors.New("nothing was posted, or nobody was cut")
	}
	p99, last := m.late[len(m.late)*99/100], m.cuts[len(m.cuts)-1]
	fmt.Printf("%d threads with %d watchers each, %d posts in %v, %d of the clients stalled after %v; server on one core, %.0f %% busy\n",
		threadCount, watchers, len(m.posts), lasts, threadCount*stalledOfTen, stallAfter, 100*cpu.Seconds()/lasts.Seconds())
	fmt.Printf("  from the acknowledged post to its last healthy receiver: median %v, p99 %v (≤ %v), longest %v\n", m.late[len(m.late)/2].Round(100*time.Microsecond),
		p99.Round(100*time.Microsecond), lateness, m.late[len(m.late)-1].Round(100*time.Microsecond))
	fmt.Printf("  stalled clients were cut after %v to %v (≤ %v): %d of %d; all came back\n", m.cuts[0].Round(100*time.Millisecond), last.Round(100*time.Millisecond), cutWithin,
		len(m.cuts), threadCount*stalledOfTen)
	fmt.Printf("  everybody got everything once, in order: %v\n", all && len(m.wrong) == 0)
	var err error
	for _, w := range m.wrong[:min(3, len(m.wrong))] {
		err = errors.Join(err, errors.New(w))
	}
	if !all || len(m.wrong) > 0 || o.strict && (p99 > lateness || last > cutWithin) {
		err = errors.Join(err, errors.New("a promise does not hold"))
	}
	return err
}
