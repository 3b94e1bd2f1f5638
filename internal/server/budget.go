package server

import (
	"slices"
	"strconv"
	"strings"

	"github.com/vektah/gqlparser/v2/ast"

	"github.com/pursuing-equity/commons/internal/fault"
)

// budget checks the shape of a document before it is validated: validation compares fields pair by pair, so a hostile
// document must be refused before. Each fragment is walked once, however often it is spread.
type budget struct {
	limits    Limits
	hidden    bool // the schema
	fragments map[string]*ast.FragmentDefinition
	heights   map[string]int             // of fragments; -1 while one is being walked
	aliases   map[string]map[string]bool // of a field's name, over the document
	err       error
}

// checkBudget also takes @defer away, as the specification lets a server do: every answer is one piece.
func checkBudget(doc *ast.QueryDocument, limits Limits, hideSchema bool) error {
	b := &budget{
		limits:    limits,
		hidden:    hideSchema,
		fragments: make(map[string]*ast.FragmentDefinition, len(doc.Fragments)),
		heights:   map[string]int{},
		aliases:   map[string]map[string]bool{},
	}
	for _, f := range doc.Fragments {
		b.fragments[f.Name] = f
	}
	for _, f := range doc.Fragments {
		b.directives(f.Directives)
		b.fragment(f.Name)
	}
	for _, op := range doc.Operations {
		b.directives(op.Directives)
		for _, v := range op.VariableDefinitions {
			b.directives(v.Directives)
			b.value(v.DefaultValue)
		}
		if b.height(op.SelectionSet) > limits.Depth {
			b.fail(fault.DocumentTooDeep, "The document is deeper than %d levels.", limits.Depth)
		}
	}
	return b.err
}

func (b *budget) fail(code fault.Code, message string, args ...any) {
	if b.err == nil {
		b.err = fault.New(code, message, args...)
	}
}

func (b *budget) fragment(name string) int {
	if h, ok := b.heights[name]; ok {
		return max(h, 0) // a cycle: the validator names it
	}
	f := b.fragments[name]
	if f == nil {
		return 0
	}
	b.heights[name] = -1
	h := b.height(f.SelectionSet)
	b.heights[name] = h
	return h
}

// height is the number of levels of fields in the set.
func (b *budget) height(set ast.SelectionSet) int {
	deepest := 0
	seen := map[string]int{}
	for _, selection := range set {
		if b.err != nil {
			return 0
		}
		h := 0
		switch selection := selection.(type) {
		case *ast.Field:
			if seen[selection.Alias]++; seen[selection.Alias] > b.limits.Aliases {
				b.fail(fault.TooManyAliases, "%q stands more than %d times in one place.", selection.Alias, b.limits.Aliases)
			}
			h = 1 + b.field(selection)
		case *ast.InlineFragment:
			selection.Directives = withoutDefer(selection.Directives)
			b.directives(selection.Directives)
			h = b.height(selection.SelectionSet)
		case *ast.FragmentSpread:
			selection.Directives = withoutDefer(selection.Directives)
			b.directives(selection.Directives)
			h = b.fragment(selection.Name)
		}
		deepest = max(deepest, h)
	}
	return deepest
}

// field returns the height below the field. Introspection has an allowance of its own and does not count above.
func (b *budget) field(f *ast.Field) int {
	b.directives(f.Directives)
	for _, arg := range f.Arguments {
		b.value(arg.Value)
	}
	if f.Alias != f.Name {
		names := b.aliases[f.Name]
		if names == nil {
			names = map[string]bool{}
			b.aliases[f.Name] = names
		}
		if names[f.Alias] = true; len(names) > b.limits.Aliases {
			b.fail(fault.TooManyAliases, "%q has more than %d aliases.", f.Name, b.limits.Aliases)
		}
	}
	h := b.height(f.SelectionSet)
	if f.Name != "__schema" && f.Name != "__type" {
		return h
	}
	if b.hidden {
		b.fail(fault.IntrospectionDisabled, "This server does not show its schema.")
	}
	if h > b.limits.IntrospectionDepth {
		b.fail(fault.DocumentTooDeep, "Introspection goes deeper than %d levels.", b.limits.IntrospectionDepth)
	}
	return 0
}

func (b *budget) directives(list ast.DirectiveList) {
	if len(list) > b.limits.Directives {
		b.fail(fault.DocumentTooLarge, "There are more than %d directives at one place.", b.limits.Directives)
	}
	for _, d := range list {
		for _, arg := range d.Arguments {
			b.value(arg.Value)
		}
	}
}

// value refuses numbers that do not fit: gqlgen panics on them when it builds a field's arguments.
func (b *budget) value(v *ast.Value) {
	if v == nil || b.err != nil {
		return
	}
	var err error
	switch v.Kind {
	case ast.IntValue:
		_, err = strconv.ParseInt(v.Raw, 10, 64)
	case ast.FloatValue:
		_, err = strconv.ParseFloat(v.Raw, 64)
	}
	if err != nil {
		b.fail(fault.ValidationFailed, "The number %.20s… does not fit.", v.Raw)
	}
	for _, child := range v.Children {
		b.value(child.Value)
	}
}

func withoutDefer(list ast.DirectiveList) ast.DirectiveList {
	return slices.DeleteFunc(list, func(d *ast.Directive) bool { return strings.EqualFold(d.Name, "defer") })
}
