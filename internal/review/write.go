package review

import (
	"context"
	"fmt"
	"slices"

	"github.com/pursuing-equity/commons/ent"
	"github.com/pursuing-equity/commons/ent/application"
	"github.com/pursuing-equity/commons/ent/call"
	"github.com/pursuing-equity/commons/ent/notice"
	"github.com/pursuing-equity/commons/ent/review"
	"github.com/pursuing-equity/commons/ent/reviewassignment"
	"github.com/pursuing-equity/commons/ent/schema"
	"github.com/pursuing-equity/commons/internal/access"
	"github.com/pursuing-equity/commons/internal/audit"
	"github.com/pursuing-equity/commons/internal/fault"
	"github.com/pursuing-equity/commons/internal/gid"
	"github.com/pursuing-equity/commons/internal/input"
	"github.com/pursuing-equity/commons/internal/notify"
	"github.com/pursuing-equity/commons/internal/store"
	"github.com/pursuing-equity/commons/internal/tally"
	"github.com/pursuing-equity/commons/internal/viewer"
)

const maxComment = 5_000

// Patch is what a review is to say: all of it.
type Patch struct {
	AssignmentID    gid.ID
	Scores          []schema.Score
	Comment         string
	Recommendation  *review.Recommendation
	ExpectedVersion int
}

// held is an assignment of the viewer's that a mutation has locked, with what it is about.
type held struct {
	*ent.ReviewAssignment
	Call   *ent.Call
	Review *ent.Review // nil while nothing was written
}

// hold loads and locks an assignment of the viewer's, or NOT_FOUND. It returns FORBIDDEN once the application was decided.
func (s *Service) hold(ctx context.Context, tx *ent.Client, v viewer.Viewer, id gid.ID) (*held, error) {
	if _, err := access.SignedIn(v); err != nil {
		return nil, err
	}
	a, err := tx.ReviewAssignment.Query().Where(reviewassignment.ID(id), access.OwnReviewAssignments(v), store.LockRow).Only(ctx)
	if err != nil {
		return nil, missing(err, "assignmentId")
	}
	h := &held{ReviewAssignment: a}
	of, err := tx.Application.Query().Where(application.ID(a.ApplicationID)).Only(ctx)
	if err != nil {
		return nil, fmt.Errorf("load the application: %w", err)
	}
	if !reviewable(of) {
		return nil, fault.Denied("This application was decided.")
	}
	if h.Call, err = tx.Call.Query().Where(call.ID(of.CallID)).Only(ctx); err != nil {
		return nil, fmt.Errorf("load the call: %w", err)
	}
	h.Review, err = tx.Review.Query().Where(review.AssignmentID(id)).Only(ctx)
	if err != nil && !ent.IsNotFound(err) {
		return nil, fmt.Errorf("load the review: %w", err)
	}
	return h, nil
}

// version is that of what was written; 0 before anything was.
func (h *held) version() int {
	if h.Review == nil {
		return 0
	}
	return h.Review.Version
}

// Save keeps what a reviewer has to say so far; it need not be complete. For the assignment's reviewer, until it is submitted: FORBIDDEN then.
// With STALE_VERSION comes the review that stands there. What is sent again after a lost response changes nothing.
func (s *Service) Save(ctx context.Context, v viewer.Viewer, in Patch) (*ent.Review, error) {
	var out *ent.Review
	err := s.Store.InTx(ctx, func(ctx context.Context, tx *ent.Client) error {
		out = nil
		h, err := s.hold(ctx, tx, v, in.AssignmentID)
		if err != nil {
			return err
		}
		if h.Review != nil && h.Review.SubmittedAt != nil {
			return fault.Denied("You have submitted this review. Ask staff to reopen it.")
		}
		if err := in.check(h.Call.Rubric); err != nil {
			return err
		}
		if out = h.Review; in.says(h.Review) {
			return nil
		}
		if in.ExpectedVersion != h.version() {
			return fault.New(fault.StaleVersion, "This was saved somewhere else since.").At("expectedVersion")
		}
		now := s.Now()
		if h.Review == nil {
			out, err = tx.Review.Create().SetID(s.NewID(gid.Review)).SetCreatedAt(now).SetUpdatedAt(now).SetAssignmentID(in.AssignmentID).
				SetScores(in.Scores).SetComment(in.Comment).SetNillableRecommendation(in.Recommendation).Save(ctx)
			return store.RetryOnConflict(err)
		}
		u := tx.Review.UpdateOne(h.Review).SetScores(in.Scores).SetComment(in.Comment).SetUpdatedAt(now).AddVersion(1)
		if in.Recommendation == nil {
			u.ClearRecommendation()
		} else {
			u.SetRecommendation(*in.Recommendation)
		}
		if out, err = u.Save(ctx); err != nil {
			return fmt.Errorf("save a review: %w", err)
		}
		return nil
	})
	if fault.Is(err, fault.StaleVersion) {
		return out, err
	}
	if err != nil {
		return nil, err
	}
	return out, nil
}

