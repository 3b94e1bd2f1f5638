package apitest_test

import (
	"context"

	"github.com/pursuing-equity/commons/ent"
	"github.com/pursuing-equity/commons/internal/apitest"
	"github.com/pursuing-equity/commons/internal/gid"
)

// admissionRows are the lines of applications.
func admissionRows() matrix {
	theirs := codes("NOT_FOUND", "member", "browser", "staff=FORBIDDEN", "admin=FORBIDDEN")
	return matrix{
		queries: map[string]row{
			"applications": {page("applications", ""), none, cells("0", "reader browser member staff admin=1")},
		},
		mutations: map[string]row{
			"startApplication": {"application { id }", in(func(c *cast) vars {
				return vars{"callId": c.objects["call"], "organizationName": c.name(), "organizationKind": "CLINIC"}
			}), codes(ok)},
			"saveAnswer": {"answer { key }", in(func(c *cast) vars {
				return vars{"applicationId": c.newApplication(), "key": "why", "value": "Equity", "expectedVersion": 0}
			}), theirs},
			"submitApplication": {"errors { code }", in(func(c *cast) vars { return vars{"applicationId": c.newApplication()} }),
				codes("NOT_FOUND", "member=INVALID_INPUT", "browser=INVALID_INPUT", "staff=FORBIDDEN", "admin=FORBIDDEN")},
			"withdrawApplication": {"application { id }", in(func(c *cast) vars { return vars{"applicationId": c.newApplication()} }), theirs},
			"addApplicationEditor": {"application { id }", in(func(c *cast) vars {
				return vars{"applicationId": c.newApplication(), "memberId": c.lead.ID}
			}), theirs},
			"removeApplicationEditor": {"application { id }", in(func(c *cast) vars {
				return vars{"applicationId": c.editedApplication(c.lead), "memberId": c.lead.ID}
			}), codes("NOT_FOUND", "member", "browser", "lead", "staff=FORBIDDEN", "admin=FORBIDDEN")},
			"transferApplication": {"application { id }", in(func(c *cast) vars {
				return vars{"applicationId": c.editedApplication(c.lead), "memberId": c.lead.ID}
			}), codes("NOT_FOUND", "member", "browser", "lead=FORBIDDEN", "staff", "admin")},
		},
		subscriptions: map[string]row{
			"applicationEvents": {`applicationEvents(applicationId: $id, after: "no cursor") { cursor }`, of("application"),
				cells("NOT_FOUND", "reader browser member staff admin=INVALID_CURSOR")},
		},
		fields: map[string]row{
			"Call.applications":         {"", of("call"), cells("0", "staff admin=1")},
			"Application.viewerCanEdit": {"", of("application"), cells("NOT_FOUND", "reader browser member=true", "staff admin=false")},
			"Application.editors":       {"", of("application"), cells("NOT_FOUND", "reader browser member staff admin=1")},
		},
	}
}

// furnishAdmission makes a call and a draft of the member's.
func (c *cast) furnishAdmission() {
	c.Tx(func(ctx context.Context, tx *ent.Client) (err error) {
		c.objects["call"], err = callOf(ctx, tx, c.World, c.offering)
		return err
	})
	c.objects["application"] = c.newApplication()
}

// newApplication is a draft of the member's.
func (c *cast) newApplication() (id gid.ID) {
	c.Tx(func(ctx context.Context, tx *ent.Client) (err error) {
		id, err = applicationOf(ctx, tx, c.World, c.objects["call"], c.member)
		return err
	})
	return id
}

// editedApplication is a draft of the member's that another member edits, too.
func (c *cast) editedApplication(editor *apitest.Person) gid.ID {
	id := c.newApplication()
	c.Tx(func(ctx context.Context, tx *ent.Client) error {
		return tx.ApplicationEditor.Create().SetID(c.NewID(gid.ApplicationEditor)).SetCreatedAt(c.App.Config.Now()).SetApplicationID(id).
			SetMemberID(editor.ID).SetAddedByID(c.member.ID).Exec(ctx)
	})
	return id
}
