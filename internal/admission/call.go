package admission

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/pursuing-equity/commons/ent"
	"github.com/pursuing-equity/commons/ent/call"
	"github.com/pursuing-equity/commons/ent/cohort"
	"github.com/pursuing-equity/commons/ent/offering"
	"github.com/pursuing-equity/commons/ent/schema"
	"github.com/pursuing-equity/commons/internal/access"
	"github.com/pursuing-equity/commons/internal/audit"
	"github.com/pursuing-equity/commons/internal/event"
	"github.com/pursuing-equity/commons/internal/fault"
	"github.com/pursuing-equity/commons/internal/gid"
	"github.com/pursuing-equity/commons/internal/store"
	"github.com/pursuing-equity/commons/internal/viewer"
)

// NewCall is a call to prepare. Title, zone, opening and due are needed.
type NewCall struct {
	OfferingID gid.ID
	CallPatch
	IdempotencyKey *string `json:"-"`
}

// CreateCall prepares a call for applications, which nobody but staff sees until it is published. For staff.
func (s *Service) CreateCall(ctx context.Context, v viewer.Viewer, in NewCall) (*ent.Call, error) {
	me, err := access.SignedIn(v)
	if err != nil {
		return nil, err
	}
	if in.ClosesLocal == nil {
		in.ClosesLocal = in.DueLocal
	}
	p, err := in.check()
	if err != nil {
		return nil, err
	}
	if p.Requirements == nil {
		p.Requirements = []*schema.Requirement{{Key: "form", Kind: formKind, Label: "Application form"}}
	}
	when, err := noDeadlines().patched(p)
	if err != nil {
		return nil, err
	}
	once := store.Once{Member: me, At: s.Now(), Operation: "createCall", Key: in.IdempotencyKey, Payload: in}
	var id gid.ID
	err = s.Store.InTx(ctx, func(ctx context.Context, tx *ent.Client) (err error) {
		if err := staffOnly(ctx, tx, v); err != nil {
			return err
		}
		id, err = once.Do(ctx, tx, func() (gid.ID, error) { return s.createCall(ctx, tx, v, in.OfferingID, p, when) })
		return err
	})
	if err != nil {
		return nil, err
	}
	return s.callSeen(ctx, s.Store.Client(ctx), v, id)
}

func (s *Service) createCall(ctx context.Context, tx *ent.Client, v viewer.Viewer, offeringID gid.ID, p CallPatch, when deadlines) (gid.ID, error) {
	id, now := s.NewID(gid.Call), s.Now()
	if _, err := tx.Offering.Query().Where(offering.ID(offeringID), store.KeepRows).Only(ctx); err != nil {
		return id, missing(err, "offeringId")
	}
	create := tx.Call.Create().SetID(id).SetCreatedAt(now).SetUpdatedAt(now).SetOfferingID(offeringID).SetTimeZone(when.zone).
		SetOpensAt(when.opens.at).SetDueAt(when.due.at).SetClosesAt(when.closes.at).
		SetOpensLocal(when.opens.local).SetDueLocal(when.due.local).SetClosesLocal(when.closes.local).
		SetTitle(*p.Title).SetNillableSummary(p.Summary).SetRequirements(values(p.Requirements)).SetRubric(values(p.Rubric)).
		SetNillableCapacity(p.Capacity).SetNillableOfferDays(p.OfferDays).SetNillableReviewsWanted(p.ReviewsWanted).SetNillableBlind(p.Blind)
	if p.CohortID != nil && !p.CohortID.IsZero() {
		if err := cohortOf(ctx, tx, v, offeringID, *p.CohortID); err != nil {
			return id, err
		}
		create.SetCohortID(*p.CohortID)
	}
	if err := create.Exec(ctx); err != nil {
		return id, store.RetryOnConflict(err)
	}
	return id, s.Audit.Append(ctx, tx, v, audit.Entry{Action: audit.CallCreated, Subject: id})
}

// cohortOf checks that a cohort is a run of the offering that takes teams.
func cohortOf(ctx context.Context, tx *ent.Client, v viewer.Viewer, offeringID, id gid.ID) error {
	c, err := tx.Cohort.Query().Where(cohort.ID(id), access.VisibleCohorts(v), store.KeepRows).Only(ctx)
	switch {
	case err != nil:
		return missing(err, "cohortId")
	case c.OfferingID != offeringID:
		return fault.Invalid("cohortId", "This is a cohort of another offering.")
	case c.ArchivedAt != nil:
		return fault.New(fault.Archived, "This cohort was archived; it takes no more teams.").At("cohortId")
	}
	return nil
}

// staffOnly returns FORBIDDEN for everybody but staff.
func staffOnly(ctx context.Context, tx *ent.Client, v viewer.Viewer) error {
	actor, err := access.Load(ctx, tx, v)
	if err == nil && !actor.IsStaff() {
		err = fault.Denied("Only staff can do that.")
	}
	return err
}

// callSeen loads a call that the viewer can see.
func (s *Service) callSeen(ctx context.Context, c *ent.Client, v viewer.Viewer, id gid.ID) (*ent.Call, error) {
	row, err := c.Call.Query().Where(call.ID(id), access.VisibleCalls(v)).Only(ctx)
	if err != nil {
		return nil, missing(err, "callId")
	}
	return row, nil
}

