package account

import (
	"context"
	"fmt"
	"time"

	"github.com/pursuing-equity/commons/ent"
	"github.com/pursuing-equity/commons/ent/accesstoken"
	"github.com/pursuing-equity/commons/ent/onetimetoken"
	"github.com/pursuing-equity/commons/ent/predicate"
	"github.com/pursuing-equity/commons/internal/page"
)

const (
	// endedKept is how long sessions are kept that are over: the audit log speaks of them by their ids.
	endedKept = 30 * 24 * time.Hour
	// linksKept is how long links are kept that are too old.
	linksKept = 24 * time.Hour
	// forgetAtOnce bounds one transaction.
	forgetAtOnce = 1000
)

// Forget deletes throttles that are at rest, links that are too old, and sessions that have long been over.
func (s *Service) Forget(ctx context.Context) error {
	now := s.Now()
	if err := s.Store.ForgetThrottles(ctx, now); err != nil {
		return err
	}
	err := s.forget(ctx, func(ctx context.Context, tx *ent.Client) (int, error) {
		ids, err := tx.OneTimeToken.Query().Where(onetimetoken.ExpiresAtLT(now.Add(-linksKept))).Limit(forgetAtOnce).IDs(ctx)
		if err != nil || len(ids) == 0 {
			return 0, err
		}
		return tx.OneTimeToken.Delete().Where(page.AnyOf(onetimetoken.FieldID, ids)).Exec(ctx)
	})
	if err != nil {
		return fmt.Errorf("forget links: %w", err)
	}
	old := func(at func(time.Time) predicate.AccessToken) predicate.AccessToken { return at(now.Add(-endedKept)) }
	err = s.forget(ctx, func(ctx context.Context, tx *ent.Client) (int, error) {
		ids, err := tx.AccessToken.Query().Where(accesstoken.KindEQ(accesstoken.KindSESSION),
			accesstoken.Or(old(accesstoken.ExpiresAtLT), old(accesstoken.RevokedAtLT))).Limit(forgetAtOnce).IDs(ctx)
		if err != nil || len(ids) == 0 {
			return 0, err
		}
		return tx.AccessToken.Delete().Where(page.AnyOf(accesstoken.FieldID, ids)).Exec(ctx)
	})
	if err != nil {
		return fmt.Errorf("forget sessions: %w", err)
	}
	return nil
}

// forget runs a deletion until there is nothing more for it to do.
func (s *Service) forget(ctx context.Context, some func(ctx context.Context, tx *ent.Client) (int, error)) error {
	for {
		n := 0
		err := s.Store.InTx(ctx, func(ctx context.Context, tx *ent.Client) (err error) {
			n, err = some(ctx, tx)
			return err
		})
		if err != nil || n < forgetAtOnce {
			return err
		}
	}
}
