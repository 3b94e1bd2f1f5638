package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"

	"github.com/pursuing-equity/commons/internal/app"
	"github.com/pursuing-equity/commons/internal/demo"
	"github.com/pursuing-equity/commons/internal/explorer"
	"github.com/pursuing-equity/commons/internal/viewer"
)

func serve(ctx context.Context, cfg config, args []string, stdout, stderr io.Writer) error {
	f := flags("serve", "commons serve answers requests until it is interrupted (Ctrl-C, SIGTERM); then it drains and ends.\n", stderr)
	if err := parse(f, args, 0); err != nil {
		return err
	}
	cfg.Logger = cfg.logger(stderr)
	a, err := app.Open(ctx, cfg.Config)
	if err != nil {
		return err
	}
	defer func() { _ = a.Close() }()
	unlock, err := a.LockFile()
	if err != nil {
		return err
	}
	defer unlock()
	system := viewer.NewContext(ctx, viewer.System("serve"))
	applied, err := a.Store.Migrate(system)
	if err != nil {
		return err
	}
	for _, name := range applied {
		cfg.Logger.InfoContext(ctx, "migrated", "migration", name)
	}
	var options explorer.Options
	if cfg.Demo {
		if err := a.LoadDemo(ctx, 1, 1); err != nil && !errors.Is(err, demo.ErrNotEmpty) {
			return err
		}
		if options.DemoTokens, err = a.DemoTokens(ctx); err != nil {
			return err
		}
		if err := a.SetDemoPasswords(ctx); err != nil {
			return err
		}
		if options.ExampleThread, err = a.ExampleThread(ctx); err != nil {
			return err
		}
	}
	page, err := explorer.Handler(options)
	if err != nil {
		return err
	}
	ln, err := new(net.ListenConfig).Listen(ctx, "tcp", cfg.listen)
	if err != nil {
		return fmt.Errorf("listen: %w", err)
	}
	greet(stdout, ln.Addr().String(), options, a.Mailbox != nil)
	return serveOn(ctx, a, ln, page)
}

func serveOn(ctx context.Context, a *app.App, ln net.Listener, page http.Handler) error {
	pacing, stop := context.WithCancel(ctx)
	defer stop()
	go paceCollector(pacing)
	err := a.Serve(ctx, ln, page)
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return err
}

// greet says where everything is, and how to sign in to the demo.
func greet(w io.Writer, address string, options explorer.Options, mailbox bool) {
	fmt.Fprintf(w, "Commons %s\n\n  explorer   http://%s/\n  sign in    http://%s/sign-in\n  GraphQL    http://%s/graphql\n  schema     http://%s/schema.graphql\n", version, address, address, address, address)
	if mailbox {
		fmt.Fprintf(w, "  mailbox    http://%s/mailbox\n", address)
	}
	if len(options.DemoTokens) > 0 {
		fmt.Fprintf(w, "\nDemo members: the password of all is %q; beside each is a token to send as Authorization: Bearer …\n\n", app.DemoPassword)
		for _, account := range demo.Accounts() {
			email := account + "@" + demo.AccountDomain
			fmt.Fprintf(w, "  %-24s %s\n", email, options.DemoTokens[email])
		}
	}
	fmt.Fprintf(w, "\nCtrl-C drains and stops.\n\n")
}