// check refuses scores of what the rubric has not, or beyond it.
func (in *Patch) check(rubric []schema.Criterion) error {
	var check input.Checker
	in.Comment = check.Text("comment", in.Comment, 0, maxComment)
	seen := make(map[string]bool, len(in.Scores))
	for i := range in.Scores {
		one := &in.Scores[i]
		path := fmt.Sprintf("scores.%d.", i)
		c := slices.IndexFunc(rubric, func(c schema.Criterion) bool { return c.Key == one.Criterion })
		switch {
		case c < 0:
			check.Refuse(path+"criterion", "The rubric has no such criterion.")
		case seen[one.Criterion]:
			check.Refuse(path+"criterion", "Score each criterion once.")
		case one.Points < 0 || one.Points > rubric[c].Max:
			check.Refuse(path+"points", "This must be from 0 to %d.", rubric[c].Max)
		}
		seen[one.Criterion] = true
		one.Comment = check.Text(path+"comment", one.Comment, 0, maxComment)
	}
	if in.Scores == nil {
		in.Scores = []schema.Score{}
	}
	return check.Err()
}

// says reports whether a review says just that.
func (in *Patch) says(r *ent.Review) bool {
	if r == nil || r.Comment != in.Comment || !slices.Equal(r.Scores, in.Scores) || (r.Recommendation == nil) != (in.Recommendation == nil) {
		return false
	}
	return r.Recommendation == nil || *r.Recommendation == *in.Recommendation
}

// Submit says that a review is done. For the assignment's reviewer. It returns one INVALID_INPUT for each criterion without a score, at
// scores.KEY, for each comment that the rubric demands, at scores.KEY.comment, and for the recommendation; ALREADY_EXISTS when it is done.
func (s *Service) Submit(ctx context.Context, v viewer.Viewer, id gid.ID, expectedVersion int) (*ent.Review, error) {
	var out *ent.Review
	err := s.Store.InTx(ctx, func(ctx context.Context, tx *ent.Client) error {
		h, err := s.hold(ctx, tx, v, id)
		if err != nil {
			return err
		}
		out = h.Review
		switch {
		case out != nil && out.SubmittedAt != nil:
			return fault.New(fault.AlreadyExists, "You have submitted this review.").At("assignmentId")
		case expectedVersion != h.version():
			return fault.New(fault.StaleVersion, "This was saved somewhere else since.").At("expectedVersion")
		}
		if err := lacking(h.Call.Rubric, out); err != nil {
			return err
		}
		now := s.Now()
		out, err = tx.Review.UpdateOne(out).SetSubmittedAt(now).SetPoints(points(h.Call.Rubric, out.Scores)).SetUpdatedAt(now).AddVersion(1).Save(ctx)
		if err != nil {
			return fmt.Errorf("submit a review: %w", err)
		}
		err = tx.ReviewAssignment.UpdateOneID(id).SetState(reviewassignment.StateCOMPLETED).SetUpdatedAt(now).Exec(ctx)
		if err != nil {
			return fmt.Errorf("complete an assignment: %w", err)
		}
		if err := tally.Applications(ctx, tx, h.ApplicationID); err != nil {
			return err
		}
		if err := s.Notify.ReadNotices(ctx, tx, now, ofReview(h.ReviewerID, h.ApplicationID)); err != nil {
			return err
		}
		return s.Audit.Append(ctx, tx, v, audit.Entry{Action: audit.ReviewSubmitted, Subject: out.ID})
	})
	if fault.Is(err, fault.StaleVersion) {
		return out, err
	}
	if err != nil {
		return nil, err
	}
	return out, nil
}

