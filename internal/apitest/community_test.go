package apitest_test

import (
	"context"
	"strings"
	"testing"

	"github.com/pursuing-equity/commons/ent"
	"github.com/pursuing-equity/commons/ent/roleassignment"
	"github.com/pursuing-equity/commons/ent/space"
	"github.com/pursuing-equity/commons/internal/apitest"
	"github.com/pursuing-equity/commons/internal/gid"
)

// do is a mutation that takes one input and returns what it is asked for, and what was wrong.
func do(name, fields string) string {
	return "mutation($input: " + strings.ToUpper(name[:1]) + name[1:] + "Input!) { " + name + "(input: $input) { " + fields + " errors { code message path } } }"
}

func TestTakingPart(t *testing.T) {
	apitest.Each(t, func(w *apitest.World) {
		staff, admin := w.Role(w.Member("staff"), roleassignment.RoleSTAFF), w.Role(w.Member("admin"), roleassignment.RoleADMIN)
		mia, out := w.Member("mia"), w.Member("out")
		w.Space(space.KindNETWORK, "Network")
		offering := w.NewID(gid.Offering)
		w.Tx(func(ctx context.Context, tx *ent.Client) error {
			now, program := w.App.Config.Now(), w.NewID(gid.Program)
			if err := tx.Program.Create().SetID(program).SetCreatedAt(now).SetSlug("p").SetName("P").SetStartsOn(now).SetEndsOn(now).Exec(ctx); err != nil {
				return err
			}
			return tx.Offering.Create().SetID(offering).SetCreatedAt(now).SetProgramID(program).SetSlug("o").SetName("O").SetSupports(nil).
				SetFeeAmount(3000000).SetFeeCurrency("USD").SetTeamCapacity(20).Exec(ctx)
		})
		organization := staff.Must(do("createOrganization", "organization { id viewerCanUpdate }"),
			input(vars{"name": "Clinic", "kind": "CLINIC", "city": "Chicago", "idempotencyKey": "1"})).String("createOrganization.organization.id")
		team := staff.Must(do("createTeam", "team { id space { kind } }"), input(vars{"organizationId": organization, "name": "Equity"})).String("createTeam.team.id")
		cohort := staff.Must(do("createCohort", "cohort { id offering { fee { amount currency } } space { name } }"),
			input(vars{"offeringId": offering, "name": "Cohort 1", "startsOn": "2023-01-17", "endsOn": "2023-12-31"})).String("createCohort.cohort.id")
		place := staff.Must(do("createTeamMembership", "teamMembership { id role startsOn endsOn }"),
			input(vars{"teamId": team, "memberId": mia.ID, "role": "LEAD"})).String("createTeamMembership.teamMembership.id")

		w.T.Run("enrolling a team lets its members in, and the directory shows them", func(t *testing.T) {
			if n := mia.Must(apitest.Operation(t, "spaces"), vars{"first": 10}).Len("spaces.edges"); n != 1 {
				t.Errorf("sees %d spaces before", n)
			}
			staff.Must(do("enrollTeam", "enrollment { state reason }"), input(vars{"cohortId": cohort, "teamId": team, "reason": "Chosen"}))
			if n := mia.Must(apitest.Operation(t, "spaces"), vars{"first": 10}).Len("spaces.edges"); n != 3 {
				t.Errorf("sees %d spaces after", n)
			}
			d := mia.Must(apitest.Operation(t, "directory"), vars{"first": 10})
			if d.String("cohorts.edges.0.node.teams.edges.0.node.memberships.edges.0.node.member.id") != mia.ID.String() {
				t.Errorf("directory: %v", d.Data)
			}
			if n := out.Must(apitest.Operation(t, "directory"), vars{"first": 10}).Len("cohorts.edges"); n != 0 {
				t.Errorf("an outsider sees %d cohorts", n)
			}
		})
		w.T.Run("what is private is for the member and staff", func(t *testing.T) {
			const q = `query($id: ID!) { node(id: $id) { ... on Member { email unreadNotificationCount notifications(first: 1) { edges { cursor } } roleAssignments { role } teamMemberships { team { viewerCanUpdate enrollments { reason } } } } } }`
			own, others := mia.Must(q, vars{"id": mia.ID}), staff.Must(q, vars{"id": mia.ID})
			if own.At("node.email") == nil || own.At("node.unreadNotificationCount") == nil || own.At("node.notifications") == nil ||
				own.At("node.teamMemberships.0.team.viewerCanUpdate") != true || own.At("node.teamMemberships.0.team.enrollments.0.reason") != nil {
				t.Errorf("own: %v", own.Data)
			}
			if others.At("node.email") == nil || others.At("node.unreadNotificationCount") != nil || others.At("node.notifications") != nil ||
				others.At("node.teamMemberships.0.team.enrollments.0.reason") != "Chosen" {
				t.Errorf("staff's: %v", others.Data)
			}
		})
		w.T.Run("what is left out stays, null empties, and what must not be empty is refused", func(t *testing.T) {
			update := do("updateOrganization", "organization { name city about }")
			staff.Must(update, input(vars{"organizationId": organization, "about": "Us"}))
			r := staff.Must(update, input(vars{"organizationId": organization, "city": nil}))
			if r.String("updateOrganization.organization.city") != "" || r.String("updateOrganization.organization.about") != "Us" {
				t.Errorf("organization: %v", r.Data)
			}
			for _, field := range []string{"name", "kind"} {
				if r := staff.Do(update, input(vars{"organizationId": organization, field: nil})); r.Code() != "INVALID_INPUT" || r.String("updateOrganization.errors.0.path.0") != field {
					t.Errorf("%s: %v %v", field, r.Data, r.Errors)
				}
			}
			if r := mia.Do(do("updateProfile", "member { id }"), input(vars{"expertise": nil, "handle": nil})); r.Code() != "INVALID_INPUT" {
				t.Errorf("profile: %v %v", r.Data, r.Errors)
			}
		})
		w.T.Run("a hidden space answers byte for byte as one that never existed", func(t *testing.T) {
			r := staff.Must(do("createSpace", "space { id viewerCanUpdate memberships(first: 5) { edges { node { id } } } }"), input(vars{"kind": "AFFINITY", "name": "Cedar", "memberIds": []any{mia.ID}}))
			id, membership := r.String("createSpace.space.id"), r.String("createSpace.space.memberships.edges.0.node.id")
			for _, p := range []*apitest.Person{admin, out} {
				for name, ask := range map[string]func(spaceID, membershipID string) map[string]any{
					"updateSpace":           func(s, _ string) map[string]any { return vars{"spaceId": s, "name": "X"} },
					"archiveSpace":          func(s, _ string) map[string]any { return vars{"spaceId": s} },
					"createSpaceMembership": func(s, _ string) map[string]any { return vars{"spaceId": s, "memberId": p.ID} },
					"updateSpaceMembership": func(_, m string) map[string]any { return vars{"spaceMembershipId": m, "role": "MEMBER"} },
					"endSpaceMembership":    func(_, m string) map[string]any { return vars{"spaceMembershipId": m} },
					"createRoleAssignment": func(s, _ string) map[string]any {
						return vars{"memberId": p.ID, "role": "FACILITATOR", "scope": "SPACE", "scopeId": s}
					},
				} {
					hidden := p.Do(do(name, ""), input(ask(id, membership)))
					never := p.Do(do(name, ""), input(ask(w.NewID(gid.Space).String(), w.NewID(gid.SpaceMembership).String())))
					if hidden.Code() == "" || hidden.Body != never.Body {
						t.Errorf("%s: %s, and for one that never existed %s", name, hidden.Body, never.Body)
					}
				}
			}
		})
		w.T.Run("leaving the team takes the spaces away", func(t *testing.T) {
			mia.Must(do("endTeamMembership", "teamMembership { endsOn }"), input(vars{"teamMembershipId": place}))
			if r := mia.Must(apitest.Operation(t, "spaces"), vars{"first": 10}); r.Len("spaces.edges") != 1 || r.String("spaces.edges.0.node.name") != "Cedar" {
				t.Errorf("still sees %v", r.Data)
			}
		})
	})
}
