package store

import (
	"context"
	"database/sql"
	"fmt"
	"strings"
	"time"

	"entgo.io/ent/dialect"

	"github.com/pursuing-equity/commons/internal/gid"
	"github.com/pursuing-equity/commons/internal/viewer"
)

// AccessMark is how far the changes of access have been read. The zero mark is the beginning: nothing has been read.
type AccessMark struct {
	set      bool
	lastID   int64  // SQLite, where one writer makes ids commit in order
	snapshot string // PostgreSQL, where they do not
	xmin     string
	at       time.Time
}

// AccessChange is something that may have cost somebody their access. The subject is a member, a token or a thread; zero is
// everybody.
type AccessChange struct{ Subject gid.ID }

// AccessChanges reads, in one statement, what was committed since a mark that may have cost somebody their access, and which
// memberships, roles and tokens have ended by the clock since. A change that was committed before the call is in its answer or in
// one before. From the zero mark there are no changes, only the mark of now.
func (s *Store) AccessChanges(ctx context.Context, since AccessMark) (changes []AccessChange, now AccessMark, err error) {
	query, args := s.accessQuery(since)
	rows, err := s.read.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, since, fmt.Errorf("read changes of access: %w", err)
	}
	defer func() { _ = rows.Close() }()
	now = AccessMark{set: true, lastID: since.lastID}
	for rows.Next() {
		var id sql.NullInt64
		var subject []byte
		var snapshot, xmin sql.NullString
		var micros sql.NullInt64
		if err := rows.Scan(&id, &subject, &snapshot, &xmin, &micros); err != nil {
			return nil, since, fmt.Errorf("read changes of access: %w", err)
		}
		now.lastID = max(now.lastID, id.Int64)
		if micros.Valid {
			now.at, now.snapshot, now.xmin = time.UnixMicro(micros.Int64).UTC(), snapshot.String, xmin.String
			continue
		}
		var c AccessChange
		if subject != nil {
			if err := c.Subject.Scan(subject); err != nil {
				return nil, since, fmt.Errorf("read changes of access: %w", err)
			}
		}
		changes = append(changes, c)
	}
	if err := rows.Err(); err != nil {
		return nil, since, fmt.Errorf("read changes of access: %w", err)
	}
	if !since.set {
		return nil, now, nil
	}
	return changes, now, nil
}

func (s *Store) accessQuery(since AccessMark) (string, []any) {
	none := strings.Repeat(", NULL", 3) // the mark's columns, which only the first row has
	if s.dialect == dialect.SQLite {
		const now = "strftime('%Y-%m-%d %H:%M:%f+00:00', 'now')"
		if !since.set {
			return "SELECT (SELECT max(id) FROM access_changes)" + none + ", CAST(unixepoch('subsec') * 1000000 AS INTEGER)", nil
		}
		at := since.at.Format("2006-01-02 15:04:05.000+00:00")
		return "SELECT NULL" + none + ", CAST(unixepoch('subsec') * 1000000 AS INTEGER)" +
			" UNION ALL SELECT id, subject" + none + " FROM access_changes WHERE id > ?" +
			" UNION ALL SELECT NULL, member_id" + none + " FROM space_memberships WHERE ends_at > ? AND ends_at <= " + now +
			" UNION ALL SELECT NULL, member_id" + none + " FROM role_assignments WHERE ends_at > ? AND ends_at <= " + now +
			" UNION ALL SELECT NULL, member_id" + none + " FROM break_glasses WHERE ends_at > ? AND ends_at <= " + now +
			" UNION ALL SELECT NULL, id" + none + " FROM access_tokens WHERE expires_at > ? AND expires_at <= " + now, []any{since.lastID, at, at, at, at}
	}
	const mark = "SELECT NULL::bigint, NULL::uuid, pg_current_snapshot()::text, pg_snapshot_xmin(pg_current_snapshot())::text," +
		" (extract(epoch FROM statement_timestamp()) * 1000000)::bigint"
	if !since.set {
		return mark, nil
	}
	// A row is new when the snapshot of the last reading could not see it; none of those is older than that snapshot's xmin.
	return mark +
		" UNION ALL SELECT NULL, subject" + none + " FROM access_changes WHERE xid >= $1::text::xid8 AND NOT pg_visible_in_snapshot(xid, $2::text::pg_snapshot)" +
		" UNION ALL SELECT NULL, member_id" + none + " FROM space_memberships WHERE ends_at > $3 AND ends_at <= statement_timestamp()" +
		" UNION ALL SELECT NULL, member_id" + none + " FROM role_assignments WHERE ends_at > $3 AND ends_at <= statement_timestamp()" +
		" UNION ALL SELECT NULL, member_id" + none + " FROM break_glasses WHERE ends_at > $3 AND ends_at <= statement_timestamp()" +
		" UNION ALL SELECT NULL, id" + none + " FROM access_tokens WHERE expires_at > $3 AND expires_at <= statement_timestamp()", []any{since.xmin, since.snapshot, since.at}
}

// accessChangesKept is for how long changes of access stay: readers are never further behind than a moment.
const accessChangesKept = 24 * time.Hour

// ForgetAccessChanges deletes changes of access that every reader has read.
func (s *Store) ForgetAccessChanges(ctx context.Context, now time.Time) error {
	before := any(now.Add(-accessChangesKept))
	query := "DELETE FROM access_changes WHERE at < $1"
	if s.dialect == dialect.SQLite {
		before = now.Add(-accessChangesKept).UTC().Format("2006-01-02 15:04:05.000+00:00")
		query = "DELETE FROM access_changes WHERE at < ?"
	}
	if _, err := s.write.ExecContext(viewer.NewContext(ctx, viewer.System("forget changes of access")), query, before); err != nil {
		return fmt.Errorf("forget changes of access: %w", err)
	}
	return nil
}
