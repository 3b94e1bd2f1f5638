package apitest_test

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/pursuing-equity/commons/ent"
	"github.com/pursuing-equity/commons/ent/roleassignment"
	"github.com/pursuing-equity/commons/ent/space"
	"github.com/pursuing-equity/commons/internal/apitest"
	"github.com/pursuing-equity/commons/internal/community"
	"github.com/pursuing-equity/commons/internal/gid"
)

// opening is what is granted in the model: slow, and simple enough to be believed.
type opening struct {
	offering int
	support  string
	what     gid.ID
	roles    []string
}

// modelled is everything that decides about access, kept beside the program.
type modelled struct {
	supports [3]map[string]bool
	openings map[string]opening // by the entitlement's id
	enrolled [4]map[int]string  // team → cohort's offering → the enrollment's id
	roles    [4]map[int]string  // team → person → role
	places   map[[2]int]string  // team, person → the membership's id
}

// opens is what a person can see of the spaces and resources that entitlements open, from scratch.
func (m *modelled) opens(person int) map[gid.ID]bool {
	seen := map[gid.ID]bool{}
	for team, members := range m.roles {
		role, in := members[person]
		if !in {
			continue
		}
		for offering := range m.enrolled[team] {
			for _, o := range m.openings {
				if o.offering == offering && m.supports[offering][o.support] && (len(o.roles) == 0 || slices.Contains(o.roles, role)) {
					seen[o.what] = true
				}
			}
		}
	}
	return seen
}

// Whatever is changed of supports, entitlements, enrollments and teams, in whatever order: everybody sees exactly the spaces and resources that a slow
// recomputation says, at once, and is told why.
func TestEntitlementsFollowEverything(t *testing.T) {
	apitest.Each(t, func(w *apitest.World) {
		r := rand.New(rand.NewPCG(5, 6))
		staff := w.Role(w.Member("staff"), roleassignment.RoleSTAFF)
		m := &modelled{openings: map[string]opening{}, places: map[[2]int]string{}}
		var offerings, cohorts [3]gid.ID
		kinds := []string{"COACHING", "TRAINING"}
		w.Tx(func(ctx context.Context, tx *ent.Client) error {
			now, program := w.App.Config.Now(), w.NewID(gid.Program)
			if err := tx.Program.Create().SetID(program).SetCreatedAt(now).SetSlug("p").SetName("P").SetStartsOn(now).SetEndsOn(now).Exec(ctx); err != nil {
				return err
			}
			for i := range offerings {
				offerings[i] = w.NewID(gid.Offering)
				err := tx.Offering.Create().SetID(offerings[i]).SetCreatedAt(now).SetProgramID(program).SetSlug(fmt.Sprint("o", i)).SetName("O").SetSupports(nil).
					SetFeeAmount(0).SetFeeCurrency("USD").SetTeamCapacity(10).Exec(ctx)
				if err != nil {
					return err
				}
				m.supports[i] = map[string]bool{}
			}
			return nil
		})
		var teams [4]gid.ID
		for i := range cohorts {
			made := staff.Must(`mutation($input: CreateCohortInput!) { createCohort(input: $input) { cohort { id } errors { code message } } }`,
				input(vars{"offeringId": offerings[i], "name": fmt.Sprint("C", i), "startsOn": "2023-01-01", "endsOn": "2024-06-30"}))
			cohorts[i] = must(w.T, made.String("createCohort.cohort.id"))
		}
		o, err := w.App.Community.CreateOrganization(staff.Context(), staff.Viewer, community.NewOrganization{Name: "O", Kind: "CLINIC"})
		if err != nil {
			w.T.Fatal(err)
		}
		for i := range teams {
			team, err := w.App.Community.CreateTeam(staff.Context(), staff.Viewer, community.NewTeam{OrganizationID: o.ID, Name: fmt.Sprint("T", i)})
			if err != nil {
				w.T.Fatal(err)
			}
			teams[i], m.enrolled[i], m.roles[i] = team.ID, map[int]string{}, map[int]string{}
		}
		var people [5]*apitest.Person
		for i := range people {
			people[i] = w.Member(fmt.Sprint("p", i))
		}
		host := w.Member("host")
		var things []gid.ID
		for i := range 3 {
			things = append(things, w.Space(space.KindWORKGROUP, fmt.Sprint("W", i), host))
			made := staff.Must(`mutation($input: CreateResourceInput!) { createResource(input: $input) { resource { id } errors { code message } } }`,
				input(vars{"kind": "LINK", "title": fmt.Sprint("R", i), "audience": "ENTITLED"}))
			things = append(things, must(w.T, made.String("createResource.resource.id")))
		}
		setSupports := func(i int) {
			var all []vars
			for _, kind := range kinds {
				if m.supports[i][kind] {
					all = append(all, vars{"kind": kind, "label": kind})
				}
			}
			if all == nil {
				all = []vars{}
			}
			staff.Must(updateOffering, input(vars{"offeringId": offerings[i], "supports": all}))
		}
		step := func() string {
			offering, team, person, kind, thing := r.IntN(3), r.IntN(4), r.IntN(5), kinds[r.IntN(2)], things[r.IntN(len(things))]
			switch r.IntN(6) {
			case 0:
				m.supports[offering][kind] = !m.supports[offering][kind]
				setSupports(offering)
				return "a support changes"
			case 1:
				if !m.supports[offering][kind] {
					return ""
				}
				for _, there := range m.openings {
					if there.offering == offering && there.support == kind && there.what == thing {
						return ""
					}
				}
				roles := [][]string{nil, {"LEAD"}, {"MEMBER"}, {"LEAD", "MEMBER"}}[r.IntN(4)]
				what := "spaceId"
				if thing.Kind() == gid.Resource {
					what = "resourceId"
				}
				made := staff.Must(grantEntitlement, input(vars{"offeringId": offerings[offering], "support": kind, what: thing, "teamRoles": roles}))
				m.openings[made.String("grantEntitlement.entitlement.id")] = opening{offering, kind, thing, roles}
				return "an entitlement is granted"
			case 2:
				if len(m.openings) < 4 {
					return ""
				}
				id := slices.Sorted(maps.Keys(m.openings))[r.IntN(len(m.openings))]
				staff.Must(revokeEntitlement, input(vars{"entitlementId": id}))
				delete(m.openings, id)
				return "an entitlement is revoked"
			case 3:
				if id, in := m.enrolled[team][offering]; in {
					staff.Must(`mutation($input: UpdateEnrollmentInput!) { updateEnrollment(input: $input) { errors { code message } } }`,
						input(vars{"enrollmentId": id, "state": "WITHDRAWN"}))
					delete(m.enrolled[team], offering)
					return "a team withdraws"
				}
				made := staff.Do(`mutation($input: EnrollTeamInput!) { enrollTeam(input: $input) { enrollment { id } errors { code message } } }`,
					input(vars{"cohortId": cohorts[offering], "teamId": teams[team]}))
				if made.Code() != "" { // it was there before
					return ""
				}
				m.enrolled[team][offering] = made.String("enrollTeam.enrollment.id")
				return "a team is enrolled"
			default:
				at := [2]int{team, person}
				if id, in := m.places[at]; in {
					staff.Must(`mutation($input: EndTeamMembershipInput!) { endTeamMembership(input: $input) { errors { code message } } }`, input(vars{"teamMembershipId": id}))
					delete(m.places, at)
					delete(m.roles[team], person)
					return "a member leaves a team"
				}
				role := []string{"LEAD", "MEMBER"}[r.IntN(2)]
				made := staff.Do(`mutation($input: CreateTeamMembershipInput!) { createTeamMembership(input: $input) { teamMembership { id } errors { code message } } }`,
					input(vars{"teamId": teams[team], "memberId": people[person].ID, "role": role}))
				if made.Code() != "" {
					return ""
				}
				m.places[at], m.roles[team][person] = made.String("createTeamMembership.teamMembership.id"), role
				return "a member joins a team"
			}
		}
		counted, openedThings := map[string]int{}, 0
		for n := range 120 {
			what := step()
			if what == "" {
				continue
			}
			counted[what]++
			for i, p := range people {
				want := m.opens(i)
				got := p.Do(`query($ids: [ID!]!) { nodes(ids: $ids) { id } viewer { entitlements { support { kind } team { id } offering { id } space { id } resource { id } } } }`, vars{"ids": things})
				told := map[string]bool{}
				for j := range got.Len("viewer.entitlements") {
					for _, of := range []string{"space", "resource"} {
						if id := got.At(fmt.Sprintf("viewer.entitlements.%d.%s.id", j, of)); id != nil {
							told[fmt.Sprint(id)] = true
						}
					}
				}
				for j, thing := range things {
					sees := got.At(fmt.Sprintf("nodes.%d.id", j)) != nil
					if sees != want[thing] || told[thing.String()] != want[thing] {
						w.T.Fatalf("step %d, %s: person %d sees %s: %v, is told why: %v, want %v", n, what, i, thing, sees, told[thing.String()], want[thing])
					}
					if sees {
						openedThings++
					}
				}
			}
		}
		if len(counted) < 6 || openedThings < 100 {
			w.T.Errorf("too little happened: %v, %d opened", counted, openedThings)
		}
		w.T.Logf("%v; %d times something was open", counted, openedThings)
	})
}

