package admission

import (
	"context"
	"fmt"

	"entgo.io/ent/dialect/sql"

	"github.com/pursuing-equity/commons/ent"
	"github.com/pursuing-equity/commons/ent/call"
	"github.com/pursuing-equity/commons/ent/cohort"
	"github.com/pursuing-equity/commons/ent/predicate"
	"github.com/pursuing-equity/commons/internal/access"
	"github.com/pursuing-equity/commons/internal/gid"
	"github.com/pursuing-equity/commons/internal/page"
	"github.com/pursuing-equity/commons/internal/viewer"
)

// CallFilter narrows a list of calls; nil fields narrow nothing.
type CallFilter struct {
	State      *CallState
	OfferingID *gid.ID
}

var newestCalls = page.Order{Name: "calls", Part: page.ByID, Desc: true}

// CallList are the calls that the viewer can see, those made last first.
func (s *Service) CallList(ctx context.Context, v viewer.Viewer, f CallFilter, a page.Args) (*page.Connection[ent.Call], error) {
	w, err := a.Window(newestCalls, gid.ID{})
	if err != nil {
		return nil, err
	}
	q := s.Store.Client(ctx).Call.Query().Where(access.VisibleCalls(v))
	if f.OfferingID != nil {
		q.Where(call.OfferingID(*f.OfferingID))
	}
	if f.State != nil {
		q.Where(s.standing(*f.State))
	}
	rows, err := q.Where(func(sel *sql.Selector) { newestCalls.Page(w)(sel) }).All(ctx)
	if err != nil {
		return nil, fmt.Errorf("list calls: %w", err)
	}
	return page.Build(newestCalls, w, gid.ID{}, rows, func(c *ent.Call) page.Key { return page.Key{ID: c.ID} }), nil
}

// standing is State as a predicate.
func (s *Service) standing(state CallState) predicate.Call {
	now := s.Now()
	switch state {
	case Upcoming:
		return call.And(call.PublishedAtNotNil(), call.OpensAtGT(now))
	case Open:
		return call.And(call.PublishedAtNotNil(), call.OpensAtLTE(now), call.DueAtGT(now))
	case Late:
		return call.And(call.PublishedAtNotNil(), call.DueAtLTE(now), call.ClosesAtGT(now))
	case Closed:
		return call.And(call.PublishedAtNotNil(), call.ClosesAtLTE(now))
	default:
		return call.PublishedAtIsNil()
	}
}

// Locals are what the clock on the wall shows at a call's opening, due and closing instants.
func (s *Service) Locals(c *ent.Call) (opens, due, closes string) {
	d := deadlinesOf(c)
	return d.opens.local, d.due.local, d.closes.local
}

// Cohorts are where each call's teams are enrolled, nil where there is none that the viewer can see.
func (s *Service) Cohorts(ctx context.Context, v viewer.Viewer, calls []*ent.Call) ([]*ent.Cohort, error) {
	var ids []gid.ID
	for _, c := range calls {
		if c.CohortID != nil {
			ids = append(ids, *c.CohortID)
		}
	}
	out := make([]*ent.Cohort, len(calls))
	if len(ids) == 0 {
		return out, nil
	}
	rows, err := s.Store.Client(ctx).Cohort.Query().Where(page.AnyOf(cohort.FieldID, ids), access.VisibleCohorts(v)).All(ctx)
	if err != nil {
		return nil, fmt.Errorf("load cohorts: %w", err)
	}
	for i, c := range calls {
		for _, row := range rows {
			if row.ID == orNone(c.CohortID) {
				out[i] = row
			}
		}
	}
	return out, nil
}

// CanUpdateCalls says whether the viewer may change calls: staff may.
func (s *Service) CanUpdateCalls(ctx context.Context, v viewer.Viewer, calls []*ent.Call) ([]bool, error) {
	actor, err := access.Load(ctx, s.Store.Client(ctx), v)
	if err != nil {
		return nil, err
	}
	can := make([]bool, len(calls))
	for i := range can {
		can[i] = actor.IsStaff() && !v.IsSystem()
	}
	return can, nil
}

// Versions count what staff changed of calls; nil for everybody but staff.
func (s *Service) Versions(ctx context.Context, v viewer.Viewer, calls []*ent.Call) ([]*int, error) {
	can, err := s.CanUpdateCalls(ctx, v, calls)
	if err != nil {
		return nil, err
	}
	out := make([]*int, len(calls))
	for i, c := range calls {
		if can[i] {
			out[i] = &c.Version
		}
	}
	return out, nil
}

// Taking says whether a call takes applications: NOT_FOUND when not everybody can see it, and CALL_CLOSED.
func (s *Service) Taking(ctx context.Context, id gid.ID) error {
	c, err := s.callSeen(ctx, s.Store.Client(ctx), viewer.Anonymous(), id)
	if err != nil {
		return err
	}
	if state := s.State(c); c.FormVersion == 0 || state != Open && state != Late {
		return closed().At("callId")
	}
	return nil
}
