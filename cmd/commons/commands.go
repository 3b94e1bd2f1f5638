package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/pursuing-equity/commons/ent/accesstoken"
	"github.com/pursuing-equity/commons/internal/app"
	"github.com/pursuing-equity/commons/internal/demo"
	"github.com/pursuing-equity/commons/internal/viewer"
)

// with opens the program for a short command and closes it afterwards. It works beside a running server.
func with(ctx context.Context, cfg config, stderr io.Writer, why string, do func(context.Context, *app.App) error) error {
	cfg.Logger = cfg.logger(stderr)
	a, err := app.Open(ctx, cfg.Config)
	if err != nil {
		return err
	}
	defer func() { _ = a.Close() }()
	return do(viewer.NewContext(ctx, viewer.System(why)), a)
}

func migrate(ctx context.Context, cfg config, args []string, stdout, stderr io.Writer) error {
	f := flags("migrate", "commons migrate brings the database to the newest version. It is safe beside running servers.\n", stderr)
	if err := parse(f, args, 0); err != nil {
		return err
	}
	return with(ctx, cfg, stderr, "migrate", func(ctx context.Context, a *app.App) error {
		applied, err := a.Store.Migrate(ctx)
		for _, name := range applied {
			fmt.Fprintln(stdout, "applied", name)
		}
		if err == nil && len(applied) == 0 {
			fmt.Fprintln(stdout, "nothing to do: the database is current")
		}
		return err
	})
}

func loadDemo(ctx context.Context, cfg config, args []string, stdout, stderr io.Writer) error {
	f := flags("demo", "commons demo fills an empty database with the program Pursuing Equity: about 50 organizations, 50 teams, 500 members\nand 5,000 posts at scale 1, 500,000 posts at scale 100. The same seed gives the same data on one day:\none call for applications is open then.\n\n", stderr)
	scale := f.Int("scale", 1, "how large: 1 to 1000")
	seed := f.Uint64("seed", 1, "which world")
	if err := parse(f, args, 0); err != nil {
		return err
	}
	return with(ctx, cfg, stderr, "demo", func(ctx context.Context, a *app.App) error {
		if _, err := a.Store.Migrate(ctx); err != nil {
			return err
		}
		start := time.Now()
		err := a.LoadDemo(ctx, *scale, *seed)
		if errors.Is(err, demo.ErrNotEmpty) {
			return errors.New("the database has a program already; demo data need an empty one")
		}
		if err == nil {
			fmt.Fprintf(stdout, "loaded the demo program at scale %d in %s\n", *scale, time.Since(start).Round(time.Millisecond))
		}
		return err
	})
}

func token(ctx context.Context, cfg config, args []string, stdout, stderr io.Writer) error {
	f := flags("token", "commons token prints an access token for a member, and nothing else. Only its hash is kept: it cannot be shown again.\n\n", stderr)
	email := f.String("email", "", "the member's mail address")
	expires := f.Duration("expires", 24*time.Hour, "how long it lasts; 0: until it is revoked")
	read := f.Bool("read-only", false, "it may read but change nothing")
	if err := parse(f, args, 0); err != nil {
		return err
	}
	if *email == "" || *expires < 0 {
		f.Usage()
		return errUsage
	}
	scope := accesstoken.ScopeWRITE
	if *read {
		scope = accesstoken.ScopeREAD
	}
	return with(ctx, cfg, stderr, "token", func(ctx context.Context, a *app.App) error {
		t, err := a.Accounts.Issue(ctx, *email, "command line", scope, *expires)
		if err != nil {
			return err
		}
		_, err = fmt.Fprintln(stdout, t)
		return err
	})
}
