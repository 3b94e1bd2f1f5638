package admission

import (
	"context"
	"fmt"

	"github.com/pursuing-equity/commons/ent"
	"github.com/pursuing-equity/commons/ent/application"
	"github.com/pursuing-equity/commons/ent/applicationeditor"
	"github.com/pursuing-equity/commons/internal/access"
	"github.com/pursuing-equity/commons/internal/audit"
	"github.com/pursuing-equity/commons/internal/event"
	"github.com/pursuing-equity/commons/internal/gid"
	"github.com/pursuing-equity/commons/internal/page"
	"github.com/pursuing-equity/commons/internal/store"
	"github.com/pursuing-equity/commons/internal/viewer"
)

// Leave takes a member whose account is erased off all applications, within the transaction of that. What they owned passes to the editor who was
// added first, and a draft that nobody else writes is withdrawn. What applications say is their organizations': it stays, and so do its
// files, with no name of whoever wrote it.
func (s *Service) Leave(ctx context.Context, tx *ent.Client, v viewer.Viewer, memberID gid.ID) error {
	places, err := tx.ApplicationEditor.Query().Where(applicationeditor.MemberID(memberID)).All(ctx)
	if err != nil || len(places) == 0 {
		return err
	}
	ids := make([]gid.ID, len(places))
	for i, p := range places {
		ids[i] = p.ApplicationID
	}
	applications, err := tx.Application.Query().Where(page.AnyOf(application.FieldID, ids), store.LockRow).Order(application.ByID()).All(ctx)
	if err != nil {
		return fmt.Errorf("lock applications: %w", err)
	}
	owner := make(map[gid.ID]bool, len(places))
	for _, p := range places {
		owner[p.ApplicationID] = p.Owner
	}
	if _, err := tx.ApplicationEditor.Delete().Where(applicationeditor.MemberID(memberID)).Exec(ctx); err != nil {
		return fmt.Errorf("leave applications: %w", err)
	}
	for _, a := range applications {
		if owner[a.ID] {
			if err := s.passOn(ctx, tx, v, a); err != nil {
				return err
			}
		}
		if err := s.tell(ctx, tx, v, a.ID, event.EditorRemoved, memberID); err != nil {
			return err
		}
	}
	return nil
}

// passOn gives an application without an owner one, or withdraws it when it is a draft and there is nobody.
func (s *Service) passOn(ctx context.Context, tx *ent.Client, v viewer.Viewer, a *ent.Application) error {
	heir, err := tx.ApplicationEditor.Query().Where(applicationeditor.ApplicationID(a.ID), applicationeditor.HasMemberWith(access.ActiveMembers())).
		Order(applicationeditor.ByID()).First(ctx)
	switch {
	case err == nil:
		if err := tx.ApplicationEditor.UpdateOne(heir).SetOwner(true).Exec(ctx); err != nil {
			return fmt.Errorf("pass an application on: %w", err)
		}
		if err := s.Audit.Append(ctx, tx, v, audit.Entry{Action: audit.ApplicationHandedOver, Subject: a.ID}); err != nil {
			return err
		}
		return s.tell(ctx, tx, v, a.ID, event.OwnerChanged, heir.MemberID)
	case !ent.IsNotFound(err):
		return fmt.Errorf("find an heir: %w", err)
	case a.State != application.StateDRAFT:
		return nil // staff decide about it
	}
	err = tx.Application.UpdateOneID(a.ID).SetState(application.StateWITHDRAWN).ClearNextReminderAt().SetUpdatedAt(s.Now()).AddVersion(1).Exec(ctx)
	if err != nil {
		return fmt.Errorf("withdraw an application: %w", err)
	}
	if err := s.Changed(ctx, tx, v, a.ID); err != nil {
		return err
	}
	return s.Audit.Append(ctx, tx, v, audit.Entry{Action: audit.ApplicationWithdrawn, Subject: a.ID})
}
