package community

import (
	"context"
	"fmt"
	"time"

	"github.com/pursuing-equity/commons/ent"
	"github.com/pursuing-equity/commons/ent/affiliation"
	"github.com/pursuing-equity/commons/ent/cohort"
	"github.com/pursuing-equity/commons/ent/enrollment"
	"github.com/pursuing-equity/commons/ent/offering"
	"github.com/pursuing-equity/commons/ent/organization"
	"github.com/pursuing-equity/commons/ent/space"
	"github.com/pursuing-equity/commons/ent/sponsorship"
	"github.com/pursuing-equity/commons/ent/team"
	"github.com/pursuing-equity/commons/ent/teammembership"
	"github.com/pursuing-equity/commons/internal/gid"
	"github.com/pursuing-equity/commons/internal/store"
	"github.com/pursuing-equity/commons/internal/tally"
)

// Placing is a team that takes the place that an application was offered.
type Placing struct {
	Application *ent.Application
	CohortID    gid.ID
	Lead        gid.ID   // who applied
	Members     []gid.ID // who wrote the application, the lead among them; their accounts are in use
}

// Place enrolls an application's team within the transaction of ctx, in which the caller holds the application. It makes what is not there:
//
//   - the organization, unless the application names one of the network, or there is one of the same name, capitals aside;
//   - the team with its space. A team of the application's name is taken when the lead belongs to it; otherwise the new one is called by
//     the cohort, too, so that nobody gets into a team's space by applying under its name;
//   - posts at the organization and places in the team for those who wrote the application, and with them the spaces and whatever else the
//     offering's supports open;
//   - the enrollment, with the offering's fee and what the only sponsor of it waives.
//
// Doing it again returns the enrollment that there is. It holds the cohort, the organization and the team, in this order, and returns
// ARCHIVED when the cohort or the organization was archived, and ALREADY_EXISTS when the team has a place by another application.
func (s *Service) Place(ctx context.Context, tx *ent.Client, p Placing) (*ent.Enrollment, error) {
	c, err := tx.Cohort.Query().Where(cohort.ID(p.CohortID), store.LockRow).Only(ctx)
	if err != nil {
		return nil, missing(err, "applicationId")
	}
	there, err := tx.Enrollment.Query().Where(enrollment.ApplicationID(p.Application.ID)).Only(ctx)
	switch {
	case err == nil:
		return there, nil
	case !ent.IsNotFound(err):
		return nil, fmt.Errorf("look for an enrollment: %w", err)
	case c.ArchivedAt != nil:
		return nil, archived("cohort").At("applicationId")
	}
	o, err := s.placedOrganization(ctx, tx, p.Application)
	if err != nil {
		return nil, err
	}
	t, err := s.placedTeam(ctx, tx, p, o, c)
	if err != nil {
		return nil, err
	}
	if err := s.placePeople(ctx, tx, p, o, t); err != nil {
		return nil, err
	}
	e, err := s.placedEnrollment(ctx, tx, p, t, c)
	if err != nil {
		return nil, err
	}
	if err := s.tellOfEnrollment(ctx, tx, e, enrollment.StateENROLLED, e.UpdatedAt); err != nil {
		return nil, err
	}
	return e, s.deriveTeam(ctx, tx, t.ID)
}

// placedOrganization is the organization that applied, held.
func (s *Service) placedOrganization(ctx context.Context, tx *ent.Client, a *ent.Application) (*ent.Organization, error) {
	which := organization.NameEqualFold(a.OrganizationName)
	if a.OrganizationID != nil {
		which = organization.ID(*a.OrganizationID)
	}
	o, err := tx.Organization.Query().Where(which, store.LockRow).Order(organization.ByID()).First(ctx)
	switch {
	case err == nil && o.ArchivedAt != nil:
		return nil, archived("organization").At("applicationId")
	case err == nil:
		return o, nil
	case !ent.IsNotFound(err):
		return nil, fmt.Errorf("look for the organization: %w", err)
	}
	now := s.Now()
	o, err = tx.Organization.Create().SetID(s.NewID(gid.Organization)).SetCreatedAt(now).SetUpdatedAt(now).SetName(a.OrganizationName).
		SetKind(organization.Kind(a.OrganizationKind)).Save(ctx)
	if err != nil {
		return nil, store.RetryOnConflict(err)
	}
	return o, indexOrganization(ctx, tx, o)
}

