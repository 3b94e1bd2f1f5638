package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

const (
	threads     = 3
	writers     = 6
	subscribers = 6
)

// load is members who post and members who watch.
type load struct {
	service *service
	threads []string
	http    *http.Client
	report  report

	mu    sync.Mutex
	acked map[string]post // by idempotency key
	sent  map[string]string

	stopWriting chan struct{}
	writing     sync.WaitGroup
	watching    sync.WaitGroup
	stop        context.CancelFunc
	watchers    []*watcher
	asked       atomic.Int64
	failed      atomic.Int64
	retried     atomic.Int64
}

type post struct {
	thread string
	id     string
	seq    int
	body   string
}

// base is where a client sends to: the proxy, or one of the replicas in turn.
func (l *load) base(n int) string {
	if l.service.proxy != nil {
		return l.service.proxy.address
	}
	return l.service.replicas[n%len(l.service.replicas)].Address
}

// load begins the load.
func (s *service) load(ctx context.Context) (*load, error) {
	l := &load{
		service: s, acked: map[string]post{}, sent: map[string]string{}, stopWriting: make(chan struct{}),
		http: &http.Client{Timeout: 15 * time.Second, Transport: &http.Transport{MaxIdleConnsPerHost: writers * 2}},
	}
	ctx, l.stop = context.WithCancel(ctx)
	for n := range threads {
		var out struct {
			CreateThread struct{ Thread struct{ ID string } }
		}
		err := l.ask(ctx, 0, 0, `mutation($i:CreateThreadInput!){createThread(input:$i){thread{id}}}`,
			vars{"i": vars{"spaceId": s.space, "title": "Crash " + strconv.Itoa(n), "body": "first"}}, &out)
		if err != nil {
			return nil, err
		}
		l.threads = append(l.threads, out.CreateThread.Thread.ID)
	}
	for n := range subscribers {
		w := &watcher{load: l, n: n, thread: l.threads[n%threads], token: s.tokens[n%len(s.tokens)]}
		l.watchers = append(l.watchers, w)
		if err := w.begin(ctx); err != nil {
			return nil, err
		}
		l.watching.Go(func() { w.run(ctx) })
	}
	for n := range writers {
		l.writing.Go(func() { l.write(ctx, n) })
	}
	return l, nil
}

type vars map[string]any

var errAnswer = errors.New("the server says no")

// ask runs an operation; errAnswer when the server answered with an error that a retry does not mend.
func (l *load) ask(ctx context.Context, base, who int, query string, variables vars, out any) error {
	body, err := json.Marshal(vars{"query": query, "variables": variables})
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+l.base(base)+"/graphql", bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Authorization", "Bearer "+l.service.tokens[who%len(l.service.tokens)])
	resp, err := l.http.Do(req)
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
		Errors []struct {
			Message    string
			Extensions struct{ Code string }
		}
	}
	if err := json.Unmarshal(text, &answer); err != nil {
		return fmt.Errorf("status %d: %q", resp.StatusCode, text)
	}
	if len(answer.Errors) > 0 {
		if code := answer.Errors[0].Extensions.Code; code != "UNAVAILABLE" && code != "TIMEOUT" {
			return fmt.Errorf("%w: %s %s", errAnswer, code, answer.Errors[0].Message)
		}
		return fmt.Errorf("%s", answer.Errors[0].Message)
	}
	return json.Unmarshal(answer.Data, out)
}

// write posts until it is told to stop. What was not answered is sent again with its key, to the next replica.
func (l *load) write(ctx context.Context, n int) {
	for i := 0; ; i++ {
		select {
		case <-l.stopWriting:
			return
		default:
		}
		key := fmt.Sprintf("w%d-%d", n, i)
		body := fmt.Sprintf("Post %d of writer %d.", i, n)
		thread := l.threads[rand.IntN(threads)]
		for try := 0; ctx.Err() == nil; try++ {
			var out struct {
				CreatePost struct {
					Post *struct {
						ID  string
						Seq int
					}
					Errors []struct{ Code, Message string }
				}
			}
			l.asked.Add(1)
			err := l.ask(ctx, n+try, n, `mutation($i:CreatePostInput!){createPost(input:$i){post{id seq} errors{code message}}}`,
				vars{"i": vars{"threadId": thread, "body": body, "idempotencyKey": key}}, &out)
			if err == nil && len(out.CreatePost.Errors) > 0 {
				err = fmt.Errorf("%w: %v", errAnswer, out.CreatePost.Errors)
			}
			if errors.Is(err, errAnswer) {
				l.report.wrong(err)
				return
			}
			if err == nil {
				l.mu.Lock()
				l.acked[fmt.Sprint(n, key)] = post{thread, out.CreatePost.Post.ID, out.CreatePost.Post.Seq, body}
				l.mu.Unlock()
				break
			}
			if ctx.Err() == nil {
				l.failed.Add(1)
				if l.service.options.kill == "roll" {
					l.report.wrong(fmt.Errorf("a request failed during a rolling restart: %w", err))
				}
			}
			l.retried.Add(1)
			time.Sleep(20 * time.Millisecond) // as a client does before it tries again
		}
	}
}

