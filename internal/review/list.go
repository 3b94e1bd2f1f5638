package review

import (
	"context"
	"fmt"

	"github.com/pursuing-equity/commons/ent"
	"github.com/pursuing-equity/commons/ent/application"
	"github.com/pursuing-equity/commons/ent/conflict"
	"github.com/pursuing-equity/commons/ent/member"
	"github.com/pursuing-equity/commons/ent/review"
	"github.com/pursuing-equity/commons/ent/reviewassignment"
	"github.com/pursuing-equity/commons/internal/access"
	"github.com/pursuing-equity/commons/internal/gid"
	"github.com/pursuing-equity/commons/internal/page"
	"github.com/pursuing-equity/commons/internal/viewer"
)

// mine is the order of a reviewer's own list; the state is in its name, so that a cursor of another list is told apart.
func mine(state *reviewassignment.State) page.Order {
	name := "my review assignments"
	if state != nil {
		name += " " + string(*state)
	}
	return page.Order{Name: name, Part: page.ByID}
}

// MyAssignments are what the viewer is to review and has reviewed, the oldest first: without what they have a conflict of interest with, what
// they declined and what was taken back. One statement.
func (s *Service) MyAssignments(ctx context.Context, v viewer.Viewer, state *reviewassignment.State, a page.Args) (*page.Connection[ent.ReviewAssignment], error) {
	order := mine(state)
	w, err := a.Window(order, gid.ID{})
	if err != nil {
		return nil, err
	}
	q := s.Store.Client(ctx).ReviewAssignment.Query().Where(access.OwnReviewAssignments(v))
	if state != nil {
		q.Where(reviewassignment.StateEQ(*state))
	}
	rows, err := q.Where(order.Page(w)).All(ctx)
	if err != nil {
		return nil, fmt.Errorf("list assignments: %w", err)
	}
	return page.Build(order, w, gid.ID{}, rows, func(r *ent.ReviewAssignment) page.Key { return page.Key{ID: r.ID} }), nil
}

// grouped puts rows with what they belong to, in the order of the ids.
func grouped[T any](ids []gid.ID, rows []*T, of func(*T) gid.ID) [][]*T {
	by := make(map[gid.ID][]*T, len(ids))
	for _, r := range rows {
		by[of(r)] = append(by[of(r)], r)
	}
	out := make([][]*T, len(ids))
	for i, id := range ids {
		if out[i] = by[id]; out[i] == nil {
			out[i] = []*T{}
		}
	}
	return out
}

// AssignmentsOf are the assignments of applications that the viewer can see, the oldest first: one statement.
func (s *Service) AssignmentsOf(ctx context.Context, v viewer.Viewer, of []*ent.Application) ([][]*ent.ReviewAssignment, error) {
	ids := idsOf(of, applicationID)
	rows, err := s.Store.Client(ctx).ReviewAssignment.Query().Where(page.AnyOf(reviewassignment.FieldApplicationID, ids), access.VisibleReviewAssignments(v)).
		Order(reviewassignment.ByID()).All(ctx)
	if err != nil {
		return nil, fmt.Errorf("load assignments: %w", err)
	}
	return grouped(ids, rows, func(r *ent.ReviewAssignment) gid.ID { return r.ApplicationID }), nil
}

// ReviewsOf are the reviews of applications that the viewer can see, in the order of the assignments: two statements.
func (s *Service) ReviewsOf(ctx context.Context, v viewer.Viewer, of []*ent.Application) ([][]*ent.Review, error) {
	ids := idsOf(of, applicationID)
	rows, err := s.Store.Client(ctx).Review.Query().Where(review.HasAssignmentWith(page.AnyOf(reviewassignment.FieldApplicationID, ids)), access.VisibleReviews(v)).
		WithAssignment().Order(review.ByAssignmentID()).All(ctx)
	if err != nil {
		return nil, fmt.Errorf("load reviews: %w", err)
	}
	return grouped(ids, rows, func(r *ent.Review) gid.ID { return r.Edges.Assignment.ApplicationID }), nil
}

