package server

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
)

func contains(s, part string) bool { return strings.Contains(s, part) }
func escaped(s string) string      { return url.QueryEscape(s) }

func sha(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

// persisted is Apollo's extension.
func persisted(hash string) map[string]any {
	return map[string]any{"persistedQuery": map[string]any{"version": 1, "sha256Hash": hash}}
}

func (h *harness) sendJSON(body map[string]any) *answer {
	h.t.Helper()
	return h.post(string(appendJSON(nil, body)), "Accept", mediaResponse)
}

func TestAutomaticPersistedQueries(t *testing.T) {
	h := start(t, nil)
	const doc = `query Named($name: String) { hello(name: $name) }`
	const other = `{ other: hello }`
	t.Run("the text of a hash that nobody sent is asked for", func(t *testing.T) {
		if a := h.sendJSON(map[string]any{"extensions": persisted(sha(doc))}); a.code() != "PERSISTED_QUERY_NOT_FOUND" || a.parsed.Errors[0].Message != "PersistedQueryNotFound" {
			t.Errorf("%d %s", a.StatusCode, a.body)
		}
	})
	t.Run("a document that was sent without its hash is not found by it", func(t *testing.T) {
		if a := h.sendJSON(map[string]any{"query": doc}); a.StatusCode != http.StatusOK {
			t.Errorf("%d %s", a.StatusCode, a.body)
		}
		if a := h.sendJSON(map[string]any{"extensions": persisted(sha(doc))}); a.code() != "PERSISTED_QUERY_NOT_FOUND" {
			t.Errorf("%d %s", a.StatusCode, a.body)
		}
	})
	t.Run("a wrong hash is refused, and registers nothing", func(t *testing.T) {
		if a := h.sendJSON(map[string]any{"query": other, "extensions": persisted(sha(doc))}); a.code() != "BAD_REQUEST" {
			t.Errorf("%d %s", a.StatusCode, a.body)
		}
		if a := h.sendJSON(map[string]any{"extensions": persisted(sha(doc))}); a.code() != "PERSISTED_QUERY_NOT_FOUND" {
			t.Errorf("%d %s", a.StatusCode, a.body)
		}
	})
	t.Run("an invalid document is not registered", func(t *testing.T) {
		const invalid = `{ nothing }`
		if a := h.sendJSON(map[string]any{"query": invalid, "extensions": persisted(sha(invalid))}); a.code() != "GRAPHQL_VALIDATION_FAILED" {
			t.Errorf("%d %s", a.StatusCode, a.body)
		}
		if a := h.sendJSON(map[string]any{"extensions": persisted(sha(invalid))}); a.code() != "PERSISTED_QUERY_NOT_FOUND" {
			t.Errorf("%d %s", a.StatusCode, a.body)
		}
	})
	for name, extensions := range map[string]string{
		"another version": `{"persistedQuery":{"version":2,"sha256Hash":"` + sha(doc) + `"}}`,
		"a short hash":    `{"persistedQuery":{"version":1,"sha256Hash":"abc"}}`,
		"a path":          `{"persistedQuery":{"version":1,"sha256Hash":"../../../../etc/passwd"}}`,
		"a list":          `{"persistedQuery":[]}`,
	} {
		t.Run(name+" is refused", func(t *testing.T) {
			if a := h.post(`{"query":"{hello}","extensions":` + extensions + `}`); a.code() != "BAD_REQUEST" {
				t.Errorf("%d %s", a.StatusCode, a.body)
			}
		})
	}

	if a := h.sendJSON(map[string]any{"query": doc, "extensions": persisted(strings.ToUpper(sha(doc))), "variables": map[string]any{"name": "a"}}); a.parsed.Data["hello"] != "hello a" {
		t.Fatalf("registering: %d %s", a.StatusCode, a.body)
	}
	t.Run("the hash alone serves by POST", func(t *testing.T) {
		if a := h.sendJSON(map[string]any{"extensions": persisted(sha(doc)), "variables": map[string]any{"name": "b"}}); a.parsed.Data["hello"] != "hello b" {
			t.Errorf("%d %s", a.StatusCode, a.body)
		}
	})
	t.Run("and as documentId", func(t *testing.T) {
		for _, id := range []string{sha(doc), "sha256:" + sha(doc)} {
			if a := h.sendJSON(map[string]any{"documentId": id}); a.StatusCode != http.StatusOK {
				t.Errorf("%d %s", a.StatusCode, a.body)
			}
		}
		if a := h.sendJSON(map[string]any{"documentId": "unknown"}); a.code() != "PERSISTED_QUERY_NOT_FOUND" {
			t.Errorf("%d %s", a.StatusCode, a.body)
		}
		if a := h.sendJSON(map[string]any{"documentId": sha(doc), "extensions": persisted(sha(other))}); a.code() != "BAD_REQUEST" {
			t.Errorf("%d %s", a.StatusCode, a.body)
		}
	})
	t.Run("and by GET", func(t *testing.T) {
		for _, params := range []url.Values{
			{"extensions": {string(appendJSON(nil, persisted(sha(doc))))}, "variables": {`{"name":"c"}`}}, {"documentId": {sha(doc)}, "variables": {`{"name":"c"}`}},
		} {
			if a := h.send(h.request("GET", "/graphql?"+params.Encode(), "")); a.parsed.Data["hello"] != "hello c" {
				t.Errorf("%d %s", a.StatusCode, a.body)
			}
		}
	})
	t.Run("and on a websocket", func(t *testing.T) {
		p := h.connect()
		p.say(fmt.Sprintf(`{"id":"q","type":"subscribe","payload":{"extensions":%s}}`, appendJSON(nil, persisted(sha(doc)))))
		if payload := p.want("next", "q"); !contains(payload, "hello") {
			t.Errorf("%s", payload)
		}
		p.want("complete", "q")
		p.say(fmt.Sprintf(`{"id":"q","type":"subscribe","payload":{"documentId":%q}}`, sha(other)))
		if payload := p.want("error", "q"); !contains(payload, "PERSISTED_QUERY_NOT_FOUND") {
			t.Errorf("%s", payload)
		}
	})
	t.Run("and for an event stream", func(t *testing.T) {
		h.sendJSON(map[string]any{"query": subscribeDoc, "extensions": persisted(sha(subscribeDoc))})
		s := h.open(h.request("GET", "/graphql?"+url.Values{"documentId": {sha(subscribeDoc)}}.Encode(), "", "Last-Event-ID", "c7"))
		if after := receive(t, h.opened, "the subscription"); after != "c7" {
			t.Errorf("after %q", after)
		}
		_ = s.resp.Body.Close()
		receive(t, h.closed, "the end")
	})
	t.Run("a mutation by GET stays refused", func(t *testing.T) {
		const mutation = `mutation{__typename}`
		h.post(string(appendJSON(nil, map[string]any{"query": mutation, "extensions": persisted(sha(mutation))})), "Authorization", "Bearer writer")
		if a := h.send(h.request("GET", "/graphql?documentId="+sha(mutation), "", "Authorization", "Bearer writer")); a.code() != "METHOD_NOT_ALLOWED" {
			t.Errorf("%d %s", a.StatusCode, a.body)
		}
	})
	t.Run("the cache is bounded", func(t *testing.T) {
		d := newTestDocuments()
		d.limits.DocumentCacheBytes = 10_000
		for i := range 100 {
			text := fmt.Sprintf("{a%d:hello}", i)
			if _, err := d.find(&request{Query: text, Hash: sha(text)}); err != nil {
				t.Fatal(err)
			}
		}
		if d.bytes > 10_000 || d.recent.Len() != len(d.byHash) {
			t.Errorf("%d bytes, %d documents, %d hashes", d.bytes, d.recent.Len(), len(d.byHash))
		}
	})
}

func TestTrustedDocuments(t *testing.T) {
	const hello, events = `query Hello { hello }`, `subscription S($after: Cursor){events(topic:"t",after:$after){cursor text}}`
	h := start(t, func(c *Config) {
		c.TrustedDocuments = map[string]string{"0f1e2d": hello, sha(events): events, "introspection": `{ __schema { types { name } } }`}
	})
	run := func(body map[string]any) string {
		a := h.sendJSON(body)
		if a.StatusCode == http.StatusOK {
			return "ok"
		}
		return a.code()
	}
	for name, c := range map[string]struct {
		body map[string]any
		want string
	}{
		"by the manifest's name":                 {map[string]any{"documentId": "0f1e2d"}, "ok"},
		"by the SHA-256 of its text":             {map[string]any{"documentId": "sha256:" + sha(hello)}, "ok"},
		"by Apollo's extension":                  {map[string]any{"extensions": persisted(sha(hello))}, "ok"},
		"by its text":                            {map[string]any{"query": hello}, "ok"},
		"by its text and its name":               {map[string]any{"query": hello, "documentId": "0f1e2d"}, "ok"},
		"introspection that is listed":           {map[string]any{"documentId": "introspection"}, "ok"},
		"another text":                           {map[string]any{"query": `{ hello }`}, "DOCUMENT_NOT_TRUSTED"},
		"another text under a good name":         {map[string]any{"query": `{ hello }`, "documentId": "0f1e2d"}, "DOCUMENT_NOT_TRUSTED"},
		"another text with its own hash":         {map[string]any{"query": `{ hello }`, "extensions": persisted(sha(`{ hello }`))}, "DOCUMENT_NOT_TRUSTED"},
		"another introspection":                  {map[string]any{"query": `{ __schema { queryType { name } } }`}, "DOCUMENT_NOT_TRUSTED"},
		"a trusted text with a space behind":     {map[string]any{"query": hello + " "}, "DOCUMENT_NOT_TRUSTED"},
		"a text that does not even parse":        {map[string]any{"query": `{`}, "DOCUMENT_NOT_TRUSTED"},
		"an unknown name":                        {map[string]any{"documentId": "fedcba"}, "PERSISTED_QUERY_NOT_FOUND"},
		"an unknown hash":                        {map[string]any{"extensions": persisted(sha("x"))}, "PERSISTED_QUERY_NOT_FOUND"},
		"a text that was registered by somebody": {map[string]any{"extensions": persisted(sha(`{ hello }`))}, "PERSISTED_QUERY_NOT_FOUND"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := run(c.body); got != c.want {
				t.Errorf("got %s, want %s", got, c.want)
			}
		})
	}
	t.Run("on a websocket", func(t *testing.T) {
		p := h.connect()
		p.say(fmt.Sprintf(`{"id":"q","type":"subscribe","payload":{"documentId":%q}}`, sha(events)))
		receive(t, h.opened, "the subscription")
		p.subscribe("r", `{hello}`)
		if payload := p.want("error", "r"); !contains(payload, "DOCUMENT_NOT_TRUSTED") {
			t.Errorf("%s", payload)
		}
		_ = p.conn.Close()
		receive(t, h.closed, "the end")
	})
	t.Run("as an event stream", func(t *testing.T) {
		if a := h.send(h.request("GET", "/graphql?query="+escaped(eventsDoc), "", "Accept", mediaEvents)); a.code() != "DOCUMENT_NOT_TRUSTED" {
			t.Errorf("%d %s", a.StatusCode, a.body)
		}
	})
	t.Run("an invalid document stops the start and is named", func(t *testing.T) {
		for _, text := range []string{`{ nothing }`, `{`, ``, nested(16)} {
			_, err := New(Config{Schema: h.toy, Authenticate: h.authenticate, TrustedDocuments: map[string]string{"good": hello, "wrong": text}})
			if err == nil || !strings.Contains(err.Error(), `"wrong"`) {
				t.Errorf("%q: %v", text, err)
			}
		}
	})
}

