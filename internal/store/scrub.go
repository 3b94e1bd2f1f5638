package store

import (
	"context"
	"fmt"

	"entgo.io/ent/dialect"

	"github.com/pursuing-equity/commons/internal/viewer"
)

// Scrub lets go of old versions of rows that were overwritten or deleted.
//
// On SQLite nothing is left then: the file was overwritten in place, and this empties the write-ahead log, which still has the
// pages as they were. It waits for nobody: while somebody reads an older state the log stays, and is emptied the next time.
//
// On PostgreSQL every statement has stopped seeing them, and there is nothing to do here: the bytes of dead rows go with
// VACUUM, which runs by itself, and when their place is used again; words in the index of the search with REINDEX; and those in
// the write-ahead log and in backups when these expire. That is for whoever operates the database.
func (s *Store) Scrub(ctx context.Context) error {
	if s.dialect != dialect.SQLite {
		return nil
	}
	var busy, frames, moved int
	ctx = viewer.NewContext(ctx, viewer.System("empty the write-ahead log"))
	if err := s.write.QueryRowContext(ctx, "PRAGMA wal_checkpoint(TRUNCATE)").Scan(&busy, &frames, &moved); err != nil {
		return fmt.Errorf("empty the write-ahead log: %w", err)
	}
	return nil
}
