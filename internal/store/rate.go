package store

import (
	"cmp"
	"context"
	"crypto/sha256"
	"fmt"
	"slices"
	"time"

	"github.com/lib/pq"
)

// ShareRates adds what keys have spent, as the time that it takes to come back, to what all processes spent, and returns how long
// each of these keys needs until it is rested: never longer than most. It is one statement, whatever the number of keys, on a
// table that is not logged: after a crash of the database everybody is rested. PostgreSQL only: SQLite has one process. The keys
// are kept as hashes. Time is the database's, which is the same for all.
func (s *Store) ShareRates(ctx context.Context, spent map[string]time.Duration, most time.Duration) (map[string]time.Duration, error) {
	type row struct {
		key   string
		hash  [sha256.Size]byte
		spent int64
	}
	rows := make([]row, 0, len(spent))
	for key, d := range spent {
		rows = append(rows, row{key, sha256.Sum256([]byte(key)), d.Microseconds()})
	}
	slices.SortFunc(rows, func(a, b row) int { return cmp.Compare(string(a.hash[:]), string(b.hash[:])) }) // rows are locked in one order: no deadlocks
	hashes, times, keys := make(pq.ByteaArray, len(rows)), make(pq.Int64Array, len(rows)), make(map[string]string, len(rows))
	for i, r := range rows {
		hashes[i], times[i], keys[string(r.hash[:])] = r.hash[:], r.spent, r.key
	}
	found, err := s.write.QueryContext(ctx, `WITH clock AS (SELECT (extract(epoch FROM now()) * 1000000)::bigint AS at)
INSERT INTO rates AS r (key, due) SELECT key, at + spent FROM clock, unnest($1::bytea[], $2::bigint[]) WITH ORDINALITY AS s (key, spent, n) ORDER BY n
ON CONFLICT (key) DO UPDATE SET due = least(greatest(r.due - (SELECT at FROM clock), 0) + excluded.due - (SELECT at FROM clock), $3) + (SELECT at FROM clock)
RETURNING key, due - (SELECT at FROM clock)`, hashes, times, most.Microseconds())
	if err != nil {
		return nil, fmt.Errorf("share rates: %w", err)
	}
	defer func() { _ = found.Close() }()
	owed := make(map[string]time.Duration, len(rows))
	for found.Next() {
		var hash []byte
		var micros int64
		if err := found.Scan(&hash, &micros); err != nil {
			return nil, fmt.Errorf("share rates: %w", err)
		}
		owed[keys[string(hash)]] = time.Duration(micros) * time.Microsecond
	}
	if err := found.Err(); err != nil {
		return nil, fmt.Errorf("share rates: %w", err)
	}
	return owed, nil
}

// ForgetRates deletes who is rested.
func (s *Store) ForgetRates(ctx context.Context) error {
	if _, err := s.write.ExecContext(ctx, "DELETE FROM rates WHERE due < (extract(epoch FROM now()) * 1000000)::bigint"); err != nil {
		return fmt.Errorf("forget rates: %w", err)
	}
	return nil
}
