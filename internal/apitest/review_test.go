package apitest_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/pursuing-equity/commons/ent"
	"github.com/pursuing-equity/commons/ent/application"
	"github.com/pursuing-equity/commons/ent/auditentry"
	"github.com/pursuing-equity/commons/ent/formversion"
	"github.com/pursuing-equity/commons/ent/mail"
	"github.com/pursuing-equity/commons/ent/schema"
	"github.com/pursuing-equity/commons/internal/apitest"
	"github.com/pursuing-equity/commons/internal/community"
	"github.com/pursuing-equity/commons/internal/gid"
	"github.com/pursuing-equity/commons/internal/review"
)

const (
	assign = `mutation($input: AssignReviewersInput!) { assignReviewers(input: $input) { outcomes { result assignment { id state conflicted } } errors { code message path } } }`
	spread = `mutation($input: AssignBalancedInput!) { assignBalanced(input: $input) { plan { assignedCount pairs { application { id } reviewer { id } } loads { before after }
		unfilledCount unfilled { has wanted conflicted askedBefore } } errors { code message path } } }`
	saveReview      = `mutation($input: SaveReviewInput!) { saveReview(input: $input) { review { id version points scores { criterion points } } errors { code message path } } }`
	submitReview    = `mutation($input: SubmitReviewInput!) { submitReview(input: $input) { review { id version points submittedAt } errors { code message path } } }`
	reopenReview    = `mutation($input: ReopenReviewInput!) { reopenReview(input: $input) { assignment { state review { id } } errors { code message path } } }`
	declineReview   = `mutation($input: DeclineReviewInput!) { declineReview(input: $input) { errors { code message path } } }`
	removeReviewer  = `mutation($input: RemoveReviewerInput!) { removeReviewer(input: $input) { assignment { state endReason } errors { code message path } } }`
	declareConflict = `mutation($input: DeclareConflictInput!) { declareConflict(input: $input) { conflict { id member { id } } errors { code message path } } }`
	endConflict     = `mutation($input: EndConflictInput!) { endConflict(input: $input) { conflict { endedAt } errors { code message path } } }`
	myReviews       = `{ myReviewAssignments(first: 50) { edges { node { id state application { id } review { id } } } } }`
	judgedBy        = `query($id: ID!) { node(id: $id) { ... on Application { reviews { id points author { id } } conflicts { id }
		reviewAssignments { state conflicted conflictReasons endReason reviewer { id } review { id } } } } }`
	figures = `query($id: ID!) { node(id: $id) { ... on Call {
		reviewProgress { unfilledCount unfilled { id } reviewers { assigned completed declined removed conflicted reviewer { id } } }
		reviewCalibration { count mean standardDeviation pooledStandardDeviation reviewers { count mean standardScore outlier reviewer { id } }
			applications { application { id } standardDeviation lowest highest outlier } } } } }`
)

// rubric is two criteria: equity counts three times as much, and wants words.
func rubric() []schema.Criterion {
	return []schema.Criterion{
		{Key: "equity", Label: "Equity", Max: 4, Weight: 3, CommentRequired: true}, {Key: "team", Label: "Team", Max: 4, Weight: 1},
	}
}

// judgedCallOf is callOf with a rubric, and with a question that names who answers.
func judgedCallOf(ctx context.Context, tx *ent.Client, w *apitest.World, offering gid.ID, blind bool) (gid.ID, error) {
	id, err := callOf(ctx, tx, w, offering)
	if err != nil {
		return id, err
	}
	if err := tx.Call.UpdateOneID(id).SetBlind(blind).SetRubric(rubric()).SetReviewsWanted(2).Exec(ctx); err != nil {
		return id, err
	}
	form, err := tx.FormVersion.Query().Where(formversion.CallID(id)).Only(ctx)
	if err != nil {
		return id, err
	}
	return id, tx.FormVersion.UpdateOne(form).SetQuestions(append(form.Questions, schema.Question{Key: "who", Kind: "TEXT", Label: "Who are you?", Identifying: true})).Exec(ctx)
}

