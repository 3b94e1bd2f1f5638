package apitest_test

import "github.com/pursuing-equity/commons/internal/gid"

// forumRows are the lines of threads, posts and notifications.
func forumRows() matrix {
	networkThread := func(c *cast) gid.ID { return c.threadBy(c.member, c.network) }
	networkPost := func(c *cast) any { return c.Post(c.member, networkThread(c), "mine") }
	answer := func(c *cast) any {
		question := networkThread(c)
		c.member.Must(`mutation($input: ClassifyThreadInput!) { classifyThread(input: $input) { errors { code message } } }`, input(vars{"threadId": question, "kind": "QUESTION"}))
		return c.Post(c.stranger, question, "The answer")
	}
	return matrix{
		mutations: map[string]row{
			"createThread": {"thread { id }", in(func(c *cast) vars { return vars{"spaceId": c.network, "title": "T", "body": "B"} }), codes(ok, "outsider=NOT_FOUND")},
			"vote": {"poll { id }", in(func(c *cast) vars {
				return vars{"pollId": c.objects["poll"], "optionIds": []gid.ID{c.objects["option"]}}
			}), codes("NOT_FOUND", participants...)},
			"renameThread":          {"thread { id }", in(func(c *cast) vars { return vars{"threadId": networkThread(c), "title": "U"} }), codes("FORBIDDEN", "outsider=NOT_FOUND", "member", "staff", "admin")},
			"classifyThread":        {"thread { id }", in(func(c *cast) vars { return vars{"threadId": networkThread(c), "tags": []string{"equity"}} }), codes("FORBIDDEN", "outsider=NOT_FOUND", "member", "staff", "admin")},
			"acceptAnswer":          {"thread { id }", in(func(c *cast) vars { return vars{"postId": answer(c)} }), codes("FORBIDDEN", "outsider=NOT_FOUND", "member", "staff", "admin")},
			"unacceptAnswer":        {"thread { id }", in(func(c *cast) vars { return vars{"threadId": networkThread(c)} }), codes("FORBIDDEN", "outsider=NOT_FOUND", "member", "staff", "admin")},
			"pinThread":             {"thread { id }", in(func(c *cast) vars { return vars{"threadId": networkThread(c)} }), codes("FORBIDDEN", "outsider=NOT_FOUND", "staff", "admin")},
			"unpinThread":           {"thread { id }", in(func(c *cast) vars { return vars{"threadId": networkThread(c)} }), codes("FORBIDDEN", "outsider=NOT_FOUND", "staff", "admin")},
			"lockThread":            {"thread { id }", in(func(c *cast) vars { return vars{"threadId": networkThread(c)} }), codes("FORBIDDEN", "outsider=NOT_FOUND", "staff", "admin")},
			"unlockThread":          {"thread { id }", in(func(c *cast) vars { return vars{"threadId": networkThread(c)} }), codes("FORBIDDEN", "outsider=NOT_FOUND", "staff", "admin")},
			"moveThread":            {"thread { id }", in(func(c *cast) vars { return vars{"threadId": networkThread(c), "spaceId": c.workgroup} }), codes("FORBIDDEN", "outsider=NOT_FOUND", "staff", "admin")},
			"createPost":            {"post { id }", in(func(c *cast) vars { return vars{"threadId": c.threadBy(c.insider, c.affinity), "body": "x"} }), codes("NOT_FOUND", "insider")},
			"indicateTyping":        {"thread { id }", in(func(c *cast) vars { return vars{"threadId": c.threadBy(c.insider, c.affinity)} }), codes("NOT_FOUND", "insider")},
			"editPost":              {"post { id }", in(func(c *cast) vars { return vars{"postId": networkPost(c), "expectedVersion": 1, "body": "y"} }), codes("FORBIDDEN", "outsider=NOT_FOUND", "member")},
			"deletePost":            {"post { id }", in(func(c *cast) vars { return vars{"postId": networkPost(c)} }), codes("FORBIDDEN", "outsider=NOT_FOUND", "member", "staff", "admin")},
			"addReaction":           {"post { id }", in(func(c *cast) vars { return vars{"postId": networkPost(c), "emoji": "👍"} }), codes("NOT_FOUND", participants...)},
			"removeReaction":        {"post { id }", in(func(c *cast) vars { return vars{"postId": networkPost(c), "emoji": "👍"} }), codes("NOT_FOUND", participants...)},
			"markThreadRead":        {"thread { id }", in(func(c *cast) vars { return vars{"threadId": networkThread(c), "upToSeq": 1} }), codes("NOT_FOUND", participants...)},
			"markNotificationsRead": {"viewer { id }", in(func(*cast) vars { return vars{} }), codes(ok)},
		},
		fields: map[string]row{
			"Thread.posts":                   {"", of("thread"), cells("NOT_FOUND", "reader member lead staff admin=3")},
			"Thread.viewerUnreadCount":       {"", of("thread"), cells("NOT_FOUND", "reader member=1", "lead=2", "staff admin=3")},
			"Thread.viewerLastReadSeq":       {"", of("thread"), cells("NOT_FOUND", "reader member=2", "lead staff admin=0")},
			"Thread.viewerCanReply":          {"", of("thread"), cells("NOT_FOUND", "reader member lead staff admin=true")},
			"Thread.viewerCanRename":         {"", of("thread"), cells("NOT_FOUND", "reader member staff admin=true", "lead=false")},
			"Thread.viewerCanAcceptAnswer":   {"", of("thread"), cells("NOT_FOUND", "reader member staff admin=false", "lead=false")},
			"Thread.viewerCanModerate":       {"", of("thread"), cells("NOT_FOUND", "reader member lead=false", "staff admin=true")},
			"Post.revisions":                 {"", of("post"), cells("NOT_FOUND", "reader member lead staff admin=1")},
			"Post.cards":                     {"", of("linking"), cells("NOT_FOUND", "reader stranger neighbour enrolled member lead reviewer expert staff admin=1", "insider=2")},
			"Poll.viewerHasVoted":            {"", of("poll"), cells("NOT_FOUND", "reader stranger neighbour enrolled member insider reviewer expert staff admin=false", "lead=true")},
			"Poll.viewerCanVote":             {"", of("poll"), cells("true", "anonymous outsider=NOT_FOUND")},
			"PollOption.viewerHasChosen":     {"", of("option"), cells("NOT_FOUND", "reader stranger neighbour enrolled member insider reviewer expert staff admin=false", "lead=true")},
			"Post.viewerCanEdit":             {"", of("post"), cells("NOT_FOUND", "reader member=true", "lead staff admin=false")},
			"Post.viewerCanDelete":           {"", of("post"), cells("NOT_FOUND", "reader member staff admin=true", "lead=false")},
			"Post.viewerCanReact":            {"", of("post"), cells("NOT_FOUND", "reader member lead staff admin=true")},
			"ReactionGroup.viewerHasReacted": {"reactions { viewerHasReacted }", of("post"), cells("NOT_FOUND", "reader member staff admin=false", "lead=true")},
		},
		subscriptions: map[string]row{
			"threadEvents":       {`threadEvents(threadId: $id, after: "no cursor") { cursor }`, func(c *cast) vars { return vars{"id": c.secret} }, map[string]string{"": "NOT_FOUND", "insider": "INVALID_CURSOR"}},
			"threadActivity":     {"threadActivity(threadId: $id) { present { id } }", func(c *cast) vars { return vars{"id": c.secret} }, map[string]string{"": "NOT_FOUND", "insider": ok}},
			"notificationEvents": {`notificationEvents(after: "no cursor") { cursor }`, none, map[string]string{"": "INVALID_CURSOR", "anonymous": "UNAUTHENTICATED"}},
		},
	}
}
