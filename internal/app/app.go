// Package app puts the parts together into one running program. The binary and the tests use the same, so that what is
// tested is what runs.
package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/gofrs/flock"

	"github.com/pursuing-equity/commons/graph"
	"github.com/pursuing-equity/commons/internal/account"
	"github.com/pursuing-equity/commons/internal/audit"
	"github.com/pursuing-equity/commons/internal/community"
	"github.com/pursuing-equity/commons/internal/event"
	"github.com/pursuing-equity/commons/internal/event/bus"
	"github.com/pursuing-equity/commons/internal/fault"
	"github.com/pursuing-equity/commons/internal/forum"
	"github.com/pursuing-equity/commons/internal/gid"
	"github.com/pursuing-equity/commons/internal/library"
	"github.com/pursuing-equity/commons/internal/mail"
	"github.com/pursuing-equity/commons/internal/markdown"
	"github.com/pursuing-equity/commons/internal/notify"
	"github.com/pursuing-equity/commons/internal/server"
	"github.com/pursuing-equity/commons/internal/store"
	"github.com/pursuing-equity/commons/internal/viewer"
)

// Config is what the program runs with. DatabaseURL is required; every other zero value is safe.
type Config struct {
	DatabaseURL    string
	DataDir        string // for what is no database: "var" when empty
	PublicURL      string
	AllowedOrigins []string
	Demo           bool
	RateLimit      bool
	Retention      time.Duration // how long events are kept for who resumes; zero: event.Retention
	BusURL         string        // NATS servers that carry wake-ups between processes; empty: the database does
	DropWakeups    bool          // a test's switch: events arrive by the poll only
	Version        string
	Logger         *slog.Logger     // nil: slog.Default()
	Now            func() time.Time // nil: time.Now in UTC microseconds, as the databases keep them
	Limits         server.Limits
}

// App is the program with its database open. The services can be called directly; Serve answers requests.
type App struct {
	Config    Config
	Store     *store.Store
	Accounts  *account.Service
	Community *community.Service
	Forum     *forum.Service
	Notify    *notify.Service
	Library   *library.Service
	Events    *event.Log
	Markdown  *markdown.Renderer
	Audit     *audit.Log
	Mail      *mail.Service
}

// Open opens the database and makes the services. It changes nothing and starts nothing.
func Open(ctx context.Context, cfg Config) (*App, error) {
	if cfg.Logger == nil {
		cfg.Logger = slog.Default()
	}
	if cfg.Now == nil {
		cfg.Now = func() time.Time { return time.Now().UTC().Truncate(time.Microsecond) }
	}
	if cfg.DataDir == "" {
		cfg.DataDir = "var"
	}
	s, err := store.Open(ctx, cfg.DatabaseURL)
	if err != nil {
		return nil, err
	}
	a := &App{Config: cfg, Store: s, Markdown: markdown.New()}
	newID := func(k gid.Kind) gid.ID { return gid.New(k, cfg.Now()) }
	a.Audit = &audit.Log{Now: cfg.Now, NewID: newID}
	a.Mail = &mail.Service{Now: cfg.Now, NewID: newID}
	a.Accounts = &account.Service{Store: s, Audit: a.Audit, Now: cfg.Now, NewID: newID, PublicURL: cfg.PublicURL, Erasing: make(chan struct{}, 1)}
	var wakeups bus.Bus
	switch {
	case cfg.BusURL != "":
		if wakeups, err = bus.NATS(cfg.BusURL, cfg.Logger); err != nil {
			_ = s.Close()
			return nil, err
		}
	case s.Postgres():
		wakeups = bus.Postgres(s, cfg.Logger)
	}
	a.Events = event.New(s, event.Config{Bus: wakeups, Logger: cfg.Logger, Now: cfg.Now, Retention: cfg.Retention, Ended: a.Accounts.Ended, Deaf: cfg.DropWakeups})
	a.Community = &community.Service{Store: s, Now: cfg.Now, NewID: newID}
	a.Notify = &notify.Service{Store: s, Events: a.Events, Now: cfg.Now, NewID: newID}
	a.Forum = &forum.Service{Store: s, Events: a.Events, Notify: a.Notify, Markdown: a.Markdown, Now: cfg.Now, NewID: newID}
	a.Library = &library.Service{Store: s, Now: cfg.Now, NewID: newID}
	a.Accounts.Community, a.Accounts.Forum, a.Accounts.Notify, a.Accounts.Library = a.Community, a.Forum, a.Notify, a.Library
	return a, nil
}

// Close closes the database.
func (a *App) Close() error { return a.Store.Close() }

