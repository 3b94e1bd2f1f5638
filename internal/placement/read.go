package placement

import (
	"context"
	"fmt"

	"entgo.io/ent/dialect/sql"

	"github.com/pursuing-equity/commons/ent"
	"github.com/pursuing-equity/commons/ent/application"
	"github.com/pursuing-equity/commons/ent/decision"
	"github.com/pursuing-equity/commons/ent/enrollment"
	"github.com/pursuing-equity/commons/ent/member"
	"github.com/pursuing-equity/commons/internal/access"
	"github.com/pursuing-equity/commons/internal/gid"
	"github.com/pursuing-equity/commons/internal/page"
	"github.com/pursuing-equity/commons/internal/viewer"
)

// Decisions are the newest released decisions about applications, as far as the viewer can see them; nil where there is none.
func (s *Service) Decisions(ctx context.Context, v viewer.Viewer, of []*ent.Application) ([]*ent.Decision, error) {
	return s.newest(ctx, v, of, decision.ReleasedAtNotNil())
}

// Prepared are the decisions about applications that are in preparation: for staff; nil for others, and where there is none.
func (s *Service) Prepared(ctx context.Context, v viewer.Viewer, of []*ent.Application) ([]*ent.Decision, error) {
	return s.newest(ctx, v, of, decision.And(decision.ReleasedAtIsNil(), decision.SupersededAtIsNil()))
}

// newest are the last of applications' decisions of a sort: one statement.
func (s *Service) newest(ctx context.Context, v viewer.Viewer, of []*ent.Application, which func(*sql.Selector)) ([]*ent.Decision, error) {
	ids := make([]gid.ID, len(of))
	for i, a := range of {
		ids[i] = a.ID
	}
	rows, err := s.Store.Client(ctx).Decision.Query().Where(page.AnyOf(decision.FieldApplicationID, ids), which, access.VisibleDecisions(v)).
		Order(decision.ByReleasedAt(), decision.ByID()).All(ctx)
	if err != nil {
		return nil, fmt.Errorf("load decisions: %w", err)
	}
	last := make(map[gid.ID]*ent.Decision, len(rows))
	for _, d := range rows {
		last[d.ApplicationID] = d
	}
	out := make([]*ent.Decision, len(of))
	for i, a := range of {
		out[i] = last[a.ID]
	}
	return out, nil
}

// isStaff says whether the viewer may see what staff alone see.
func (s *Service) isStaff(ctx context.Context, v viewer.Viewer) (bool, error) {
	actor, err := access.Load(ctx, s.Store.Client(ctx), v)
	if err != nil {
		return false, err
	}
	return actor.IsStaff(), nil
}

// forStaff is something of each decision for staff; nil for others.
func forStaff[T any](ctx context.Context, s *Service, v viewer.Viewer, of []*ent.Decision, what func(*ent.Decision) *T) ([]*T, error) {
	out := make([]*T, len(of))
	staff, err := s.isStaff(ctx, v)
	if err != nil || !staff {
		return out, err
	}
	for i, d := range of {
		out[i] = what(d)
	}
	return out, nil
}

// Notes are what staff noted with decisions: for staff; nil for others.
func (s *Service) Notes(ctx context.Context, v viewer.Viewer, of []*ent.Decision) ([]*string, error) {
	return forStaff(ctx, s, v, of, func(d *ent.Decision) *string { return &d.Note })
}

// Versions count the changes of decisions: for staff; nil for others.
func (s *Service) Versions(ctx context.Context, v viewer.Viewer, of []*ent.Decision) ([]*int, error) {
	return forStaff(ctx, s, v, of, func(d *ent.Decision) *int { return &d.Version })
}

// Deciders are who decided: for staff; nil for others.
func (s *Service) Deciders(ctx context.Context, v viewer.Viewer, of []*ent.Decision) ([]*ent.Member, error) {
	ids, err := forStaff(ctx, s, v, of, func(d *ent.Decision) *gid.ID { return &d.DeciderID })
	if err != nil {
		return nil, err
	}
	return s.members(ctx, ids)
}

// members loads members by ids; nil for nil.
func (s *Service) members(ctx context.Context, ids []*gid.ID) ([]*ent.Member, error) {
	out := make([]*ent.Member, len(ids))
	var wanted []gid.ID
	for _, id := range ids {
		if id != nil {
			wanted = append(wanted, *id)
		}
	}
	if len(wanted) == 0 {
		return out, nil
	}
	rows, err := s.Store.Client(ctx).Member.Query().Where(page.AnyOf(member.FieldID, wanted)).All(ctx)
	if err != nil {
		return nil, fmt.Errorf("load members: %w", err)
	}
	by := make(map[gid.ID]*ent.Member, len(rows))
	for _, m := range rows {
		by[m.ID] = m
	}
	for i, id := range ids {
		if id != nil {
			out[i] = by[*id]
		}
	}
	return out, nil
}

