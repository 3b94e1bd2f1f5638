package server

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/pursuing-equity/commons/internal/fault"
)

func TestHTTP(t *testing.T) {
	h := start(t, nil)
	get := func(params url.Values) string { return "/graphql?" + params.Encode() }
	doc := func(q string) url.Values { return url.Values{"query": {q}} }
	cases := []struct {
		name    string
		method  string
		path    string
		body    string
		headers []string
		status  int
		code    string
		media   string
	}{
		{"a query by POST", "POST", "/graphql", `{"query":"{hello}"}`, nil, 200, "", mediaJSON},
		{"the newer media type when it is asked for", "POST", "/graphql", `{"query":"{hello}"}`, []string{"Accept", mediaResponse}, 200, "", mediaResponse},
		{"the preferred type wins", "POST", "/graphql", `{"query":"{hello}"}`, []string{"Accept", mediaResponse + ";q=0.5, application/json"}, 200, "", mediaJSON},
		{"a tie goes to the first", "POST", "/graphql", `{"query":"{hello}"}`, []string{"Accept", mediaResponse + ", application/json, */*"}, 200, "", mediaResponse},
		{"no acceptable type", "POST", "/graphql", `{"query":"{hello}"}`, []string{"Accept", "image/png"}, 406, "NOT_ACCEPTABLE", mediaJSON},
		{"a foreign charset is not acceptable", "POST", "/graphql", `{"query":"{hello}"}`, []string{"Accept", "application/json; charset=utf-16"}, 406, "NOT_ACCEPTABLE", mediaJSON},
		{"a query by GET", "GET", get(doc("{hello}")), "", nil, 200, "", mediaJSON},
		{"variables by GET", "GET", get(url.Values{"query": {"query($n:String){hello(name:$n)}"}, "variables": {`{"n":"x"}`}}), "", nil, 200, "", mediaJSON},
		{"variables by GET must be an object", "GET", get(url.Values{"query": {"{hello}"}, "variables": {`[1]`}}), "", nil, 400, "BAD_REQUEST", mediaJSON},
		{"a parameter given twice", "GET", "/graphql?query={hello}&query={whoami}", "", nil, 400, "BAD_REQUEST", mediaJSON},
		{"GET without a query", "GET", "/graphql", "", nil, 400, "BAD_REQUEST", mediaJSON},
		{"GET with invalid UTF-8", "GET", "/graphql?query=%ff", "", nil, 400, "BAD_REQUEST", mediaJSON},
		{"a mutation by GET", "GET", get(doc("mutation{__typename}")), "", []string{"Authorization", "Bearer writer"}, 405, "METHOD_NOT_ALLOWED", mediaJSON},
		{"another method", "PUT", "/graphql", `{}`, nil, 405, "METHOD_NOT_ALLOWED", mediaJSON},
		{"another content type", "POST", "/graphql", `{"query":"{hello}"}`, []string{"Content-Type", "text/plain"}, 415, "UNSUPPORTED_MEDIA_TYPE", mediaJSON},
		{"no content type", "POST", "/graphql", `{"query":"{hello}"}`, []string{"Content-Type", ""}, 415, "UNSUPPORTED_MEDIA_TYPE", mediaJSON},
		{"another charset", "POST", "/graphql", `{"query":"{hello}"}`, []string{"Content-Type", "application/json; charset=latin1"}, 415, "UNSUPPORTED_MEDIA_TYPE", mediaJSON},
		{"a compressed body", "POST", "/graphql", `{"query":"{hello}"}`, []string{"Content-Encoding", "gzip"}, 415, "UNSUPPORTED_MEDIA_TYPE", mediaJSON},
		{"a body beyond the limit", "POST", "/graphql", `{"query":"` + strings.Repeat(" ", 64<<10) + `"}`, nil, 413, "PAYLOAD_TOO_LARGE", mediaJSON},
		{"a batch", "POST", "/graphql", `[{"query":"{hello}"}]`, nil, 400, "BAD_REQUEST", mediaJSON},
		{"a parse error for older clients", "POST", "/graphql", `{"query":"{"}`, nil, 200, "GRAPHQL_PARSE_FAILED", mediaJSON},
		{"a parse error for newer clients", "POST", "/graphql", `{"query":"{"}`, []string{"Accept", mediaResponse}, 400, "GRAPHQL_PARSE_FAILED", mediaResponse},
		{"a validation error", "POST", "/graphql", `{"query":"{nothing}"}`, []string{"Accept", mediaResponse}, 400, "GRAPHQL_VALIDATION_FAILED", mediaResponse},
		{"no operation", "POST", "/graphql", `{"query":"fragment f on Thing{id}"}`, []string{"Accept", mediaResponse}, 400, "GRAPHQL_VALIDATION_FAILED", mediaResponse},
		{"an unknown operation", "POST", "/graphql", `{"query":"query a{hello} query b{hello}","operationName":"c"}`, []string{"Accept", mediaResponse}, 400, "GRAPHQL_VALIDATION_FAILED", mediaResponse},
		{"a variable of the wrong type", "POST", "/graphql", `{"query":"query($n:Int){hello(n:$n)}","variables":{"n":"x"}}`, []string{"Accept", mediaResponse}, 400, "BAD_VARIABLES", mediaResponse},
		{"a number where a string is asked", "POST", "/graphql", `{"query":"query($n:String){hello(name:$n)}","variables":{"n":5}}`, []string{"Accept", mediaResponse}, 400, "BAD_VARIABLES", mediaResponse},
		{"a literal that fits no number", "POST", "/graphql", `{"query":"{hello(n:99999999999999999999999)}"}`, []string{"Accept", mediaResponse}, 400, "GRAPHQL_VALIDATION_FAILED", mediaResponse},
		{"a document beyond the cost", "POST", "/graphql", `{"query":"{things{things{things{things{things{things{id}}}}}}}"}`, []string{"Accept", mediaResponse}, 400, "COST_EXCEEDED", mediaResponse},
		{"a subscription without a stream", "POST", "/graphql", `{"query":"subscription{ticks}"}`, nil, 406, "NOT_ACCEPTABLE", mediaJSON},
		{"a bad token", "POST", "/graphql", `{"query":"{hello}"}`, []string{"Authorization", "Bearer bad"}, 401, "UNAUTHENTICATED", mediaJSON},
		{"another scheme", "POST", "/graphql", `{"query":"{hello}"}`, []string{"Authorization", "Basic eDp5"}, 401, "UNAUTHENTICATED", mediaJSON},
		{"the database is down", "POST", "/graphql", `{"query":"{hello}"}`, []string{"Authorization", "Bearer down"}, 503, "UNAVAILABLE", mediaJSON},
		{"a mutation by nobody", "POST", "/graphql", `{"query":"mutation{__typename}"}`, nil, 401, "UNAUTHENTICATED", mediaJSON},
		{"a mutation with a token that reads", "POST", "/graphql", `{"query":"mutation{__typename}"}`, []string{"Authorization", "Bearer reader", "Accept", mediaResponse}, 403, "INSUFFICIENT_SCOPE", mediaResponse},
		{"a mutation", "POST", "/graphql", `{"query":"mutation{__typename}"}`, []string{"Authorization", "Bearer writer"}, 200, "", mediaJSON},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			a := h.send(h.request(c.method, c.path, c.body, c.headers...))
			if a.StatusCode != c.status || a.code() != c.code {
				t.Errorf("got %d %q, want %d %q: %s", a.StatusCode, a.code(), c.status, c.code, a.body)
			}
			if got := a.Header.Get("Content-Type"); got != c.media+"; charset=utf-8" {
				t.Errorf("content type %q", got)
			}
			if c.code != "" && c.status != 200 && strings.Contains(a.body, `"data"`) {
				t.Errorf("data in %s", a.body)
			}
			if c.status == 405 && a.Header.Get("Allow") == "" {
				t.Error("no Allow header")
			}
			if c.status == 401 && a.Header.Get("WWW-Authenticate") == "" {
				t.Error("no WWW-Authenticate header")
			}
		})
	}
}

