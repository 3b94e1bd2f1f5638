package placement

import (
	"context"
	"fmt"
	"time"

	"github.com/pursuing-equity/commons/ent"
	"github.com/pursuing-equity/commons/ent/application"
	"github.com/pursuing-equity/commons/ent/decision"
	"github.com/pursuing-equity/commons/internal/access"
	"github.com/pursuing-equity/commons/internal/audit"
	"github.com/pursuing-equity/commons/internal/fault"
	"github.com/pursuing-equity/commons/internal/gid"
	"github.com/pursuing-equity/commons/internal/page"
	"github.com/pursuing-equity/commons/internal/store"
	"github.com/pursuing-equity/commons/internal/viewer"
)

// mostReleased is how many decisions one transaction releases: they are released together, and applications cannot change meanwhile.
const mostReleased = 5_000

// Release is which decisions to release.
type Release struct {
	CallID gid.ID
	// BeyondCapacity is how many more places may be offered than are free: whoever takes one first has it.
	BeyondCapacity int
	DryRun         bool // only say what would be released
}

// Released is what was released, or would be.
type Released struct {
	Offered, Waitlisted, Declined int
	// Promoted are those of the waitlist that got a place at once, because fewer were offered than are free.
	Promoted int
	// HeldBack are decisions that stay in preparation: of applications that were asked for more information and can still give it.
	HeldBack int
	// Joining are organizations that are in the network and share a name with those of accepted applications that do not name them by their
	// ids: when such a place is taken the team becomes one of theirs.
	Joining int
}

// Release releases the prepared decisions of a call, all in one instant: nobody sees one without the others. An offered place stands until 23:59
// of the last day in the call's zone. For staff. It returns CAPACITY_REACHED when more is accepted than is free, COHORT_REQUIRED when admitted teams
// could be enrolled nowhere, ARCHIVED when that cohort was archived, and LIMIT_REACHED for more than 5,000. With nothing prepared, it
// changes nothing.
func (s *Service) Release(ctx context.Context, v viewer.Viewer, in Release) (*ent.Call, *Released, error) {
	if _, err := access.SignedIn(v); err != nil {
		return nil, nil, err
	}
	if in.BeyondCapacity < 0 || in.BeyondCapacity > maxRank {
		return nil, nil, fault.Invalid("beyondCapacity", "This is from 0 to %d.", maxRank)
	}
	var out *Released
	err := s.Store.InTx(ctx, func(ctx context.Context, tx *ent.Client) error {
		out = new(Released)
		if err := staffOnly(ctx, tx, v); err != nil {
			return err
		}
		c, err := hold(ctx, tx, in.CallID, "callId")
		if err != nil {
			return err
		}
		r, err := s.ready(ctx, tx, c, out)
		if err != nil {
			return err
		}
		if len(r.decisions) == 0 {
			return nil
		}
		if err := s.fits(ctx, tx, c, in, r, out); err != nil || in.DryRun {
			return err
		}
		if out.Waitlisted > 0 {
			if err := number(ctx, tx, c.ID); err != nil { // the ranks that staff want for others count from 1
				return err
			}
		}
		return s.release(ctx, tx, v, c, r, out)
	})
	if err != nil {
		return nil, nil, err
	}
	c, err := s.Store.Client(ctx).Call.Get(ctx, in.CallID)
	if err != nil {
		return nil, nil, fmt.Errorf("load the call: %w", err)
	}
	return c, out, nil
}

// readyDecisions are those to release, by kind.
type readyDecisions struct {
	decisions    []gid.ID
	applications map[decision.Kind][]gid.ID
}

// ready locks the applications whose decisions are to be released, in the order of their ids.
func (s *Service) ready(ctx context.Context, tx *ent.Client, c *ent.Call, out *Released) (*readyDecisions, error) {
	prepared, err := tx.Decision.Query().Where(
		decision.CallID(c.ID), decision.ReleasedAtIsNil(), decision.SupersededAtIsNil(), decision.HasApplicationWith(application.StateIn(undecided()...)),
	).Limit(mostReleased + 1).All(ctx)
	if err != nil {
		return nil, fmt.Errorf("load decisions in preparation: %w", err)
	}
	if len(prepared) > mostReleased {
		return nil, fault.New(fault.LimitReached, "At most %d decisions are released together.", mostReleased).At("callId")
	}
	ids, of := make([]gid.ID, len(prepared)), make(map[gid.ID]*ent.Decision, len(prepared))
	for i, d := range prepared {
		ids[i], of[d.ApplicationID] = d.ApplicationID, d
	}
	rows, err := tx.Application.Query().Where(page.AnyOf(application.FieldID, ids), store.LockRow).Order(application.ByID()).
		Select(application.FieldID, application.FieldState, application.FieldInformationDueAt).All(ctx)
	if err != nil {
		return nil, fmt.Errorf("lock applications: %w", err)
	}
	r, now := &readyDecisions{applications: make(map[decision.Kind][]gid.ID)}, s.Now()
	for _, a := range rows {
		d, asked := of[a.ID], a.State == application.StateINFORMATION_REQUESTED
		switch {
		case asked && (a.InformationDueAt == nil || now.Before(*a.InformationDueAt)):
			out.HeldBack++
		case a.State == application.StateWITHDRAWN: // while this waited
		default:
			r.decisions = append(r.decisions, d.ID)
			r.applications[d.Kind] = append(r.applications[d.Kind], a.ID)
		}
	}
	out.Offered, out.Waitlisted, out.Declined =
		len(r.applications[decision.KindACCEPT]), len(r.applications[decision.KindWAITLIST]), len(r.applications[decision.KindDECLINE])
	return r, nil
}