// lacking is what a review, or none, lacks to be submitted.
func lacking(rubric []schema.Criterion, r *ent.Review) error {
	var lacks fault.List
	refuse := func(message string, path ...string) {
		f := fault.Invalid("", "%s", message)
		f.Path = path
		lacks = append(lacks, f)
	}
	given := make(map[string]schema.Score)
	if r != nil {
		for _, one := range r.Scores {
			given[one.Criterion] = one
		}
	}
	for _, c := range rubric {
		one, scored := given[c.Key]
		switch {
		case !scored:
			refuse("This is to be scored: "+c.Label, "scores", c.Key)
		case one.Points > c.Max: // the rubric has changed since
			refuse(fmt.Sprintf("This must be from 0 to %d: %s", c.Max, c.Label), "scores", c.Key)
		case c.CommentRequired && one.Comment == "":
			refuse("Say why: "+c.Label, "scores", c.Key, "comment")
		}
	}
	if r == nil || r.Recommendation == nil {
		refuse("Recommend something.", "recommendation")
	}
	return lacks.Err()
}

// points are the weighted sum of scores in per cent of what can be had, times 100 and rounded half up: 10,000 is all. Without a rubric, 0.
func points(rubric []schema.Criterion, scores []schema.Score) int {
	got, most := 0, 0
	for _, c := range rubric {
		most += c.Weight * c.Max
		for _, one := range scores {
			if one.Criterion == c.Key {
				got += c.Weight * one.Points
			}
		}
	}
	if most == 0 {
		return 0
	}
	return (2*10_000*got + most) / (2 * most)
}

// Reopen lets a reviewer change what they submitted; until they submit it again it counts for nothing. For staff, before a decision.
func (s *Service) Reopen(ctx context.Context, v viewer.Viewer, id gid.ID, reason string) (*ent.ReviewAssignment, error) {
	var check input.Checker
	reason = check.Text("reason", reason, 0, maxReason)
	if err := check.Err(); err != nil {
		return nil, err
	}
	var out *ent.ReviewAssignment
	err := s.Store.InTx(ctx, func(ctx context.Context, tx *ent.Client) error {
		if _, err := staffOnly(ctx, tx, v); err != nil {
			return err
		}
		r, err := tx.Review.Query().Where(review.ID(id), review.SubmittedAtNotNil(), access.VisibleReviews(v)).Only(ctx)
		if err != nil {
			return missing(err, "reviewId")
		}
		a, err := tx.ReviewAssignment.Query().Where(reviewassignment.ID(r.AssignmentID), store.LockRow).WithApplication().Only(ctx)
		if err != nil {
			return fmt.Errorf("lock the assignment: %w", err)
		}
		if out = a; a.State == reviewassignment.StateASSIGNED { // somebody else has reopened it
			return nil
		}
		switch {
		case a.EndedAt != nil:
			return fault.Denied("This reviewer was taken off the application.")
		case !reviewable(a.Edges.Application):
			return fault.Denied("This application was decided.")
		}
		now := s.Now()
		if err := tx.Review.UpdateOne(r).ClearSubmittedAt().SetPoints(0).SetUpdatedAt(now).AddVersion(1).Exec(ctx); err != nil {
			return fmt.Errorf("reopen a review: %w", err)
		}
		if out, err = tx.ReviewAssignment.UpdateOneID(a.ID).SetState(reviewassignment.StateASSIGNED).SetUpdatedAt(now).Save(ctx); err != nil {
			return fmt.Errorf("reopen an assignment: %w", err)
		}
		if err := tally.Applications(ctx, tx, a.ApplicationID); err != nil {
			return err
		}
		if err := s.Audit.Append(ctx, tx, v, audit.Entry{Action: audit.ReviewReopened, Subject: id, Reason: reason}); err != nil {
			return err
		}
		err = s.Notify.TellNotices(ctx, tx, notice.ReasonREVIEW_REOPENED, []notify.About{{Recipient: a.ReviewerID, Subject: a.ApplicationID}}, now)
		if err != nil {
			return err
		}
		return s.tell(ctx, tx, []gid.ID{a.ReviewerID})
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}