func TestErrors(t *testing.T) {
	h := start(t, func(c *Config) { c.Limits.Deadline = 300 * time.Millisecond })
	cases := []struct {
		name, doc string
		codes     []string
	}{
		{"a fault keeps its code", `{fail(how:"missing")}`, []string{"NOT_FOUND"}},
		{"a list of faults gives several errors", `{fail(how:"list")}`, []string{"INVALID_INPUT", "INVALID_INPUT"}},
		{"a wrapped fault keeps its code", `{fail(how:"wrapped")}`, []string{"FORBIDDEN"}},
		{"unavailable", `{fail(how:"down")}`, []string{"UNAVAILABLE"}},
		{"an unknown error", `{fail(how:"other")}`, []string{"INTERNAL"}},
		{"a panic", `{fail(how:"panic")}`, []string{"INTERNAL"}},
		{"a malformed id", `{node(id:"nonsense"){id}}`, []string{"INVALID_ID"}},
		{"an argument that does not fit", `query($m:Mode){hello(mode:$m)}`, []string{"BAD_VARIABLES"}},
		{"the deadline", `{slow}`, []string{"TIMEOUT"}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			a := h.query(c.doc, map[string]any{"m": "quiet"})
			var codes []string
			for _, e := range a.parsed.Errors {
				code, _ := e.Extensions["code"].(string)
				codes = append(codes, code)
				if len(e.Path) != 1 {
					t.Errorf("path %v", e.Path)
				}
			}
			if strings.Join(codes, " ") != strings.Join(c.codes, " ") || a.StatusCode != http.StatusOK {
				t.Fatalf("got %d %v, want %v", a.StatusCode, codes, c.codes)
			}
			if strings.Contains(a.body, "secret") || strings.Contains(a.body, "panic:") {
				t.Errorf("the cause leaks: %s", a.body)
			}
			if c.codes[0] == "INTERNAL" {
				id, _ := a.parsed.Errors[0].Extensions["errorId"].(string)
				logs := h.logs.String()
				if id == "" || !strings.Contains(logs, id) || !strings.Contains(logs, "secret cause") {
					t.Errorf("the log does not bear %q", id)
				}
			}
		})
	}
	t.Run("the path of a fault into the input is shown", func(t *testing.T) {
		a := h.query(`{fail(how:"list")}`, nil)
		if got := fmt.Sprint(a.parsed.Errors[1].Extensions["inputPath"]); got != "[body]" {
			t.Errorf("inputPath %v", got)
		}
	})
	t.Run("the path of a bad id leads into the argument", func(t *testing.T) {
		a := h.query(`mutation($i:RenameInput!){rename(input:$i)}`, map[string]any{"i": map[string]any{"id": "x", "title": "y"}}, "Authorization", "Bearer writer")
		if got := fmt.Sprint(a.parsed.Errors[0].Extensions["inputPath"]); a.code() != "INVALID_ID" || got != "[input id]" {
			t.Errorf("%s", a.body)
		}
	})
}