// fits says whether there is room for what is to be released, and how many of the waitlist get a place by it.
func (s *Service) fits(ctx context.Context, tx *ent.Client, c *ent.Call, in Release, r *readyDecisions, out *Released) error {
	if err := takesTeams(ctx, tx, c, "callId"); err != nil {
		if out.Offered+out.Waitlisted == 0 && len(fault.All(err)) > 0 { // declining takes no cohort, and nobody is promoted
			return nil
		}
		return err
	}
	offered, admitted, err := places(ctx, tx, c.ID)
	if err != nil {
		return err
	}
	free := c.Capacity - offered - admitted
	if out.Offered > max(0, free)+in.BeyondCapacity {
		return fault.New(fault.CapacityReached, "%d are accepted, but of %d places %d are offered and %d are taken.", out.Offered, c.Capacity, offered, admitted).At("callId")
	}
	waiting, err := tx.Application.Query().Where(inState(c.ID, application.StateWAITLISTED)).Count(ctx)
	if err != nil {
		return fmt.Errorf("count who waits: %w", err)
	}
	out.Promoted = max(0, min(free-out.Offered, waiting+out.Waitlisted))
	out.Joining, err = joining(ctx, tx, r.applications[decision.KindACCEPT])
	return err
}

// release releases decisions of a held call.
func (s *Service) release(ctx context.Context, tx *ent.Client, v viewer.Viewer, c *ent.Call, r *readyDecisions, out *Released) error {
	now := s.Now()
	expires, err := lapses(c, now)
	if err != nil {
		return err
	}
	if err := tx.Decision.Update().Where(page.AnyOf(decision.FieldID, r.decisions)).SetReleasedAt(now).SetUpdatedAt(now).Exec(ctx); err != nil {
		return fmt.Errorf("release decisions: %w", err)
	}
	err = tx.Decision.Update().Where(page.AnyOf(decision.FieldID, r.decisions), decision.KindEQ(decision.KindACCEPT)).SetExpiresAt(expires).Exec(ctx)
	if err != nil {
		return fmt.Errorf("say how long offers stand: %w", err)
	}
	for kind, p := range map[decision.Kind]passage{
		decision.KindACCEPT:   {to: application.StateOFFERED, action: audit.PlaceOffered, mail: true},
		decision.KindWAITLIST: {to: application.StateWAITLISTED, action: audit.Waitlisted, mail: true},
		decision.KindDECLINE:  {to: application.StateDECLINED, action: audit.ApplicationDeclined, mail: true},
	} {
		if err := s.pass(ctx, tx, v, now, r.applications[kind], p); err != nil {
			return err
		}
	}
	if err := tx.Call.UpdateOneID(c.ID).SetReleasedAt(now).Exec(ctx); err != nil {
		return fmt.Errorf("note the release: %w", err)
	}
	said := fmt.Sprintf("%d offered, %d waitlisted, %d declined", out.Offered, out.Waitlisted, out.Declined)
	if err := s.Audit.Append(ctx, tx, v, audit.Entry{Action: audit.DecisionsReleased, Subject: c.ID, Reason: said}); err != nil {
		return err
	}
	if out.Waitlisted > 0 {
		if err := number(ctx, tx, c.ID); err != nil {
			return err
		}
	}
	out.Promoted, err = s.promote(ctx, tx, c, now)
	return err
}

// lapses is when an offer made now lapses: at 23:59 of the last day in the call's zone, which is so many days from today there.
func lapses(c *ent.Call, now time.Time) (time.Time, error) {
	zone, err := time.LoadLocation(c.TimeZone)
	if err != nil {
		return now, fmt.Errorf("the zone of %s: %w", c.ID, err)
	}
	y, m, d := now.In(zone).Date()
	return time.Date(y, m, d+c.OfferDays, 23, 59, 0, 0, zone).UTC(), nil
}
