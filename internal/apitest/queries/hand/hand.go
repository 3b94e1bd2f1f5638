// Package hand answers the operations of the query benchmark as somebody would who writes for these alone: net/http, lib/pq, one or two
// tuned statements a page, and the answer written by hand. It gives the same data under the same permission rules as Commons; what it
// cannot do is anything else. It is the practical limit that Commons is measured against.
//
// Left out, as no client could tell: traces, metrics, limits, rates, and the seal of event cursors.
package hand

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/pursuing-equity/commons/internal/gid"
	"github.com/pursuing-equity/commons/internal/page"
)

// variables are those of all operations.
type variables struct {
	ID     gid.ID       `json:"-"`
	Space  gid.ID       `json:"-"`
	First  int          `json:"first"`
	After  *page.Cursor `json:"after"`
	Query  string       `json:"query"`
	RawID  string       `json:"id"`
	RawSpc string       `json:"space"`
	Input  struct {
		ThreadID string `json:"threadId"`
		Body     string `json:"body"`
	} `json:"input"`
}

// API answers. Its methods are the operations.
type API struct {
	db         *sql.DB
	now        func() time.Time
	statements map[string]*sql.Stmt
	render     func(string) string

	mu     sync.Mutex
	tokens map[[sha256.Size]byte]known
}

type known struct {
	member gid.ID
	until  time.Time
}

// New prepares everything. Render makes HTML of Markdown.
func New(ctx context.Context, db *sql.DB, now func() time.Time, render func(string) string) (*API, error) {
	a := &API{db: db, now: now, render: render, statements: map[string]*sql.Stmt{}, tokens: map[[sha256.Size]byte]known{}}
	for name, text := range map[string]string{
		"token": token, "point": point, "list": list, "page": threadPage, "teams": teams, "memberships": memberships, "search": search,
		"writable": writable, "write": write,
	} {
		stmt, err := db.PrepareContext(ctx, text) //nolint:sqlclosecheck // as long as the process
		if err != nil {
			return nil, fmt.Errorf("prepare %s: %w", name, err)
		}
		a.statements[name] = stmt
	}
	return a, nil
}

// Handler serves each operation at its name's path.
func (a *API) Handler() http.Handler {
	mux := http.NewServeMux()
	for path, op := range map[string]func(context.Context, gid.ID, variables) (out, error){
		"point-read": a.point, "thread-list": a.list, "thread-page": a.page, "directory": a.directory, "search": a.search, "create-post": a.create,
	} {
		mux.HandleFunc("POST /"+path, func(w http.ResponseWriter, r *http.Request) {
			answer, err := a.answer(r, op)
			if err != nil {
				http.Error(w, err.Error(), http.StatusInternalServerError)
				return
			}
			w.Header().Set("Content-Type", "application/json")
			w.Header().Set("Content-Length", strconv.Itoa(len(answer)))
			_, _ = w.Write(answer) //nolint:gosec // JSON, which no browser renders, in a benchmark
		})
	}
	return mux
}

func (a *API) answer(r *http.Request, op func(context.Context, gid.ID, variables) (out, error)) ([]byte, error) {
	body, err := io.ReadAll(io.LimitReader(r.Body, 64<<10))
	if err != nil {
		return nil, err
	}
	var in struct {
		Variables variables `json:"variables"`
	}
	if err := json.Unmarshal(body, &in); err != nil {
		return nil, err
	}
	v := in.Variables
	for raw, to := range map[string]*gid.ID{v.RawID: &v.ID, v.RawSpc: &v.Space, v.Input.ThreadID: &v.ID} {
		if raw != "" {
			if *to, err = gid.Parse(raw); err != nil {
				return nil, err
			}
		}
	}
	me, err := a.signIn(r)
	if err != nil {
		return nil, err
	}
	return op(r.Context(), me, v)
}

const token = `SELECT t.member_id FROM access_tokens t JOIN members m ON m.id = t.member_id
WHERE t.hash = $1 AND t.kind = 'PERSONAL' AND t.revoked_at IS NULL AND t.expires_at > now() AND m.status = 'ACTIVE' AND (m.suspended_until IS NULL OR m.suspended_until <= now())`

// signIn believes a token for a second, as Commons does.
func (a *API) signIn(r *http.Request) (gid.ID, error) {
	secret, ok := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	if !ok {
		return gid.ID{}, errors.New("sign in")
	}
	hash := sha256.Sum256([]byte(secret))
	a.mu.Lock()
	k, ok := a.tokens[hash]
	a.mu.Unlock()
	if ok && k.until.After(a.now()) {
		return k.member, nil
	}
	var me gid.ID
	if err := a.statements["token"].QueryRowContext(r.Context(), hash[:]).Scan(&me); err != nil {
		return me, err
	}
	a.mu.Lock()
	a.tokens[hash] = known{me, a.now().Add(time.Second)}
	a.mu.Unlock()
	return me, nil
}
