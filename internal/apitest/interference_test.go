package apitest_test

import (
	"fmt"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/vektah/gqlparser/v2/ast"

	"github.com/pursuing-equity/commons/ent/accesstoken"
	"github.com/pursuing-equity/commons/internal/apitest"
	"github.com/pursuing-equity/commons/internal/apitest/database"
	"github.com/pursuing-equity/commons/internal/gid"
	"github.com/pursuing-equity/commons/internal/server"
)

// wide lets through the long documents that select everything.
func wide() apitest.Option {
	return apitest.Limits(server.Limits{BodyBytes: 1 << 20, Tokens: 100_000, Aliases: 10_000, Cost: 1 << 40, Deadline: time.Minute})
}

// Two worlds are the same, to their ids and their clock, but that in one of them things are hidden. Whoever they are hidden from
// sends every operation of the schema to both, and is answered the same bytes: data, errors, extensions, cursors and events, with the
// same number of statements. What the schema gets later is sent, too: documents are written from the SDL.
func TestNonInterference(t *testing.T) {
	t.Parallel()
	for name, fresh := range map[string]func(testing.TB) string{"sqlite": database.SQLite, "postgres": database.Postgres} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			at := time.Now().UTC().Truncate(time.Millisecond).Add(-10 * time.Minute)
			p := &pair{documents: newDocuments(t), with: newStage(t, fresh(t), at), without: newStage(t, fresh(t), at)}
			p.never = map[gid.Kind]gid.ID{}
			for kind := range kinds {
				p.never[kind] = gid.Compose(kind, at, 42)
			}
			for _, kind := range refers { // some have ids and are no Node
				p.never[kind] = gid.Compose(kind, at, 42)
			}
			p.same("the worlds begin alike", p.with.admin, p.without.admin, request{query: p.list(p.Query.Fields.ForName("members"), "first: 100")})

			p.with.hide()
			for _, s := range []*stage{p.with, p.without} { // what links to hidden things shows no card of them
				s.script.step()
				s.Post(s.host, s.thread, fmt.Sprintf("See %s, %s, %s and %s.", p.with.hidden[gid.Thread], p.with.hidden[gid.Space], p.with.hidden[gid.Poll], s.network))
			}
			p.round("from administrators, staff and all members", func(s *stage) map[string]*apitest.Person {
				return map[string]*apitest.Person{
					"admin": s.admin, "staff": s.staff, "stranger": s.stranger, "lead": s.lead, "reviewer": s.reviewer, "outsider": s.outsider,
				}
			}, (*stage).hide)
			p.with.hideMore()
			p.round("from members", func(s *stage) map[string]*apitest.Person {
				return map[string]*apitest.Person{"neighbour": s.neighbour, "expert": s.expert}
			}, (*stage).hideMore)
			p.with.hideMost()
			p.round("from who belongs to nothing", func(s *stage) map[string]*apitest.Person {
				return map[string]*apitest.Person{"outsider": s.outsider, "anonymous": {Client: s.As("")}}
			}, nil)
			if p.sent < 1_500 {
				t.Errorf("only %d operations were sent: does this test still walk the schema?", p.sent)
			}
			t.Logf("%d operations were sent to both worlds", p.sent)
		})
	}
}

// pair is two worlds, one with hidden things.
type pair struct {
	documents
	with, without *stage
	never         map[gid.Kind]gid.ID // ids of nothing
	sent, told    int
}

// enough is how many differences are shown: one forgotten predicate makes hundreds.
const enough = 20

type request struct {
	query string
	vars  vars
}

