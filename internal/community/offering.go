package community

import (
	"context"
	"fmt"

	"github.com/pursuing-equity/commons/ent"
	"github.com/pursuing-equity/commons/ent/schema"
	"github.com/pursuing-equity/commons/internal/audit"
	"github.com/pursuing-equity/commons/internal/fault"
	"github.com/pursuing-equity/commons/internal/gid"
	"github.com/pursuing-equity/commons/internal/input"
	"github.com/pursuing-equity/commons/internal/viewer"
)

// Limits of an offering.
const (
	maxSupports    = 30
	maxSupportKind = 60
	maxFee         = 1_000_000_000 // in the currency's minor unit
	maxCapacity    = 10_000
)

// OfferingPatch is what to change of an offering; nil leaves a field as it is.
type OfferingPatch struct {
	Name, Summary, Outcome  *string
	Supports                []*schema.Support // all of them; nil leaves them
	FeeAmount, TeamCapacity *int
	ExpectedVersion         *int // nil: whatever it is
}

func (p OfferingPatch) check() (OfferingPatch, error) {
	var c input.Checker
	p.Name = line(&c, "name", p.Name, 1, maxName)
	p.Summary, p.Outcome = text(&c, "summary", p.Summary, maxAbout), text(&c, "outcome", p.Outcome, maxAbout)
	if p.FeeAmount != nil && (*p.FeeAmount < 0 || *p.FeeAmount > maxFee) {
		c.Refuse("feeAmount", "A fee is from 0 to %d.", maxFee)
	}
	if p.TeamCapacity != nil && (*p.TeamCapacity < 1 || *p.TeamCapacity > maxCapacity) {
		c.Refuse("teamCapacity", "A cohort takes 1 to %d teams.", maxCapacity)
	}
	if p.Supports == nil {
		return p, c.Err()
	}
	if len(p.Supports) > maxSupports {
		c.Refuse("supports", "An offering has at most %d supports.", maxSupports)
		return p, c.Err()
	}
	supports := make([]*schema.Support, len(p.Supports))
	seen := make(map[string]bool, len(supports))
	for i, s := range p.Supports {
		at := fmt.Sprintf("supports.%d.", i)
		supports[i] = &schema.Support{
			Kind: c.Line(at+"kind", s.Kind, 1, maxSupportKind), Label: c.Line(at+"label", s.Label, 1, maxName),
			Description: c.Text(at+"description", s.Description, 0, maxReason),
		}
		if seen[supports[i].Kind] {
			c.Refuse(at+"kind", "Each kind of support stands once.")
		}
		seen[supports[i].Kind] = true
	}
	p.Supports = supports
	return p, c.Err()
}

// UpdateOffering changes an offering. Access follows its supports at once: without a support, its entitlements open nothing; they stay,
// and open again with it. For staff. It returns STALE_VERSION when the offering is not the expected version.
func (s *Service) UpdateOffering(ctx context.Context, v viewer.Viewer, id gid.ID, patch OfferingPatch) (*ent.Offering, error) {
	p, err := patch.check()
	if err != nil {
		return nil, err
	}
	err = s.change(ctx, v, func(ctx context.Context, tx *ent.Client) error {
		if err := staffOnly(ctx, tx, v); err != nil {
			return err
		}
		old, err := lockOffering(ctx, tx, id)
		if err != nil {
			return err
		}
		if p.ExpectedVersion != nil && *p.ExpectedVersion != old.Version {
			return fault.New(fault.StaleVersion, "Somebody has changed this offering since.").At("expectedVersion")
		}
		u := tx.Offering.UpdateOneID(id).AddVersion(1).SetNillableName(p.Name).SetNillableSummary(p.Summary).SetNillableOutcome(p.Outcome).
			SetNillableFeeAmount(p.FeeAmount).SetNillableTeamCapacity(p.TeamCapacity)
		if p.Supports != nil {
			supports := make([]schema.Support, len(p.Supports))
			for i, s := range p.Supports {
				supports[i] = *s
			}
			u.SetSupports(supports)
		}
		if err := u.Exec(ctx); err != nil {
			return fmt.Errorf("update offering: %w", err)
		}
		if err := s.Audit.Append(ctx, tx, v, audit.Entry{Action: audit.OfferingChanged, Subject: id}); err != nil || p.Supports == nil {
			return err
		}
		return s.deriveOffering(ctx, tx, id)
	})
	if err != nil {
		return nil, err
	}
	return reload[ent.Offering](ctx, s, v, id)
}
