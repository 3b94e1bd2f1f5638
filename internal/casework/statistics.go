package casework

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"time"

	"entgo.io/ent/dialect/sql"

	"github.com/pursuing-equity/commons/ent"
	"github.com/pursuing-equity/commons/ent/application"
	"github.com/pursuing-equity/commons/ent/organization"
	"github.com/pursuing-equity/commons/ent/review"
	"github.com/pursuing-equity/commons/ent/reviewassignment"
	"github.com/pursuing-equity/commons/internal/access"
	"github.com/pursuing-equity/commons/internal/gid"
	"github.com/pursuing-equity/commons/internal/page"
	"github.com/pursuing-equity/commons/internal/store"
	"github.com/pursuing-equity/commons/internal/viewer"
)

// Statistics are counts of a call's applications, as they are at the moment.
type Statistics struct {
	Total, Late                       int
	CompleteDrafts, IncompleteDrafts  int
	AssignedReviews, SubmittedReviews int
	States                            []*StateCount
	OrganizationKinds                 []*KindCount
	Days                              []*DayCount
}

// StateCount is how many applications are in a state.
type StateCount struct {
	State application.State
	Count int
}

// KindCount is how many applications are of organizations of a kind.
type KindCount struct {
	Kind  organization.Kind
	Count int
}

// DayCount is how many applications were first submitted on a day, as the call's zone has days.
type DayCount struct {
	Day   time.Time // midnight UTC of the local date
	Count int
}

// Statistics are those of calls: nil for everybody but staff. It takes six statements, whatever the number of calls and applications.
func (s *Service) Statistics(ctx context.Context, v viewer.Viewer, calls []*ent.Call) ([]*Statistics, error) {
	out := make([]*Statistics, len(calls))
	actor, err := access.Load(ctx, s.Store.Client(ctx), v)
	if err != nil || !actor.IsStaff() {
		return out, err
	}
	c := counting{of: make(map[gid.ID]*Statistics, len(calls)), calls: make(map[gid.ID]*ent.Call, len(calls))}
	for i, of := range calls {
		if c.of[of.ID] == nil {
			c.of[of.ID], c.calls[of.ID] = new(Statistics), of
			c.ids = append(c.ids, of.ID)
		}
		out[i] = c.of[of.ID]
	}
	for _, count := range []func(context.Context, *Service) error{c.states, c.days, c.drafts, c.reviews} {
		if err := count(ctx, s); err != nil {
			return nil, fmt.Errorf("count applications: %w", err)
		}
	}
	return out, nil
}

type counting struct {
	of    map[gid.ID]*Statistics
	calls map[gid.ID]*ent.Call
	ids   []gid.ID
}

// grouped counts the applications that a query has, grouped by the call and other columns or expressions, and scans each group.
func (c counting) grouped(ctx context.Context, s *Service, dest any, where func(*sql.Selector), by func(*sql.Selector) []group) error {
	return s.Store.Client(ctx).Application.Query().Where(page.AnyOf(application.FieldCallID, c.ids), where).Modify(func(sel *sql.Selector) {
		groups := append([]group{{sel.C(application.FieldCallID), "call_id"}}, by(sel)...)
		columns := []string{sql.As(sql.Count("*"), "n")}
		for _, g := range groups {
			columns = append(columns, sql.As(g.expression, g.name))
			sel.GroupBy(g.expression)
		}
		sel.Select(columns...)
	}).Scan(ctx, dest)
}

// group is an expression to group by, and the name that its value gets.
type group struct{ expression, name string }

func everything(*sql.Selector) {}

// states counts by state, kind and lateness together: a few dozen groups a call.
func (c counting) states(ctx context.Context, s *Service) error {
	var rows []struct {
		CallID gid.ID            `sql:"call_id"`
		State  application.State `sql:"state"`
		Kind   organization.Kind `sql:"kind"`
		Late   bool              `sql:"late"`
		N      int               `sql:"n"`
	}
	err := c.grouped(ctx, s, &rows, everything, func(s *sql.Selector) []group {
		return []group{{s.C(application.FieldState), "state"}, {s.C(application.FieldOrganizationKind), "kind"}, {s.C(application.FieldLate), "late"}}
	})
	if err != nil {
		return err
	}
	type sums struct {
		states map[application.State]int
		kinds  map[organization.Kind]int
	}
	by := make(map[gid.ID]sums)
	for _, id := range c.ids {
		by[id] = sums{map[application.State]int{}, map[organization.Kind]int{}}
	}
	for _, r := range rows {
		by[r.CallID].states[r.State] += r.N
		by[r.CallID].kinds[r.Kind] += r.N
		c.of[r.CallID].Total += r.N
		if r.Late {
			c.of[r.CallID].Late += r.N
		}
	}
	for id, sum := range by {
		st := c.of[id]
		st.States, st.OrganizationKinds, st.Days = []*StateCount{}, []*KindCount{}, []*DayCount{}
		for _, state := range slices.Sorted(maps.Keys(sum.states)) {
			st.States = append(st.States, &StateCount{state, sum.states[state]})
		}
		for _, kind := range slices.Sorted(maps.Keys(sum.kinds)) {
			st.OrganizationKinds = append(st.OrganizationKinds, &KindCount{kind, sum.kinds[kind]})
		}
	}
	return nil
}

