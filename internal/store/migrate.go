package store

import (
	"bytes"
	"context"
	"database/sql"
	"fmt"
	"io/fs"

	entsql "entgo.io/ent/dialect/sql"
	"entgo.io/ent/dialect/sql/schema"
	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"

	"github.com/pursuing-equity/commons/ent/migrate"
)

// Migrate brings the database to the newest version: every migration in a transaction of its own, under a lock, so that
// replicas that start at once do not get in each other's way. It returns the names of those that it applied.
func (s *Store) Migrate(ctx context.Context) ([]string, error) {
	p, err := s.migrations()
	if err != nil {
		return nil, err
	}
	results, err := p.Up(ctx)
	if err != nil {
		return nil, fmt.Errorf("migrate: %w", err)
	}
	names := make([]string, len(results))
	for i, r := range results {
		names[i] = r.Source.Path
	}
	return names, nil
}

// Pending reports whether there are migrations that the database has not seen.
func (s *Store) Pending(ctx context.Context) (bool, error) {
	p, err := s.migrations()
	if err != nil {
		return false, err
	}
	return p.HasPending(ctx)
}

func (s *Store) migrations() (*goose.Provider, error) {
	name, d := "sqlite", goose.DialectSQLite3
	var options []goose.ProviderOption
	if s.Postgres() {
		name, d = "postgres", goose.DialectPostgres
		locker, err := lock.NewPostgresSessionLocker()
		if err != nil {
			return nil, fmt.Errorf("migrate: %w", err)
		}
		options = append(options, goose.WithSessionLocker(locker))
	}
	files, err := fs.Sub(migrate.Files, name)
	if err != nil {
		return nil, fmt.Errorf("migrate: %w", err)
	}
	p, err := goose.NewProvider(d, s.write, files, options...)
	if err != nil {
		return nil, fmt.Errorf("migrate: %w", err)
	}
	return p, nil
}

// Drift returns the SQL by which the migrated database differs from ent's schema: empty when the migrations are complete.
func (s *Store) Drift(ctx context.Context) (string, error) {
	db := sql.OpenDB(s.plain)
	defer func() { _ = db.Close() }()
	var ddl bytes.Buffer
	err := migrate.NewSchema(entsql.OpenDB(s.dialect, db)).WriteTo(ctx, &ddl, schema.WithDropColumn(true), schema.WithDropIndex(true))
	return ddl.String(), err
}
