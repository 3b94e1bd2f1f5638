package placement

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/pursuing-equity/commons/ent"
	"github.com/pursuing-equity/commons/ent/application"
	"github.com/pursuing-equity/commons/ent/decision"
	"github.com/pursuing-equity/commons/ent/predicate"
	"github.com/pursuing-equity/commons/internal/access"
	"github.com/pursuing-equity/commons/internal/audit"
	"github.com/pursuing-equity/commons/internal/fault"
	"github.com/pursuing-equity/commons/internal/gid"
	"github.com/pursuing-equity/commons/internal/input"
	"github.com/pursuing-equity/commons/internal/page"
	"github.com/pursuing-equity/commons/internal/store"
	"github.com/pursuing-equity/commons/internal/viewer"
)

// The waitlist of a call is ordered by what its decisions keep as rank. Who leaves it leaves a gap there, so that a page of the list ends at a
// place that stays; a rank as people see it is a number in this order, from 1.

// waiting are the decisions that make up the waitlist of a call.
func waiting(callID gid.ID) predicate.Decision {
	return decision.And(decision.CallID(callID), listed())
}

// listed are the decisions that make up waitlists.
func listed() predicate.Decision {
	return decision.And(
		decision.KindEQ(decision.KindWAITLIST), decision.ReleasedAtNotNil(), decision.SupersededAtIsNil(),
		decision.HasApplicationWith(application.StateEQ(application.StateWAITLISTED)))
}

// number closes the gaps in the waitlist of a held call: it has the ranks 1, 2, 3 and so on, in its order: by rank, those without one last, and
// then by age.
func number(ctx context.Context, tx *ent.Client, callID gid.ID) error {
	// Ranks are not unique in the database, so that one statement can write them all.
	_, err := tx.ExecContext(ctx, `UPDATE decisions SET rank = n.place FROM (
		SELECT d.id, row_number() OVER (ORDER BY d.rank IS NULL, d.rank, d.released_at, d.id) AS place
		FROM decisions d JOIN applications a ON a.id = d.application_id
		WHERE d.call_id = $1 AND d.kind = 'WAITLIST' AND d.released_at IS NOT NULL AND d.superseded_at IS NULL AND a.state = 'WAITLISTED'
	) n WHERE decisions.id = n.id AND (decisions.rank IS NULL OR decisions.rank <> n.place)`, callID)
	if err != nil {
		return fmt.Errorf("number the waitlist: %w", err)
	}
	return nil
}

// promote offers the free places of a held call to those who wait, in the order of their ranks, and returns how many. A call whose cohort takes no
// teams any more promotes nobody. The number of statements is the same for every thousand.
func (s *Service) promote(ctx context.Context, tx *ent.Client, c *ent.Call, now time.Time) (int, error) {
	offered, admitted, err := places(ctx, tx, c.ID)
	if err != nil {
		return 0, err
	}
	free := c.Capacity - offered - admitted
	if free <= 0 {
		return 0, nil
	}
	next, err := tx.Decision.Query().Where(waiting(c.ID)).Order(decision.ByRank(), decision.ByID()).Limit(free).All(ctx)
	if err != nil {
		return 0, fmt.Errorf("load who is next: %w", err)
	}
	if len(next) == 0 {
		return 0, nil
	}
	if err := takesTeams(ctx, tx, c, ""); err != nil {
		if len(fault.All(err)) > 0 {
			return 0, nil
		}
		return 0, err
	}
	expires, err := lapses(c, now)
	if err != nil {
		return 0, err
	}
	offer := func(d *ent.Decision, create *ent.DecisionCreate) {
		create.SetKind(decision.KindACCEPT).SetDeciderID(d.DeciderID).SetExpiresAt(expires)
	}
	program := viewer.System("offer a free place")
	err = s.supersede(ctx, tx, program, now, next, offer, passage{to: application.StateOFFERED, action: audit.PlaceOffered, reason: "waitlist", mail: true})
	if err != nil {
		return 0, err
	}
	return len(next), nil
}

