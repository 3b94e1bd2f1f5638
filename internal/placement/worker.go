package placement

import (
	"context"
	"errors"
	"fmt"
	"time"

	"entgo.io/ent/dialect/sql"

	"github.com/pursuing-equity/commons/ent"
	"github.com/pursuing-equity/commons/ent/application"
	"github.com/pursuing-equity/commons/ent/call"
	"github.com/pursuing-equity/commons/ent/decision"
	"github.com/pursuing-equity/commons/ent/predicate"
	"github.com/pursuing-equity/commons/internal/audit"
	"github.com/pursuing-equity/commons/internal/gid"
	"github.com/pursuing-equity/commons/internal/page"
	"github.com/pursuing-equity/commons/internal/store"
	"github.com/pursuing-equity/commons/internal/viewer"
)

// poll is how late an offer can end, and a place that became free be offered.
const poll = 5 * time.Second

// Run ends offers and offers free places until ctx ends. One runs in each process; they share the work.
func (s *Service) Run(ctx context.Context) {
	ctx = store.Upkeep(ctx)
	ticker := time.NewTicker(poll)
	defer ticker.Stop()
	for {
		if err := errors.Join(s.ExpireDue(ctx), s.FillFree(ctx)); err != nil && ctx.Err() == nil {
			s.Logger.WarnContext(ctx, "places wait", "error", err.Error())
		}
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

// lapsed are the offers whose time is over.
func lapsed(now time.Time) predicate.Decision {
	return decision.And(decision.ExpiresAtLTE(now), decision.AnsweredAtIsNil(), decision.SupersededAtIsNil(), decision.ReleasedAtNotNil())
}

// ExpireDue ends the offers whose time is over, and offers their places to those who wait.
func (s *Service) ExpireDue(ctx context.Context) error {
	ctx = viewer.NewContext(ctx, viewer.System("end offers"))
	rows, err := s.Store.Client(ctx).Decision.Query().Where(lapsed(s.Now())).Select(decision.FieldID, decision.FieldCallID).All(ctx)
	if err != nil {
		return fmt.Errorf("find offers that lapsed: %w", err)
	}
	var failed error
	done := make(map[gid.ID]bool)
	for _, d := range rows {
		if done[d.CallID] {
			continue
		}
		done[d.CallID] = true
		failed = errors.Join(failed, s.expire(ctx, d.CallID))
	}
	return failed
}

// expire ends the offers of a call: what was answered meanwhile, or ended by another process, is left out.
func (s *Service) expire(ctx context.Context, callID gid.ID) error {
	return s.Store.InTx(ctx, func(ctx context.Context, tx *ent.Client) error {
		c, err := hold(ctx, tx, callID, "")
		if err != nil {
			return err
		}
		now := s.Now()
		rows, err := tx.Decision.Query().Where(lapsed(now), decision.CallID(callID), decision.HasApplicationWith(application.StateEQ(application.StateOFFERED))).All(ctx)
		if err != nil {
			return fmt.Errorf("load offers that lapsed: %w", err)
		}
		if len(rows) > 0 {
			ids, of := make([]gid.ID, len(rows)), make([]gid.ID, len(rows))
			for i, d := range rows {
				ids[i], of[i] = d.ID, d.ApplicationID
			}
			err := tx.Decision.Update().Where(page.AnyOf(decision.FieldID, ids)).SetAnswer(decision.AnswerEXPIRED).SetAnsweredAt(now).Exec(ctx)
			if err != nil {
				return fmt.Errorf("end offers: %w", err)
			}
			ended := passage{to: application.StateOFFER_EXPIRED, action: audit.OfferExpired, mail: true}
			if err := s.pass(ctx, tx, viewer.System("end offers"), now, of, ended); err != nil {
				return err
			}
		}
		_, err = s.promote(ctx, tx, c, now)
		return err
	})
}

// FillFree offers the free places of calls to those who wait.
func (s *Service) FillFree(ctx context.Context) error {
	ctx = viewer.NewContext(ctx, viewer.System("offer free places"))
	ids, err := s.Store.Client(ctx).Call.Query().Where(call.ReleasedAtNotNil(), fillable).IDs(ctx)
	if err != nil {
		return fmt.Errorf("find calls with free places: %w", err)
	}
	var failed error
	for _, id := range ids {
		failed = errors.Join(failed, s.expire(ctx, id))
	}
	return failed
}

// fillable are the calls that have more places than are offered and taken, an application that waits, and a cohort that takes teams.
func fillable(s *sql.Selector) {
	of := func(column string, states ...any) *sql.Selector {
		a := sql.Dialect(s.Dialect()).Select(column).From(sql.Table(application.Table).As("a"))
		return a.Where(sql.And(sql.ColumnsEQ(a.C(application.FieldCallID), s.C(call.FieldID)), sql.In(a.C(application.FieldState), states...)))
	}
	s.Where(sql.And(
		sql.Exists(of(application.FieldID, application.StateWAITLISTED)),
		sql.P(func(b *sql.Builder) {
			b.Ident(s.C(call.FieldCapacity)).WriteString(" > ")
			b.Wrap(func(b *sql.Builder) { b.Join(of("COUNT(*)", application.StateOFFERED, application.StateADMITTED)) })
		}),
		sql.P(func(b *sql.Builder) {
			b.WriteString("EXISTS (SELECT 1 FROM cohorts WHERE cohorts.id = ").Ident(s.C(call.FieldCohortID)).WriteString(" AND cohorts.archived_at IS NULL)")
		}),
	))
}
