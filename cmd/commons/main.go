// Command commons serves the community's GraphQL API, and does what its operators need beside it.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
)

// version is set by the build.
var version = "dev"

const usage = `commons serves the GraphQL API of a learning community.

  commons serve                     serve until interrupted; applies migrations first
  commons migrate                   apply migrations and say which
  commons demo [--scale N]          fill an empty database with the demo program
  commons token --email E           print an access token for a member
  commons import [--dry-run] FILE   bring organizations, teams and members in line with a CSV
  commons version                   print the version

commons COMMAND --help says more. It is configured by environment variables:

`

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	os.Exit(run(ctx, os.Args[1:], os.Environ(), os.Stdout, os.Stderr))
}

// usageError is a mistake on the command line; the message was printed.
var errUsage = errors.New("usage")

// run is the whole program: it returns the exit code, 2 for a mistake on the command line or in the environment.
func run(ctx context.Context, args, environ []string, stdout, stderr io.Writer) int {
	if len(args) == 0 || args[0] == "help" || args[0] == "--help" || args[0] == "-h" {
		fmt.Fprint(stdout, usage)
		printVariables(stdout)
		if len(args) == 0 {
			return 2
		}
		return 0
	}
	commands := map[string]func(context.Context, config, []string, io.Writer, io.Writer) error{
		"serve": serve, "migrate": migrate, "demo": loadDemo, "token": token, "import": importRoster,
	}
	if args[0] == "version" {
		fmt.Fprintln(stdout, version)
		return 0
	}
	command, ok := commands[args[0]]
	if !ok {
		fmt.Fprintf(stderr, "commons: there is no command %q; see commons --help\n", args[0])
		return 2
	}
	cfg, err := parseEnvironment(environ)
	if err != nil {
		fmt.Fprintln(stderr, "commons:", err)
		return 2
	}
	switch err := command(ctx, cfg, args[1:], stdout, stderr); {
	case err == nil || errors.Is(err, flag.ErrHelp):
		return 0
	case errors.Is(err, errUsage):
		return 2
	default:
		fmt.Fprintln(stderr, "commons:", err)
		return 1
	}
}

// flags is a command's flag set, whose --help is the given text and the flags.
func flags(name, text string, stderr io.Writer) *flag.FlagSet {
	f := flag.NewFlagSet(name, flag.ContinueOnError)
	f.SetOutput(stderr)
	f.Usage = func() {
		fmt.Fprint(stderr, text)
		f.PrintDefaults()
	}
	return f
}

// parse reads a command's flags, and demands a number of further arguments.
func parse(f *flag.FlagSet, args []string, rest int) error {
	if err := f.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return err
		}
		return errUsage
	}
	if f.NArg() != rest {
		f.Usage()
		return errUsage
	}
	return nil
}
