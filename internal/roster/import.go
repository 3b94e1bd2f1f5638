package roster

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/pursuing-equity/commons/ent"
	"github.com/pursuing-equity/commons/internal/gid"
	"github.com/pursuing-equity/commons/internal/store"
)

// Options of an import.
type Options struct {
	// DryRun does everything and then takes it back: the report says what would happen, and nothing did.
	DryRun bool
	Now    func() time.Time
	NewID  func(gid.Kind) gid.ID
}

// errDryRun takes a dry run's transaction back.
var errDryRun = errors.New("dry run")

// Import brings the database in line with the roster, in one transaction: all of it or nothing. It returns Problems when the roster
// does not fit the database: a cohort that is not there, a team that withdrew, a member who was deactivated. The context
// must say that the system asks.
//
// Of an existing member, name and title follow the file; pronouns only where there are none yet, and the time zone never:
// those are the member's own. Lookups and inserts take the same number of statements for every thousand rows.
// Memberships of the network's, the cohorts' and the teams' spaces follow from the places.
func Import(ctx context.Context, s *store.Store, r *Roster, o Options) (*Report, error) {
	var report *Report
	err := s.InTx(ctx, func(ctx context.Context, tx *ent.Client) error {
		i := &importer{
			ctx: ctx, tx: tx, roster: r, options: o, now: o.Now().UTC().Truncate(time.Microsecond),
			report: &Report{Rows: r.Rows, Unchanged: map[string]int{}},
		}
		for _, step := range []func() error{i.readCohorts, i.organizations, i.teams, i.hold, i.enrollments, i.members, i.affiliations, i.places} {
			if err := step(); err != nil {
				return err
			}
		}
		if err := i.problems.err(); err != nil {
			return err
		}
		for _, step := range []func() error{i.spaces, i.derive, i.search} {
			if err := step(); err != nil {
				return err
			}
		}
		report = i.report
		report.sort()
		if o.DryRun {
			return errDryRun
		}
		return nil
	})
	switch {
	case errors.Is(err, errDryRun):
		return report, nil
	case err != nil:
		if p, ok := errors.AsType[Problems](err); ok {
			return nil, p
		}
		return nil, fmt.Errorf("import roster: %w", err)
	}
	return report, nil
}

// importer is one import within its transaction. The ids are by index into the roster's lists.
type importer struct {
	ctx      context.Context
	tx       *ent.Client
	roster   *Roster
	options  Options
	now      time.Time
	report   *Report
	problems Problems

	cohorts         []*ent.Cohort
	teamCohorts     []*ent.Cohort // nil where the file names none, or one that is not there
	organizationIDs []gid.ID
	teamIDs         []gid.ID
	memberIDs       []gid.ID
	newMember       []bool
	searchable      searchable
}

// chunk is how many rows one statement looks up or adds. PostgreSQL takes 65,535 values and SQLite 32,766; the widest row
// has 14.
const chunk = 1000

// inChunks runs fn for up to a thousand of the values at a time.
func inChunks[T any](values []T, fn func([]T) error) error {
	for part := range slices.Chunk(values, chunk) {
		if err := fn(part); err != nil {
			return err
		}
	}
	return nil
}

// find collects what fn finds for each thousand of the keys.
func find[K, V any](keys []K, fn func([]K) ([]V, error)) ([]V, error) {
	var all []V
	err := inChunks(keys, func(part []K) error {
		found, err := fn(part)
		all = append(all, found...)
		return err
	})
	return all, err
}

// bulk is what ent's builders of many rows have in common.
type bulk interface{ Exec(context.Context) error }

// create adds rows, a thousand a statement.
func create[B any, M bulk](ctx context.Context, what string, builders []B, many func(...B) M) error {
	return inChunks(builders, func(part []B) error {
		if err := many(part...).Exec(ctx); err != nil {
			return fmt.Errorf("create %s: %w", what, err)
		}
		return nil
	})
}
