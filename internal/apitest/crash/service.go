package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"

	"github.com/pursuing-equity/commons/ent/accesstoken"
	"github.com/pursuing-equity/commons/ent/space"
	"github.com/pursuing-equity/commons/internal/apitest/invariant"
	"github.com/pursuing-equity/commons/internal/apitest/postgres"
	"github.com/pursuing-equity/commons/internal/apitest/process"
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
	replicas []*process.Server
	proxy    *proxy
	tokens   []string
	space    string
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
	env := []string{"COMMONS_DATABASE_URL=" + s.url}
	if !o.wakeups {
		env = append(env, "COMMONS_TEST_DROP_WAKEUPS=on")
	}
	for range o.replicas {
		address, err := process.FreeAddress()
		if err != nil {
			return nil, err
		}
		r := &process.Server{Binary: o.binary, Dir: s.dir, Address: address, Env: env}
		s.replicas = append(s.replicas, r)
		if err := r.Start(ctx); err != nil {
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

// kill ends a replica as a power cut does, and starts it again.
func (s *service) kill(ctx context.Context, n int) error {
	if err := s.replicas[n].Kill(); err != nil {
		return err
	}
	return s.replicas[n].Start(ctx)
}

// roll drains a replica and starts it again.
func (s *service) roll(ctx context.Context, n int) error {
	if err := s.replicas[n].Drain(); err != nil {
		return err
	}
	return s.replicas[n].Start(ctx)
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
		r.Close()
	}
	if s.cluster != nil {
		_ = s.cluster.Stop()
	}
	if s.dir != "" {
		_ = os.RemoveAll(s.dir)
	}
}
