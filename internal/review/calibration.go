package review

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"math"
	"slices"

	"entgo.io/ent/dialect/sql"

	"github.com/pursuing-equity/commons/ent"
	"github.com/pursuing-equity/commons/ent/application"
	"github.com/pursuing-equity/commons/ent/member"
	"github.com/pursuing-equity/commons/ent/review"
	"github.com/pursuing-equity/commons/ent/reviewassignment"
	"github.com/pursuing-equity/commons/internal/access"
	"github.com/pursuing-equity/commons/internal/gid"
	"github.com/pursuing-equity/commons/internal/page"
	"github.com/pursuing-equity/commons/internal/viewer"
)

const (
	// farOff is from which standard score on a reviewer is an outlier: about one in twenty is by chance.
	farOff = 2.0
	// fewest is how many reviews a reviewer must have written for that.
	fewest = 3
	// spreadShown is how many applications are told one by one.
	spreadShown = 20
)

// Calibration compares those who review for one call. Points are in per cent. Formulas: NIST/SEMATECH e-Handbook of Statistical Methods,
// 1.3.5.6 (the sample's standard deviation, of n-1), 1.3.5.2 (the standard error of a mean, s/√n) and 7.3.1 (the pooled deviation).
type Calibration struct {
	Stats
	Pooled       *float64 // within applications; nil while none has two reviews
	Reviewers    []*ReviewerCalibration
	Applications []*ApplicationCalibration
}

// Stats are the figures of some reviews. Mean is nil without a review, Deviation with fewer than two.
type Stats struct {
	Count           int
	Mean, Deviation *float64
}

// ReviewerCalibration is what one reviewer's points are like. Score is how many standard errors their mean is off the call's, nil where all
// reviews of the call have the same points.
type ReviewerCalibration struct {
	Stats
	Reviewer   *ent.Member
	Difference float64 // of the means
	Score      *float64
	Outlier    bool
}

// ApplicationCalibration is how far reviewers differ about one application. It is an outlier when they differ more than twice as much as
// is usual within the call.
type ApplicationCalibration struct {
	Stats
	Application   *ent.Application
	Least, Utmost float64
	Outlier       bool
}

type sums struct {
	CallID  gid.ID `json:"call_id"`
	OfID    gid.ID `json:"of_id"`
	N       int    `json:"n"`
	Sum     int64  `json:"sum"`
	Squares int64  `json:"squares"`
	Least   int    `json:"least"`
	Utmost  int    `json:"utmost"`
}

// sums are the figures of the reviews that count, by call and another column of the assignment: one statement.
func (s *Service) sums(ctx context.Context, callIDs []gid.ID, column string) ([]sums, error) {
	var rows []sums
	err := s.Store.Client(ctx).Review.Query().Where(access.CountedReviews()).Modify(func(s *sql.Selector) {
		by, of := sql.Table(reviewassignment.Table).As("by"), sql.Table(application.Table).As("of")
		s.Join(by).On(s.C(review.FieldAssignmentID), by.C(reviewassignment.FieldID))
		s.Join(of).On(by.C(reviewassignment.FieldApplicationID), of.C(application.FieldID))
		s.Where(sql.In(of.C(application.FieldCallID), anyOf(callIDs)...))
		got := s.C(review.FieldPoints)
		s.Select(
			of.C(application.FieldCallID), sql.As(by.C(column), "of_id"), sql.As(sql.Count("*"), "n"), sql.As(sql.Sum(got), "sum"),
			sql.As("SUM("+got+" * "+got+")", "squares"), sql.As(sql.Min(got), "least"), sql.As(sql.Max(got), "utmost"),
		).GroupBy(of.C(application.FieldCallID), by.C(column))
	}).Scan(ctx, &rows)
	if err != nil {
		return nil, fmt.Errorf("sum up reviews: %w", err)
	}
	return rows, nil
}

// squaresAbout is the sum of squared differences from the mean: Σx² - (Σx)²/n.
func (s sums) squaresAbout() float64 {
	return float64(s.Squares) - float64(s.Sum)*float64(s.Sum)/float64(s.N)
}

// stats are the figures in per cent; points are kept times 100.
func (s sums) stats() Stats {
	out := Stats{Count: s.N}
	if s.N > 0 {
		out.Mean = new(float64(s.Sum) / float64(s.N) / 100)
	}
	if s.N > 1 {
		out.Deviation = new(math.Sqrt(max(0, s.squaresAbout())/float64(s.N-1)) / 100)
	}
	return out
}

