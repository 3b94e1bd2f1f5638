package apitest_test

import (
	"context"

	"github.com/pursuing-equity/commons/ent"
	"github.com/pursuing-equity/commons/internal/apitest"
	"github.com/pursuing-equity/commons/internal/gid"
)

// reviewRows are the lines of reviews. The reviewer is asked to review one application of the member's, and has reviewed another.
func reviewRows() matrix {
	staff := codes("FORBIDDEN", "staff", "admin")
	theirs := codes("NOT_FOUND", "reviewer")
	assigned := func(c *cast) gid.ID { return c.newAssignment(c.reviewer) }
	return matrix{
		queries: map[string]row{
			"myReviewAssignments": {page("myReviewAssignments", ""), none, cells("0", "reviewer=2")},
		},
		mutations: map[string]row{
			"assignReviewers": {"outcomes { result }", in(func(c *cast) vars {
				return vars{"applicationIds": []gid.ID{c.newSubmitted()}, "reviewerIds": []gid.ID{c.reviewer.ID}}
			}), staff},
			"assignBalanced": {"plan { assignedCount }", in(func(c *cast) vars { return vars{"callId": c.objects["call"], "dryRun": true} }), staff},
			"removeReviewer": {"assignment { state }", in(func(c *cast) vars { return vars{"assignmentId": assigned(c)} }), staff},
			"declineReview":  {"errors { code }", in(func(c *cast) vars { return vars{"assignmentId": assigned(c), "reason": "No time"} }), theirs},
			"declareConflict": {"conflict { id }", in(func(c *cast) vars {
				return vars{"applicationId": c.assignedApplication(c.reviewer)}
			}), codes("NOT_FOUND", "reviewer", "staff", "admin")},
			"endConflict": {"conflict { endedAt }", in(func(c *cast) vars { return vars{"conflictId": c.newConflict()} }), staff},
			"saveReview": {"review { version }", in(func(c *cast) vars {
				return vars{"assignmentId": assigned(c), "scores": []vars{}, "expectedVersion": 0}
			}), theirs},
			"submitReview": {"errors { code }", in(func(c *cast) vars { return vars{"assignmentId": assigned(c), "expectedVersion": 0} }),
				codes("NOT_FOUND", "reviewer=INVALID_INPUT")},
			"reopenReview": {"assignment { state }", in(func(c *cast) vars { return vars{"reviewId": c.newReview()} }), staff},
		},
		fields: map[string]row{
			"Application.reviewAssignments": {"", of("judged"), cells("NOT_FOUND", "reader browser member=0", "reviewer staff admin=1")},
			"Application.reviews":           {"", of("judged"), cells("NOT_FOUND", "reader browser member=0", "reviewer staff admin=1")},
			"Application.conflicts":         {"", of("judged"), cells("NOT_FOUND", "reader browser member reviewer=0", "staff admin=1")},
			"Call.reviewProgress":           {"", of("call"), cells("null", "staff admin=there")},
			"Call.reviewCalibration":        {"", of("call"), cells("null", "staff admin=there")},
			"ReviewAssignment.endReason":    {"", of("assignment"), cells("NOT_FOUND", "reviewer staff admin=null")},
			"ReviewAssignment.review":       {"", of("assignment"), cells("NOT_FOUND", "reviewer staff admin=there")},
			"Review.author":                 {"", of("review"), cells("NOT_FOUND", "reviewer staff admin=there")},
		},
	}
}

// furnishReview has the reviewer asked twice, and once answer.
func (c *cast) furnishReview() {
	c.assignedApplication(c.reviewer)
	c.Tx(func(ctx context.Context, tx *ent.Client) (err error) {
		if c.objects["judged"], err = submittedOf(ctx, tx, c.World, c.objects["call"], c.member); err != nil {
			return err
		}
		if c.objects["assignment"], err = assignedOf(ctx, tx, c.World, c.objects["judged"], c.reviewer, c.staff); err != nil {
			return err
		}
		if c.objects["review"], err = reviewOf(ctx, tx, c.World, c.objects["assignment"], 5_000); err != nil {
			return err
		}
		return tx.Conflict.Create().SetID(c.NewID(gid.Conflict)).SetCreatedAt(c.App.Config.Now()).SetApplicationID(c.objects["judged"]).
			SetMemberID(c.expert.ID).SetDeclaredByID(c.staff.ID).Exec(ctx)
	})
}

// newSubmitted is an application of the member's that was submitted.
func (c *cast) newSubmitted() (id gid.ID) {
	c.Tx(func(ctx context.Context, tx *ent.Client) (err error) {
		id, err = submittedOf(ctx, tx, c.World, c.objects["call"], c.member)
		return err
	})
	return id
}

// assignedApplication is one that somebody is asked to review.
func (c *cast) assignedApplication(reviewer *apitest.Person) gid.ID {
	id := c.newSubmitted()
	c.Tx(func(ctx context.Context, tx *ent.Client) error {
		_, err := assignedOf(ctx, tx, c.World, id, reviewer, c.staff)
		return err
	})
	return id
}

func (c *cast) newAssignment(reviewer *apitest.Person) (id gid.ID) {
	of := c.newSubmitted()
	c.Tx(func(ctx context.Context, tx *ent.Client) (err error) {
		id, err = assignedOf(ctx, tx, c.World, of, reviewer, c.staff)
		return err
	})
	return id
}

func (c *cast) newReview() (id gid.ID) {
	of := c.newAssignment(c.reviewer)
	c.Tx(func(ctx context.Context, tx *ent.Client) (err error) {
		id, err = reviewOf(ctx, tx, c.World, of, 5_000)
		return err
	})
	return id
}

func (c *cast) newConflict() gid.ID {
	of, id := c.newSubmitted(), c.NewID(gid.Conflict)
	c.Tx(func(ctx context.Context, tx *ent.Client) error {
		return tx.Conflict.Create().SetID(id).SetCreatedAt(c.App.Config.Now()).SetApplicationID(of).SetMemberID(c.reviewer.ID).SetDeclaredByID(c.staff.ID).Exec(ctx)
	})
	return id
}
