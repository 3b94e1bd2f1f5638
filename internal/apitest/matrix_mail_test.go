package apitest_test

import (
	"github.com/pursuing-equity/commons/internal/access"
	"github.com/pursuing-equity/commons/internal/gid"
	"github.com/pursuing-equity/commons/internal/notify"
)

// mailRows are the lines of mail that could not be sent.
func mailRows() matrix {
	staff := codes("NOT_FOUND", "staff", "admin")
	return matrix{
		queries: map[string]row{
			"failedMails": {page("failedMails", ""), none, cells("0", "staff admin=1")},
		},
		mutations: map[string]row{
			"retryFailedMail":   {"retriedId", in(func(c *cast) vars { return vars{"mailId": c.objects["failed"]} }), staff},
			"discardFailedMail": {"discardedId", in(func(c *cast) vars { return vars{"mailId": c.failedMail(notify.Template)} }), staff},
		},
	}
}

// newFailedMail is a mail that failed, and one about hidden spaces alone.
func (c *cast) newFailedMail() {
	c.objects["failed"] = c.failedMail(notify.Template)
	c.hidden[gid.Mail] = c.failedMail(access.PrivateMail)
}

// failedMail is a mail to the member that failed a moment ago.
func (c *cast) failedMail(template string) gid.ID {
	id, now := c.NewID(gid.Mail), c.App.Config.Now()
	c.App.Store.Client(c.System()).Mail.Create().SetID(id).SetCreatedAt(now).SetAddress(c.member.Handle + "@example.org").SetTemplate(template).
		SetNextAt(now.AddDate(0, 1, 0)).SetFailedAt(now).SetAttempts(1).ExecX(c.System())
	return id
}
