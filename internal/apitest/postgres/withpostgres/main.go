// Command withpostgres runs a command with a PostgreSQL for tests:
//
//	withpostgres go test ./...
//
// It sets COMMONS_TEST_POSTGRES_URL for the command, to a cluster that lives as long as the command runs, unless the
// variable is set already. Signals go to the command, and its exit code is passed on.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"syscall"
	"time"

	"github.com/pursuing-equity/commons/internal/apitest/postgres"
)

func main() {
	code, err := run(os.Args[1:])
	if err != nil {
		fmt.Fprintln(os.Stderr, "withpostgres:", err)
	}
	os.Exit(code)
}

func run(command []string) (code int, err error) {
	if len(command) == 0 {
		return 2, errors.New("usage: withpostgres COMMAND [ARGUMENT…]")
	}
	// From before the start: a signal that comes while the cluster starts must end it too.
	signals := make(chan os.Signal, 8)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	defer signal.Stop(signals)

	env := os.Environ()
	if os.Getenv(postgres.EnvURL) == "" {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Minute)
		defer cancel()
		cluster, startErr := postgres.Start(ctx)
		if startErr != nil {
			return 1, startErr
		}
		defer func() { err = errors.Join(err, cluster.Stop()) }()
		env = append(env, postgres.EnvURL+"="+cluster.URL)
	}

	cmd := exec.Command(command[0], command[1:]...) //nolint:noctx // it runs what its caller says, until that ends or a signal comes
	cmd.Stdin, cmd.Stdout, cmd.Stderr, cmd.Env = os.Stdin, os.Stdout, os.Stderr, env
	if err := cmd.Start(); err != nil {
		return 127, err
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	for {
		select {
		case s := <-signals:
			_ = cmd.Process.Signal(s) // it may have ended in the meantime
		case err := <-ended:
			if exit, ok := errors.AsType[*exec.ExitError](err); ok {
				if status, ok := exit.Sys().(syscall.WaitStatus); ok && status.Signaled() {
					return 128 + int(status.Signal()), nil
				}
				return exit.ExitCode(), nil
			}
			if err != nil {
				return 1, err
			}
			return 0, nil
		}
	}
}