func (l *load) acknowledged() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.acked)
}

// answered returns when every replica takes work again.
func (l *load) answered(ctx context.Context) error {
	deadline := time.Now().Add(time.Minute)
	for _, r := range l.service.replicas {
		for !r.Ready(ctx) {
			if time.Now().After(deadline) || ctx.Err() != nil {
				return fmt.Errorf("%s does not answer again", r.Address)
			}
			time.Sleep(10 * time.Millisecond) // another process gives no signal
		}
	}
	return nil
}

// finish ends the load and looks at everything.
func (l *load) finish(ctx context.Context) (*report, error) {
	close(l.stopWriting)
	l.writing.Wait()
	if err := l.compare(ctx); err != nil {
		return nil, err
	}
	l.stop()
	l.watching.Wait()
	for _, r := range l.service.replicas {
		if err := r.Drain(); err != nil {
			l.report.wrong(fmt.Errorf("drain: %w", err))
		}
	}
	broken, err := l.service.broken(ctx)
	for _, b := range broken {
		l.report.wrong(errors.New(b))
	}
	r := &l.report
	r.Options, r.Acknowledged, r.Retried, r.Requests = l.service.options, l.acknowledged(), int(l.retried.Load()), int(l.asked.Load())
	return r, err
}

// compare reads every thread whole and compares it with what was acknowledged, and with what each subscriber got.
func (l *load) compare(ctx context.Context) error {
	last := map[string]int{}
	found := map[string]post{}
	bodies := map[string]int{}
	for _, thread := range l.threads {
		var after *string
		for {
			var out struct {
				Node struct {
					Posts struct {
						Edges []struct {
							Node struct {
								ID, Body string
								Seq      int
								Author   struct{ ID string }
							}
						}
						PageInfo struct {
							HasNextPage bool
							EndCursor   string
						}
					}
				}
			}
			err := l.ask(ctx, 0, 0, `query($t:ID!,$a:Cursor){node(id:$t){... on Thread{posts(first:100,after:$a){edges{node{id seq body author{id}}} pageInfo{hasNextPage endCursor}}}}}`,
				vars{"t": thread, "a": after}, &out)
			if err != nil {
				return fmt.Errorf("read a thread: %w", err)
			}
			for _, e := range out.Node.Posts.Edges {
				if e.Node.Seq != last[thread]+1 {
					l.report.wrong(fmt.Errorf("post %d follows post %d", e.Node.Seq, last[thread]))
				}
				last[thread] = e.Node.Seq
				found[e.Node.ID] = post{thread, e.Node.ID, e.Node.Seq, e.Node.Body}
				if e.Node.Seq > 1 {
					bodies[e.Node.Body]++
				}
			}
			if !out.Node.Posts.PageInfo.HasNextPage {
				break
			}
			cursor := out.Node.Posts.PageInfo.EndCursor
			after = &cursor
		}
	}
	for _, p := range l.acked {
		if found[p.id] != p {
			l.report.Lost++
		}
	}
	for _, n := range bodies {
		l.report.Doubled += n - 1
	}
	deadline := time.Now().Add(30 * time.Second)
	for _, w := range l.watchers {
		for w.count() < last[w.thread]-1 && time.Now().Before(deadline) && ctx.Err() == nil {
			time.Sleep(20 * time.Millisecond) // another process gives no signal
		}
		w.check(last[w.thread])
	}
	return nil
}

// report is what was seen.
type report struct {
	Options      options
	Requests     int
	Acknowledged int
	Retried      int
	Lost         int
	Doubled      int
	Events       int
	Resumed      int
	Late         time.Duration // the longest from a post's writing to its event
	Longest      time.Duration

	mu     sync.Mutex
	wrongs []error
}

func (r *report) wrong(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.wrongs) < 10 {
		r.wrongs = append(r.wrongs, err)
	}
}

// verdict prints the summary and returns what is wrong.
func (r *report) verdict() error {
	o := r.Options
	fmt.Printf("%s, %d replicas, %d × %s, wake-ups %v, seed %d: %d posts acknowledged of %d requests (%d retried), %d lost, %d doubled; %d events to %d subscribers that resumed %d times; answers again after %v at most\n",
		o.database, o.replicas, o.rounds, o.kill, o.wakeups, o.seed, r.Acknowledged, r.Requests, r.Retried, r.Lost, r.Doubled, r.Events, subscribers, r.Resumed, r.Longest.Round(time.Millisecond))
	if r.Lost > 0 || r.Doubled > 0 {
		r.wrong(errors.New("posts were lost or doubled"))
	}
	return errors.Join(r.wrongs...)
}
