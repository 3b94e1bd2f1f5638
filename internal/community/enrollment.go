package community

import (
	"context"
	"fmt"
	"time"

	"github.com/pursuing-equity/commons/ent"
	"github.com/pursuing-equity/commons/ent/enrollment"
	"github.com/pursuing-equity/commons/ent/teammembership"
	"github.com/pursuing-equity/commons/internal/access"
	"github.com/pursuing-equity/commons/internal/fault"
	"github.com/pursuing-equity/commons/internal/gid"
	"github.com/pursuing-equity/commons/internal/input"
	"github.com/pursuing-equity/commons/internal/store"
	"github.com/pursuing-equity/commons/internal/viewer"
	"github.com/pursuing-equity/commons/internal/webhook"
)

// NewEnrollment is a team's place in a cohort to give.
type NewEnrollment struct {
	CohortID, TeamID gid.ID
	Reason           string
	IdempotencyKey   *string `json:"-"`
}

const whoEnrolls = "Only staff and the cohort's facilitators can do that."

// EnrollTeam gives a team a place in a cohort, and its members the spaces of the cohort and the network. It returns ALREADY_EXISTS
// for a team that has one, whatever its state.
func (s *Service) EnrollTeam(ctx context.Context, v viewer.Viewer, in NewEnrollment) (*ent.Enrollment, error) {
	var check input.Checker
	reason := check.Text("reason", in.Reason, 0, maxReason)
	if err := check.Err(); err != nil {
		return nil, err
	}
	once := store.Once{Operation: "enrollTeam", Key: in.IdempotencyKey, Payload: in}
	return create[ent.Enrollment](ctx, s, v, once, func(ctx context.Context, tx *ent.Client) (gid.ID, error) {
		c, actor, err := lockCohort(ctx, tx, v, in.CohortID, "cohortId")
		switch {
		case err != nil:
			return gid.ID{}, err
		case !actor.CanUpdateCohort(c.ID):
			return gid.ID{}, fault.Denied(whoEnrolls)
		case c.ArchivedAt != nil:
			return gid.ID{}, archived("cohort").At("cohortId")
		}
		t, _, err := lockTeam(ctx, tx, v, in.TeamID, "teamId")
		if err != nil {
			return gid.ID{}, err
		}
		if t.ArchivedAt != nil {
			return gid.ID{}, archived("team").At("teamId")
		}
		enrolled, err := tx.Enrollment.Query().Where(enrollment.CohortID(c.ID), enrollment.TeamID(t.ID)).Exist(ctx)
		if err != nil {
			return gid.ID{}, fmt.Errorf("look for an enrollment: %w", err)
		}
		if enrolled {
			return gid.ID{}, exists("teamId", "This team has a place in the cohort. Change its enrollment.")
		}
		now, id := s.Now(), s.NewID(gid.Enrollment)
		err = tx.Enrollment.Create().SetID(id).SetCreatedAt(now).SetUpdatedAt(now).SetCohortID(c.ID).SetTeamID(t.ID).
			SetState(enrollment.StateENROLLED).SetReason(reason).Exec(ctx)
		if err != nil {
			return gid.ID{}, store.RetryOnConflict(err)
		}
		if err := s.tellOfEnrollment(ctx, tx, &ent.Enrollment{ID: id, TeamID: t.ID, CohortID: c.ID}, enrollment.StateENROLLED, now); err != nil {
			return gid.ID{}, err
		}
		return id, s.deriveTeam(ctx, tx, t.ID)
	})
}

// UpdateEnrollment changes where an enrollment stands; the reason stays when it is nil. Withdrawing takes the spaces away that came
// with it. What is archived takes no team back, but a place in it can end.
func (s *Service) UpdateEnrollment(ctx context.Context, v viewer.Viewer, id gid.ID, state enrollment.State, reason *string) (*ent.Enrollment, error) {
	var check input.Checker
	enum(&check, "state", &state, enrollment.StateValidator)
	reason = text(&check, "reason", reason, maxReason)
	if err := check.Err(); err != nil {
		return nil, err
	}
	err := s.change(ctx, v, func(ctx context.Context, tx *ent.Client) error {
		h, err := s.holdEnrollment(ctx, tx, v, id)
		if err != nil {
			return err
		}
		if !h.actor.CanUpdateCohort(h.cohort.ID) {
			return fault.Denied(whoEnrolls)
		}
		return s.moveEnrollment(ctx, tx, v, h, state, reason)
	})
	if err != nil {
		return nil, err
	}
	return reload[ent.Enrollment](ctx, s, v, id)
}

