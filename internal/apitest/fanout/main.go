//go:build linux

// Command fanout measures what it costs to bring one post to thousands of members who watch a thread, beside a broadcast
// written by hand over gorilla/websocket, gqlgen's stock websocket transport and the centrifuge library, in one run.
//
//	go run ./internal/apitest/fanout -sockets 10000
//
// Each server is a process of its own on one core (GOMAXPROCS=1, pinned where taskset is there); the clients have another.
// Commons runs as it does in production: its binary on a fresh database, with sign-in, access checks, and posts that are
// written by the createPost mutation. The peers send from memory. Times count from the moment when the first post is asked for.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/pursuing-equity/commons/internal/apitest/fanout/peer"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "fanout:", err)
		os.Exit(1)
	}
}

// options are what is measured.
type options struct {
	binary   string
	database string
	sockets  []int
	servers  []string
	rounds   int
	rest     time.Duration
	strict   bool
	verbose  bool
	scenario string
}

func run(ctx context.Context, args []string) error {
	if len(args) == 2 && args[0] == "peer" {
		return peer.Serve(ctx, args[1])
	}
	var o options
	var sockets, servers string
	f := flag.NewFlagSet("fanout", flag.ContinueOnError)
	f.StringVar(&o.binary, "binary", "bin/commons", "the server to measure")
	f.StringVar(&o.database, "database", "", "a PostgreSQL database that is empty; SQLite when left out")
	f.StringVar(&sockets, "sockets", "500,2000,10000", "how many websockets, with commas")
	f.StringVar(&servers, "servers", "commons,gorilla,centrifuge,stock", "which servers, with commas")
	f.StringVar(&o.scenario, "scenario", "thread", "thread: everybody watches one; threads: 1,000 with ten each, 100 posts a second, every fifth client stalls")
	f.IntVar(&o.rounds, "rounds", 3, "how often; medians are shown")
	f.DurationVar(&o.rest, "rest", 3*time.Second, "how long a server comes to rest, before its memory is read")
	f.BoolVar(&o.strict, "strict", false, "fail when a promise does not hold")
	f.BoolVar(&o.verbose, "v", false, "say what is going on")
	if err := f.Parse(args); err != nil {
		return err
	}
	for s := range strings.SplitSeq(sockets, ",") {
		n, err := strconv.Atoi(s)
		if err != nil || n < 1 {
			return fmt.Errorf("-sockets: %q is no number", s)
		}
		o.sockets = append(o.sockets, n)
	}
	o.servers = strings.Split(servers, ",")
	if err := raiseLimit(); err != nil {
		return err
	}
	if again, err := onClientsCore(); again || err != nil {
		return err
	}
	if o.scenario == "threads" {
		return threads(ctx, o)
	}
	return compare(ctx, o)
}

// raiseLimit lets this process and its children open as many files as the machine lets them.
func raiseLimit() error {
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		return err
	}
	limit.Cur = limit.Max
	return unix.Setrlimit(unix.RLIMIT_NOFILE, &limit)
}

// onClientsCore runs this program again, on the second core, if it can; then it reports true.
func onClientsCore() (bool, error) {
	const done = "FANOUT_PINNED"
	taskset, missing := exec.LookPath("taskset")
	var cores unix.CPUSet
	if missing == nil && unix.SchedGetaffinity(0, &cores) != nil {
		cores.Zero()
	}
	if !cores.IsSet(1) || os.Getenv(done) != "" {
		return false, nil
	}
	self, err := os.Executable()
	if err != nil {
		return false, err
	}
	err = unix.Exec(taskset, append([]string{"taskset", "-c", "1", self}, os.Args[1:]...), append(os.Environ(), done+"=1"))
	return true, errors.Join(errors.New("pin to a core"), err)
}
