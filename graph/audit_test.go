package graph_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"slices"
	"strconv"
	"testing"

	"github.com/vektah/gqlparser/v2"
	gqlast "github.com/vektah/gqlparser/v2/ast"

	"github.com/pursuing-equity/commons/graph"
)

// The log's actions are strings in the database: what is written down and not in the SDL could not be read.
func TestAuditActionsAreInTheSDL(t *testing.T) {
	schema, err := gqlparser.LoadSchema(&gqlast.Source{Name: "schema.graphql", Input: graph.SDL()})
	if err != nil {
		t.Fatal(err)
	}
	var described, written []string
	for _, v := range schema.Types["AuditAction"].EnumValues {
		described = append(described, v.Name)
	}
	file, err := parser.ParseFile(token.NewFileSet(), "../internal/audit/audit.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	ast.Inspect(file, func(n ast.Node) bool {
		c, ok := n.(*ast.ValueSpec)
		if !ok || len(c.Values) != 1 {
			return true
		}
		if of, ok := c.Type.(*ast.Ident); ok && of.Name == "Action" {
			literal, ok := c.Values[0].(*ast.BasicLit)
			if !ok {
				t.Fatalf("%s is no literal", c.Names[0])
			}
			action, err := strconv.Unquote(literal.Value)
			if err != nil {
				t.Fatal(err)
			}
			written = append(written, action)
		}
		return true
	})
	slices.Sort(described)
	slices.Sort(written)
	if !slices.Equal(described, written) || len(written) < 20 {
		t.Errorf("AuditAction has\n%v\nand internal/audit has\n%v", described, written)
	}
}
