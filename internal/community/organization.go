package community

import (
	"context"
	"fmt"
	"regexp"

	"github.com/pursuing-equity/commons/ent"
	"github.com/pursuing-equity/commons/ent/organization"
	"github.com/pursuing-equity/commons/ent/searchdocument"
	"github.com/pursuing-equity/commons/ent/space"
	"github.com/pursuing-equity/commons/ent/team"
	"github.com/pursuing-equity/commons/internal/access"
	"github.com/pursuing-equity/commons/internal/fault"
	"github.com/pursuing-equity/commons/internal/gid"
	"github.com/pursuing-equity/commons/internal/input"
	"github.com/pursuing-equity/commons/internal/store"
	"github.com/pursuing-equity/commons/internal/tally"
	"github.com/pursuing-equity/commons/internal/viewer"
)

// NewOrganization is an organization to create.
type NewOrganization struct {
	Name                                     string
	Kind                                     organization.Kind
	City, Region, Country, WebsiteURL, About string
	IdempotencyKey                           *string `json:"-"`
}

// OrganizationPatch is what to change of an organization; nil leaves a field as it is.
type OrganizationPatch struct {
	Name                                     *string
	Kind                                     *organization.Kind
	City, Region, Country, WebsiteURL, About *string
}

var country = regexp.MustCompile(`^([A-Z]{2})?$`)

// check returns the patch as it is stored.
func (p OrganizationPatch) check() (OrganizationPatch, error) {
	var c input.Checker
	p.Name = line(&c, "name", p.Name, 1, maxName)
	enum(&c, "kind", p.Kind, organization.KindValidator)
	p.City = line(&c, "city", p.City, 0, maxPlace)
	p.Region = line(&c, "region", p.Region, 0, maxPlace)
	if p.Country != nil && !country.MatchString(*p.Country) {
		c.Refuse("country", "This must be two capital letters of ISO 3166-1: US.")
	}
	if p.WebsiteURL != nil {
		p.WebsiteURL = new(c.URL("websiteUrl", *p.WebsiteURL))
	}
	p.About = text(&c, "about", p.About, maxAbout)
	return p, c.Err()
}

func (p OrganizationPatch) apply(m *ent.OrganizationMutation) {
	set(p.Name, m.SetName)
	set(p.Kind, m.SetKind)
	set(p.City, m.SetCity)
	set(p.Region, m.SetRegion)
	set(p.Country, m.SetCountry)
	set(p.WebsiteURL, m.SetWebsiteURL)
	set(p.About, m.SetAbout)
}

// set sets a field that a patch has.
func set[T any](v *T, to func(T)) {
	if v != nil {
		to(*v)
	}
}

// CreateOrganization creates an organization. It returns FORBIDDEN for everybody but staff, and ALREADY_EXISTS for a name that is taken.
func (s *Service) CreateOrganization(ctx context.Context, v viewer.Viewer, in NewOrganization) (*ent.Organization, error) {
	p, err := OrganizationPatch{&in.Name, &in.Kind, &in.City, &in.Region, &in.Country, &in.WebsiteURL, &in.About}.check()
	if err != nil {
		return nil, err
	}
	once := store.Once{Operation: "createOrganization", Key: in.IdempotencyKey, Payload: in}
	return create[ent.Organization](ctx, s, v, once, func(ctx context.Context, tx *ent.Client) (gid.ID, error) {
		if err := staffOnly(ctx, tx, v); err != nil {
			return gid.ID{}, err
		}
		if err := organizationNameFree(ctx, tx, *p.Name); err != nil {
			return gid.ID{}, err
		}
		now := s.Now()
		c := tx.Organization.Create().SetID(s.NewID(gid.Organization)).SetCreatedAt(now).SetUpdatedAt(now)
		p.apply(c.Mutation())
		o, err := c.Save(ctx)
		if err != nil {
			return gid.ID{}, store.RetryOnConflict(err)
		}
		return o.ID, indexOrganization(ctx, tx, o)
	})
}

func organizationNameFree(ctx context.Context, tx *ent.Client, name string) error {
	taken, err := tx.Organization.Query().Where(organization.Name(name)).Exist(ctx)
	if err == nil && taken {
		err = exists("name", "There is an organization of this name.")
	}
	return err
}

