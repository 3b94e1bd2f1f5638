package server

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/pursuing-equity/commons/internal/fault"
	"github.com/pursuing-equity/commons/internal/gid"
	"github.com/pursuing-equity/commons/internal/viewer"
)

// patience is how long a test waits for what must happen.
const patience = 20 * time.Second

// harness is a running server with the toy behind it.
type harness struct {
	*toy
	t      *testing.T
	url    string
	client *http.Client
	logs   *logBuffer
	stop   context.CancelFunc
	served chan error

	mu      sync.Mutex
	revoked []gid.ID
	expires time.Time // of every session
	ready   error
}

type logBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *logBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *logBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

var (
	writerID = gid.Compose(gid.Member, time.Unix(1700000000, 0), 1)
	tokenID  = gid.Compose(gid.AccessToken, time.Unix(1700000000, 0), 2)
)

// start serves on a free port until the test ends, and then checks that no goroutine is left.
func start(t *testing.T, change func(*Config)) *harness {
	t.Helper()
	leaks := goleak.IgnoreCurrent()
	h := &harness{toy: newToy(), t: t, logs: new(logBuffer), served: make(chan error, 1)}
	cfg := Config{
		Schema: h.toy, SDL: toySDL, Logger: slog.New(slog.NewJSONHandler(h.logs, &slog.HandlerOptions{Level: slog.LevelDebug})),
		Authenticate: h.authenticate,
		Recheck: func(context.Context, []gid.ID) ([]gid.ID, error) {
			h.mu.Lock()
			defer h.mu.Unlock()
			return h.revoked, nil
		},
		Ready: func(context.Context) error {
			h.mu.Lock()
			defer h.mu.Unlock()
			return h.ready
		},
		Limits: Limits{Recheck: 10 * time.Millisecond, CloseGrace: 200 * time.Millisecond},
	}
	if change != nil {
		change(&cfg)
	}
	s, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	ln, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(t.Context()))
	h.stop, h.url = cancel, "http://"+ln.Addr().String()
	h.client = &http.Client{Transport: &http.Transport{}}
	go func() { h.served <- s.Serve(ctx, ln) }()
	t.Cleanup(func() {
		cancel()
		h.client.CloseIdleConnections()
		select {
		case err := <-h.served:
			if err != nil && !strings.Contains(err.Error(), "drain") {
				t.Errorf("serve: %v", err)
			}
		case <-time.After(patience):
			t.Error("the server does not stop")
		}
		goleak.VerifyNone(t, leaks)
	})
	return h
}

func (h *harness) authenticate(_ context.Context, bearer, _ string) (Session, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	switch bearer {
	case "writer":
		return Session{Viewer: viewer.Member(writerID, tokenID, viewer.Write), Expires: h.expires}, nil
	case "reader":
		return Session{Viewer: viewer.Member(writerID, tokenID, viewer.Read), Expires: h.expires}, nil
	case "down":
		return Session{}, fault.New(fault.Unavailable, "The database does not answer.")
	default:
		return Session{}, fault.New(fault.Unauthenticated, "This token is not valid.")
	}
}

// answer is what came back over HTTP.
type answer struct {
	*http.Response
	body   string
	parsed struct {
		Data       map[string]any
		Errors     []gqlError
		Extensions map[string]any
	}
}

type gqlError struct {
	Message    string
	Path       []any
	Locations  []any
	Extensions map[string]any
}

func (a *answer) code() string {
	if len(a.parsed.Errors) == 0 {
		return ""
	}
	code, _ := a.parsed.Errors[0].Extensions["code"].(string)
	return code
}

func (h *harness) send(req *http.Request) *answer {
	h.t.Helper()
	resp, err := h.client.Do(req)
	if err != nil {
		h.t.Fatal(err)
	}
	defer resp.Body.Close() //nolint:errcheck // read to the end
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		h.t.Fatal(err)
	}
	a := &answer{Response: resp, body: string(body)}
	_ = json.Unmarshal(body, &a.parsed) // not every answer is JSON
	return a
}

func (h *harness) request(method, path, body string, headers ...string) *http.Request {
	h.t.Helper()
	req, err := http.NewRequestWithContext(h.t.Context(), method, h.url+path, strings.NewReader(body))
	if err != nil {
		h.t.Fatal(err)
	}
	if method == http.MethodPost {
		req.Header.Set("Content-Type", "application/json")
	}
	for pair := range slices.Chunk(headers, 2) {
		if req.Header.Set(pair[0], pair[1]); pair[1] == "" {
			req.Header.Del(pair[0])
		}
	}
	return req
}

func (h *harness) post(body string, headers ...string) *answer {
	h.t.Helper()
	return h.send(h.request(http.MethodPost, "/graphql", body, headers...))
}

// query posts a document and reads the newer media type, whose status tells more.
func (h *harness) query(doc string, vars map[string]any, headers ...string) *answer {
	h.t.Helper()
	body, err := json.Marshal(map[string]any{"query": doc, "variables": vars})
	if err != nil {
		h.t.Fatal(err)
	}
	return h.post(string(body), append([]string{"Accept", mediaResponse}, headers...)...)
}

func receive[T any](t *testing.T, c <-chan T, what string) T {
	t.Helper()
	select {
	case v := <-c:
		return v
	case <-time.After(patience):
		t.Fatalf("waited in vain for %s", what)
		panic("unreachable")
	}
}
