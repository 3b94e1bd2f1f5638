package server

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"runtime/debug"
	"slices"
	"strconv"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/gqlerror"

	"github.com/pursuing-equity/commons/internal/fault"
)

// present is gqlgen's error presenter: it decides what a client may read of an error. Faults are shown, whatever else is
// logged and becomes INTERNAL. A fault.List becomes as many errors.
func (s *Server) present(ctx context.Context, err error) *gqlerror.Error {
	base, ok := errors.AsType[*gqlerror.Error](err)
	if !ok {
		base = &gqlerror.Error{Err: err, Message: err.Error(), Path: graphql.GetPath(ctx)}
	}
	field, argument := splitPath(ctx, base.Path)
	at := gqlerror.Error{Path: field, Locations: base.Locations}

	var faults []*fault.Error
	f := &fault.Error{}
	if errors.As(base.Err, &f) {
		faults = []*fault.Error{f}
	} else {
		faults = fault.All(err)
	}
	switch {
	case len(faults) > 0:
		for _, f := range faults[:len(faults)-1] { // gqlgen takes one error from a presenter; the others go in beside it
			graphql.AddError(ctx, &gqlerror.Error{Err: f, Message: f.Message, Path: base.Path, Locations: base.Locations})
		}
		return s.show(ctx, faults[len(faults)-1], at, argument)
	case len(argument) > 0 && !isPanic(err):
		f := fault.New(fault.BadVariables, "The value does not fit the argument's type.")
		return s.show(ctx, f.Because(err), at, argument)
	default:
		return s.show(ctx, s.unexpected(ctx, err), at, nil)
	}
}

// unexpected turns an error that is no fault into one.
func (s *Server) unexpected(ctx context.Context, err error) *fault.Error {
	if known := fault.All(s.cfg.Explain(err)); len(known) > 0 {
		return known[0]
	}
	switch {
	case errors.Is(err, context.DeadlineExceeded), outOfTime(ctx):
		return timedOut().Because(err)
	case errors.Is(err, context.Canceled), ctx.Err() != nil:
		return fault.New(fault.Unavailable, "The request was cancelled.")
	default:
		return fault.New(fault.Internal, "").Because(err)
	}
}

// outOfTime reports whether the deadline ended the context: a query's own, or that of a subscription's beginning.
func outOfTime(ctx context.Context) bool {
	return errors.Is(context.Cause(ctx), context.DeadlineExceeded)
}

func timedOut() *fault.Error {
	return fault.New(fault.Timeout, "The operation took too long. Ask for less at once, or try again later.")
}

// show renders one fault, and logs what must not be shown.
func (s *Server) show(ctx context.Context, f *fault.Error, at gqlerror.Error, argument []string) *gqlerror.Error {
	if f.Code == fault.Unavailable && outOfTime(ctx) {
		f = timedOut().Because(f.Cause) // drivers do not always say that it was our own deadline
	}
	recordOf(ctx).failed(f.Code)
	out := at
	out.Message = f.Message
	out.Extensions = map[string]any{"code": f.Code}
	if path := slices.Concat(argument, f.Path); len(path) > 0 {
		out.Extensions["inputPath"] = path
	}
	switch {
	case f.Code == fault.Internal:
		id := newErrorID()
		out.Message = "Something went wrong on our side. Tell us the error id if it stays."
		out.Extensions["errorId"] = id
		attrs := []any{"error_id", id, "path", at.Path.String(), "error", causeOf(f)}
		if p, ok := errors.AsType[*panicked](f.Cause); ok {
			attrs = append(attrs, "stack", string(p.stack))
		}
		s.logger(ctx).ErrorContext(ctx, "internal error", attrs...)
	case f.Cause != nil && f.Code == fault.Unavailable:
		s.logger(ctx).ErrorContext(ctx, "unavailable", "path", at.Path.String(), "error", f.Cause.Error())
	case f.Cause != nil:
		s.logger(ctx).DebugContext(ctx, "fault", "code", f.Code, "path", at.Path.String(), "error", f.Cause.Error())
	}
	return &out
}

