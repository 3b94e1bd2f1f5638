package admission

import (
	"context"
	"fmt"
	"time"

	"github.com/pursuing-equity/commons/ent"
	"github.com/pursuing-equity/commons/ent/application"
	"github.com/pursuing-equity/commons/internal/access"
	"github.com/pursuing-equity/commons/internal/audit"
	"github.com/pursuing-equity/commons/internal/event"
	"github.com/pursuing-equity/commons/internal/fault"
	"github.com/pursuing-equity/commons/internal/gid"
	"github.com/pursuing-equity/commons/internal/input"
	"github.com/pursuing-equity/commons/internal/store"
	"github.com/pursuing-equity/commons/internal/viewer"
)

// Longer is more time for one application, in local time of its call's zone.
type Longer struct {
	ApplicationID  gid.ID
	UntilLocal     string
	Reason         string
	IdempotencyKey *string `json:"-"`
}

// GrantExtension gives one application more time, also after its call has closed: exactly until the instant it is taken, and not as a late
// one; where the call's own instants are later, they count. Reminders follow it, and the newest counts. For staff; FORBIDDEN for an application that is no draft, and INVALID_INPUT for a time that has
// passed, that is not later than the call's due instant, or that clocks leap over.
func (s *Service) GrantExtension(ctx context.Context, v viewer.Viewer, in Longer) (*ent.Application, error) {
	me, err := access.SignedIn(v)
	if err != nil {
		return nil, err
	}
	var check input.Checker
	in.Reason = check.Text("reason", in.Reason, 0, 2000)
	if err := check.Err(); err != nil {
		return nil, err
	}
	once := store.Once{Member: me, At: s.Now(), Operation: "grantExtension", Key: in.IdempotencyKey, Payload: in}
	return s.once(ctx, v, once, func(ctx context.Context, tx *ent.Client) (gid.ID, error) {
		a, err := s.hold(ctx, tx, v, in.ApplicationID)
		if err != nil {
			return gid.ID{}, err
		}
		if err := s.staffOnly(ctx, tx, v, "Only staff can give an application more time."); err != nil {
			return gid.ID{}, err
		}
		if a.State != application.StateDRAFT {
			return gid.ID{}, fault.Denied("This application was submitted or taken back.")
		}
		until, err := s.toCome(a.Call, "untilLocal", in.UntilLocal)
		switch {
		case err != nil:
			return gid.ID{}, err
		case !until.After(a.Call.DueAt):
			return gid.ID{}, fault.Invalid("untilLocal", "Applications to this call are due later than that anyway.")
		}
		now, id := s.Now(), s.NewID(gid.Extension)
		err = tx.Extension.Create().SetID(id).SetCreatedAt(now).SetApplicationID(a.ID).SetUntil(until).SetUntilLocal(in.UntilLocal).SetReason(in.Reason).
			SetGrantedByID(me).Exec(ctx)
		if err != nil {
			return gid.ID{}, store.RetryOnConflict(err)
		}
		if err := planned(tx.Application.UpdateOneID(a.ID).SetExtendedUntil(until), reminderAfter(until, now)).Exec(ctx); err != nil {
			return gid.ID{}, fmt.Errorf("extend an application: %w", err)
		}
		if err := s.touch(ctx, tx, v, a.ID, event.ExtensionGranted, id); err != nil {
			return gid.ID{}, err
		}
		if err := s.notify(ctx, tx, a.ID, mailExtended, id); err != nil {
			return gid.ID{}, err
		}
		return a.ID, s.Audit.Append(ctx, tx, v, audit.Entry{Action: audit.ExtensionGranted, Subject: a.ID, Reason: in.Reason})
	})
}

// toCome is the instant of a local time in a call's zone, of two the later one. It must be to come.
func (s *Service) toCome(c *ent.Call, path, local string) (time.Time, error) {
	zone, err := time.LoadLocation(c.TimeZone)
	if err != nil {
		return time.Time{}, fmt.Errorf("load the call's zone: %w", err)
	}
	at, ok := wall(local)
	if !ok {
		return time.Time{}, fault.Invalid(path, "Write a local time like 2022-11-11T17:00.")
	}
	found := instants(at, zone)
	if len(found) == 0 {
		return time.Time{}, fault.Invalid(path, "There is no such time in this zone: the clocks go forward over it. Choose another one.")
	}
	until := found[len(found)-1]
	if !until.After(s.Now()) {
		return until, fault.Invalid(path, "This has passed. Choose a time that is to come.")
	}
	return until, nil
}