func TestExecutedResponsesShowTheLimits(t *testing.T) {
	h := start(t, func(c *Config) { c.RateLimit = true; c.Limits.RateBurst = 12; c.Limits.RatePerSec = 1 })
	a := h.query(`{things{id things{id}}}`, nil)
	cost, _ := a.parsed.Extensions["cost"].(map[string]any)
	if cost["requested"] != 110.0 || cost["limit"] != 500000.0 {
		t.Errorf("cost %v", cost)
	}
	rate, _ := a.parsed.Extensions["rateLimit"].(map[string]any)
	if rate["limit"] != 12.0 || rate["remaining"] != 10.0 || rate["resetAt"] == nil {
		t.Errorf("rate %v", rate)
	}
	t.Run("an empty bucket refuses and says when to come back", func(t *testing.T) {
		for a.StatusCode == http.StatusOK {
			a = h.query(`{hello}`, nil)
		}
		if a.StatusCode != http.StatusTooManyRequests || a.code() != "RATE_LIMITED" || a.Header.Get("Retry-After") == "" {
			t.Errorf("%d %s", a.StatusCode, a.body)
		}
	})
	t.Run("each viewer has a bucket", func(t *testing.T) {
		if a := h.query(`{hello}`, nil, "Authorization", "Bearer reader"); a.StatusCode != http.StatusOK {
			t.Errorf("%d %s", a.StatusCode, a.body)
		}
	})
}

