package apitest_test

import (
	"bufio"
	"bytes"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
	"unicode/utf16"

	"github.com/gorilla/websocket"

	"github.com/pursuing-equity/commons/ent/space"
	"github.com/pursuing-equity/commons/internal/apitest"
	"github.com/pursuing-equity/commons/internal/apitest/database"
	"github.com/pursuing-equity/commons/internal/gid"
	"github.com/pursuing-equity/commons/internal/server"
)

// attacked is a server under attack, and who is there.
type attacked struct {
	*apitest.World
	t                        *testing.T // of the one attack
	member, outsider, greedy *apitest.Person
	visible, hidden          gid.ID // threads: for the member, and for neither
	streams                  *http.Client
	log                      *logs
	seen                     []string // what was answered, to be searched for what must not be in it
}

// refused is an attack by one document.
func refused(code, document string, v vars) func(*attacked) {
	return func(a *attacked) {
		if len(document) > 63<<10 {
			a.t.Fatalf("%d bytes: the body's limit would stand in the way", len(document))
		}
		r := a.member.Do(document, v)
		a.seen = append(a.seen, r.Body)
		if r.Code() != code || r.Data != nil {
			a.t.Errorf("answered %q, want %q: %.400s", r.Code(), code, r.Body)
		}
	}
}

// refusedBody is an attack by the bytes of one body.
func refusedBody(status int, body string) func(*attacked) {
	return func(a *attacked) {
		if got, answer := a.send("POST", "/graphql", strings.NewReader(body), "Content-Type", "application/json"); got != status {
			a.t.Errorf("status %d, want %d: %.400s", got, status, answer)
		}
	}
}

func (a *attacked) answered(r *apitest.Response) {
	a.t.Helper()
	a.seen = append(a.seen, r.Body)
	if r.Code() != "" {
		a.t.Errorf("%.400s", r.Body)
	}
}

