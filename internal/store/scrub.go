package store

import (
	"context"
	"fmt"

	"entgo.io/ent/dialect"

	"github.com/pursuing-equity/commons/internal/viewer"
)

// Scrub lets go of old versions of rows that were overwritten or deleted.
//
// On SQLite nothing is left of them then. Most is overwritten in place (secure_delete), but not what a page held before its rows
// moved to its neighbours: so this writes the file anew, and empties the write-ahead log. It takes as long as copying the file
// does, and as much room; readers go on, writers wait. It is for rare occasions. While somebody reads an older state the log stays as it
// is, until it is used again from its beginning.
//
// On PostgreSQL every statement has stopped seeing them, and there is nothing to do here: the bytes of dead rows go with
// VACUUM, which runs by itself, and when their place is used again; words in the index of the search with REINDEX; and those in
// the write-ahead log and in backups when these expire. That is for whoever operates the database.
func (s *Store) Scrub(ctx context.Context) error {
	if s.dialect != dialect.SQLite {
		return nil
	}
	ctx = viewer.NewContext(ctx, viewer.System("write the database anew"))
	conn, err := s.write.Conn(ctx)
	if err != nil {
		return fmt.Errorf("write the database anew: %w", err)
	}
	defer func() { _ = conn.Close() }()
	for _, statement := range []string{
		"PRAGMA temp_store = FILE", // else the copy would be held in memory
		"VACUUM",
		"PRAGMA temp_store = MEMORY",
		"PRAGMA wal_checkpoint(TRUNCATE)",
	} {
		if _, err := conn.ExecContext(ctx, statement); err != nil {
			return fmt.Errorf("write the database anew: %w", err)
		}
	}
	return nil
}
