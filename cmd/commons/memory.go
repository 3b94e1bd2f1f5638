package main

import (
	"context"
	"os"
	"runtime/debug"
	"runtime/metrics"
	"time"
)

const (
	// headroom is how much garbage may gather between two collections while little is in use: a busy server with few sockets
	// collects seldom.
	headroom = 48 << 20
	// share is what part of the memory in use it is when much is: ten thousand idle sockets do not double in size.
	share = 4
	// paceEvery is how often the collector's pace is set anew.
	paceEvery = time.Second
)

// paceCollector keeps the garbage collector's headroom to a number of bytes, where Go's default is as much again as is in
// use. An operator's own GOGC is left alone. It returns when ctx ends.
func paceCollector(ctx context.Context) {
	if os.Getenv("GOGC") != "" {
		return
	}
	samples := []metrics.Sample{{Name: "/gc/heap/live:bytes"}, {Name: "/memory/classes/heap/stacks:bytes"}}
	ticker := time.NewTicker(paceEvery)
	defer ticker.Stop()
	set := 100
	for {
		metrics.Read(samples)
		inUse := int64(samples[0].Value.Uint64() + samples[1].Value.Uint64())
		if percent := pace(inUse); percent != set {
			debug.SetGCPercent(percent)
			set = percent
		}
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

// pace is the GOGC that gives the headroom to so many bytes in use, in steps, so that it is seldom set.
func pace(inUse int64) int {
	const step = 10
	percent := max(headroom, inUse/share) * 100 / max(inUse, 1<<20)
	return int(min(max(percent/step*step, step), 1000))
}