// holdCall loads and locks a call for staff to change: NOT_FOUND for who cannot see it, FORBIDDEN for who can and is not staff, and
// STALE_VERSION when it is not at the version, if one is given. The clock is to be asked afterwards.
func (s *Service) holdCall(ctx context.Context, tx *ent.Client, v viewer.Viewer, id gid.ID, version *int) (*ent.Call, error) {
	if _, err := access.SignedIn(v); err != nil {
		return nil, err
	}
	c, err := tx.Call.Query().Where(call.ID(id), access.VisibleCalls(v), store.LockRow).Only(ctx)
	if err != nil {
		return nil, missing(err, "callId")
	}
	if err := staffOnly(ctx, tx, v); err != nil {
		return nil, err
	}
	if version != nil && *version != c.Version {
		return nil, fault.New(fault.StaleVersion, "Somebody has changed this call or its form since. Load it again.").At("expectedVersion")
	}
	return c, nil
}

// UpdateCall changes a call. For staff. What may change when is said at the SDL's updateCall.
func (s *Service) UpdateCall(ctx context.Context, v viewer.Viewer, id gid.ID, version int, patch CallPatch) (*ent.Call, error) {
	p, err := patch.check()
	if err != nil {
		return nil, err
	}
	err = s.Store.InTx(ctx, func(ctx context.Context, tx *ent.Client) error {
		c, err := s.holdCall(ctx, tx, v, id, &version)
		if err != nil {
			return err
		}
		was := deadlinesOf(c)
		when, err := was.patched(p)
		if err != nil {
			return err
		}
		now := s.Now()
		if c.PublishedAt != nil {
			if err := was.mayMove(when, c.ReleasedAt != nil, now); err != nil {
				return err
			}
		}
		if err := s.mayChange(ctx, tx, v, c, p); err != nil {
			return err
		}
		names, update := changes(c, p, was, when)
		if len(names) == 0 {
			return nil
		}
		c, err = update(tx.Call.UpdateOne(c)).SetUpdatedAt(now).AddVersion(1).Save(ctx)
		if err != nil {
			return store.RetryOnConflict(fmt.Errorf("change a call: %w", err))
		}
		if c.PublishedAt != nil && was != when {
			if err := turning(tx.Call.UpdateOne(c), turnsAfter(c, now)).Exec(ctx); err != nil {
				return fmt.Errorf("plan a call's next turn: %w", err)
			}
		}
		if err := s.tellCall(ctx, tx, v, c, event.CallChanged); err != nil {
			return err
		}
		if err := s.PutOff(ctx, tx, c); err != nil { // reminders follow the deadline
			return err
		}
		if err := s.Audit.Append(ctx, tx, v, audit.Entry{Action: audit.CallChanged, Subject: id, Reason: strings.Join(names, ", ")}); err != nil {
			return err
		}
		if s.PlacesChanged == nil || !slices.Contains(names, "capacity") && !slices.Contains(names, "cohortId") {
			return nil
		}
		return s.PlacesChanged(ctx, tx, c)
	})
	if err != nil {
		return nil, err
	}
	return s.callSeen(ctx, s.Store.Client(ctx), v, id)
}

// changes are the names of the fields that a patch changes, and how.
func changes(c *ent.Call, p CallPatch, was, when deadlines) ([]string, func(*ent.CallUpdateOne) *ent.CallUpdateOne) {
	var names []string
	differs := func(name string, is bool) bool {
		if is {
			names = append(names, name)
		}
		return is
	}
	title := p.Title != nil && differs("title", *p.Title != c.Title)
	summary := p.Summary != nil && differs("summary", *p.Summary != c.Summary)
	differs("timeZone", was.zone != when.zone)
	differs("opensLocal", was.opens != when.opens)
	differs("dueLocal", was.due != when.due)
	differs("closesLocal", was.closes != when.closes)
	requirements := p.Requirements != nil && differs("requirements", !slices.EqualFunc(values(p.Requirements), c.Requirements, sameRequirement))
	rubric := p.Rubric != nil && differs("rubric", !slices.Equal(values(p.Rubric), c.Rubric))
	into := p.CohortID != nil && differs("cohortId", *p.CohortID != orNone(c.CohortID))
	capacity := p.Capacity != nil && differs("capacity", *p.Capacity != c.Capacity)
	days := p.OfferDays != nil && differs("offerDays", *p.OfferDays != c.OfferDays)
	reviews := p.ReviewsWanted != nil && differs("reviewsWanted", *p.ReviewsWanted != c.ReviewsWanted)
	blind := p.Blind != nil && differs("blind", *p.Blind != c.Blind)
	return names, func(u *ent.CallUpdateOne) *ent.CallUpdateOne {
		u.SetTimeZone(when.zone).SetOpensAt(when.opens.at).SetDueAt(when.due.at).SetClosesAt(when.closes.at).
			SetOpensLocal(when.opens.local).SetDueLocal(when.due.local).SetClosesLocal(when.closes.local)
		if title {
			u.SetTitle(*p.Title)
		}
		if summary {
			u.SetSummary(*p.Summary)
		}
		if requirements {
			u.SetRequirements(values(p.Requirements))
		}
		if rubric {
			u.SetRubric(values(p.Rubric))
		}
		switch {
		case into && p.CohortID.IsZero():
			u.ClearCohortID()
		case into:
			u.SetCohortID(*p.CohortID)
		}
		if capacity {
			u.SetCapacity(*p.Capacity)
		}
		if days {
			u.SetOfferDays(*p.OfferDays)
		}
		if reviews {
			u.SetReviewsWanted(*p.ReviewsWanted)
		}
		if blind {
			u.SetBlind(*p.Blind)
		}
		return u
	}
}

func orNone(id *gid.ID) gid.ID {
	if id == nil {
		return gid.ID{}
	}
	return *id
}
