//go:build linux

// Command queries measures what whole pages of the graph cost: Commons with everything on (sign-in, access, limits, logging, metrics),
// beside a handler written by hand for these operations alone (package hand: the practical limit) and beside PostGraphile 5, in one run on
// the same PostgreSQL and the same data.
//
//	make build withpostgres && go build -o bin/queries ./internal/apitest/queries && bin/queries
//
// The database is a throw-away cluster with the demo data at the scale asked for. The servers are processes of their own and take turns; the
// load comes from this one over 32 connections. Before anything is measured, the answers of Commons and of the handler are compared.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "queries:", err)
		os.Exit(1)
	}
}

// options are what is measured.
type options struct {
	binary      string
	scale       int
	servers     []string
	operations  []string
	rounds      int
	connections int
	each        time.Duration
	posts       []int // to grow to
	requests    int   // for the memory to stay flat
	strict      bool
	show        bool
	out         string
	command     string // as it was given
}

var allOperations = []string{"point-read", "thread-list", "thread-page", "directory", "search", "create-post"}

func run(ctx context.Context, args []string) error {
	if len(args) == 2 && args[0] == "hand" {
		return serveHand(ctx, args[1])
	}
	var o options
	var servers, operations, parts, posts string
	f := flag.NewFlagSet("queries", flag.ContinueOnError)
	f.StringVar(&o.binary, "binary", "bin/commons", "the server to measure")
	f.StringVar(&parts, "parts", "pages,start", "what to measure, with commas: pages (the servers beside each other), start (start, size, idle memory), growth (15 min, 15 GB), memory (10 min)")
	f.StringVar(&posts, "posts", "50000,500000,5000000", "growth: to how many posts the data grow, multiples of the first")
	f.IntVar(&o.requests, "requests", 1_000_000, "memory: for how many requests it must stay flat")
	f.IntVar(&o.scale, "scale", 100, "of the demo data: 100 has 500,000 posts")
	f.StringVar(&servers, "servers", "commons,hand,postgraphile,sqlite", "which servers, with commas; sqlite is Commons on SQLite")
	f.StringVar(&operations, "operations", strings.Join(allOperations, ","), "which operations, with commas")
	f.IntVar(&o.rounds, "rounds", 4, "how often each server has its turn; medians are shown")
	f.IntVar(&o.connections, "connections", 32, "how many connections ask at once")
	f.DurationVar(&o.each, "each", 5*time.Second, "how long an operation is asked for in one turn")
	f.BoolVar(&o.strict, "strict", false, "fail when a promise does not hold")
	f.BoolVar(&o.show, "show", false, "show the statements of Commons, with their calls a request and the database's time for one")
	f.StringVar(&o.out, "out", "", "add the figures to this file, as Markdown, too")
	if err := f.Parse(args); err != nil {
		return err
	}
	o.command = "bin/queries " + strings.Join(args, " ")
	o.servers, o.operations = strings.Split(servers, ","), strings.Split(operations, ",")
	for _, op := range o.operations {
		if !slices.Contains(allOperations, op) {
			return fmt.Errorf("-operations: there is no %q", op)
		}
	}
	if !slices.Contains(o.servers, "commons") {
		return errors.New("-servers: commons is what is measured")
	}
	for text := range strings.SplitSeq(posts, ",") {
		n, err := strconv.Atoi(text)
		if err != nil || n%basePosts != 0 || n == 0 {
			return fmt.Errorf("-posts: %q is no multiple of %d", text, basePosts)
		}
		o.posts = append(o.posts, n)
	}
	all := map[string]func(context.Context, options) error{"pages": compare, "start": begin, "growth": grow, "memory": endure}
	for part := range strings.SplitSeq(parts, ",") {
		if all[part] == nil {
			return fmt.Errorf("-parts: there is no %q", part)
		}
		if err := all[part](ctx, o); err != nil {
			return fmt.Errorf("%s: %w", part, err)
		}
	}
	return nil
}