// submittedOf is an application that was submitted, as it is once that was done.
func submittedOf(ctx context.Context, tx *ent.Client, w *apitest.World, call gid.ID, owner *apitest.Person) (gid.ID, error) {
	id, err := applicationOf(ctx, tx, w, call, owner)
	if err != nil {
		return id, err
	}
	now := w.App.Config.Now()
	err = tx.Submission.Create().SetID(w.NewID(gid.Submission)).SetCreatedAt(now).SetApplicationID(id).SetNumber(1).SetFormVersion(1).
		SetContent(schema.SubmittedContent{OrganizationName: "Clinic", Answers: []schema.SubmittedAnswer{{Key: "why", Value: "Equity", Version: 1}}}).
		SetHash(make([]byte, 32)).SetSubmitterID(owner.ID).Exec(ctx)
	if err != nil {
		return id, err
	}
	return id, tx.Application.UpdateOneID(id).SetState(application.StateSUBMITTED).SetSubmittedAt(now).SetSubmissions(1).Exec(ctx)
}

// assignedOf asks somebody to review an application.
func assignedOf(ctx context.Context, tx *ent.Client, w *apitest.World, application gid.ID, reviewer, by *apitest.Person) (gid.ID, error) {
	now, id := w.App.Config.Now(), w.NewID(gid.ReviewAssignment)
	return id, tx.ReviewAssignment.Create().SetID(id).SetCreatedAt(now).SetUpdatedAt(now).SetApplicationID(application).SetReviewerID(reviewer.ID).SetAssignedByID(by.ID).Exec(ctx)
}

// reviewOf is what an assignment's reviewer has submitted.
func reviewOf(ctx context.Context, tx *ent.Client, w *apitest.World, assignment gid.ID, points int) (gid.ID, error) {
	now, id := w.App.Config.Now(), w.NewID(gid.Review)
	err := tx.Review.Create().SetID(id).SetCreatedAt(now).SetUpdatedAt(now).SetAssignmentID(assignment).SetScores([]schema.Score{}).SetPoints(points).
		SetRecommendation("ACCEPT").SetSubmittedAt(now).Exec(ctx)
	if err != nil {
		return id, err
	}
	return id, tx.ReviewAssignment.UpdateOneID(assignment).SetState("COMPLETED").Exec(ctx)
}

// placeOf is where judgedBy tells of somebody's assignment: those that were made at once are in no order.
func placeOf(r *apitest.Response, reviewer *apitest.Person) string {
	for i := range r.Len("node.reviewAssignments") {
		if at := fmt.Sprintf("node.reviewAssignments.%d", i); r.String(at+".reviewer.id") == reviewer.ID.String() {
			return at
		}
	}
	return "nowhere"
}

func scores(equity, team int, why string) []vars {
	return []vars{{"criterion": "equity", "points": equity, "comment": why}, {"criterion": "team", "points": team}}
}

