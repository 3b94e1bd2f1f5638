package casework

import (
	"context"
	"fmt"
	"time"
	"unicode/utf8"

	"entgo.io/ent/dialect/sql"

	"github.com/pursuing-equity/commons/ent/application"
	"github.com/pursuing-equity/commons/ent/decision"
	"github.com/pursuing-equity/commons/ent/document"
	"github.com/pursuing-equity/commons/ent/organization"
	"github.com/pursuing-equity/commons/ent/predicate"
	"github.com/pursuing-equity/commons/ent/review"
	"github.com/pursuing-equity/commons/ent/reviewassignment"
	"github.com/pursuing-equity/commons/internal/access"
	"github.com/pursuing-equity/commons/internal/gid"
	"github.com/pursuing-equity/commons/internal/input"
)

// Limits of a filter.
const (
	maxText    = 200
	maxReviews = 1000
)

// Filter narrows a list of applications: every part that is there must hold. The zero Filter narrows nothing. Its JSON is what saved views
// keep: never change a name.
type Filter struct {
	States            []application.State `json:"states,omitempty"`
	OrganizationKinds []organization.Kind `json:"organizationKinds,omitempty"`
	Text              *string             `json:"text,omitempty"`
	Late              *bool               `json:"late,omitempty"`
	Complete          *bool               `json:"complete,omitempty"`
	WithDocument      *string             `json:"withDocument,omitempty"`
	WithoutDocument   *string             `json:"withoutDocument,omitempty"`
	ReviewerID        *gid.ID             `json:"reviewerId,omitempty"`
	MinReviews        *int                `json:"minReviews,omitempty"`
	MaxReviews        *int                `json:"maxReviews,omitempty"`
	DecisionPrepared  *bool               `json:"decisionPrepared,omitempty"`
	SubmittedFrom     *time.Time          `json:"submittedFrom,omitempty"`
	SubmittedBefore   *time.Time          `json:"submittedBefore,omitempty"`
}

// check says what is wrong with a filter; every input calls it so.
func (f *Filter) check() error {
	const path = "filter"
	if f == nil {
		return nil
	}
	var c input.Checker
	for i, s := range f.States {
		if application.StateValidator(s) != nil {
			c.Refuse(fmt.Sprintf("%s.states.%d", path, i), "There is no such state.")
		}
	}
	for i, k := range f.OrganizationKinds {
		if organization.KindValidator(k) != nil {
			c.Refuse(fmt.Sprintf("%s.organizationKinds.%d", path, i), "There is no such kind.")
		}
	}
	if most := 100; len(f.States) > most || len(f.OrganizationKinds) > most {
		c.Refuse(path, "Name each state and kind once.")
	}
	for name, text := range map[string]*string{"text": f.Text, "withDocument": f.WithDocument, "withoutDocument": f.WithoutDocument} {
		if text != nil {
			if utf8.RuneCountInString(*text) > maxText || *text == "" {
				c.Refuse(path+"."+name, "This must have 1 to %d characters.", maxText)
			} else {
				c.Line(path+"."+name, *text, 1, maxText)
			}
		}
	}
	for name, n := range map[string]*int{"minReviews": f.MinReviews, "maxReviews": f.MaxReviews} {
		if n != nil && (*n < 0 || *n > maxReviews) {
			c.Refuse(path+"."+name, "This must be from 0 to %d.", maxReviews)
		}
	}
	return c.Err()
}

