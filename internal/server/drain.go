package server

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net"
	"net/http"
	"sync"
	"time"
)

// drainPerConnection spaces the goodbyes: their clients come back at once, and all of them at the same moment would be a
// stampede on the next server.
const drainPerConnection = 5 * time.Millisecond

// Serve answers on the listener until the context ends, and then drains: /readyz says 503 and new work is refused, websockets
// are closed with 1012 and event streams end, spread over a moment, running requests finish. The listener stays open
// for that long, so that probes and late clients get an answer and not a refused connection. After Limits.Drain, whatever
// still runs is cut and Serve returns an error.
func (s *Server) Serve(ctx context.Context, ln net.Listener) error {
	base, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	srv := &http.Server{
		Handler:           s.handler,
		BaseContext:       func(net.Listener) context.Context { return base },
		ReadHeaderTimeout: 5 * time.Second,
		WriteTimeout:      s.limits.Deadline + 3*s.limits.WriteTimeout, // event streams set their own, write by write
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    32 << 10,
		ErrorLog:          slog.NewLogLogger(s.log.Handler(), slog.LevelDebug),
	}
	var background sync.WaitGroup
	background.Go(func() { s.recheck(base) })
	background.Go(func() { s.shareRates(base) })
	defer background.Wait()
	defer stop()

	served := make(chan error, 1)
	go func() { served <- srv.Serve(ln) }()
	select {
	case err := <-served:
		return fmt.Errorf("serve %s: %w", ln.Addr(), err)
	case <-ctx.Done():
	}
	err := s.drain(base, srv)
	if serveErr := <-served; !errors.Is(serveErr, http.ErrServerClosed) {
		err = errors.Join(err, serveErr)
	}
	return err
}

func (s *Server) drain(base context.Context, srv *http.Server) error {
	ctx, cancel := context.WithTimeout(base, s.limits.Drain)
	defer cancel()
	s.live.stop()
	connections := s.live.all()
	s.log.InfoContext(ctx, "draining", "connections", len(connections))

	spread := min(time.Duration(len(connections))*drainPerConnection, s.limits.DrainSpread, s.limits.Drain/2)
	timers := make([]*time.Timer, 0, len(connections))
	for _, c := range connections {
		timers = append(timers, time.AfterFunc(rand.N(spread+1), func() { c.end(endDrain) })) //nolint:gosec // jitter
	}
	defer func() {
		for _, t := range timers {
			t.Stop()
		}
	}()
	select {
	case <-s.live.idle:
	case <-ctx.Done():
	}
	err := srv.Shutdown(ctx)
	if left := s.live.all(); len(left) > 0 {
		for _, c := range left {
			c.kill()
		}
		err = fmt.Errorf("%d connections did not end: %w", len(left), context.Cause(ctx))
	}
	if err != nil {
		_ = srv.Close()
		return fmt.Errorf("drain: %w", err)
	}
	return nil
}
