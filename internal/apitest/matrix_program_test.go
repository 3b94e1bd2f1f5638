package apitest_test

import "github.com/pursuing-equity/commons/internal/gid"

// programRows are the lines of cohorts and enrollments.
func programRows() matrix {
	return matrix{
		queries: map[string]row{
			"programs": {"programs { id }", none, map[string]string{"": "1"}},
			"cohorts":  {page("cohorts", ""), none, map[string]string{"": "1", "anonymous": "0", "outsider": "0"}},
		},
		mutations: map[string]row{
			"createCohort": {"cohort { id }", in(func(c *cast) vars {
				return vars{"offeringId": c.offering, "name": c.name(), "startsOn": "2023-01-01", "endsOn": "2023-01-02"}
			}), codes("FORBIDDEN", "staff", "admin")},
			"updateCohort":   {"cohort { id }", in(func(c *cast) vars { return vars{"cohortId": c.newCohort(), "name": c.name()} }), codes("FORBIDDEN", "outsider=NOT_FOUND", "staff", "admin")},
			"archiveCohort":  {"cohort { id }", in(func(c *cast) vars { return vars{"cohortId": c.newCohort()} }), codes("FORBIDDEN", "outsider=NOT_FOUND", "staff", "admin")},
			"enrollTeam":     {"enrollment { id }", in(func(c *cast) vars { return vars{"cohortId": c.newCohort(), "teamId": c.team} }), codes("FORBIDDEN", "outsider=NOT_FOUND", "staff", "admin")},
			"updateOffering": {"offering { id }", in(func(c *cast) vars { return vars{"offeringId": c.offering, "summary": c.name()} }), codes("FORBIDDEN", "staff", "admin")},
			"grantEntitlement": {"entitlement { id }", in(func(c *cast) vars {
				return vars{"offeringId": c.offering, "support": "COACHING", "resourceId": c.newResource("ENTITLED", nil)}
			}), codes("FORBIDDEN", "staff", "admin")},
			"revokeEntitlement": {"offering { id }", in(func(c *cast) vars {
				return vars{"entitlementId": c.newEntitlement("resourceId", c.newResource("ENTITLED", nil))}
			}), codes("NOT_FOUND", "staff", "admin")},
			"updateEnrollment": {"enrollment { id }", in(func(c *cast) vars { return vars{"enrollmentId": c.newEnrollment(), "state": "COMPLETED"} }), codes("FORBIDDEN", "outsider=NOT_FOUND", "staff", "admin")},
		},
		fields: map[string]row{
			"Offering.entitlements":  {"", of("offering"), cells("0", "staff admin=1")},
			"Entitlement.space":      {"", of("entitlement"), cells("NOT_FOUND", "staff admin=there")},
			"Entitlement.resource":   {"", of("entitlement"), cells("NOT_FOUND", "staff admin=null")},
			"Offering.cohorts":       {"", of("offering"), cells("1", "anonymous outsider=0")},
			"Cohort.teams":           {"", of("cohort"), cells("1", "anonymous outsider=NOT_FOUND")},
			"Cohort.enrollments":     {"", of("cohort"), cells("1", "anonymous outsider=NOT_FOUND")},
			"Cohort.space":           {"", of("cohort"), cells("null", "anonymous outsider=NOT_FOUND", "enrolled lead staff admin=there")},
			"Cohort.viewerCanUpdate": {"", of("cohort"), cells("false", "anonymous outsider=NOT_FOUND", "staff admin=true")},
			"Enrollment.reason":      {"", of("enrollment"), cells("null", "anonymous outsider=NOT_FOUND", "staff admin=there")},
		},
	}
}

// newEntitlement is what coaching opens for the offering's teams.
func (c *cast) newEntitlement(what string, id any) gid.ID {
	c.T.Helper()
	r := c.staff.Must(`mutation($input: GrantEntitlementInput!) { grantEntitlement(input: $input) { entitlement { id } errors { code message } } }`,
		input(vars{"offeringId": c.offering, "support": "COACHING", what: id}))
	return must(c.T, r.String("grantEntitlement.entitlement.id"))
}