// Applications loads applications by id: who can see a decision can see its application.
func (s *Service) Applications(ctx context.Context, ids []gid.ID) ([]*ent.Application, error) {
	rows, err := s.Store.Client(ctx).Application.Query().Where(page.AnyOf(application.FieldID, ids)).All(ctx)
	if err != nil {
		return nil, fmt.Errorf("load applications: %w", err)
	}
	by := make(map[gid.ID]*ent.Application, len(rows))
	for _, a := range rows {
		by[a.ID] = a
	}
	out := make([]*ent.Application, len(ids))
	for i, id := range ids {
		out[i] = by[id]
	}
	return out, nil
}

// Enrollments are those that applications led to, as far as the viewer can see them and may know who applied: one statement.
func (s *Service) Enrollments(ctx context.Context, v viewer.Viewer, of []*ent.Application) ([]*ent.Enrollment, error) {
	ids := make([]gid.ID, len(of))
	for i, a := range of {
		ids[i] = a.ID
	}
	rows, err := s.Store.Client(ctx).Enrollment.Query().
		Where(page.AnyOf(enrollment.FieldApplicationID, ids), access.VisibleEnrollments(v), enrollment.HasApplicationWith(access.NamedApplications(v))).All(ctx)
	if err != nil {
		return nil, fmt.Errorf("load enrollments: %w", err)
	}
	by := make(map[gid.ID]*ent.Enrollment, len(rows))
	for _, e := range rows {
		by[*e.ApplicationID] = e
	}
	out := make([]*ent.Enrollment, len(of))
	for i, a := range of {
		out[i] = by[a.ID]
	}
	return out, nil
}

// Places is how the places of a call stand.
type Places struct{ Capacity, Offered, Admitted, Waiting, Prepared int }

// Free is how many can be offered; negative when more were offered than there are.
func (p *Places) Free() int { return p.Capacity - p.Offered - p.Admitted }

// Places says how the places of calls stand: for staff; nil for others. It takes three statements.
func (s *Service) Places(ctx context.Context, v viewer.Viewer, calls []*ent.Call) ([]*Places, error) {
	out := make([]*Places, len(calls))
	staff, err := s.isStaff(ctx, v)
	if err != nil || !staff {
		return out, err
	}
	ids, by := make([]gid.ID, len(calls)), make(map[gid.ID]*Places, len(calls))
	for i, c := range calls {
		if by[c.ID] == nil {
			by[c.ID] = &Places{Capacity: c.Capacity}
		}
		ids[i], out[i] = c.ID, by[c.ID]
	}
	var counted []struct {
		CallID gid.ID            `sql:"call_id"`
		State  application.State `sql:"state"`
		Count  int               `sql:"count"`
	}
	c := s.Store.Client(ctx)
	err = c.Application.Query().Where(page.AnyOf(application.FieldCallID, ids), application.StateIn(application.StateOFFERED, application.StateADMITTED, application.StateWAITLISTED)).
		GroupBy(application.FieldCallID, application.FieldState).Aggregate(ent.Count()).Scan(ctx, &counted)
	if err != nil {
		return nil, fmt.Errorf("count places: %w", err)
	}
	for _, n := range counted {
		switch p := by[n.CallID]; n.State {
		case application.StateOFFERED:
			p.Offered = n.Count
		case application.StateADMITTED:
			p.Admitted = n.Count
		default:
			p.Waiting = n.Count
		}
	}
	var prepared []struct {
		CallID gid.ID `sql:"call_id"`
		Count  int    `sql:"count"`
	}
	err = c.Decision.Query().Where(
		page.AnyOf(decision.FieldCallID, ids), decision.ReleasedAtIsNil(), decision.SupersededAtIsNil(), decision.HasApplicationWith(application.StateIn(undecided()...)),
	).GroupBy(decision.FieldCallID).Aggregate(ent.Count()).Scan(ctx, &prepared)
	if err != nil {
		return nil, fmt.Errorf("count decisions in preparation: %w", err)
	}
	for _, n := range prepared {
		by[n.CallID].Prepared = n.Count
	}
	return out, nil
}

// joining counts the applications that do not name their organization by its id while there is one of the same name.
func joining(ctx context.Context, tx *ent.Client, ids []gid.ID) (int, error) {
	n, err := tx.Application.Query().Where(page.AnyOf(application.FieldID, ids), application.OrganizationIDIsNil(), func(s *sql.Selector) {
		s.Where(sql.P(func(b *sql.Builder) {
			b.WriteString("EXISTS (SELECT 1 FROM organizations o WHERE lower(o.name) = lower(").Ident(s.C(application.FieldOrganizationName)).WriteString("))")
		}))
	}).Count(ctx)
	if err != nil {
		return 0, fmt.Errorf("look for organizations of the same names: %w", err)
	}
	return n, nil
}
