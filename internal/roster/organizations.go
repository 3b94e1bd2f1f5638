package roster

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/pursuing-equity/commons/ent"
	"github.com/pursuing-equity/commons/ent/enrollment"
	"github.com/pursuing-equity/commons/ent/organization"
	"github.com/pursuing-equity/commons/ent/team"
	"github.com/pursuing-equity/commons/internal/gid"
)

// readCohorts finds the cohort of each team that has one in the file.
func (i *importer) readCohorts() error {
	var err error
	if i.cohorts, err = i.tx.Cohort.Query().WithOffering().All(i.ctx); err != nil {
		return fmt.Errorf("read cohorts: %w", err)
	}
	i.teamCohorts = make([]*ent.Cohort, len(i.roster.Teams))
	for n, t := range i.roster.Teams {
		if t.Cohort == "" {
			continue
		}
		named := i.named(t.Cohort)
		switch {
		case len(named) == 0:
			i.problems.add(t.Line, colCohort, "there is no cohort %q", t.Cohort)
		case len(named) > 1:
			i.problems.add(t.Line, colCohort, "%q names %d cohorts; write offering-slug/cohort name", t.Cohort, len(named))
		case named[0].ArchivedAt != nil:
			i.problems.add(t.Line, colCohort, "cohort %q is archived", t.Cohort)
		default:
			i.teamCohorts[n] = named[0]
		}
	}
	return nil
}

// named are the cohorts that a cell may mean: by name, by offering and name, or as the only ones of an offering.
func (i *importer) named(cell string) []*ent.Cohort {
	var found []*ent.Cohort
	slug, name, both := strings.Cut(cell, "/")
	for _, c := range i.cohorts {
		if c.Name == cell || c.Edges.Offering.Slug == cell || both && c.Edges.Offering.Slug == slug && c.Name == name {
			found = append(found, c)
		}
	}
	return found
}

// organizations makes and changes the file's organizations.
func (i *importer) organizations() error {
	said := i.roster.Organizations
	names := make([]string, len(said))
	for n, o := range said {
		names[n] = o.Name
	}
	existing, err := find(names, func(part []string) ([]*ent.Organization, error) {
		return i.tx.Organization.Query().Where(organization.NameIn(part...)).All(i.ctx)
	})
	if err != nil {
		return fmt.Errorf("find organizations: %w", err)
	}
	byName := make(map[string]*ent.Organization, len(existing))
	for _, o := range existing {
		byName[o.Name] = o
	}
	i.organizationIDs = make([]gid.ID, len(said))
	var builders []*ent.OrganizationCreate
	for n, o := range said {
		have, ok := byName[o.Name]
		if !ok {
			id := i.options.NewID(gid.Organization)
			i.organizationIDs[n] = id
			builders = append(builders, i.tx.Organization.Create().SetID(id).SetCreatedAt(i.now).SetUpdatedAt(i.now).SetName(o.Name).
				SetKind(organization.Kind(cmp.Or(o.Kind, "OTHER"))).SetCity(o.City).SetRegion(o.Region).SetCountry(o.Country))
			i.report.created(o.Line, "organization", o.Name)
			i.searchable.organization(id, o.Name, o.City, o.Region)
			continue
		}
		i.organizationIDs[n] = have.ID
		if have.ArchivedAt != nil {
			i.problems.add(o.Line, colOrganization, "%q is archived", o.Name)
			continue
		}
		if err := i.changeOrganization(o, have); err != nil {
			return err
		}
	}
	return create(i.ctx, "organizations", builders, i.tx.Organization.CreateBulk)
}

