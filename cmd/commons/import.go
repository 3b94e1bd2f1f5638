package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/pursuing-equity/commons/internal/app"
	"github.com/pursuing-equity/commons/internal/gid"
	"github.com/pursuing-equity/commons/internal/roster"
)

const importHelp = `commons import brings organizations, teams, members, their roles and their cohort in line with a CSV file, all of it or
nothing. Running it twice changes nothing. It never blanks a value and never removes anybody. FILE may be - for standard input.

The first line names the columns, in any order; the others are optional:

  organization_name, team_name, member_email, member_name, time_zone      required
  organization_kind, organization_city, organization_region, organization_country
  cohort        a cohort's name, or offering-slug/cohort name: the team is enrolled in it
  pronouns, title
  team_role     LEAD, SENIOR_LEADER, DATA_LEAD, COMMUNITY_PARTNER or MEMBER
  starts_on, ends_on    2023-01-31

README has the whole table.

`

// errBadLines says that the file was refused; every bad line was printed.
var errBadLines = errors.New("nothing was imported: correct these lines and run it again")

func importRoster(ctx context.Context, cfg config, args []string, stdout, stderr io.Writer) error {
	f := flags("import", importHelp, stderr)
	dry := f.Bool("dry-run", false, "say what would be created and changed, and every bad line, and change nothing")
	if err := parse(f, args, 1); err != nil {
		return err
	}
	file := io.NopCloser(os.Stdin)
	if f.Arg(0) != "-" {
		var err error
		if file, err = os.Open(f.Arg(0)); err != nil {
			return err
		}
	}
	defer func() { _ = file.Close() }()
	return with(ctx, cfg, stderr, "import a roster", func(ctx context.Context, a *app.App) error {
		parsed, err := roster.Parse(file)
		if err != nil {
			return refused(stdout, err)
		}
		newID := func(k gid.Kind) gid.ID { return gid.New(k, a.Config.Now()) }
		report, err := roster.Import(ctx, a.Store, parsed, roster.Options{DryRun: *dry, Now: func() time.Time { return a.Config.Now() }, NewID: newID})
		if err != nil {
			return refused(stdout, err)
		}
		if _, err := report.WriteTo(stdout); err != nil {
			return err
		}
		if *dry {
			_, err = fmt.Fprintln(stdout, "This was a dry run: nothing was changed.")
		}
		return err
	})
}

// refused prints every bad line, if that is what the error is about.
func refused(w io.Writer, err error) error {
	problems, ok := errors.AsType[roster.Problems](err)
	if !ok {
		return err
	}
	for _, p := range problems {
		fmt.Fprintln(w, p)
	}
	return errBadLines
}
