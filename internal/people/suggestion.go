package people

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"entgo.io/ent/dialect/sql"

	"github.com/pursuing-equity/commons/ent"
	"github.com/pursuing-equity/commons/ent/cohort"
	"github.com/pursuing-equity/commons/ent/enrollment"
	"github.com/pursuing-equity/commons/ent/member"
	"github.com/pursuing-equity/commons/ent/memberterm"
	"github.com/pursuing-equity/commons/ent/teammembership"
	"github.com/pursuing-equity/commons/internal/access"
	"github.com/pursuing-equity/commons/internal/fault"
	"github.com/pursuing-equity/commons/internal/gid"
	"github.com/pursuing-equity/commons/internal/page"
	"github.com/pursuing-equity/commons/internal/viewer"
)

// maxSuggestions is how many members are suggested at once.
const maxSuggestions = 50

// ConnectionSuggestion is a member with whom the viewer has something in common, and what.
type ConnectionSuggestion struct {
	Member                           *ent.Member
	SharedInterests, SharedExpertise []string
	SharedCohorts                    []*ent.Cohort
}

// Suggestions are members with whom the viewer shares interests, expertise and cohorts, those who share most first. Members who do not
// show their presence are not suggested, nor those who block or mute the viewer or whom the viewer does. It takes five statements.
func (s *Service) Suggestions(ctx context.Context, v viewer.Viewer, first int) ([]*ConnectionSuggestion, error) {
	me, err := access.SignedIn(v)
	if err != nil {
		return nil, err
	}
	if first < 1 || first > maxSuggestions {
		return nil, fault.Invalid("first", "first must be from 1 to %d.", maxSuggestions)
	}
	c := s.Store.Client(ctx)
	members, err := c.Member.Query().Where(member.IDNEQ(me), access.ActiveMembers(), member.ShowsPresence(true), access.VisibleMembers(v), access.Strangers(me),
		sharing(v, me)).Order(member.ByName(), member.ByID()).Limit(first).All(ctx)
	if err != nil {
		return nil, fmt.Errorf("find members to suggest: %w", err)
	}
	ids := []gid.ID{me}
	for _, m := range members {
		ids = append(ids, m.ID)
	}
	interests, expertise, err := topicsOf(ctx, c, ids)
	if err != nil {
		return nil, err
	}
	cohorts, err := cohortsOf(ctx, c, v, ids)
	if err != nil {
		return nil, err
	}
	out := make([]*ConnectionSuggestion, len(members))
	for i, m := range members {
		out[i] = &ConnectionSuggestion{
			Member: m, SharedInterests: shared(interests[me], interests[m.ID]), SharedExpertise: shared(expertise[me], expertise[m.ID]),
			SharedCohorts: []*ent.Cohort{},
		}
		for _, co := range cohorts[me] {
			if slices.Contains(cohorts[m.ID], co) {
				out[i].SharedCohorts = append(out[i].SharedCohorts, co)
			}
		}
	}
	return out, nil
}

// sharing keeps those who share something with the member, and puts those first who share most.
func sharing(v viewer.Viewer, me gid.ID) func(*sql.Selector) {
	return func(s *sql.Selector) {
		d := sql.Dialect(s.Dialect())
		mine, theirs := d.Table(memberterm.Table).As("mine"), d.Table(memberterm.Table).As("theirs")
		topics := d.Select(theirs.C(memberterm.FieldMemberID)).From(theirs).Join(mine).
			OnP(sql.And(sql.ColumnsEQ(mine.C(memberterm.FieldKind), theirs.C(memberterm.FieldKind)), sql.ColumnsEQ(mine.C(memberterm.FieldTerm), theirs.C(memberterm.FieldTerm)))).
			Where(sql.And(sql.EQ(mine.C(memberterm.FieldMemberID), me), sql.NEQ(mine.C(memberterm.FieldKind), memberterm.KindNAME)))

		in := func(name string) (*sql.SelectTable, *sql.SelectTable) {
			return d.Table(teammembership.Table).As(name + "_place"), d.Table(enrollment.Table).As(name + "_enrollment")
		}
		place, enrolled := in("my")
		taking := func(place, enrolled *sql.SelectTable) *sql.Predicate {
			return sql.And(sql.IsNull(place.C(teammembership.FieldEndsOn)), sql.EQ(enrolled.C(enrollment.FieldState), enrollment.StateENROLLED))
		}
		visible := d.Select().From(d.Table(cohort.Table))
		visible.Select(visible.C(cohort.FieldID))
		access.VisibleCohorts(v)(visible)
		own := d.Select(enrolled.C(enrollment.FieldCohortID)).From(place).Join(enrolled).On(place.C(teammembership.FieldTeamID), enrolled.C(enrollment.FieldTeamID)).
			Where(sql.And(sql.EQ(place.C(teammembership.FieldMemberID), me), taking(place, enrolled), sql.In(enrolled.C(enrollment.FieldCohortID), visible)))
		place, enrolled = in("their")
		cohorts := d.Select(place.C(teammembership.FieldMemberID)).From(place).Join(enrolled).On(place.C(teammembership.FieldTeamID), enrolled.C(enrollment.FieldTeamID)).
			Where(sql.And(taking(place, enrolled), sql.In(enrolled.C(enrollment.FieldCohortID), own)))

		all := topics.UnionAll(cohorts).As("things")
		common := d.Select(all.C(memberterm.FieldMemberID)).From(all).GroupBy(all.C(memberterm.FieldMemberID)).As("common")
		common.AppendSelectAs(sql.Count("*"), "things")
		s.Join(common).On(s.C(member.FieldID), common.C(memberterm.FieldMemberID))
		s.OrderExprFunc(func(b *sql.Builder) { b.Ident(common.C("things")).WriteString(" DESC") })
	}
}

