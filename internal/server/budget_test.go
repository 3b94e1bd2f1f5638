package server

import (
	"fmt"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/99designs/gqlgen/graphql/introspection"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"github.com/pursuing-equity/commons/internal/fault"
)

func newTestDocuments() *documents {
	var limits Limits
	limits.setDefaults()
	return newDocuments(newToy().schema, limits, false)
}

func codeOf(err error) fault.Code {
	if list, ok := err.(gqlerror.List); ok { //nolint:errorlint // documents return it bare
		code, _ := list[0].Extensions["code"].(fault.Code)
		return code
	}
	if all := fault.All(err); len(all) > 0 {
		return all[0].Code
	}
	return ""
}

// nested is a query of the given depth.
func nested(depth int) string {
	return "{thing{" + strings.Repeat("next{", depth-2) + "id" + strings.Repeat("}", depth)
}

func aliases(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "a%d:hello ", i)
	}
	return "{" + b.String() + "}"
}

func TestDocumentLimits(t *testing.T) {
	cases := []struct {
		name, doc string
		want      fault.Code
	}{
		{"1,000 tokens pass", "{" + strings.Repeat("...{hello}", 249) + "hello thing}", fault.ValidationFailed},
		{"1,001 tokens do not", "{" + strings.Repeat("...{hello}", 249) + "hello thing id}", fault.DocumentTooLarge},
		{"15 levels pass", nested(15), ""},
		{"16 levels do not", nested(16), fault.DocumentTooDeep},
		{"16 levels through fragments do not", "{thing{...A}} fragment A on Thing{next{" + strings.Repeat("next{", 12) + "...B" + strings.Repeat("}", 14) + " fragment B on Thing{next{id}}", fault.DocumentTooDeep},
		{"15 aliases pass", aliases(15), ""},
		{"16 aliases do not", aliases(16), fault.TooManyAliases},
		{"16 aliases over fragments do not", strings.TrimSuffix(aliases(15), "}") + "...F} fragment F on Query{z:hello}", fault.TooManyAliases},
		{"the same name 16 times does not", "{" + strings.Repeat("hello ", 16) + "}", fault.TooManyAliases},
		{"six directives at one place do not", "{hello" + strings.Repeat(" @skip(if:false)", 6) + "}", fault.DocumentTooLarge},
		{"a fragment cycle is invalid", "{thing{...A}} fragment A on Thing{next{...A}}", fault.ValidationFailed},
		{"the standard introspection query passes", introspection.Query, ""},
		{"deep introspection does not", "{__schema{types{" + strings.Repeat("ofType{", 20) + "name" + strings.Repeat("}", 22) + "}", fault.DocumentTooDeep},
		{"defer is ignored", "{...@defer{hello}}", ""},
	}
	docs := newTestDocuments()
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			doc, err := docs.get(c.doc)
			if got := codeOf(err); got != c.want {
				t.Fatalf("got %q (%v), want %q", got, err, c.want)
			}
			if c.name == "defer is ignored" && doc.Operations[0].SelectionSet[0].GetPosition() == nil {
				t.Error("no selection")
			}
		})
	}
}

