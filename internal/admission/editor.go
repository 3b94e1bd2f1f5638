package admission

import (
	"context"
	"fmt"
	"time"

	"github.com/pursuing-equity/commons/ent"
	"github.com/pursuing-equity/commons/ent/affiliation"
	"github.com/pursuing-equity/commons/ent/answer"
	"github.com/pursuing-equity/commons/ent/answerversion"
	"github.com/pursuing-equity/commons/ent/application"
	"github.com/pursuing-equity/commons/ent/applicationeditor"
	"github.com/pursuing-equity/commons/ent/conflict"
	"github.com/pursuing-equity/commons/ent/document"
	entevent "github.com/pursuing-equity/commons/ent/event"
	"github.com/pursuing-equity/commons/ent/member"
	"github.com/pursuing-equity/commons/ent/notice"
	"github.com/pursuing-equity/commons/ent/submission"
	"github.com/pursuing-equity/commons/internal/access"
	"github.com/pursuing-equity/commons/internal/audit"
	"github.com/pursuing-equity/commons/internal/event"
	"github.com/pursuing-equity/commons/internal/fault"
	"github.com/pursuing-equity/commons/internal/gid"
	"github.com/pursuing-equity/commons/internal/notify"
	"github.com/pursuing-equity/commons/internal/page"
	"github.com/pursuing-equity/commons/internal/store"
	"github.com/pursuing-equity/commons/internal/tally"
	"github.com/pursuing-equity/commons/internal/viewer"
)

// maxEditors is how many members write an application at most.
const maxEditors = 20

// NewEditor is a member who is to write an application with others, by their id or their handle.
type NewEditor struct {
	ApplicationID gid.ID
	MemberID      *gid.ID
	Handle        *string
}

func (in NewEditor) check() error {
	if (in.MemberID == nil) == (in.Handle == nil) {
		return fault.Invalid("memberId", "Name the member either by their id or by their handle.")
	}
	return nil
}

func (in NewEditor) path() string {
	if in.Handle != nil {
		return "handle"
	}
	return "memberId"
}

// AddEditor lets another member write an application. For its owner: FORBIDDEN else. It returns NOT_FOUND for a member whom the owner cannot
// see, INVALID_INPUT for one without a post at the organization of the network that applies, and LIMIT_REACHED from 20 editors on. To
// add an editor again changes nothing; who is added again within a day has no second mail.
func (s *Service) AddEditor(ctx context.Context, v viewer.Viewer, in NewEditor) (*ent.Application, error) {
	if err := in.check(); err != nil {
		return nil, err
	}
	err := s.Store.InTx(ctx, func(ctx context.Context, tx *ent.Client) error {
		a, err := s.owned(ctx, tx, v, in.ApplicationID)
		if err != nil {
			return err
		}
		who := member.ID(maybe(in.MemberID))
		if in.Handle != nil {
			who = member.HandleEqualFold(*in.Handle)
		}
		m, err := tx.Member.Query().Where(who, access.VisibleMembers(v), access.ActiveMembers()).Only(ctx)
		if err != nil {
			return missing(err, in.path())
		}
		editors, err := tx.ApplicationEditor.Query().Where(applicationeditor.ApplicationID(a.ID)).All(ctx)
		if err != nil {
			return fmt.Errorf("load the editors: %w", err)
		}
		for _, e := range editors {
			if e.MemberID == m.ID {
				return nil
			}
		}
		if len(editors) >= maxEditors {
			return fault.New(fault.LimitReached, "An application has at most %d editors.", maxEditors)
		}
		if err := s.ofOrganization(ctx, tx, a.Application, m.ID, in.path()); err != nil {
			return err
		}
		err = tx.ApplicationEditor.Create().SetID(s.NewID(gid.ApplicationEditor)).SetCreatedAt(s.Now()).SetApplicationID(a.ID).SetMemberID(m.ID).
			SetAddedByID(a.Viewer).Exec(ctx)
		if err != nil {
			return store.RetryOnConflict(err)
		}
		if err := tally.Applications(ctx, tx, a.ID); err != nil { // they must not judge it from now on
			return err
		}
		if err := s.Notify.NoticesChanged(ctx, tx, s.Now(), notice.RecipientID(m.ID), notice.ApplicationID(a.ID), notify.OfReview()); err != nil {
			return err
		}
		if err := s.welcome(ctx, tx, a.ID, m.ID); err != nil {
			return err
		}
		if err := s.Audit.Append(ctx, tx, v, audit.Entry{Action: audit.EditorAdded, Subject: a.ID, Reason: m.ID.String()}); err != nil {
			return err
		}
		return s.touch(ctx, tx, v, a.ID, event.EditorAdded, m.ID)
	})
	if err != nil {
		return nil, err
	}
	return s.reload(ctx, v, in.ApplicationID)
}

