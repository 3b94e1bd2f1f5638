//go:build linux

package main

import (
	"bytes"
	"context"
	"database/sql"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"time"

	"github.com/pursuing-equity/commons/internal/apitest/queries/hand"
	"github.com/pursuing-equity/commons/internal/gid"
	"github.com/pursuing-equity/commons/internal/markdown"
)

// server answers the operations.
type server struct {
	*process
	name     string
	requests map[string][]request // by operation
}

// poolSize is how many connections to the database each server has at most: what Commons takes on two cores.
const poolSize = 16

// open starts a server and makes its requests.
func (d *data) open(ctx context.Context, name string, o options) (s *server, err error) {
	s = &server{name: name, requests: map[string][]request{}}
	switch name {
	case "commons", "sqlite":
		binary, err := filepath.Abs(o.binary)
		if err != nil {
			return nil, err
		}
		env := d.environment()
		if name == "sqlite" {
			if env, err = d.onSQLite(ctx, o); err != nil {
				return nil, err
			}
		}
		env = append(env, "COMMONS_LISTEN=127.0.0.1:0", "COMMONS_RATE_LIMIT=off")
		s.process, err = start(ctx, d.dir, env, regexp.MustCompile(`GraphQL\s+http://([\d.:]+)/`), binary, "serve")
		if err != nil {
			return nil, err
		}
	case "hand":
		self, err := os.Executable()
		if err != nil {
			return nil, err
		}
		if s.process, err = start(ctx, d.dir, []string{"GOGC=400"}, regexp.MustCompile(`listening ([\d.:]+)`), self, "hand", d.url); err != nil {
			return nil, err
		}
	case "postgraphile":
		if s.process, err = d.postgraphile(ctx); err != nil {
			return nil, err
		}
	default:
		return nil, fmt.Errorf("there is no server %q", name)
	}
	for _, op := range o.operations {
		if s.requests[op], err = d.requests(s, op); err != nil {
			s.stop()
			return nil, err
		}
	}
	return s, nil
}

func (d *data) requests(s *server, op string) ([]request, error) {
	variables, path, token := d.variables(op), "/graphql", d.token
	text, err := document(op)
	if err != nil {
		return nil, err
	}
	switch s.name {
	case "sqlite":
		token = d.sqlite
	case "hand":
		path, text = "/"+op, ""
	case "postgraphile":
		b, err := peerFiles.ReadFile("peer/operations/" + op + ".graphql")
		if err != nil {
			return nil, err
		}
		text = string(b)
		for _, v := range variables {
			uuids(v)
			if in, ok := v["input"].(map[string]any); ok {
				v["thread"], v["body"], v["bodyHtml"] = in["threadId"], in["body"], markdown.New().HTML(in["body"].(string)) //nolint:errcheck // we made it
				delete(v, "input")
			}
		}
	}
	all, err := bodies(text, variables)
	if err != nil {
		return nil, err
	}
	requests := make([]request, len(all))
	for i, body := range all {
		requests[i] = post(s.address, path, body, "Authorization", "Bearer "+token)
	}
	return requests, nil
}

// uuids makes ids of ours what the database has.
func uuids(v map[string]any) {
	for name, value := range v {
		switch value := value.(type) {
		case gid.ID:
			v[name] = value.UUID()
		case map[string]any:
			uuids(value)
		}
	}
}

// serveHand is the process of the handler by hand.
func serveHand(ctx context.Context, databaseURL string) error {
	db, err := sql.Open("postgres", databaseURL)
	if err != nil {
		return err
	}
	db.SetMaxOpenConns(poolSize)
	db.SetMaxIdleConns(poolSize)
	api, err := hand.New(ctx, db, time.Now, markdown.New().HTML)
	if err != nil {
		return err
	}
	ln, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	server := &http.Server{Handler: api.Handler(), ReadHeaderTimeout: time.Minute}
	go func() {
		<-ctx.Done()
		_ = server.Close()
	}()
	fmt.Println("listening", ln.Addr())
	if err := server.Serve(ln); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return db.Close()
}

//go:embed peer/package.json peer/package-lock.json peer/server.mjs peer/policies.sql peer/operations/*.graphql
var peerFiles embed.FS

