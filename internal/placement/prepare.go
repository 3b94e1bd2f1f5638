package placement

import (
	"context"
	"fmt"
	"slices"

	"entgo.io/ent/dialect/sql"

	"github.com/pursuing-equity/commons/ent"
	"github.com/pursuing-equity/commons/ent/application"
	"github.com/pursuing-equity/commons/ent/decision"
	"github.com/pursuing-equity/commons/internal/access"
	"github.com/pursuing-equity/commons/internal/audit"
	"github.com/pursuing-equity/commons/internal/fault"
	"github.com/pursuing-equity/commons/internal/gid"
	"github.com/pursuing-equity/commons/internal/input"
	"github.com/pursuing-equity/commons/internal/store"
	"github.com/pursuing-equity/commons/internal/viewer"
)

// DecisionDraft is a decision to prepare, or to change before its release.
type DecisionDraft struct {
	ApplicationID gid.ID
	Kind          decision.Kind
	Rank          *int   // of a WAITLIST; nil: behind those that have one
	Reason, Note  string // for the applicants, and for staff
	// ExpectedVersion is that of the decision in preparation, 0 when there is none.
	ExpectedVersion int
}

func (in *DecisionDraft) check() error {
	var c input.Checker
	if decision.KindValidator(in.Kind) != nil {
		c.Refuse("kind", "There is no such decision.")
	}
	switch {
	case in.Rank == nil:
	case in.Kind != decision.KindWAITLIST:
		c.Refuse("rank", "Only those who wait have a rank.")
	case *in.Rank < 1 || *in.Rank > maxRank:
		c.Refuse("rank", "A rank is from 1 to %d.", maxRank)
	}
	in.Reason, in.Note = c.Text("reason", in.Reason, 0, maxReason), c.Text("note", in.Note, 0, maxNote)
	return c.Err()
}

// undecided are the states in which an application can be decided, or decided again.
func undecided() []application.State {
	return []application.State{
		application.StateSUBMITTED, application.StateINFORMATION_REQUESTED, application.StateDECLINED, application.StateOFFER_DECLINED,
		application.StateOFFER_EXPIRED,
	}
}

// Prepare prepares a decision about an application that was submitted, or changes the one that is in preparation. Nobody but staff learns that
// there is one until it is released. For staff without a conflict of interest: FORBIDDEN else, and for an application that stands
// where it cannot be decided: in draft, withdrawn, on the waitlist, offered a place or admitted. With STALE_VERSION comes the
// decision that is there. What is sent again after a lost response changes nothing.
func (s *Service) Prepare(ctx context.Context, v viewer.Viewer, in DecisionDraft) (*ent.Application, *ent.Decision, error) {
	me, err := access.SignedIn(v)
	if err != nil {
		return nil, nil, err
	}
	if err := in.check(); err != nil {
		return nil, nil, err
	}
	var d *ent.Decision
	a, err := s.change(ctx, v, in.ApplicationID, func(ctx context.Context, tx *ent.Client, a *held) (err error) {
		if err := decidable(ctx, tx, v, a); err != nil {
			return err
		}
		if d, err = current(ctx, tx, a.ID); err != nil {
			return err
		}
		prepared := d != nil && d.ReleasedAt == nil
		switch {
		case prepared && same(d, in):
			return nil
		case prepared && in.ExpectedVersion != d.Version, !prepared && in.ExpectedVersion != 0:
			if !prepared {
				d = nil
			}
			return fault.New(fault.StaleVersion, "Somebody has prepared another decision since.").At("expectedVersion")
		}
		now := s.Now()
		if prepared {
			u := tx.Decision.UpdateOne(d).SetKind(in.Kind).SetReason(in.Reason).SetNote(in.Note).SetDeciderID(me).SetUpdatedAt(now).AddVersion(1).ClearRank()
			if in.Rank != nil {
				u.SetRank(*in.Rank)
			}
			if d, err = u.Save(ctx); err != nil {
				return fmt.Errorf("change a decision: %w", err)
			}
		} else {
			if d != nil { // what was decided before; it stays what applicants see
				if err := tx.Decision.UpdateOne(d).SetSupersededAt(now).Exec(ctx); err != nil {
					return fmt.Errorf("supersede a decision: %w", err)
				}
			}
			d, err = tx.Decision.Create().SetID(s.NewID(gid.Decision)).SetCreatedAt(now).SetUpdatedAt(now).SetApplicationID(a.ID).SetCallID(a.CallID).
				SetKind(in.Kind).SetNillableRank(in.Rank).SetReason(in.Reason).SetNote(in.Note).SetDeciderID(me).Save(ctx)
			if err != nil {
				return store.RetryOnConflict(err)
			}
		}
		return s.Audit.Append(ctx, tx, v, audit.Entry{Action: audit.DecisionPrepared, Subject: a.ID, Reason: string(in.Kind)})
	})
	if fault.Is(err, fault.StaleVersion) {
		return nil, d, err
	}
	return a, d, err
}

