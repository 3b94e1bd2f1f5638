package server

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"github.com/vektah/gqlparser/v2/ast"

	"github.com/pursuing-equity/commons/internal/fault"
	"github.com/pursuing-equity/commons/internal/viewer"
)

// record collects what the log line and the metrics say of one request, or of one operation on a socket. It never holds a
// token, a variable or a document's text. Its methods work on nil, outside any request.
type record struct {
	requestID string
	address   string // where the request comes from
	started   time.Time

	mu       sync.Mutex
	kind     string
	name     string
	viewer   string
	cost     int64
	code     fault.Code // of the first error
	failing  int
	upgraded bool
}

type recordKey struct{}

func withRecord(ctx context.Context, r *record) context.Context {
	return context.WithValue(ctx, recordKey{}, r)
}

func recordOf(ctx context.Context) *record {
	r, _ := ctx.Value(recordKey{}).(*record)
	return r
}

func (r *record) operation(def *ast.OperationDefinition, v viewer.Viewer) {
	if r == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.kind, r.name, r.viewer = string(def.Operation), def.Name, v.String()
}

func (r *record) costs(cost int64) {
	if r == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.cost = cost
}

func (r *record) failed(code fault.Code) {
	if r == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.failing++; r.code == "" {
		r.code = code
	}
}

func (r *record) failures() int {
	if r == nil {
		return 0
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.failing
}

func (r *record) firstCode() fault.Code {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.code
}

// failure is what failed, without its message: that it did has been logged. A database that took too long is one that is away.
func (r *record) failure() error {
	code := r.firstCode()
	if code == fault.Timeout {
		code = fault.Unavailable
	}
	return fault.New(code, "The event could not be shown.")
}

// outcome is the operation's type, and the code of its first error or OK.
func (r *record) outcome() (kind, code string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	kind, code = r.kind, string(r.code)
	if kind == "" {
		kind = "none"
	}
	if code == "" {
		code = "OK"
	}
	return kind, code
}

func (r *record) attrs() []slog.Attr {
	r.mu.Lock()
	defer r.mu.Unlock()
	attrs := []slog.Attr{slog.String("request_id", r.requestID)}
	if r.kind != "" {
		attrs = append(attrs, slog.String("operation", r.kind), slog.String("name", r.name),
			slog.String("viewer", r.viewer), slog.Int64("cost", r.cost))
	}
	if r.code != "" {
		attrs = append(attrs, slog.String("code", string(r.code)))
	}
	return attrs
}

// logger carries the request's id.
func (s *Server) logger(ctx context.Context) *slog.Logger {
	if r := recordOf(ctx); r != nil {
		return s.log.With("request_id", r.requestID)
	}
	return s.log
}

// upgrade marks a request that became a websocket: its operations are counted one by one.
func (r *record) upgrade() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.upgraded = true
}