// send sends a request as the member. It does not keep the connection.
func (a *attacked) send(method, path string, body io.Reader, headers ...string) (status int, answer string) {
	a.t.Helper()
	req, err := http.NewRequestWithContext(a.t.Context(), method, a.URL+path, body)
	if err != nil {
		a.t.Fatal(err)
	}
	req.Close = true
	req.Header.Set("Authorization", "Bearer "+a.member.Token())
	for pair := range slices.Chunk(headers, 2) {
		req.Header.Set(pair[0], pair[1])
	}
	client := &http.Client{Timeout: 30 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	resp, err := client.Do(req)
	if err != nil {
		a.t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	text, _ := io.ReadAll(resp.Body)
	a.seen = append(a.seen, string(text))
	return resp.StatusCode, string(text)
}

// raw sends bytes and returns all that comes until the server closes, or for a second.
func (a *attacked) raw(text string) string {
	a.t.Helper()
	conn, err := new(net.Dialer).DialContext(a.t.Context(), "tcp", strings.TrimPrefix(a.URL, "http://"))
	if err != nil {
		a.t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	_ = conn.SetDeadline(time.Now().Add(time.Second))
	go func() { _, _ = io.WriteString(conn, text) }() // the server may not read it all
	answer, _ := io.ReadAll(conn)
	return string(answer)
}

// dial opens a websocket, or returns the status of the refusal.
func (a *attacked) dial(headers ...string) (conn *websocket.Conn, status int) {
	a.t.Helper()
	header := http.Header{}
	for pair := range slices.Chunk(headers, 2) {
		header.Set(pair[0], pair[1])
	}
	dialer := websocket.Dialer{Subprotocols: []string{"graphql-transport-ws"}, HandshakeTimeout: 10 * time.Second}
	conn, resp, err := dialer.DialContext(a.t.Context(), "ws"+strings.TrimPrefix(a.URL, "http")+"/graphql", header)
	if resp != nil {
		status = resp.StatusCode
		_ = resp.Body.Close()
	}
	if err != nil {
		return nil, status
	}
	_ = conn.SetReadDeadline(time.Now().Add(time.Minute))
	a.t.Cleanup(func() { _ = conn.Close() })
	return conn, status
}

// connect opens a websocket and signs the member in.
func (a *attacked) connect() *websocket.Conn {
	a.t.Helper()
	conn, status := a.dial("Authorization", "Bearer "+a.member.Token())
	if conn == nil {
		a.t.Fatalf("no websocket: %d", status)
	}
	_ = conn.WriteMessage(websocket.TextMessage, []byte(`{"type":"connection_init"}`))
	var m apitest.Message
	if err := conn.ReadJSON(&m); err != nil || m.Type != "connection_ack" {
		a.t.Fatalf("no acknowledgement: %+v %v", m, err)
	}
	return conn
}

// closed is the code with which the server closes a websocket.
func (a *attacked) closed(conn *websocket.Conn) int {
	a.t.Helper()
	for {
		_, _, err := conn.ReadMessage()
		if e, ok := err.(*websocket.CloseError); ok { //nolint:errorlint // gorilla returns it bare
			return e.Code
		}
		if err != nil {
			a.t.Fatalf("no close frame: %v", err)
		}
	}
}

// logs fails the attack if the server's log holds one of the texts.
func (a *attacked) logs(texts ...string) {
	a.t.Helper()
	for _, text := range texts {
		if a.log.holds(text) {
			a.t.Errorf("the log holds %q", text)
		}
	}
}

func utf16Text(s string) string {
	var b bytes.Buffer
	b.WriteString("\xff\xfe")
	for _, u := range utf16.Encode([]rune(s)) {
		b.Write([]byte{byte(u), byte(u >> 8)})
	}
	return b.String()
}

// inside is what no answer may show: SQL, drivers, Go and its paths.
var inside = regexp.MustCompile(`(?i)\bpq:|sqlite|\bSELECT\b.*\bFROM\b|constraint|\bent\.|\*?gid\.ID|runtime error|goroutine|\.go:\d|/root/|/home/|internal/|panic`)

// TestAttacks tries the whole list on both databases, one attack at a time and nothing beside it: a hostile request costs at most
// 100 ms of CPU, its sender's part counted in, and the next ordinary request is answered.
func TestAttacks(t *testing.T) { //nolint:paralleltest // it measures the process
	list := attacks()
	if len(list) < 60 {
		t.Errorf("only %d attacks", len(list))
	}
	names := map[string]bool{}
	for _, at := range list {
		if names[at.name] || at.name == "" || at.defence == "" || (at.try == nil) == (at.tests == "") {
			t.Errorf("%q: a name of its own, a defence, and either an attempt or a test", at.name)
		}
		names[at.name] = true
		if at.tests != "" {
			testExists(t, at.tests)
		}
	}
	for name, open := range map[string]func(testing.TB) string{"sqlite": database.SQLite, "postgres": database.Postgres} {
		t.Run(name, func(t *testing.T) {
			log := new(logs)
			w := apitest.Serve(t, open(t), apitest.Rates(), apitest.Log(log), apitest.Limits(server.Limits{RateBurst: 10_000_000, RatePerSec: 1}))
			a := &attacked{World: w, log: log, streams: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 1}}}
			a.member, a.outsider, a.greedy = w.Member("member"), w.Member("outsider"), w.Member("greedy")
			insider := w.Member("insider")
			a.visible = w.Thread(a.member, w.Space(space.KindNETWORK, "Network", a.member, a.greedy), "Open", "first")
			a.hidden = w.Thread(insider, w.Space(space.KindAFFINITY, "Hidden", insider), "Hidden", "first")
			a.member.Must(`{ viewer { id } }`, nil)
			dearest, which := time.Duration(0), ""
			for _, at := range list {
				if at.try == nil {
					continue
				}
				t.Run(at.name, func(t *testing.T) {
					a.t, a.T, a.seen = t, t, nil
					before := cpu(t)
					at.try(a)
					took := (cpu(t) - before) / time.Duration(max(at.times, 1))
					if took > dearest {
						dearest, which = took, at.name
					}
					if took > 100*time.Millisecond*raceFactor {
						t.Errorf("a request took %v of CPU", took)
					}
					for _, answer := range a.seen {
						if leak := inside.FindString(answer); leak != "" {
							t.Errorf("the answer shows %q: %.300s", leak, answer)
						}
					}
					if r := a.member.Do(`query($id: ID!) { node(id: $id) { id } }`, vars{"id": a.visible}); r.String("node.id") != a.visible.String() {
						t.Errorf("the next request: %s", r.Body)
					}
				})
			}
			a.T = t
			t.Logf("%d attacks; the dearest request took %v of CPU: %s", len(list), dearest, which)
		})
	}
}

// cpu is what this process has used.
func cpu(t *testing.T) time.Duration {
	t.Helper()
	var use syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &use); err != nil {
		t.Fatal(err)
	}
	return time.Duration(use.Utime.Nano() + use.Stime.Nano())
}