// WithdrawEnrollment ends a team's place in a cohort, at once, and takes away the spaces that came with it; when an application led to it,
// also the team, if it has no other place. For staff, the cohort's facilitators, and the leads of the team and of its organization. It returns
// nil when the viewer lost sight of it by that. Doing it again changes nothing.
func (s *Service) WithdrawEnrollment(ctx context.Context, v viewer.Viewer, id gid.ID, reason string) (*ent.Enrollment, error) {
	var check input.Checker
	reason = check.Text("reason", reason, 0, maxReason)
	if err := check.Err(); err != nil {
		return nil, err
	}
	err := s.change(ctx, v, func(ctx context.Context, tx *ent.Client) error {
		h, err := s.holdEnrollment(ctx, tx, v, id)
		switch {
		case err != nil:
			return err
		case !h.leads && !h.actor.CanUpdateCohort(h.cohort.ID):
			return fault.Denied("Only staff, the cohort's facilitators, and the team's leads can end its place.")
		case h.State == enrollment.StateWITHDRAWN:
			return nil
		case h.State == enrollment.StateCOMPLETED:
			return fault.Denied("The team took part to the end.")
		}
		return s.moveEnrollment(ctx, tx, v, h, enrollment.StateWITHDRAWN, &reason)
	})
	if err != nil {
		return nil, err
	}
	return still[ent.Enrollment](ctx, s, v, id)
}

// heldEnrollment is an enrollment that a mutation has locked, with what it lies between and what the viewer may.
type heldEnrollment struct {
	*ent.Enrollment
	cohort *ent.Cohort
	team   *ent.Team
	actor  *access.Actor
	leads  bool // the team, or is staff
}

// holdEnrollment loads an enrollment that the viewer can see, and holds the application's place, the cohort and the team, in this order.
func (s *Service) holdEnrollment(ctx context.Context, tx *ent.Client, v viewer.Viewer, id gid.ID) (*heldEnrollment, error) {
	const path = "enrollmentId"
	e, err := look[ent.Enrollment](ctx, tx, v, id, path)
	if err != nil {
		return nil, err
	}
	if e.ApplicationID != nil && s.HoldPlace != nil {
		if err := s.HoldPlace(ctx, tx, *e.ApplicationID); err != nil {
			return nil, err
		}
	}
	h := &heldEnrollment{}
	if h.cohort, h.actor, err = lockCohort(ctx, tx, v, e.CohortID, path); err != nil {
		return nil, err
	}
	if h.team, h.leads, err = lockTeam(ctx, tx, v, e.TeamID, path); err != nil {
		return nil, err
	}
	if h.Enrollment, err = tx.Enrollment.Get(ctx, id); err != nil { // again, now that nobody else changes it
		return nil, fmt.Errorf("load enrollment: %w", err)
	}
	return h, nil
}

// moveEnrollment changes where an enrollment stands, and what follows from it. What is archived takes no team back.
func (s *Service) moveEnrollment(ctx context.Context, tx *ent.Client, v viewer.Viewer, h *heldEnrollment, state enrollment.State, reason *string) error {
	const path = "enrollmentId"
	if state == enrollment.StateENROLLED && h.State != state {
		if h.cohort.ArchivedAt != nil {
			return archived("cohort").At(path)
		}
		if h.team.ArchivedAt != nil {
			return archived("team").At(path)
		}
	}
	members, err := tx.TeamMembership.Query().Where(teammembership.TeamID(h.team.ID), teammembership.EndsOnIsNil()).All(ctx)
	if err != nil {
		return fmt.Errorf("load the team's members: %w", err)
	}
	u := tx.Enrollment.UpdateOneID(h.ID).SetState(state).SetNillableReason(reason)
	if state != h.State {
		now := s.Now()
		u.SetUpdatedAt(now) // it says when the state changed
		if err := s.tellOfEnrollment(ctx, tx, h.Enrollment, state, now); err != nil {
			return err
		}
		if h.ApplicationID != nil && s.PlaceChanged != nil {
			if err := s.PlaceChanged(ctx, tx, v, *h.ApplicationID, state); err != nil {
				return err
			}
		}
		if h.ApplicationID != nil && state == enrollment.StateWITHDRAWN {
			if err := s.leave(ctx, tx, h.team, h.Enrollment, now); err != nil {
				return err
			}
		}
	}
	if err := u.Exec(ctx); err != nil {
		return fmt.Errorf("update enrollment: %w", err)
	}
	return s.derive(ctx, tx, ids(members, func(m *ent.TeamMembership) gid.ID { return m.MemberID })...)
}

// tellOfEnrollment tells those outside who want to know where an enrollment stands now.
func (s *Service) tellOfEnrollment(ctx context.Context, tx *ent.Client, e *ent.Enrollment, state enrollment.State, at time.Time) error {
	return s.Webhooks.Tell(ctx, tx, at, webhook.Happening{Event: webhook.EnrollmentChanged, Data: map[string]any{
		"enrollmentId": e.ID.String(), "teamId": e.TeamID.String(), "cohortId": e.CohortID.String(), "state": string(state),
	}})
}

// EnrollmentReasons are the reasons of enrollments, nil where they are not for the viewer to see.
func (s *Service) EnrollmentReasons(ctx context.Context, v viewer.Viewer, enrollments []*ent.Enrollment) ([]*string, error) {
	actor, err := access.Load(ctx, s.Store.Client(ctx), v)
	if err != nil {
		return nil, err
	}
	reasons := make([]*string, len(enrollments))
	for i, e := range enrollments {
		if actor.CanUpdateCohort(e.CohortID) {
			reasons[i] = &e.Reason
		}
	}
	return reasons, nil
}