// An applicant of an organization called Zanzibar applies to a blind call. The name reaches no reviewer in any way, and one who turns out to
// have worked there loses the application at once, with all that hangs on it.
func TestBlindReview(t *testing.T) {
	const marker = "anzibar"
	apitest.Each(t, func(w *apitest.World) {
		ada, staff := w.Member("ada"), w.Role(w.Member("staff"), "STAFF")
		rev, peer, third := w.Role(w.Member("rev"), "REVIEWER"), w.Member("peer"), w.Member("third")
		o, err := w.App.Community.CreateOrganization(staff.Context(), staff.Viewer, community.NewOrganization{Name: "Zanzibar Clinic", Kind: "CLINIC"})
		if err != nil {
			w.T.Fatal(err)
		}
		var call gid.ID
		post := func(of *apitest.Person, at *time.Time) {
			w.Tx(func(ctx context.Context, tx *ent.Client) error {
				return tx.Affiliation.Create().SetID(w.NewID(gid.Affiliation)).SetCreatedAt(w.App.Config.Now()).SetMemberID(of.ID).SetOrganizationID(o.ID).
					SetNillableStartsOn(at).SetNillableEndsOn(at).Exec(ctx)
			})
		}
		post(ada, nil)
		w.Tx(func(ctx context.Context, tx *ent.Client) error {
			offering, err := offeringOf(ctx, tx, w)
			if err == nil {
				call, err = judgedCallOf(ctx, tx, w, offering, true)
			}
			return err
		})
		id := ada.Must(startApplication, input(vars{"callId": call, "organizationId": o.ID, "teamName": "Zanzibar North"})).String("startApplication.application.id")
		for key, value := range map[string]string{"why": "Equity in care", "agree": "yes", "who": "The nurses of Zanzibar"} {
			ada.Must(saveAnswer, input(vars{"applicationId": id, "key": key, "value": value, "expectedVersion": 0}))
		}
		ada.Must(submit, input(vars{"applicationId": id}))
		var mine, theirs string
		d := newDocuments(w.T)
		whole := func(kind string) string {
			return "query($id: ID!) { node(id: $id) { ... on " + kind + " { " + d.selection(d.Types[kind], 3, 2, "") + " } } }"
		}
		list := "{ applications(first: 10) { edges { node { " + d.selection(d.Types["Application"], 2, 2, "") + " } } } }"

		w.T.Run("nobody judges their own application, and only staff assign", func(t *testing.T) {
			if r := rev.Do(assign, input(vars{"applicationIds": []string{id}, "reviewerIds": []gid.ID{rev.ID}})); r.Code() != "FORBIDDEN" {
				t.Error(r)
			}
			r := staff.Must(assign, input(vars{"applicationIds": []string{id}, "reviewerIds": []gid.ID{rev.ID, peer.ID, ada.ID, w.NewID(gid.Member)}}))
			for i, want := range []string{"ASSIGNED", "ASSIGNED", "CONFLICTED", "NOT_FOUND"} {
				if got := r.String(fmt.Sprintf("assignReviewers.outcomes.%d.result", i)); got != want {
					t.Errorf("%d: %s, not %s", i, got, want)
				}
			}
			mine, theirs = r.String("assignReviewers.outcomes.0.assignment.id"), r.String("assignReviewers.outcomes.1.assignment.id")
			again := staff.Must(assign, input(vars{"applicationIds": []string{id}, "reviewerIds": []gid.ID{rev.ID}}))
			if again.String("assignReviewers.outcomes.0.result") != "ALREADY_ASSIGNED" || again.String("assignReviewers.outcomes.0.assignment.id") != mine {
				t.Error(again)
			}
		})
		w.T.Run("the reviewer reads what was said, and not who said it: in no field, list, search, error or mail", func(t *testing.T) {
			r := rev.Must(lookApplication, vars{"id": id})
			if r.String("node.organizationName") != "Application 1" || r.String("node.teamName") != "" || r.Len("node.answers") != 2 {
				t.Error(r)
			}
			for what, r := range map[string]*apitest.Response{
				"application": rev.Must(whole("Application"), vars{"id": id}), "assignment": rev.Must(whole("ReviewAssignment"), vars{"id": mine}),
				"list": rev.Must(list, nil), "mine": rev.Must(myReviews, nil),
				"search":    rev.Must(`{ search(query: "Zanz", first: 10) { edges { snippet node { __typename } } } }`, nil),
				"kind":      rev.Must(`{ search(query: "equity care", kinds: [APPLICATION], first: 10) { edges { snippet } } }`, nil),
				"error":     rev.Do(saveReview, input(vars{"assignmentId": mine, "scores": scores(9, 9, ""), "expectedVersion": 0})),
				"forbidden": rev.Do(withdraw, input(vars{"applicationId": id})),
				"history":   rev.Do(`{ auditEntries(first: 50) { edges { node { reason subject { __typename } } } } }`, nil),
			} {
				if strings.Contains(strings.ToLower(r.Whole), marker) {
					t.Errorf("%s names the applicants: %s", what, r.Whole)
				}
				if (what == "search" || what == "kind") && r.Len("search.edges") != 0 {
					t.Error(what, r)
				}
			}
			if r := staff.Must(`{ search(query: "Zanzibar North", kinds: [APPLICATION], first: 10) { edges { node { ... on Application { id } } } } }`, nil); r.Len("search.edges") != 1 {
				t.Error(r)
			}
			letter, send, err := w.App.Reviews.Compose(w.System(), review.MailAssigned, rev.Handle+"@example.org", map[string]string{"reviewer": rev.ID.String()})
			if err != nil || !send || letter["count"] != "1" {
				t.Error(letter, send, err)
			}
			for _, m := range w.App.Store.Client(w.System()).Mail.Query().Where(mail.Template(review.MailAssigned)).AllX(w.System()) {
				for _, value := range m.Data {
					if strings.Contains(strings.ToLower(value), marker) {
						t.Error(m)
					}
				}
			}
		})
		w.T.Run("a review is saved, checked by the rubric, and submitted; nobody reads another's in a blind call", func(t *testing.T) {
			r := rev.Must(saveReview, input(vars{"assignmentId": mine, "scores": scores(3, 2, ""), "expectedVersion": 0}))
			if r.At("saveReview.review.points") != nil || r.Int("saveReview.review.version") != 1 {
				t.Error(r)
			}
			if r := rev.Do(submitReview, input(vars{"assignmentId": mine, "expectedVersion": 1})); r.Code() != "INVALID_INPUT" || r.Len("submitReview.errors") != 2 ||
				r.String("submitReview.errors.0.path.2") != "comment" || r.String("submitReview.errors.1.path.0") != "recommendation" {
				t.Error(r)
			}
			if r := rev.Do(saveReview, input(vars{"assignmentId": mine, "scores": scores(4, 2, "Yes"), "expectedVersion": 0})); r.Code() != "STALE_VERSION" ||
				r.Int("saveReview.review.version") != 1 {
				t.Error(r)
			}
			rev.Must(saveReview, input(vars{"assignmentId": mine, "scores": scores(3, 2, "They know"), "recommendation": "ACCEPT", "expectedVersion": 1}))
			if r := rev.Must(submitReview, input(vars{"assignmentId": mine, "expectedVersion": 2})); r.At("submitReview.review.points") != 68.75 { // (3·3+1·2)/16
				t.Error(r)
			}
			if r := rev.Do(submitReview, input(vars{"assignmentId": mine, "expectedVersion": 3})); r.Code() != "ALREADY_EXISTS" {
				t.Error(r)
			}
			if r := peer.Do(saveReview, input(vars{"assignmentId": mine, "scores": scores(0, 0, "No"), "expectedVersion": 3})); r.Code() != "NOT_FOUND" {
				t.Error(r)
			}
			peer.Must(saveReview, input(vars{"assignmentId": theirs, "scores": scores(1, 1, "No"), "recommendation": "DECLINE", "expectedVersion": 0}))
			peer.Must(submitReview, input(vars{"assignmentId": theirs, "expectedVersion": 1}))
			if r := rev.Must(judgedBy, vars{"id": id}); r.Len("node.reviews") != 1 || r.Len("node.reviewAssignments") != 1 {
				t.Error(r)
			}
			if r := staff.Must(judgedBy, vars{"id": id}); r.Len("node.reviews") != 2 || r.Len("node.reviewAssignments") != 2 {
				t.Error(r)
			}
			if r := staff.Must(figures, vars{"id": call}); r.Int("node.reviewCalibration.count") != 2 || r.At("node.reviewCalibration.mean") != 46.875 ||
				r.Int("node.reviewProgress.unfilledCount") != 0 {
				t.Error(r)
			}
			if r := rev.Must(figures, vars{"id": call}); r.At("node.reviewCalibration") != nil || r.At("node.reviewProgress") != nil {
				t.Error(r)
			}
			demands := func(comment bool) vars {
				return input(vars{"callId": call, "expectedVersion": 1, "rubric": []vars{
					{"key": "equity", "label": "Equity, above all", "max": 4, "weight": 3, "commentRequired": comment}, {"key": "team", "label": "Team", "max": 4, "weight": 1},
				}})
			}
			if r := staff.Do(updateCall, demands(false)); r.Code() != "FORBIDDEN" || r.String("updateCall.errors.0.path.0") != "rubric" {
				t.Error(r)
			}
			if r := staff.Must(updateCall, demands(true)); r.String("updateCall.call.rubric.0.label") != "Equity, above all" {
				t.Error(r)
			}
		})
		w.T.Run("a post of long ago comes to light: the reviewer loses all of it at once, and staff see why", func(t *testing.T) {
			own := rev.Must(judgedBy, vars{"id": id}).String("node.reviews.0.id")
			long := w.App.Config.Now().Add(-10_000 * time.Hour)
			post(rev, &long)
			for _, gone := range []string{id, mine, own} {
				if r := rev.Do(`query($id: ID!) { node(id: $id) { id } }`, vars{"id": gone}); r.Code() != "NOT_FOUND" {
					t.Error(r)
				}
			}
			if r := rev.Must(myReviews, nil); r.Len("myReviewAssignments.edges") != 0 {
				t.Error(r)
			}
			if r := rev.Must(list, nil); r.Len("applications.edges") != 0 {
				t.Error(r)
			}
			for _, r := range []*apitest.Response{
				rev.Do(saveReview, input(vars{"assignmentId": mine, "scores": scores(0, 0, "x"), "expectedVersion": 3})),
				rev.Do(declineReview, input(vars{"assignmentId": mine, "reason": "No"})), rev.Do(declareConflict, input(vars{"applicationId": id})),
			} {
				if r.Code() != "NOT_FOUND" {
					t.Error(r)
				}
			}
			if _, send, err := w.App.Reviews.Compose(w.System(), review.MailAssigned, rev.Handle+"@example.org", map[string]string{"reviewer": rev.ID.String()}); send || err != nil {
				t.Error(send, err)
			}
			r := staff.Must(judgedBy, vars{"id": id})
			if at := placeOf(r, rev); r.At(at+".conflicted") != true || r.String(at+".conflictReasons.0") != "AFFILIATION" || r.Len("node.reviews") != 2 {
				t.Error(r)
			}
			if r := staff.Must(figures, vars{"id": call}); r.Int("node.reviewCalibration.count") != 1 || r.Int("node.reviewProgress.unfilledCount") != 1 ||
				r.Int("node.reviewProgress.reviewers.0.conflicted")+r.Int("node.reviewProgress.reviewers.1.conflicted") != 1 {
				t.Error(r)
			}
		})
		w.T.Run("staff take it back and have another asked, whom a dry run names first", func(t *testing.T) {
			if r := staff.Do(removeReviewer, input(vars{"assignmentId": theirs})); r.Code() != "FORBIDDEN" { // it is done, and there is no conflict
				t.Error(r)
			}
			if r := staff.Must(removeReviewer, input(vars{"assignmentId": mine, "reason": "Worked there"})); r.String("removeReviewer.assignment.state") != "REMOVED" ||
				r.String("removeReviewer.assignment.endReason") != "Worked there" {
				t.Error(r)
			}
			if r := staff.Must(spread, input(vars{"callId": call, "dryRun": true})); r.Int("assignBalanced.plan.assignedCount") != 0 || // of rev, who has the role
				r.Int("assignBalanced.plan.unfilledCount") != 1 || r.Int("assignBalanced.plan.unfilled.0.conflicted") != 1 {
				t.Error(r)
			}
			pool := []gid.ID{rev.ID, peer.ID, third.ID}
			for range 2 {
				r := staff.Must(spread, input(vars{"callId": call, "reviewerIds": pool, "dryRun": true}))
				if r.Int("assignBalanced.plan.assignedCount") != 1 || must(t, r.String("assignBalanced.plan.pairs.0.reviewer.id")) != third.ID {
					t.Error(r)
				}
			}
			if r := third.Must(myReviews, nil); r.Len("myReviewAssignments.edges") != 0 {
				t.Error(r)
			}
			staff.Must(spread, input(vars{"callId": call, "reviewerIds": pool}))
			if r := third.Must(myReviews, nil); r.Len("myReviewAssignments.edges") != 1 {
				t.Error(r)
			}
			if r := staff.Must(spread, input(vars{"callId": call, "reviewerIds": pool})); r.Int("assignBalanced.plan.assignedCount") != 0 {
				t.Error(r)
			}
			if r := third.Do(spread, input(vars{"callId": call})); r.Code() != "FORBIDDEN" {
				t.Error(r)
			}
		})
		w.T.Run("what staff did is in the audit log", func(t *testing.T) {
			for action, n := range map[string]int{"REVIEWER_ASSIGNED": 3, "REVIEWER_REMOVED": 1, "REVIEWERS_BALANCED": 1} {
				if got := w.App.Store.Client(w.System()).AuditEntry.Query().Where(auditentry.Action(action), auditentry.ActorID(staff.ID)).CountX(w.System()); got != n {
					t.Errorf("%s: %d", action, got)
				}
			}
		})
		w.T.Run("what a reviewer submitted is in the audit log", func(t *testing.T) {
			done := w.App.Store.Client(w.System()).AuditEntry.Query().Where(auditentry.Action("REVIEW_SUBMITTED"), auditentry.ActorID(peer.ID)).AllX(w.System())
			if len(done) != 1 || done[0].SubjectID == nil || done[0].SubjectID.Kind() != gid.Review {
				t.Error(done)
			}
		})
	}, wide())
}

