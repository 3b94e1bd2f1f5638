package server

import (
	"reflect"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/pursuing-equity/commons/internal/fault"
)

func TestReadRequest(t *testing.T) {
	bad := map[string]string{
		"nothing":                             ``,
		"null":                                `null`,
		"a string":                            `"x"`,
		"a batch":                             `[]`,
		"an open object":                      `{"query":"{a}"`,
		"something after the end":             `{"query":"{a}"} {}`,
		"a duplicate key":                     `{"query":"{a}","query":"{b}"}`,
		"a duplicate key, escaped":            `{"query":"{a}","qu\u0065ry":"{b}"}`,
		"a duplicate key in variables":        `{"query":"{a}","variables":{"x":1,"x":2}}`,
		"invalid UTF-8":                       "{\"query\":\"{a}\xff\"}",
		"a lone high surrogate":               `{"query":"{a}","variables":{"x":"\ud800"}}`,
		"a lone low surrogate":                `{"query":"{a}","variables":{"x":"\udc00"}}`,
		"a lone surrogate in a key":           `{"query":"{a}","variables":{"\ud800":1}}`,
		"U+0000 in the document":              `{"query":"{a}\u0000"}`,
		"U+0000 in a variable":                `{"query":"{a}","variables":{"x":["\u0000"]}}`,
		"U+0000 in a key":                     `{"query":"{a}","variables":{"\u0000":1}}`,
		"a raw control character in a string": "{\"query\":\"{a}\x01\"}",
		"no query":                            `{}`,
		"an empty query":                      `{"query":"  "}`,
		"a null query":                        `{"query":null}`,
		"a query that is an object":           `{"query":{}}`,
		"a numeric operation name":            `{"query":"{a}","operationName":1}`,
		"a list of variables":                 `{"query":"{a}","variables":[]}`,
		"extensions that are a string":        `{"query":"{a}","extensions":"x"}`,
		"a number that is too large":          `{"query":"{a}","variables":{"x":1e999}}`,
		"a comment":                           `{"query":"{a}"} // x`,
		"a trailing comma":                    `{"query":"{a}",}`,
		"deep lists":                          `{"query":"{a}","variables":{"x":` + strings.Repeat("[", 9000) + strings.Repeat("]", 9000) + `}}`,
		"deep objects":                        `{"query":"{a}","variables":` + strings.Repeat(`{"x":`, 9000) + `1` + strings.Repeat("}", 9000) + `}`,
	}
	for name, body := range bad {
		t.Run(name+" is refused", func(t *testing.T) {
			if req, err := readRequest([]byte(body)); !fault.Is(err, fault.BadRequest) {
				t.Errorf("got %v, %v", req, err)
			}
		})
	}
	t.Run("a whole request is read", func(t *testing.T) {
		req, err := readRequest([]byte(`{"query":"{a}","operationName":null,"variables":{"i":1,"f":1.5,"s":"\ud83d\ude00","l":[true,null]},"extensions":{"e":{}},"other":[1]}`))
		want := map[string]any{"i": int64(1), "f": 1.5, "s": "😀", "l": []any{true, nil}}
		if err != nil || req.Query != "{a}" || req.OperationName != "" || !reflect.DeepEqual(req.Variables, want) || req.Extensions["e"] == nil {
			t.Errorf("got %+v, %v", req, err)
		}
	})
}

func TestScanDocument(t *testing.T) {
	counts := map[string]int{
		`{a}`: 3, "query Q($x: [Int!]! = -1.5e+3) { a(x: $x) @skip(if: true) ...F }": 32,
		"# a comment with \"\n{a,b , c}": 5, `{a(s:"x\"}{")}`: 8, `{a(s:"""x " \""" } """)}`: 8, `{a(s:"""""")}`: 8, `{a(s:"")}`: 8,
	}
	for doc, want := range counts {
		if got, err := scanDocument(doc, 1000); got != want || err != nil {
			t.Errorf("%s: %d tokens, %v; want %d", doc, got, err, want)
		}
	}
	for _, text := range []string{`\ud800`, `\udc00`, `\ud800\ud800`, `\ud800x`, `\u{d800}`, `\u{D800}\u{DC00}`, `\u0000`, `\u{0}`, `\u{00000000}`} {
		if _, err := scanDocument(`{a(s:"`+text+`")}`, 1000); !fault.Is(err, fault.ParseFailed) {
			t.Errorf("%s: %v", text, err)
		}
	}
	for _, text := range []string{`\ud83d\ude00`, `\u{1F600}`, `\\ud800`, `\u00e9`, `\n`} {
		if _, err := scanDocument(`{a(s:"`+text+`")}`, 1000); err != nil {
			t.Errorf("%s: %v", text, err)
		}
	}
	t.Run("a block string has no escapes", func(t *testing.T) {
		if _, err := scanDocument(`{a(s:"""\ud800""")}`, 1000); err != nil {
			t.Error(err)
		}
	})
}

// FuzzReadRequest checks what every accepted request promises: text without broken characters and U+0000, in any depth.
func FuzzReadRequest(f *testing.F) {
	for _, seed := range []string{
		`{"query":"{a}"}`, `{"query":"{a(s:\"\\ud800\")}","variables":{"x":[1,2.5,{"y":"\ud83d\ude00"}]},"operationName":"q"}`,
		`{"documentId":"x"}`, `{"extensions":{"persistedQuery":{"version":1,"sha256Hash":"` + strings.Repeat("0a", 32) + `"}}}`,
		`{"query":"\u0000"}`, `[{}]`, `{"query":"{a}","query":"{b}"}`, "{\"query\":\"\xff\"}", `{"query":"{a}","variables":{"\ud800":null}}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		req, err := readRequest(data)
		if err != nil {
			if len(fault.All(err)) == 0 {
				t.Fatalf("no fault: %v", err)
			}
			return
		}
		if strings.TrimSpace(req.Query) == "" && req.DocumentID == "" && !isHash(req.Hash) {
			t.Fatal("accepted without a query, or a name of one")
		}
		checkSound(t, req.DocumentID)
		checkSound(t, req.Query)
		checkSound(t, req.OperationName)
		checkSound(t, req.Variables)
		checkSound(t, req.Extensions)
		_, _ = scanDocument(req.Query, 1000)
	})
}

func checkSound(t *testing.T, v any) {
	t.Helper()
	switch v := v.(type) {
	case string:
		if !utf8.ValidString(v) || strings.ContainsRune(v, 0) {
			t.Fatalf("unsound text %q", v)
		}
	case map[string]any:
		for name, value := range v {
			checkSound(t, name)
			checkSound(t, value)
		}
	case []any:
		for _, value := range v {
			checkSound(t, value)
		}
	}
}