// round has people send every operation to both worlds. Hide hides more while they listen.
func (p *pair) round(what string, people func(*stage) map[string]*apitest.Person, hide func(*stage)) {
	with, without := people(p.with), people(p.without)
	for _, name := range slices.Sorted(maps.Keys(with)) {
		for _, op := range slices.Concat(p.queries(), p.mutations()) {
			if op.name == "breakGlass" && name == "admin" {
				continue // for administrators that is the way in, and the only one
			}
			got := p.same(what+", "+name+": "+op.name, with[name], without[name], op.request)
			for op.list != "" && got.At(op.list+".pageInfo.hasNextPage") == true {
				op.vars = vars{"after": got.At(op.list + ".pageInfo.endCursor")}
				got = p.same(what+", "+name+": "+op.name, with[name], without[name], op.request)
			}
			if op.hidden != nil {
				p.missing(what+", "+name+": "+op.name, with[name], op)
			}
		}
	}
	p.listen(what, with, without, hide)
}

// operation is a named request. Hidden are its variables with ids of nothing in the place of those that are hidden.
type operation struct {
	name string
	request
	hidden vars
	list   string // the field whose pages are turned to the end
}

// queries are every field of Query: nodes of every kind, hidden and seen, and every list by pages of several sizes.
func (p *pair) queries() []operation {
	var ops []operation
	for _, of := range p.GetPossibleTypes(p.Types["Node"]) {
		if !slices.Contains(slices.Collect(maps.Values(kinds)), of.Name) {
			p.t.Errorf("%s has ids: put it into kinds, and make a hidden one in interference_world_test.go", of.Name)
		}
	}
	add := func(name, query string, v, hidden vars) {
		ops = append(ops, operation{name, request{query, v}, hidden, ""})
	}
	for _, f := range p.Query.Fields {
		switch {
		case strings.HasPrefix(f.Name, "__"):
		case f.Name == "node":
			for kind, of := range kinds {
				if p.Types[of] == nil {
					p.t.Errorf("kinds has %s, and the schema has not", of)
					continue
				}
				query := func(depth int) string {
					return fmt.Sprintf("query($id: ID!) { node(id: $id) { ... on %s { %s } } }", of, p.selection(p.Types[of], depth, 2, ""))
				}
				if id, is := p.with.hidden[kind]; is {
					add("node of a hidden "+of, query(1), vars{"id": id}, vars{"id": p.never[kind]})
				}
				if id, is := p.with.seen[kind]; is {
					add("node of a "+of, query(2), vars{"id": id}, nil)
				}
			}
		case f.Name == "nodes":
			var all, none []gid.ID
			for _, kind := range slices.Sorted(maps.Keys(p.with.hidden)) {
				all, none = append(all, p.with.hidden[kind]), append(none, p.never[kind])
			}
			add("nodes", "query($ids: [ID!]!) { nodes(ids: $ids) { __typename id } }", vars{"ids": all}, vars{"ids": none})
		case f.Arguments.ForName("first") != nil && f.Arguments.ForName("last") == nil: // the first ones of what has no pages
			for _, more := range p.arguments(f) {
				add(f.Name+more, p.list(f, "first: 20"+more), nil, nil)
			}
		case f.Arguments.ForName("first") != nil:
			for _, more := range p.arguments(f) {
				add(f.Name+more, p.list(f, "first: 100"+more), nil, nil)
				if more == "" || f.Name == "search" {
					add(f.Name+more+", backwards", p.list(f, "last: 2"+more), nil, nil)
					ops = append(ops, operation{name: f.Name + more + ", page by page", request: request{query: p.turned(f, more)}, list: f.Name})
				}
			}
		case len(f.Arguments) == 0 && p.Types[f.Type.Name()].IsLeafType():
			add(f.Name, "{ "+f.Name+" }", nil, nil)
		case len(f.Arguments) == 0:
			add(f.Name, "{ "+f.Name+" { "+p.selection(p.Types[f.Type.Name()], 3, 3, "")+" } }", nil, nil)
		default:
			p.t.Errorf("Query.%s takes arguments that this test does not know: say here what to send", f.Name)
		}
	}
	return ops
}

