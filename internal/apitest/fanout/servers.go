//go:build linux

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/pursuing-equity/commons/ent/accesstoken"
	"github.com/pursuing-equity/commons/ent/member"
	"github.com/pursuing-equity/commons/ent/space"
	"github.com/pursuing-equity/commons/ent/spacemembership"
	"github.com/pursuing-equity/commons/internal/apitest"
	"github.com/pursuing-equity/commons/internal/apitest/fanout/load"
	"github.com/pursuing-equity/commons/internal/app"
	"github.com/pursuing-equity/commons/internal/viewer"
)

// server is what is measured.
type server interface {
	process() *process
	protocol() load.Protocol
	publish(ctx context.Context, n int) error
	goroutines(ctx context.Context) (int, error)
	close()
}

func open(ctx context.Context, name string, o options) (server, error) {
	if name == "commons" {
		return openCommons(ctx, o)
	}
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	p, err := start(ctx, "", nil, regexp.MustCompile(`^(127\.0\.0\.1:\d+)$`), self, "peer", name)
	return &peerServer{name: name, p: p}, err
}

type peerServer struct {
	name string
	p    *process
}

func (s *peerServer) process() *process { return s.p }
func (s *peerServer) close()            { s.p.stop() }

func (s *peerServer) protocol() load.Protocol {
	p := load.Protocol{Address: s.p.address, Path: "/ws", Number: `"seq":`}
	switch s.name {
	case "stock":
		p.Subprotocol = "graphql-transport-ws"
		p.Hello = func(int) (string, string) { return `{"type":"connection_init"}`, `"connection_ack"` }
		p.Subscribe = func(n int) string {
			return subscribe(operationID(n), `subscription{threadEvents(threadId:"t"){__typename cursor post{id seq body createdAt author{id name avatarUrl} thread{id title}}}}`, nil)
		}
	case "centrifuge":
		p.Hello = func(int) (string, string) { return `{"id":1,"connect":{}}`, `"connect"` }
		p.Subscribe = func(int) string { return `{"id":2,"subscribe":{"channel":"thread"}}` }
		p.Event, p.Keepalive = `"pub":`, `{}`
	}
	return p
}

func (s *peerServer) publish(ctx context.Context, n int) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+s.p.address+"/publish?n="+strconv.Itoa(n), nil)
	if err != nil {
		return err
	}
	resp, err := client.Do(req)
	if err != nil {
		return err
	}
	return resp.Body.Close()
}

func (s *peerServer) goroutines(ctx context.Context) (int, error) {
	text, err := ask(ctx, "http://"+s.p.address+"/goroutines")
	if err != nil {
		return 0, err
	}
	return strconv.Atoi(strings.TrimSpace(text))
}

// operationID is as long as those that the npm client makes, and as different.
func operationID(n int) string { return fmt.Sprintf("%08x-5eed-4c0f-8000-%012x", n, n*7919) }

func subscribe(id, query string, variables map[string]any) string {
	text, err := json.Marshal(map[string]any{"id": id, "type": "subscribe", "payload": map[string]any{"query": query, "variables": variables}})
	if err != nil {
		panic(err) // strings only
	}
	return string(text)
}

// commons is the real thing.
type commons struct {
	p       *process
	dir     string
	tokens  []string
	threads []string
	space   string
	http    *http.Client
}

// members is as how many different people the sockets sign in.
const members = 500

func openCommons(ctx context.Context, o options) (_ *commons, err error) {
	s := &commons{http: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64}}}
	if s.dir, err = os.MkdirTemp("", "fanout"); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			s.close()
		}
	}()
	url := o.database
	if url == "" {
		url = "sqlite:" + filepath.Join(s.dir, "commons.db")
	}
	if s.space, err = s.prepare(ctx, url); err != nil {
		return nil, fmt.Errorf("prepare the database: %w", err)
	}
	binary, err := filepath.Abs(o.binary)
	if err != nil {
		return nil, err
	}
	env := []string{"COMMONS_DATABASE_URL=" + url, "COMMONS_LISTEN=127.0.0.1:0", "COMMONS_RATE_LIMIT=off", "COMMONS_DATA_DIR=" + s.dir}
	if s.p, err = start(ctx, s.dir, env, regexp.MustCompile(`GraphQL\s+http://([^/]+)/graphql`), binary, "serve"); err != nil {
		return nil, err
	}
	return s, s.startThreads(ctx, 1)
}