func TestViewer(t *testing.T) {
	h := start(t, nil)
	if got := h.query(`{whoami}`, nil).parsed.Data["whoami"]; got != "anonymous" {
		t.Errorf("without a token: %v", got)
	}
	if got := h.query(`{whoami}`, nil, "Authorization", "bearer reader").parsed.Data["whoami"]; got != writerID.String() {
		t.Errorf("with a token: %v", got)
	}
	t.Run("an expired session is refused", func(t *testing.T) {
		h.mu.Lock()
		h.expires = time.Now().Add(-time.Second)
		h.mu.Unlock()
		if a := h.query(`{whoami}`, nil, "Authorization", "Bearer reader"); a.StatusCode != http.StatusUnauthorized {
			t.Errorf("%d %s", a.StatusCode, a.body)
		}
	})
}

func TestHealth(t *testing.T) {
	h := start(t, nil)
	get := func(path string) *answer { return h.send(h.request("GET", path, "")) }
	if a := get("/livez"); a.StatusCode != http.StatusOK {
		t.Errorf("livez: %d", a.StatusCode)
	}
	if a := get("/readyz"); a.StatusCode != http.StatusOK {
		t.Errorf("readyz: %d %s", a.StatusCode, a.body)
	}
	h.mu.Lock()
	h.ready = errors.New("secret cause")
	h.mu.Unlock()
	if a := get("/readyz"); a.StatusCode != http.StatusServiceUnavailable || strings.Contains(a.body, "secret") {
		t.Errorf("readyz: %d %s", a.StatusCode, a.body)
	}
	h.mu.Lock()
	h.ready = fault.New(fault.Unavailable, "Migrations are pending.")
	h.mu.Unlock()
	if a := get("/readyz"); a.StatusCode != http.StatusServiceUnavailable || !strings.Contains(a.body, "pending") {
		t.Errorf("readyz: %d %s", a.StatusCode, a.body)
	}
	if a := get("/schema.graphql"); a.body != toySDL {
		t.Errorf("schema: %d", a.StatusCode)
	}
	h.query(`{fail(how:"missing")}`, nil)
	if a := get("/metrics"); !strings.Contains(a.body, `commons_graphql_operations_total{code="NOT_FOUND",type="query"} 1`) {
		t.Errorf("metrics: %s", a.body)
	}
}

