package community

import (
	"context"
	"fmt"
	"time"

	"github.com/pursuing-equity/commons/ent"
	"github.com/pursuing-equity/commons/ent/affiliation"
	"github.com/pursuing-equity/commons/internal/access"
	"github.com/pursuing-equity/commons/internal/fault"
	"github.com/pursuing-equity/commons/internal/gid"
	"github.com/pursuing-equity/commons/internal/input"
	"github.com/pursuing-equity/commons/internal/store"
	"github.com/pursuing-equity/commons/internal/tally"
	"github.com/pursuing-equity/commons/internal/viewer"
)

// NewAffiliation is a post at an organization to add; the viewer's own when MemberID is nil.
type NewAffiliation struct {
	MemberID       *gid.ID
	OrganizationID gid.ID
	Title          string
	Primary        bool
	StartsOn       *time.Time
	IdempotencyKey *string `json:"-"`
}

// CreateAffiliation adds a post of the viewer's, or by staff of any member's. A primary one takes the place of the primary one before.
func (s *Service) CreateAffiliation(ctx context.Context, v viewer.Viewer, in NewAffiliation) (*ent.Affiliation, error) {
	me, err := access.SignedIn(v)
	if err != nil {
		return nil, err
	}
	var check input.Checker
	title := check.Line("title", in.Title, 0, maxTitle)
	if err := check.Err(); err != nil {
		return nil, err
	}
	once := store.Once{Operation: "createAffiliation", Key: in.IdempotencyKey, Payload: in}
	return create[ent.Affiliation](ctx, s, v, once, func(ctx context.Context, tx *ent.Client) (gid.ID, error) {
		who := me
		if in.MemberID != nil {
			who = *in.MemberID
		}
		if err := lockMember(ctx, tx, v, who); err != nil {
			return gid.ID{}, err
		}
		actor, err := access.Load(ctx, tx, v)
		if err != nil {
			return gid.ID{}, err
		}
		if !actor.CanUpdateAffiliations(who) {
			return gid.ID{}, fault.Denied("Only staff can add posts of others.")
		}
		o, err := look[ent.Organization](ctx, tx, v, in.OrganizationID, "organizationId")
		if err != nil {
			return gid.ID{}, err
		}
		if o.ArchivedAt != nil {
			return gid.ID{}, archived("organization").At("organizationId")
		}
		if in.Primary {
			if err := tx.Affiliation.Update().Where(affiliation.MemberID(who), affiliation.IsPrimary(true)).SetIsPrimary(false).Exec(ctx); err != nil {
				return gid.ID{}, fmt.Errorf("take the primary affiliation back: %w", err)
			}
		}
		id := s.NewID(gid.Affiliation)
		err = tx.Affiliation.Create().SetID(id).SetCreatedAt(s.Now()).SetMemberID(who).SetOrganizationID(o.ID).SetTitle(title).
			SetIsPrimary(in.Primary).SetNillableStartsOn(dayOf(in.StartsOn)).Exec(ctx)
		if err != nil {
			return id, store.RetryOnConflict(err)
		}
		return id, tally.ReviewedBy(ctx, tx, who)
	})
}

// EndAffiliation ends a post of the viewer's, or by staff of any member's, on a day: today when nil. What has ended is not what the
// member is shown with. Ending it again without a day changes nothing.
func (s *Service) EndAffiliation(ctx context.Context, v viewer.Viewer, id gid.ID, endsOn *time.Time) (*ent.Affiliation, error) {
	err := s.change(ctx, v, func(ctx context.Context, tx *ent.Client) error {
		a, err := tx.Affiliation.Query().Where(affiliation.ID(id), access.VisibleAffiliations(v), store.LockRow).Only(ctx)
		if err != nil {
			return missing(err, "affiliationId")
		}
		actor, err := access.Load(ctx, tx, v)
		if err != nil {
			return err
		}
		if !actor.CanUpdateAffiliations(a.MemberID) {
			return fault.Denied("Only staff can end posts of others.")
		}
		if a.EndsOn != nil && endsOn == nil {
			return nil
		}
		last := s.today()
		if endsOn != nil {
			last = day(*endsOn)
		}
		if a.StartsOn != nil && last.Before(*a.StartsOn) {
			return fault.Invalid("endsOn", "The last day must not be before the first.")
		}
		u := tx.Affiliation.UpdateOneID(id).SetEndsOn(last)
		if !last.After(s.today()) {
			u.SetIsPrimary(false)
		}
		if err := u.Exec(ctx); err != nil {
			return fmt.Errorf("end affiliation: %w", err)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return reload[ent.Affiliation](ctx, s, v, id)
}
