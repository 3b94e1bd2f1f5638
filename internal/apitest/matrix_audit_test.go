package apitest_test

// auditRows are the lines of the audit log.
func auditRows() matrix {
	return matrix{
		queries: map[string]row{
			"auditEntries": {page("auditEntries", ""), none, cells("0", "reader member browser insider lead=1", "staff=7", "admin=9")},
		},
		fields: map[string]row{
			"AuditEntry.subject": {"", of("entry"), cells("NOT_FOUND", "lead admin=there")},
			"AuditEntry.address": {"", of("entry"), cells("NOT_FOUND", "lead admin=there")},
		},
	}
}
