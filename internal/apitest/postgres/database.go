package postgres

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/lib/pq"
)

// Names of databases on the server. A test database carries the time when it was made, so that what a killed run left on a
// lasting server can be told from what another run uses now.
const (
	testPrefix     = "commons_test_"
	templatePrefix = "commons_template_"
	leftAfter      = 6 * time.Hour
)

// create makes a database for one test and returns its name.
func (s *server) create(ctx context.Context, tmpl Template) (string, error) {
	source := "template0"
	if tmpl.Prepare != nil {
		var err error
		if source, err = s.template(ctx, tmpl); err != nil {
			return "", err
		}
	}
	name := testPrefix + strconv.FormatInt(time.Now().Unix(), 10) + "_" + strings.ToLower(rand.Text()[:12])
	if _, err := s.admin.ExecContext(ctx, "CREATE DATABASE "+pq.QuoteIdentifier(name)+" TEMPLATE "+pq.QuoteIdentifier(source)); err != nil {
		return "", fmt.Errorf("create test database (the user of %s must be allowed to): %w", EnvURL, err)
	}
	return name, nil
}

func (s *server) drop(ctx context.Context, name string) error {
	_, err := s.admin.ExecContext(ctx, "DROP DATABASE IF EXISTS "+pq.QuoteIdentifier(name)+" WITH (FORCE)")
	return err
}

// template returns the name of the complete template database, made now if no process has made it yet.
func (s *server) template(ctx context.Context, tmpl Template) (string, error) {
	sum := sha256.Sum256([]byte(tmpl.Key))
	name := templatePrefix + hex.EncodeToString(sum[:12])
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ready[name] {
		return name, nil
	}
	if err := s.prepare(ctx, name, tmpl); err != nil {
		return "", err
	}
	s.ready[name] = true
	return name, nil
}

// lockKey is the advisory lock under which templates are made, one for all: they are few.
const lockKey = 0x636f6d6d6f6e73 // "commons"

func (s *server) prepare(ctx context.Context, name string, tmpl Template) (err error) {
	// The lock belongs to a session, so every statement goes over the one connection.
	conn, err := s.admin.Conn(ctx)
	if err != nil {
		return fmt.Errorf("connect to the test server: %w", err)
	}
	defer func() { err = errors.Join(err, conn.Close()) }()
	if _, err := conn.ExecContext(ctx, "SELECT pg_advisory_lock($1)", lockKey); err != nil {
		return fmt.Errorf("lock the template: %w", err)
	}
	defer func() {
		_, unlockErr := conn.ExecContext(context.WithoutCancel(ctx), "SELECT pg_advisory_unlock($1)", lockKey)
		err = errors.Join(err, unlockErr)
	}()

	// The mark "is a template" comes last: without it the database is what a killed process left half done.
	var complete bool
	switch err := conn.QueryRowContext(ctx, "SELECT datistemplate FROM pg_database WHERE datname = $1", name).Scan(&complete); {
	case err != nil && !errors.Is(err, sql.ErrNoRows):
		return fmt.Errorf("look for the template: %w", err)
	case complete:
		return nil
	}
	if err := sweep(ctx, conn); err != nil {
		return fmt.Errorf("drop what killed runs left behind: %w", err)
	}
	quoted := pq.QuoteIdentifier(name)
	for _, stmt := range []string{"DROP DATABASE IF EXISTS " + quoted + " WITH (FORCE)", "CREATE DATABASE " + quoted + " TEMPLATE template0"} {
		if _, err := conn.ExecContext(ctx, stmt); err != nil {
			return fmt.Errorf("make the template (the user of %s must be allowed to create databases): %w", EnvURL, err)
		}
	}
	if err := tmpl.Prepare(ctx, s.databaseURL(name)); err != nil {
		return fmt.Errorf("prepare the template: %w", err)
	}
	// Without connections nobody can write to it by mistake, nor make a copy fail by merely being connected.
	if _, err := conn.ExecContext(ctx, "ALTER DATABASE "+quoted+" WITH IS_TEMPLATE true ALLOW_CONNECTIONS false"); err != nil {
		return fmt.Errorf("finish the template: %w", err)
	}
	return nil
}

// sweep drops test databases that are too old to be in use.
func sweep(ctx context.Context, conn *sql.Conn) (err error) {
	rows, err := conn.QueryContext(ctx, "SELECT datname FROM pg_database WHERE starts_with(datname, $1)", testPrefix)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	var old []string
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			return err
		}
		made, _, _ := strings.Cut(strings.TrimPrefix(name, testPrefix), "_")
		seconds, err := strconv.ParseInt(made, 10, 64)
		if err == nil && time.Since(time.Unix(seconds, 0)) > leftAfter {
			old = append(old, name)
		}
	}
	if err := rows.Err(); err != nil {
		return err
	}
	for _, name := range old {
		if _, err := conn.ExecContext(ctx, "DROP DATABASE IF EXISTS "+pq.QuoteIdentifier(name)+" WITH (FORCE)"); err != nil {
			return err
		}
	}
	return nil
}