// same reports whether a decision says what is to be prepared.
func same(d *ent.Decision, in DecisionDraft) bool {
	ranks := d.Rank == nil && in.Rank == nil || d.Rank != nil && in.Rank != nil && *d.Rank == *in.Rank
	return ranks && d.Kind == in.Kind && d.Reason == in.Reason && d.Note == in.Note
}

// impartial returns FORBIDDEN for everybody but staff without a conflict of interest.
func impartial(ctx context.Context, tx *ent.Client, v viewer.Viewer, id gid.ID) error {
	if err := staffOnly(ctx, tx, v); err != nil {
		return err
	}
	may, err := tx.Application.Query().Where(application.ID(id), access.DecidableApplications(v)).Exist(ctx)
	if err != nil {
		return fmt.Errorf("look for a conflict of interest: %w", err)
	}
	if !may {
		return fault.Denied("You have a conflict of interest with this application. Let somebody else decide it.")
	}
	return nil
}

// decidable says whether the viewer may decide an application that they hold.
func decidable(ctx context.Context, tx *ent.Client, v viewer.Viewer, a *held) error {
	if err := impartial(ctx, tx, v, a.ID); err != nil {
		return err
	}
	if a.Submissions == 0 || !slices.Contains(undecided(), a.State) {
		return fault.Denied("This application cannot be decided as it stands: %s.", a.State)
	}
	return nil
}

// Discard throws a decision in preparation away. What was decided before stands again. For staff without a conflict of interest. Doing it
// again changes nothing.
func (s *Service) Discard(ctx context.Context, v viewer.Viewer, id gid.ID, expectedVersion int) (*ent.Application, error) {
	return s.change(ctx, v, id, func(ctx context.Context, tx *ent.Client, a *held) error {
		if err := impartial(ctx, tx, v, id); err != nil {
			return err
		}
		d, err := current(ctx, tx, id)
		switch {
		case err != nil:
			return err
		case d == nil || d.ReleasedAt != nil:
			return nil
		case d.Version != expectedVersion:
			return fault.New(fault.StaleVersion, "Somebody has changed the decision since.").At("expectedVersion")
		}
		if err := tx.Decision.DeleteOne(d).Exec(ctx); err != nil {
			return fmt.Errorf("throw a decision away: %w", err)
		}
		before, err := tx.Decision.Query().Where(decision.ApplicationID(id)).Order(decision.ByReleasedAt(sql.OrderDesc()), decision.ByID(sql.OrderDesc())).First(ctx)
		switch {
		case ent.IsNotFound(err):
		case err != nil:
			return fmt.Errorf("load what was decided before: %w", err)
		case a.State != application.StateWITHDRAWN: // which had taken its place, too
			if err := tx.Decision.UpdateOne(before).ClearSupersededAt().Exec(ctx); err != nil {
				return fmt.Errorf("let what was decided before stand again: %w", err)
			}
		}
		return s.Audit.Append(ctx, tx, v, audit.Entry{Action: audit.DecisionDiscarded, Subject: id, Reason: string(d.Kind)})
	})
}
