package apitest_test

import (
	"context"

	"github.com/pursuing-equity/commons/ent"
	"github.com/pursuing-equity/commons/ent/flag"
	"github.com/pursuing-equity/commons/ent/notice"
	"github.com/pursuing-equity/commons/internal/gid"
	"github.com/pursuing-equity/commons/internal/notify"
)

// moderationRows are the lines of what members do against harm.
func moderationRows() matrix {
	somebody := in(func(c *cast) vars { return vars{"memberId": c.newParticipant().ID} })
	theirs := func(c *cast) gid.ID { return c.Post(c.insider, c.threadBy(c.insider, c.network), "B") }
	flagged := func(c *cast) gid.ID {
		post := theirs(c)
		must(c.T, c.stranger.Must(flagPost, input(vars{"postId": post, "reason": "SPAM"})).String("flagPost.flag.id"))
		return post
	}
	judges := codes("FORBIDDEN", "outsider=NOT_FOUND", "suspended=UNAUTHENTICATED", "deactivated=UNAUTHENTICATED", "staff", "admin")
	return matrix{
		queries: map[string]row{
			"moderationQueue": {page("moderationQueue", ""), none, cells("0", "staff admin=1")},
		},
		mutations: map[string]row{
			"blockMember":        {"account { email }", somebody, codes(ok, "outsider=NOT_FOUND")},
			"unblockMember":      {"account { email }", somebody, codes(ok, "outsider=NOT_FOUND")},
			"flagPost":           {"flag { id }", in(func(c *cast) vars { return vars{"postId": theirs(c), "reason": "SPAM"} }), codes(ok, "outsider=NOT_FOUND", "insider=FORBIDDEN")},
			"resolveFlags":       {"post { id }", in(func(c *cast) vars { return vars{"postId": flagged(c), "outcome": "DISMISSED"} }), judges},
			"hidePost":           {"post { id }", in(func(c *cast) vars { return vars{"postId": theirs(c)} }), judges},
			"unhidePost":         {"post { id }", in(func(c *cast) vars { return vars{"postId": theirs(c)} }), judges},
			"warnMember":         {"warning { id }", in(func(c *cast) vars { return vars{"memberId": c.insider.ID, "postId": theirs(c), "text": "No."} }), judges},
			"acknowledgeWarning": {"warning { id }", in(func(c *cast) vars { return vars{"warningId": c.objects["warning"]} }), codes("NOT_FOUND", "member", "browser")},
			"muteMember":         {"account { email }", somebody, codes(ok, "outsider=NOT_FOUND")},
			"unmuteMember":       {"account { email }", somebody, codes(ok, "outsider=NOT_FOUND")},
		},
		fields: map[string]row{
			"Post.hiddenBody":            {"", of("concealed"), cells("null", "anonymous suspended deactivated outsider=NOT_FOUND", "reader browser member staff admin=there")},
			"Post.hiddenReason":          {"", of("concealed"), cells("null", "anonymous suspended deactivated outsider=NOT_FOUND", "reader browser member staff admin=there")},
			"Post.viewerFlag":            {"", of("post"), cells("NOT_FOUND", "reader member staff admin=null", "lead=there")},
			"Post.viewerCanFlag":         {"", of("post"), cells("NOT_FOUND", "reader member=false", "lead staff admin=true")},
			"Post.viewerCanHide":         {"", of("post"), cells("NOT_FOUND", "reader member lead=false", "staff admin=true")},
			"Flag.resolvedBy":            {"", of("flag"), cells("NOT_FOUND", "lead staff admin=null")},
			"Flag.resolution":            {"", of("flag"), cells("NOT_FOUND", "lead staff admin=null")},
			"ModerationAction.moderator": {"", of("warning"), cells("NOT_FOUND", "reader member=null", "staff admin=there")},
			"ModerationAction.space":     {"", of("warning"), cells("NOT_FOUND", "reader member staff admin=there")},
			"ModerationAction.thread":    {"", of("warning"), cells("NOT_FOUND", "reader member staff admin=there")},
			"ModerationAction.post":      {"", of("warning"), cells("NOT_FOUND", "reader member staff admin=there")},
			"Space.viewerOpenFlagCount":  {"", of("workgroup"), cells("NOT_FOUND", "reader member lead=0", "staff admin=1")},
			"Space.moderationActions":    {"", of("workgroup"), cells("NOT_FOUND", "reader member lead=0", "staff admin=3")},
			"Thread.lastPost":            {"", of("thread"), cells("NOT_FOUND", "reader member lead staff admin=there")},
			"Post.viewerHasMutedAuthor":  {"", of("post"), cells("NOT_FOUND", "reader member lead staff admin=false")},
		},
	}
}

// furnishModeration flags a post, and hides another and warns its author, who has a notice of it too.
func (c *cast) furnishModeration(post gid.ID) {
	c.objects["flag"] = must(c.T, c.lead.Must(flagPost, input(vars{"postId": post, "reason": "SPAM"})).String("flagPost.flag.id"))
	c.objects["concealed"] = c.Post(c.member, c.threadBy(c.member, c.network), "Rude")
	c.staff.Must(hidePost, input(vars{"postId": c.objects["concealed"], "reason": "Be kind."}))
	c.objects["warning"] = must(c.T, c.staff.Must(warn, input(vars{"memberId": c.member.ID, "postId": post, "text": "Be kind."})).String("warnMember.warning.id"))
	c.hidden[gid.Flag] = c.NewID(gid.Flag)
	c.Tx(func(ctx context.Context, tx *ent.Client) error {
		told := []notify.About{{Recipient: c.member.ID, Subject: c.objects["warning"]}}
		if err := c.App.Notify.TellNotices(ctx, tx, notice.ReasonWARNED, told, c.App.Config.Now()); err != nil {
			return err
		}
		return tx.Flag.Create().SetID(c.hidden[gid.Flag]).SetCreatedAt(c.App.Config.Now()).SetPostID(c.hidden[gid.Post]).SetReporterID(c.insider.ID).
			SetReason(flag.ReasonSPAM).Exec(ctx)
	})
}
