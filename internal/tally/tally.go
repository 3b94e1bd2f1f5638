// Package tally keeps what the reviews of applications come to, so that lists can be ordered by it.
//
// Whether a review counts depends on who must not judge, which is read from affiliations, editors and declarations: see internal/access. Whoever
// changes one of those, or a review, says so here within the same transaction.
package tally

import (
	"context"
	"fmt"

	"entgo.io/ent/dialect/sql"

	"github.com/pursuing-equity/commons/ent"
	"github.com/pursuing-equity/commons/ent/affiliation"
	"github.com/pursuing-equity/commons/ent/application"
	"github.com/pursuing-equity/commons/ent/review"
	"github.com/pursuing-equity/commons/ent/reviewassignment"
	"github.com/pursuing-equity/commons/internal/access"
	"github.com/pursuing-equity/commons/internal/gid"
	"github.com/pursuing-equity/commons/internal/page"
	"github.com/pursuing-equity/commons/internal/store"
)

// Applications counts the points of some applications anew: two statements. It locks their rows in the order of their ids first: of two reviews that
// come together the second knows the first.
func Applications(ctx context.Context, tx *ent.Client, ids ...gid.ID) error {
	of := page.AnyOf(application.FieldID, ids)
	locked, err := tx.Application.Query().Where(of, application.SubmissionsGT(0), store.LockRow).Order(application.ByID()).Select(application.FieldID).All(ctx)
	if err != nil {
		return fmt.Errorf("lock what was reviewed: %w", err)
	}
	if len(locked) == 0 {
		return nil
	}
	err = tx.Application.Update().Where(of, application.SubmissionsGT(0)).Modify(func(u *sql.UpdateBuilder) { u.Set(application.FieldReviewPoints, mean(u.Dialect())) }).Exec(ctx)
	if err != nil {
		return fmt.Errorf("count points anew: %w", err)
	}
	return nil
}

// ReviewedBy counts the points of the applications anew that some members are asked to review: of which of them they must not judge has changed. Also those
// of which they have not said anything yet: who says it meanwhile waits for the application's lock, or is waited for.
func ReviewedBy(ctx context.Context, tx *ent.Client, members ...gid.ID) error {
	rows, err := tx.ReviewAssignment.Query().
		Where(page.AnyOf(reviewassignment.FieldReviewerID, members), reviewassignment.EndedAtIsNil()).
		Select(reviewassignment.FieldID, reviewassignment.FieldApplicationID).All(ctx)
	if err != nil || len(rows) == 0 {
		return wrap(err)
	}
	ids := make([]gid.ID, len(rows))
	for i, a := range rows {
		ids[i] = a.ApplicationID
	}
	return Applications(ctx, tx, ids...)
}

// ReviewedByPeopleOf is ReviewedBy for all who have or had a post at an organization.
func ReviewedByPeopleOf(ctx context.Context, tx *ent.Client, organization gid.ID) error {
	posts, err := tx.Affiliation.Query().Where(affiliation.OrganizationID(organization)).Select(affiliation.FieldID, affiliation.FieldMemberID).All(ctx)
	if err != nil {
		return wrap(err)
	}
	members := make([]gid.ID, len(posts))
	for i, a := range posts {
		members[i] = a.MemberID
	}
	return ReviewedBy(ctx, tx, members...)
}

func wrap(err error) error {
	if err != nil {
		err = fmt.Errorf("find what was reviewed: %w", err)
	}
	return err
}

// mean is the mean of the points of an application's reviews that count, times 1,000; null while there is none.
func mean(dialect string) sql.Querier {
	of, by, done := sql.Dialect(dialect).Table(application.Table), sql.Dialect(dialect).Table(reviewassignment.Table).As("asked"), sql.Dialect(dialect).Table(review.Table).As("done")
	s := sql.Dialect(dialect).Select().From(done)
	s.Join(by).On(done.C(review.FieldAssignmentID), by.C(reviewassignment.FieldID))
	s.Where(sql.ColumnsEQ(by.C(reviewassignment.FieldApplicationID), of.C(application.FieldID)))
	access.CountedReviews()(s)
	points := "SUM(" + done.C(review.FieldPoints) + ")"
	s.Select("CAST(" + points + " * 1000 / COUNT(*) AS bigint)")
	return sql.ExprFunc(func(b *sql.Builder) { b.Wrap(func(b *sql.Builder) { b.Join(s) }) })
}
