package apitest_test

// moderationRows are the lines of what members do against harm.
func moderationRows() matrix {
	somebody := in(func(c *cast) vars { return vars{"memberId": c.newParticipant().ID} })
	return matrix{
		mutations: map[string]row{
			"blockMember":   {"account { email }", somebody, codes(ok, "outsider=NOT_FOUND")},
			"unblockMember": {"account { email }", somebody, codes(ok, "outsider=NOT_FOUND")},
			"muteMember":    {"account { email }", somebody, codes(ok, "outsider=NOT_FOUND")},
			"unmuteMember":  {"account { email }", somebody, codes(ok, "outsider=NOT_FOUND")},
		},
		fields: map[string]row{
			"Thread.lastPost":           {"", of("thread"), cells("NOT_FOUND", "reader member lead staff admin=there")},
			"Post.viewerHasMutedAuthor": {"", of("post"), cells("NOT_FOUND", "reader member lead staff admin=false")},
		},
	}
}