// install brings the peer from npm into the user's cache, once for each version of its lock.
func install(ctx context.Context) (string, error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	lock, err := peerFiles.ReadFile("peer/package-lock.json")
	if err != nil {
		return "", err
	}
	dir := filepath.Join(cache, "commons-queries-peer")
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return "", err
	}
	for _, name := range []string{"package.json", "server.mjs"} {
		b, err := peerFiles.ReadFile("peer/" + name)
		if err != nil {
			return "", err
		}
		if err := os.WriteFile(filepath.Join(dir, name), b, 0o600); err != nil {
			return "", err
		}
	}
	at := filepath.Join(dir, "package-lock.json")
	if have, err := os.ReadFile(at); err == nil && bytes.Equal(have, lock) {
		if _, err := os.Stat(filepath.Join(dir, "node_modules", ".bin", "node")); err == nil {
			return dir, nil
		}
	}
	if err := os.WriteFile(at, lock, 0o600); err != nil {
		return "", err
	}
	npm := exec.CommandContext(ctx, "npm", "ci", "--no-audit", "--no-fund", "--loglevel=error") // with scripts: the package node has one that brings Node itself
	npm.Dir = dir
	if out, err := npm.CombinedOutput(); err != nil {
		return "", fmt.Errorf("install PostGraphile with npm (or leave it out: -servers commons,hand): %w\n%s", err, out)
	}
	return dir, nil
}

// postgraphile starts PostGraphile; the first time it gives the database its policies.
func (d *data) postgraphile(ctx context.Context) (*process, error) {
	dir, err := install(ctx)
	if err != nil {
		return nil, err
	}
	var there bool
	if err := d.db.QueryRowContext(ctx, "SELECT EXISTS (SELECT FROM pg_roles WHERE rolname = 'commons_reader')").Scan(&there); err != nil {
		return nil, err
	}
	if !there {
		policies, err := peerFiles.ReadFile("peer/policies.sql")
		if err != nil {
			return nil, err
		}
		if _, err := d.db.ExecContext(ctx, string(policies)); err != nil {
			return nil, fmt.Errorf("policies for PostGraphile: %w", err)
		}
	}
	databaseURL, err := d.pgURL()
	if err != nil {
		return nil, err
	}
	return start(ctx, dir, []string{"NODE_ENV=production", "GRAPHILE_ENV=production"}, regexp.MustCompile(`listening ([\d.:]+)`),
		filepath.Join(dir, "node_modules", ".bin", "node"), filepath.Join(dir, "server.mjs"), databaseURL, d.member.UUID(), strconv.Itoa(poolSize))
}

// agree compares what Commons and the handler by hand answer to each request, cursors of events, snippets and what a mutation makes aside.
func agree(ctx context.Context, a, b *server, operations []string) error {
	for _, op := range operations {
		if op == "create-post" {
			continue
		}
		for i := range a.requests[op] {
			if i == 40 {
				break
			}
			x, err := answer(ctx, a, op, i)
			if err != nil {
				return err
			}
			y, err := answer(ctx, b, op, i)
			if err != nil {
				return err
			}
			if string(x) != string(y) {
				at := 0
				for at < len(x) && at < len(y) && x[at] == y[at] {
					at++
				}
				from := max(0, at-200)
				return fmt.Errorf("%s: %s and %s do not agree:\n%.400s\n%.400s", op, a.name, b.name, x[from:], y[from:])
			}
		}
	}
	return nil
}

func answer(ctx context.Context, s *server, op string, i int) ([]byte, error) {
	c, err := dial(ctx, s.address)
	if err != nil {
		return nil, err
	}
	defer func() { _ = c.Close() }()
	b, err := c.do(s.requests[op][i], nil)
	if err != nil {
		return nil, fmt.Errorf("%s of %s: %w", op, s.name, err)
	}
	var all struct {
		Data map[string]any `json:"data"`
	}
	if err := json.Unmarshal(b, &all); err != nil {
		return nil, err
	}
	delete(all.Data, "eventCursor")
	plain(all.Data)
	return json.Marshal(all.Data)
}

// plain takes the snippets out of an answer.
func plain(v any) {
	switch v := v.(type) {
	case map[string]any:
		delete(v, "snippet")
		for _, x := range v {
			plain(x)
		}
	case []any:
		for _, x := range v {
			plain(x)
		}
	}
}