func TestHiddenSchema(t *testing.T) {
	h := start(t, func(c *Config) { c.HideSchema = true })
	for _, doc := range []string{
		`{ __schema { types { name } } }`, `{ a: __type(name: "Query") { name } }`, `{ ...F } fragment F on Query { __schema { types { name } } }`,
		`{ hello __schema { nothing } }`, `subscription { __schema { types { name } } }`,
	} {
		if a := h.query(doc, nil); a.code() != "INTROSPECTION_DISABLED" || a.parsed.Data != nil {
			t.Errorf("%s: %d %s", doc, a.StatusCode, a.body)
		}
	}
	t.Run("__typename stays", func(t *testing.T) {
		if a := h.query(`{ __typename }`, nil); a.parsed.Data["__typename"] != "Query" {
			t.Errorf("%s", a.body)
		}
	})
	t.Run("errors suggest nothing", func(t *testing.T) {
		for _, doc := range []string{
			`{ helo }`, `{ hello(nam: "x") }`, `{ node(id: "x") { name } }`, `{ hello(mode: LOUDD) }`, `{ ...F } fragment F on Quer { hello }`, `{ thing }`,
			`mutation { rename(input: { idd: "x", title: "y" }) }`,
		} {
			a := h.query(doc, nil)
			if a.code() != "GRAPHQL_VALIDATION_FAILED" || strings.Contains(strings.ToLower(a.body), "did you mean") {
				t.Errorf("%s: %s", doc, a.body)
			}
		}
	})
	t.Run("the SDL is not served", func(t *testing.T) {
		a := h.send(h.request("GET", "/schema.graphql", ""))
		if a.StatusCode != http.StatusNotFound || a.code() != "INTROSPECTION_DISABLED" {
			t.Errorf("%d %s", a.StatusCode, a.body)
		}
	})
	t.Run("a trusted document that looks at it stops the start", func(t *testing.T) {
		_, err := New(Config{Schema: h.toy, Authenticate: h.authenticate, HideSchema: true, TrustedDocuments: map[string]string{"nosy": `{ __schema { types { name } } }`}})
		if err == nil || !strings.Contains(err.Error(), `"nosy"`) {
			t.Errorf("%v", err)
		}
	})
}

// A schema that is shown has suggestions in its errors: the two settings go together.
func TestShownSchema(t *testing.T) {
	h := start(t, nil)
	if a := h.query(`{ helo }`, nil); !strings.Contains(a.body, "Did you mean") {
		t.Errorf("%s", a.body)
	}
	if a := h.query(`{ __schema { types { name } } }`, nil); a.StatusCode != http.StatusOK {
		t.Errorf("%s", a.body)
	}
}