// where is the filter as conditions on applications to the calls. It asks the database at most twice, for what completeness means.
func (s *Service) where(ctx context.Context, f *Filter, calls []gid.ID) ([]func(*sql.Selector), error) {
	if f == nil {
		return nil, nil
	}
	var all []func(*sql.Selector)
	if len(f.States) > 0 {
		all = append(all, application.StateIn(f.States...))
	}
	if len(f.OrganizationKinds) > 0 {
		kinds := make([]application.OrganizationKind, len(f.OrganizationKinds))
		for i, k := range f.OrganizationKinds {
			kinds[i] = application.OrganizationKind(k)
		}
		all = append(all, application.OrganizationKindIn(kinds...))
	}
	if f.Text != nil {
		all = append(all, application.Or(application.OrganizationNameContainsFold(*f.Text), application.TeamNameContainsFold(*f.Text)))
	}
	if f.Late != nil {
		all = append(all, application.Late(*f.Late))
	}
	if f.WithDocument != nil {
		all = append(all, holding(*f.WithDocument))
	}
	if f.WithoutDocument != nil {
		all = append(all, application.Not(holding(*f.WithoutDocument)))
	}
	if f.ReviewerID != nil {
		all = append(all, assigned(*f.ReviewerID))
	}
	if f.MinReviews != nil {
		all = append(all, reviewed(sql.OpGTE, *f.MinReviews))
	}
	if f.MaxReviews != nil {
		all = append(all, reviewed(sql.OpLTE, *f.MaxReviews))
	}
	if f.DecisionPrepared != nil {
		if *f.DecisionPrepared {
			all = append(all, prepared)
		} else {
			all = append(all, application.Not(prepared))
		}
	}
	if f.SubmittedFrom != nil {
		all = append(all, application.SubmittedAtGTE(f.SubmittedFrom.UTC()))
	}
	if f.SubmittedBefore != nil {
		all = append(all, application.SubmittedAtLT(f.SubmittedBefore.UTC()))
	}
	if f.Complete != nil {
		complete, err := s.Admission.Complete(ctx, calls, *f.Complete)
		if err != nil {
			return nil, err
		}
		all = append(all, complete)
	}
	return all, nil
}

// beside is a query of another table that asks about each row of s.
func beside(s *sql.Selector, table, alias string) *sql.Selector {
	t := sql.Dialect(s.Dialect()).Select().From(sql.Table(table).As(alias))
	return t.Select(t.C("id"))
}

// holding is true for an application that has a document for a requirement.
func holding(requirement string) predicate.Application {
	return func(s *sql.Selector) {
		d := beside(s, document.Table, "held_for")
		s.Where(sql.Exists(d.Where(sql.And(
			sql.ColumnsEQ(d.C(document.FieldApplicationID), s.C(application.FieldID)), sql.EQ(d.C(document.FieldRequirement), requirement),
			sql.IsNull(d.C(document.FieldRemovedAt))))))
	}
}

// current is a review assignment of an application that nobody ended.
func current(s *sql.Selector) (assignment *sql.Selector, of *sql.Predicate) {
	a := beside(s, reviewassignment.Table, "assigned_to")
	return a, sql.And(sql.ColumnsEQ(a.C(reviewassignment.FieldApplicationID), s.C(application.FieldID)), sql.IsNull(a.C(reviewassignment.FieldEndedAt)))
}

// assigned is true for an application that somebody is to review.
func assigned(reviewer gid.ID) predicate.Application {
	return func(s *sql.Selector) {
		a, of := current(s)
		s.Where(sql.Exists(a.Where(sql.And(of, sql.EQ(a.C(reviewassignment.FieldReviewerID), reviewer)))))
	}
}

// reviewed compares the number of an application's reviews that count.
func reviewed(op sql.Op, n int) predicate.Application {
	return func(s *sql.Selector) {
		a, of := current(s)
		r := sql.Dialect(s.Dialect()).Select().From(sql.Table(review.Table).As("done"))
		r.Select(r.C(review.FieldID)).Where(sql.And(
			sql.ColumnsEQ(r.C(review.FieldAssignmentID), a.C(reviewassignment.FieldID))))
		access.CountedReviews()(r)
		a.Select(sql.Count("*")).Where(sql.And(of, sql.Exists(r)))
		s.Where(sql.P(func(b *sql.Builder) {
			b.Wrap(func(b *sql.Builder) { b.Join(a) })
			b.WriteOp(op).Arg(n)
		}))
	}
}

// prepared is true for an application with a decision that was not released.
func prepared(s *sql.Selector) {
	d := beside(s, decision.Table, "decided")
	s.Where(sql.Exists(d.Where(sql.And(
		sql.ColumnsEQ(d.C(decision.FieldApplicationID), s.C(application.FieldID)), sql.IsNull(d.C(decision.FieldSupersededAt)),
		sql.IsNull(d.C(decision.FieldReleasedAt))))))
}