// arguments are what a list is narrowed by: each argument of its own, with each value that might tell something.
func (p *pair) arguments(f *ast.FieldDefinition) []string {
	all := []string{""}
	for _, a := range f.Arguments {
		switch {
		case slices.Contains([]string{"first", "last", "after", "before"}, a.Name):
		case f.Name == "search" && a.Name == "query":
			all = all[:0]
			for _, q := range []string{secret, "about " + secret, "zanz", `\"is about\"`, "alone", "-" + secret + " group"} {
				all = append(all, `, query: "`+q+`"`)
			}
		case a.Type.Name() == "ID":
			if a.Type.NonNull {
				all = []string{fmt.Sprintf(", %s: %q", a.Name, p.with.thread), fmt.Sprintf(", %s: %q", a.Name, p.with.network)}
			}
			for _, kind := range slices.Sorted(maps.Keys(p.with.hidden)) {
				all = append(all, fmt.Sprintf(", %s: %q", a.Name, p.with.hidden[kind]))
			}
			all = append(all, fmt.Sprintf(", %s: %q", a.Name, p.with.insider.ID))
		case p.Types[a.Type.Name()].Kind == ast.Enum && f.Name != "search":
			for _, v := range p.Types[a.Type.Name()].EnumValues {
				all = append(all, ", "+a.Name+": "+v.Name)
			}
		case a.Type.NonNull:
			p.t.Errorf("Query.%s needs %s, which this test does not know: say here what to send", f.Name, a.Name)
		}
	}
	return all
}

// list writes a list with all that can be selected.
func (p *pair) list(f *ast.FieldDefinition, arguments string) string {
	return fmt.Sprintf("{ %s(%s) { %s } eventCursor }", f.Name, arguments, p.selection(p.Types[f.Type.Name()], 2, 2, ""))
}

// turned writes a list whose pages are turned with a variable.
func (p *pair) turned(f *ast.FieldDefinition, more string) string {
	return fmt.Sprintf("query($after: Cursor) { %s(first: 2, after: $after%s) { edges { cursor node { __typename ... on Node { id } } } pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } }", f.Name, more)
}

// mutations are all of them, with hidden ids: in all places, and in each while the others are of what is seen.
func (p *pair) mutations() []operation {
	var ops []operation
	for _, f := range p.Mutation.Fields {
		query, in := p.mutation(f)
		fill := func(of func(name string, kind gid.Kind) gid.ID) vars {
			v := map[string]any{}
			for _, field := range in.Fields {
				if value := p.value(f.Name, field.Name, field.Type, func(k gid.Kind) gid.ID { return of(field.Name, k) }); value != nil {
					v[field.Name] = value
				}
			}
			return input(v)
		}
		pick := func(from map[gid.Kind]gid.ID, kind gid.Kind) gid.ID {
			if id, is := from[kind]; is {
				return id
			}
			return p.never[kind]
		}
		none := fill(func(_ string, k gid.Kind) gid.ID { return p.never[k] })
		names := p.ids(in)
		if f.Name == "requestToJoin" { // hidden is what it names without an id
			there := vars{"address": p.with.address, "message": "Me, too."}
			ops = append(ops, operation{name: f.Name, request: request{query, input(there)}})
		}
		if len(names) == 0 {
			ops = append(ops, operation{name: f.Name, request: request{query, none}})
			continue
		}
		ops = append(ops, operation{f.Name, request{query, fill(func(_ string, k gid.Kind) gid.ID { return pick(p.with.hidden, k) })}, none, ""})
		if len(names) == 1 {
			continue
		}
		for _, name := range names {
			mixed := func(hidden map[gid.Kind]gid.ID) vars {
				return fill(func(n string, k gid.Kind) gid.ID {
					if n == name {
						return pick(hidden, k)
					}
					return pick(p.with.seen, k)
				})
			}
			if _, is := p.with.hidden[refers[name]]; is {
				ops = append(ops, operation{f.Name + " with a hidden " + name, request{query, mixed(p.with.hidden)}, mixed(p.never), ""})
			}
		}
	}
	return ops
}

