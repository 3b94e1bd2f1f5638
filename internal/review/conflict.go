package review

import (
	"context"
	"fmt"
	"io"
	"strconv"

	"github.com/pursuing-equity/commons/ent"
	"github.com/pursuing-equity/commons/ent/application"
	"github.com/pursuing-equity/commons/ent/conflict"
	"github.com/pursuing-equity/commons/ent/member"
	"github.com/pursuing-equity/commons/ent/predicate"
	"github.com/pursuing-equity/commons/ent/reviewassignment"
	"github.com/pursuing-equity/commons/internal/access"
	"github.com/pursuing-equity/commons/internal/audit"
	"github.com/pursuing-equity/commons/internal/fault"
	"github.com/pursuing-equity/commons/internal/gid"
	"github.com/pursuing-equity/commons/internal/input"
	"github.com/pursuing-equity/commons/internal/page"
	"github.com/pursuing-equity/commons/internal/store"
	"github.com/pursuing-equity/commons/internal/tally"
	"github.com/pursuing-equity/commons/internal/viewer"
)

// Reason is why somebody must not judge an application.
type Reason string

// Why members must not judge.
const (
	Editor      Reason = "EDITOR"
	Affiliation Reason = "AFFILIATION"
	SameName    Reason = "SAME_NAME"
	Declared    Reason = "DECLARED"
)

// MarshalGQL writes the SDL's ConflictReason.
func (r Reason) MarshalGQL(w io.Writer) { _, _ = io.WriteString(w, strconv.Quote(string(r))) }

// UnmarshalGQL exists because an enum of the SDL must be readable; no input takes one.
func (r *Reason) UnmarshalGQL(v any) error {
	text, ok := v.(string)
	if !ok {
		return fmt.Errorf("a reason must be a string, not %T", v)
	}
	*r = Reason(text)
	return nil
}

// Reasons are why the reviewers of assignments must not judge, empty where nothing is known of a conflict: four statements.
func (s *Service) Reasons(ctx context.Context, of []*ent.ReviewAssignment) ([][]Reason, error) {
	ids := idsOf(of, assignmentID)
	by := make(map[gid.ID][]Reason)
	for _, one := range []struct {
		reason Reason
		which  predicate.ReviewAssignment
	}{
		{Editor, access.EditorAssignments()}, {Affiliation, access.AffiliatedAssignments()},
		{SameName, access.NamesakeAssignments()}, {Declared, access.DeclaredAssignments()},
	} {
		found, err := s.Store.Client(ctx).ReviewAssignment.Query().Where(page.AnyOf(reviewassignment.FieldID, ids), one.which).IDs(ctx)
		if err != nil {
			return nil, fmt.Errorf("find conflicts of interest: %w", err)
		}
		for _, id := range found {
			by[id] = append(by[id], one.reason)
		}
	}
	out := make([][]Reason, len(of))
	for i, a := range of {
		if out[i] = by[a.ID]; out[i] == nil {
			out[i] = []Reason{}
		}
	}
	return out, nil
}

// AreConflicted says of each assignment whether its reviewer must not judge: one statement.
func (s *Service) AreConflicted(ctx context.Context, of []*ent.ReviewAssignment) ([]bool, error) {
	found, err := s.Store.Client(ctx).ReviewAssignment.Query().Where(page.AnyOf(reviewassignment.FieldID, idsOf(of, assignmentID)), access.ConflictedAssignments()).IDs(ctx)
	if err != nil {
		return nil, fmt.Errorf("find conflicts of interest: %w", err)
	}
	set, are := setOf(found), make([]bool, len(of))
	for i, a := range of {
		are[i] = set[a.ID]
	}
	return are, nil
}

func assignmentID(a *ent.ReviewAssignment) gid.ID { return a.ID }

