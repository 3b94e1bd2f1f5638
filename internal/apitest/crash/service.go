package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"sync"
	"syscall"
	"time"

	"github.com/pursuing-equity/commons/ent/accesstoken"
	"github.com/pursuing-equity/commons/ent/space"
	"github.com/pursuing-equity/commons/internal/apitest/invariant"
	"github.com/pursuing-equity/commons/internal/apitest/postgres"
	"github.com/pursuing-equity/commons/internal/app"
	"github.com/pursuing-equity/commons/internal/demo"
	"github.com/pursuing-equity/commons/internal/viewer"
)

// service is a database and the servers on it.
type service struct {
	options  options
	dir      string
	url      string // of the database
	cluster  *postgres.Cluster
	replicas []*replica
	proxy    *proxy
	tokens   []string
	space    string
}

// replica is one server. It keeps its address from start to start.
type replica struct {
	address string
	mu      sync.Mutex
	cmd     *exec.Cmd
	exited  chan error
}

func prepare(ctx context.Context, o options) (_ *service, err error) {
	s := &service{options: o}
	defer func() {
		if err != nil {
			s.close()
		}
	}()
	if s.dir, err = os.MkdirTemp("", "crash"); err != nil {
		return nil, err
	}
	s.url = "sqlite:" + filepath.Join(s.dir, "commons.db")
	if o.database == "postgres" {
		if s.cluster, err = postgres.Start(ctx, "fsync=on", "full_page_writes=on"); err != nil {
			return nil, err
		}
		s.url = s.cluster.URL
	}
	if err := s.fill(ctx); err != nil {
		return nil, fmt.Errorf("fill the database: %w", err)
	}
	for range o.replicas {
		ln, err := net.Listen("tcp", "127.0.0.1:0") //nolint:noctx // closed at once: only its number is wanted
		if err != nil {
			return nil, err
		}
		r := &replica{address: ln.Addr().String()}
		if err := ln.Close(); err != nil {
			return nil, err
		}
		s.replicas = append(s.replicas, r)
		if err := s.start(ctx, r); err != nil {
			return nil, err
		}
	}
	if o.kill == "roll" {
		s.proxy, err = newProxy(ctx, s.replicas)
	}
	return s, err
}

// fill makes the program and tokens of its members.
func (s *service) fill(ctx context.Context) error {
	a, err := s.open(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = a.Close() }()
	ctx = viewer.NewContext(ctx, viewer.System("crash test"))
	if _, err := a.Store.Migrate(ctx); err != nil {
		return err
	}
	if err := a.LoadDemo(ctx, 1, 1); err != nil {
		return err
	}
	for _, account := range []string{"member", "lead", "affinity"} {
		token, err := a.Accounts.Issue(ctx, account+"@"+demo.AccountDomain, "crash", accesstoken.ScopeWRITE, 0)
		if err != nil {
			return err
		}
		s.tokens = append(s.tokens, token)
	}
	network, err := a.Store.Client(ctx).Space.Query().Where(space.KindEQ(space.KindNETWORK)).FirstID(ctx)
	s.space = network.String()
	return err
}

func (s *service) open(ctx context.Context) (*app.App, error) {
	return app.Open(ctx, app.Config{DatabaseURL: s.url, DataDir: s.dir, Logger: slog.New(slog.DiscardHandler)})
}

var listening = regexp.MustCompile(`GraphQL\s+http://`)

// start runs a replica and returns when it listens.
func (s *service) start(ctx context.Context, r *replica) error {
	binary, err := filepath.Abs(s.options.binary)
	if err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, binary, "serve") //nolint:gosec // what the caller tests
	cmd.Dir = s.dir
	cmd.Env = append(os.Environ(), "COMMONS_DATABASE_URL="+s.url, "COMMONS_LISTEN="+r.address, "COMMONS_RATE_LIMIT=off", "COMMONS_DATA_DIR="+s.dir)
	if !s.options.wakeups {
		cmd.Env = append(cmd.Env, "COMMONS_TEST_DROP_WAKEUPS=on")
	}
	log, err := os.OpenFile(filepath.Join(s.dir, "server.log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer func() { _ = log.Close() }()
	cmd.Stderr = log
	out, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	exited := make(chan error, 1)
	lines := bufio.NewScanner(out)
	up := false
	for !up && lines.Scan() {
		up = listening.MatchString(lines.Text())
	}
	go func() {
		_, _ = io.Copy(io.Discard, out)
		exited <- cmd.Wait()
	}()
	r.mu.Lock()
	r.cmd, r.exited = cmd, exited
	r.mu.Unlock()
	if !up {
		return fmt.Errorf("the server at %s did not start: see %s", r.address, log.Name())
	}
	return nil
}

// kill ends a replica as a power cut does, and starts it again.
func (s *service) kill(ctx context.Context, n int) error {
	r := s.replicas[n]
	if err := r.cmd.Process.Kill(); err != nil {
		return err
	}
	<-r.exited
	return s.start(ctx, r)
}

// roll drains a replica and starts it again.
func (s *service) roll(ctx context.Context, n int) error {
	if err := s.replicas[n].drain(); err != nil {
		return err
	}
	return s.start(ctx, s.replicas[n])
}

// drain ends a replica as an operator does; it must leave in order and in time.
func (r *replica) drain() error {
	if err := r.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		return err
	}
	select {
	case err := <-r.exited:
		if err != nil {
			return fmt.Errorf("after SIGTERM: %w", err)
		}
		return nil
	case <-time.After(35 * time.Second):
		return errors.New("it did not drain within 30 s")
	}
}

// broken returns what is not true of the database that must be.
func (s *service) broken(ctx context.Context) ([]string, error) {
	a, err := s.open(ctx)
	if err != nil {
		return nil, err
	}
	defer func() { _ = a.Close() }()
	ctx = viewer.NewContext(ctx, viewer.System("crash test"))
	return invariant.Broken(ctx, a.Store.Client(ctx))
}

func (s *service) close() {
	if s.proxy != nil {
		s.proxy.close()
	}
	for _, r := range s.replicas {
		r.mu.Lock()
		cmd, exited := r.cmd, r.exited
		r.mu.Unlock()
		if cmd != nil && cmd.ProcessState == nil {
			_ = cmd.Process.Kill()
			select {
			case <-exited:
			case <-time.After(5 * time.Second):
			}
		}
	}
	if s.cluster != nil {
		_ = s.cluster.Stop()
	}
	if s.dir != "" {
		_ = os.RemoveAll(s.dir)
	}
}

// ready reports whether a server takes work.
func ready(ctx context.Context, address string) bool {
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+address+"/readyz", nil)
	if err != nil {
		return false
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return false
	}
	_ = resp.Body.Close()
	return resp.StatusCode == http.StatusOK
}
