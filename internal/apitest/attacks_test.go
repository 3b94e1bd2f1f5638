package apitest_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"net/http"
	"net/url"
	"runtime"
	"strings"
	"time"

	"github.com/gorilla/websocket"

	"github.com/pursuing-equity/commons/internal/apitest"
	"github.com/pursuing-equity/commons/internal/gid"
)

// An attack is one line of the list of what is tried against the server. Add yours to attacks.
type attack struct {
	name    string            // what somebody tries
	defence string            // what stands in the way
	try     func(a *attacked) // tries it, and checks the answer
	tests   string            // or the test that tries it, below internal/: "server TestCloseCodes/a binary message"
	times   int               // how many hostile requests try sends; 0 is one
}

// attacks is the list. Each fails without its defence.
func attacks() []attack {
	const aliasLimit, tokenLimit = "15 aliases of one field", "1,000 tokens"
	repeat := strings.Repeat
	numbered := func(n int, text string) string {
		var b strings.Builder
		for i := range n {
			b.WriteString(strings.ReplaceAll(text, "#", fmt.Sprint(i)))
		}
		return b.String()
	}
	return []attack{
		// Documents.
		{name: "one field under 1,000 names", defence: tokenLimit, try: refused("DOCUMENT_TOO_LARGE", "{"+numbered(1000, "a#:eventCursor ")+"}", nil)},
		{name: "one field under 300 names, within the tokens", defence: aliasLimit, try: refused("TOO_MANY_ALIASES", "{"+numbered(300, "a#:eventCursor ")+"}", nil)},
		{name: "names spread over nested levels", defence: aliasLimit + " in the whole document", try: refused("TOO_MANY_ALIASES",
			"{ cohorts(first: 1) { edges { node {"+numbered(8, "a#:id ")+"offering {"+numbered(8, "b#:id ")+"} } } } }", nil)},
		{name: "names spread over fragments", defence: aliasLimit + " in the whole document", try: refused("TOO_MANY_ALIASES",
			"{ viewer {"+numbered(16, "...F# ")+"} }"+numbered(16, "fragment F# on Member { a#: id } "), nil)},
		{name: "one field 10,000 times", defence: tokenLimit + ", before anything is parsed", try: refused("DOCUMENT_TOO_LARGE", "{"+repeat("eventCursor ", 10_000)[:60_000]+"}", nil)},
		{name: "one field 100 times, which validation compares pair by pair", defence: "15 times one name in one place", try: refused("TOO_MANY_ALIASES", "{"+repeat("eventCursor ", 100)+"}", nil)},
		{name: "300 fields that do not exist, each to be explained", defence: "ten mistakes are told at most", try: func(a *attacked) {
			r := a.member.Do("{"+numbered(300, "vieweer# ")+"}", nil)
			if r.Code() != "GRAPHQL_VALIDATION_FAILED" || len(r.Errors) > 10 {
				a.t.Errorf("%d errors: %s", len(r.Errors), r.Code())
			}
		}},
		{name: "2^100 spreads of fragments", defence: "each fragment is walked once", try: func(a *attacked) {
			a.member.Do("{ viewer { ...F0 ...F0 } }"+numbered(98, "fragment F# on Member{...G# ...G#}")+numbered(98, "fragment G# on Member{id}"), nil)
			var chain strings.Builder
			for i := range 97 {
				fmt.Fprintf(&chain, "fragment F%d on Member{...F%d ...F%d}", i, i+1, i+1)
			}
			if r := a.member.Do("{ viewer { ...F0 ...F0 } }"+chain.String()+"fragment F97 on Member{id}", nil); r.Code() != "" {
				a.t.Errorf("the chain: %s", r.Body)
			}
		}, times: 2},
		{name: "3^3 connections of 100 rows through fragments", defence: "the cost of a fragment counts where it is spread", try: refused("COST_EXCEEDED",
			"{"+numbered(3, "a#: cohorts(first:100) {...C} ")+"} fragment C on CohortConnection { edges { node {"+numbered(3, "a#: offering {...O} ")+"} } }"+
				"fragment O on Offering {"+numbered(3, "a#: cohorts(first:100) { edges { node { id } } } ")+"}", nil)},
		{name: "a cycle of fragments", defence: "validation", try: refused("GRAPHQL_VALIDATION_FAILED", "{ viewer { ...A } } fragment A on Member { ...B } fragment B on Member { ...A }", nil)},
		{name: "a page of 2^31-1 rows in pages of 2^31-1 rows", defence: "a page that is too large costs a full one, and is refused", try: func(a *attacked) {
			q := `query($n: Int!) { cohorts(first: $n) { edges { node { teams(first: $n) { edges { node { memberships(first: $n) { edges { cursor } } } } } } } } }`
			for _, n := range []any{math.MaxInt32, -1, math.MinInt32, 0, 101} {
				if r := a.member.Do(q, vars{"n": n}); r.Code() == "" || r.Code() == "INTERNAL" {
					a.t.Errorf("%v: %s", n, r.Body)
				}
			}
		}, times: 5},
		{name: "full pages in full pages in full pages", defence: "the cost multiplies", try: refused("COST_EXCEEDED",
			"{ cohorts(first:100) { edges { node { "+repeat("offering { cohorts(first:100) { edges { node { ", 2)+"id"+repeat(" } } } }", 2)+" } } } }", nil)},
		{name: "a cost that leaves 64 bits and begins again below nothing", defence: "the cost saturates", tests: "server TestCostSaturates"},
		{name: "numbers that fit no type", defence: "numbers are read before they are bound", try: func(a *attacked) {
			for _, n := range []string{"99999999999999999999", "-99999999999999999999", "9223372036854775808", "1e999", "1.5", "-0"} {
				if r := a.member.Do("{ cohorts(first: "+n+") { edges { cursor } } }", nil); r.Code() == "" || r.Code() == "INTERNAL" {
					a.t.Errorf("literal %s: %s", n, r.Body)
				}
				body := `{"query":"query($n: Int) { cohorts(first: $n) { edges { cursor } } }","variables":{"n":` + n + `}}`
				if r := a.member.Send([]byte(body)); r.Code() == "" || r.Code() == "INTERNAL" {
					a.t.Errorf("variable %s: %s", n, r.Body)
				}
			}
		}, times: 12},
		{name: "60 levels of fields", defence: "15 levels", try: refused("DOCUMENT_TOO_DEEP", "{ cohorts(first:1) { edges { node { "+repeat("offering { cohorts(first:1) { edges { node { ", 14)+"id"+repeat(" } } } }", 14)+" } } } }", nil)},
		{name: "60 levels of fields through fragments", defence: "the depth of a fragment counts where it is spread", try: refused("DOCUMENT_TOO_DEEP",
			"{ cohorts(first:1) { edges { node { ...F0 } } } }"+func() string {
				var b strings.Builder
				for i := range 14 {
					fmt.Fprintf(&b, "fragment F%d on Cohort { offering { cohorts(first:1) { edges { node { ...F%d } } } } } ", i, i+1)
				}
				return b.String() + "fragment F14 on Cohort { id }"
			}(), nil)},
		{name: "30,000 open braces", defence: tokenLimit, try: refused("DOCUMENT_TOO_LARGE", repeat("{a", 30_000), nil)},
		{name: "240 levels of input objects", defence: tokenLimit + ", then validation", try: refused("GRAPHQL_VALIDATION_FAILED",
			"mutation { createPost(input: "+repeat("{a:", 240)+"1"+repeat("}", 240)+") { post { id } } }", nil)},
		{name: "480 levels of lists", defence: tokenLimit + ", then validation", try: refused("GRAPHQL_VALIDATION_FAILED", "{ nodes(ids: "+repeat("[", 480)+`"x"`+repeat("]", 480)+") { id } }", nil)},
		{name: "450 directives at one place", defence: "5 directives at one place", try: refused("DOCUMENT_TOO_LARGE", "{ viewer "+repeat("@x", 450)+" { id } }", nil)},
		{name: "200 wrong directives, a few at each place", defence: "ten mistakes are told at most", try: refused("GRAPHQL_VALIDATION_FAILED", "{ viewer {"+repeat("...@x @y{id}", 100)+"} }", nil)},
		{name: "one directive twice, with different answers", defence: "validation", try: refused("GRAPHQL_VALIDATION_FAILED", "query($a: Boolean!) { viewer @skip(if: $a) @skip(if: true) { id } }", vars{"a": false})},
		{name: "a directive's variable of another type", defence: "variables are coerced before anything runs", try: func(a *attacked) {
			for _, v := range []any{nil, "true", 1, []any{true}, vars{}} {
				if r := a.member.Do("query($a: Boolean!) { viewer @skip(if: $a) { id } }", vars{"a": v}); r.Code() != "BAD_VARIABLES" {
					a.t.Errorf("%v: %s", v, r.Body)
				}
			}
		}, times: 5},
		{name: "skipped fields, to hide what a document costs", defence: "what is skipped counts", try: refused("COST_EXCEEDED",
			"query($no: Boolean = false) { cohorts(first:100) { edges { node { offering { cohorts(first:100) @include(if: $no) { edges { node { offering { cohorts(first:100) { edges { cursor } } } } } } } } } } }", nil)},
		{name: "240 variables that nobody uses", defence: "ten mistakes are told at most", try: refused("GRAPHQL_VALIDATION_FAILED", "query("+numbered(240, "$v#:Int ")+"){ viewer { id } }", nil)},
		{name: "190 operations in one document", defence: tokenLimit + "; one must be named", try: refused("GRAPHQL_VALIDATION_FAILED", numbered(190, "query Q#{ eventCursor }"), nil)},
		{name: "60 KiB of comments and commas", defence: "a body of 64 KiB, read once", try: func(a *attacked) {
			a.answered(a.member.Do(repeat("#,\n", 15_000)+"{ viewer { id } }", nil))
		}},
		{name: "types in types in types", defence: "20 levels of introspection", try: refused("DOCUMENT_TOO_DEEP", "{ __schema { types {"+repeat("ofType {", 30)+"name"+repeat("}", 30)+" } } }", nil)},
		{name: "fields of types of fields of types", defence: "validation's depth of introspection", try: refused("GRAPHQL_VALIDATION_FAILED", "{ __schema { types {"+repeat("fields { type {", 6)+"name"+repeat("} }", 6)+" } } }", nil)},
		{name: "@defer, to keep an answer open", defence: "every answer is one piece", tests: "server TestDocumentLimits/defer is ignored"},

		// What carries them.
		{name: "9,000 brackets in the variables", defence: "64 levels of JSON", try: refusedBody(http.StatusBadRequest, `{"query":"{ eventCursor }","variables":{"a":`+repeat("[", 9_000)+repeat("]", 9_000)+`}}`)},
		{name: "9,000 objects in the extensions", defence: "64 levels of JSON", try: refusedBody(http.StatusBadRequest, `{"query":"{ eventCursor }","extensions":`+repeat(`{"a":`, 9_000)+"1"+repeat("}", 9_000)+`}`)},
		{name: "a list of 10,000 operations", defence: "no batches", try: refusedBody(http.StatusBadRequest, "["+repeat("{},", 9_999)+"{}]")},
		{name: "variables of 60 KiB", defence: "at most 100 ids; texts have a length", try: func(a *attacked) {
			if r := a.member.Do("query($ids: [ID!]!) { nodes(ids: $ids) { id } }", vars{"ids": strings.Split(repeat("x,", 15_000), ",")}); r.Code() == "" || r.Code() == "INTERNAL" {
				a.t.Errorf("ids: %.300s", r.Body)
			}
			if r := a.member.Do("query($q: String!) { search(query: $q, first: 1) { edges { cursor } } }", vars{"q": repeat("ab ", 20_000)}); r.Code() == "" || r.Code() == "INTERNAL" {
				a.t.Errorf("search: %.300s", r.Body)
			}
		}, times: 2},
		{name: "a body of 200 KiB", defence: "64 KiB", try: refusedBody(http.StatusRequestEntityTooLarge, `{"query":"`+repeat(" ", 200<<10)+`"}`)},
		{name: "a body of 10 MiB that does not say how long it is", defence: "64 KiB", try: func(a *attacked) {
			if status, body := a.send("POST", "/graphql", io.MultiReader(strings.NewReader(`{"query":"`+repeat(" ", 10<<20))), "Content-Type", "application/json"); status != http.StatusRequestEntityTooLarge {
				a.t.Errorf("%d %s", status, body)
			}
		}},
		{name: "a key twice, for two readers to see two things", defence: "strict JSON", tests: "server TestReadRequest/a duplicate key is refused"},
		{name: "a key twice, once escaped", defence: "strict JSON", tests: "server TestReadRequest/a duplicate key, escaped is refused"},
		{name: "a byte order mark", defence: "strict JSON", try: refusedBody(http.StatusBadRequest, "\ufeff"+`{"query":"{ eventCursor }"}`)},
		{name: "UTF-16", defence: "JSON in UTF-8", try: refusedBody(http.StatusBadRequest, utf16Text(`{"query":"{ eventCursor }"}`))},
		{name: "invalid UTF-8 and half characters", defence: "strict JSON", tests: "server TestReadRequest/a lone high surrogate is refused"},
		{name: "half characters in the document's escapes", defence: "the scan of escapes", tests: "server TestScanDocument"},
		{name: "U+0000, which PostgreSQL does not store", defence: "strict JSON", tests: "server TestReadRequest/U+0000 in a variable is refused"},
		{name: "a compressed body, to unfold", defence: "no Content-Encoding", tests: "server TestHTTP/a compressed body"},
		{name: "a number beyond all numbers", defence: "strict JSON", tests: "server TestReadRequest/a number that is too large is refused"},
		{name: "a document by a wrong hash, to poison what others run", defence: "the hash is computed", tests: "server TestAutomaticPersistedQueries/a wrong hash is refused, and registers nothing"},
		{name: "a path for a hash", defence: "a hash is 64 digits", tests: "server TestAutomaticPersistedQueries/a path is refused"},
		{name: "a text under a trusted name", defence: "the text is compared", tests: "server TestTrustedDocuments/another text under a good name"},
		{name: "introspection where it is off, in a fragment", defence: "the document is searched", tests: "server TestHiddenSchema"},

		// Browsers.
		{name: "a form of another site", defence: "JSON only", try: func(a *attacked) {
			for media, body := range map[string]string{
				"application/x-www-form-urlencoded": "query=mutation{markNotificationsRead(input:{}){errors{code}}}",
				"text/plain":                        `{"query":"{ eventCursor }"}`,
				"multipart/form-data; boundary=x":   "--x\r\nContent-Disposition: form-data; name=\"operations\"\r\n\r\n{\"query\":\"{ eventCursor }\"}\r\n--x--\r\n",
				"application/graphql":               "{ eventCursor }",
				"application/json, text/plain":      `{"query":"{ eventCursor }"}`,
				"application/json;charset=utf-7":    `{"query":"{ eventCursor }"}`,
			} {
				if status, answer := a.send("POST", "/graphql", strings.NewReader(body), "Content-Type", media); status != http.StatusUnsupportedMediaType {
					a.t.Errorf("%s: %d %s", media, status, answer)
				}
			}
		}, times: 6},
		{name: "a mutation in a link", defence: "GET is for queries", tests: "server TestHTTP/a mutation by GET"},
		{name: "a mutation in a link, as a POST by a header", defence: "method overrides are not read", try: func(a *attacked) {
			doc := url.QueryEscape("mutation { markNotificationsRead(input: {}) { errors { code } } }")
			for _, header := range []string{"X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override"} {
				if status, body := a.send("GET", "/graphql?query="+doc+"&_method=POST", nil, header, "POST"); status != http.StatusMethodNotAllowed {
					a.t.Errorf("%s: %d %s", header, status, body)
				}
			}
		}, times: 3},
		{name: "a request from another site's page", defence: "cross-origin protection", tests: "server TestBrowsers/another site may not post"},
		{name: "a request from a page without an origin, such as a sandboxed frame", defence: "cross-origin protection", try: func(a *attacked) {
			for _, headers := range [][]string{{"Origin", "null"}, {"Origin", "null", "Sec-Fetch-Site", "cross-site"}} {
				if status, body := a.send("POST", "/graphql", strings.NewReader(`{"query":"{ eventCursor }"}`), append(headers, "Content-Type", "application/json")...); status != http.StatusForbidden {
					a.t.Errorf("%v: %d %s", headers, status, body)
				}
			}
		}, times: 2},
		{name: "a websocket from another site's page", defence: "the origin is checked before the upgrade", tests: "server TestCloseCodes/a page of another origin is refused"},
		{name: "a websocket from look-alike origins", defence: "the origin is compared whole", try: func(a *attacked) {
			host := strings.TrimPrefix(a.URL, "http://")
			for _, origin := range []string{"null", "http://" + host + ".evil.example", "http://evil.example/" + host, "http://" + host + "@evil.example", "file://", "http://evil.example?" + host} {
				if _, status := a.dial("Origin", origin); status != http.StatusForbidden {
					a.t.Errorf("%s: %d", origin, status)
				}
			}
		}, times: 6},
		{name: "a preflight from another site", defence: "the list of origins", tests: "server TestBrowsers/a preflight from another origin allows nothing"},

		// HTTP.
		{name: "a foreign or broken Host", defence: "no answer is made of it", try: func(a *attacked) {
			for _, head := range []string{
				"Host: evil.example", "Host: a\r\nHost: b", "Host: evil.example\"><script>", "Host: a\r\nX-Forwarded-Host: evil.example\r\nX-Original-URL: /metrics",
			} {
				answer := a.raw("GET /schema.graphql HTTP/1.1\r\n" + head + "\r\nConnection: close\r\n\r\n")
				if head, body, _ := strings.Cut(answer, "\r\n\r\n"); strings.Contains(head, "evil") || strings.Contains(body, "evil.example") || strings.Contains(body, "go_gc") {
					a.t.Errorf("%s: %.300s", head, answer)
				}
			}
		}, times: 4},
		{name: "40 KiB of headers", defence: "32 KiB of headers", try: func(a *attacked) {
			for _, headers := range []string{"X: " + repeat("x", 60<<10) + "\r\n", numbered(8_000, "X-#: y\r\n")} {
				if answer := a.raw("GET /livez HTTP/1.1\r\nHost: a\r\n" + headers + "\r\n"); !strings.HasPrefix(answer, "HTTP/1.1 431") {
					a.t.Errorf("%.200s", answer)
				}
			}
		}, times: 2},
		{name: "a document of 60 KiB in the URL", defence: "32 KiB of headers", try: func(a *attacked) {
			if answer := a.raw("GET /graphql?query=" + repeat("a", 60<<10) + " HTTP/1.1\r\nHost: a\r\n\r\n"); !strings.HasPrefix(answer, "HTTP/1.1 431") {
				a.t.Errorf("%.200s", answer)
			}
		}},
		{name: "two lengths of one body, to smuggle a second request", defence: "net/http refuses, or closes behind the first", try: func(a *attacked) {
			for _, lengths := range []string{"Content-Length: 5\r\nContent-Length: 50", "Content-Length: 5\r\nTransfer-Encoding: chunked, identity", "Transfer-Encoding: xchunked\r\nContent-Length: 3"} {
				answer := a.raw("POST /graphql HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n" + lengths + "\r\n\r\n0\r\n\r\nGET /livez HTTP/1.1\r\nHost: a\r\n\r\n")
				if strings.Contains(answer, `"alive"`) {
					a.t.Errorf("%s: %.300s", lengths, answer)
				}
			}
		}, times: 3},
		{name: "garbage behind a good request", defence: "the connection is closed", try: func(a *attacked) {
			answer := a.raw("GET /livez HTTP/1.1\r\nHost: a\r\n\r\n\x00\x16\x03\x01garbage\r\n\r\n")
			if !strings.HasPrefix(answer, "HTTP/1.1 200") || !strings.Contains(answer, "HTTP/1.1 400") {
				a.t.Errorf("%.300s", answer)
			}
		}},
		{name: "TRACE, to read back what a proxy added", defence: "GET and POST", try: func(a *attacked) {
			if status, body := a.send("TRACE", "/graphql", nil, "X-Secret", "echoed"); status != http.StatusMethodNotAllowed || strings.Contains(body, "echoed") {
				a.t.Errorf("%d %s", status, body)
			}
		}},
		{name: "a path out of the files that are served", defence: "only files of the bundle", try: func(a *attacked) {
			for _, path := range []string{"/explorer/assets/../../../../etc/passwd", "/explorer/assets/..%2f..%2f..%2fetc%2fpasswd", "/explorer/assets/%2e%2e/page.html.tmpl", "//etc/passwd"} {
				answer := a.raw("GET " + path + " HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
				if strings.Contains(answer, "root:") || strings.HasPrefix(answer, "HTTP/1.1 200") {
					a.t.Errorf("%s: %.200s", path, answer)
				}
			}
		}, times: 4},
		{name: "a request id that would break a line of the log", defence: "only harmless ids are taken over", try: func(a *attacked) {
			for _, id := range []string{`x" level=ERROR msg="owned`, "a\tb", "{}", repeat("x", 65), "\x1b[31m", "é"} {
				answer := a.raw("GET /livez HTTP/1.1\r\nHost: a\r\nConnection: close\r\nX-Request-Id: " + id + "\r\n\r\n")
				if strings.Contains(answer, id) {
					a.t.Errorf("%q: %.300s", id, answer)
				}
			}
		}, times: 6},
		{name: "an operation name that would break a line of the log", defence: "only a name of the document is logged", try: func(a *attacked) {
			for _, name := range []string{"x\nlevel=ERROR", "x\x1b[31m", `"}{"`} {
				body, _ := json.Marshal(map[string]any{"query": "query A { eventCursor } query B { eventCursor }", "operationName": name})
				if r := a.member.Send(body); r.Code() != "GRAPHQL_VALIDATION_FAILED" {
					a.t.Errorf("%q: %s", name, r.Body)
				}
			}
			a.logs("level=ERROR msg", "\x1b[31m", "\nlevel=ERROR")
		}, times: 3},
		{name: "secrets and texts in the log", defence: "tokens, variables and documents are not logged", tests: "server TestLogs"},
		{name: "headers that come a byte at a time", defence: "5 s for all headers", tests: "apitest TestSlowSenders/headers that come a byte at a time"},
		{name: "a body that comes a byte at a time", defence: "the deadline of a request", tests: "apitest TestSlowSenders/a body that comes a byte at a time"},
		{name: "a forged X-Forwarded-For, for a fresh budget", defence: "only trusted proxies are believed", tests: "server TestAddress/a peer who claims to be another"},
		{name: "a forged Forwarded behind a proxy that sets the other header", defence: "two that differ are not believed", tests: "server TestAddress/both, and one is the client's"},
		{name: "a fresh IPv6 address for each request", defence: "a /64 counts once", tests: "server TestAddress/an owner of IPv6 addresses counts once"},
		{name: "one budget on each replica", defence: "replicas share rates", tests: "apitest TestRatesHoldOverReplicas"},
		{name: "guesses at the limits, for nothing", defence: "a document that is refused costs points", try: func(a *attacked) {
			visitor := a.As("")
			before := visitor.Must("{ rateLimit { remaining } }", nil).Int("rateLimit.remaining")
			for range 10 {
				visitor.Do("{", nil)
			}
			if after := visitor.Must("{ rateLimit { remaining } }", nil).Int("rateLimit.remaining"); before-after < 40 {
				a.t.Errorf("%d points, then %d", before, after)
			}
		}, times: 10},
		{name: "all places for one viewer's slow operations", defence: "a share of the places for each", tests: "server TestPlaces/one viewer cannot hold all places, and others pass what waits"},
		{name: "1,000 event streams of one viewer", defence: "200 connections of one viewer", try: func(a *attacked) {
			ctx, cancel := context.WithCancel(a.t.Context())
			open := 0
			for range 1000 {
				req, err := http.NewRequestWithContext(ctx, http.MethodGet, a.URL+"/graphql?"+url.Values{"query": {`subscription { notificationEvents { cursor } }`}}.Encode(), nil)
				if err != nil {
					a.t.Fatal(err)
				}
				req.Header.Set("Accept", "text/event-stream")
				req.Header.Set("Authorization", "Bearer "+a.greedy.Token())
				resp, err := a.streams.Do(req)
				if err != nil {
					a.t.Fatal(err)
				}
				switch resp.StatusCode {
				case http.StatusOK:
					open++
				case http.StatusTooManyRequests:
					_, _ = io.Copy(io.Discard, resp.Body)
					_ = resp.Body.Close()
				default:
					a.t.Fatalf("status %d", resp.StatusCode)
				}
			}
			if open != 200 {
				a.t.Errorf("%d streams are open", open)
			}
			cancel()
			a.streams.CloseIdleConnections()
			a.Quiet()
		}, times: 1000},

		// Websockets.
		{name: "no connection_init", defence: "5 s", tests: "server TestCloseCodes/no init in time"},
		{name: "two connection_inits", defence: "4429", tests: "server TestCloseCodes/a second init"},
		{name: "subscribe before the acknowledgement", defence: "4401", tests: "server TestCloseCodes/subscribe before init"},
		{name: "a subprotocol of another time", defence: "4406", tests: "server TestCloseCodes/another subprotocol"},
		{name: "binary messages", defence: "4400", tests: "server TestCloseCodes/a binary message"},
		{name: "one id for two operations", defence: "4409", tests: "server TestCloseCodes/an operation's id used twice"},
		{name: "a 21st operation", defence: "20 on one socket", tests: "server TestSocketOperations/twenty operations and no more"},
		{name: "a mutation over a socket", defence: "mutations belong to POST", tests: "server TestSocketOperations/a mutation is refused"},
		{name: "a giant message", defence: "64 KiB", tests: "server TestCloseCodes/a message beyond the limit"},
		{name: "a giant message in 10,000 fragments", defence: "64 KiB over all fragments", try: func(a *attacked) {
			conn, _ := a.dial()
			w, err := conn.NextWriter(websocket.TextMessage)
			if err != nil {
				a.t.Fatal(err)
			}
			for range 10_000 {
				if _, err = w.Write([]byte("[[[[[[[[[[")); err != nil {
					break
				}
				if f, ok := w.(interface{ Flush() error }); ok {
					_ = f.Flush()
				}
			}
			if code := a.closed(conn); code != websocket.CloseMessageTooBig {
				a.t.Errorf("closed with %d", code)
			}
		}},
		{name: "a compressed message, to unfold", defence: "compression is not agreed to", try: func(a *attacked) {
			dialer := websocket.Dialer{Subprotocols: []string{"graphql-transport-ws"}, EnableCompression: true, HandshakeTimeout: 10 * time.Second}
			conn, resp, err := dialer.Dial("ws"+strings.TrimPrefix(a.URL, "http")+"/graphql", nil)
			if err != nil {
				a.t.Fatal(err)
			}
			_ = resp.Body.Close()
			defer func() { _ = conn.Close() }()
			if got := resp.Header.Get("Sec-Websocket-Extensions"); got != "" {
				a.t.Errorf("agreed to %s", got)
			}
		}},
		{name: "a compressed message that nobody agreed to", defence: "the reserved bit is an error", try: func(a *attacked) {
			conn, _ := a.dial()
			if _, err := conn.NetConn().Write([]byte{0xc1, 0x80, 0, 0, 0, 0}); err != nil { // text, final, RSV1, masked, empty
				a.t.Fatal(err)
			}
			if code := a.closed(conn); code != websocket.CloseProtocolError {
				a.t.Errorf("closed with %d", code)
			}
		}},
		{name: "JSON of 10,000 levels on a socket", defence: "64 levels of JSON", try: func(a *attacked) {
			conn := a.connect()
			_ = conn.WriteMessage(websocket.TextMessage, []byte(`{"id":"1","type":"subscribe","payload":{"query":"{ eventCursor }","variables":{"a":`+repeat("[", 9_000)+repeat("]", 9_000)+`}}}`))
			if code := a.closed(conn); code != 4400 {
				a.t.Errorf("closed with %d", code)
			}
		}},
		{name: "10,000 pings from one who does not read the answers", defence: "what waits for a socket is bounded", tests: "server TestSlowClients/a client that sends but does not read is cut"},
		{name: "10,000 pings from one who reads", defence: "a ping costs next to nothing", try: func(a *attacked) {
			conn := a.connect()
			go func() {
				for range 10_000 {
					_ = conn.WriteMessage(websocket.TextMessage, []byte(`{"type":"ping"}`))
				}
			}()
			for range 10_000 {
				if _, _, err := conn.ReadMessage(); err != nil {
					a.t.Fatal(err)
				}
			}
		}, times: 10_000},
		{name: "10,000 operations that begin and end", defence: "nothing of an operation stays", try: func(a *attacked) {
			before := runtime.NumGoroutine()
			conn := a.connect()
			for i := range 10_000 {
				_ = conn.WriteMessage(websocket.TextMessage, fmt.Appendf(nil, `{"id":"%d","type":"subscribe","payload":{"query":"subscription { notificationEvents { cursor } }"}}`, i))
				if err := conn.WriteMessage(websocket.TextMessage, fmt.Appendf(nil, `{"id":"%d","type":"complete"}`, i)); err != nil {
					a.t.Fatal(err)
				}
				if i%10 == 9 { // the one in ten that is waited for keeps the others within the rate
					_ = conn.WriteMessage(websocket.TextMessage, []byte(`{"type":"ping"}`))
					for kind := ""; kind != "pong"; {
						var m apitest.Message
						if err := conn.ReadJSON(&m); err != nil {
							a.t.Fatal(err)
						}
						kind = m.Type
					}
				}
			}
			_ = conn.Close()
			a.Quiet()
			a.Eventually(fmt.Sprintf("as many goroutines as before, %d", before), func() bool { return runtime.NumGoroutine() <= before+5 })
		}, times: 10_000},

		// Ids, cursors and errors.
		{name: "100 ids of all sorts at once", defence: "each is answered at its place, in one statement a kind", try: func(a *attacked) {
			ids := make([]any, 0, 100)
			kinds := []gid.Kind{gid.Organization, gid.Member, gid.Team, gid.Cohort, gid.Space, gid.Post, gid.Notification, gid.Resource, gid.AccessToken, gid.Password, gid.AuditEntry}
			for i := range 25 {
				ids = append(ids, a.visible, a.NewID(gid.Thread), a.hidden, a.NewID(kinds[i%len(kinds)]))
			}
			statements := a.Statements(func() {
				r := a.member.Do("query($ids: [ID!]!) { nodes(ids: $ids) { id } }", vars{"ids": ids})
				if r.Len("nodes") != 100 || len(r.Errors) != 75 {
					a.t.Errorf("%d nodes, %d errors: %.300s", r.Len("nodes"), len(r.Errors), r.Body)
				}
			})
			if statements > 40 {
				a.t.Errorf("%d statements", statements)
			}
			junk := []any{"", "x", "thr_", "../../etc", "1 OR 1=1", "'; DROP TABLE threads; --", repeat("z", 300), "thr_" + repeat("0", 26)}
			if r := a.member.Do("query($ids: [ID!]!) { nodes(ids: $ids) { id } }", vars{"ids": junk}); r.Code() != "INVALID_ID" {
				a.t.Errorf("junk: %.300s", r.Body)
			}
		}, times: 2},
		{name: "ids one bit beside a real one", defence: "hidden is missing", try: func(a *attacked) {
			answers := map[string]int{}
			for i := range 128 {
				id := a.hidden
				id[i/8] ^= 1 << (i % 8)
				r := a.outsider.Do(`query($id: ID!) { node(id: $id) { id } }`, vars{"id": id.String()})
				if r.Code() != "NOT_FOUND" && r.Code() != "INVALID_ID" {
					a.t.Errorf("bit %d: %s", i, r.Body)
				}
				answers[strings.ReplaceAll(r.Body, id.String(), "")]++
			}
			genuine := a.outsider.Do(`query($id: ID!) { node(id: $id) { id } }`, vars{"id": a.hidden.String()})
			if answers[genuine.Body] == 0 || len(answers) > 2 {
				a.t.Errorf("%d different answers: %v; the real one: %s", len(answers), answers, genuine.Body)
			}
		}, times: 129},
		{name: "cursors that were made up, changed or taken from another list", defence: "a cursor names its list, and is checked", try: func(a *attacked) {
			cursor := a.member.Must(`{ spaces(first: 1) { edges { cursor } } }`, nil).String("spaces.edges.0.cursor")
			flipped := []byte(cursor)
			flipped[len(flipped)/2] ^= 1
			for _, c := range []string{"", "x", repeat("A", 4000), "' OR 1=1 --", cursor + "A", cursor[3:], `{"id":1}`} {
				if r := a.member.Do(`query($c: Cursor!) { spaces(first: 1, after: $c) { edges { cursor } } }`, vars{"c": c}); r.Code() != "INVALID_CURSOR" {
					a.t.Errorf("%.40q: %s", c, r.Body)
				}
			}
			if r := a.member.Do(`query($c: Cursor!) { spaces(first: 1, after: $c) { edges { cursor } } }`, vars{"c": string(flipped)}); r.Code() == "INTERNAL" {
				a.t.Errorf("flipped: %s", r.Body)
			}
			for _, list := range []string{"members", "teams", "organizations", "cohorts", "resources"} {
				if r := a.member.Do(`query($c: Cursor!) { `+list+`(first: 1, after: $c) { edges { cursor } } }`, vars{"c": cursor}); r.Code() != "INVALID_CURSOR" {
					a.t.Errorf("another list's, %s: %s", list, r.Body)
				}
			}
			for _, c := range []string{"x", cursor, repeat("9", 200), "-1"} {
				s := a.member.Subscribe(`subscription($c: Cursor!) { notificationEvents(after: $c) { cursor } }`, vars{"c": c})
				if code := s.Failure(); code != "INVALID_CURSOR" {
					a.t.Errorf("a subscription after %.40q: %s", c, code)
				}
				s.Close()
			}
		}, times: 17},
		{name: "SQL in every text", defence: "parameters", try: func(a *attacked) {
			for _, text := range []string{`'`, `"`, `'; DROP TABLE members; --`, `\`, `%_%`, `$1`, `" OR ""="`, `a* AND (b`, `NEAR("x" 5)`, `{}()[]&|!:*<>`} {
				for _, q := range []string{
					`query($q: String!) { search(query: $q, first: 1) { edges { cursor } } }`, `query($q: ID!) { node(id: $q) { id } }`, `query($q: Cursor!) { spaces(first: 1, after: $q) { edges { cursor } } }`,
				} {
					if r := a.member.Do(q, vars{"q": text}); r.Code() == "INTERNAL" {
						a.t.Errorf("%s in %s: %s", text, q, r.Body)
					}
				}
			}
		}, times: 30},
		{name: "mistakes that make a layer below talk", defence: "only faults are shown", try: func(a *attacked) {
			for _, in := range []vars{
				{"threadId": a.visible, "body": "x", "replyToId": a.visible}, {"threadId": a.visible, "body": "x", "replyToId": a.NewID(gid.Post)},
				{"threadId": a.visible, "body": "x", "idempotencyKey": repeat("k", 10_000)}, {"threadId": a.NewID(gid.Post), "body": "x"}, {"threadId": a.visible, "body": ""},
			} {
				if r := a.member.Do(`mutation($input: CreatePostInput!) { createPost(input: $input) { post { id } errors { code message path } } }`, input(in)); r.Code() == "" || r.Code() == "INTERNAL" {
					a.t.Errorf("%v: %s", in, r.Body)
				}
			}
		}, times: 5},
	}
}
