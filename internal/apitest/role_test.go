package apitest_test

import (
	"testing"

	"github.com/pursuing-equity/commons/ent/roleassignment"
	"github.com/pursuing-equity/commons/internal/apitest"
)

func TestTheLastAdministratorStays(t *testing.T) {
	apitest.Each(t, func(w *apitest.World) {
		first := w.Role(w.Member("first"), roleassignment.RoleADMIN)
		role := func(p *apitest.Person) string {
			return p.Must(`{ viewer { roleAssignments { id } } }`, nil).String("viewer.roleAssignments.0.id")
		}
		end := `mutation($input: EndRoleAssignmentInput!) { endRoleAssignment(input: $input) { errors { code message } } }`
		if code := first.Do(end, input(vars{"roleAssignmentId": role(first)})).Code(); code != "FORBIDDEN" {
			w.T.Errorf("the last one: %q", code)
		}
		second := w.Role(w.Member("second"), roleassignment.RoleADMIN)
		second.Must(end, input(vars{"roleAssignmentId": role(first)}))
		if code := second.Do(end, input(vars{"roleAssignmentId": role(second)})).Code(); code != "FORBIDDEN" {
			w.T.Errorf("the last one again: %q", code)
		}
	})
}
