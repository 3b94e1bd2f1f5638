// Package bus carries short messages between the processes of one installation, at most once: through PostgreSQL's NOTIFY, or
// through core NATS. What must not be lost is in the database; a message only says that it is worth a look.
package bus

import (
	"context"
	"strings"
)

// Bus carries messages between processes. A process does not hear its own.
type Bus interface {
	// Send queues a message of at most 4,000 bytes without commas. It never blocks: when the queue is full the message is lost.
	Send(message string)
	// Run sends what is queued and calls receive with what comes, until ctx ends. It calls missed when messages may have been
	// lost: at the start, and after each interruption.
	Run(ctx context.Context, receive func(message string), missed func())
}

// queue holds messages until they are sent, many at once.
type queue chan string

const (
	queued = 4096
	// maxBatch keeps what is sent at once below the 8,000 bytes that NOTIFY takes.
	maxBatch   = 7800
	maxMessage = 4000
)

func (q queue) Send(message string) {
	if len(message) > maxMessage {
		return
	}
	select {
	case q <- message:
	default:
	}
}

// run hands batches of messages to send, each message once a batch, until ctx ends.
func (q queue) run(ctx context.Context, send func(batch string)) {
	held := ""
	for {
		var batch []string
		size := 0
		if held == "" {
			select {
			case <-ctx.Done():
				return
			case held = <-q:
			}
		}
		for seen := map[string]bool{}; held != ""; {
			if !seen[held] {
				if size += len(held) + 1; size > maxBatch {
					break // it begins the next batch
				}
				seen[held] = true
				batch = append(batch, held)
			}
			held = ""
			select {
			case held = <-q:
			default:
			}
		}
		send(strings.Join(batch, ","))
	}
}

// each calls receive with the messages of a batch.
func each(batch string, receive func(string)) {
	for m := range strings.SplitSeq(batch, ",") {
		receive(m)
	}
}
