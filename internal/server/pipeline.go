package server

import (
	"context"
	"fmt"
	"maps"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"github.com/pursuing-equity/commons/internal/allowance"
	"github.com/pursuing-equity/commons/internal/event"
	"github.com/pursuing-equity/commons/internal/fault"
	"github.com/pursuing-equity/commons/internal/viewer"
)

// caller is who sends a request, and by which way.
type caller struct {
	session   Session
	address   string       // where the request comes from; its neighbourhood counts where no member does
	noMutate  *fault.Error // why this way does not take mutations; nil where it does
	lastEvent string       // resume a subscription after this cursor
	checked   bool         // the session was checked for this operation, a moment ago
}

// key is who shares points, places and connections.
func (c caller) key() string {
	if id, ok := c.session.Viewer.MemberID(); ok {
		return id.String()
	}
	return "addr " + neighbourhood(c.address)
}

// operation is a request that passed every limit and may run.
type operation struct {
	server *Server
	ctx    *graphql.OperationContext
	kind   ast.Operation
	cost   int64
	left   allowance.Allowance
	query  string
	viewer viewer.Viewer
	key    string // whose place it takes
}

// accept takes a request through the limits, cheapest first: tokens, shape and validity of the document (cached), who may
// run it, variables, cost, rate. It returns the context to run the operation under. Byte limit and strict JSON came before,
// in the transport; a place among those that execute, and the deadline, come with execute and subscribe. Its errors are for refuse.
func (s *Server) accept(ctx context.Context, c caller, req *request) (_ context.Context, op *operation, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = recovered(ctx, p)
		}
	}()
	v := c.session.Viewer.At(c.address)
	ctx = graphql.StartOperationTrace(viewer.NewContext(ctx, v))
	doc, err := s.documents.find(req)
	if err != nil {
		if limited := s.charge(c, refusedPoints); limited != nil {
			return ctx, nil, limited // guessing at limits is not free
		}
		return ctx, nil, err
	}
	def := doc.Operations.ForName(req.OperationName)
	if def == nil {
		return ctx, nil, fault.New(fault.ValidationFailed, "operationName must name one of the document's %d operations.", len(doc.Operations))
	}
	if c.checked && c.session.noRole && def.Operation == ast.Query { // which gives nobody a role, and is done at once
		v = v.WithoutRoles()
		ctx = viewer.NewContext(ctx, v)
	}
	recordOf(ctx).operation(def, c.session.Viewer)
	if def.Operation == ast.Mutation {
		if err := mayMutate(c); err != nil {
			return ctx, nil, err
		}
	}
	after, err := resumeField(def, c.lastEvent, req)
	if err != nil {
		return ctx, nil, err
	}
	oc, errs := s.exec.CreateOperationContext(withDocument(ctx, doc), &graphql.RawParams{
		Query: req.Query, OperationName: req.OperationName, Variables: req.Variables, Extensions: req.Extensions,
	})
	if len(errs) > 0 {
		return ctx, nil, badVariables(errs)
	}
	oc.DisableIntrospection = false // where it is hidden, the document was refused
	if after != nil {
		oc.Operation = after
	}
	op = &operation{server: s, ctx: oc, kind: def.Operation, cost: documentCost(oc.Operation, oc.Variables), query: req.Query, viewer: v, key: c.key()}
	recordOf(ctx).costs(op.cost)
	if op.cost > s.limits.Cost {
		return ctx, nil, fault.New(fault.CostExceeded,
			"The operation could return %d objects, more than %d. Ask for smaller pages or fewer levels.", op.cost, s.limits.Cost)
	}
	op.left = s.rates.full()
	if s.cfg.RateLimit {
		left, wait, ok := s.rates.take(op.key, 1+float64(op.cost)/pointsPerCost)
		if !ok {
			return ctx, nil, rateLimited(wait)
		}
		op.left = left
	}
	op.left.Cost = int(op.cost)
	return allowance.NewContext(ctx, op.left), op, nil
}