// topicsOf are the interests and the expertise of members, by their terms: one statement.
func topicsOf(ctx context.Context, c *ent.Client, members []gid.ID) (interests, expertise map[gid.ID]map[string]string, err error) {
	rows, err := c.MemberTerm.Query().Where(page.AnyOf(memberterm.FieldMemberID, members), memberterm.KindNEQ(memberterm.KindNAME)).All(ctx)
	if err != nil {
		return nil, nil, fmt.Errorf("load topics: %w", err)
	}
	interests, expertise = make(map[gid.ID]map[string]string), make(map[gid.ID]map[string]string)
	for _, r := range rows {
		of := interests
		if r.Kind == memberterm.KindEXPERTISE {
			of = expertise
		}
		if of[r.MemberID] == nil {
			of[r.MemberID] = make(map[string]string)
		}
		of[r.MemberID][string(r.Term)] = r.Label
	}
	return interests, expertise, nil
}

// shared are the topics that two have, as the other one writes them.
func shared(mine, theirs map[string]string) []string {
	both := []string{}
	for term, label := range theirs {
		if _, is := mine[term]; is {
			both = append(both, label)
		}
	}
	slices.SortFunc(both, strings.Compare)
	return both
}

// cohortsOf are the cohorts in which members' teams take part now, as far as the viewer can see them: three statements.
func cohortsOf(ctx context.Context, c *ent.Client, v viewer.Viewer, members []gid.ID) (map[gid.ID][]*ent.Cohort, error) {
	places, err := c.TeamMembership.Query().Where(page.AnyOf(teammembership.FieldMemberID, members), teammembership.EndsOnIsNil()).All(ctx)
	if err != nil {
		return nil, fmt.Errorf("load places in teams: %w", err)
	}
	teams := make([]gid.ID, len(places))
	for i, p := range places {
		teams[i] = p.TeamID
	}
	enrolled, err := c.Enrollment.Query().Where(page.AnyOf(enrollment.FieldTeamID, teams), enrollment.StateEQ(enrollment.StateENROLLED)).All(ctx)
	if err != nil {
		return nil, fmt.Errorf("load enrollments: %w", err)
	}
	ids := make([]gid.ID, len(enrolled))
	in := make(map[gid.ID][]gid.ID, len(enrolled))
	for i, e := range enrolled {
		ids[i] = e.CohortID
		in[e.TeamID] = append(in[e.TeamID], e.CohortID)
	}
	visible, err := c.Cohort.Query().Where(page.AnyOf(cohort.FieldID, ids), access.VisibleCohorts(v)).Order(cohort.ByName(), cohort.ByID()).All(ctx)
	if err != nil {
		return nil, fmt.Errorf("load cohorts: %w", err)
	}
	of := make(map[gid.ID][]*ent.Cohort)
	for _, co := range visible {
		for _, p := range places {
			if slices.Contains(in[p.TeamID], co.ID) && !slices.Contains(of[p.MemberID], co) {
				of[p.MemberID] = append(of[p.MemberID], co)
			}
		}
	}
	return of, nil
}
