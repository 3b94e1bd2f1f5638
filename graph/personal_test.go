package graph_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"strings"
	"testing"

	"github.com/vektah/gqlparser/v2"
	gqlast "github.com/vektah/gqlparser/v2/ast"

	"github.com/pursuing-equity/commons/graph"
)

// A field is @personal exactly when its resolver asks who the viewer is: events are executed once for all who select none.
// Those that forget it fail closed at run time; here they fail before.
func TestPersonalFields(t *testing.T) {
	schema, err := gqlparser.LoadSchema(&gqlast.Source{Name: "schema.graphql", Input: graph.SDL()})
	if err != nil {
		t.Fatal(err)
	}
	asks := map[string]bool{} // by resolver method: "postresolver.viewercanedit"
	files, err := filepath.Glob("*.resolvers.go")
	if err != nil || len(files) == 0 {
		t.Fatalf("no resolvers: %v", err)
	}
	for _, name := range files {
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range file.Decls {
			f, ok := d.(*ast.FuncDecl)
			if !ok || f.Recv == nil {
				continue
			}
			star, ok := f.Recv.List[0].Type.(*ast.StarExpr)
			if !ok {
				continue
			}
			receiver, ok := star.X.(*ast.Ident)
			if !ok {
				continue
			}
			ast.Inspect(f, func(n ast.Node) bool {
				if s, ok := n.(*ast.SelectorExpr); ok && s.Sel.Name == "From" {
					if p, ok := s.X.(*ast.Ident); ok && p.Name == "viewer" {
						asks[strings.ToLower(receiver.Name+"."+f.Name.Name)] = true
					}
				}
				return true
			})
		}
	}
	found := 0
	for _, of := range schema.Types {
		if of.Kind != gqlast.Object || of == schema.Query || of == schema.Mutation || of == schema.Subscription {
			continue
		}
		for _, f := range of.Fields {
			is := asks[strings.ToLower(of.Name+"resolver."+f.Name)]
			if is {
				found++
			}
			if says := f.Directives.ForName("personal") != nil; says != is {
				t.Errorf("%s.%s: @personal is %v, but whether its resolver asks for the viewer is %v", of.Name, f.Name, says, is)
			}
		}
	}
	if found < 20 {
		t.Errorf("only %d resolvers ask for the viewer: does this test still read them?", found)
	}
}
