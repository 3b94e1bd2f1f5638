package casework

import (
	"context"
	"fmt"

	"github.com/pursuing-equity/commons/ent"
	"github.com/pursuing-equity/commons/ent/savedview"
	"github.com/pursuing-equity/commons/internal/gid"
)

// Erase deletes the views that an erased member kept: at most 50 of a call. What they had done to applications stays, as a thing that staff did.
func (s *Service) Erase(ctx context.Context, id gid.ID) error {
	err := s.Store.InTx(ctx, func(ctx context.Context, tx *ent.Client) error {
		_, err := tx.SavedView.Delete().Where(savedview.OwnerID(id)).Exec(ctx)
		return err
	})
	if err != nil {
		return fmt.Errorf("erase saved views: %w", err)
	}
	return nil
}
