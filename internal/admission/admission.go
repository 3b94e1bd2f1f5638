// Package admission has the rules of how an organization gets in: calls, forms and applications up to their submission.
//
// Whether a call takes applications is decided by Service.Now within the transaction, after the application's row was locked: an
// application is closed exactly at the instant, and what waited for the lock over it comes too late.
package admission

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"strconv"
	"time"

	"github.com/pursuing-equity/commons/ent"
	"github.com/pursuing-equity/commons/ent/call"
	"github.com/pursuing-equity/commons/internal/access"
	"github.com/pursuing-equity/commons/internal/audit"
	"github.com/pursuing-equity/commons/internal/event"
	"github.com/pursuing-equity/commons/internal/fault"
	"github.com/pursuing-equity/commons/internal/gid"
	"github.com/pursuing-equity/commons/internal/mail"
	"github.com/pursuing-equity/commons/internal/notify"
	"github.com/pursuing-equity/commons/internal/page"
	"github.com/pursuing-equity/commons/internal/store"
	"github.com/pursuing-equity/commons/internal/viewer"
)

// Service has the rules of admission. All fields are needed; PublicURL once mail is sent.
type Service struct {
	Store  *store.Store
	Audit  *audit.Log
	Events *event.Log
	Mail   *mail.Service
	Notify *notify.Service
	Now    func() time.Time
	NewID  func(gid.Kind) gid.ID
	Logger *slog.Logger

	PublicURL string // what links in mail begin with

	// PlacesChanged is told of a call, which is held, that got another number of places or leads to another cohort, within the transaction that
	// changes it. Nil: nobody wants to know.
	PlacesChanged func(ctx context.Context, tx *ent.Client, c *ent.Call) error
}

// CallState is where a call stands by the clock.
type CallState string

// Where calls stand.
const (
	Unpublished CallState = "UNPUBLISHED"
	Upcoming    CallState = "UPCOMING"
	Open        CallState = "OPEN"
	Late        CallState = "LATE"
	Closed      CallState = "CLOSED"
)

// MarshalGQL writes the SDL's CallState.
func (s CallState) MarshalGQL(w io.Writer) { _, _ = io.WriteString(w, strconv.Quote(string(s))) }

// UnmarshalGQL reads the SDL's CallState.
func (s *CallState) UnmarshalGQL(v any) error {
	text, ok := v.(string)
	if !ok {
		return fmt.Errorf("a state must be a string, not %T", v)
	}
	*s = CallState(text)
	return nil
}

// stateAt is where a call stands for an application with an extension, or nil.
func stateAt(c *ent.Call, extended *time.Time, now time.Time) CallState {
	switch {
	case now.Before(c.OpensAt):
		return Upcoming
	case now.Before(later(c.DueAt, extended)):
		return Open
	case now.Before(later(c.ClosesAt, extended)):
		return Late
	default:
		return Closed
	}
}

// later is an instant of a call for an application with an extension, or nil: who has more time never has less than all others.
func later(of time.Time, extended *time.Time) time.Time {
	if extended != nil && extended.After(of) {
		return *extended
	}
	return of
}

// State is where a call stands now.
func (s *Service) State(c *ent.Call) CallState {
	if c.PublishedAt == nil {
		return Unpublished
	}
	return stateAt(c, nil, s.Now())
}

func closed() *fault.Error {
	return fault.New(fault.CallClosed, "This call takes no applications now.")
}

// Calls loads calls by id: one statement.
func (s *Service) Calls(ctx context.Context, ids []gid.ID) ([]*ent.Call, error) {
	rows, err := s.Store.Client(ctx).Call.Query().Where(page.AnyOf(call.FieldID, ids)).All(ctx)
	if err != nil {
		return nil, fmt.Errorf("load calls: %w", err)
	}
	by := make(map[gid.ID]*ent.Call, len(rows))
	for _, c := range rows {
		by[c.ID] = c
	}
	out := make([]*ent.Call, len(ids))
	for i, id := range ids {
		out[i] = by[id]
	}
	return out, nil
}

// missing makes NOT_FOUND at a path of what a query did not find, and wraps every other error.
func missing(err error, path string) error {
	if ent.IsNotFound(err) {
		return fault.Missing().At(path)
	}
	return fmt.Errorf("load what %s names: %w", path, err)
}

// reload loads an application that a mutation has changed, as the viewer can see it now.
func (s *Service) reload(ctx context.Context, v viewer.Viewer, id gid.ID) (*ent.Application, error) {
	found, err := access.Find(ctx, s.Store.Client(ctx), v, id)
	if err != nil {
		return nil, err
	}
	a, ok := found[id].(*ent.Application)
	if !ok {
		return nil, fault.Missing()
	}
	return a, nil
}

// once runs something that makes an application or changes it at most once for an idempotency key, and loads the application.
func (s *Service) once(ctx context.Context, v viewer.Viewer, o store.Once, do func(ctx context.Context, tx *ent.Client) (gid.ID, error)) (*ent.Application, error) {
	var id gid.ID
	err := s.Store.InTx(ctx, func(ctx context.Context, tx *ent.Client) (err error) {
		id, err = o.Do(ctx, tx, func() (gid.ID, error) { return do(ctx, tx) })
		return err
	})
	if err != nil {
		return nil, err
	}
	return s.reload(ctx, v, id)
}