func TestReviews(t *testing.T) {
	apitest.Each(t, func(w *apitest.World) {
		ada, staff := w.Member("ada"), w.Role(w.Member("staff"), "STAFF")
		one, two, three := w.Member("one"), w.Member("two"), w.Member("three")
		var call, id gid.ID
		w.Tx(func(ctx context.Context, tx *ent.Client) error {
			offering, err := offeringOf(ctx, tx, w)
			if err == nil {
				call, err = judgedCallOf(ctx, tx, w, offering, false)
			}
			if err == nil {
				id, err = submittedOf(ctx, tx, w, call, ada)
			}
			return err
		})
		r := staff.Must(assign, input(vars{"applicationIds": []gid.ID{id}, "reviewerIds": []gid.ID{one.ID, two.ID, three.ID}}))
		place := func(i string) string { return r.String("assignReviewers.outcomes." + i + ".assignment.id") }
		write := func(who *apitest.Person, assignment string, equity int) string {
			who.Must(saveReview, input(vars{"assignmentId": assignment, "scores": scores(equity, 4, "Why"), "recommendation": "ACCEPT", "expectedVersion": 0}))
			return who.Must(submitReview, input(vars{"assignmentId": assignment, "expectedVersion": 1})).String("submitReview.review.id")
		}
		first := write(one, place("0"), 4)

		w.T.Run("others' reviews are read after one's own, and never while they are drafts", func(t *testing.T) {
			two.Must(saveReview, input(vars{"assignmentId": place("1"), "scores": scores(1, 4, "Why"), "recommendation": "ACCEPT", "expectedVersion": 0}))
			for who, n := range map[*apitest.Person]int{one: 1, two: 1, three: 0, staff: 1, ada: 0} {
				if r := who.Must(judgedBy, vars{"id": id}); r.Len("node.reviews") != n {
					t.Errorf("%s: %s", who.Handle, r.Body)
				}
			}
			two.Must(submitReview, input(vars{"assignmentId": place("1"), "expectedVersion": 1}))
			for who, n := range map[*apitest.Person]int{one: 2, two: 2, three: 0, staff: 2, ada: 0} {
				if r := who.Must(judgedBy, vars{"id": id}); r.Len("node.reviews") != n {
					t.Errorf("%s: %s", who.Handle, r.Body)
				}
			}
		})
		w.T.Run("staff reopen a review, and it counts for nothing until it is submitted again", func(t *testing.T) {
			if r := one.Do(reopenReview, input(vars{"reviewId": first})); r.Code() != "FORBIDDEN" {
				t.Error(r)
			}
			if r := staff.Must(reopenReview, input(vars{"reviewId": first, "reason": "Look again"})); r.String("reopenReview.assignment.state") != "ASSIGNED" ||
				r.At("reopenReview.assignment.review") != nil {
				t.Error(r)
			}
			if r := staff.Must(figures, vars{"id": call}); r.Int("node.reviewCalibration.count") != 1 {
				t.Error(r)
			}
			one.Must(saveReview, input(vars{"assignmentId": place("0"), "scores": scores(0, 0, "No"), "recommendation": "DECLINE", "expectedVersion": 3}))
			if r := one.Must(submitReview, input(vars{"assignmentId": place("0"), "expectedVersion": 4})); r.At("submitReview.review.points") != 0.0 {
				t.Error(r)
			}
		})
		w.T.Run("a reviewer declines with a reason, which only staff read, and is not asked again by the balance", func(t *testing.T) {
			if r := three.Do(declineReview, input(vars{"assignmentId": place("2"), "reason": ""})); r.Code() != "INVALID_INPUT" {
				t.Error(r)
			}
			three.Must(declineReview, input(vars{"assignmentId": place("2"), "reason": "No time"}))
			if r := three.Do(lookApplication, vars{"id": id}); r.Code() != "NOT_FOUND" {
				t.Error(r)
			}
			if r := one.Do(declineReview, input(vars{"assignmentId": place("0"), "reason": "Tired"})); r.Code() != "FORBIDDEN" {
				t.Error(r)
			}
			r := staff.Must(judgedBy, vars{"id": id})
			if at := placeOf(r, three); r.String(at+".endReason") != "No time" || r.String(at+".state") != "DECLINED" {
				t.Error(r)
			}
		})
		w.T.Run("a declared conflict takes the application away, and staff end it", func(t *testing.T) {
			if r := three.Do(declareConflict, input(vars{"applicationId": id})); r.Code() != "NOT_FOUND" {
				t.Error(r)
			}
			if r := one.Do(declareConflict, input(vars{"applicationId": id, "memberId": two.ID})); r.Code() != "FORBIDDEN" {
				t.Error(r)
			}
			one.Must(declareConflict, input(vars{"applicationId": id, "note": "My sister"}))
			if r := one.Do(lookApplication, vars{"id": id}); r.Code() != "NOT_FOUND" {
				t.Error(r)
			}
			if r := two.Must(judgedBy, vars{"id": id}); r.Len("node.reviews") != 1 {
				t.Error(r)
			}
			r := staff.Must(judgedBy, vars{"id": id})
			if r.Len("node.conflicts") != 1 || r.String(placeOf(r, one)+".conflictReasons.0") != "DECLARED" {
				t.Error(r)
			}
			staff.Must(endConflict, input(vars{"conflictId": r.String("node.conflicts.0.id")}))
			if r := one.Must(judgedBy, vars{"id": id}); r.Len("node.reviews") != 2 || r.Len("node.conflicts") != 0 {
				t.Error(r)
			}
			r = staff.Must(declareConflict, input(vars{"applicationId": id, "memberId": three.ID}))
			again := staff.Must(declareConflict, input(vars{"applicationId": id, "memberId": three.ID}))
			if r.String("declareConflict.conflict.id") != again.String("declareConflict.conflict.id") {
				t.Error(again)
			}
			if r := staff.Must(assign, input(vars{"applicationIds": []gid.ID{id}, "reviewerIds": []gid.ID{three.ID}})); r.String("assignReviewers.outcomes.0.result") != "CONFLICTED" {
				t.Error(r)
			}
		})
		w.T.Run("what was decided is judged no more, and what was withdrawn is gone", func(t *testing.T) {
			w.Tx(func(ctx context.Context, tx *ent.Client) error {
				return tx.Application.UpdateOneID(id).SetState(application.StateOFFERED).Exec(ctx)
			})
			if r := two.Do(saveReview, input(vars{"assignmentId": place("1"), "scores": scores(0, 0, "No"), "expectedVersion": 2})); r.Code() != "FORBIDDEN" {
				t.Error(r)
			}
			if r := staff.Must(assign, input(vars{"applicationIds": []gid.ID{id}, "reviewerIds": []gid.ID{ada.ID}})); r.String("assignReviewers.outcomes.0.result") != "NOT_REVIEWABLE" {
				t.Error(r)
			}
			w.Tx(func(ctx context.Context, tx *ent.Client) error {
				return tx.Application.UpdateOneID(id).SetState(application.StateWITHDRAWN).Exec(ctx)
			})
			if r := two.Must(myReviews, nil); r.Len("myReviewAssignments.edges") != 0 {
				t.Error(r)
			}
		})
	})
}