// ErrInUse says that another process serves the same SQLite file. Many processes need PostgreSQL.
var ErrInUse = errors.New("another process serves this SQLite database; one file is for one serve: stop the other one, or use PostgreSQL for many")

// LockFile keeps a second serve off a SQLite file until the returned function is called. On PostgreSQL it does nothing.
func (a *App) LockFile() (func(), error) {
	path, ok := strings.CutPrefix(a.Config.DatabaseURL, "sqlite:")
	if !ok {
		return func() {}, nil
	}
	l := flock.New(path + ".lock")
	switch got, err := l.TryLock(); {
	case err != nil:
		return nil, fmt.Errorf("lock the database: %w", err)
	case !got:
		return nil, ErrInUse
	}
	return func() { _ = l.Unlock() }, nil
}

// Serve answers requests on ln until ctx ends, and then drains. The explorer may be nil.
func (a *App) Serve(ctx context.Context, ln net.Listener, explorer http.Handler) error {
	resolver := &graph.Resolver{Store: a.Store, Events: a.Events, Accounts: a.Accounts, Community: a.Community, Forum: a.Forum, Notify: a.Notify, Library: a.Library}
	srv, err := server.New(server.Config{
		Schema:         resolver.Schema(),
		SDL:            graph.SDL(),
		Authenticate:   a.authenticate,
		Events:         a.Events,
		Recheck:        a.Accounts.Ended,
		Explain:        store.Fault,
		Ready:          a.ready,
		Pages:          map[string]server.Page{"GET /exports/{token}": a.exports()},
		Explorer:       explorer,
		Extensions:     []graphql.HandlerExtension{graph.Snapshot{Store: a.Store}},
		Logger:         a.Config.Logger,
		AllowedOrigins: a.Config.AllowedOrigins,
		PublicURL:      a.Config.PublicURL,
		RateLimit:      a.Config.RateLimit,
		Limits:         a.Config.Limits,
		Now:            a.Config.Now,
	})
	if err != nil {
		return err
	}
	logCtx, stop := context.WithCancel(context.WithoutCancel(ctx)) // the log runs until the last subscriber has been sent away
	logDone := make(chan struct{})
	go func() {
		defer close(logDone)
		a.Events.Run(logCtx)
	}()
	forgetting := make(chan struct{})
	go func() {
		defer close(forgetting)
		a.forgetKeys(logCtx)
	}()
	erasing := make(chan struct{})
	go func() {
		defer close(erasing)
		a.erase(logCtx)
	}()
	err = srv.Serve(ctx, ln)
	stop()
	<-logDone
	<-forgetting
	<-erasing
	return err
}

// forgetKeys deletes old idempotency keys every hour until ctx ends.
func (a *App) forgetKeys(ctx context.Context) {
	ctx = viewer.NewContext(ctx, viewer.System("forget idempotency keys"))
	hourly := time.NewTicker(time.Hour)
	defer hourly.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-hourly.C:
			if _, err := a.Store.ForgetKeys(ctx, a.Config.Now()); err != nil && ctx.Err() == nil {
				a.Config.Logger.WarnContext(ctx, "idempotency keys not forgotten", "error", err)
			}
		}
	}
}

// erase scrubs what erased members have left, as soon as somebody was erased, and every minute until nothing is left, until ctx ends.
func (a *App) erase(ctx context.Context) {
	again := time.NewTicker(time.Minute)
	defer again.Stop()
	for {
		if err := a.Accounts.FinishErasures(store.Upkeep(ctx)); err != nil && ctx.Err() == nil {
			a.Config.Logger.WarnContext(ctx, "erasure not finished, trying again", "error", err)
		}
		select {
		case <-ctx.Done():
			return
		case <-a.Accounts.Erasing:
		case <-again.C:
		}
	}
}

func (a *App) authenticate(ctx context.Context, bearer string) (server.Session, error) {
	v, expires, err := a.Accounts.SignIn(ctx, bearer)
	return server.Session{Viewer: v, Expires: expires}, err
}

func (a *App) ready(ctx context.Context) error {
	ctx = viewer.NewContext(ctx, viewer.System("readiness"))
	if err := a.Store.Ping(ctx); err != nil {
		return fault.New(fault.Unavailable, "The database does not answer.").Because(err)
	}
	pending, err := a.Store.Pending(ctx)
	if err != nil {
		return fault.New(fault.Unavailable, "The database does not answer.").Because(err)
	}
	if pending {
		return fault.New(fault.Unavailable, "Migrations are pending: run commons migrate.")
	}
	return nil
}
