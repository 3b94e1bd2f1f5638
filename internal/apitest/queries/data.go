//go:build linux

package main

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/pursuing-equity/commons/internal/apitest"
	"github.com/pursuing-equity/commons/internal/apitest/postgres"
	"github.com/pursuing-equity/commons/internal/gid"
)

// reader is whose page is read: a member like most.
const reader = "member@demo.example"

// data is what all servers answer from.
type data struct {
	cluster *postgres.Cluster
	db      *sql.DB
	url     string
	dir     string
	token   string // of the reader
	sqlite  string // their token in the same program on SQLite; empty until it is loaded
	member  gid.ID
	threads []gid.ID // long ones, to read
	spaces  []gid.ID // those with the most threads
	write   []gid.ID // threads to post in
}

// words are what is searched for.
var words = []string{"equity", "trust", "interpreter", "data", "measure", "patients", "doula", "screening", "leaders", "transport"}

// prepare starts PostgreSQL as it comes, but for the statistics of statements, and loads the demo program.
func prepare(ctx context.Context, o options) (_ *data, err error) {
	d := new(data)
	if d.dir, err = os.MkdirTemp("", "queries-"); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, d.close())
		}
	}()
	d.cluster, err = postgres.Start(ctx, "fsync=on", "full_page_writes=on", "shared_buffers=512MB", "shared_preload_libraries=pg_stat_statements", "random_page_cost=1.1")
	if err != nil {
		return nil, err
	}
	d.url = d.cluster.URL
	if d.db, err = sql.Open("postgres", d.url); err != nil {
		return nil, err
	}
	if _, err := d.db.ExecContext(ctx, "CREATE EXTENSION pg_stat_statements"); err != nil {
		return nil, fmt.Errorf("count statements: %w (Debian has the extension in postgresql's own package)", err)
	}
	fmt.Fprintf(os.Stderr, "loading the demo program at scale %d …\n", o.scale)
	if _, err := d.commons(ctx, o.binary, "migrate"); err != nil {
		return nil, err
	}
	if _, err := d.commons(ctx, o.binary, "demo", "--scale", fmt.Sprint(o.scale)); err != nil {
		return nil, err
	}
	if d.token, err = d.commons(ctx, o.binary, "token", "--email", reader); err != nil {
		return nil, err
	}
	for _, statement := range []string{"VACUUM ANALYZE", "CHECKPOINT"} { // or the first turn has to do with it
		if _, err := d.db.ExecContext(ctx, statement); err != nil {
			return nil, err
		}
	}
	return d, d.choose(ctx)
}

// environment is Commons' own.
func (d *data) environment() []string {
	return []string{"COMMONS_DATABASE_URL=" + d.url, "COMMONS_DATA_DIR=" + d.dir}
}

// onSQLite is the environment of Commons on SQLite with the same program, whose ids are the same, too. It is loaded the first time.
func (d *data) onSQLite(ctx context.Context, o options) (env []string, err error) {
	dir := filepath.Join(d.dir, "sqlite")
	env = []string{"COMMONS_DATABASE_URL=sqlite:" + filepath.Join(dir, "commons.db"), "COMMONS_DATA_DIR=" + dir}
	if d.sqlite != "" {
		return env, nil
	}
	if err := os.Mkdir(dir, 0o750); err != nil {
		return nil, err
	}
	fmt.Fprintln(os.Stderr, "loading it into SQLite, too …")
	for _, args := range [][]string{{"migrate"}, {"demo", "--scale", fmt.Sprint(o.scale)}, {"token", "--email", reader}} {
		if d.sqlite, err = commons(ctx, env, o.binary, args...); err != nil {
			return nil, err
		}
	}
	return env, nil
}

func (d *data) commons(ctx context.Context, binary string, args ...string) (string, error) {
	return commons(ctx, d.environment(), binary, args...)
}

func commons(ctx context.Context, env []string, binary string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, binary, args...)
	cmd.Env = append(os.Environ(), env...)
	var said bytes.Buffer
	cmd.Stderr = &said
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("commons %s: %w\n%s", strings.Join(args, " "), err, said.Bytes())
	}
	return strings.TrimSpace(string(out)), nil
}

// choose picks what is asked for, the same each time for the same data.
func (d *data) choose(ctx context.Context) error {
	if err := d.db.QueryRowContext(ctx, "SELECT id FROM members WHERE email = $1", reader).Scan(&d.member); err != nil {
		return err
	}
	const mine = `SELECT space_id FROM space_memberships WHERE member_id = $1 AND starts_at <= now() AND (ends_at IS NULL OR ends_at > now())`
	for to, query := range map[*[]gid.ID]string{
		&d.threads: `SELECT id FROM threads WHERE post_seq >= 60 AND space_id IN (` + mine + `) ORDER BY id LIMIT 500`,
		&d.spaces:  `SELECT space_id FROM threads WHERE space_id IN (` + mine + `) GROUP BY space_id HAVING count(*) > 25 ORDER BY count(*) DESC LIMIT 4`,
		&d.write:   `SELECT id FROM threads WHERE NOT locked AND post_seq < 60 AND space_id IN (` + mine + `) ORDER BY id DESC LIMIT 200`,
	} {
		ids, err := d.ids(ctx, query, d.member)
		if err != nil {
			return err
		}
		if len(ids) == 0 {
			return fmt.Errorf("nothing to ask for: %s", query)
		}
		*to = ids
	}
	return nil
}

