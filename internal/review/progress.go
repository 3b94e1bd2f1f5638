package review

import (
	"bytes"
	"context"
	"fmt"
	"slices"

	"entgo.io/ent/dialect/sql"

	"github.com/pursuing-equity/commons/ent"
	"github.com/pursuing-equity/commons/ent/application"
	"github.com/pursuing-equity/commons/ent/member"
	"github.com/pursuing-equity/commons/ent/predicate"
	"github.com/pursuing-equity/commons/ent/reviewassignment"
	"github.com/pursuing-equity/commons/internal/access"
	"github.com/pursuing-equity/commons/internal/gid"
	"github.com/pursuing-equity/commons/internal/page"
	"github.com/pursuing-equity/commons/internal/viewer"
)

// Progress is how far the reviews of a call are.
type Progress struct {
	Reviewers     []*ReviewerProgress // by the reviewers' ids
	UnfilledCount int
	Unfilled      []*ent.Application // the first 100, by their numbers
}

// ReviewerProgress is how far one reviewer is: each assignment is counted once.
type ReviewerProgress struct {
	Reviewer                                           *ent.Member
	Assigned, Completed, Declined, Removed, Conflicted int
}

// unfilledShown is how many applications that wait for reviewers are told one by one.
const unfilledShown = 100

type countRow struct {
	CallID     gid.ID                 `json:"call_id"`
	ReviewerID gid.ID                 `json:"reviewer_id"`
	State      reviewassignment.State `json:"state"`
	Count      int                    `json:"count"`
}

// counts are the numbers of assignments by call, reviewer and state: one statement.
func (s *Service) counts(ctx context.Context, callIDs []gid.ID, which ...predicate.ReviewAssignment) ([]countRow, error) {
	var rows []countRow
	err := s.Store.Client(ctx).ReviewAssignment.Query().Where(which...).Modify(func(s *sql.Selector) {
		of := sql.Table(application.Table).As("of")
		s.Join(of).On(s.C(reviewassignment.FieldApplicationID), of.C(application.FieldID))
		s.Where(sql.In(of.C(application.FieldCallID), anyOf(callIDs)...))
		by := []string{of.C(application.FieldCallID), s.C(reviewassignment.FieldReviewerID), s.C(reviewassignment.FieldState)}
		s.Select(append(slices.Clone(by), sql.As(sql.Count("*"), "count"))...).GroupBy(by...)
	}).Scan(ctx, &rows)
	if err != nil {
		return nil, fmt.Errorf("count assignments: %w", err)
	}
	return rows, nil
}

func anyOf(ids []gid.ID) []any {
	args := make([]any, len(ids))
	for i, id := range ids {
		args[i] = id
	}
	return args
}

// Progresses say of calls how far their reviews are, nil to everybody but staff: at most six statements.
func (s *Service) Progresses(ctx context.Context, v viewer.Viewer, callIDs []gid.ID) ([]*Progress, error) {
	out := make([]*Progress, len(callIDs))
	staff, err := s.isStaff(ctx, v)
	if err != nil || !staff {
		return out, err
	}
	all, err := s.counts(ctx, callIDs)
	if err != nil {
		return nil, err
	}
	lost, err := s.counts(ctx, callIDs, reviewassignment.EndedAtIsNil(), access.ConflictedAssignments())
	if err != nil {
		return nil, err
	}
	vacant, err := s.unfilled(ctx, callIDs)
	if err != nil {
		return nil, err
	}
	by := make(map[gid.ID]*Progress, len(callIDs))
	for i, id := range callIDs {
		if by[id] == nil {
			by[id] = &vacant[i]
		}
		out[i] = by[id]
	}
	of := make(map[pair]*ReviewerProgress, len(all)) // by call and reviewer
	members := make([]gid.ID, 0, len(all))
	for _, r := range all {
		p := of[pair{r.CallID, r.ReviewerID}]
		if p == nil {
			p = &ReviewerProgress{Reviewer: &ent.Member{ID: r.ReviewerID}}
			of[pair{r.CallID, r.ReviewerID}] = p
			by[r.CallID].Reviewers = append(by[r.CallID].Reviewers, p)
			members = append(members, r.ReviewerID)
		}
		*p.at(r.State) += r.Count
	}
	for _, r := range lost {
		p := of[pair{r.CallID, r.ReviewerID}]
		if p == nil { // asked a moment ago
			continue
		}
		*p.at(r.State) -= r.Count
		p.Conflicted += r.Count
	}
	rows, err := s.Store.Client(ctx).Member.Query().Where(page.AnyOf(member.FieldID, members)).All(ctx)
	if err != nil {
		return nil, fmt.Errorf("load reviewers: %w", err)
	}
	called := make(map[gid.ID]*ent.Member, len(rows))
	for _, m := range rows {
		called[m.ID] = m
	}
	for _, p := range of {
		p.Reviewer = called[p.Reviewer.ID]
	}
	for _, p := range by {
		slices.SortFunc(p.Reviewers, func(a, b *ReviewerProgress) int { return bytes.Compare(a.Reviewer.ID[:], b.Reviewer.ID[:]) })
	}
	return out, nil
}

// byNumber is the order in which applications that wait for reviewers are told.
var byNumber = page.Order{Name: "call.unfilled", Column: application.FieldNumber, Part: page.ByInt}

// unfilled are the applications to calls that wait for reviewers: how many, and the first of them. Two statements.
func (s *Service) unfilled(ctx context.Context, callIDs []gid.ID) ([]Progress, error) {
	var counted []struct {
		CallID gid.ID `json:"call_id"`
		Count  int    `json:"count"`
	}
	c, first := s.Store.Client(ctx), unfilledShown
	err := c.Application.Query().Where(page.AnyOf(application.FieldCallID, callIDs), access.ToBeAssigned()).
		GroupBy(application.FieldCallID).Aggregate(ent.Count()).Scan(ctx, &counted)
	if err != nil {
		return nil, fmt.Errorf("count applications that wait for reviewers: %w", err)
	}
	shown, err := page.Each(byNumber, page.Args{First: &first}, application.FieldCallID, callIDs,
		func(a *ent.Application) page.Key { return page.Key{Int: int64(a.Number), ID: a.ID} }, func(a *ent.Application) gid.ID { return a.CallID },
		func(within func(*sql.Selector)) ([]*ent.Application, error) {
			return c.Application.Query().Where(within).All(ctx)
		},
		access.ToBeAssigned())
	if err != nil {
		return nil, fmt.Errorf("load applications that wait for reviewers: %w", err)
	}
	out := make([]Progress, len(callIDs))
	for i, id := range callIDs {
		for _, n := range counted {
			if n.CallID == id {
				out[i].UnfilledCount = n.Count
			}
		}
		for _, e := range shown[i].Edges {
			out[i].Unfilled = append(out[i].Unfilled, e.Node)
		}
	}
	return out, nil
}

func (p *ReviewerProgress) at(state reviewassignment.State) *int {
	switch state {
	case reviewassignment.StateCOMPLETED:
		return &p.Completed
	case reviewassignment.StateDECLINED:
		return &p.Declined
	case reviewassignment.StateREMOVED:
		return &p.Removed
	default:
		return &p.Assigned
	}
}