// days counts by the minute of the first submission, and adds the minutes up to days as the call's zone has them: only the program knows
// zones on both databases, and offsets are whole minutes.
func (c counting) days(ctx context.Context, s *Service) error {
	var rows []struct {
		CallID gid.ID `sql:"call_id"`
		Minute string `sql:"minute"`
		N      int    `sql:"n"`
	}
	err := c.grouped(ctx, s, &rows, application.SubmittedAtNotNil(), func(s *sql.Selector) []group {
		minute := "substr(" + s.C(application.FieldSubmittedAt) + ", 1, 16)"
		if !store.OnSQLite(s) {
			minute = "to_char(" + s.C(application.FieldSubmittedAt) + " AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI')"
		}
		return []group{{minute, "minute"}}
	})
	if err != nil {
		return err
	}
	days := make(map[gid.ID]map[time.Time]int)
	for _, r := range rows {
		at, err := time.ParseInLocation("2006-01-02 15:04", r.Minute, time.UTC)
		if err != nil {
			return fmt.Errorf("read a minute: %w", err)
		}
		year, month, day := at.In(zoneOf(c.calls[r.CallID])).Date()
		if days[r.CallID] == nil {
			days[r.CallID] = make(map[time.Time]int)
		}
		days[r.CallID][time.Date(year, month, day, 0, 0, 0, 0, time.UTC)] += r.N
	}
	for id, counts := range days {
		for day, n := range counts {
			c.of[id].Days = append(c.of[id].Days, &DayCount{day, n})
		}
		slices.SortFunc(c.of[id].Days, func(a, b *DayCount) int { return a.Day.Compare(b.Day) })
	}
	return nil
}

// zoneOf is the zone in which a call's deadlines were announced.
func zoneOf(c *ent.Call) *time.Location {
	zone, err := time.LoadLocation(c.TimeZone)
	if err != nil {
		return time.UTC // it was checked as it was written; a zone can be struck off the list
	}
	return zone
}

// drafts counts the drafts that lack nothing.
func (c counting) drafts(ctx context.Context, s *Service) error {
	complete, err := s.Admission.Complete(ctx, c.ids, true)
	if err != nil {
		return err
	}
	var rows []struct {
		CallID gid.ID `sql:"call_id"`
		N      int    `sql:"n"`
	}
	only := application.And(application.StateEQ(application.StateDRAFT), complete)
	if err := c.grouped(ctx, s, &rows, only, func(*sql.Selector) []group { return nil }); err != nil {
		return err
	}
	for _, r := range rows {
		c.of[r.CallID].CompleteDrafts = r.N
	}
	for _, st := range c.of {
		at := slices.IndexFunc(st.States, func(c *StateCount) bool { return c.State == application.StateDRAFT })
		if at >= 0 {
			st.IncompleteDrafts = max(0, st.States[at].Count-st.CompleteDrafts)
		}
	}
	return nil
}

// reviews counts the assignments that count, without those of who must not judge, and those with a submitted review.
func (c counting) reviews(ctx context.Context, s *Service) error {
	var rows []struct {
		CallID gid.ID `sql:"call_id"`
		Done   int    `sql:"done"`
		N      int    `sql:"n"`
	}
	ofCalls := reviewassignment.HasApplicationWith(page.AnyOf(application.FieldCallID, c.ids))
	err := s.Store.Client(ctx).ReviewAssignment.Query().
		Where(ofCalls, reviewassignment.EndedAtIsNil(), reviewassignment.Not(access.ConflictedAssignments())).Modify(func(s *sql.Selector) {
		a, r := sql.Table(application.Table).As("of"), sql.Table(review.Table).As("done")
		s.Join(a).On(s.C(reviewassignment.FieldApplicationID), a.C(application.FieldID))
		s.LeftJoin(r).On(r.C(review.FieldAssignmentID), s.C(reviewassignment.FieldID))
		s.Select(sql.As(a.C(application.FieldCallID), "call_id"), sql.As(sql.Count(r.C(review.FieldSubmittedAt)), "done"), sql.As(sql.Count("*"), "n"))
		s.GroupBy(a.C(application.FieldCallID))
	}).Scan(ctx, &rows)
	if err != nil {
		return err
	}
	for _, r := range rows {
		c.of[r.CallID].AssignedReviews, c.of[r.CallID].SubmittedReviews = r.N, r.Done
	}
	return nil
}
