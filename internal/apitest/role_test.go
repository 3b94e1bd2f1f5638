package apitest_test

import (
	"testing"

	"github.com/pursuing-equity/commons/ent/roleassignment"
	"github.com/pursuing-equity/commons/ent/space"
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

// Rules leave roles out for who holds none. Who is given one has it with the next query, in the process that gave it, and on another replica
// and in sockets that were open before within a moment.
func TestARoleCountsAtOnce(t *testing.T) {
	everywhere(t, func(t *testing.T, writer, reader *apitest.World) {
		host, eve := writer.Member("host"), writer.Member("eve")
		network := writer.Space(space.KindNETWORK, "Network", host)
		thread := writer.Thread(host, network, "T", "B")
		const title = `query($id: ID!) { node(id: $id) { ... on Thread { title } } }`
		sees := func(c *apitest.Client) bool { return c.Do(title, vars{"id": thread}).At("node") != nil }
		there, here := reader.As(eve.Token()), eve.Client
		for range 3 {
			if sees(here) || sees(there) {
				t.Fatal("an outsider sees it")
			}
		}
		own := writer.Thread(eve, writer.Space(space.KindAFFINITY, "Own", eve), "Own", "B")
		socket := there.Subscribe(`subscription($id: ID!) { threadEvents(threadId: $id) { __typename } }`, vars{"id": own}) // signed in with no role
		writer.Role(eve, roleassignment.RoleSTAFF)
		if !sees(here) {
			t.Error("who was given a role does not have it")
		}
		reader.Eventually("the role counts on the other replica", func() bool { return sees(there) })
		if got := socket.Ask(title, vars{"id": thread}); got.String("node.title") != "T" {
			t.Errorf("in a socket that was open before: %s", got.Body)
		}
	})
}