// placedTeam is the organization's team that applied, held: one of its name that the lead belongs to, or a new one.
func (s *Service) placedTeam(ctx context.Context, tx *ent.Client, p Placing, o *ent.Organization, c *ent.Cohort) (*ent.Team, error) {
	name := p.Application.TeamName
	if name == "" {
		name = o.Name
	}
	for try, called := 1, name; ; try++ {
		t, err := tx.Team.Query().Where(team.OrganizationID(o.ID), team.Name(called), store.LockRow).Only(ctx)
		if ent.IsNotFound(err) {
			return s.makeTeam(ctx, tx, o, called, "")
		}
		if err != nil {
			return nil, fmt.Errorf("look for the team: %w", err)
		}
		belongs, err := tx.TeamMembership.Query().
			Where(teammembership.TeamID(t.ID), teammembership.MemberID(p.Lead), teammembership.EndsOnIsNil()).Exist(ctx)
		if err != nil {
			return nil, fmt.Errorf("look for the lead: %w", err)
		}
		if belongs && t.ArchivedAt == nil {
			return t, nil
		}
		called = fmt.Sprintf("%s (%s)", cut(name, maxName/2), cut(c.Name, maxName/3))
		if try > 1 {
			called = fmt.Sprintf("%s %d", called, try)
		}
	}
}

// cut is the beginning of a name, in whole characters.
func cut(text string, most int) string {
	n := 0
	for i := range text {
		if n++; n > most {
			return text[:i]
		}
	}
	return text
}

// makeTeam makes a team with a space of its own. The name is free.
func (s *Service) makeTeam(ctx context.Context, tx *ent.Client, o *ent.Organization, name, about string) (*ent.Team, error) {
	now := s.Now()
	t, err := tx.Team.Create().SetID(s.NewID(gid.Team)).SetCreatedAt(now).SetUpdatedAt(now).SetOrganizationID(o.ID).SetName(name).SetAbout(about).Save(ctx)
	if err != nil {
		return nil, store.RetryOnConflict(err)
	}
	spaceID := s.NewID(gid.Space)
	err = tx.Space.Create().SetID(spaceID).SetCreatedAt(now).SetUpdatedAt(now).SetKind(space.KindTEAM).
		SetName(teamSpaceName(o.Name, name)).SetAbout(about).SetTeamID(t.ID).Exec(ctx)
	if err != nil {
		return nil, fmt.Errorf("create the team's space: %w", err)
	}
	return t, s.tellOfSpace(ctx, tx, spaceID, space.KindTEAM, now)
}

// placePeople gives those who wrote the application posts at the organization and places in the team, where they have none.
func (s *Service) placePeople(ctx context.Context, tx *ent.Client, p Placing, o *ent.Organization, t *ent.Team) error {
	posts, err := tx.Affiliation.Query().Where(affiliation.MemberIDIn(p.Members...)).All(ctx)
	if err != nil {
		return fmt.Errorf("load posts: %w", err)
	}
	places, err := tx.TeamMembership.Query().Where(teammembership.TeamID(t.ID), teammembership.EndsOnIsNil()).All(ctx)
	if err != nil {
		return fmt.Errorf("load the team's members: %w", err)
	}
	today, now := s.today(), s.Now()
	has, primary, belongs := map[gid.ID]bool{}, map[gid.ID]bool{}, map[gid.ID]bool{}
	for _, a := range posts {
		current := a.EndsOn == nil || !a.EndsOn.Before(today)
		has[a.MemberID] = has[a.MemberID] || current && a.OrganizationID == o.ID
		primary[a.MemberID] = primary[a.MemberID] || a.IsPrimary
	}
	for _, m := range places {
		belongs[m.MemberID] = true
	}
	var newPosts []*ent.AffiliationCreate
	var newPlaces []*ent.TeamMembershipCreate
	for _, id := range p.Members {
		if !has[id] {
			newPosts = append(newPosts, tx.Affiliation.Create().SetID(s.NewID(gid.Affiliation)).SetCreatedAt(now).SetMemberID(id).SetOrganizationID(o.ID).
				SetIsPrimary(!primary[id]).SetStartsOn(today))
		}
		if !belongs[id] {
			role := teammembership.RoleMEMBER
			if id == p.Lead {
				role = teammembership.RoleLEAD
			}
			newPlaces = append(newPlaces, tx.TeamMembership.Create().SetID(s.NewID(gid.TeamMembership)).SetCreatedAt(now).SetUpdatedAt(now).SetTeamID(t.ID).
				SetMemberID(id).SetRole(role).SetStartsOn(today))
		}
	}
	if len(newPosts) > 0 {
		if err := tx.Affiliation.CreateBulk(newPosts...).Exec(ctx); err != nil {
			return store.RetryOnConflict(err)
		}
		if err := tally.ReviewedBy(ctx, tx, p.Members...); err != nil {
			return err
		}
	}
	if len(newPlaces) > 0 {
		if err := tx.TeamMembership.CreateBulk(newPlaces...).Exec(ctx); err != nil {
			return store.RetryOnConflict(err)
		}
	}
	return nil
}