func TestBrowsers(t *testing.T) {
	h := start(t, func(c *Config) {
		c.AllowedOrigins = []string{"https://app.example"}
		c.PublicURL = "https://commons.example"
	})
	const body = `{"query":"{hello}"}`
	t.Run("every answer has the security headers", func(t *testing.T) {
		for _, path := range []string{"/graphql", "/livez", "/nothing"} {
			a := h.send(h.request("GET", path, ""))
			for _, name := range []string{"X-Content-Type-Options", "Referrer-Policy", "Content-Security-Policy", "Strict-Transport-Security", "X-Request-Id"} {
				if a.Header.Get(name) == "" {
					t.Errorf("%s: no %s", path, name)
				}
			}
		}
	})
	t.Run("a preflight from an allowed origin is answered", func(t *testing.T) {
		a := h.send(h.request("OPTIONS", "/graphql", "", "Origin", "https://app.example", "Access-Control-Request-Method", "POST"))
		if a.StatusCode != http.StatusNoContent || a.Header.Get("Access-Control-Allow-Origin") != "https://app.example" {
			t.Errorf("%d %v", a.StatusCode, a.Header)
		}
	})
	t.Run("a preflight from another origin allows nothing", func(t *testing.T) {
		a := h.send(h.request("OPTIONS", "/graphql", "", "Origin", "https://evil.example", "Access-Control-Request-Method", "POST"))
		if a.Header.Get("Access-Control-Allow-Origin") != "" {
			t.Errorf("%v", a.Header)
		}
	})
	t.Run("an allowed origin may post", func(t *testing.T) {
		if a := h.post(body, "Origin", "https://app.example", "Sec-Fetch-Site", "cross-site"); a.StatusCode != http.StatusOK || a.Header.Get("Access-Control-Allow-Origin") == "" {
			t.Errorf("%d %s", a.StatusCode, a.body)
		}
	})
	t.Run("another site may not post", func(t *testing.T) {
		if a := h.post(body, "Origin", "https://evil.example", "Sec-Fetch-Site", "cross-site"); a.StatusCode != http.StatusForbidden || a.code() != "FORBIDDEN" {
			t.Errorf("%d %s", a.StatusCode, a.body)
		}
	})
	t.Run("wrong configuration is named", func(t *testing.T) {
		for _, origin := range []string{"*", "app.example", "https://app.example/"} {
			_, err := New(Config{Schema: h.toy, Authenticate: h.authenticate, AllowedOrigins: []string{origin}})
			if err == nil || !strings.Contains(err.Error(), "AllowedOrigins") {
				t.Errorf("%s: %v", origin, err)
			}
		}
	})
}

func TestLogs(t *testing.T) {
	h := start(t, nil)
	a := h.query(`query Asked($n:String){hello(name:$n)}`, map[string]any{"n": "confidential"}, "Authorization", "Bearer writer", "X-Request-Id", "req-1")
	if a.Header.Get("X-Request-Id") != "req-1" {
		t.Errorf("request id %q", a.Header.Get("X-Request-Id"))
	}
	h.query(`{hello}`, nil, "X-Request-Id", "bad id\t")
	h.stop()
	if err := receive(t, h.served, "the end"); err != nil {
		t.Error(err)
	}
	h.served <- nil
	logs := h.logs.String()
	for _, want := range []string{`"request_id":"req-1"`, `"name":"Asked"`, `"operation":"query"`, `"cost":1`, `"viewer":"` + writerID.String(), `"status":200`} {
		if !strings.Contains(logs, want) {
			t.Errorf("no %s in %s", want, logs)
		}
	}
	for _, secret := range []string{"confidential", "Bearer", "hello", "bad id"} {
		if strings.Contains(logs, secret) {
			t.Errorf("the log holds %q", secret)
		}
	}
}

func TestExplorer(t *testing.T) {
	h := start(t, func(c *Config) {
		c.Explorer = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Security-Policy", "default-src 'self'")
			_, _ = w.Write([]byte("explorer")) // read below
		})
	})
	for path, status := range map[string]int{"/": 200, "/explorer/app.js": 200, "/nothing": 404} {
		a := h.send(h.request("GET", path, ""))
		if a.StatusCode != status {
			t.Errorf("%s: %d", path, a.StatusCode)
		}
		if own := a.Header.Get("Content-Security-Policy") == "default-src 'self'"; own != (status == 200) {
			t.Errorf("%s: policy %q", path, a.Header.Get("Content-Security-Policy"))
		}
	}
}
