package server

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/pursuing-equity/commons/internal/fault"
	"github.com/pursuing-equity/commons/internal/gid"
	"github.com/pursuing-equity/commons/internal/viewer"
)

// toySDL has the shapes that the edge treats differently, and the types that the documents of the front ends read.
const toySDL = `
scalar Cursor
interface Node { id: ID! }
type PageInfo { hasNextPage: Boolean!, endCursor: Cursor }

type Query {
  node(id: ID!): Node
  nodes(ids: [ID!]!): [Node]!
  hello(name: String, n: Int, ratio: Float, mode: Mode): String!
  whoami: String!
  fail(how: String!): String
  slow: String
  big(bytes: Int!): String
  thing: Thing
  things: [Thing!]!
  cohorts(first: Int, after: Cursor, last: Int): CohortConnection!
}
enum Mode { LOUD QUIET }
type Thing implements Node { id: ID!, name: String, next: Thing, things: [Thing!]! }

type CohortConnection { edges: [CohortEdge!]!, pageInfo: PageInfo! }
type CohortEdge { node: Cohort! }
type Cohort implements Node { id: ID!, name: String!, startsOn: String, endsOn: String, offering: Offering!, teams(first: Int): TeamConnection! }
type Offering { id: ID!, name: String!, program: Program! }
type Program { id: ID!, name: String! }
type TeamConnection { edges: [TeamEdge!]!, pageInfo: PageInfo! }
type TeamEdge { node: Team! }
type Team { id: ID!, name: String!, organization: Organization!, memberships(first: Int): MembershipConnection! }
type Organization { id: ID!, name: String! }
type MembershipConnection { edges: [MembershipEdge!]! }
type MembershipEdge { node: Membership! }
type Membership { id: ID!, role: String!, member: Member! }
type Member { id: ID!, name: String!, title: String, avatarUrl: String, timeZone: String }

type Mutation { rename(input: RenameInput!): String }
input RenameInput { id: ID!, title: String! }

type Event { cursor: Cursor!, text: String! }
type Subscription { events(topic: String!, after: Cursor): Event!, ticks: Int! }
`

// toy is an executable schema without generated code. It wraps errors as gqlgen's generated code does.
type toy struct {
	schema *ast.Schema

	mu     sync.Mutex
	feeds  map[string]chan map[string]any // of subscriptions, by topic
	opened chan string                    // the after argument of each subscription that began
	closed chan string                    // the topic of each subscription that ended
	busy   chan struct{}                  // one for each slow query that began
	finish chan struct{}                  // lets slow queries end
}

func newToy() *toy {
	return &toy{
		schema: gqlparser.MustLoadSchema(&ast.Source{Name: "toy", Input: toySDL}),
		feeds:  map[string]chan map[string]any{},
		opened: make(chan string, 100), closed: make(chan string, 100), busy: make(chan struct{}, 100), finish: make(chan struct{}),
	}
}

func (t *toy) Schema() *ast.Schema { return t.schema }

func (t *toy) Complexity(context.Context, string, string, int, map[string]any) (int, bool) {
	return 0, false
}

// feed is the channel of a topic; closing it ends the subscription, and "boom" as the text ends it with a fault.
func (t *toy) feed(topic string) chan map[string]any {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.feeds[topic] == nil {
		t.feeds[topic] = make(chan map[string]any)
	}
	return t.feeds[topic]
}

func (t *toy) Exec(ctx context.Context) graphql.ResponseHandler {
	oc := graphql.GetOperationContext(ctx)
	if oc.Operation.Operation == ast.Subscription {
		return t.subscribe(ctx, oc)
	}
	ran := false
	return func(ctx context.Context) *graphql.Response {
		if ran {
			return nil
		}
		ran = true
		root := "Query"
		if oc.Operation.Operation == ast.Mutation {
			root = "Mutation"
		}
		return &graphql.Response{Data: t.object(ctx, root, nil, oc.Operation.SelectionSet)}
	}
}

func (t *toy) subscribe(ctx context.Context, oc *graphql.OperationContext) graphql.ResponseHandler {
	field := graphql.CollectFields(oc, oc.Operation.SelectionSet, []string{"Subscription"})[0]
	ctx = graphql.WithFieldContext(ctx, &graphql.FieldContext{Object: "Subscription", Field: field})
	args := field.ArgumentMap(oc.Variables)
	topic, _ := args["topic"].(string)
	after, _ := args["after"].(string)
	if topic == "panic" {
		defer func() { oc.Error(ctx, oc.Recover(ctx, recover())) }()
		panic("in the resolver")
	}
	if topic == "slow" { // a resolver that asks a database that does not answer
		<-ctx.Done()
		oc.Error(ctx, graphql.AddFieldLocationToError(ctx, fmt.Errorf("read rows: %w", ctx.Err())))
		return func(context.Context) *graphql.Response { return nil }
	}
	if after == "ancient" {
		oc.Error(ctx, graphql.AddFieldLocationToError(ctx, fault.New(fault.ResetRequired, "The cursor is too old.")))
		return func(context.Context) *graphql.Response { return nil }
	}
	events := make(chan map[string]any)
	feed := t.feed(topic)
	t.opened <- after
	go func() {
		defer func() { t.closed <- topic }()
		defer close(events)
		for {
			select {
			case <-ctx.Done():
				return
			case e, ok := <-feed:
				if !ok {
					return
				}
				if e["text"] == "boom" {
					fault.EndWith(ctx, fault.New(fault.Unavailable, "The log cannot be read.").Because(errors.New("secret cause")))
					return
				}
				select {
				case events <- e:
				case <-ctx.Done():
					return
				}
			}
		}
	}()
	var buf bytes.Buffer // used again for each response, as generated code does
	return func(ctx context.Context) *graphql.Response {
		select {
		case e, ok := <-events:
			if !ok {
				return nil
			}
			buf.Reset()
			fmt.Fprintf(&buf, "{%q:%s}", field.Alias, t.object(ctx, "Event", e, field.Selections))
			return &graphql.Response{Data: buf.Bytes()}
		case <-ctx.Done():
			return nil
		}
	}
}