func (i *importer) changeOrganization(said Organization, have *ent.Organization) error {
	var diff []string
	diff = difference(diff, "kind", string(have.Kind), said.Kind)
	diff = difference(diff, "city", have.City, said.City)
	diff = difference(diff, "region", have.Region, said.Region)
	diff = difference(diff, "country", have.Country, said.Country)
	i.report.compared(said.Line, "organization", said.Name, diff)
	if len(diff) == 0 {
		return nil
	}
	city, region := cmp.Or(said.City, have.City), cmp.Or(said.Region, have.Region)
	i.searchable.organization(have.ID, have.Name, city, region, have.About)
	err := have.Update().SetKind(organization.Kind(cmp.Or(said.Kind, string(have.Kind)))).SetCity(city).SetRegion(region).
		SetCountry(cmp.Or(said.Country, have.Country)).SetUpdatedAt(i.now).Exec(i.ctx)
	if err != nil {
		return fmt.Errorf("change organization %s: %w", have.ID, err)
	}
	return nil
}

// teams makes the file's teams; there is nothing of a team to change.
func (i *importer) teams() error {
	existing, err := find(i.organizationIDs, func(part []gid.ID) ([]*ent.Team, error) {
		return i.tx.Team.Query().Where(team.OrganizationIDIn(part...)).All(i.ctx)
	})
	if err != nil {
		return fmt.Errorf("find teams: %w", err)
	}
	type key struct {
		organization gid.ID
		name         string
	}
	byName := make(map[key]*ent.Team, len(existing))
	for _, t := range existing {
		byName[key{t.OrganizationID, t.Name}] = t
	}
	i.teamIDs = make([]gid.ID, len(i.roster.Teams))
	var builders []*ent.TeamCreate
	for n, t := range i.roster.Teams {
		org := i.organizationIDs[t.Organization]
		if have, ok := byName[key{org, t.Name}]; ok {
			i.teamIDs[n] = have.ID
			if have.ArchivedAt != nil {
				i.problems.add(t.Line, colTeam, "%q is archived", t.Name)
			}
			i.report.compared(t.Line, "team", t.Name, nil)
			continue
		}
		i.teamIDs[n] = i.options.NewID(gid.Team)
		builders = append(builders, i.tx.Team.Create().SetID(i.teamIDs[n]).SetCreatedAt(i.now).SetUpdatedAt(i.now).SetOrganizationID(org).SetName(t.Name))
		i.report.created(t.Line, "team", i.teamName(n))
	}
	return create(i.ctx, "teams", builders, i.tx.Team.CreateBulk)
}

// teamName is how a team is called outside of its organization.
func (i *importer) teamName(n int) string {
	t := i.roster.Teams[n]
	return i.roster.Organizations[t.Organization].Name + ": " + t.Name
}

// enrollments puts teams into their cohorts.
func (i *importer) enrollments() error {
	existing, err := find(i.teamIDs, func(part []gid.ID) ([]*ent.Enrollment, error) {
		return i.tx.Enrollment.Query().Where(enrollment.TeamIDIn(part...)).All(i.ctx)
	})
	if err != nil {
		return fmt.Errorf("find enrollments: %w", err)
	}
	states := make(map[[2]gid.ID]enrollment.State, len(existing))
	for _, e := range existing {
		states[[2]gid.ID{e.TeamID, e.CohortID}] = e.State
	}
	var builders []*ent.EnrollmentCreate
	for n, t := range i.roster.Teams {
		c := i.teamCohorts[n]
		if c == nil {
			continue
		}
		switch state, ok := states[[2]gid.ID{i.teamIDs[n], c.ID}]; {
		case !ok:
			builders = append(builders, i.tx.Enrollment.Create().SetID(i.options.NewID(gid.Enrollment)).SetCreatedAt(i.now).SetUpdatedAt(i.now).
				SetCohortID(c.ID).SetTeamID(i.teamIDs[n]).SetState(enrollment.StateENROLLED))
			i.report.created(t.Line, "enrollment", i.teamName(n)+" in "+c.Name)
		case state == enrollment.StateWITHDRAWN:
			i.problems.add(t.Line, colCohort, "the team has withdrawn from %q; enroll it again there first", c.Name)
		default:
			i.report.compared(t.Line, "enrollment", t.Name, nil)
		}
	}
	return create(i.ctx, "enrollments", builders, i.tx.Enrollment.CreateBulk)
}
