package apitest_test

// communityRows are the lines of organizations, members, teams and roles.
func communityRows() matrix {
	return matrix{
		queries: map[string]row{
			"organizations": {page("organizations", ""), none, cells("2", "anonymous outsider=0")},
			"teams":         {page("teams", ""), none, cells("2", "anonymous outsider=0")},
			"members":       {page("members", ""), none, cells("12", "anonymous=0", "outsider=1", "insider=13", "staff admin=15")},
		},
		mutations: map[string]row{
			"createOrganization":  {"organization { id }", in(func(c *cast) vars { return vars{"name": c.name(), "kind": "CLINIC"} }), codes("FORBIDDEN", "staff", "admin")},
			"updateOrganization":  {"organization { id }", in(func(c *cast) vars { return vars{"organizationId": c.newOrganization(), "city": "Ames"} }), codes("FORBIDDEN", "outsider=NOT_FOUND", "staff", "admin")},
			"archiveOrganization": {"organization { id }", in(func(c *cast) vars { return vars{"organizationId": c.newOrganization()} }), codes("FORBIDDEN", "outsider=NOT_FOUND", "staff", "admin")},
			"updateProfile":       {"member { id }", in(func(*cast) vars { return vars{"pronouns": "they/them"} }), codes(ok)},
			"createAffiliation":   {"affiliation { id }", in(func(c *cast) vars { return vars{"organizationId": c.newOrganization(), "memberId": c.member.ID} }), codes("FORBIDDEN", "outsider=NOT_FOUND", "member", "staff", "admin")},
			"endAffiliation": {"affiliation { id }", in(func(c *cast) vars {
				r := c.member.Must(`mutation($input: CreateAffiliationInput!) { createAffiliation(input: $input) { affiliation { id } errors { code message } } }`, input(vars{"organizationId": c.newOrganization()}))
				return vars{"affiliationId": r.String("createAffiliation.affiliation.id")}
			}), codes("FORBIDDEN", "outsider=NOT_FOUND", "member", "staff", "admin")},
			"createTeam":           {"team { id }", in(func(c *cast) vars { return vars{"organizationId": c.organization, "name": c.name()} }), codes("FORBIDDEN", "outsider=NOT_FOUND", "staff", "admin")},
			"updateTeam":           {"team { id }", in(func(c *cast) vars { return vars{"teamId": c.newTeam(), "about": "x"} }), codes("FORBIDDEN", "outsider=NOT_FOUND", "lead", "staff", "admin")},
			"archiveTeam":          {"team { id }", in(func(c *cast) vars { return vars{"teamId": c.newTeam()} }), codes("FORBIDDEN", "outsider=NOT_FOUND", "staff", "admin")},
			"createTeamMembership": {"teamMembership { id }", in(func(c *cast) vars { return vars{"teamId": c.newTeam(), "memberId": c.stranger.ID, "role": "MEMBER"} }), codes("FORBIDDEN", "outsider=NOT_FOUND", "lead", "staff", "admin")},
			"updateTeamMembership": {"teamMembership { id }", in(func(c *cast) vars {
				return vars{"teamMembershipId": c.newPlace(c.newTeam(), c.stranger, "MEMBER"), "role": "DATA_LEAD"}
			}), codes("FORBIDDEN", "outsider=NOT_FOUND", "lead", "staff", "admin")},
			"endTeamMembership": {"errors { code }", in(func(c *cast) vars { return vars{"teamMembershipId": c.newPlace(c.newTeam(), c.stranger, "MEMBER")} }), codes("FORBIDDEN", "outsider=NOT_FOUND", "stranger", "lead", "staff", "admin")},
			"createRoleAssignment": {"roleAssignment { id }", in(func(c *cast) vars {
				return vars{"memberId": c.member.ID, "role": "FACILITATOR", "scope": "COHORT", "scopeId": c.newCohort()}
			}), codes("FORBIDDEN", "admin")},
			"endRoleAssignment": {"errors { code }", in(func(c *cast) vars { return vars{"roleAssignmentId": c.newRole()} }), codes("FORBIDDEN", "admin")},
		},
		fields: map[string]row{
			"Organization.teams":             {"", of("organization"), cells("2", "anonymous outsider=NOT_FOUND")},
			"Organization.viewerCanUpdate":   {"", of("organization"), cells("false", "anonymous outsider=NOT_FOUND", "staff admin=true")},
			"Member.email":                   {"", of("member"), cells("null", "anonymous outsider=NOT_FOUND", "reader member staff admin=there")},
			"Member.affiliations":            {"", of("member"), cells("1", "anonymous outsider=NOT_FOUND")},
			"Member.primaryAffiliation":      {"", of("member"), cells("there", "anonymous outsider=NOT_FOUND")},
			"Member.teamMemberships":         {"", of("lead"), cells("2", "anonymous outsider=NOT_FOUND")},
			"Member.suspendedUntil":          {"", of("member"), cells("null", "anonymous outsider=NOT_FOUND")},
			"Member.roleAssignments":         {"", of("staff"), cells("0", "anonymous outsider=NOT_FOUND", "staff admin=1")},
			"Member.unreadNotificationCount": {"", of("member"), cells("null", "anonymous outsider=NOT_FOUND", "reader member=3")},
			"Member.notifications":           {"", of("member"), cells("null", "anonymous outsider=NOT_FOUND", "reader member=2")},
			"Team.memberships":               {"", of("team"), cells("2", "anonymous outsider=NOT_FOUND")},
			"Team.enrollments":               {"", of("team"), cells("1", "anonymous outsider=NOT_FOUND")},
			"Team.space":                     {"", of("team"), cells("null", "anonymous outsider=NOT_FOUND", "enrolled lead staff admin=there")},
			"Team.viewerCanUpdate":           {"", of("team"), cells("false", "anonymous outsider=NOT_FOUND", "lead staff admin=true")},
		},
	}
}
