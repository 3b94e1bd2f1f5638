package placement

import (
	"context"
	"fmt"

	"entgo.io/ent/dialect/sql"

	"github.com/pursuing-equity/commons/ent"
	"github.com/pursuing-equity/commons/ent/decision"
	"github.com/pursuing-equity/commons/internal/access"
	"github.com/pursuing-equity/commons/internal/gid"
	"github.com/pursuing-equity/commons/internal/page"
	"github.com/pursuing-equity/commons/internal/viewer"
)

// waitlistByRank is the order in which places go to those who wait.
var waitlistByRank = page.Order{Name: "call.waitlist", Column: decision.FieldRank, Part: page.ByRank}

// Waitlists are the decisions that make up the waitlists of calls, by rank: for staff; empty for others.
func (s *Service) Waitlists(ctx context.Context, v viewer.Viewer, calls []gid.ID, a page.Args) ([]*page.Connection[ent.Decision], error) {
	key := func(d *ent.Decision) page.Key {
		k := page.Key{ID: d.ID}
		if d.Rank != nil {
			k.Int = int64(*d.Rank)
		}
		return k
	}
	return page.Each(waitlistByRank, a, decision.FieldCallID, calls, key, func(d *ent.Decision) gid.ID { return d.CallID },
		func(within func(*sql.Selector)) ([]*ent.Decision, error) {
			return s.Store.Client(ctx).Decision.Query().Where(within).All(ctx)
		}, listed(), access.VisibleWaitlists(v))
}

// Ranks are the ranks of decisions: in preparation those that are wanted, and once released, the places of those who wait. For staff; nil for
// others: they would tell applicants who else there is. Two statements.
func (s *Service) Ranks(ctx context.Context, v viewer.Viewer, of []*ent.Decision) ([]*int, error) {
	ranks := make([]*int, len(of))
	staff, err := s.isStaff(ctx, v)
	if err != nil || !staff {
		return ranks, err
	}
	var calls []gid.ID
	for _, d := range of {
		if d.Kind == decision.KindWAITLIST && d.ReleasedAt != nil && d.SupersededAt == nil {
			calls = append(calls, d.CallID)
		}
	}
	places, err := s.ranks(ctx, calls)
	if err != nil {
		return nil, err
	}
	for i, d := range of {
		if ranks[i] = d.Rank; d.ReleasedAt != nil {
			ranks[i] = places[d.ID]
		}
	}
	return ranks, nil
}

// ranks are the places of those who wait in calls, from 1.
func (s *Service) ranks(ctx context.Context, calls []gid.ID) (map[gid.ID]*int, error) {
	if len(calls) == 0 {
		return nil, nil
	}
	var rows []struct {
		ID     gid.ID `json:"id"`
		CallID gid.ID `json:"call_id"`
	}
	err := s.Store.Client(ctx).Decision.Query().Where(listed(), page.AnyOf(decision.FieldCallID, calls)).Order(decision.ByRank(), decision.ByID()).
		Select(decision.FieldID, decision.FieldCallID).Scan(ctx, &rows)
	if err != nil {
		return nil, fmt.Errorf("load ranks: %w", err)
	}
	last, places := make(map[gid.ID]int, len(calls)), make(map[gid.ID]*int, len(rows))
	for _, r := range rows {
		last[r.CallID]++
		place := last[r.CallID]
		places[r.ID] = &place
	}
	return places, nil
}