// prepare fills the database, and makes tokens for members of the network. It returns the network's space.
func (s *commons) prepare(ctx context.Context, url string) (string, error) {
	a, err := app.Open(ctx, app.Config{DatabaseURL: url, DataDir: s.dir, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		return "", err
	}
	defer func() { _ = a.Close() }()
	ctx = viewer.NewContext(ctx, viewer.System("measure"))
	if _, err := a.Store.Migrate(ctx); err != nil {
		return "", err
	}
	if err := a.LoadDemo(ctx, 1, 1); err != nil {
		return "", err
	}
	network, err := a.Store.Client(ctx).Space.Query().Where(space.KindEQ(space.KindNETWORK)).FirstID(ctx)
	if err != nil {
		return "", err
	}
	places, err := a.Store.Client(ctx).SpaceMembership.Query().Where(spacemembership.SpaceID(network), spacemembership.EndsAtIsNil()).WithMember().Limit(members).All(ctx)
	if err != nil {
		return "", err
	}
	for _, p := range places {
		m := p.Edges.Member
		if m.Status != member.StatusACTIVE {
			continue
		}
		token, err := a.Accounts.Issue(ctx, m.Email, "fanout", accesstoken.ScopeWRITE, 0)
		if err != nil {
			return "", err
		}
		s.tokens = append(s.tokens, token)
	}
	return network.String(), nil
}

func (s *commons) startThreads(ctx context.Context, n int) error {
	for range n {
		var out struct {
			CreateThread struct{ Thread struct{ ID string } }
		}
		err := s.ask(ctx, 0, `mutation($i:CreateThreadInput!){createThread(input:$i){thread{id}}}`,
			map[string]any{"i": map[string]any{"spaceId": s.space, "title": "What did your team try this week?", "body": "Tell us."}}, &out)
		if err != nil {
			return err
		}
		s.threads = append(s.threads, out.CreateThread.Thread.ID)
	}
	return nil
}

// ask runs an operation as one of the members.
func (s *commons) ask(ctx context.Context, who int, query string, variables map[string]any, out any) error {
	body, err := json.Marshal(map[string]any{"query": query, "variables": variables})
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+s.p.address+"/graphql", bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Authorization", "Bearer "+s.tokens[who%len(s.tokens)])
	resp, err := s.http.Do(req)
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		return err
	}
	var answer struct {
		Data   json.RawMessage
		Errors []struct{ Message string }
	}
	if err := json.Unmarshal(text, &answer); err != nil {
		return fmt.Errorf("status %d: %s", resp.StatusCode, text)
	}
	if len(answer.Errors) > 0 {
		return fmt.Errorf("%s", answer.Errors[0].Message)
	}
	if out == nil {
		return nil
	}
	return json.Unmarshal(answer.Data, out)
}

func (s *commons) process() *process { return s.p }

func (s *commons) close() {
	if s.p != nil {
		s.p.stop()
	}
	_ = os.RemoveAll(s.dir)
}

func (s *commons) protocol() load.Protocol {
	text, err := apitest.OperationText("thread-events")
	if err != nil {
		panic(err) // it is embedded
	}
	return load.Protocol{
		Address: s.p.address, Path: "/graphql", Subprotocol: "graphql-transport-ws", Number: `"seq":`,
		Hello: func(n int) (string, string) {
			return `{"type":"connection_init","payload":{"authorization":"Bearer ` + s.tokens[n%len(s.tokens)] + `"}}`, `"connection_ack"`
		},
		Subscribe: func(n int) string {
			return subscribe(operationID(n), text, map[string]any{"thread": s.threads[n%len(s.threads)]})
		},
	}
}

// writers is how many members post at the same time.
const writers = 8

func (s *commons) publish(ctx context.Context, n int) error {
	var left atomic.Int64
	left.Store(int64(n))
	var failed atomic.Pointer[error]
	var group sync.WaitGroup
	for w := range min(writers, n) {
		group.Go(func() {
			for left.Add(-1) >= 0 && failed.Load() == nil {
				if err := s.post(ctx, w, s.threads[0], strings.Repeat("Equity is a team sport. ", 3)); err != nil {
					failed.Store(&err)
				}
			}
		})
	}
	group.Wait()
	if err := failed.Load(); err != nil {
		return *err
	}
	return nil
}

func (s *commons) post(ctx context.Context, who int, thread, body string) error {
	_, err := s.write(ctx, who, thread, body)
	return err
}

// write posts, and returns the post's number.
func (s *commons) write(ctx context.Context, who int, thread, body string) (int, error) {
	var out struct {
		CreatePost struct {
			Post   struct{ Seq int }
			Errors []struct{ Message string }
		}
	}
	err := s.ask(ctx, who, `mutation($i:CreatePostInput!){createPost(input:$i){post{seq} errors{message}}}`,
		map[string]any{"i": map[string]any{"threadId": thread, "body": body}}, &out)
	if err == nil && len(out.CreatePost.Errors) > 0 {
		err = fmt.Errorf("%s", out.CreatePost.Errors[0].Message)
	}
	return out.CreatePost.Post.Seq, err
}

func (s *commons) goroutines(ctx context.Context) (int, error) {
	text, err := ask(ctx, "http://"+s.p.address+"/metrics")
	if err != nil {
		return 0, err
	}
	for line := range strings.SplitSeq(text, "\n") {
		if rest, ok := strings.CutPrefix(line, "go_goroutines "); ok {
			return strconv.Atoi(strings.TrimSpace(rest))
		}
	}
	return 0, fmt.Errorf("no go_goroutines in the metrics")
}
