package admission

import (
	"context"
	"fmt"

	"github.com/pursuing-equity/commons/ent"
	"github.com/pursuing-equity/commons/ent/formversion"
	"github.com/pursuing-equity/commons/ent/savedview"
	"github.com/pursuing-equity/commons/internal/audit"
	"github.com/pursuing-equity/commons/internal/event"
	"github.com/pursuing-equity/commons/internal/fault"
	"github.com/pursuing-equity/commons/internal/gid"
	"github.com/pursuing-equity/commons/internal/input"
	"github.com/pursuing-equity/commons/internal/viewer"
)

// PublishCall shows a call to everybody. For staff. It returns INVALID_INPUT while the call lacks a title, a requirement or a published form,
// and when its due instant has passed. Again, it changes nothing, whatever the version.
func (s *Service) PublishCall(ctx context.Context, v viewer.Viewer, id gid.ID, version int) (*ent.Call, error) {
	err := s.Store.InTx(ctx, func(ctx context.Context, tx *ent.Client) error {
		c, err := s.holdCall(ctx, tx, v, id, nil)
		if err != nil || c.PublishedAt != nil {
			return err
		}
		now := s.Now()
		var check input.Checker
		if c.Version != version {
			return fault.New(fault.StaleVersion, "Somebody has changed this call or its form since. Look at it again.").At("expectedVersion")
		}
		if c.Title == "" {
			check.Refuse("callId", "A published call has a title.")
		}
		if c.FormVersion == 0 {
			check.Refuse("callId", "A published call has a form: publish it first.")
		}
		if len(c.Requirements) == 0 {
			check.Refuse("callId", "A published call requires something: the form at least.")
		}
		if !now.Before(c.DueAt) {
			check.Refuse("callId", "Applications were due already: move the deadline.")
		}
		if err := check.Err(); err != nil {
			return err
		}
		if err := turning(tx.Call.UpdateOne(c), turnsAfter(c, now)).SetPublishedAt(now).SetUpdatedAt(now).AddVersion(1).Exec(ctx); err != nil {
			return fmt.Errorf("publish a call: %w", err)
		}
		if err := s.tellCall(ctx, tx, v, c, event.CallChanged); err != nil {
			return err
		}
		return s.Audit.Append(ctx, tx, v, audit.Entry{Action: audit.CallPublished, Subject: id})
	})
	if err != nil {
		return nil, err
	}
	return s.callSeen(ctx, s.Store.Client(ctx), v, id)
}

// DeleteCall deletes a call that was never published, with its form and with what staff saved for it, and returns its id. For staff.
func (s *Service) DeleteCall(ctx context.Context, v viewer.Viewer, id gid.ID) (*gid.ID, error) {
	err := s.Store.InTx(ctx, func(ctx context.Context, tx *ent.Client) error {
		c, err := s.holdCall(ctx, tx, v, id, nil)
		switch {
		case err != nil:
			return err
		case c.PublishedAt != nil:
			return fault.Denied("This call was published: it stays.").At("callId")
		}
		if _, err := tx.FormVersion.Delete().Where(formversion.CallID(id)).Exec(ctx); err != nil {
			return fmt.Errorf("delete a form: %w", err)
		}
		if _, err := tx.SavedView.Delete().Where(savedview.CallID(id)).Exec(ctx); err != nil {
			return fmt.Errorf("delete saved views: %w", err)
		}
		if err := tx.Call.DeleteOne(c).Exec(ctx); err != nil {
			return fmt.Errorf("delete a call: %w", err)
		}
		return s.Audit.Append(ctx, tx, v, audit.Entry{Action: audit.CallDeleted, Subject: id, Reason: c.Title})
	})
	if err != nil {
		return nil, err
	}
	return &id, nil
}
