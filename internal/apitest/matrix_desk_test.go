package apitest_test

import (
	"time"

	"github.com/pursuing-equity/commons/internal/apitest"
	"github.com/pursuing-equity/commons/internal/desk"
	"github.com/pursuing-equity/commons/internal/gid"
)

// newDraft is somebody's draft of a post.
func (c *cast) newDraft(p *apitest.Person, thread gid.ID) gid.ID {
	d, _, err := c.App.Desk.SaveDraft(p.Context(), p.Viewer, desk.DraftPatch{ThreadID: &thread, Body: new("Soon.")})
	return made(c, d, err).ID
}

// furnishDesk makes what lead keeps.
func (c *cast) furnishDesk(thread, post gid.ID) {
	begun, _, err := c.App.Desk.SaveDraft(c.lead.Context(), c.lead.Viewer, desk.DraftPatch{SpaceID: &c.workgroup, Title: new("Soon")})
	c.objects["begun"] = made(c, begun, err).ID
	answer, _, err := c.App.Desk.SaveDraft(c.lead.Context(), c.lead.Viewer, desk.DraftPatch{ThreadID: &thread, ReplyToID: &post})
	c.objects["answer"] = made(c, answer, err).ID
	kept, err := c.App.Desk.BookmarkPost(c.lead.Context(), c.lead.Viewer, post, desk.BookmarkPatch{})
	c.objects["bookmark"] = made(c, kept, err).ID
}

// deskRows are the lines of drafts and bookmarks: they are for who made them, and for nobody else.
func deskRows() matrix {
	mine := func(c *cast) vars {
		return vars{"draftId": c.newDraft(c.member, c.threadBy(c.member, c.network))}
	}
	return matrix{
		mutations: map[string]row{
			"saveDraft":   {"draft { id }", in(func(c *cast) vars { return vars{"threadId": c.threadBy(c.insider, c.affinity), "body": "x"} }), codes("NOT_FOUND", "insider")},
			"deleteDraft": {"draftId", in(mine), codes("NOT_FOUND", "member")},
			"scheduleDraft": {"draft { id }", in(func(c *cast) vars {
				v := mine(c)
				v["publishAt"] = c.App.Config.Now().Add(24 * time.Hour)
				return v
			}), codes("NOT_FOUND", "member")},
			"unscheduleDraft": {"draft { id }", in(mine), codes("NOT_FOUND", "member")},
			"publishDraft":    {"post { id }", in(mine), codes("NOT_FOUND", "member")},
			"bookmarkPost":    {"bookmark { id }", in(func(c *cast) vars { return vars{"postId": c.hidden[gid.Post]} }), codes("NOT_FOUND", "insider")},
			"removeBookmark":  {"post { id }", in(func(c *cast) vars { return vars{"postId": c.hidden[gid.Post]} }), codes("NOT_FOUND", "insider")},
		},
		fields: map[string]row{
			"Member.drafts":       {"", of("lead"), cells("null", "anonymous outsider=NOT_FOUND", "lead=2")},
			"Member.bookmarks":    {"", of("lead"), cells("null", "anonymous outsider=NOT_FOUND", "lead=1")},
			"Draft.space":         {"", of("begun"), cells("NOT_FOUND", "lead=there")},
			"Draft.thread":        {"", of("answer"), cells("NOT_FOUND", "lead=there")},
			"Draft.replyTo":       {"", of("answer"), cells("NOT_FOUND", "lead=there")},
			"Post.viewerBookmark": {"", of("post"), cells("NOT_FOUND", "lead=there", "reader member staff admin=null")},
		},
	}
}