// PlacesAdded offers the places that a held call has more than before to those who wait, within the transaction: for admission.Service.
func (s *Service) PlacesAdded(ctx context.Context, tx *ent.Client, c *ent.Call) error {
	_, err := s.promote(ctx, tx, c, s.Now())
	return err
}

// supersede has released decisions take the place of others, at once.
func (s *Service) supersede(ctx context.Context, tx *ent.Client, v viewer.Viewer, now time.Time, old []*ent.Decision, say func(*ent.Decision, *ent.DecisionCreate), p passage) error {
	for some := range slices.Chunk(old, chunk) {
		before, of := make([]gid.ID, len(some)), make([]gid.ID, len(some))
		rows := make([]*ent.DecisionCreate, len(some))
		for i, d := range some {
			before[i], of[i] = d.ID, d.ApplicationID
			rows[i] = tx.Decision.Create().SetID(s.NewID(gid.Decision)).SetCreatedAt(now).SetUpdatedAt(now).SetApplicationID(d.ApplicationID).
				SetCallID(d.CallID).SetReleasedAt(now)
			say(d, rows[i])
		}
		if _, err := tx.Application.Query().Where(page.AnyOf(application.FieldID, of), store.LockRow).Order(application.ByID()).
			Select(application.FieldID).All(ctx); err != nil {
			return fmt.Errorf("lock applications: %w", err)
		}
		if err := tx.Decision.Update().Where(page.AnyOf(decision.FieldID, before)).SetSupersededAt(now).Exec(ctx); err != nil {
			return fmt.Errorf("supersede decisions: %w", err)
		}
		if err := tx.Decision.CreateBulk(rows...).Exec(ctx); err != nil {
			return store.RetryOnConflict(err)
		}
		if err := s.pass(ctx, tx, v, now, of, p); err != nil {
			return err
		}
	}
	return nil
}

// MoveInWaitlist gives an application another rank on its call's waitlist; those between move by one. A rank behind the last means the last.
// For staff without a conflict of interest.
func (s *Service) MoveInWaitlist(ctx context.Context, v viewer.Viewer, id gid.ID, rank int) (*ent.Application, error) {
	if rank < 1 || rank > maxRank {
		return nil, fault.Invalid("rank", "A rank is from 1 to %d.", maxRank)
	}
	return s.change(ctx, v, id, func(ctx context.Context, tx *ent.Client, a *held) error {
		if err := impartial(ctx, tx, v, id); err != nil {
			return err
		}
		if a.State != application.StateWAITLISTED {
			return fault.Denied("This application does not wait for a place.")
		}
		d, err := standing(ctx, tx, id)
		if err != nil {
			return err
		}
		ids, err := tx.Decision.Query().Where(waiting(a.CallID)).Order(decision.ByRank(), decision.ByID()).IDs(ctx)
		if err != nil {
			return fmt.Errorf("load who waits: %w", err)
		}
		from, to := slices.Index(ids, d.ID)+1, min(rank, len(ids))
		if from == to {
			return nil
		}
		if err := exchange(ctx, tx, a.CallID, from, to); err != nil {
			return err
		}
		if err := tx.Decision.UpdateOne(d).SetUpdatedAt(s.Now()).AddVersion(1).Exec(ctx); err != nil {
			return fmt.Errorf("move in the waitlist: %w", err)
		}
		return s.Audit.Append(ctx, tx, v, audit.Entry{Action: audit.WaitlistMoved, Subject: id, Reason: fmt.Sprintf("from %d to %d", from, to)})
	})
}

