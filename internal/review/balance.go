package review

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/pursuing-equity/commons/ent"
	"github.com/pursuing-equity/commons/ent/application"
	"github.com/pursuing-equity/commons/ent/call"
	"github.com/pursuing-equity/commons/ent/member"
	"github.com/pursuing-equity/commons/ent/reviewassignment"
	"github.com/pursuing-equity/commons/internal/access"
	"github.com/pursuing-equity/commons/internal/audit"
	"github.com/pursuing-equity/commons/internal/fault"
	"github.com/pursuing-equity/commons/internal/gid"
	"github.com/pursuing-equity/commons/internal/input"
	"github.com/pursuing-equity/commons/internal/page"
	"github.com/pursuing-equity/commons/internal/store"
	"github.com/pursuing-equity/commons/internal/viewer"
)

// shown is how many of the pairs of a plan, and of the applications that wait for reviewers, are told one by one.
const shown = 500

// Plan is who is to review what, so that each application of a call has as many reviewers as the call wants.
type Plan struct {
	AssignedCount int
	Pairs         []*Pair // the first 500, by the applications' numbers
	Loads         []*Load // of all of the pool, by what they have then
	UnfilledCount int
	Unfilled      []*Unfilled // the first 500, by their numbers
}

// Pair is an application and who is to review it.
type Pair struct {
	Application *ent.Application
	Reviewer    *ent.Member
}

// Load is how many applications of the call a reviewer has to review or has reviewed.
type Load struct {
	Reviewer      *ent.Member
	Before, After int
}

// Unfilled is an application that has too few reviewers, and why nobody of the pool was left for it.
type Unfilled struct {
	Application             *ent.Application
	Wanted, Has             int
	Conflicted, AskedBefore int // of the pool
}

// AssignBalanced gives every submitted application of a call that is not decided as many reviewers as the call wants, from a pool; without
// one, from all who have the role REVIEWER. For staff. Applications for which few come into question go first, then by their numbers; each
// goes to those who have least of the call, and among equals to whose id is the smallest: so the same state gives the same plan. Nobody gets
// what they have a conflict of interest with, nor what they were asked for before and declined, or staff took back. A dry run changes nothing.
func (s *Service) AssignBalanced(ctx context.Context, v viewer.Viewer, callID gid.ID, pool []gid.ID, dry bool) (*Plan, error) {
	var check input.Checker
	if pool != nil {
		distinct(&check, "reviewerIds", pool, maxPool)
	}
	if err := check.Err(); err != nil {
		return nil, err
	}
	var plan *Plan
	err := s.Store.InTx(ctx, func(ctx context.Context, tx *ent.Client) error {
		me, err := staffOnly(ctx, tx, v)
		if err != nil {
			return err
		}
		c, err := tx.Call.Query().Where(call.ID(callID), store.LockRow).Only(ctx)
		if err != nil {
			return missing(err, "callId")
		}
		b, err := s.scene(ctx, tx, v, c, pool)
		if err != nil {
			return err
		}
		pairs := b.solve()
		plan = b.plan(pairs)
		if dry || len(pairs) == 0 {
			return nil
		}
		made, err := s.assign(ctx, tx, me, pairs)
		if err == nil {
			err = s.tellAssigned(ctx, tx, made)
		}
		if err != nil {
			return err
		}
		for some := range slices.Chunk(made, insertBatch) {
			entries := make([]audit.Entry, len(some))
			for i, a := range some {
				entries[i] = audit.Entry{Action: audit.ReviewerAssigned, Subject: a.ID}
			}
			if err := s.Audit.Append(ctx, tx, v, entries...); err != nil {
				return err
			}
		}
		return s.Audit.Append(ctx, tx, v, audit.Entry{Action: audit.ReviewersBalanced, Subject: c.ID, Reason: fmt.Sprintf("%d assignments", len(pairs))})
	})
	if err != nil {
		return nil, err
	}
	return plan, nil
}

// scene is what a plan is made of.
type scene struct {
	wanted       int
	applications []*ent.Application // by number
	pool         []*ent.Member      // by id
	load         map[gid.ID]int     // by reviewer
	has          map[gid.ID]int     // by application: reviewers who may judge
	asked        map[pair]bool      // now or before
	conflicted   map[pair]bool
}

