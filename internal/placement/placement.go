// Package placement has the rules of who gets a place: decisions, offers, the waitlist and enrollment.
//
// A decision is prepared in private and released with the others of its call. The places of a call are those that are offered or taken:
// applications that are OFFERED or ADMITTED. Whatever counts or changes them holds the call's row first, then the applications in the order of
// their ids, and asks the clock afterwards: two who want the last place wait for each other, and an offer ends exactly at its instant.
//
// A place that becomes free goes to the next on the waitlist within the transaction that freed it, a higher capacity included. The worker ends
// offers whose time is over, and offers what became free in other ways. It needs no lease: what it does is done under the call's lock and
// in one transaction, so that a process which dies has done it or has not, and two do it once.
package placement

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/pursuing-equity/commons/ent"
	"github.com/pursuing-equity/commons/ent/application"
	"github.com/pursuing-equity/commons/ent/applicationeditor"
	"github.com/pursuing-equity/commons/ent/call"
	"github.com/pursuing-equity/commons/ent/cohort"
	"github.com/pursuing-equity/commons/ent/decision"
	"github.com/pursuing-equity/commons/ent/predicate"
	"github.com/pursuing-equity/commons/internal/access"
	"github.com/pursuing-equity/commons/internal/audit"
	"github.com/pursuing-equity/commons/internal/community"
	"github.com/pursuing-equity/commons/internal/event"
	"github.com/pursuing-equity/commons/internal/fault"
	"github.com/pursuing-equity/commons/internal/gid"
	"github.com/pursuing-equity/commons/internal/mail"
	"github.com/pursuing-equity/commons/internal/notify"
	"github.com/pursuing-equity/commons/internal/page"
	"github.com/pursuing-equity/commons/internal/store"
	"github.com/pursuing-equity/commons/internal/viewer"
)

// Service has the rules of places. All fields are needed.
type Service struct {
	Store     *store.Store
	Events    *event.Log
	Audit     *audit.Log
	Mail      *mail.Service
	Notify    *notify.Service
	Community *community.Service
	PublicURL string // where links in mail lead: a front end shows /applications/{id} there
	Now       func() time.Time
	NewID     func(gid.Kind) gid.ID
	Logger    *slog.Logger
}

// Limits of what staff write, in characters, and of how many rows one statement writes: databases bound its parameters.
const (
	maxReason = 4_000
	maxNote   = 10_000
	maxRank   = 100_000
	chunk     = 1000
)

// missing makes NOT_FOUND at a path of what a query did not find, and wraps every other error.
func missing(err error, path string) error {
	if ent.IsNotFound(err) {
		return fault.Missing().At(path)
	}
	return fmt.Errorf("load what %s names: %w", path, err)
}

// staffOnly returns FORBIDDEN for everybody but staff.
func staffOnly(ctx context.Context, tx *ent.Client, v viewer.Viewer) error {
	actor, err := access.Load(ctx, tx, v)
	if err == nil && !actor.IsStaff() {
		err = fault.Denied("Only staff can do that.")
	}
	return err
}

// hold locks a call: everything about its places waits for it.
func hold(ctx context.Context, tx *ent.Client, id gid.ID, path string) (*ent.Call, error) {
	c, err := tx.Call.Query().Where(call.ID(id), store.LockRow).Only(ctx)
	if err != nil {
		return nil, missing(err, path)
	}
	return c, nil
}

// held is an application that a mutation has locked, with its call and what the viewer is to it.
type held struct {
	*ent.Application
	call  *ent.Call
	owner bool
}

// holdApplication locks the call of an application that the viewer can see, and then the application, or NOT_FOUND.
func holdApplication(ctx context.Context, tx *ent.Client, v viewer.Viewer, id gid.ID) (*held, error) {
	const path = "applicationId"
	seen, err := tx.Application.Query().Where(application.ID(id), access.VisibleApplications(v)).Only(ctx)
	if err != nil {
		return nil, missing(err, path)
	}
	h := &held{}
	if h.call, err = hold(ctx, tx, seen.CallID, path); err != nil {
		return nil, err
	}
	if h.Application, err = tx.Application.Query().Where(application.ID(id), access.VisibleApplications(v), store.LockRow).Only(ctx); err != nil {
		return nil, missing(err, path)
	}
	if me, ok := v.MemberID(); ok {
		h.owner, err = tx.ApplicationEditor.Query().
			Where(applicationeditor.ApplicationID(id), applicationeditor.MemberID(me), applicationeditor.Owner(true)).Exist(ctx)
		if err != nil {
			return nil, fmt.Errorf("load the owner: %w", err)
		}
	}
	return h, nil
}