// exchange gives who is at one place of a waitlist another one; each between has the place beside theirs. No place is new, so that all others stay.
func exchange(ctx context.Context, tx *ent.Client, callID gid.ID, from, to int) error {
	beside := "lag"
	if to < from {
		beside = "lead"
	}
	_, err := tx.ExecContext(ctx, `WITH listed AS (
		SELECT d.id, d.rank, row_number() OVER w AS place, `+beside+`(d.rank) OVER w AS beside
		FROM decisions d JOIN applications a ON a.id = d.application_id
		WHERE d.call_id = $1 AND d.kind = 'WAITLIST' AND d.released_at IS NOT NULL AND d.superseded_at IS NULL AND a.state = 'WAITLISTED'
		WINDOW w AS (ORDER BY d.rank, d.id)
	) UPDATE decisions SET rank = CASE WHEN n.place = $2 THEN (SELECT rank FROM listed WHERE place = $3) ELSE n.beside END
	FROM listed n WHERE decisions.id = n.id AND n.place BETWEEN $4 AND $5`, callID, from, to, min(from, to), max(from, to))
	if err != nil {
		return fmt.Errorf("exchange places of the waitlist: %w", err)
	}
	return nil
}

// LeaveWaitlist takes an application off the waitlist: it is withdrawn. For its owner. Doing it again changes nothing.
func (s *Service) LeaveWaitlist(ctx context.Context, v viewer.Viewer, id gid.ID) (*ent.Application, error) {
	return s.change(ctx, v, id, func(ctx context.Context, tx *ent.Client, a *held) error {
		switch {
		case !a.owner:
			return fault.Denied("Only the owner can withdraw an application.")
		case a.State == application.StateWITHDRAWN:
			return nil
		case a.State != application.StateWAITLISTED:
			return fault.Denied("This application does not wait for a place.")
		}
		now := s.Now()
		d, err := standing(ctx, tx, id)
		if err != nil {
			return err
		}
		if err := tx.Decision.UpdateOne(d).SetSupersededAt(now).Exec(ctx); err != nil {
			return fmt.Errorf("leave the waitlist: %w", err)
		}
		return s.pass(ctx, tx, v, now, []gid.ID{id}, passage{to: application.StateWITHDRAWN, action: audit.WaitlistLeft, own: true})
	})
}

// CloseWaitlist declines everybody who still waits for a place in a call, with a reason for them. For staff. Doing it again changes nothing.
func (s *Service) CloseWaitlist(ctx context.Context, v viewer.Viewer, callID gid.ID, reason string) (*ent.Call, error) {
	me, err := access.SignedIn(v)
	if err != nil {
		return nil, err
	}
	var check input.Checker
	reason = check.Text("reason", reason, 0, maxReason)
	if err := check.Err(); err != nil {
		return nil, err
	}
	err = s.Store.InTx(ctx, func(ctx context.Context, tx *ent.Client) error {
		if err := staffOnly(ctx, tx, v); err != nil {
			return err
		}
		c, err := hold(ctx, tx, callID, "callId")
		if err != nil {
			return err
		}
		rows, err := tx.Decision.Query().Where(waiting(c.ID)).Order(decision.ByRank(), decision.ByID()).All(ctx)
		if err != nil {
			return fmt.Errorf("load who waits: %w", err)
		}
		if len(rows) == 0 {
			return nil
		}
		decline := func(_ *ent.Decision, create *ent.DecisionCreate) {
			create.SetKind(decision.KindDECLINE).SetReason(reason).SetDeciderID(me)
		}
		err = s.supersede(ctx, tx, v, s.Now(), rows, decline, passage{to: application.StateDECLINED, action: audit.ApplicationDeclined, mail: true})
		if err != nil {
			return err
		}
		return s.Audit.Append(ctx, tx, v, audit.Entry{Action: audit.WaitlistClosed, Subject: c.ID, Reason: fmt.Sprintf("%d declined", len(rows))})
	})
	if err != nil {
		return nil, err
	}
	c, err := s.Store.Client(ctx).Call.Get(ctx, callID)
	if err != nil {
		return nil, fmt.Errorf("load the call: %w", err)
	}
	return c, nil
}