// scene loads it: six statements.
func (s *Service) scene(ctx context.Context, tx *ent.Client, v viewer.Viewer, c *ent.Call, pool []gid.ID) (*scene, error) {
	b := &scene{wanted: c.ReviewsWanted, load: map[gid.ID]int{}, has: map[gid.ID]int{}, asked: map[pair]bool{}}
	who := tx.Member.Query().Where(access.ActiveMembers(), access.VisibleMembers(v)).Order(member.ByID())
	if pool == nil {
		who.Where(access.ActiveReviewers()).Limit(maxPool)
	} else {
		who.Where(page.AnyOf(member.FieldID, pool))
	}
	var err error
	if b.pool, err = who.All(ctx); err != nil {
		return nil, fmt.Errorf("load the pool: %w", err)
	}
	if pool != nil && len(b.pool) < len(pool) {
		return nil, fault.Missing().At("reviewerIds")
	}
	of := application.And(application.CallID(c.ID), application.StateIn(application.StateSUBMITTED, application.StateINFORMATION_REQUESTED))
	if b.applications, err = tx.Application.Query().Where(of).Order(application.ByNumber()).All(ctx); err != nil {
		return nil, fmt.Errorf("load applications: %w", err)
	}
	if b.conflicted, err = conflicts(ctx, tx.Application.Query().Where(of), idsOf(b.pool, memberID)); err != nil {
		return nil, err
	}
	rows, err := tx.ReviewAssignment.Query().Where(reviewassignment.HasApplicationWith(application.CallID(c.ID))).All(ctx)
	if err != nil {
		return nil, fmt.Errorf("load assignments: %w", err)
	}
	lost, err := tx.ReviewAssignment.Query().Where(
		reviewassignment.HasApplicationWith(application.CallID(c.ID)), reviewassignment.EndedAtIsNil(), access.VacantAssignments(),
	).IDs(ctx)
	if err != nil {
		return nil, fmt.Errorf("find who will not judge: %w", err)
	}
	vacant := setOf(lost)
	for _, r := range rows {
		b.asked[pair{r.ApplicationID, r.ReviewerID}] = true
		if r.EndedAt == nil && !vacant[r.ID] {
			b.load[r.ReviewerID]++
			b.has[r.ApplicationID]++
		}
	}
	return b, nil
}

func memberID(m *ent.Member) gid.ID { return m.ID }

// free are those of the pool who come into question for an application.
func (b *scene) free(a gid.ID) []gid.ID {
	var ids []gid.ID
	for _, m := range b.pool {
		if p := (pair{a, m.ID}); !b.asked[p] && !b.conflicted[p] {
			ids = append(ids, m.ID)
		}
	}
	return ids
}

// solve chooses the pairs.
func (b *scene) solve() []pair {
	type open struct {
		of     *ent.Application
		among  []gid.ID
		needed int
	}
	var all []open
	for _, a := range b.applications {
		if n := b.wanted - b.has[a.ID]; n > 0 {
			all = append(all, open{a, b.free(a.ID), n})
		}
	}
	slices.SortStableFunc(all, func(x, y open) int { return cmp.Compare(len(x.among)-x.needed, len(y.among)-y.needed) })
	load := maps.Clone(b.load)
	var pairs []pair
	for _, o := range all {
		slices.SortFunc(o.among, func(x, y gid.ID) int { return cmp.Or(cmp.Compare(load[x], load[y]), bytes.Compare(x[:], y[:])) })
		for _, r := range o.among[:min(o.needed, len(o.among))] {
			pairs = append(pairs, pair{o.of.ID, r})
			load[r]++
		}
	}
	return pairs
}

// plan tells of the pairs.
func (b *scene) plan(pairs []pair) *Plan {
	p := &Plan{AssignedCount: len(pairs)}
	got, given := make(map[gid.ID][]gid.ID, len(b.applications)), make(map[gid.ID]int, len(b.pool))
	for _, one := range pairs {
		got[one.application] = append(got[one.application], one.reviewer)
		given[one.reviewer]++
	}
	by := make(map[gid.ID]*ent.Member, len(b.pool))
	for _, m := range b.pool {
		by[m.ID] = m
		p.Loads = append(p.Loads, &Load{Reviewer: m, Before: b.load[m.ID], After: b.load[m.ID] + given[m.ID]})
	}
	slices.SortStableFunc(p.Loads, func(x, y *Load) int { return cmp.Compare(x.After, y.After) })
	for _, a := range b.applications {
		for _, r := range got[a.ID] {
			if len(p.Pairs) < shown {
				p.Pairs = append(p.Pairs, &Pair{a, by[r]})
			}
		}
		u := &Unfilled{Application: a, Wanted: b.wanted, Has: b.has[a.ID] + len(got[a.ID])}
		if u.Has >= b.wanted {
			continue
		}
		for _, m := range b.pool {
			switch one := (pair{a.ID, m.ID}); {
			case b.conflicted[one]:
				u.Conflicted++
			case b.asked[one]:
				u.AskedBefore++
			}
		}
		if p.UnfilledCount++; len(p.Unfilled) < shown {
			p.Unfilled = append(p.Unfilled, u)
		}
	}
	return p
}