func causeOf(f *fault.Error) string {
	if f.Cause == nil {
		return f.Message
	}
	return f.Cause.Error()
}

// splitPath tells an argument's path from its field's. gqlgen reports an argument that it cannot read at the field's path
// followed by the argument's; a response's path must end at the field.
func splitPath(ctx context.Context, path ast.Path) (field ast.Path, argument []string) {
	fc := graphql.GetFieldContext(ctx)
	if fc == nil || fc.Field.Field == nil || fc.Field.Definition == nil {
		return path, nil
	}
	own := fc.Path()
	if len(path) <= len(own) {
		return path, nil
	}
	name, ok := path[len(own)].(ast.PathName)
	if !ok || fc.Field.Definition.Arguments.ForName(string(name)) == nil {
		return path, nil
	}
	return own, pathNames(path[len(own):])
}

func pathNames(path ast.Path) []string {
	names := make([]string, 0, len(path))
	for _, e := range path {
		switch e := e.(type) {
		case ast.PathName:
			names = append(names, string(e))
		case ast.PathIndex:
			names = append(names, strconv.Itoa(int(e)))
		}
	}
	return names
}

// panicked is what a resolver's panic becomes.
type panicked struct {
	value any
	stack []byte
}

func (p *panicked) Error() string { return fmt.Sprintf("panic: %v", p.value) }

func isPanic(err error) bool {
	_, ok := errors.AsType[*panicked](err)
	return ok
}

func recovered(_ context.Context, value any) error {
	return &panicked{value: value, stack: debug.Stack()}
}

func newErrorID() string {
	var b [8]byte
	_, _ = rand.Read(b[:]) // never fails
	return "err_" + hex.EncodeToString(b[:])
}

// refusal is the answer to a request that was not executed.
type refusal struct {
	errs  gqlerror.List
	code  fault.Code
	wait  time.Duration // until it may be tried again; zero when that is not known
	whole bool          // concerns the HTTP request and not what its document says
}

// refusalOf is what a subscription's resolver answers in place of a stream.
func refusalOf(errs gqlerror.List) *refusal {
	code, _ := errs[0].Extensions["code"].(fault.Code)
	return &refusal{errs: errs, code: code, whole: true}
}

// tooSoon is a refusal that says how long to wait.
type tooSoon struct {
	fault *fault.Error
	wait  time.Duration
}

func (e *tooSoon) Error() string { return e.fault.Error() }
func (e *tooSoon) Unwrap() error { return e.fault }

// refuse renders an error from before the execution. The context must not be cancelled for another reason than a deadline.
func (s *Server) refuse(ctx context.Context, err error) *refusal {
	r := new(refusal)
	if e, ok := errors.AsType[*tooSoon](err); ok {
		r.wait = e.wait
	}
	if list, ok := errors.AsType[gqlerror.List](err); ok {
		r.errs = list
		for _, e := range list {
			code, ok := e.Extensions["code"].(fault.Code)
			if !ok {
				r.errs = gqlerror.List{s.show(ctx, s.unexpected(ctx, err), gqlerror.Error{}, nil)}
				break
			}
			recordOf(ctx).failed(code)
		}
	} else {
		faults := fault.All(err)
		if len(faults) == 0 {
			faults = []*fault.Error{s.unexpected(ctx, err)}
		}
		for _, f := range faults {
			r.wait = max(r.wait, f.Wait)
			r.errs = append(r.errs, s.show(ctx, f, gqlerror.Error{}, nil))
		}
	}
	r.code, _ = r.errs[0].Extensions["code"].(fault.Code)
	switch r.code {
	case fault.ParseFailed, fault.ValidationFailed, fault.BadVariables, fault.DocumentTooLarge, fault.DocumentTooDeep,
		fault.TooManyAliases, fault.CostExceeded, fault.InsufficientScope,
		fault.PersistedQueryNotFound, fault.DocumentNotTrusted, fault.IntrospectionDisabled:
	default:
		r.whole = true
	}
	return r
}
