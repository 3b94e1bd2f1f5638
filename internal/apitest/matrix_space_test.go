package apitest_test

import (
	"github.com/pursuing-equity/commons/ent/space"
)

// spaceRows are the lines of spaces and affinity groups.
func spaceRows() matrix {
	return matrix{
		queries: map[string]row{
			"spaces": {page("spaces", ""), none, cells("1", "anonymous outsider=0", "reader member insider=2", "enrolled=3", "lead staff admin=5")},
		},
		mutations: map[string]row{
			"createSpace":  {"space { id }", in(func(c *cast) vars { return vars{"kind": "WORKGROUP", "name": c.name()} }), codes("FORBIDDEN", "staff", "admin")},
			"updateSpace":  {"space { id }", in(func(c *cast) vars { return vars{"spaceId": c.workgroup, "about": "x"} }), codes("NOT_FOUND", "member=FORBIDDEN", "lead=FORBIDDEN", "staff", "admin")},
			"archiveSpace": {"space { id }", in(func(c *cast) vars { return vars{"spaceId": c.Space(space.KindAFFINITY, "A", c.insider)} }), codes("NOT_FOUND", "insider")},
			"createSpaceMembership": {"spaceMembership { id }", in(func(c *cast) vars {
				return vars{"spaceId": c.Space(space.KindAFFINITY, "A", c.insider), "memberId": c.stranger.ID}
			}), codes("NOT_FOUND", "insider")},
			"updateSpaceMembership": {"spaceMembership { id }", in(func(c *cast) vars {
				return vars{"spaceMembershipId": c.Join(c.affinity, c.Member("new"), "MEMBER"), "role": "MEMBER"}
			}), codes("NOT_FOUND", "insider")},
			"endSpaceMembership": {"errors { code }", in(func(c *cast) vars { return vars{"spaceMembershipId": c.Join(c.affinity, c.Member("new"), "MEMBER")} }), codes("NOT_FOUND", "insider")},
			"requestSpaceExport": {"export { state }", in(func(c *cast) vars { return vars{"spaceId": c.workgroup} }), codes("NOT_FOUND", "member=FORBIDDEN", "lead=FORBIDDEN", "staff", "admin")},
			"breakGlass": {"breakGlass { id }", in(func(c *cast) vars {
				return vars{"spaceId": c.Space(space.KindAFFINITY, "A", c.insider), "reason": glassReason, "hours": 1}
			}), codes("NOT_FOUND", "admin")},
			"endBreakGlass":      {"errors { code }", in(func(c *cast) vars { return vars{"breakGlassId": c.newGlass()} }), codes("NOT_FOUND", "admin", "insider=FORBIDDEN")},
			"requestToJoin":      {"joinRequest { id }", in(func(c *cast) vars { return vars{"address": c.address} }), codes(ok)},
			"renewJoinAddress":   {"space { id }", in(func(c *cast) vars { return vars{"spaceId": c.Space(space.KindAFFINITY, "A", c.insider)} }), codes("NOT_FOUND", "insider")},
			"acceptJoinRequest":  {"joinRequest { id }", in(func(c *cast) vars { return vars{"joinRequestId": c.newJoinRequest()} }), codes("NOT_FOUND", "insider")},
			"declineJoinRequest": {"joinRequest { id }", in(func(c *cast) vars { return vars{"joinRequestId": c.newJoinRequest()} }), codes("NOT_FOUND", "insider")},
		},
		fields: map[string]row{
			"Space.threads":               {"", of("workgroup"), cells("NOT_FOUND", "reader member lead staff admin=1")},
			"Space.memberships":           {"", of("workgroup"), cells("NOT_FOUND", "reader member lead staff admin=3")},
			"Space.resources":             {"", of("workgroup"), cells("NOT_FOUND", "reader member lead staff admin=1")},
			"Space.breakGlasses":          {"", of("affinity"), cells("NOT_FOUND", "insider=1")},
			"Space.joinAddress":           {"", of("affinity"), cells("NOT_FOUND", "insider=there")},
			"Space.joinRequests":          {"", of("affinity"), cells("NOT_FOUND", "insider=1")},
			"Space.viewerUnreadCount":     {"", of("workgroup"), cells("NOT_FOUND", "reader member=1", "lead=2", "staff admin=0")},
			"Space.viewerMembership":      {"", of("workgroup"), cells("NOT_FOUND", "reader member lead=there", "staff admin=null")},
			"Space.viewerCanCreateThread": {"", of("workgroup"), cells("NOT_FOUND", "reader member lead staff admin=true")},
			"Space.export":                {"", of("workgroup"), cells("NOT_FOUND", "reader member lead=null", "staff admin=there")},
			"Space.viewerCanUpdate":       {"", of("workgroup"), cells("NOT_FOUND", "reader member lead=false", "staff admin=true")},
		},
	}
}
