package demo

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"runtime"
	"sync"

	"github.com/pursuing-equity/commons/internal/store"
)

// ErrNotEmpty is what Load returns when the database already has a program: the demo is for new databases.
var ErrNotEmpty = errors.New("load demo: the database is not empty")

// Renderer turns a post's Markdown into the sanitised HTML that is stored beside it. It must be safe for several
// goroutines.
type Renderer func(markdown string) string

// Load writes the world into a migrated, empty database in one transaction: all of it or nothing. The context must say
// that the system asks.
//
// The rows are those that the services would have written, with their counters and search documents; only the event log
// stays empty, as if everything had happened before anybody could subscribe.
func Load(ctx context.Context, s *store.Store, w *World, render Renderer) error {
	return s.Load(ctx, func(ctx context.Context, l *store.Loader) error {
		empty, err := l.Empty(ctx, "programs")
		if err != nil {
			return err
		}
		if !empty {
			return ErrNotEmpty
		}
		if err := loadWorld(ctx, l, w); err != nil {
			return err
		}
		for batch := range batches(ctx, w, render) {
			if err := loadDiscussions(ctx, l, batch); err != nil {
				return err
			}
		}
		return ctx.Err()
	})
}

// rendered is a thread with the HTML of its posts.
type rendered struct {
	*Discussion
	html []string
}

// postsPerBatch bounds what is in memory: a batch has that many posts, or one longer thread.
const postsPerBatch = 5000

// batches makes and renders the threads on all processors while the database writes, and yields them in order.
func batches(ctx context.Context, w *World, render Renderer) iter.Seq[[]rendered] {
	return func(yield func([]rendered) bool) {
		ctx, cancel := context.WithCancel(ctx)
		workers := runtime.GOMAXPROCS(0)
		var wg sync.WaitGroup
		defer wg.Wait()
		defer cancel()

		// Each thread has a channel of its own, queued in order: the queue's length bounds how far the workers run ahead.
		type job struct {
			index int
			out   chan rendered
		}
		jobs, queue := make(chan job), make(chan chan rendered, 8*workers)
		wg.Go(func() {
			defer close(jobs)
			defer close(queue)
			for i := range w.Threads() {
				j := job{index: i, out: make(chan rendered, 1)}
				select {
				case queue <- j.out:
				case <-ctx.Done():
					return
				}
				select {
				case jobs <- j:
				case <-ctx.Done():
					return
				}
			}
		})
		for range workers {
			wg.Go(func() {
				for j := range jobs {
					d := rendered{Discussion: w.Discussion(j.index)}
					d.html = make([]string, len(d.Posts))
					for i, p := range d.Posts {
						if p.Body != "" {
							d.html[i] = render(p.Body)
						}
					}
					j.out <- d
				}
			})
		}
		var batch []rendered
		posts := 0
		for out := range queue {
			select {
			case d := <-out:
				batch, posts = append(batch, d), posts+len(d.Posts)
			case <-ctx.Done():
				return
			}
			if posts >= postsPerBatch {
				if !yield(batch) {
					return
				}
				batch, posts = nil, 0
			}
		}
		if len(batch) > 0 && ctx.Err() == nil {
			yield(batch)
		}
	}
}

// insert adds one row for each value.
func insert[T any](ctx context.Context, l *store.Loader, table string, columns []string, values []T, row func(T) []any) error {
	return l.Insert(ctx, table, columns, func(yield func([]any) bool) {
		for _, v := range values {
			r := row(v)
			if len(r) != len(columns) {
				panic(fmt.Sprintf("demo: %d values for %d columns of %s", len(r), len(columns), table))
			}
			if !yield(r) {
				return
			}
		}
	})
}