func TestCost(t *testing.T) {
	const directory = `query Directory($first: Int!, $after: Cursor) {
	  cohorts(first: $first, after: $after) { edges { node { id name startsOn endsOn offering { id name program { id name } }
	    teams(first: 50) { edges { node { id name organization { id name } memberships(first: 20) { edges { node { id role
	      member { id name title avatarUrl timeZone } } } } } } pageInfo { hasNextPage endCursor } } } } pageInfo { hasNextPage endCursor } } }`
	// A membership is an edge, a node and a member; a team an edge, a node, an organization and a connection.
	const team = 4 + 20*3
	const cohort = 2 + 2 + 1 + 50*team + 1
	cases := []struct {
		name, doc string
		vars      map[string]any
		want      int64
	}{
		{"leaves are free but an operation is not", "{hello}", nil, 1},
		{"objects count one", "{thing{next{id}}}", nil, 2},
		{"a list counts ten", "{things{id}}", nil, 10},
		{"lists multiply", "{things{things{id}}}", nil, 110},
		{"ids count as many as there are", "query($i:[ID!]!){nodes(ids:$i){id}}", map[string]any{"i": []any{"a", "b", "c"}}, 3},
		{"a full directory passes", directory, map[string]any{"first": int64(100)}, 1 + 100*cohort + 1},
		{"no page size counts as a full page", "{cohorts{edges{node{id}}}}", nil, 201},
		{"a page beyond the largest counts as a full page", "{cohorts(first:1000000000){edges{node{id}}}}", nil, 201},
		{"a negative page too", "{cohorts(last:-1){edges{node{id}}}}", nil, 201},
		{"fragments keep the page", "{cohorts(first:7){...F}} fragment F on CohortConnection{edges{node{id}}}", nil, 15},
	}
	docs := newTestDocuments()
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			doc, err := docs.get(c.doc)
			if err != nil {
				t.Fatal(err)
			}
			if got := documentCost(doc.Operations[0], c.vars); got != c.want || got > docs.limits.Cost {
				t.Errorf("cost %d, want %d", got, c.want)
			}
		})
	}
	t.Run("the standard introspection query is affordable", func(t *testing.T) {
		doc, err := docs.get(introspection.Query)
		if err != nil {
			t.Fatal(err)
		}
		if got := documentCost(doc.Operations[0], nil); got > docs.limits.Cost {
			t.Errorf("cost %d", got)
		}
	})
	t.Run("2 to the power of 14 saturates nothing and is right", func(t *testing.T) {
		doc, err := docs.get(doubling(14))
		if err != nil {
			t.Fatal(err)
		}
		if got := documentCost(doc.Operations[0], nil); got != 3<<13-2 {
			t.Errorf("cost %d", got)
		}
	})
}

// The limit of levels keeps costs below 64 bits; the cost does not rely on it.
func TestCostSaturates(t *testing.T) {
	for n := int64(2); n <= 101; n++ { // some products come back above nothing by chance
		if got := mul(n, maxCost-n); got != maxCost {
			t.Errorf("%d times: %d", n, got)
		}
	}
	docs := newTestDocuments()
	docs.limits.Depth, docs.limits.Aliases, docs.limits.Tokens = 1000, 1000, 10_000
	for name, text := range map[string]string{
		"30 lists in lists":         "{things{" + strings.Repeat("things{", 30) + "id" + strings.Repeat("}", 32),
		"2^90 objects in fragments": doubling(90),
	} {
		doc, err := docs.get(text)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if got := documentCost(doc.Operations[0], nil); got != maxCost {
			t.Errorf("%s: %d", name, got)
		}
	}
}

// doubling spreads each of n fragments twice below two aliases: 2^n objects in a few bytes.
func doubling(n int) string {
	var b strings.Builder
	b.WriteString("{a:thing{...F1}b:thing{...F1}}")
	for i := 1; i < n-1; i++ {
		fmt.Fprintf(&b, "fragment F%d on Thing{a:next{...F%d}b:next{...F%d}}", i, i+1, i+1)
	}
	fmt.Fprintf(&b, "fragment F%d on Thing{id}", n-1)
	return strings.ReplaceAll(b.String(), "{id}", "{id a:next{id}}")
}