// placedEnrollment is the team's place in the cohort: a new one, or the one that the team was given by hand.
func (s *Service) placedEnrollment(ctx context.Context, tx *ent.Client, p Placing, t *ent.Team, c *ent.Cohort) (*ent.Enrollment, error) {
	now := s.Now()
	there, err := tx.Enrollment.Query().Where(enrollment.CohortID(c.ID), enrollment.TeamID(t.ID)).Only(ctx)
	if err == nil {
		if there.ApplicationID != nil && there.State != enrollment.StateWITHDRAWN {
			return nil, exists("applicationId", "This team has a place in the cohort already, by another application.")
		}
		e, err := tx.Enrollment.UpdateOne(there).SetApplicationID(p.Application.ID).SetState(enrollment.StateENROLLED).SetUpdatedAt(now).Save(ctx)
		if err != nil {
			return nil, fmt.Errorf("enroll the team again: %w", err)
		}
		return e, nil
	}
	if !ent.IsNotFound(err) {
		return nil, fmt.Errorf("look for an enrollment: %w", err)
	}
	o, err := tx.Offering.Query().Where(offering.ID(c.OfferingID)).Only(ctx)
	if err != nil {
		return nil, fmt.Errorf("load the offering: %w", err)
	}
	sponsors, err := tx.Sponsorship.Query().Where(sponsorship.OfferingID(o.ID), sponsorship.Currency(o.FeeCurrency)).Limit(2).All(ctx)
	if err != nil {
		return nil, fmt.Errorf("load who pays: %w", err)
	}
	create := tx.Enrollment.Create().SetID(s.NewID(gid.Enrollment)).SetCreatedAt(now).SetUpdatedAt(now).SetCohortID(c.ID).SetTeamID(t.ID).
		SetState(enrollment.StateENROLLED).SetApplicationID(p.Application.ID).SetFeeAmount(o.FeeAmount).SetFeeCurrency(o.FeeCurrency)
	if len(sponsors) == 1 { // of several, staff say which
		create.SetSponsorshipID(sponsors[0].ID).SetWaivedAmount(min(o.FeeAmount, sponsors[0].WaivedAmount))
	} else {
		create.SetWaivedAmount(0)
	}
	e, err := create.Save(ctx)
	if err != nil {
		return nil, store.RetryOnConflict(err)
	}
	return e, nil
}

// leave takes back what an application's enrollment gave and nothing else does: when the team has no other place in the program, past ones
// counted, its members' places in it end, and it is archived with its space. The caller holds the team.
func (s *Service) leave(ctx context.Context, tx *ent.Client, t *ent.Team, e *ent.Enrollment, now time.Time) error {
	other, err := tx.Enrollment.Query().
		Where(enrollment.TeamID(t.ID), enrollment.IDNEQ(e.ID), enrollment.StateNEQ(enrollment.StateWITHDRAWN)).Exist(ctx)
	if err != nil || other {
		return err
	}
	// A place that begins later ends before it began; its days stay in order, as in EndTeamMembership.
	open := tx.TeamMembership.Update().Where(teammembership.TeamID(t.ID), teammembership.EndsOnIsNil())
	today := s.today()
	later, err := tx.TeamMembership.Query().Where(teammembership.TeamID(t.ID), teammembership.EndsOnIsNil(), teammembership.StartsOnGT(today)).All(ctx)
	if err != nil {
		return fmt.Errorf("load the team's members: %w", err)
	}
	for _, m := range later {
		if err := tx.TeamMembership.UpdateOne(m).SetEndsOn(m.StartsOn).SetUpdatedAt(now).Exec(ctx); err != nil {
			return fmt.Errorf("end team membership: %w", err)
		}
	}
	if err := open.SetEndsOn(today).SetUpdatedAt(now).Exec(ctx); err != nil {
		return fmt.Errorf("end the team's memberships: %w", err)
	}
	if err := tx.Team.UpdateOneID(t.ID).SetArchivedAt(now).SetUpdatedAt(now).Exec(ctx); err != nil {
		return fmt.Errorf("archive team: %w", err)
	}
	return archiveSpaceOf(ctx, tx, now, space.TeamID(t.ID))
}