// welcome writes to a new editor, once a day at most: who is added and removed over and over has one mail of it.
func (s *Service) welcome(ctx context.Context, tx *ent.Client, id, memberID gid.ID) error {
	told, err := tx.Event.Query().Where(entevent.StreamID(id), entevent.Kind(event.EditorAdded), entevent.ObjectID(memberID),
		entevent.CreatedAtGT(s.Now().Add(-24*time.Hour))).Exist(ctx)
	if err != nil {
		return fmt.Errorf("look for when an editor was told: %w", err)
	}
	if told {
		return nil
	}
	return s.notify(ctx, tx, id, mailNewEditor, id, memberID)
}

// ofOrganization refuses a member who has no post now at the organization of the network that applies. Of one that is not in the network there
// are no posts to know.
func (s *Service) ofOrganization(ctx context.Context, tx *ent.Client, a *ent.Application, id gid.ID, path string) error {
	if a.OrganizationID == nil {
		return nil
	}
	has, err := tx.Affiliation.Query().Where(affiliation.MemberID(id), affiliation.OrganizationID(*a.OrganizationID), s.current()).Exist(ctx)
	if err != nil {
		return fmt.Errorf("look for a post: %w", err)
	}
	if !has {
		return fault.Invalid(path, "This member has no post at the organization.")
	}
	return nil
}

// RemoveEditor takes a member off an application, who at once sees no more of it. For its owner, and for everybody about themselves; FORBIDDEN
// for others, and for the owner, who hands it over first. It returns the application, or nil once the viewer cannot see it any more, and
// NOT_FOUND for who is no editor.
func (s *Service) RemoveEditor(ctx context.Context, v viewer.Viewer, id, memberID gid.ID) (*ent.Application, error) {
	err := s.Store.InTx(ctx, func(ctx context.Context, tx *ent.Client) error {
		a, err := s.hold(ctx, tx, v, id)
		switch {
		case err != nil:
			return err
		case !a.Owner && memberID != a.Viewer:
			return fault.Denied("Only the owner can remove another editor.")
		}
		e, err := tx.ApplicationEditor.Query().Where(applicationeditor.ApplicationID(id), applicationeditor.MemberID(memberID)).Only(ctx)
		switch {
		case err != nil:
			return missing(err, "memberId")
		case e.Owner:
			return fault.Denied("An application has an owner: hand it over to another editor first.")
		}
		if err := tx.ApplicationEditor.DeleteOne(e).Exec(ctx); err != nil {
			return fmt.Errorf("remove an editor: %w", err)
		}
		if err := s.partial(ctx, tx, v, a, memberID); err != nil {
			return err
		}
		if err := tally.Applications(ctx, tx, id); err != nil {
			return err
		}
		if err := s.Notify.NoticesChanged(ctx, tx, s.Now(), notice.RecipientID(memberID), notice.ApplicationID(id)); err != nil {
			return err
		}
		if err := s.Audit.Append(ctx, tx, v, audit.Entry{Action: audit.EditorRemoved, Subject: id, Reason: memberID.String()}); err != nil {
			return err
		}
		return s.touch(ctx, tx, v, id, event.EditorRemoved, memberID)
	})
	if err != nil {
		return nil, err
	}
	a, err := s.reload(ctx, v, id)
	if fault.Is(err, fault.NotFound) {
		return nil, nil //nolint:nilnil // the viewer has left
	}
	return a, err
}

// partial declares a conflict of interest of a member who no longer edits an application and has written some of it: they do not judge their own
// words. Of who wrote nothing there is none, so that nobody is kept from reviewing by being added and removed.
func (s *Service) partial(ctx context.Context, tx *ent.Client, v viewer.Viewer, a *held, memberID gid.ID) error {
	wrote, err := tx.AnswerVersion.Query().Where(answerversion.EditorID(memberID), answerversion.HasAnswerWith(answer.ApplicationID(a.ID))).Exist(ctx)
	if err == nil && !wrote {
		wrote, err = tx.Submission.Query().Where(submission.ApplicationID(a.ID), submission.SubmitterID(memberID)).Exist(ctx)
	}
	if err == nil && !wrote {
		wrote, err = tx.Document.Query().Where(document.ApplicationID(a.ID), document.AddedByID(memberID)).Exist(ctx)
	}
	if err != nil {
		return fmt.Errorf("look for what an editor wrote: %w", err)
	}
	if !wrote {
		return nil
	}
	there, err := tx.Conflict.Query().Where(conflict.ApplicationID(a.ID), conflict.MemberID(memberID), conflict.EndedAtIsNil()).Exist(ctx)
	if err != nil || there {
		return err
	}
	id := s.NewID(gid.Conflict)
	err = tx.Conflict.Create().SetID(id).SetCreatedAt(s.Now()).SetApplicationID(a.ID).SetMemberID(memberID).SetNote("They have written some of it.").
		SetDeclaredByID(a.Viewer).Exec(ctx)
	if err != nil {
		return store.RetryOnConflict(err)
	}
	return s.Audit.Append(ctx, tx, v, audit.Entry{Action: audit.ConflictDeclared, Subject: id})
}

