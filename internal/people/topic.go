package people

import (
	"context"
	"fmt"

	"entgo.io/ent/dialect/sql"

	"github.com/pursuing-equity/commons/ent/member"
	"github.com/pursuing-equity/commons/ent/memberterm"
	"github.com/pursuing-equity/commons/internal/access"
	"github.com/pursuing-equity/commons/internal/fault"
	"github.com/pursuing-equity/commons/internal/viewer"
)

// maxTopics is how many topics are counted at once.
const maxTopics = 100

// Topic is something that members can be asked about, or that interests them.
type Topic struct {
	Name        string
	MemberCount int
}

// Topics are the commonest topics of a kind, counted over the members whom the viewer can see and whose account is in use: what others have
// shows in no number. It takes one statement.
func (s *Service) Topics(ctx context.Context, v viewer.Viewer, kind memberterm.Kind, first int) ([]*Topic, error) {
	if first < 1 || first > maxTopics {
		return nil, fault.Invalid("first", "first must be from 1 to %d.", maxTopics)
	}
	if kind != memberterm.KindEXPERTISE && kind != memberterm.KindINTEREST {
		return nil, fault.Invalid("kind", "This is none of the values that there are.")
	}
	var found []struct {
		Name  string `json:"name"`
		Count int    `json:"members"`
	}
	err := s.Store.Client(ctx).MemberTerm.Query().Where(memberterm.KindEQ(kind), func(s *sql.Selector) {
		visible := sql.Dialect(s.Dialect()).Select().From(sql.Table(member.Table))
		visible.Select(visible.C(member.FieldID))
		member.StatusEQ(member.StatusACTIVE)(visible)
		access.VisibleMembers(v)(visible)
		s.Where(sql.In(s.C(memberterm.FieldMemberID), visible))
	}).Modify(func(s *sql.Selector) {
		s.Select(sql.As(sql.Min(s.C(memberterm.FieldLabel)), "name"), sql.As(sql.Count("*"), "members")).
			GroupBy(s.C(memberterm.FieldTerm)).OrderExpr(sql.Raw("COUNT(*) DESC")).OrderBy(s.C(memberterm.FieldTerm)).Limit(first)
	}).Scan(ctx, &found)
	if err != nil {
		return nil, fmt.Errorf("count topics: %w", err)
	}
	topics := make([]*Topic, len(found))
	for i, f := range found {
		topics[i] = &Topic{Name: f.Name, MemberCount: f.Count}
	}
	return topics, nil
}
