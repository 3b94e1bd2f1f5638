//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"text/tabwriter"
	"time"
)

// result is what one operation cost on one server in one turn.
type result struct {
	rate        float64
	p50, p99    time.Duration
	cpu         time.Duration // of the server, a request
	databaseCPU time.Duration // of the database, a request
	statements  float64       // a request
	memory      float64       // of the server afterwards, in bytes
}

// figures are the results by operation and server, one a turn.
type figures map[string]map[string][]result

// compare lets the servers take turns and reports.
func compare(ctx context.Context, o options) (err error) {
	d, err := prepare(ctx, o)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, d.close()) }()
	all := figures{}
	for _, op := range o.operations {
		all[op] = map[string][]result{}
	}
	checked := false
	for round := range o.rounds {
		order := slices.Clone(o.servers)
		if round%2 == 1 {
			slices.Reverse(order)
		}
		for _, name := range order {
			if err := d.turn(ctx, name, o, round, all, &checked); err != nil {
				return fmt.Errorf("%s, round %d: %w", name, round+1, err)
			}
		}
	}
	return report(o, all)
}

// turn measures one server. The first time, it compares the answers of Commons with those of the handler by hand.
func (d *data) turn(ctx context.Context, name string, o options, round int, all figures, checked *bool) error {
	if err := d.forgetJobs(ctx); err != nil {
		return err
	}
	s, err := d.open(ctx, name, o)
	if err != nil {
		return err
	}
	defer s.stop()
	if err := d.settle(ctx); err != nil {
		return err
	}
	if name == "commons" && !*checked && slices.Contains(o.servers, "hand") {
		other, err := d.open(ctx, "hand", o)
		if err != nil {
			return err
		}
		err = agree(ctx, s, other, o.operations)
		other.stop()
		if err != nil {
			return err
		}
		*checked = true
	}
	for _, op := range o.operations {
		if _, err := ask(ctx, s.address, o.connections, o.each/4, s.requests[op]); err != nil { // warm
			return fmt.Errorf("%s: %w", op, err)
		}
		r, err := d.measure(ctx, s, op, o)
		if err != nil {
			return fmt.Errorf("%s: %w", op, err)
		}
		all[op][name] = append(all[op][name], r)
		fmt.Fprintf(os.Stderr, "round %d  %-12s  %-12s  %8.0f/s  p50 %8v  p99 %8v\n", round+1, name, op, r.rate, r.p50.Round(10*time.Microsecond), r.p99.Round(10*time.Microsecond))
	}
	return nil
}

func (d *data) measure(ctx context.Context, s *server, op string, o options) (r result, err error) {
	if o.show {
		if err := d.forgetStatements(ctx); err != nil {
			return r, err
		}
	}
	before, err := d.statements(ctx)
	if err != nil {
		return r, err
	}
	pids, err := d.backends(ctx)
	if err != nil {
		return r, err
	}
	used, databaseUsed := cpu(s.cmd.Process.Pid), time.Duration(0)
	for _, pid := range pids {
		databaseUsed -= cpu(pid)
	}
	out, err := ask(ctx, s.address, o.connections, o.each, s.requests[op])
	if err != nil {
		return r, err
	}
	used = cpu(s.cmd.Process.Pid) - used
	for _, pid := range pids {
		databaseUsed += cpu(pid)
	}
	after, err := d.statements(ctx)
	if err != nil {
		return r, err
	}
	n := float64(out.requests)
	if o.show && s.name == "commons" {
		if err := d.showStatements(ctx, n); err != nil {
			return r, err
		}
	}
	return result{
		rate: out.rate(), p50: out.p50, p99: out.p99, memory: s.resident(),
		cpu: time.Duration(float64(used) / n), databaseCPU: time.Duration(float64(databaseUsed) / n),
		statements: float64(after-before-2) / n, // two were ours
	}, nil
}

func median[T any](rs []result, of func(result) T, less func(a, b T) int) T {
	all := make([]T, len(rs))
	for i, r := range rs {
		all[i] = of(r)
	}
	slices.SortFunc(all, less)
	return all[len(all)/2]
}

func number(rs []result, of func(result) float64) float64 {
	return median(rs, of, func(a, b float64) int {
		switch {
		case a < b:
			return -1
		case a > b:
			return 1
		}
		return 0
	})
}