// Transfer makes another editor the owner; the owner of before stays an editor. For the owner, and for staff when the owner cannot: the
// audit log has who did. It returns NOT_FOUND for who is no editor. Again, it changes nothing.
func (s *Service) Transfer(ctx context.Context, v viewer.Viewer, id, memberID gid.ID) (*ent.Application, error) {
	err := s.Store.InTx(ctx, func(ctx context.Context, tx *ent.Client) error {
		a, err := s.hold(ctx, tx, v, id)
		if err != nil {
			return err
		}
		if !a.Owner {
			if err := s.staffOnly(ctx, tx, v, "Only the owner can hand an application over."); err != nil {
				return err
			}
		}
		e, err := tx.ApplicationEditor.Query().Where(applicationeditor.ApplicationID(id), applicationeditor.MemberID(memberID),
			applicationeditor.HasMemberWith(access.ActiveMembers())).Only(ctx)
		switch {
		case err != nil:
			return missing(err, "memberId")
		case e.Owner:
			return nil
		}
		if err := tx.ApplicationEditor.Update().Where(applicationeditor.ApplicationID(id), applicationeditor.Owner(true)).SetOwner(false).Exec(ctx); err != nil {
			return fmt.Errorf("hand an application over: %w", err)
		}
		if err := tx.ApplicationEditor.UpdateOne(e).SetOwner(true).Exec(ctx); err != nil {
			return fmt.Errorf("hand an application over: %w", err)
		}
		if err := s.Audit.Append(ctx, tx, v, audit.Entry{Action: audit.ApplicationHandedOver, Subject: id}); err != nil {
			return err
		}
		return s.touch(ctx, tx, v, id, event.OwnerChanged, memberID)
	})
	if err != nil {
		return nil, err
	}
	return s.reload(ctx, v, id)
}

// owned holds an application whose owner the viewer is, and that was not withdrawn; FORBIDDEN otherwise.
func (s *Service) owned(ctx context.Context, tx *ent.Client, v viewer.Viewer, id gid.ID) (*held, error) {
	a, err := s.hold(ctx, tx, v, id)
	switch {
	case err != nil:
		return nil, err
	case !a.Owner:
		return nil, fault.Denied("Only the owner of an application can do that.")
	case a.State == application.StateWITHDRAWN:
		return nil, fault.Denied("This application was withdrawn.")
	}
	return a, nil
}

// staffOnly returns FORBIDDEN with a message for who is not staff.
func (s *Service) staffOnly(ctx context.Context, tx *ent.Client, v viewer.Viewer, message string) error {
	actor, err := access.Load(ctx, tx, v)
	if err != nil {
		return err
	}
	return actor.CanHandleApplications(message)
}

// Editors are who write applications, the owner first, as far as the viewer may follow them: two statements.
func (s *Service) Editors(ctx context.Context, v viewer.Viewer, of []*ent.Application) ([][]*ent.ApplicationEditor, error) {
	rows, err := s.Store.Client(ctx).ApplicationEditor.Query().
		Where(page.AnyOf(applicationeditor.FieldApplicationID, idsOf(of)), applicationeditor.HasApplicationWith(access.FollowedApplications(v))).
		Order(applicationeditor.ByID()).All(ctx)
	if err != nil {
		return nil, fmt.Errorf("load editors: %w", err)
	}
	by := make(map[gid.ID][]*ent.ApplicationEditor, len(of))
	for _, owner := range []bool{true, false} {
		for _, e := range rows {
			if e.Owner == owner {
				by[e.ApplicationID] = append(by[e.ApplicationID], e)
			}
		}
	}
	out := make([][]*ent.ApplicationEditor, len(of))
	for i, a := range of {
		out[i] = append([]*ent.ApplicationEditor{}, by[a.ID]...)
	}
	return out, nil
}

func maybe(id *gid.ID) gid.ID {
	if id == nil {
		return gid.ID{}
	}
	return *id
}
