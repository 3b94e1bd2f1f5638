package apitest_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/pursuing-equity/commons/ent"
	"github.com/pursuing-equity/commons/ent/roleassignment"
	"github.com/pursuing-equity/commons/ent/schema"
	"github.com/pursuing-equity/commons/ent/space"
	"github.com/pursuing-equity/commons/internal/apitest"
	"github.com/pursuing-equity/commons/internal/community"
	"github.com/pursuing-equity/commons/internal/gid"
)

const (
	updateOffering    = `mutation($input: UpdateOfferingInput!) { updateOffering(input: $input) { offering { id supports { kind } } errors { code path } } }`
	grantEntitlement  = `mutation($input: GrantEntitlementInput!) { grantEntitlement(input: $input) { entitlement { id } errors { code path } } }`
	revokeEntitlement = `mutation($input: RevokeEntitlementInput!) { revokeEntitlement(input: $input) { offering { id } errors { code path } } }`
)

// offered is an offering with a cohort and a team that is enrolled in it.
type offered struct {
	id, cohort, team gid.ID
	enrollment       string
}

// offer makes an offering with the support COACHING, and a team of its own for the people: the first leads it.
func offer(w *apitest.World, staff *apitest.Person, program gid.ID, name string, people ...*apitest.Person) offered {
	o := offered{id: w.NewID(gid.Offering)}
	w.Tx(func(ctx context.Context, tx *ent.Client) error {
		return tx.Offering.Create().SetID(o.id).SetCreatedAt(w.App.Config.Now()).SetProgramID(program).SetSlug(name).SetName(name).
			SetSupports([]schema.Support{{Kind: "COACHING", Label: "Coaching"}}).SetFeeAmount(1).SetFeeCurrency("USD").SetTeamCapacity(3).Exec(ctx)
	})
	r := staff.Must(`mutation($input: CreateCohortInput!) { createCohort(input: $input) { cohort { id } errors { code message } } }`,
		input(vars{"offeringId": o.id, "name": name, "startsOn": "2023-01-01", "endsOn": "2024-06-30"}))
	o.cohort = must(w.T, r.String("createCohort.cohort.id"))
	org, err := w.App.Community.CreateOrganization(staff.Context(), staff.Viewer, community.NewOrganization{Name: name, Kind: "CLINIC"})
	if err != nil {
		w.T.Fatal(err)
	}
	team, err := w.App.Community.CreateTeam(staff.Context(), staff.Viewer, community.NewTeam{OrganizationID: org.ID, Name: name})
	if err != nil {
		w.T.Fatal(err)
	}
	o.team = team.ID
	for i, p := range people {
		staff.Must(`mutation($input: CreateTeamMembershipInput!) { createTeamMembership(input: $input) { errors { code message } } }`,
			input(vars{"teamId": o.team, "memberId": p.ID, "role": []string{"LEAD", "MEMBER"}[min(i, 1)]}))
	}
	o.enrollment = staff.Must(`mutation($input: EnrollTeamInput!) { enrollTeam(input: $input) { enrollment { id } errors { code message } } }`,
		input(vars{"cohortId": o.cohort, "teamId": o.team})).String("enrollTeam.enrollment.id")
	return o
}

