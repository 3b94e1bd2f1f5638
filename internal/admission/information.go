package admission

import (
	"context"
	"fmt"
	"slices"

	"github.com/pursuing-equity/commons/ent"
	"github.com/pursuing-equity/commons/ent/application"
	"github.com/pursuing-equity/commons/ent/schema"
	"github.com/pursuing-equity/commons/internal/access"
	"github.com/pursuing-equity/commons/internal/audit"
	"github.com/pursuing-equity/commons/internal/event"
	"github.com/pursuing-equity/commons/internal/fault"
	"github.com/pursuing-equity/commons/internal/gid"
	"github.com/pursuing-equity/commons/internal/input"
	"github.com/pursuing-equity/commons/internal/store"
	"github.com/pursuing-equity/commons/internal/viewer"
)

const maxKeys = 100

// Inquiry is what staff want to know more about: questions and requirements by their keys, and until when, in local time of the call's zone.
type Inquiry struct {
	ApplicationID  gid.ID
	Keys           []string
	Text           string
	DueLocal       string
	IdempotencyKey *string `json:"-"`
}

// RequestInformation reopens some parts of a submitted application, and tells its editors why. It can be asked again: that takes the place of
// what was asked. For staff; FORBIDDEN for an application that was not submitted or was decided, and INVALID_INPUT for a key that the call has not.
func (s *Service) RequestInformation(ctx context.Context, v viewer.Viewer, in Inquiry) (*ent.Application, error) {
	me, err := access.SignedIn(v)
	if err != nil {
		return nil, err
	}
	var check input.Checker
	in.Text = check.Text("text", in.Text, 1, 5000)
	if n := len(in.Keys); n == 0 || n > maxKeys {
		check.Refuse("keys", "Name 1 to %d questions or requirements.", maxKeys)
	}
	if err := check.Err(); err != nil {
		return nil, err
	}
	once := store.Once{Member: me, At: s.Now(), Operation: "requestInformation", Key: in.IdempotencyKey, Payload: in}
	return s.once(ctx, v, once, func(ctx context.Context, tx *ent.Client) (gid.ID, error) {
		a, err := s.hold(ctx, tx, v, in.ApplicationID)
		if err != nil {
			return gid.ID{}, err
		}
		if err := s.staffOnly(ctx, tx, v, "Only staff can ask for more."); err != nil {
			return gid.ID{}, err
		}
		if a.State != application.StateSUBMITTED && a.State != application.StateINFORMATION_REQUESTED {
			return gid.ID{}, fault.Denied("Only about an application that was submitted and not decided can more be asked.")
		}
		keys, err := s.keysOf(ctx, tx, a, in.Keys)
		if err != nil {
			return gid.ID{}, err
		}
		due, err := s.toCome(a.Call, "dueLocal", in.DueLocal)
		if err != nil {
			return gid.ID{}, err
		}
		update := tx.Application.UpdateOneID(a.ID).SetState(application.StateINFORMATION_REQUESTED).SetReopened(keys).SetInformationRequest(in.Text).
			SetInformationDueAt(due)
		if err := planned(update, reminderAfter(due, s.Now())).Exec(ctx); err != nil {
			return gid.ID{}, fmt.Errorf("ask for more: %w", err)
		}
		if err := s.touch(ctx, tx, v, a.ID, event.InformationRequested, a.ID); err != nil {
			return gid.ID{}, err
		}
		if err := s.notify(ctx, tx, a.ID, mailAsked, a.ID); err != nil {
			return gid.ID{}, err
		}
		return a.ID, s.Audit.Append(ctx, tx, v, audit.Entry{Action: audit.InformationRequested, Subject: a.ID})
	})
}

// keysOf are the keys, each once, if the application's form or its call has all of them.
func (s *Service) keysOf(ctx context.Context, tx *ent.Client, a *held, keys []string) ([]string, error) {
	forms, err := questionsOf(ctx, tx, []*ent.Application{a.Application}, []*ent.Call{a.Call})
	if err != nil {
		return nil, err
	}
	for i, key := range keys {
		asked := slices.ContainsFunc(forms[a.ID].questions, func(q schema.Question) bool { return q.Key == key })
		demanded := slices.ContainsFunc(a.Call.Requirements, func(r schema.Requirement) bool { return r.Key == key && r.Kind != formKind })
		if !asked && !demanded {
			return nil, fault.Invalid(fmt.Sprintf("keys.%d", i), "The call has no such question or requirement.")
		}
	}
	return slices.Compact(slices.Sorted(slices.Values(keys))), nil
}
