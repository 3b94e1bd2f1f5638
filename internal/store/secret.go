package store

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"time"

	"entgo.io/ent/dialect"

	"github.com/pursuing-equity/commons/ent"
)

// Secret returns the installation's 32 random bytes of a name, the same in every process and after every start. The first to ask
// makes them; a process reads them once. It takes a connection of its own: whoever asks may hold one of the pool's, and while all who hold one
// wait for another, none is ever free.
func (s *Store) Secret(ctx context.Context, name string) ([]byte, error) {
	if value, ok := s.secrets.Load(name); ok {
		return slices.Clone(value.([]byte)), nil //nolint:errcheck // the map holds nothing else
	}
	db := sql.OpenDB(s.plain)
	defer func() { _ = db.Close() }()
	value, err := readSecret(ctx, db, name)
	if errors.Is(err, sql.ErrNoRows) {
		fresh := make([]byte, 32)
		_, _ = rand.Read(fresh) // never fails
		if _, err := db.ExecContext(ctx, "INSERT INTO secrets (name, value) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING", name, fresh); err != nil {
			return nil, fmt.Errorf("make the secret %s: %w", name, err)
		}
		value, err = readSecret(ctx, db, name)
	}
	if err != nil {
		return nil, fmt.Errorf("read the secret %s: %w", name, err)
	}
	s.secrets.Store(name, value)
	return slices.Clone(value), nil
}

func readSecret(ctx context.Context, db *sql.DB, name string) (value []byte, err error) {
	err = db.QueryRowContext(ctx, "SELECT value FROM secrets WHERE name = $1", name).Scan(&value)
	return value, err
}

// Throttle allows Burst acts at once, and then one each Refill.
type Throttle struct {
	Burst  int
	Refill time.Duration
}

// Take counts an act under a key, in all processes together. When there were too many it counts nothing and says how long to
// wait. The key is kept as a hash. It is one statement: the generic cell rate algorithm keeps one instant for each key
// (ITU-T I.371, 1993).
func (s *Store) Take(ctx context.Context, key string, t Throttle, now time.Time) (wait time.Duration, err error) {
	return s.takeBy(ctx, s.write, key, t, now)
}

// TakeIn is Take within the transaction of ctx: what is not done is not counted.
func (s *Store) TakeIn(ctx context.Context, tx *ent.Client, key string, t Throttle, now time.Time) (wait time.Duration, err error) {
	return s.takeBy(ctx, tx, key, t, now)
}

// UseOnce notes within the transaction of ctx that what a key names was used, which is remembered until an instant, and reports whether it
// was used for the first time. What is remembered is a hash, that names nobody.
func (s *Store) UseOnce(ctx context.Context, tx *ent.Client, key string, until, now time.Time) (first bool, err error) {
	wait, err := s.TakeIn(ctx, tx, key, Throttle{Burst: 1, Refill: until.Sub(now)}, now)
	return wait == 0, err
}

// Used reports whether UseOnce has noted a key's use, of those that are remembered.
func (s *Store) Used(ctx context.Context, key string, now time.Time) (bool, error) {
	hash := sha256.Sum256([]byte(key))
	_, used, err := number(ctx, s.read, s.numbered("SELECT due FROM throttles WHERE key = $1 AND due > $2"), hash[:], now.UnixMicro())
	return used, err
}

// querier is the database, or a transaction.
type querier interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
}

func (s *Store) takeBy(ctx context.Context, q querier, key string, t Throttle, now time.Time) (wait time.Duration, err error) {
	greatest := "greatest"
	if s.dialect == dialect.SQLite {
		greatest = "max"
	}
	hash := sha256.Sum256([]byte(key))
	at, step := now.UnixMicro(), t.Refill.Microseconds()
	_, counted, err := number(ctx, q, s.numbered("INSERT INTO throttles (key, due) VALUES ($1, $2) ON CONFLICT (key) DO UPDATE SET due = "+
		greatest+"(throttles.due, $3) + $4 WHERE throttles.due <= $5 RETURNING due"),
		hash[:], at+step, at, step, at+int64(t.Burst-1)*step)
	if err != nil || counted {
		return 0, err
	}
	due, _, err := number(ctx, q, s.numbered("SELECT due FROM throttles WHERE key = $1"), hash[:])
	if err != nil {
		return 0, err
	}
	return max(time.Microsecond, time.Duration(due-at-int64(t.Burst-1)*step)*time.Microsecond), nil
}

// number is what a statement returns, if it returns a row.
func number(ctx context.Context, q querier, query string, args ...any) (n int64, found bool, err error) {
	rows, err := q.QueryContext(ctx, query, args...)
	if err != nil {
		return 0, false, fmt.Errorf("count an act: %w", err)
	}
	defer func() { _ = rows.Close() }()
	if found = rows.Next(); found {
		err = rows.Scan(&n)
	}
	if err := errors.Join(err, rows.Err()); err != nil {
		return 0, false, fmt.Errorf("count an act: %w", err)
	}
	return n, found, nil
}

// ForgetThrottles deletes what has been at rest.
func (s *Store) ForgetThrottles(ctx context.Context, now time.Time) error {
	if _, err := s.write.ExecContext(ctx, s.numbered("DELETE FROM throttles WHERE due < $1"), now.UnixMicro()); err != nil {
		return fmt.Errorf("forget throttles: %w", err)
	}
	return nil
}

// numbered writes a statement's parameters as the database has them; SQLite takes ?1 for $1.
func (s *Store) numbered(query string) string {
	if s.dialect != dialect.SQLite {
		return query
	}
	b := []byte(query)
	for i := range b {
		if b[i] == '$' {
			b[i] = '?'
		}
	}
	return string(b)
}
