package server

import (
	"math"

	"github.com/vektah/gqlparser/v2/ast"
)

// The sizes that the cost assumes where the document does not say them.
const (
	maxPage           = 100 // a connection's largest page
	listSize          = 10  // a list with a small natural bound
	introspectionSize = 20  // a list of __Type and its like
	maxCost           = math.MaxInt64 / 4
)

// documentCost bounds the number of objects that an operation can return: each object counts one, leaves count nothing.
// A field with first or last makes what stands in its edges or nodes count that many times (a page outside 1 to 100 counts
// as 100, because internal/page refuses it before any statement); a list without them counts ten times, or as many times as
// its ids argument has elements. Nested lists multiply.
//
// It is memoised by fragment and saturates. gqlgen's own ComplexityLimit walks each spread anew, which is exponential, and
// wraps around.
func documentCost(op *ast.OperationDefinition, vars map[string]any) int64 {
	c := &coster{vars: vars, memo: map[costKey]int64{}}
	return max(c.set(op.SelectionSet, 0), 1)
}

type coster struct {
	vars map[string]any
	memo map[costKey]int64
}

// costKey names a fragment's cost. The page is that of the connection on which it is spread, 0 elsewhere.
type costKey struct {
	fragment string
	page     int64
}

func (c *coster) set(set ast.SelectionSet, page int64) int64 {
	var sum int64
	for _, selection := range set {
		switch selection := selection.(type) {
		case *ast.Field:
			sum = add(sum, c.field(selection, page))
		case *ast.InlineFragment:
			sum = add(sum, c.set(selection.SelectionSet, page))
		case *ast.FragmentSpread:
			sum = add(sum, c.fragment(selection, page))
		}
	}
	return sum
}

func (c *coster) fragment(spread *ast.FragmentSpread, page int64) int64 {
	if spread.Definition == nil {
		return 0
	}
	key := costKey{spread.Name, page}
	if cost, ok := c.memo[key]; ok {
		return cost
	}
	cost := c.set(spread.Definition.SelectionSet, page)
	c.memo[key] = cost
	return cost
}

func (c *coster) field(f *ast.Field, page int64) int64 {
	if f.Definition == nil || len(f.SelectionSet) == 0 {
		return 0
	}
	var below int64
	times := int64(1)
	list := f.Definition.Type.Elem != nil
	paged := f.Definition.Arguments.ForName("first") != nil || f.Definition.Arguments.ForName("last") != nil
	switch {
	case paged && list:
		times = c.pageSize(f)
	case paged:
		below = c.pageSize(f)
	case list && page > 0 && (f.Name == "edges" || f.Name == "nodes"):
		times = page
	case list:
		times = c.listSize(f)
	}
	return mul(times, add(1, c.set(f.SelectionSet, below)))
}

func (c *coster) pageSize(f *ast.Field) int64 {
	size, given := int64(0), false
	for _, name := range []string{"first", "last"} {
		arg, def := f.Arguments.ForName(name), f.Definition.Arguments.ForName(name)
		var value any
		switch {
		case arg != nil:
			value, _ = arg.Value.Value(c.vars)
		case def != nil:
			value, _ = def.DefaultValue.Value(nil)
		}
		n := int64(maxPage + 1)
		switch value := value.(type) {
		case nil:
			continue
		case int64:
			n = value
		case float64:
			n = int64(min(max(value, -1), maxPage+1))
		}
		given = true
		size = max(size, n)
	}
	if !given || size < 1 || size > maxPage {
		return maxPage
	}
	return size
}

func (c *coster) listSize(f *ast.Field) int64 {
	if arg := f.Arguments.ForName("ids"); arg != nil {
		if value, err := arg.Value.Value(c.vars); err == nil {
			if ids, ok := value.([]any); ok {
				return int64(len(ids))
			}
		}
	}
	if f.ObjectDefinition != nil && len(f.ObjectDefinition.Name) > 2 && f.ObjectDefinition.Name[:2] == "__" {
		return introspectionSize
	}
	return listSize
}

func add(a, b int64) int64 { return min(a+b, maxCost) }

func mul(a, b int64) int64 {
	if a > 0 && b > maxCost/a {
		return maxCost
	}
	return a * b
}