func (d *data) ids(ctx context.Context, query string, args ...any) (_ []gid.ID, err error) {
	rows, err := d.db.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	var ids []gid.ID
	for rows.Next() {
		var id gid.ID
		if err := rows.Scan(&id); err != nil {
			return nil, err
		}
		ids = append(ids, id)
	}
	return ids, rows.Err()
}

func (d *data) close() error {
	var errs []error
	if d.db != nil {
		errs = append(errs, d.db.Close())
	}
	if d.cluster != nil {
		errs = append(errs, d.cluster.Stop())
	}
	return errors.Join(append(errs, os.RemoveAll(d.dir))...)
}

// pgURL is the database's URL as Node's driver reads it: the socket's directory as the host.
func (d *data) pgURL() (string, error) {
	u, err := url.Parse(d.url)
	if err != nil {
		return "", err
	}
	return "postgres://postgres@/postgres?host=" + url.QueryEscape(u.Query().Get("host")), nil
}

// variables are those of an operation, one set for each request that is asked in turn. n goes on counting where requests must differ.
func (d *data) variables(op string) []map[string]any {
	var all []map[string]any
	switch op {
	case "point-read":
		for _, id := range d.threads {
			all = append(all, map[string]any{"id": id})
		}
	case "thread-list":
		for _, id := range d.spaces {
			all = append(all, map[string]any{"space": id, "first": 25})
		}
	case "thread-page":
		for _, id := range d.threads {
			all = append(all, map[string]any{"id": id, "first": 50})
		}
	case "directory":
		all = append(all, map[string]any{"first": 10})
	case "search":
		for _, w := range words {
			all = append(all, map[string]any{"query": w, "first": 20})
		}
	case "create-post":
		for _, id := range d.write {
			all = append(all, map[string]any{"input": map[string]any{"threadId": id, "body": "We asked **three** families what they would change first, and all three said: the phone line."}})
		}
	}
	return all
}

// document is the operation as front ends send it.
func document(op string) (string, error) { return apitest.OperationText(op) }

// bodies are the requests' bodies for a document.
func bodies(document string, variables []map[string]any) ([][]byte, error) {
	all := make([][]byte, len(variables))
	for i, v := range variables {
		b, err := json.Marshal(map[string]any{"query": document, "variables": v})
		if err != nil {
			return nil, err
		}
		all[i] = b
	}
	return all, nil
}

// statements is how many statements the database has run for clients.
func (d *data) statements(ctx context.Context) (n int, err error) {
	err = d.db.QueryRowContext(ctx, `SELECT coalesce(sum(calls), 0) FROM pg_stat_statements WHERE toplevel AND query !~* '^(begin|commit|rollback|start|set|deallocate|select pg_notify)'`).Scan(&n)
	return n, err
}

// forgetJobs drops what the turns before have left to be done: who watches the threads that they posted in is not told by the next one's server.
func (d *data) forgetJobs(ctx context.Context) error {
	_, err := d.db.ExecContext(ctx, "DELETE FROM notification_jobs")
	return err
}

// settle waits until a server has done what it does when it starts, for a minute at most.
func (d *data) settle(ctx context.Context) error {
	const pause, few = 500 * time.Millisecond, 20
	before, err := d.statements(ctx)
	for range time.Minute / pause {
		if err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(pause):
		}
		var now int
		if now, err = d.statements(ctx); now-before < few {
			break
		}
		before = now
	}
	return err
}

func (d *data) forgetStatements(ctx context.Context) error {
	_, err := d.db.ExecContext(ctx, "SELECT pg_stat_statements_reset()")
	return err
}

// showStatements prints what the database ran for n requests, the most expensive first.
func (d *data) showStatements(ctx context.Context, n float64) (err error) {
	rows, err := d.db.QueryContext(ctx, `SELECT calls, total_exec_time, rows, query FROM pg_stat_statements WHERE toplevel ORDER BY total_exec_time DESC LIMIT 40`)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var calls, found int
		var ms float64
		var text string
		if err := rows.Scan(&calls, &ms, &found, &text); err != nil {
			return err
		}
		if float64(calls) > n/50 {
			fmt.Fprintf(os.Stderr, "%5.2f a request  %7.3f ms  %6.1f rows  %s\n", float64(calls)/n, ms/float64(calls), float64(found)/float64(calls), text)
		}
	}
	return rows.Err()
}