// ConflictsOf are the conflicts of interest that were declared, the oldest first, those that ended too; for staff: one statement.
func (s *Service) ConflictsOf(ctx context.Context, v viewer.Viewer, of []*ent.Application) ([][]*ent.Conflict, error) {
	ids := idsOf(of, applicationID)
	rows, err := s.Store.Client(ctx).Conflict.Query().Where(page.AnyOf(conflict.FieldApplicationID, ids), access.VisibleConflicts(v)).
		Order(conflict.ByID()).All(ctx)
	if err != nil {
		return nil, fmt.Errorf("load conflicts of interest: %w", err)
	}
	return grouped(ids, rows, func(r *ent.Conflict) gid.ID { return r.ApplicationID }), nil
}

// Reviews are those of assignments, nil where there is none that the viewer can see: one statement.
func (s *Service) Reviews(ctx context.Context, v viewer.Viewer, of []*ent.ReviewAssignment) ([]*ent.Review, error) {
	rows, err := s.Store.Client(ctx).Review.Query().Where(page.AnyOf(review.FieldAssignmentID, idsOf(of, assignmentID)), access.VisibleReviews(v)).All(ctx)
	if err != nil {
		return nil, fmt.Errorf("load reviews: %w", err)
	}
	by := make(map[gid.ID]*ent.Review, len(rows))
	for _, r := range rows {
		by[r.AssignmentID] = r
	}
	out := make([]*ent.Review, len(of))
	for i, a := range of {
		out[i] = by[a.ID]
	}
	return out, nil
}

// Assignments are those of reviews: one statement. Who sees the review may know of it.
func (s *Service) Assignments(ctx context.Context, of []*ent.Review) ([]*ent.ReviewAssignment, error) {
	ids := idsOf(of, func(r *ent.Review) gid.ID { return r.AssignmentID })
	rows, err := s.Store.Client(ctx).ReviewAssignment.Query().Where(page.AnyOf(reviewassignment.FieldID, ids)).All(ctx)
	if err != nil {
		return nil, fmt.Errorf("load assignments: %w", err)
	}
	return ordered(ids, rows, assignmentID), nil
}

// ordered puts rows in the order of ids.
func ordered[T any](ids []gid.ID, rows []*T, id func(*T) gid.ID) []*T {
	by := make(map[gid.ID]*T, len(rows))
	for _, r := range rows {
		by[id(r)] = r
	}
	out := make([]*T, len(ids))
	for i, want := range ids {
		out[i] = by[want]
	}
	return out
}

// Applications loads those that assignments and reviews are about: one statement. Who sees the one sees the other.
func (s *Service) Applications(ctx context.Context, ids []gid.ID) ([]*ent.Application, error) {
	rows, err := s.Store.Client(ctx).Application.Query().Where(page.AnyOf(application.FieldID, ids)).All(ctx)
	if err != nil {
		return nil, fmt.Errorf("load applications: %w", err)
	}
	return ordered(ids, rows, applicationID), nil
}

// ReviewedApplications are those that reviews are about: two statements.
func (s *Service) ReviewedApplications(ctx context.Context, of []*ent.Review) ([]*ent.Application, error) {
	assignments, err := s.Assignments(ctx, of)
	if err != nil {
		return nil, err
	}
	return s.Applications(ctx, idsOf(assignments, func(a *ent.ReviewAssignment) gid.ID { return a.ApplicationID }))
}

// Reviewers are those who wrote reviews, nil where the viewer cannot see them: two statements.
func (s *Service) Reviewers(ctx context.Context, v viewer.Viewer, of []*ent.Review) ([]*ent.Member, error) {
	assignments, err := s.Assignments(ctx, of)
	if err != nil {
		return nil, err
	}
	ids := idsOf(assignments, func(a *ent.ReviewAssignment) gid.ID { return a.ReviewerID })
	rows, err := s.Store.Client(ctx).Member.Query().Where(page.AnyOf(member.FieldID, ids), access.VisibleMembers(v)).All(ctx)
	if err != nil {
		return nil, fmt.Errorf("load reviewers: %w", err)
	}
	return ordered(ids, rows, memberID), nil
}

// EndReasons are why assignments ended; nil for those that have not, and for everybody but staff: one statement.
func (s *Service) EndReasons(ctx context.Context, v viewer.Viewer, of []*ent.ReviewAssignment) ([]*string, error) {
	out := make([]*string, len(of))
	staff, err := s.isStaff(ctx, v)
	if err != nil || !staff {
		return out, err
	}
	for i, a := range of {
		if a.EndedAt != nil {
			out[i] = &a.EndReason
		}
	}
	return out, nil
}
