package review

import (
	"context"
	"fmt"

	"entgo.io/ent/dialect/sql"

	"github.com/pursuing-equity/commons/ent"
	"github.com/pursuing-equity/commons/ent/conflict"
	"github.com/pursuing-equity/commons/ent/predicate"
	"github.com/pursuing-equity/commons/ent/review"
	"github.com/pursuing-equity/commons/ent/reviewassignment"
	"github.com/pursuing-equity/commons/internal/access"
	"github.com/pursuing-equity/commons/internal/gid"
	"github.com/pursuing-equity/commons/internal/notify"
	"github.com/pursuing-equity/commons/internal/page"
)

// eraseBatch is how many rows are scrubbed at once.
const eraseBatch = 500

// Leave takes a member whose account is erased off the applications that they must not judge, within the transaction of that and before it takes
// posts and editors away: what they said counts for nothing, also when nothing tells of the conflict of interest any more.
func (s *Service) Leave(ctx context.Context, tx *ent.Client, id gid.ID) error {
	now := s.Now()
	err := tx.ReviewAssignment.Update().Where(reviewassignment.ReviewerID(id), reviewassignment.EndedAtIsNil(), access.ConflictedAssignments()).
		SetState(reviewassignment.StateREMOVED).SetEndedAt(now).SetUpdatedAt(now).Exec(ctx)
	if err != nil {
		return fmt.Errorf("take %s off what they must not judge: %w", id, err)
	}
	return nil
}

// Erase scrubs what a member wrote and did here. It may be broken off at any moment, and done again changes nothing more. What is not
// finished goes, and what they were to review is given back. Of reviews that were submitted the scores and the recommendation stay: decisions
// were made by them; what they said in words goes, and so do notes on conflicts of interest that they declared or that are of them.
func (s *Service) Erase(ctx context.Context, id gid.ID) error {
	err := s.eachAssignment(ctx, func(ctx context.Context, tx *ent.Client, a *ent.ReviewAssignment) error {
		if a.State == reviewassignment.StateASSIGNED {
			_, err := s.end(ctx, tx, a.ID, reviewassignment.StateREMOVED, "")
			return err
		}
		return tx.ReviewAssignment.UpdateOne(a).SetEndReason("").Exec(ctx)
	}, reviewassignment.ReviewerID(id), reviewassignment.Or(reviewassignment.StateEQ(reviewassignment.StateASSIGNED), reviewassignment.EndReasonNEQ("")))
	if err != nil {
		return fmt.Errorf("give back what %s was to review: %w", id, err)
	}
	err = s.eachReview(ctx, func(ctx context.Context, tx *ent.Client, r *ent.Review) error {
		if r.SubmittedAt == nil {
			_, err := tx.Review.Delete().Where(review.ID(r.ID)).Exec(ctx) // another process may have done it
			return err
		}
		scores := r.Scores
		for i := range scores {
			scores[i].Comment = ""
		}
		return tx.Review.UpdateOne(r).SetScores(scores).SetComment("").Exec(ctx)
	}, review.HasAssignmentWith(reviewassignment.ReviewerID(id)))
	if err != nil {
		return fmt.Errorf("erase the reviews of %s: %w", id, err)
	}
	err = s.eachConflict(ctx, func(string) string { return "" }, conflict.NoteNEQ(""), conflict.Or(conflict.MemberID(id), conflict.DeclaredByID(id)))
	if err != nil {
		return fmt.Errorf("erase conflicts of interest of %s: %w", id, err)
	}
	return nil
}

// EraseMentions writes another handle in place of an erased member's in what reviewers and staff said here.
func (s *Service) EraseMentions(ctx context.Context, handle, instead string) error {
	mentions := "@" + handle
	err := s.eachReview(ctx, func(ctx context.Context, tx *ent.Client, r *ent.Review) error {
		scores := r.Scores
		for i := range scores {
			scores[i].Comment = notify.Rename(scores[i].Comment, handle, instead)
		}
		return tx.Review.UpdateOne(r).SetScores(scores).SetComment(notify.Rename(r.Comment, handle, instead)).Exec(ctx)
	}, review.Or(review.CommentContainsFold(mentions), scoresMention(mentions)))
	if err != nil {
		return fmt.Errorf("erase mentions: %w", err)
	}
	err = s.eachAssignment(ctx, func(ctx context.Context, tx *ent.Client, a *ent.ReviewAssignment) error {
		return tx.ReviewAssignment.UpdateOne(a).SetEndReason(notify.Rename(a.EndReason, handle, instead)).Exec(ctx)
	}, reviewassignment.EndReasonContainsFold(mentions))
	if err != nil {
		return fmt.Errorf("erase mentions: %w", err)
	}
	err = s.eachConflict(ctx, func(note string) string { return notify.Rename(note, handle, instead) }, conflict.NoteContainsFold(mentions))
	if err != nil {
		return fmt.Errorf("erase mentions: %w", err)
	}
	return nil
}

// scoresMention is true for a review in one of whose scores a text stands: handles have no characters that JSON or LIKE would change.
func scoresMention(text string) predicate.Review {
	return func(s *sql.Selector) {
		s.Where(sql.P(func(b *sql.Builder) {
			b.WriteString("lower(CAST(").Ident(s.C(review.FieldScores)).WriteString(" AS text)) LIKE lower(").Arg("%" + text + "%").WriteString(")")
		}))
	}
}

func (s *Service) eachAssignment(ctx context.Context, do func(context.Context, *ent.Client, *ent.ReviewAssignment) error, which ...predicate.ReviewAssignment) error {
	return each(ctx, s, assignmentID, func(within func(*sql.Selector)) ([]*ent.ReviewAssignment, error) {
		return s.Store.Client(ctx).ReviewAssignment.Query().Where(which...).Where(within).All(ctx)
	}, do)
}

func (s *Service) eachReview(ctx context.Context, do func(context.Context, *ent.Client, *ent.Review) error, which ...predicate.Review) error {
	return each(ctx, s, func(r *ent.Review) gid.ID { return r.ID }, func(within func(*sql.Selector)) ([]*ent.Review, error) {
		return s.Store.Client(ctx).Review.Query().Where(which...).Where(within).All(ctx)
	}, do)
}

func (s *Service) eachConflict(ctx context.Context, note func(string) string, which ...predicate.Conflict) error {
	return each(ctx, s, func(c *ent.Conflict) gid.ID { return c.ID }, func(within func(*sql.Selector)) ([]*ent.Conflict, error) {
		return s.Store.Client(ctx).Conflict.Query().Where(which...).Where(within).All(ctx)
	}, func(ctx context.Context, tx *ent.Client, c *ent.Conflict) error {
		return tx.Conflict.UpdateOne(c).SetNote(note(c.Note)).Exec(ctx)
	})
}

// each does something with every row that load finds, a batch in a transaction.
func each[T any](ctx context.Context, s *Service, id func(*T) gid.ID, load func(func(*sql.Selector)) ([]*T, error), do func(context.Context, *ent.Client, *T) error) error {
	return page.Walk(eraseBatch, id, load, func(rows []*T) error {
		return s.Store.InTx(ctx, func(ctx context.Context, tx *ent.Client) error {
			for _, r := range rows {
				if err := do(ctx, tx, r); err != nil {
					return err
				}
			}
			return nil
		})
	})
}