// Two who change an offering at once do not overwrite each other, and staff see what opens a space or a resource.
func TestOfferingVersions(t *testing.T) {
	apitest.Each(t, func(w *apitest.World) {
		staff := w.Role(w.Member("staff"), roleassignment.RoleSTAFF)
		var offering gid.ID
		w.Tx(func(ctx context.Context, tx *ent.Client) (err error) {
			offering, err = offeringOf(ctx, tx, w)
			return err
		})
		change := func(version any) *apitest.Response {
			return staff.Do(updateOffering, input(vars{"offeringId": offering, "supports": []vars{{"kind": "COACHING", "label": "Coaching"}}, "expectedVersion": version}))
		}
		if r := change(1); r.Code() != "" {
			w.T.Fatal(r)
		}
		if r := change(1); r.Code() != "STALE_VERSION" {
			w.T.Error(r)
		}
		if r := change(nil); r.Code() != "" {
			w.T.Error(r)
		}
		if r := staff.Must(`query($id: ID!) { node(id: $id) { ... on Offering { version } } }`, vars{"id": offering}); r.At("node.version") != 3.0 {
			w.T.Error(r)
		}
		group := w.Space(space.KindWORKGROUP, "W", staff)
		staff.Must(grantEntitlement, input(vars{"offeringId": offering, "support": "COACHING", "spaceId": group}))
		if r := staff.Must(`query($id: ID!) { node(id: $id) { ... on Space { entitlements { support offering { id } } } } }`, vars{"id": group}); r.Len("node.entitlements") != 1 ||
			r.String("node.entitlements.0.offering.id") != offering.String() {
			w.T.Error(r)
		}
	})
}
