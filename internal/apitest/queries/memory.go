//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"text/tabwriter"
	"time"
)

const (
	// crowd ask at once.
	crowd = 1000
	// mostMemory is what the server may hold while they do.
	mostMemory = 300 << 20
	// mostGrowth is by how much the memory of the last fifth of the requests may exceed that of the second fifth.
	mostGrowth = 1.1
)

// endure has the server answer very many requests, of all kinds of pages, and a thousand at once, and looks at its memory.
func endure(ctx context.Context, o options) (err error) {
	o.scale = basePosts / 5000
	d, err := prepare(ctx, o)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, d.close()) }()
	s, err := d.open(ctx, "commons", o)
	if err != nil {
		return err
	}
	defer s.stop()
	var mixed []request // most are point reads: a million shall not take an hour
	for i := range 500 {
		op := "point-read"
		switch {
		case i%100 == 50:
			op = "directory"
		case i%20 == 0:
			op = "thread-list"
		case i%20 == 10:
			op = "thread-page"
		}
		mixed = append(mixed, s.requests[op][i%len(s.requests[op])])
	}
	const parts = 20
	var most [parts]float64
	asked := 0
	for i := range most {
		watched, stop := context.WithCancel(ctx)
		peak := s.peak(watched)
		for part := 0; part < o.requests/parts; {
			out, err := ask(ctx, s.address, o.connections, o.each, mixed)
			if err != nil {
				stop()
				return err
			}
			part += out.requests
			asked += out.requests
		}
		stop()
		most[i] = <-peak
		fmt.Fprintf(os.Stderr, "%8d requests: %.0f MB\n", asked, most[i]/(1<<20))
	}
	early, late := slices.Max(most[parts/5:2*parts/5]), slices.Max(most[4*parts/5:])
	watched, stop := context.WithCancel(ctx)
	peak := s.peak(watched)
	out, err := rush(ctx, s.address, crowd, 4*o.each, s.requests["thread-page"])
	stop()
	if err != nil {
		return err
	}
	crowded := <-peak
	var text strings.Builder
	w := tabwriter.NewWriter(&text, 0, 0, 2, ' ', 0)
	fmt.Fprintf(w, "memory over %d requests\tsecond fifth %.0f MB\tlast fifth %.0f MB\t%.2f ≤ %g %s\n", asked, early/(1<<20), late/(1<<20), late/early, mostGrowth, word(late/early <= mostGrowth))
	fmt.Fprintf(w, "%d at once, thread pages\t%.0f/s, p99 %.0f ms, %d refused\t%.0f MB\t≤ %d MB %s\n", crowd, out.rate(), ms(out.p99), out.refused, crowded/(1<<20), mostMemory>>20, word(crowded <= mostMemory))
	if err := w.Flush(); err != nil {
		return err
	}
	return o.publish(text.String(), late/early <= mostGrowth && crowded <= mostMemory)
}

// peak watches what a process holds in memory until ctx ends, and then says what the most was.
func (p *process) peak(ctx context.Context) <-chan float64 {
	most := make(chan float64, 1)
	go func() {
		held := p.resident()
		ticker := time.NewTicker(20 * time.Millisecond)
		defer ticker.Stop()
		for ctx.Err() == nil {
			select {
			case <-ctx.Done():
			case <-ticker.C:
				held = max(held, p.resident())
			}
		}
		most <- held
	}()
	return most
}

// starts is how often a start is timed.
const starts = 5

// begin measures the binary's size, the time from its start to its first answer, and what it holds when nobody asks: on SQLite and on PostgreSQL, with the
// data of the real program.
func begin(ctx context.Context, o options) (err error) {
	o.scale = 1
	d, err := prepare(ctx, o)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, d.close()) }()
	binary, err := filepath.Abs(o.binary)
	if err != nil {
		return err
	}
	file, err := os.Stat(binary)
	if err != nil {
		return err
	}
	var text strings.Builder
	w := tabwriter.NewWriter(&text, 0, 0, 2, ' ', 0)
	fmt.Fprintf(w, "binary\t%.0f MB\n", float64(file.Size())/(1<<20))
	for _, name := range []string{"commons", "sqlite"} {
		var took []time.Duration
		idle := 0.0
		for i := range starts {
			began := time.Now()
			s, err := d.open(ctx, name, o)
			if err != nil {
				return err
			}
			if _, err := answer(ctx, s, "point-read", 0); err != nil {
				s.stop()
				return err
			}
			took = append(took, time.Since(began))
			if i == starts-1 {
				select {
				case <-time.After(5 * time.Second):
				case <-ctx.Done():
				}
				idle = s.resident()
			}
			s.stop()
		}
		slices.Sort(took)
		fmt.Fprintf(w, "%s\tfirst answer after %.0f ms\tidle %.0f MB\n", map[string]string{"commons": "PostgreSQL", "sqlite": "SQLite"}[name], ms(took[len(took)/2]), idle/(1<<20))
	}
	if err := w.Flush(); err != nil {
		return err
	}
	return o.publish(text.String(), true)
}
