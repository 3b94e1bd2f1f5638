package forum

import (
	"context"
	"fmt"
	"time"

	"github.com/pursuing-equity/commons/ent"
	"github.com/pursuing-equity/commons/ent/predicate"
	"github.com/pursuing-equity/commons/ent/spaceexport"
	"github.com/pursuing-equity/commons/internal/gid"
)

// ForgetArchives takes away all archives of spaces, because a member's words are in none any more: nobody can fetch one that is there, and one that
// is being put together is begun anew. Who manages a space can ask for another one.
func ForgetArchives(ctx context.Context, tx *ent.Client, at time.Time) error {
	return forgetArchives(ctx, tx, at)
}

// forgetArchivesOf is ForgetArchives for one space.
func forgetArchivesOf(ctx context.Context, tx *ent.Client, spaceID gid.ID, at time.Time) error {
	return forgetArchives(ctx, tx, at, spaceexport.SpaceID(spaceID))
}

func forgetArchives(ctx context.Context, tx *ent.Client, at time.Time, which ...predicate.SpaceExport) error {
	// First what is on its way: so none can be there in between.
	if err := tx.SpaceExport.Update().Where(append(which, spaceexport.NextAtNotNil())...).SetNextAt(at).Exec(ctx); err != nil {
		return fmt.Errorf("begin archives anew: %w", err)
	}
	if _, err := tx.SpaceExport.Delete().Where(append(which, spaceexport.FinishedAtNotNil())...).Exec(ctx); err != nil {
		return fmt.Errorf("forget archives: %w", err)
	}
	return nil
}