// testExists fails when a package has no such test any more: "server TestName/the name of a case".
func testExists(t *testing.T, name string) {
	t.Helper()
	dir, rest, _ := strings.Cut(name, " ")
	function, sub, hasSub := strings.Cut(rest, "/")
	files, _ := filepath.Glob(filepath.Join("..", dir, "*_test.go"))
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Contains(text, []byte("func "+function+"(")) {
			continue
		}
		plain := strings.TrimSuffix(sub, " is refused") // some tests add it to the names of their cases
		if hasSub && !bytes.Contains(text, []byte(`"`+sub+`"`)) && !bytes.Contains(text, []byte(`"`+plain+`"`)) {
			t.Errorf("%s has no case %q", function, sub)
		}
		return
	}
	t.Errorf("there is no test %s in internal/%s", function, dir)
}

// Clients who send slowly are cut, however many they are, and others do not notice.
func TestSlowSenders(t *testing.T) {
	apitest.Each(t, func(w *apitest.World) {
		ada := w.Member("ada")
		drip := func(t *testing.T, head, rest string) {
			conns := make([]net.Conn, 50)
			for i := range conns {
				conn, err := new(net.Dialer).DialContext(t.Context(), "tcp", strings.TrimPrefix(w.URL, "http://"))
				if err != nil {
					t.Fatal(err)
				}
				conns[i] = conn
				t.Cleanup(func() { _ = conn.Close() })
				if _, err := io.WriteString(conn, head); err != nil {
					t.Fatal(err)
				}
			}
			go func() {
				tick := time.NewTicker(100 * time.Millisecond)
				defer tick.Stop()
				for i := range len(rest) {
					for _, conn := range conns {
						_, _ = io.WriteString(conn, rest[i:i+1])
					}
					select {
					case <-tick.C:
					case <-t.Context().Done():
						return
					}
				}
			}()
			ada.Must(`{ viewer { id } }`, nil)
			for _, conn := range conns {
				_ = conn.SetReadDeadline(time.Now().Add(15 * time.Second))
				if _, err := io.Copy(io.Discard, bufio.NewReader(conn)); err != nil {
					if e, ok := err.(net.Error); ok && e.Timeout() { //nolint:errorlint // of the connection itself
						t.Fatal("a slow sender is still there")
					}
				}
			}
		}
		w.T.Run("headers that come a byte at a time", func(t *testing.T) {
			drip(t, "POST /graphql HTTP/1.1\r\nHost: a\r\n", "X-A: "+strings.Repeat("b", 1000))
		})
		w.T.Run("a body that comes a byte at a time", func(t *testing.T) {
			drip(t, "POST /graphql HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n", `{"query":"`+strings.Repeat(" ", 1000))
		})
	}, apitest.Limits(server.Limits{Deadline: 2 * time.Second}))
}

// logs keeps what a server writes.
type logs struct {
	mu   sync.Mutex
	text strings.Builder
}

// Write is for slog.
func (l *logs) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *logs) holds(text string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Contains(l.text.String(), text)
}