// Declare says that a member has a conflict of interest with an application: the viewer, when who is nil, with one that they review and may
// judge; for staff anybody, themselves included, asked to review it or not. From then on the member sees nothing of it. It returns NOT_FOUND for what the viewer
// cannot see, and what there is when it was declared before.
func (s *Service) Declare(ctx context.Context, v viewer.Viewer, applicationID gid.ID, who *gid.ID, note string) (*ent.Conflict, error) {
	me, err := access.SignedIn(v)
	if err != nil {
		return nil, err
	}
	var check input.Checker
	note = check.Text("note", note, 0, maxReason)
	if err := check.Err(); err != nil {
		return nil, err
	}
	of, which := me, access.JudgedApplications(v)
	if who != nil && *who != me {
		of, which = *who, access.VisibleApplications(v)
	}
	var out *ent.Conflict
	err = s.Store.InTx(ctx, func(ctx context.Context, tx *ent.Client) error {
		if of != me {
			if _, err := staffOnly(ctx, tx, v); err != nil {
				return err
			}
			if _, err := tx.Member.Query().Where(member.ID(of), access.VisibleMembers(v)).OnlyID(ctx); err != nil {
				return missing(err, "memberId")
			}
		}
		if _, err := tx.Application.Query().Where(application.ID(applicationID), which, store.LockRow).Only(ctx); err != nil {
			return missing(err, "applicationId")
		}
		out, err = tx.Conflict.Query().Where(conflict.ApplicationID(applicationID), conflict.MemberID(of), conflict.EndedAtIsNil()).Only(ctx)
		if err == nil || !ent.IsNotFound(err) {
			return err
		}
		out, err = tx.Conflict.Create().SetID(s.NewID(gid.Conflict)).SetCreatedAt(s.Now()).SetApplicationID(applicationID).SetMemberID(of).
			SetNote(note).SetDeclaredByID(me).Save(ctx)
		if err != nil {
			return store.RetryOnConflict(err)
		}
		if err := tally.Applications(ctx, tx, applicationID); err != nil {
			return err
		}
		if err := s.Notify.NoticesChanged(ctx, tx, out.CreatedAt, ofReview(of, applicationID)); err != nil {
			return err
		}
		return s.Audit.Append(ctx, tx, v, audit.Entry{Action: audit.ConflictDeclared, Subject: out.ID})
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// EndConflict says that a declared conflict of interest is none any more. For staff; FORBIDDEN to whose conflict it is. Again, it changes
// nothing.
func (s *Service) EndConflict(ctx context.Context, v viewer.Viewer, id gid.ID, reason string) (*ent.Conflict, error) {
	var check input.Checker
	reason = check.Text("reason", reason, 0, maxReason)
	if err := check.Err(); err != nil {
		return nil, err
	}
	var out *ent.Conflict
	err := s.Store.InTx(ctx, func(ctx context.Context, tx *ent.Client) error {
		me, err := staffOnly(ctx, tx, v)
		if err != nil {
			return err
		}
		c, err := tx.Conflict.Query().Where(conflict.ID(id), access.VisibleConflicts(v), store.LockRow).Only(ctx)
		if err != nil {
			return missing(err, "conflictId")
		}
		if out = c; c.EndedAt != nil {
			return nil
		}
		if c.MemberID == me {
			return fault.Denied("This conflict of interest is your own. Let somebody else say that it is over.")
		}
		if out, err = tx.Conflict.UpdateOne(c).SetEndedAt(s.Now()).Save(ctx); err != nil {
			return fmt.Errorf("end a conflict: %w", err)
		}
		if err := tally.Applications(ctx, tx, c.ApplicationID); err != nil {
			return err
		}
		if err := s.Notify.NoticesChanged(ctx, tx, *out.EndedAt, ofReview(c.MemberID, c.ApplicationID)); err != nil {
			return err
		}
		return s.Audit.Append(ctx, tx, v, audit.Entry{Action: audit.ConflictEnded, Subject: id, Reason: reason})
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}
