package apitest_test

import (
	"context"
	"time"

	"github.com/pursuing-equity/commons/ent"
	"github.com/pursuing-equity/commons/internal/apitest"
	"github.com/pursuing-equity/commons/internal/gid"
)

// admissionRows are the lines of applications.
func admissionRows() matrix {
	staffs := codes("FORBIDDEN", "staff", "admin")
	unseen := codes("NOT_FOUND", "staff", "admin")
	theirs := codes("NOT_FOUND", "member", "browser", "staff=FORBIDDEN", "admin=FORBIDDEN")
	return matrix{
		queries: map[string]row{
			"calls":        {page("calls", ""), none, cells("3", "staff admin=4")},
			"applications": {page("applications", ""), none, cells("0", "reader browser member staff admin=7", "reviewer=2")},
		},
		mutations: map[string]row{
			"createCall":  {"call { id }", in(func(c *cast) vars { return newCallInput(c.World, c.offering) }), staffs},
			"updateCall":  {"call { id }", in(func(c *cast) vars { return vars{"callId": c.newCall(), "expectedVersion": 1, "title": c.name()} }), unseen},
			"publishCall": {"call { id }", in(func(c *cast) vars { return vars{"callId": c.objects["prepared"], "expectedVersion": 1} }), codes("NOT_FOUND", "staff=INVALID_INPUT", "admin=INVALID_INPUT")},
			"deleteCall":  {"deletedCallId", in(func(c *cast) vars { return vars{"callId": c.newCall()} }), unseen},
			"saveForm": {"form { number }", in(func(c *cast) vars {
				return vars{"callId": c.newCall(), "expectedVersion": 1, "questions": questions("why")}
			}), unseen},
			"publishForm": {"form { number }", in(func(c *cast) vars { return vars{"callId": c.objects["call"], "expectedVersion": 1} }), codes("FORBIDDEN", "staff=INVALID_INPUT", "admin=INVALID_INPUT")},
			"startApplication": {"application { id }", in(func(c *cast) vars {
				return vars{"callId": c.objects["call"], "organizationName": c.name(), "organizationKind": "CLINIC"}
			}), codes(ok)},
			"saveAnswer": {"answer { key }", in(func(c *cast) vars {
				return vars{"applicationId": c.newApplication(), "key": "why", "value": "Equity", "expectedVersion": 0}
			}), theirs},
			"submitApplication": {"errors { code }", in(func(c *cast) vars { return vars{"applicationId": c.newApplication()} }),
				codes("NOT_FOUND", "member=INVALID_INPUT", "browser=INVALID_INPUT", "staff=FORBIDDEN", "admin=FORBIDDEN")},
			"withdrawApplication": {"application { id }", in(func(c *cast) vars { return vars{"applicationId": c.newApplication()} }), theirs},
			"addDocument": {"application { id }", in(func(c *cast) vars {
				return vars{"applicationId": c.newApplication(), "requirement": "video", "url": "https://example.org/film"}
			}), theirs},
			"removeDocument": {"application { id }", in(func(c *cast) vars {
				id := c.newApplication()
				return vars{"applicationId": id, "documentId": c.newDocument(id)}
			}), theirs},
			"requestSignature": {"application { id }", in(func(c *cast) vars {
				return vars{"applicationId": c.newApplication(), "requirement": "letter", "signer": "CEO", "name": "C", "email": "c@example.org", "letter": "Yes."}
			}), theirs},
			"cancelSignatureRequest": {"application { id }", in(func(c *cast) vars {
				id := c.newApplication()
				return vars{"applicationId": id, "signerRequestId": c.newSignerRequest(id)}
			}), theirs},
			"resendSignatureRequest": {"application { id }", in(func(c *cast) vars {
				id := c.newApplication()
				return vars{"applicationId": id, "signerRequestId": c.newSignerRequest(id)}
			}), theirs},
			"requestInformation": {"application { id }", in(func(c *cast) vars {
				return vars{"applicationId": c.submittedApplication(), "keys": []string{"why"}, "text": "More", "dueLocal": "2099-01-01T17:00"}
			}), codes("NOT_FOUND", "member=FORBIDDEN", "browser=FORBIDDEN", "staff", "admin")},
			"grantExtension": {"application { id }", in(func(c *cast) vars {
				return vars{"applicationId": c.newApplication(), "untilLocal": "2099-01-01T17:00"}
			}), codes("NOT_FOUND", "member=FORBIDDEN", "browser=FORBIDDEN", "staff", "admin")},
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
			"callEvents": {`callEvents(callId: $id, after: "no cursor") { cursor }`, of("prepared"), cells("NOT_FOUND", "staff admin=INVALID_CURSOR")},
			"applicationEvents": {`applicationEvents(applicationId: $id, after: "no cursor") { cursor }`, of("application"),
				cells("NOT_FOUND", "reader browser member staff admin=INVALID_CURSOR")},
		},
		fields: map[string]row{
			"Call.applications":              {"", of("call"), cells("0", "staff admin=3")},
			"Application.viewerCanEdit":      {"", of("application"), cells("NOT_FOUND", "reader browser member=true", "staff admin=false")},
			"Application.editors":            {"", of("application"), cells("NOT_FOUND", "reader browser member staff admin=1")},
			"Application.documents":          {"", of("application"), cells("NOT_FOUND", "reader browser member staff admin=1")},
			"Application.documentHistory":    {"", of("application"), cells("NOT_FOUND", "reader browser member staff admin=1")},
			"Application.signerRequests":     {"", of("application"), cells("NOT_FOUND", "reader browser member staff admin=1")},
			"Application.submissions":        {"", of("application"), cells("NOT_FOUND", "reader browser member staff admin=0")},
			"Application.extensions":         {"", of("application"), cells("NOT_FOUND", "reader browser member staff admin=0")},
			"Application.answerHistory":      {`answerHistory(key: "why") { version }`, of("application"), cells("NOT_FOUND", "reader browser member staff admin=0")},
			"Application.informationRequest": {"", of("application"), cells("NOT_FOUND", "reader browser member staff admin=there")},
			"Document.signerRequest":         {"documents { signerRequest { state } }", of("application"), cells("NOT_FOUND", "reader browser member staff admin=null")},
			"ApplicationFile.url":            {"documents { file { url } }", of("application"), cells("NOT_FOUND", "reader browser member staff admin=null")},
			"Offering.calls":                 {"", of("offering"), cells("3", "staff admin=4")},
			"Call.cohort":                    {"", of("call"), cells("null", "enrolled stranger neighbour reader browser member insider lead reviewer expert staff admin=there")},
			"Call.formVersions":              {"", of("call"), cells("0", "staff admin=1")},
			"Call.version":                   {"", of("call"), cells("null", "staff admin=1")},
			"Call.viewerCanUpdate":           {"", of("call"), cells("false", "staff admin=true")},
			"Application.organizationName":   {"", of("application"), cells("NOT_FOUND", "reader browser member staff admin=there")},
			"Application.number":             {"", of("application"), cells("NOT_FOUND", "reader browser member=null", "staff admin=1")},
			"Application.teamName":           {"", of("application"), cells("NOT_FOUND", "reader browser member staff admin=there")},
			"Application.answers":            {"", of("application"), cells("NOT_FOUND", "reader browser member staff admin=0")},
			"Application.missing":            {"missing { key }", of("application"), cells("NOT_FOUND", "reader browser member staff admin=3")},
			"Application.updatedAt":          {"", of("application"), cells("NOT_FOUND", "reader browser member staff admin=there")},
			"Application.submissionHash":     {"", of("application"), cells("NOT_FOUND", "reader browser member staff admin=null")},
		},
	}
}