func TestEntitlement(t *testing.T) {
	apitest.Each(t, func(w *apitest.World) {
		staff, host := w.Role(w.Member("staff"), roleassignment.RoleSTAFF), w.Member("host")
		lead, ann, ben := w.Member("lead"), w.Member("ann"), w.Member("ben")
		w.Space(space.KindNETWORK, "Network")
		program := w.NewID(gid.Program)
		w.Tx(func(ctx context.Context, tx *ent.Client) error {
			now := w.App.Config.Now()
			return tx.Program.Create().SetID(program).SetCreatedAt(now).SetSlug("p").SetName("P").SetStartsOn(now).SetEndsOn(now).Exec(ctx)
		})
		one, other := offer(w, staff, program, "one", lead, ann), offer(w, staff, program, "other", ben)
		group := w.Space(space.KindWORKGROUP, "Coaching", host)
		thread := w.Thread(host, group, "A heron", "first")
		guide := staff.Must(`mutation($input: CreateResourceInput!) { createResource(input: $input) { resource { id } errors { code message } } }`,
			input(vars{"kind": "LINK", "title": "Egret", "audience": "ENTITLED"})).String("createResource.resource.id")
		// sees is what somebody sees of the space, and of the resource: by their ids and in the search.
		sees := func(p *apitest.Person) string {
			at := func(id any) bool {
				return p.Do(`query($id: ID!) { node(id: $id) { id } }`, vars{"id": id}).Code() == ""
			}
			found := func(query string) int {
				return p.Must(`query($q: String!) { search(first: 10, query: $q) { edges { cursor } } }`, vars{"q": query}).Len("search.edges")
			}
			return fmt.Sprint(at(group), at(thread), found("heron"), at(guide), found("egret"))
		}
		const all, nothing, onlySpace = "true true 1 true 1", "false false 0 false 0", "true true 1 false 0"
		check := func(t *testing.T, p *apitest.Person, want string) {
			t.Helper()
			if got := sees(p); got != want {
				t.Errorf("%s sees %s, not %s", p.Handle, got, want)
			}
		}
		supports := func(o offered, kinds ...string) {
			list := []vars{}
			for _, k := range kinds {
				list = append(list, vars{"kind": k, "label": k})
			}
			staff.Must(updateOffering, input(vars{"offeringId": o.id, "supports": list}))
		}

		var ofGuide string
		w.T.Run("what a support opens is open at once for the offering's teams, and for nobody else", func(t *testing.T) {
			check(t, ann, nothing)
			staff.Must(grantEntitlement, input(vars{"offeringId": one.id, "support": "COACHING", "spaceId": group}))
			check(t, ann, onlySpace)
			ofGuide = staff.Must(grantEntitlement, input(vars{"offeringId": one.id, "support": "COACHING", "resourceId": guide})).String("grantEntitlement.entitlement.id")
			check(t, ann, all)
			check(t, lead, all)
			check(t, ben, nothing)
			check(t, staff, all)
		})
		w.T.Run("a support that is left out takes everything away at once, and ends what is followed; another offering's teams keep it", func(t *testing.T) {
			staff.Must(grantEntitlement, input(vars{"offeringId": other.id, "support": "COACHING", "spaceId": group}))
			staff.Must(grantEntitlement, input(vars{"offeringId": other.id, "support": "COACHING", "resourceId": guide}))
			follow := ann.Subscribe(`subscription($id: ID!) { threadEvents(threadId: $id) { cursor } }`, vars{"id": thread})
			supports(one, "TRAINING")
			check(t, ann, nothing)
			check(t, ben, all)
			if code := follow.Failure(); code != "NOT_FOUND" {
				t.Errorf("the subscription ended with %q", code)
			}
			supports(one, "TRAINING", "COACHING")
			check(t, ann, all)
		})
		w.T.Run("who joins a team has what it is entitled to, and who leaves has not", func(t *testing.T) {
			cyd := w.Member("cyd")
			id := staff.Must(`mutation($input: CreateTeamMembershipInput!) { createTeamMembership(input: $input) { teamMembership { id } errors { code message } } }`,
				input(vars{"teamId": one.team, "memberId": cyd.ID, "role": "MEMBER"})).String("createTeamMembership.teamMembership.id")
			check(t, cyd, all)
			staff.Must(`mutation($input: EndTeamMembershipInput!) { endTeamMembership(input: $input) { errors { code message } } }`, input(vars{"teamMembershipId": id}))
			check(t, cyd, nothing)
		})
		w.T.Run("who is to join a team later has nothing until then", func(t *testing.T) {
			dan := w.Member("dan")
			staff.Must(`mutation($input: CreateTeamMembershipInput!) { createTeamMembership(input: $input) { errors { code message } } }`,
				input(vars{"teamId": one.team, "memberId": dan.ID, "role": "MEMBER", "startsOn": time.Now().AddDate(0, 0, 3).Format(time.DateOnly)}))
			check(t, dan, nothing)
		})
		w.T.Run("withdrawing takes it away, and completing leaves it", func(t *testing.T) {
			for _, step := range [][2]string{{"WITHDRAWN", nothing}, {"ENROLLED", all}, {"COMPLETED", all}} {
				staff.Must(`mutation($input: UpdateEnrollmentInput!) { updateEnrollment(input: $input) { errors { code message } } }`,
					input(vars{"enrollmentId": one.enrollment, "state": step[0]}))
				check(t, ann, step[1])
			}
		})
		w.T.Run("an entitlement for some roles opens for them alone, and a revoked one for nobody", func(t *testing.T) {
			staff.Must(revokeEntitlement, input(vars{"entitlementId": ofGuide}))
			check(t, lead, onlySpace)
			staff.Must(grantEntitlement, input(vars{"offeringId": one.id, "support": "COACHING", "resourceId": guide, "teamRoles": []string{"LEAD", "DATA_LEAD"}}))
			check(t, lead, all)
			check(t, ann, onlySpace)
		})
		w.T.Run("what cannot be opened is refused", func(t *testing.T) {
			hidden := w.Space(space.KindAFFINITY, "Hidden", staff)
			link := staff.Must(`mutation($input: CreateResourceInput!) { createResource(input: $input) { resource { id } errors { code message } } }`,
				input(vars{"kind": "LINK", "title": "Open", "audience": "PUBLIC"})).String("createResource.resource.id")
			for _, c := range []struct {
				in   vars
				code string
			}{
				{vars{"support": "COACHING"}, "INVALID_INPUT"},
				{vars{"support": "COACHING", "spaceId": group, "resourceId": guide}, "INVALID_INPUT"},
				{vars{"support": "COACHING", "spaceId": hidden}, "INVALID_INPUT"},
				{vars{"support": "COACHING", "resourceId": link}, "INVALID_INPUT"},
				{vars{"support": "SONG", "spaceId": group}, "INVALID_INPUT"},
				{vars{"support": "COACHING", "spaceId": w.Space(space.KindAFFINITY, "Unseen", ann)}, "NOT_FOUND"},
				{vars{"support": "COACHING", "spaceId": group}, "ALREADY_EXISTS"},
			} {
				c.in["offeringId"] = one.id
				if code := staff.Do(grantEntitlement, input(c.in)).Code(); code != c.code {
					t.Errorf("%v: %q, not %q", c.in, code, c.code)
				}
			}
			twice := []vars{{"kind": "A", "label": "A"}, {"kind": "A", "label": "B"}}
			if code := staff.Do(updateOffering, input(vars{"offeringId": one.id, "supports": twice})).Code(); code != "INVALID_INPUT" {
				t.Errorf("a kind twice: %q", code)
			}
		})
	})
}