// Calibrations compare those who review for calls; nil to everybody but staff. Reviews of who has a conflict of interest count for nothing
// while it lasts. At most five statements, whatever the number of reviews.
func (s *Service) Calibrations(ctx context.Context, v viewer.Viewer, callIDs []gid.ID) ([]*Calibration, error) {
	out := make([]*Calibration, len(callIDs))
	staff, err := s.isStaff(ctx, v)
	if err != nil || !staff {
		return out, err
	}
	applications, err := s.sums(ctx, callIDs, reviewassignment.FieldApplicationID)
	if err != nil {
		return nil, err
	}
	reviewers, err := s.sums(ctx, callIDs, reviewassignment.FieldReviewerID)
	if err != nil {
		return nil, err
	}
	by := make(map[gid.ID]*Calibration, len(callIDs))
	for i, id := range callIDs {
		if by[id] == nil {
			by[id] = calibrate(ofCall(id, applications), ofCall(id, reviewers))
		}
		out[i] = by[id]
	}
	return out, s.name(ctx, by)
}

func ofCall(id gid.ID, rows []sums) []sums {
	return slices.DeleteFunc(slices.Clone(rows), func(r sums) bool { return r.CallID != id })
}

// calibrate compares: the figures of each application, and of each reviewer.
func calibrate(applications, reviewers []sums) *Calibration {
	c := &Calibration{}
	var total sums
	within, freedom := 0.0, 0
	for _, a := range applications {
		total.N, total.Sum, total.Squares = total.N+a.N, total.Sum+a.Sum, total.Squares+a.Squares
		within, freedom = within+max(0, a.squaresAbout()), freedom+a.N-1
		one := &ApplicationCalibration{Stats: a.stats(), Application: &ent.Application{ID: a.OfID}, Least: float64(a.Least) / 100, Utmost: float64(a.Utmost) / 100}
		if a.N > 1 {
			c.Applications = append(c.Applications, one)
		}
	}
	c.Stats = total.stats()
	if freedom > 0 {
		c.Pooled = new(math.Sqrt(within/float64(freedom)) / 100)
	}
	slices.SortFunc(c.Applications, func(a, b *ApplicationCalibration) int {
		return cmp.Or(cmp.Compare(*b.Deviation, *a.Deviation), bytes.Compare(a.Application.ID[:], b.Application.ID[:]))
	})
	c.Applications = c.Applications[:min(spreadShown, len(c.Applications))]
	for _, a := range c.Applications {
		a.Outlier = *a.Deviation > 2**c.Pooled
	}
	for _, r := range reviewers {
		one := &ReviewerCalibration{Stats: r.stats(), Reviewer: &ent.Member{ID: r.OfID}}
		if c.Mean != nil {
			one.Difference = *one.Mean - *c.Mean
		}
		if c.Deviation != nil && *c.Deviation > 0 {
			one.Score = new(one.Difference / (*c.Deviation / math.Sqrt(float64(r.N))))
			one.Outlier = r.N >= fewest && math.Abs(*one.Score) > farOff
		}
		c.Reviewers = append(c.Reviewers, one)
	}
	slices.SortFunc(c.Reviewers, func(a, b *ReviewerCalibration) int { return bytes.Compare(a.Reviewer.ID[:], b.Reviewer.ID[:]) })
	return c
}

// name loads whom and what the figures are of: two statements.
func (s *Service) name(ctx context.Context, all map[gid.ID]*Calibration) error {
	var who, what []gid.ID
	for _, c := range all {
		for _, r := range c.Reviewers {
			who = append(who, r.Reviewer.ID)
		}
		for _, a := range c.Applications {
			what = append(what, a.Application.ID)
		}
	}
	c := s.Store.Client(ctx)
	members, err := c.Member.Query().Where(page.AnyOf(member.FieldID, who)).All(ctx)
	if err != nil {
		return fmt.Errorf("load reviewers: %w", err)
	}
	applications, err := c.Application.Query().Where(page.AnyOf(application.FieldID, what)).All(ctx)
	if err != nil {
		return fmt.Errorf("load applications: %w", err)
	}
	called, about := make(map[gid.ID]*ent.Member, len(members)), make(map[gid.ID]*ent.Application, len(applications))
	for _, m := range members {
		called[m.ID] = m
	}
	for _, a := range applications {
		about[a.ID] = a
	}
	for _, c := range all {
		for _, r := range c.Reviewers {
			r.Reviewer = called[r.Reviewer.ID]
		}
		for _, a := range c.Applications {
			a.Application = about[a.Application.ID]
		}
	}
	return nil
}
