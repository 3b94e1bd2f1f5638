package placement

import (
	"context"
	"fmt"
	"time"

	"github.com/pursuing-equity/commons/ent"
	"github.com/pursuing-equity/commons/ent/application"
	"github.com/pursuing-equity/commons/ent/applicationeditor"
	"github.com/pursuing-equity/commons/ent/decision"
	"github.com/pursuing-equity/commons/ent/member"
	"github.com/pursuing-equity/commons/internal/audit"
	"github.com/pursuing-equity/commons/internal/community"
	"github.com/pursuing-equity/commons/internal/fault"
	"github.com/pursuing-equity/commons/internal/gid"
	"github.com/pursuing-equity/commons/internal/tally"
	"github.com/pursuing-equity/commons/internal/viewer"
)

// Accept takes an offered place, and enrolls the team: see community.Place. For the application's owner: FORBIDDEN else, and where no place is
// offered. It returns OFFER_EXPIRED from the instant on at which the offer lapses, and CAPACITY_REACHED when more places were offered than there
// are and others were faster: the offer stands then, should a place become free. Doing it again changes nothing.
func (s *Service) Accept(ctx context.Context, v viewer.Viewer, id gid.ID) (*ent.Application, error) {
	return s.change(ctx, v, id, func(ctx context.Context, tx *ent.Client, a *held) error {
		if a.owner && a.State == application.StateADMITTED {
			return nil
		}
		d, now, err := s.offered(ctx, tx, a)
		if err != nil {
			return err
		}
		if err := takesTeams(ctx, tx, a.call, "applicationId"); err != nil {
			return err
		}
		_, admitted, err := places(ctx, tx, a.CallID)
		if err != nil {
			return err
		}
		if admitted >= a.call.Capacity {
			return fault.New(fault.CapacityReached, "All %d places are taken; others were faster.", a.call.Capacity).At("applicationId")
		}
		if err := tx.Decision.UpdateOne(d).SetAnswer(decision.AnswerCONFIRMED).SetAnsweredAt(now).Exec(ctx); err != nil {
			return fmt.Errorf("answer an offer: %w", err)
		}
		accepted := passage{to: application.StateADMITTED, action: audit.OfferAccepted, mail: true, own: true}
		if err := s.pass(ctx, tx, v, now, []gid.ID{id}, accepted); err != nil {
			return err
		}
		return s.enroll(ctx, tx, a)
	})
}

// Decline turns an offered place down; it goes to the next on the waitlist. For the application's owner, by the rules of Accept. Doing it
// again changes nothing.
func (s *Service) Decline(ctx context.Context, v viewer.Viewer, id gid.ID) (*ent.Application, error) {
	return s.change(ctx, v, id, func(ctx context.Context, tx *ent.Client, a *held) error {
		if a.owner && a.State == application.StateOFFER_DECLINED {
			return nil
		}
		d, now, err := s.offered(ctx, tx, a)
		if err != nil {
			return err
		}
		if err := tx.Decision.UpdateOne(d).SetAnswer(decision.AnswerDECLINED).SetAnsweredAt(now).Exec(ctx); err != nil {
			return fmt.Errorf("answer an offer: %w", err)
		}
		if err := s.pass(ctx, tx, v, now, []gid.ID{id}, passage{to: application.StateOFFER_DECLINED, action: audit.OfferDeclined, own: true}); err != nil {
			return err
		}
		_, err = s.promote(ctx, tx, a.call, now)
		return err
	})
}

// offered is the offer that the viewer can answer, and the time at which they do.
func (s *Service) offered(ctx context.Context, tx *ent.Client, a *held) (*ent.Decision, time.Time, error) {
	now := s.Now()
	switch {
	case !a.owner:
		return nil, now, fault.Denied("Only the owner of the application can answer an offer.")
	case a.State == application.StateOFFER_EXPIRED:
		return nil, now, expired()
	case a.State != application.StateOFFERED:
		return nil, now, fault.Denied("No place is offered.")
	}
	d, err := standing(ctx, tx, a.ID)
	if err == nil && d.ExpiresAt != nil && !now.Before(*d.ExpiresAt) {
		err = expired()
	}
	return d, now, err
}

func expired() *fault.Error {
	return fault.New(fault.OfferExpired, "The time to answer this offer is over.").At("applicationId")
}

// enroll enrolls the team of an admitted application. Editors whose accounts are closed are left out.
func (s *Service) enroll(ctx context.Context, tx *ent.Client, a *held) error {
	editors, err := tx.ApplicationEditor.Query().
		Where(applicationeditor.ApplicationID(a.ID), applicationeditor.HasMemberWith(member.StatusEQ(member.StatusACTIVE))).
		Order(applicationeditor.ByID()).All(ctx)
	if err != nil {
		return fmt.Errorf("load editors: %w", err)
	}
	p := community.Placing{Application: a.Application, CohortID: *a.call.CohortID}
	for _, e := range editors {
		p.Members = append(p.Members, e.MemberID)
		if e.Owner {
			p.Lead = e.MemberID
		}
	}
	e, err := s.Community.Place(ctx, tx, p)
	if err != nil {
		return err
	}
	if a.OrganizationID != nil {
		return nil
	}
	t, err := tx.Team.Get(ctx, e.TeamID)
	if err != nil {
		return fmt.Errorf("load the team: %w", err)
	}
	if err := tx.Application.UpdateOneID(a.ID).SetOrganizationID(t.OrganizationID).Exec(ctx); err != nil {
		return fmt.Errorf("note the organization: %w", err)
	}
	return tally.Applications(ctx, tx, a.ID)
}