func indexOrganization(ctx context.Context, tx *ent.Client, o *ent.Organization) error {
	return store.Index(ctx, tx, store.Document{Kind: searchdocument.KindORGANIZATION, Object: o.ID, Title: o.Name, Body: words(o.City, o.Region, o.About)})
}

// lockOrganization holds the row of an organization that the viewer can see.
func lockOrganization(ctx context.Context, tx *ent.Client, v viewer.Viewer, id gid.ID) (*ent.Organization, *access.Actor, error) {
	o, err := tx.Organization.Query().Where(organization.ID(id), access.VisibleOrganizations(v), store.LockRow).Only(ctx)
	if err != nil {
		return nil, nil, missing(err, "organizationId")
	}
	actor, err := access.Load(ctx, tx, v)
	return o, actor, err
}

// UpdateOrganization changes an organization. For staff and its leads.
func (s *Service) UpdateOrganization(ctx context.Context, v viewer.Viewer, id gid.ID, patch OrganizationPatch) (*ent.Organization, error) {
	p, err := patch.check()
	if err != nil {
		return nil, err
	}
	err = s.change(ctx, v, func(ctx context.Context, tx *ent.Client) error {
		o, actor, err := lockOrganization(ctx, tx, v, id)
		switch {
		case err != nil:
			return err
		case !actor.CanUpdateOrganization(id):
			return fault.Denied("Only staff and the organization's leads can change it.")
		case o.ArchivedAt != nil:
			return archived("organization").At("organizationId")
		}
		renamed := p.Name != nil && *p.Name != o.Name
		if renamed {
			if err := organizationNameFree(ctx, tx, *p.Name); err != nil {
				return err
			}
		}
		u := tx.Organization.UpdateOneID(id).SetUpdatedAt(s.Now())
		p.apply(u.Mutation())
		was := o.Name
		if o, err = u.Save(ctx); err != nil {
			return store.RetryOnConflict(err)
		}
		if renamed {
			if err := s.renameTeamSpaces(ctx, tx, o, was); err != nil {
				return err
			}
			if err := tally.ReviewedByPeopleOf(ctx, tx, id); err != nil { // applications know organizations outside the network by their names
				return err
			}
		}
		return indexOrganization(ctx, tx, o)
	})
	if err != nil {
		return nil, err
	}
	return reload[ent.Organization](ctx, s, v, id)
}

// renameTeamSpaces gives the spaces of an organization's teams, a handful, their new names, unless people gave them others.
func (s *Service) renameTeamSpaces(ctx context.Context, tx *ent.Client, o *ent.Organization, was string) error {
	teams, err := tx.Team.Query().Where(team.OrganizationID(o.ID)).All(ctx)
	if err != nil {
		return fmt.Errorf("load the organization's teams: %w", err)
	}
	for _, t := range teams {
		err := tx.Space.Update().Where(space.TeamID(t.ID), space.Name(teamSpaceName(was, t.Name))).
			SetName(teamSpaceName(o.Name, t.Name)).SetUpdatedAt(s.Now()).Exec(ctx)
		if err != nil {
			return fmt.Errorf("rename a team's space: %w", err)
		}
	}
	return nil
}

// ArchiveOrganization retires an organization whose teams were all archived before. For staff. Doing it again changes nothing.
func (s *Service) ArchiveOrganization(ctx context.Context, v viewer.Viewer, id gid.ID) (*ent.Organization, error) {
	err := s.change(ctx, v, func(ctx context.Context, tx *ent.Client) error {
		o, actor, err := lockOrganization(ctx, tx, v, id)
		switch {
		case err != nil:
			return err
		case !actor.IsStaff():
			return fault.Denied("Only staff can archive an organization.")
		case o.ArchivedAt != nil:
			return nil
		}
		live, err := tx.Team.Query().Where(team.OrganizationID(id), team.ArchivedAtIsNil()).Exist(ctx)
		if err != nil {
			return fmt.Errorf("look for teams: %w", err)
		}
		if live {
			return fault.Denied("Archive the organization's teams first.")
		}
		if err := tx.Organization.UpdateOneID(id).SetArchivedAt(s.Now()).SetUpdatedAt(s.Now()).Exec(ctx); err != nil {
			return fmt.Errorf("archive organization: %w", err)
		}
		return store.Unindex(ctx, tx, id)
	})
	if err != nil {
		return nil, err
	}
	return reload[ent.Organization](ctx, s, v, id)
}