// same sends a request to both worlds at the same time of theirs.
func (p *pair) same(what string, with, without *apitest.Person, r request) (got *apitest.Response) {
	p.t.Helper()
	p.sent++
	p.equal(what,
		func() (text string, statements int64) { text, statements, got = p.answer(p.with, with, r); return },
		func() (text string, statements int64) { text, statements, _ = p.answer(p.without, without, r); return })
	return got
}

// missing sends a request with ids of nothing to the world that has them: what is hidden there is answered as what never was.
func (p *pair) missing(what string, who *apitest.Person, op operation) {
	p.t.Helper()
	defer p.with.script.aside("missing")()
	ask := func(v vars) func() (string, int64) {
		return func() (string, int64) {
			defer p.with.script.aside("asked")()
			text, statements, _ := p.answer(p.with, who, request{op.query, v})
			return text, statements
		}
	}
	p.equal(what+", hidden and missing", ask(op.vars), ask(op.hidden))
}

// sealed are positions in the whole log: they tell that something was written somewhere, and no more. Their length is the same.
var sealed = regexp.MustCompile(`"eventCursor":"[^"]*"`)

// atRandom are secrets that were made at random.
var atRandom = regexp.MustCompile(`"secret":"whsec_[^"]*"`)

// addresses begin with a world's address and end with what only its own key makes.
var addresses = regexp.MustCompile(`"http://127\.0\.0\.1:[0-9]+(/[a-z]+/)[^"]*"`)

// answer is all that comes back, and with how many statements.
func (p *pair) answer(s *stage, who *apitest.Person, r request) (whole string, statements int64, got *apitest.Response) {
	p.t.Helper()
	s.script.step()
	statements = s.Statements(func() { got = who.Do(r.query, r.vars) })
	if got.Status != http.StatusOK && got.Code() != "UNAUTHENTICATED" || got.Code() == "INTERNAL" {
		p.t.Errorf("status %d to %s %v: %s", got.Status, r.query, r.vars, got.Whole)
	}
	whole = sealed.ReplaceAllStringFunc(got.Whole, func(c string) string { return fmt.Sprintf(`"eventCursor":%d`, len(c)) })
	whole = atRandom.ReplaceAllString(whole, `"secret":"whsec_"`)
	return addresses.ReplaceAllString(whole, `"$1"`), statements, got
}

// equal asks the same in two ways. The bytes must be the same each time; the number of statements may differ for once, when
// something that went on in the background took one, and is asked for again.
func (p *pair) equal(what string, with, without func() (string, int64)) {
	p.t.Helper()
	var n, m int64
	for range 5 {
		var a, b string
		a, n = with()
		b, m = without()
		if p.compare(what, a, b); a != b || n == m {
			return
		}
	}
	p.t.Errorf("%s tells of what is hidden by what it takes: %d statements, and %d", what, n, m)
}

func (p *pair) compare(what, a, b string) {
	p.t.Helper()
	if a == b {
		return
	}
	at := 0
	for at < min(len(a), len(b)) && a[at] == b[at] {
		at++
	}
	around := func(s string) string { return s[max(0, at-300):min(len(s), at+300)] }
	p.t.Errorf("%s tells of what is hidden:\nwith    %s\nwithout %s", what, around(a), around(b))
	if p.told++; p.told == enough {
		p.t.FailNow()
	}
}

// fence is what everybody who sees it sees in both worlds.
const fence = "What comes before this has come."