// refusedPoints is what a document costs that is not valid or breaks a limit.
const refusedPoints = 5

func (s *Server) charge(c caller, points float64) error {
	if !s.cfg.RateLimit {
		return nil
	}
	if _, wait, ok := s.rates.take(c.key(), points); !ok {
		return rateLimited(wait)
	}
	return nil
}

func rateLimited(wait time.Duration) error {
	wait = wait.Truncate(time.Second) + time.Second
	return &tooSoon{fault.New(fault.RateLimited, "Too much at once. Try again in %d s.", int(wait.Seconds())), wait}
}

func mayMutate(c caller) error {
	switch v := c.session.Viewer; {
	case c.noMutate != nil:
		return c.noMutate
	case v.CanWrite():
		return nil
	case v.IsMember():
		return fault.New(fault.InsufficientScope, "This token only reads. Changes need one with the scope write.")
	default:
		return fault.New(fault.Unauthenticated, "Sign in to change anything: with a browser, or with a token as Authorization: Bearer …")
	}
}

// resumeField makes a subscription begin after a cursor that the transport carries (Last-Event-ID): it sets the variable
// that the root field's argument after takes or, when after is absent or written in the document, returns a copy of the
// operation with the cursor in its place. A root field without such an argument has nothing to resume.
func resumeField(def *ast.OperationDefinition, cursor string, req *request) (*ast.OperationDefinition, error) {
	if cursor == "" || def.Operation != ast.Subscription {
		return nil, nil
	}
	root, ok := def.SelectionSet[0].(*ast.Field)
	if !ok || len(def.SelectionSet) != 1 {
		return nil, fault.New(fault.BadRequest, "Last-Event-ID needs the subscription's field directly in the operation, not in a fragment.")
	}
	arg := root.Definition.Arguments.ForName("after")
	if arg == nil {
		return nil, nil
	}
	if given := root.Arguments.ForName("after"); given != nil && given.Value.Kind == ast.Variable {
		req.Variables = maps.Clone(req.Variables)
		if req.Variables == nil {
			req.Variables = map[string]any{}
		}
		req.Variables[given.Value.Raw] = cursor
		return nil, nil
	}
	field, op := *root, *def
	field.Arguments = ast.ArgumentList{{Name: "after", Value: &ast.Value{Raw: cursor, Kind: ast.StringValue, ExpectedType: arg.Type}}}
	for _, other := range root.Arguments {
		if other.Name != "after" {
			field.Arguments = append(field.Arguments, other)
		}
	}
	op.SelectionSet = ast.SelectionSet{&field}
	return &op, nil
}

// badVariables renders what the executor found before it ran anything: wrong variables, or what an extension refuses. An
// extension's own code stays.
func badVariables(errs gqlerror.List) error {
	out := make(gqlerror.List, 0, len(errs))
	for _, e := range errs {
		if faults := fault.All(e); len(faults) > 0 {
			return fault.List(faults)
		}
		if code, _ := e.Extensions["code"].(string); code != "" && code != string(fault.ValidationFailed) {
			e.Extensions["code"] = fault.Code(code)
			out = append(out, e)
			continue
		}
		message, extensions := e.Message, map[string]any{"code": fault.BadVariables}
		if names := pathNames(e.Path); len(names) > 1 {
			message = fmt.Sprintf("Variable $%s: %s.", names[1], e.Message)
			extensions["inputPath"] = names[1:]
		}
		out = append(out, &gqlerror.Error{Message: message, Locations: e.Locations, Extensions: extensions})
	}
	return out
}