func (t *toy) object(ctx context.Context, typ string, self map[string]any, set ast.SelectionSet) json.RawMessage {
	oc := graphql.GetOperationContext(ctx)
	var b bytes.Buffer
	b.WriteByte('{')
	for i, f := range graphql.CollectFields(oc, set, []string{typ, "Node"}) {
		if i > 0 {
			b.WriteByte(',')
		}
		fmt.Fprintf(&b, "%q:", f.Alias)
		b.Write(t.field(ctx, oc, typ, self, f))
	}
	b.WriteByte('}')
	return b.Bytes()
}

func (t *toy) field(ctx context.Context, oc *graphql.OperationContext, typ string, self map[string]any, f graphql.CollectedField) (out json.RawMessage) {
	fctx := graphql.WithFieldContext(ctx, &graphql.FieldContext{Object: typ, Field: f})
	defer func() {
		if p := recover(); p != nil {
			oc.Error(fctx, oc.Recover(fctx, p))
			out = json.RawMessage("null")
		}
	}()
	args, err := t.args(fctx, f.ArgumentMap(oc.Variables))
	if err != nil {
		oc.Error(fctx, err)
		return json.RawMessage("null")
	}
	value, err := oc.ResolverMiddleware(fctx, func(ctx context.Context) (any, error) { return t.resolve(ctx, typ, self, f.Name, args) })
	if err != nil {
		oc.Error(fctx, graphql.AddFieldLocationToError(fctx, err))
		return json.RawMessage("null")
	}
	if self, ok := value.(map[string]any); ok {
		return t.object(fctx, "Thing", self, f.Selections)
	}
	return appendJSON(nil, value)
}

// args reads ids and modes as the generated code does: the error is wrapped with the argument's path.
func (t *toy) args(ctx context.Context, raw map[string]any) (map[string]any, error) {
	if v, ok := raw["id"]; ok {
		_, err := graphql.ProcessArgField(ctx, raw, "id", func(ctx context.Context, _ any) (gid.ID, error) {
			var id gid.ID
			err := id.UnmarshalGQL(v)
			return id, graphql.ErrorOnPath(ctx, err)
		})
		if err != nil {
			return nil, err
		}
	}
	if in, ok := raw["input"].(map[string]any); ok {
		ctx := graphql.WithPathContext(ctx, graphql.NewPathWithField("input"))
		ctx = graphql.WithPathContext(ctx, graphql.NewPathWithField("id"))
		if _, err := gid.Parse(fmt.Sprint(in["id"])); err != nil {
			return nil, graphql.ErrorOnPath(ctx, err)
		}
	}
	if raw["mode"] == "quiet" {
		ctx := graphql.WithPathContext(ctx, graphql.NewPathWithField("mode"))
		return nil, graphql.ErrorOnPath(ctx, errors.New("quiet is not a valid Mode"))
	}
	return raw, nil
}

func (t *toy) resolve(ctx context.Context, typ string, self map[string]any, name string, args map[string]any) (any, error) {
	if self != nil {
		return self[name], nil
	}
	switch name {
	case "__typename":
		return typ, nil
	case "__type":
		return map[string]any{"name": args["name"]}, nil
	case "__schema":
		return map[string]any{}, nil
	case "hello":
		return fmt.Sprintf("hello %v", args["name"]), nil
	case "whoami":
		return viewer.From(ctx).String(), nil
	case "rename":
		in, _ := args["input"].(map[string]any)
		return in["title"], nil
	case "big":
		n, _ := args["bytes"].(int64)
		return strings.Repeat("x", int(n)), nil
	case "slow":
		t.busy <- struct{}{}
		select {
		case <-t.finish:
			return "done", nil
		case <-ctx.Done():
			return nil, fmt.Errorf("read rows: %w", ctx.Err())
		}
	case "fail":
		return nil, t.fail(fmt.Sprint(args["how"]))
	}
	return nil, nil
}

func (t *toy) fail(how string) error {
	switch how {
	case "missing":
		return fault.Missing()
	case "list":
		return fault.List{fault.Invalid("title", "Too long."), fault.Invalid("body", "Empty.")}.Err()
	case "wrapped":
		return fmt.Errorf("lock thread: %w", fault.Denied("Only leads lock.").Because(errors.New("secret cause")))
	case "down":
		return fault.New(fault.Unavailable, "The database does not answer.").Because(errors.New("secret cause"))
	case "panic":
		panic("secret cause")
	default:
		return errors.New("secret cause")
	}
}