// change runs a change of an application in a transaction that holds its call, and loads the application as the viewer can see it then.
func (s *Service) change(ctx context.Context, v viewer.Viewer, id gid.ID, do func(ctx context.Context, tx *ent.Client, a *held) error) (*ent.Application, error) {
	if _, err := access.SignedIn(v); err != nil {
		return nil, err
	}
	err := s.Store.InTx(ctx, func(ctx context.Context, tx *ent.Client) error {
		a, err := holdApplication(ctx, tx, v, id)
		if err != nil {
			return err
		}
		return do(ctx, tx, a)
	})
	if err != nil {
		return nil, err
	}
	a, err := s.Store.Client(ctx).Application.Query().Where(application.ID(id), access.VisibleApplications(v)).Only(ctx)
	if err != nil {
		return nil, missing(err, "applicationId")
	}
	return a, nil
}

// current is the decision of an application that stands: released ones and one in preparation alike. Nil: there is none.
func current(ctx context.Context, tx *ent.Client, applicationID gid.ID) (*ent.Decision, error) {
	d, err := tx.Decision.Query().Where(decision.ApplicationID(applicationID), decision.SupersededAtIsNil()).Only(ctx)
	if ent.IsNotFound(err) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("load the decision: %w", err)
	}
	return d, nil
}

// standing is current for an application whose state says that a decision was released.
func standing(ctx context.Context, tx *ent.Client, applicationID gid.ID) (*ent.Decision, error) {
	d, err := current(ctx, tx, applicationID)
	if err == nil && (d == nil || d.ReleasedAt == nil) {
		err = fmt.Errorf("application %s stands somewhere without a decision", applicationID)
	}
	return d, err
}

// places says how many places of a call are offered and taken. The caller holds the call.
func places(ctx context.Context, tx *ent.Client, callID gid.ID) (offered, admitted int, err error) {
	offered, err = tx.Application.Query().Where(application.CallID(callID), application.StateEQ(application.StateOFFERED)).Count(ctx)
	if err == nil {
		admitted, err = tx.Application.Query().Where(application.CallID(callID), application.StateEQ(application.StateADMITTED)).Count(ctx)
	}
	if err != nil {
		err = fmt.Errorf("count places: %w", err)
	}
	return offered, admitted, err
}

// takesTeams says whether teams can be enrolled where a call leads: COHORT_REQUIRED and ARCHIVED say why not.
func takesTeams(ctx context.Context, tx *ent.Client, c *ent.Call, path string) error {
	if c.CohortID == nil {
		return fault.New(fault.CohortRequired, "Say first which cohort the call leads to.").At(path)
	}
	lives, err := tx.Cohort.Query().Where(cohort.ID(*c.CohortID), cohort.ArchivedAtIsNil()).Exist(ctx)
	if err == nil && !lives {
		return fault.New(fault.Archived, "The call's cohort was archived; it takes no more teams.").At(path)
	}
	return err
}

// passage is where applications go.
type passage struct {
	to     application.State
	action audit.Action
	reason string // of the audit entries
	mail   bool   // whether the editors are told, by mail and in the bell
	// own is whether the applicants did it: then the event says who.
	own bool
}

// pass has applications of a held call go somewhere: their state, an event and an audit entry for each, and a letter to their editors. The
// number of statements is the same for every thousand.
func (s *Service) pass(ctx context.Context, tx *ent.Client, v viewer.Viewer, now time.Time, ids []gid.ID, p passage) error {
	for some := range slices.Chunk(ids, chunk) {
		u := tx.Application.Update().Where(page.AnyOf(application.FieldID, some)).SetState(p.to).ClearNextReminderAt().
			ClearReopened().SetInformationRequest("").ClearInformationDueAt().SetUpdatedAt(now).AddVersion(1)
		if err := u.Exec(ctx); err != nil {
			return fmt.Errorf("change applications: %w", err)
		}
		events, entries := make(map[gid.ID]event.Entry, len(some)), make([]audit.Entry, len(some))
		for i, id := range some {
			e := event.Entry{Kind: event.ApplicationChanged, Object: id}
			if me, ok := v.MemberID(); ok && p.own {
				e.Actor = me
			}
			events[id], entries[i] = e, audit.Entry{Action: p.action, Subject: id, Reason: p.reason}
		}
		if err := s.Events.AppendToApplications(ctx, tx, now, events); err != nil {
			return err
		}
		if err := s.Audit.Append(ctx, tx, v, entries...); err != nil {
			return err
		}
		if p.mail {
			if err := s.post(ctx, tx, some, p.to, now); err != nil {
				return err
			}
		}
	}
	return nil
}

// inState are the applications of a call that stand somewhere.
func inState(callID gid.ID, states ...application.State) predicate.Application {
	return application.And(application.CallID(callID), application.StateIn(states...))
}
