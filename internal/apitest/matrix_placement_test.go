package apitest_test

import (
	"context"
	"time"

	"github.com/pursuing-equity/commons/ent"
	"github.com/pursuing-equity/commons/ent/application"
	"github.com/pursuing-equity/commons/ent/decision"
	"github.com/pursuing-equity/commons/ent/enrollment"
	"github.com/pursuing-equity/commons/internal/gid"
)

// placementRows are the lines of decisions, offers, the waitlist and fees.
func placementRows() matrix {
	owner := codes("NOT_FOUND", "member", "browser", "staff=FORBIDDEN", "admin=FORBIDDEN")
	decides := codes("NOT_FOUND", "member=FORBIDDEN", "browser=FORBIDDEN", "staff", "admin")
	runs := codes("FORBIDDEN", "staff", "admin")
	seen := func(answer string) map[string]string {
		return cells("NOT_FOUND", "reader browser member staff admin="+answer)
	}
	staffs := func(answer string) map[string]string {
		return cells("NOT_FOUND", "reader browser member=null", "staff admin="+answer)
	}
	one := func(of func(c *cast) gid.ID) func(c *cast) vars {
		return in(func(c *cast) vars { return vars{"applicationId": of(c)} })
	}
	return matrix{
		mutations: map[string]row{
			"prepareDecision": {"decision { id }", in(func(c *cast) vars {
				return vars{"applicationId": c.newStanding(application.StateSUBMITTED, ""), "kind": "DECLINE", "expectedVersion": 0}
			}), decides},
			"discardDecision": {"application { id }", in(func(c *cast) vars {
				return vars{"applicationId": c.newStanding(application.StateSUBMITTED, decision.KindACCEPT), "expectedVersion": 1}
			}), decides},
			"releaseDecisions": {"released { offered }", in(func(c *cast) vars { return vars{"callId": c.placedCall()} }), runs},
			"acceptOffer":      {"application { id }", one((*cast).newOffered), owner},
			"declineOffer":     {"application { id }", one((*cast).newOffered), owner},
			"moveInWaitlist": {"application { id }", in(func(c *cast) vars { return vars{"applicationId": c.newWaiting(), "rank": 1} }),
				decides},
			"leaveWaitlist": {"application { id }", one((*cast).newWaiting), owner},
			"closeWaitlist": {"call { id }", in(func(c *cast) vars { return vars{"callId": c.placedCall()} }), runs},
			"withdrawEnrollment": {"enrollment { id }", in(func(c *cast) vars { return vars{"enrollmentId": c.newEnrollment()} }),
				codes("FORBIDDEN", "outsider=NOT_FOUND", "lead", "staff", "admin")},
			"recordFee": {"enrollment { id }", in(func(c *cast) vars {
				return vars{"enrollmentId": c.newEnrollment(), "amount": 3_000_000, "currency": "USD", "expectedVersion": 0}
			}), codes("FORBIDDEN", "outsider=NOT_FOUND", "staff", "admin")},
		},
		fields: map[string]row{
			"Application.decision":         {"", of("offered"), seen("there")},
			"Application.preparedDecision": {"", of("undecided"), staffs("there")},
			"Application.enrollment":       {"", of("admitted"), seen("there")},
			"Decision.note":                {"decision { note }", of("offered"), staffs("there")},
			"Decision.rank":                {"decision { rank }", of("waiting"), staffs("1")},
			"Decision.decider":             {"decision { decider { id } }", of("offered"), staffs("there")},
			"Decision.version":             {"decision { version }", of("offered"), staffs("1")},
			"Call.places":                  {"", of("decided"), cells("null", "staff admin=there")},
			"Call.waitlist":                {"", of("decided"), cells("0", "staff admin=1")},
			"Enrollment.fee":               {"", of("fee"), cells("null", "anonymous outsider=NOT_FOUND", "lead staff admin=there")},
		},
	}
}

// furnishPlacement makes applications of the member's in the states that decisions lead to, and a place that one of them led to.
func (c *cast) furnishPlacement() {
	c.objects["decided"] = c.placedCall()
	c.objects["undecided"] = c.newStanding(application.StateSUBMITTED, decision.KindACCEPT)
	c.objects["offered"], c.objects["waiting"] = c.newOffered(), c.newWaiting()
	c.objects["admitted"] = c.newStanding(application.StateADMITTED, decision.KindACCEPT)
	c.objects["fee"] = c.objects["enrollment"]
	c.Tx(func(ctx context.Context, tx *ent.Client) error {
		return tx.Enrollment.Update().Where(enrollment.ID(c.objects["fee"])).SetApplicationID(c.objects["admitted"]).
			SetFeeAmount(3_000_000).SetWaivedAmount(0).SetFeeCurrency("USD").Exec(ctx)
	})
}

func (c *cast) newOffered() gid.ID {
	return c.newStanding(application.StateOFFERED, decision.KindACCEPT)
}
func (c *cast) newWaiting() gid.ID {
	return c.newStanding(application.StateWAITLISTED, decision.KindWAITLIST)
}

// placedCall is a call with a place of its own.
func (c *cast) placedCall() (id gid.ID) {
	c.Tx(func(ctx context.Context, tx *ent.Client) (err error) {
		id, err = callOf(ctx, tx, c.World, c.offering)
		return err
	})
	return id
}

// newStanding is an application of the member's, in a call with room, that stands somewhere by a decision of staff; one that is submitted has it in
// preparation. No kind: there is none.
func (c *cast) newStanding(state application.State, kind decision.Kind) gid.ID {
	call := c.objects["decided"]
	if state == application.StateOFFERED { // which can be taken
		call = c.placedCall()
	}
	var id gid.ID
	c.Tx(func(ctx context.Context, tx *ent.Client) (err error) {
		now := c.App.Config.Now()
		if id, err = applicationOf(ctx, tx, c.World, call, c.member); err != nil {
			return err
		}
		if err := tx.Call.UpdateOneID(call).SetCohortID(c.cohort).Exec(ctx); err != nil {
			return err
		}
		if state == application.StateOFFERED {
			if err := tx.Call.UpdateOneID(call).SetCapacity(1).Exec(ctx); err != nil {
				return err
			}
		}
		err = tx.Application.UpdateOneID(id).SetState(state).SetSubmissions(1).SetSubmittedAt(now).Exec(ctx)
		if err != nil || kind == "" {
			return err
		}
		d := tx.Decision.Create().SetID(c.NewID(gid.Decision)).SetCreatedAt(now).SetUpdatedAt(now).SetApplicationID(id).SetCallID(call).
			SetKind(kind).SetNote("Between us.").SetDeciderID(c.staff.ID)
		switch state {
		case application.StateSUBMITTED:
		case application.StateWAITLISTED:
			d.SetReleasedAt(now).SetRank(1)
		default:
			d.SetReleasedAt(now).SetExpiresAt(now.Add(time.Hour))
		}
		return d.Exec(ctx)
	})
	return id
}