// promise is what an operation must reach: shares of the handler's throughput, and times PostGraphile's.
type promise struct {
	hand, peer float64
	statements float64
}

var promises = map[string]promise{
	"point-read":  {hand: 0.75, peer: 2, statements: 2},
	"thread-list": {hand: 0.6, peer: 2, statements: 5},
	"thread-page": {hand: 0.6, peer: 3, statements: 5},
	"directory":   {hand: 0.6, peer: 2, statements: 7},
}

// report prints medians and ratios, and says whether the promises hold.
func report(o options, all figures) error {
	var text strings.Builder
	w := tabwriter.NewWriter(&text, 0, 0, 2, ' ', 0)
	fmt.Fprintf(w, "\t\trequests/s\tp50\tp99\tCPU server\tCPU database\tstatements\tMB\n")
	for _, op := range o.operations {
		for _, name := range o.servers {
			rs := all[op][name]
			fmt.Fprintf(w, "%s\t%s\t%.0f\t%.2f ms\t%.2f ms\t%.0f µs\t%.0f µs\t%.1f\t%.0f\n", op, name, number(rs, rate), number(rs, p50), number(rs, p99),
				number(rs, serverCPU), number(rs, databaseCPU), number(rs, statements), number(rs, memory)/(1<<20))
		}
	}
	fine := true
	fmt.Fprintf(w, "\n\tthroughput / hand\tthroughput / PostGraphile\tp99 / hand\tstatements\n")
	for _, op := range o.operations {
		c, p := all[op]["commons"], promises[op]
		fmt.Fprintf(w, "%s", op)
		for _, x := range []struct {
			value, most, least float64
			there              bool
		}{
			{value: over(c, all[op]["hand"], rate), least: p.hand, there: len(all[op]["hand"]) > 0},
			{value: over(c, all[op]["postgraphile"], rate), least: p.peer, there: len(all[op]["postgraphile"]) > 0},
			{value: over(c, all[op]["hand"], p99), most: limit(p.hand > 0, 2), there: len(all[op]["hand"]) > 0},
			{value: number(c, statements), most: p.statements, there: true},
		} {
			switch {
			case !x.there:
				fmt.Fprint(w, "\t-")
			case x.least > 0:
				fine = fine && x.value >= x.least
				fmt.Fprintf(w, "\t%.2f ≥ %g %s", x.value, x.least, word(x.value >= x.least))
			case x.most > 0:
				fine = fine && x.value <= x.most+0.01
				fmt.Fprintf(w, "\t%.2f ≤ %g %s", x.value, x.most, word(x.value <= x.most+0.01))
			default:
				fmt.Fprintf(w, "\t%.2f", x.value)
			}
		}
		fmt.Fprintln(w)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	return o.publish(text.String(), fine)
}

// publish prints figures, and adds them to the file that was asked for.
func (o options) publish(text string, fine bool) error {
	if _, err := os.Stdout.WriteString(text); err != nil {
		return err
	}
	if o.out != "" {
		f, err := os.OpenFile(o.out, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(f, "\n    %s\n\n```\n%s```\n", o.command, text)
		if err := errors.Join(err, f.Close()); err != nil {
			return err
		}
	}
	if o.strict && !fine {
		return errors.New("a promise does not hold")
	}
	return nil
}

func rate(r result) float64        { return r.rate }
func p50(r result) float64         { return float64(r.p50) / 1e6 }
func p99(r result) float64         { return float64(r.p99) / 1e6 }
func serverCPU(r result) float64   { return float64(r.cpu) / 1e3 }
func databaseCPU(r result) float64 { return float64(r.databaseCPU) / 1e3 }
func statements(r result) float64  { return r.statements }
func memory(r result) float64      { return r.memory }

// over is the ratio of medians; 0 where there is nothing to compare with.
func over(a, b []result, of func(result) float64) float64 {
	if len(a) == 0 || len(b) == 0 || number(b, of) == 0 {
		return 0
	}
	return number(a, of) / number(b, of)
}

func limit(promised bool, most float64) float64 {
	if promised {
		return most
	}
	return 0
}

func word(holds bool) string {
	if holds {
		return "holds"
	}
	return "DOES NOT HOLD"
}