// TestHostileDocuments gives each document the promised 100 ms of CPU, times three for the race detector and slow machines.
func TestHostileDocuments(t *testing.T) {
	same := func(n int, format string) string {
		var b strings.Builder
		for i := range n {
			b.WriteString(strings.ReplaceAll(format, "#", strconv.Itoa(i)))
		}
		return b.String()
	}
	var pairs strings.Builder // fragments that each spread all later ones
	for i := range 25 {
		fmt.Fprintf(&pairs, "fragment F%d on Thing{next{id}", i)
		for j := i + 1; j < min(i+8, 25); j++ {
			fmt.Fprintf(&pairs, "...F%d", j)
		}
		pairs.WriteString("}")
	}
	var spreads strings.Builder
	for i := range 98 {
		fmt.Fprintf(&spreads, "fragment F%d on Thing{...F%d ...F%d}", i, i+1, i+1)
	}
	docs := map[string]string{
		"2^100 fragments in one level":          "{thing{...F0}}" + same(49, "fragment F# on Thing{...G# ...G#}") + same(49, "fragment G# on Thing{id}"),
		"2^30 objects":                          doubling(30),
		"2^98 spreads":                          "{thing{...F0 ...F0}}" + spreads.String() + "fragment F98 on Thing{id}",
		"10,000 times the same field":           "{" + strings.Repeat("id ", 10000) + "}",
		"300 times the same field in fragments": "{thing{" + strings.Repeat("...{id id id}", 140) + "}}",
		"fragments that spread one another":     "{thing{...F0}}" + pairs.String(),
		"deep lists in an argument":             "{hello(name:" + strings.Repeat("[", 30000) + "}",
		"deep selections":                       strings.Repeat("{a", 30000),
		"500 unknown directives":                "{hello" + strings.Repeat("@x", 450) + "}",
		"500 unknown directives, spread out":    "{thing{" + same(100, "...@x @y{id}") + "}}", // within the tokens, wrong 200 times
		"300 unknown fields":                    "{" + same(900, "unknown# ") + "}",
		"300 unused variables":                  "query(" + same(240, "$v#:Int ") + "){hello}",
		"60 KiB of comments":                    strings.Repeat("#\n", 30000) + "{hello}",
		"60 KiB of commas":                      "{hello" + strings.Repeat(",", 60000) + "}",
		"a string of 60 KiB":                    `{hello(name:"` + strings.Repeat(`\u00e9`, 10000) + `")}`,
		"many operations":                       same(190, "query Q#{hello}"),
		"900 different known fields":            "{" + same(15, "a#:hello ") + strings.Repeat("...{hello thing{id}}", 110) + "}",
		"a cycle of 100 fragments":              "{thing{...F0}}" + same(90, "fragment F# on Thing{next{...F0}}"),
		"nested duplicates":                     "{" + strings.Repeat("thing{", 7) + strings.Repeat("id id}", 7) + strings.Repeat(" thing{next{next{id}next{id}}next{next{id}next{id}}}", 12) + "}",
	}
	for name, doc := range docs {
		t.Run(name, func(t *testing.T) {
			d := newTestDocuments()
			before := cpuTime(t)
			parsed, err := d.get(doc)
			if err == nil {
				documentCost(parsed.Operations[0], nil)
			}
			took := cpuTime(t) - before
			t.Logf("%s: %v of CPU: %v", name, took, codeOf(err))
			if took > 300*time.Millisecond {
				t.Errorf("%v of CPU", took)
			}
		})
	}
}

func cpuTime(t *testing.T) time.Duration {
	t.Helper()
	var use syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &use); err != nil {
		t.Fatal(err)
	}
	return time.Duration(use.Utime.Nano() + use.Stime.Nano())
}

func TestDocumentCacheIsBounded(t *testing.T) {
	d := newTestDocuments()
	d.limits.DocumentCacheBytes = 10_000
	for i := range 100 {
		if _, err := d.get(fmt.Sprintf("{a%d:hello}", i)); err != nil {
			t.Fatal(err)
		}
	}
	if d.bytes > 10_000 || d.recent.Len() != len(d.byHash) || d.recent.Len() == 0 {
		t.Errorf("%d bytes, %d documents, %d hashes", d.bytes, d.recent.Len(), len(d.byHash))
	}
	last, err := d.get("{a99:hello}")
	again, _ := d.get("{a99:hello}")
	if err != nil || last != again {
		t.Error("the latest document was parsed again")
	}
}