// execute runs a query or a mutation within the deadline, once there is a place for it. Of the two results one is nil.
func (op *operation) execute(ctx context.Context) (resp *graphql.Response, refused *refusal) {
	s := op.server
	if err := s.places.enter(ctx, op.key); err != nil {
		return nil, s.refuse(ctx, err)
	}
	defer s.places.leave(op.key)
	ctx, cancel := context.WithTimeout(ctx, s.limits.Deadline)
	defer cancel()
	defer func() {
		if p := recover(); p != nil {
			resp = &graphql.Response{Errors: s.refuse(ctx, recovered(ctx, p)).errs}
		}
	}()
	next, ctx := s.exec.DispatchOperation(ctx, op.ctx)
	if resp = next(ctx); resp == nil {
		resp = &graphql.Response{Errors: s.refuse(ctx, s.unexpected(ctx, context.Cause(ctx))).errs}
	}
	return resp, nil
}

// extensions shows the limits. Events of a subscription do not carry them: they are the same bytes for every subscriber.
func (op *operation) extensions() *extensions {
	return &extensions{cost: op.cost, limit: op.server.limits.Cost, left: op.left}
}

// subscription is a subscription whose resolver has agreed. Its events come from the log, which shares their execution among
// subscribers, or from the resolver's own channel.
type subscription struct {
	server *Server
	ctx    context.Context
	next   graphql.ResponseHandler
	stream *fault.Stream
	shared *event.Subscription // it follows the log: make it live, and leave it
	failed *refusal            // refused: there is no stream
}

// subscribe starts a subscription for a client, once there is a place for it, and within the deadline. The resolver has returned
// when subscribe does; failed says whether with an error.
func (op *operation) subscribe(ctx context.Context, to event.Subscriber) (sub *subscription) {
	s := op.server
	if err := s.places.enter(ctx, op.key); err != nil {
		return &subscription{failed: s.refuse(ctx, err)}
	}
	defer s.places.leave(op.key)
	ctx, cancel := context.WithCancelCause(ctx) // ends with the caller's, at the latest
	deadline := time.AfterFunc(s.limits.Deadline, func() { cancel(context.DeadlineExceeded) })
	defer deadline.Stop()
	sub = &subscription{server: s, ctx: ctx}
	refused := func(err error) *subscription {
		if sub.shared != nil {
			sub.shared.Leave()
		}
		sub.failed = s.refuse(ctx, err)
		return sub
	}
	defer func() {
		if p := recover(); p != nil {
			refused(recovered(ctx, p))
		}
	}()
	var opening *event.Opening
	if s.cfg.Events != nil {
		var err error
		if sub.shared, err = s.cfg.Events.Register(ctx, op.viewer, to); err != nil { // before the resolver looks whether the viewer may
			return refused(err)
		}
		ctx, opening = event.WithOpening(ctx)
	}
	ctx, sub.stream = fault.WithStream(ctx)
	before := recordOf(ctx).failures()
	sub.next, sub.ctx = s.exec.DispatchOperation(ctx, op.ctx)
	if recordOf(ctx).failures() > before {
		if resp := sub.next(sub.ctx); resp != nil && len(resp.Errors) > 0 {
			sub.failed = refusalOf(resp.Errors)
		}
	}
	if opening == nil {
		return sub
	}
	source, follows := opening.Source()
	if sub.failed != nil || !follows {
		sub.shared.Leave()
		sub.shared = nil
		return sub
	}
	key, personal := op.groupKey(op.query, op.viewer)
	if err := sub.shared.Open(ctx, key, source, op.shown(op.viewer, personal)); err != nil {
		return refused(err)
	}
	return sub
}

// event waits for the next response. It returns nil, nil at the end of the stream and errors when the stream failed.
func (sub *subscription) event() (resp *graphql.Response, failed gqlerror.List) {
	defer func() {
		if p := recover(); p != nil {
			resp, failed = nil, sub.server.refuse(sub.ctx, recovered(sub.ctx, p)).errs
		}
	}()
	if resp = sub.next(sub.ctx); resp != nil {
		return resp, nil
	}
	if err := sub.stream.Err(); err != nil && sub.ctx.Err() == nil {
		return nil, sub.server.refuse(sub.ctx, err).errs
	}
	return nil, nil
}
