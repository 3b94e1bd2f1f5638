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
	// quiet is how many bytes are allocated in that time at most while little happens.
	quiet = 4 << 20
	// restEvery is how seldom memory is given back to the system.
	restEvery = 20 * time.Second
)

// paceCollector keeps the garbage collector's headroom to a number of bytes, where Go's default is as much again as is in
// use; and once a busy time is over it gives memory back to the system, where Go's default is to wait until more is needed. An
// operator's own GOGC is left alone. It returns when ctx ends.
func paceCollector(ctx context.Context) {
	if os.Getenv("GOGC") != "" {
		return
	}
	samples := []metrics.Sample{{Name: "/gc/heap/live:bytes"}, {Name: "/memory/classes/heap/stacks:bytes"}, {Name: "/gc/heap/allocs:bytes"}}
	ticker := time.NewTicker(paceEvery)
	defer ticker.Stop()
	set := 100
	var allocated uint64
	sinceRest, busy := restEvery, false
	for {
		metrics.Read(samples)
		before := allocated
		allocated = samples[2].Value.Uint64()
		sinceRest += paceEvery
		if allocated-before > quiet {
			busy = true
		} else if busy && sinceRest >= restEvery {
			debug.FreeOSMemory()
			busy, sinceRest = false, 0
		}
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
