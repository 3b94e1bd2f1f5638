// Command crash kills Commons, or its database, at random moments under load, and checks that nothing that was acknowledged is
// lost and that every subscriber who resumes got each event exactly once, in order.
//
//	go run ./internal/apitest/crash -rounds 100 -database postgres -replicas 2 -kill process
//
// The database and the server are real processes: SIGKILL for one of the replicas, an immediate shutdown for PostgreSQL. Members
// post with idempotency keys and send again what was not answered, to whichever replica answers; subscribers come back behind
// the last event that they have seen. With -kill roll the replicas are stopped as an operator does, one after the other behind
// a proxy, and no request may fail and no event be missing. With -wakeups=off every wake-up is dropped: events come by the
// poll.
package main

import (
	"context"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/signal"
	"syscall"
	"time"
)

// options are what is done.
type options struct {
	binary   string
	database string
	replicas int
	rounds   int
	kill     string
	wakeups  bool
	seed     uint64
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	var o options
	flag.StringVar(&o.binary, "binary", "bin/commons", "the server")
	flag.StringVar(&o.database, "database", "sqlite", "sqlite or postgres, which is started for the purpose")
	flag.IntVar(&o.replicas, "replicas", 1, "how many servers share the database; more than one needs PostgreSQL")
	flag.IntVar(&o.rounds, "rounds", 10, "how often something is killed")
	flag.StringVar(&o.kill, "kill", "process", "process: SIGKILL for a server; database: immediate shutdown; roll: SIGTERM, one server after the other behind a proxy")
	flag.BoolVar(&o.wakeups, "wakeups", true, "false drops every wake-up between writers and subscribers")
	flag.Uint64Var(&o.seed, "seed", uint64(time.Now().UnixNano()), "of the random moments")
	flag.Parse()
	r, err := run(ctx, o)
	if err == nil {
		err = r.verdict()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "crash:", err)
		os.Exit(1)
	}
}

// run does the rounds and returns what was seen.
func run(ctx context.Context, o options) (*report, error) {
	if o.replicas > 1 && o.database == "sqlite" || o.kill == "database" && o.database == "sqlite" {
		return nil, fmt.Errorf("SQLite is a file of one server: use -database postgres")
	}
	s, err := prepare(ctx, o)
	if err != nil {
		return nil, err
	}
	defer s.close()
	l, err := s.load(ctx)
	if err != nil {
		return nil, err
	}
	moments := rand.New(rand.NewPCG(o.seed, 1))
	for round := range o.rounds {
		pause := 300*time.Millisecond + time.Duration(moments.Int64N(int64(700*time.Millisecond)))
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return nil, ctx.Err()
		}
		began := time.Now()
		switch o.kill {
		case "database":
			err = s.cluster.Crash(ctx)
		case "roll":
			err = s.roll(ctx, round%o.replicas)
		default:
			err = s.kill(ctx, moments.IntN(o.replicas))
		}
		if err == nil {
			err = l.answered(ctx)
		}
		if err != nil {
			return nil, fmt.Errorf("round %d: %w", round+1, err)
		}
		back := time.Since(began)
		l.report.Longest = max(l.report.Longest, back)
		fmt.Fprintf(os.Stderr, "round %d: answers again after %v; %d posts acknowledged\n", round+1, back.Round(time.Millisecond), l.acknowledged())
	}
	return l.finish(ctx)
}