// furnishAdmission makes a call and a draft of the member's.
func (c *cast) furnishAdmission() {
	c.Tx(func(ctx context.Context, tx *ent.Client) (err error) {
		if c.objects["call"], err = callOf(ctx, tx, c.World, c.offering, videoOf, letterOf); err != nil {
			return err
		}
		return tx.Call.UpdateOneID(c.objects["call"]).SetCohortID(c.cohort).Exec(ctx)
	})
	c.objects["prepared"] = c.newCall()
	c.objects["application"] = c.newApplication()
	c.newDocument(c.objects["application"])
	c.newSignerRequest(c.objects["application"])
}

// newCall is one that staff prepare.
func (c *cast) newCall() gid.ID {
	c.T.Helper()
	return must(c.T, c.staff.Must(createCall, input(newCallInput(c.World, c.offering))).String("createCall.call.id"))
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

// newDocument is a video of an application.
func (c *cast) newDocument(application gid.ID) gid.ID {
	id := c.NewID(gid.Document)
	c.Tx(func(ctx context.Context, tx *ent.Client) error {
		return tx.Document.Create().SetID(id).SetCreatedAt(c.App.Config.Now()).SetApplicationID(application).SetRequirement("video").
			SetURL("https://example.org/film").SetAddedByID(c.member.ID).Exec(ctx)
	})
	return id
}

// newSignerRequest is one of an application that waits.
func (c *cast) newSignerRequest(application gid.ID) gid.ID {
	id, now := c.NewID(gid.SignerRequest), c.App.Config.Now()
	c.Tx(func(ctx context.Context, tx *ent.Client) error {
		return tx.SignerRequest.Create().SetID(id).SetCreatedAt(now).SetApplicationID(application).SetRequirement("letter").SetSigner("CEO").SetName("C").
			SetEmail("c@example.org").SetLetter("Yes.").SetLetterHash(make([]byte, 32)).SetExpiresAt(now.Add(time.Hour)).SetRequesterID(c.member.ID).Exec(ctx)
	})
	return id
}

// submittedApplication is one of the member's that waits for a decision.
func (c *cast) submittedApplication() gid.ID {
	id := c.newApplication()
	c.Tx(func(ctx context.Context, tx *ent.Client) error {
		return tx.Application.UpdateOneID(id).SetState("SUBMITTED").SetSubmittedAt(c.App.Config.Now()).Exec(ctx)
	})
	return id
}
