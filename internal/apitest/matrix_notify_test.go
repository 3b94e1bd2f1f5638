package apitest_test

// notifyRows are the lines of what people want to hear and have not read.
func notifyRows() matrix {
	return matrix{
		mutations: map[string]row{
			"markThreadUnread":             {"thread { id }", in(func(c *cast) vars { return vars{"threadId": c.threadBy(c.member, c.network), "fromSeq": 1} }), codes("NOT_FOUND", participants...)},
			"markSpaceRead":                {"space { id }", in(func(c *cast) vars { return vars{"spaceId": c.affinity} }), codes("NOT_FOUND", "insider")},
			"markAllRead":                  {"viewer { id }", in(func(*cast) vars { return vars{} }), codes(ok)},
			"updateNotificationPreference": {"errors { code }", in(func(*cast) vars { return vars{"digestHour": 9} }), codes(ok)},
			"resumeMail":                   {"errors { code }", in(func(*cast) vars { return vars{} }), codes(ok)},
			"markNotificationGroupRead":    {"viewer { id }", in(func(c *cast) vars { return vars{"threadId": c.threadBy(c.member, c.network)} }), codes("NOT_FOUND", participants...)},
			"setSpaceWatchLevel":           {"space { id }", in(func(c *cast) vars { return vars{"spaceId": c.affinity, "level": "MUTED"} }), codes("NOT_FOUND", "insider")},
			"setThreadWatchLevel":          {"thread { id }", in(func(c *cast) vars { return vars{"threadId": c.threadBy(c.member, c.network), "level": "TRACKING"} }), codes("NOT_FOUND", participants...)},
		},
		fields: map[string]row{
			"Space.viewerWatchLevel":        {"", of("workgroup"), cells("NOT_FOUND", "reader member lead staff admin=null")},
			"Space.viewerMentionCount":      {"", of("workgroup"), cells("NOT_FOUND", "reader member lead=1", "staff admin=0")},
			"Thread.viewerWatchLevel":       {"", of("thread"), cells("NOT_FOUND", "reader member lead staff admin=null")},
			"Thread.viewerMentionCount":     {"", of("thread"), cells("NOT_FOUND", "reader member lead=1", "staff admin=0")},
			"Member.unreadPostCount":        {"", of("member"), cells("null", "anonymous outsider=NOT_FOUND", "reader member=1")},
			"Member.unreadMentionCount":     {"", of("member"), cells("null", "anonymous outsider=NOT_FOUND", "reader member=1")},
			"Member.notificationGroups":     {"", of("member"), cells("null", "anonymous outsider=NOT_FOUND", "reader member=1")},
			"Member.notices":                {"", of("member"), cells("null", "anonymous outsider=NOT_FOUND", "reader member=1")},
			"Notice.warning":                {"notices(first: 50) { edges { node { warning { id } } } }", of("member"), cells("null", "anonymous outsider=NOT_FOUND", "reader member=1")},
			"Notification.reasons":          {"notifications(first: 50) { edges { node { reasons } } }", of("member"), cells("null", "anonymous outsider=NOT_FOUND", "reader member=2")},
			"Notification.readAt":           {"notifications(first: 50) { edges { node { readAt } } }", of("member"), cells("null", "anonymous outsider=NOT_FOUND", "reader member=2")},
			"NotificationGroup.unreadCount": {"notificationGroups(first: 50) { edges { node { unreadCount } } }", of("member"), cells("null", "anonymous outsider=NOT_FOUND", "reader member=1")},
			"NotificationGroup.actors":      {"notificationGroups(first: 50) { edges { node { actors { id } } } }", of("member"), cells("null", "anonymous outsider=NOT_FOUND", "reader member=1")},
		},
	}
}