// listen opens every subscription in both worlds, hides more in the one, and ends all sign-ins: whatever came until then must be the same.
func (p *pair) listen(what string, with, without map[string]*apitest.Person, hide func(*stage)) {
	type listener struct {
		name string
		a, b *apitest.Subscription
		till string // what each hears before the end
	}
	var all []listener
	open := func(s *stage, who *apitest.Person, r request) *apitest.Subscription {
		if who.Token() == "" {
			return who.Subscribe(r.query, r.vars)
		}
		return s.As(s.Token(who, accesstoken.ScopeREAD)).Subscribe(r.query, r.vars)
	}
	for _, name := range slices.Sorted(maps.Keys(with)) {
		for _, op := range p.subscriptions() {
			l := listener{what + ", " + name + ": " + op.name, open(p.with, with[name], op.request), open(p.without, without[name], op.request), ""}
			if op.name == "threadEvents" && name != "outsider" && name != "anonymous" ||
				op.name == "notificationEvents" && slices.Contains([]string{"stranger", "lead", "reviewer"}, name) {
				l.till = fence
			}
			all = append(all, l)
		}
	}
	if hide != nil {
		hide(p.with)
	}
	for _, s := range []*stage{p.with, p.without} {
		s.script.step()
		s.Post(s.host, s.thread, fence+" "+s.mentions())
	}
	first := make(map[*apitest.Subscription]string)
	for _, l := range all {
		if l.till != "" {
			first[l.a], first[l.b] = heard(l.a, l.till), heard(l.b, l.till)
		}
	}
	for _, s := range []*stage{p.with, p.without} {
		s.revoke(accesstoken.ScopeREAD)
	}
	for _, l := range all {
		p.compare(l.name, first[l.a]+heard(l.a, ""), first[l.b]+heard(l.b, ""))
		p.sent++
	}
	p.with.Quiet() // nothing of what was ended is asked about any more
	p.without.Quiet()
}

// subscriptions are all of them, of hidden threads and of one that is seen. A thread's activity is followed in hidden ones only: how
// often it changes depends on when each of those who listen came.
func (p *pair) subscriptions() []operation {
	var ops []operation
	for _, f := range p.Subscription.Fields {
		selection := p.selection(p.Types[f.Type.Name()], 2, 2, "")
		if id := p.with.hidden[gid.Application]; f.Arguments.ForName("applicationId") != nil && !id.IsZero() {
			query := fmt.Sprintf("subscription($id: ID!) { %s(applicationId: $id) { %s } }", f.Name, selection)
			ops = append(ops, operation{name: f.Name + " of a hidden application", request: request{query, vars{"id": id}}})
			continue
		}
		if id := p.with.hidden[gid.BulkAction]; f.Arguments.ForName("bulkActionId") != nil {
			if id.IsZero() {
				id = p.never[gid.BulkAction]
			}
			query := fmt.Sprintf("subscription($id: ID!) { %s(bulkActionId: $id) { %s } }", f.Name, selection)
			ops = append(ops, operation{name: f.Name + " of a hidden bulk action", request: request{query, vars{"id": id}}})
			continue
		}
		if f.Arguments.ForName("threadId") == nil {
			ops = append(ops, operation{name: f.Name, request: request{query: fmt.Sprintf("subscription { %s { %s } }", f.Name, selection)}})
			continue
		}
		query := fmt.Sprintf("subscription($id: ID!) { %s(threadId: $id) { %s } }", f.Name, selection)
		ops = append(ops, operation{name: f.Name + " of a hidden thread", request: request{query, vars{"id": p.with.hidden[gid.Thread]}}})
		if f.Name != "threadActivity" {
			ops = append(ops, operation{name: f.Name, request: request{query, vars{"id": p.with.thread}}})
		}
	}
	return ops
}

// heard is all that comes on a socket until a text, or until it is closed or the subscription is over.
func heard(s *apitest.Subscription, till string) string {
	var b strings.Builder
	for {
		m := s.Message()
		fmt.Fprintf(&b, "%s %s %d\n", m.Type, m.Payload, m.Close)
		if m.Type != "next" || till != "" && strings.Contains(string(m.Payload), till) {
			return b.String()
		}
	}
}
