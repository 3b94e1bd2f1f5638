package casework

import (
	"context"
	"fmt"
	"io"
	"strconv"

	"entgo.io/ent/dialect/sql"

	"github.com/pursuing-equity/commons/ent"
	"github.com/pursuing-equity/commons/ent/application"
	"github.com/pursuing-equity/commons/internal/access"
	"github.com/pursuing-equity/commons/internal/fault"
	"github.com/pursuing-equity/commons/internal/gid"
	"github.com/pursuing-equity/commons/internal/page"
	"github.com/pursuing-equity/commons/internal/viewer"
)

// Order is what a list of applications is ordered by.
type Order string

// The orders. Each has an index that begins with the call.
const (
	ByNumber       Order = "NUMBER"
	ByOrganization Order = "ORGANIZATION"
	BySubmission   Order = "SUBMITTED_AT" // the newest first; only what was submitted
	ByChange       Order = "UPDATED_AT"   // the newest first
	ByPoints       Order = "POINTS"       // the best first; only what has reviews that count
	ByFewestPoints Order = "POINTS_ASCENDING"
)

// MarshalGQL writes the SDL's ApplicationOrder.
func (o Order) MarshalGQL(w io.Writer) { _, _ = io.WriteString(w, strconv.Quote(string(o))) }

// UnmarshalGQL reads the SDL's ApplicationOrder.
func (o *Order) UnmarshalGQL(v any) error {
	text, ok := v.(string)
	if !ok {
		return fmt.Errorf("an order must be a string, not %T", v)
	}
	*o = Order(text)
	return nil
}

// listing is an order as pages take it, the key of a row, and what the list leaves out.
type listing struct {
	page.Order
	key  func(*ent.Application) page.Key
	only []func(*sql.Selector)
}

func (o Order) listing(v viewer.Viewer) (listing, error) {
	switch o {
	case "", ByNumber:
		return listing{
			Order: page.Order{Name: "callApplications number", Column: application.FieldNumber, Part: page.ByInt},
			key:   func(a *ent.Application) page.Key { return page.Key{Int: int64(a.Number), ID: a.ID} },
		}, nil
	case ByOrganization:
		return listing{
			Order: page.Order{Name: "callApplications organization", Column: application.FieldOrganizationName, Part: page.ByText},
			key:   func(a *ent.Application) page.Key { return page.Key{Text: a.OrganizationName, ID: a.ID} },
		}, nil
	case BySubmission:
		return listing{
			Order: page.Order{Name: "callApplications submitted", Column: application.FieldSubmittedAt, Part: page.ByTime, Desc: true},
			key: func(a *ent.Application) page.Key {
				k := page.Key{ID: a.ID}
				if a.SubmittedAt != nil {
					k.Time = *a.SubmittedAt
				}
				return k
			},
			only: []func(*sql.Selector){application.SubmittedAtNotNil()},
		}, nil
	case ByChange:
		return listing{
			Order: page.Order{Name: "callApplications updated", Column: application.FieldUpdatedAt, Part: page.ByTime, Desc: true},
			key:   func(a *ent.Application) page.Key { return page.Key{Time: a.UpdatedAt, ID: a.ID} },
		}, nil
	case ByPoints, ByFewestPoints:
		l := listing{
			Order: page.Order{Name: "callApplications points " + string(o), Column: application.FieldReviewPoints, Part: page.ByInt, Desc: o == ByPoints},
			key: func(a *ent.Application) page.Key {
				k := page.Key{ID: a.ID}
				if a.ReviewPoints != nil {
					k.Int = int64(*a.ReviewPoints)
				}
				return k
			},
			only: []func(*sql.Selector){application.ReviewPointsNotNil()},
		}
		if me, ok := v.MemberID(); ok {
			l.only = append(l.only, access.Unconflicted(me)) // its place would tell them what was said of it
		}
		return l, nil
	}
	return listing{}, fault.Invalid("orderBy", "There is no such order.")
}

// Applications are those to calls that a filter, or nil, lets through: for staff, and none for anybody else. It takes one statement for all
// calls, and two more where the filter asks what is complete.
func (s *Service) Applications(ctx context.Context, v viewer.Viewer, calls []gid.ID, f *Filter, o Order, a page.Args) ([]*page.Connection[ent.Application], error) {
	l, err := o.listing(v)
	if err != nil {
		return nil, err
	}
	if err := f.check(); err != nil {
		return nil, err
	}
	narrowed, err := s.where(ctx, f, calls)
	if err != nil {
		return nil, err
	}
	inner := append(append(narrowed, l.only...), access.ListedApplications(v))
	return page.Each(l.Order, a, application.FieldCallID, calls, l.key, func(a *ent.Application) gid.ID { return a.CallID },
		func(within func(*sql.Selector)) ([]*ent.Application, error) {
			rows, err := s.Store.Client(ctx).Application.Query().Where(within).All(ctx)
			if err != nil {
				return nil, fmt.Errorf("list applications: %w", err)
			}
			return rows, nil
		}, inner...)
}
