package community

import (
	"context"
	"fmt"
	"time"

	"github.com/pursuing-equity/commons/ent"
	"github.com/pursuing-equity/commons/ent/cohort"
	"github.com/pursuing-equity/commons/ent/space"
	"github.com/pursuing-equity/commons/internal/access"
	"github.com/pursuing-equity/commons/internal/fault"
	"github.com/pursuing-equity/commons/internal/gid"
	"github.com/pursuing-equity/commons/internal/input"
	"github.com/pursuing-equity/commons/internal/store"
	"github.com/pursuing-equity/commons/internal/viewer"
)

// NewCohort is a run of an offering to start.
type NewCohort struct {
	OfferingID       gid.ID
	Name             string
	StartsOn, EndsOn time.Time
	IdempotencyKey   *string `json:"-"`
}

// CohortPatch is what to change of a cohort; nil leaves a field as it is.
type CohortPatch struct {
	Name             *string
	StartsOn, EndsOn *time.Time
}

func (p CohortPatch) check() (CohortPatch, error) {
	var c input.Checker
	p.Name = line(&c, "name", p.Name, 1, maxName)
	p.StartsOn, p.EndsOn = dayOf(p.StartsOn), dayOf(p.EndsOn)
	if p.StartsOn != nil && p.StartsOn.IsZero() {
		c.Refuse("startsOn", "A cohort has a first day.")
	}
	if p.EndsOn != nil && p.EndsOn.IsZero() {
		c.Refuse("endsOn", "A cohort has a last day.")
	}
	return p, c.Err()
}

func daysInOrder(startsOn, endsOn time.Time) error {
	if endsOn.Before(startsOn) {
		return fault.Invalid("endsOn", "The last day must not be before the first.")
	}
	return nil
}

// CreateCohort starts a run of an offering, with a space of its own. For staff.
func (s *Service) CreateCohort(ctx context.Context, v viewer.Viewer, in NewCohort) (*ent.Cohort, error) {
	p, err := CohortPatch{&in.Name, &in.StartsOn, &in.EndsOn}.check()
	if err != nil {
		return nil, err
	}
	if err := daysInOrder(*p.StartsOn, *p.EndsOn); err != nil {
		return nil, err
	}
	once := store.Once{Operation: "createCohort", Key: in.IdempotencyKey, Payload: in}
	return create[ent.Cohort](ctx, s, v, once, func(ctx context.Context, tx *ent.Client) (gid.ID, error) {
		if err := staffOnly(ctx, tx, v); err != nil {
			return gid.ID{}, err
		}
		o, err := look[ent.Offering](ctx, tx, v, in.OfferingID, "offeringId")
		if err != nil {
			return gid.ID{}, err
		}
		// Who grants or revokes what the offering's supports open meanwhile sees this cohort, or is seen by who enrolls in it.
		if _, err := lockOffering(ctx, tx, o.ID); err != nil {
			return gid.ID{}, err
		}
		if err := cohortNameFree(ctx, tx, o.ID, *p.Name); err != nil {
			return gid.ID{}, err
		}
		now, id := s.Now(), s.NewID(gid.Cohort)
		err = tx.Cohort.Create().SetID(id).SetCreatedAt(now).SetUpdatedAt(now).SetOfferingID(o.ID).
			SetName(*p.Name).SetStartsOn(*p.StartsOn).SetEndsOn(*p.EndsOn).Exec(ctx)
		if err != nil {
			return gid.ID{}, store.RetryOnConflict(err)
		}
		spaceID := s.NewID(gid.Space)
		err = tx.Space.Create().SetID(spaceID).SetCreatedAt(now).SetUpdatedAt(now).SetKind(space.KindCOHORT).
			SetName(*p.Name).SetCohortID(id).Exec(ctx)
		if err != nil {
			return gid.ID{}, fmt.Errorf("create the cohort's space: %w", err)
		}
		return id, s.tellOfSpace(ctx, tx, spaceID, space.KindCOHORT, now)
	})
}

func cohortNameFree(ctx context.Context, tx *ent.Client, offeringID gid.ID, name string) error {
	taken, err := tx.Cohort.Query().Where(cohort.OfferingID(offeringID), cohort.Name(name)).Exist(ctx)
	if err == nil && taken {
		err = exists("name", "The offering has a cohort of this name.")
	}
	return err
}

// lockCohort holds the row of a cohort that the viewer can see.
func lockCohort(ctx context.Context, tx *ent.Client, v viewer.Viewer, id gid.ID, path string) (*ent.Cohort, *access.Actor, error) {
	c, err := tx.Cohort.Query().Where(cohort.ID(id), access.VisibleCohorts(v), store.LockRow).Only(ctx)
	if err != nil {
		return nil, nil, missing(err, path)
	}
	actor, err := access.Load(ctx, tx, v)
	return c, actor, err
}

// UpdateCohort changes a cohort. For staff and its facilitators.
func (s *Service) UpdateCohort(ctx context.Context, v viewer.Viewer, id gid.ID, patch CohortPatch) (*ent.Cohort, error) {
	p, err := patch.check()
	if err != nil {
		return nil, err
	}
	err = s.change(ctx, v, func(ctx context.Context, tx *ent.Client) error {
		c, actor, err := lockCohort(ctx, tx, v, id, "cohortId")
		switch {
		case err != nil:
			return err
		case !actor.CanUpdateCohort(id):
			return fault.Denied("Only staff and the cohort's facilitators can change it.")
		case c.ArchivedAt != nil:
			return archived("cohort").At("cohortId")
		}
		now := s.Now()
		u := tx.Cohort.UpdateOneID(id).SetUpdatedAt(now).SetNillableStartsOn(p.StartsOn).SetNillableEndsOn(p.EndsOn)
		if p.Name != nil && *p.Name != c.Name {
			if err := cohortNameFree(ctx, tx, c.OfferingID, *p.Name); err != nil {
				return err
			}
			// The space goes by the cohort's name, unless people gave it another.
			if err := tx.Space.Update().Where(space.CohortID(id), space.Name(c.Name)).SetName(*p.Name).SetUpdatedAt(now).Exec(ctx); err != nil {
				return fmt.Errorf("rename the cohort's space: %w", err)
			}
			u.SetName(*p.Name)
		}
		if c, err = u.Save(ctx); err != nil {
			return store.RetryOnConflict(err)
		}
		return daysInOrder(c.StartsOn, c.EndsOn)
	})
	if err != nil {
		return nil, err
	}
	return reload[ent.Cohort](ctx, s, v, id)
}

// ArchiveCohort retires a cohort: it takes no more teams, and its space is read only. For staff. Doing it again changes nothing.
func (s *Service) ArchiveCohort(ctx context.Context, v viewer.Viewer, id gid.ID) (*ent.Cohort, error) {
	err := s.change(ctx, v, func(ctx context.Context, tx *ent.Client) error {
		c, actor, err := lockCohort(ctx, tx, v, id, "cohortId")
		switch {
		case err != nil:
			return err
		case !actor.IsStaff():
			return fault.Denied("Only staff can archive a cohort.")
		case c.ArchivedAt != nil:
			return nil
		}
		now := s.Now()
		if err := tx.Cohort.UpdateOneID(id).SetArchivedAt(now).SetUpdatedAt(now).Exec(ctx); err != nil {
			return fmt.Errorf("archive cohort: %w", err)
		}
		return archiveSpaceOf(ctx, tx, now, space.CohortID(id))
	})
	if err != nil {
		return nil, err
	}
	return reload[ent.Cohort](ctx, s, v, id)
}
