// Package community has the rules of who takes part: organizations, members, teams, cohorts, enrollments, roles and spaces.
//
// Whatever takes a place in a team or a cohort away, or gives one, calls Derive in the same transaction: the spaces of the
// network, of cohorts and of teams have exactly the members that follow from that. That somebody lost access needs no word
// here: triggers in the database write it down for those who push events.
//
// Unique rules are looked at before and kept by the database: whoever loses a race is run again, and then finds the other's row.
package community

import (
	"context"
	"fmt"
	"time"

	"github.com/pursuing-equity/commons/ent"
	"github.com/pursuing-equity/commons/ent/enrollment"
	"github.com/pursuing-equity/commons/ent/member"
	"github.com/pursuing-equity/commons/ent/predicate"
	"github.com/pursuing-equity/commons/internal/access"
	"github.com/pursuing-equity/commons/internal/audit"
	"github.com/pursuing-equity/commons/internal/fault"
	"github.com/pursuing-equity/commons/internal/gid"
	"github.com/pursuing-equity/commons/internal/newcomer"
	"github.com/pursuing-equity/commons/internal/store"
	"github.com/pursuing-equity/commons/internal/viewer"
	"github.com/pursuing-equity/commons/internal/webhook"
)

// Service has the rules of taking part. All fields are needed but Webhooks: without it nobody outside is told.
type Service struct {
	Store    *store.Store
	Audit    *audit.Log
	Webhooks *webhook.Service
	// Newcomers limits what those do who are new.
	Newcomers *newcomer.Service
	// HoldPlace holds the place of an application, and PlaceChanged is told within the same transaction where the enrollment stands that the
	// application led to. Nil: places are not counted.
	HoldPlace    func(ctx context.Context, tx *ent.Client, application gid.ID) error
	PlaceChanged func(ctx context.Context, tx *ent.Client, v viewer.Viewer, application gid.ID, state enrollment.State) error
	Now          func() time.Time
	NewID        func(gid.Kind) gid.ID
}

// Limits of what can be written, in characters.
const (
	maxName   = 200
	maxTitle  = 160
	maxPlace  = 120
	maxAbout  = 10_000
	maxReason = 2_000
)

// instant is now as a place begins or ends. Access compares it with the database's clock, and SQLite's has milliseconds:
// what begins within the current one must have begun, and what ends within it must have ended.
func (s *Service) instant() time.Time { return s.Now().UTC().Truncate(time.Millisecond) }

// today is the current day in UTC.
func (s *Service) today() time.Time { return s.Now().UTC().Truncate(24 * time.Hour) }

// missing makes NOT_FOUND at a path of what a query did not find, and wraps every other error.
func missing(err error, path string) error {
	if ent.IsNotFound(err) {
		return fault.Missing().At(path)
	}
	return fmt.Errorf("load what %s names: %w", path, err)
}

// look loads what the viewer can see, or NOT_FOUND at a path.
func look[T any](ctx context.Context, c *ent.Client, v viewer.Viewer, id gid.ID, path string) (*T, error) {
	found, err := access.Find(ctx, c, v, id)
	if err != nil {
		return nil, err
	}
	row, ok := found[id].(*T)
	if !ok {
		return nil, fault.Missing().At(path)
	}
	return row, nil
}

// reload loads what a mutation has changed, as the viewer can see it now.
func reload[T any](ctx context.Context, s *Service, v viewer.Viewer, id gid.ID) (*T, error) {
	return look[T](ctx, s.Store.Client(ctx), v, id, "")
}

// still is reload after the viewer may have lost sight of it by the very change: nil then.
func still[T any](ctx context.Context, s *Service, v viewer.Viewer, id gid.ID) (*T, error) {
	row, err := reload[T](ctx, s, v, id)
	if fault.Is(err, fault.NotFound) {
		return nil, nil
	}
	return row, err
}

// create runs a creation at most once for an idempotency key, in a transaction, and loads what it made.
func create[T any](ctx context.Context, s *Service, v viewer.Viewer, once store.Once, do func(ctx context.Context, tx *ent.Client) (gid.ID, error)) (*T, error) {
	me, err := access.SignedIn(v)
	if err != nil {
		return nil, err
	}
	once.Member, once.At = me, s.Now()
	var id gid.ID
	err = s.Store.InTx(ctx, func(ctx context.Context, tx *ent.Client) (err error) {
		id, err = once.Do(ctx, tx, func() (gid.ID, error) { return do(ctx, tx) })
		return err
	})
	if err != nil {
		return nil, err
	}
	return reload[T](ctx, s, v, id)
}

// change runs a change in a transaction, for somebody who has signed in.
func (s *Service) change(ctx context.Context, v viewer.Viewer, do func(ctx context.Context, tx *ent.Client) error) error {
	if _, err := access.SignedIn(v); err != nil {
		return err
	}
	return s.Store.InTx(ctx, do)
}

// staffOnly returns FORBIDDEN for everybody but staff.
func staffOnly(ctx context.Context, tx *ent.Client, v viewer.Viewer) error {
	actor, err := access.Load(ctx, tx, v)
	if err == nil && !actor.IsStaff() {
		err = fault.Denied("Only staff can do that.")
	}
	return err
}

// lockMember loads a member whom the viewer can see and whose account is in use, and holds the row: what must be unique among
// a member's places without a rule in the database is looked at under this lock.
func lockMember(ctx context.Context, tx *ent.Client, v viewer.Viewer, id gid.ID) error {
	return lockThisMember(ctx, tx, id, "memberId", access.VisibleMembers(v))
}

// lockThisMember is lockMember for one whom something else than their own visibility makes known to the viewer.
func lockThisMember(ctx context.Context, tx *ent.Client, id gid.ID, path string, which ...predicate.Member) error {
	m, err := tx.Member.Query().Where(member.ID(id), store.LockRow).Where(which...).Only(ctx)
	if err != nil {
		return missing(err, path)
	}
	if m.Status != member.StatusACTIVE {
		return fault.Invalid(path, "This account is closed.")
	}
	return nil
}

func archived(what string) *fault.Error {
	return fault.New(fault.Archived, "This %s was archived; it no longer changes.", what)
}

func exists(path, message string) *fault.Error {
	return fault.New(fault.AlreadyExists, "%s", message).At(path)
}
