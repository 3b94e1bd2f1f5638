package apitest_test

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
			"updateCohort":     {"cohort { id }", in(func(c *cast) vars { return vars{"cohortId": c.newCohort(), "name": c.name()} }), codes("FORBIDDEN", "outsider=NOT_FOUND", "staff", "admin")},
			"archiveCohort":    {"cohort { id }", in(func(c *cast) vars { return vars{"cohortId": c.newCohort()} }), codes("FORBIDDEN", "outsider=NOT_FOUND", "staff", "admin")},
			"enrollTeam":       {"enrollment { id }", in(func(c *cast) vars { return vars{"cohortId": c.newCohort(), "teamId": c.team} }), codes("FORBIDDEN", "outsider=NOT_FOUND", "staff", "admin")},
			"updateEnrollment": {"enrollment { id }", in(func(c *cast) vars { return vars{"enrollmentId": c.newEnrollment(), "state": "COMPLETED"} }), codes("FORBIDDEN", "outsider=NOT_FOUND", "staff", "admin")},
		},
		fields: map[string]row{
			"Offering.cohorts":       {"", of("offering"), cells("1", "anonymous outsider=0")},
			"Cohort.teams":           {"", of("cohort"), cells("1", "anonymous outsider=NOT_FOUND")},
			"Cohort.enrollments":     {"", of("cohort"), cells("1", "anonymous outsider=NOT_FOUND")},
			"Cohort.space":           {"", of("cohort"), cells("null", "anonymous outsider=NOT_FOUND", "enrolled lead staff admin=there")},
			"Cohort.viewerCanUpdate": {"", of("cohort"), cells("false", "anonymous outsider=NOT_FOUND", "staff admin=true")},
			"Enrollment.reason":      {"", of("enrollment"), cells("null", "anonymous outsider=NOT_FOUND", "staff admin=there")},
		},
	}
}
