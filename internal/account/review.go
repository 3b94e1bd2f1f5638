package account

import (
	"context"

	"entgo.io/ent/dialect/sql"

	"github.com/pursuing-equity/commons/ent"
	"github.com/pursuing-equity/commons/ent/conflict"
	"github.com/pursuing-equity/commons/internal/access"
	"github.com/pursuing-equity/commons/internal/gid"
	"github.com/pursuing-equity/commons/internal/page"
)

// reviews are what the member is asked to review and what they said about it. What they have a conflict of interest with is not there for them;
// an application is named by its id alone.
func (a *archive) reviews(ctx context.Context) error {
	return a.list("reviews.json", func(add func(any) error) error {
		return page.Walk(exportPage, func(r *ent.ReviewAssignment) gid.ID { return r.ID }, func(within func(*sql.Selector)) ([]*ent.ReviewAssignment, error) {
			return a.Store.Client(ctx).ReviewAssignment.Query().Where(access.OwnReviewAssignments(a.viewer), within).All(ctx)
		}, func(assignments []*ent.ReviewAssignment) error {
			said, err := a.Reviews.Reviews(ctx, a.viewer, assignments)
			if err != nil {
				return err
			}
			for i, r := range assignments {
				one := map[string]any{"applicationId": r.ApplicationID, "state": r.State, "createdAt": r.CreatedAt}
				if w := said[i]; w != nil {
					one["scores"], one["comment"], one["recommendation"], one["submittedAt"] = w.Scores, w.Comment, w.Recommendation, w.SubmittedAt
				}
				if err := add(one); err != nil {
					return err
				}
			}
			return nil
		})
	})
}

// conflicts are those that the member declared of themselves.
func (a *archive) conflicts(ctx context.Context) error {
	return rows(a, "conflicts.json", func(r *ent.Conflict) gid.ID { return r.ID }, func(within func(*sql.Selector)) ([]*ent.Conflict, error) {
		return a.Store.Client(ctx).Conflict.Query().Where(conflict.MemberID(a.member.ID), conflict.DeclaredByID(a.member.ID), within).All(ctx)
	}, func(r *ent.Conflict) any {
		return map[string]any{"applicationId": r.ApplicationID, "note": r.Note, "createdAt": r.CreatedAt, "endedAt": r.EndedAt}
	})
}
