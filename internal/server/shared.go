package server

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"maps"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/pursuing-equity/commons/internal/event"
	"github.com/pursuing-equity/commons/internal/fault"
	"github.com/pursuing-equity/commons/internal/viewer"
)

// groupKey names those who share the execution of a subscription: the same document, operation and variables, but for where they
// begin. Who selects a @personal field shares it with nobody else's sign-in.
func (op *operation) groupKey(query string, v viewer.Viewer) (key string, personal bool) {
	vars := op.ctx.Variables
	if name := afterVariable(op.ctx.Operation); name != "" {
		vars = maps.Clone(vars)
		delete(vars, name)
	}
	text, err := json.Marshal(vars)
	if err != nil {
		panic(err) // they came as JSON
	}
	hash := sha256.New()
	for _, part := range []string{query, op.ctx.OperationName, string(text)} {
		sum := sha256.Sum256([]byte(part))
		hash.Write(sum[:])
	}
	if personal = isPersonal(op.ctx.Operation); personal {
		sum := sha256.Sum256([]byte(v.Key()))
		hash.Write(sum[:])
	}
	return hex.EncodeToString(hash.Sum(nil)), personal
}

// afterVariable is the variable that only says behind which event to begin; empty when there is none, or when it is used
// for anything else, too.
func afterVariable(op *ast.OperationDefinition) string {
	if len(op.SelectionSet) != 1 {
		return ""
	}
	root, ok := op.SelectionSet[0].(*ast.Field)
	if !ok {
		return ""
	}
	arg := root.Arguments.ForName("after")
	if arg == nil || arg.Value.Kind != ast.Variable {
		return ""
	}
	uses := 0
	walk(op.SelectionSet, map[string]bool{}, func(args ast.ArgumentList, directives ast.DirectiveList) bool {
		uses += usesOf(args, arg.Value.Raw)
		for _, d := range directives {
			uses += usesOf(d.Arguments, arg.Value.Raw)
		}
		return true
	}, nil)
	if uses != 1 {
		return ""
	}
	return arg.Value.Raw
}

func usesOf(args ast.ArgumentList, name string) int {
	n := 0
	var look func(*ast.Value)
	look = func(v *ast.Value) {
		if v == nil {
			return
		}
		if v.Kind == ast.Variable && v.Raw == name {
			n++
		}
		for _, child := range v.Children {
			look(child.Value)
		}
	}
	for _, a := range args {
		look(a.Value)
	}
	return n
}

// isPersonal reports whether the operation selects a field whose value depends on who asks.
func isPersonal(op *ast.OperationDefinition) bool {
	found := false
	walk(op.SelectionSet, map[string]bool{}, nil, func(f *ast.Field) {
		found = found || f.Definition != nil && f.Definition.Directives.ForName("personal") != nil
	})
	return found
}

// walk visits each field, and each place that has arguments or directives, once; a fragment is entered once, however often it is
// spread.
func walk(set ast.SelectionSet, entered map[string]bool, place func(ast.ArgumentList, ast.DirectiveList) bool, field func(*ast.Field)) {
	at := func(args ast.ArgumentList, directives ast.DirectiveList) {
		if place != nil {
			place(args, directives)
		}
	}
	for _, selection := range set {
		switch selection := selection.(type) {
		case *ast.Field:
			at(selection.Arguments, selection.Directives)
			if field != nil {
				field(selection)
			}
			walk(selection.SelectionSet, entered, place, field)
		case *ast.InlineFragment:
			at(nil, selection.Directives)
			walk(selection.SelectionSet, entered, place, field)
		case *ast.FragmentSpread:
			at(nil, selection.Directives)
			if selection.Definition != nil && !entered[selection.Name] {
				entered[selection.Name] = true
				walk(selection.Definition.SelectionSet, entered, place, field)
			}
		}
	}
}

// shown is how a group's events are executed: once for all who share it, with no viewer, or, where a field is personal, as its
// viewer.
func (op *operation) shown(v viewer.Viewer, personal bool) event.Execute {
	s, of := op.server, op.ctx
	return func(ctx context.Context, b *event.Batch) (frames []event.Frame, err error) {
		ctx, cancel := context.WithTimeout(ctx, s.limits.Deadline)
		defer cancel()
		defer func() {
			if p := recover(); p != nil {
				frames, err = nil, recovered(ctx, p)
			}
		}()
		rec := &record{requestID: "events", started: s.cfg.Now()}
		ctx = event.WithBatch(graphql.StartOperationTrace(withRecord(ctx, rec)), b)
		var nobody *viewer.Shared
		if personal {
			ctx = viewer.NewContext(ctx, v)
		} else {
			ctx, nobody = viewer.NewSharedContext(ctx)
		}
		next, ctx := s.exec.DispatchOperation(ctx, of)
		if rec.failures() > 0 {
			return nil, rec.failure()
		}
		for n := 0; ; n++ {
			resp := next(ctx)
			if resp == nil {
				break
			}
			if code := rec.firstCode(); code == fault.Unavailable || code == fault.Timeout {
				return nil, rec.failure() // half an event would be lost for ever: it is executed again
			}
			frames = append(frames, b.Frame(n, appendResponse(nil, resp, nil)))
		}
		if nobody != nil && nobody.Asked() {
			return nil, errors.New("a field that is not @personal asked for the viewer of a shared execution")
		}
		return frames, ctx.Err()
	}
}
