package server

import (
	"container/list"
	"context"
	"sync"
	"time"

	"github.com/pursuing-equity/commons/internal/fault"
)

// places bounds how many operations execute at once: a rush waits here, for a moment, and not as open transactions and
// half-built answers that slow each other down. One viewer holds a share of the places and of the queue: others pass what waits
// for its own share. Subscriptions hold a place while they begin and none while they are live.
type places struct {
	total, share      int
	queue, queueShare int
	patience          time.Duration
	mu                sync.Mutex
	taken             int
	holders           map[string]*holder // those who hold a place or wait for one
	waiting           *list.List         // of *turn, the first come first
}

type holder struct{ taken, waiting int }

// turn is one operation that waits.
type turn struct {
	key   string
	ready chan struct{} // closed when it has a place
}

// newPlaces makes places as limits say; without shares one viewer may hold them all.
func newPlaces(limits Limits, shares bool) *places {
	p := &places{
		total: limits.Executing, share: limits.Executing, queue: limits.Waiting, queueShare: limits.Waiting, patience: limits.Wait,
		holders: map[string]*holder{}, waiting: list.New(),
	}
	if shares {
		p.share, p.queueShare = limits.ExecutingEach, limits.WaitingEach
	}
	return p
}

// enter takes a place, which leave gives back. It waits for a moment when there is none, and then returns UNAVAILABLE with the
// time after which to try again.
func (p *places) enter(ctx context.Context, key string) error {
	p.mu.Lock()
	h := p.holders[key]
	if h == nil {
		h = new(holder)
		p.holders[key] = h
	}
	if p.taken < p.total && h.taken < p.share { // whoever waits now waits for a share: nobody is overtaken
		p.taken++
		h.taken++
		p.mu.Unlock()
		return nil
	}
	if p.waiting.Len() >= p.queue || h.waiting >= p.queueShare {
		p.forget(key, h)
		p.mu.Unlock()
		return busy()
	}
	t := &turn{key: key, ready: make(chan struct{})}
	place := p.waiting.PushBack(t)
	h.waiting++
	p.mu.Unlock()

	timer := time.NewTimer(p.patience)
	defer timer.Stop()
	select {
	case <-t.ready:
		return nil
	case <-timer.C:
	case <-ctx.Done():
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	select {
	case <-t.ready: // at the last moment
		if ctx.Err() != nil {
			p.free(key)
		}
		return ctx.Err()
	default:
	}
	p.waiting.Remove(place)
	h.waiting--
	p.forget(key, h)
	if err := ctx.Err(); err != nil {
		return err
	}
	return busy()
}

func (p *places) leave(key string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.free(key)
}

// free gives a place back and hands it to the first who waits and may take it. It is called under the lock.
func (p *places) free(key string) {
	p.taken--
	h := p.holders[key]
	h.taken--
	defer p.forget(key, h)
	for e := p.waiting.Front(); e != nil; e = e.Next() {
		t := e.Value.(*turn) //nolint:errcheck // the list holds nothing else
		next := p.holders[t.key]
		if next.taken >= p.share {
			continue
		}
		p.waiting.Remove(e)
		next.waiting--
		next.taken++
		p.taken++
		close(t.ready)
		return
	}
}

// forget drops who has nothing here any more. It is called under the lock.
func (p *places) forget(key string, h *holder) {
	if h.taken == 0 && h.waiting == 0 {
		delete(p.holders, key)
	}
}

// counts are how many operations execute, and how many wait.
func (p *places) counts() (executing, waiting int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.taken, p.waiting.Len()
}

func busy() error {
	return &tooSoon{fault.New(fault.Unavailable, "The server is busy. Try again in a moment."), time.Second}
}
