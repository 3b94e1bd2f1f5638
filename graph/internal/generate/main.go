// Command generate is gqlgen with one more file: graph/generated/queries.go, by which queries are executed in sequence and written straight into
// the answer (see package answer). gqlgen generates the rest as always, and mutations, subscriptions and introspection run on it.
package main

import (
	_ "embed"
	"fmt"
	"go/types"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"text/template"

	"github.com/99designs/gqlgen/api"
	"github.com/99designs/gqlgen/codegen"
	"github.com/99designs/gqlgen/codegen/config"
	"github.com/99designs/gqlgen/codegen/templates"
	"github.com/vektah/gqlparser/v2/ast"
)

func main() {
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "generate:", err)
		os.Exit(1)
	}
}

func run() error {
	cfg, err := config.LoadConfigFromDefaultLocations()
	if err != nil {
		return err
	}
	// It refers to what is about to be generated.
	if err := os.Remove(queries(cfg)); err != nil && !os.IsNotExist(err) {
		return err
	}
	return api.Generate(cfg, api.AddPlugin(plugin{}))
}

func queries(cfg *config.Config) string {
	return filepath.Join(filepath.Dir(cfg.Exec.Filename), "queries.go")
}

//go:embed queries.gotpl
var text string

type plugin struct{}

// Name is for gqlgen.
func (plugin) Name() string { return "queries" }

// GenerateCode writes the file.
func (plugin) GenerateCode(data *codegen.Data) error {
	return templates.Render(templates.Options{
		PackageName:     data.Config.Exec.Package,
		Template:        text,
		Filename:        queries(data.Config),
		Data:            view{Data: data},
		GeneratedHeader: true,
		Packages:        data.Config.Packages,
		Funcs: template.FuncMap{
			"leaf": leaf, "put": put, "lower": lower,
		},
	})
}

// view is gqlgen's data with what the template asks beside.
type view struct{ *codegen.Data }

// Written are the types of values that queries can hold and that are not written in place, by the name of their function.
func (v view) Written() []*config.TypeReference {
	seen, out := map[string]bool{}, []*config.TypeReference(nil)
	var add func(t *config.TypeReference)
	add = func(t *config.TypeReference) {
		if leaf(t) != "" || seen[put(t)] || strings.HasPrefix(t.Definition.Name, "__") {
			return
		}
		seen[put(t)] = true
		out = append(out, t)
		if t.IsSlice() || t.IsPtrToSlice() || t.IsPtrToIntf() || t.IsPtrToPtr() && t.Marshaler == nil && !t.IsMarshaler {
			add(t.Elem())
		}
	}
	for _, o := range v.Shown() {
		for _, f := range o.Fields {
			if !strings.HasPrefix(f.Name, "__") {
				add(f.TypeReference)
			}
		}
	}
	return out
}

// Shown are the objects that queries can hold.
func (v view) Shown() codegen.Objects {
	var out codegen.Objects
	for _, o := range v.Objects {
		if o.IsReserved() || o.Stream || v.MutationRoot != nil && o.Name == v.MutationRoot.Name {
			continue
		}
		out = append(out, o)
	}
	return out
}

// Kept is an object that is an entity of ent's, with its fields that need no resolver.
type Kept struct {
	Entity  string // which is the name of its kind, too
	Object  *codegen.Object
	Columns map[string]string // by the field's name
}

// Kept are the kinds of Node.
func (v view) Kept() []Kept {
	var out []Kept
	for _, o := range v.Objects {
		if !slices.ContainsFunc(o.Implements, func(d *ast.Definition) bool { return d.Name == "Node" }) {
			continue
		}
		entity, ok := o.Type.(*types.Named)
		if !ok {
			continue
		}
		k := Kept{entity.Obj().Name(), o, map[string]string{}}
		for _, f := range o.Fields {
			if f.IsVariable() && !f.IsResolver && !f.IsReserved() {
				if column := columnOf(entity, f.GoFieldName); column != "" {
					k.Columns[f.Name] = column
				}
			}
		}
		out = append(out, k)
	}
	return out
}

// columnOf is the column behind a field of an entity, which ent writes into the field's tag; empty when it has none.
func columnOf(entity types.Type, field string) string {
	of, ok := entity.Underlying().(*types.Struct)
	for i := 0; ok && i < of.NumFields(); i++ {
		if of.Field(i).Name() == field {
			name, _, _ := strings.Cut(reflect.StructTag(of.Tag(i)).Get("json"), ",")
			return strings.TrimPrefix(name, "-")
		}
	}
	return ""
}

// put is the name of the function that writes a type's values.
func put(t *config.TypeReference) string {
	return "put" + strings.TrimPrefix(t.MarshalFunc(), "marshal")
}

func lower(s string) string { return templates.LcFirst(s) }

// leaf is the Writer's method for values that can be written in place, with the pointer before them taken off; empty for the others. What must not
// be null and could be is not among them.
func leaf(t *config.TypeReference) string {
	if t.IsContext || t.HasEnumValues() || t.IsSlice() {
		return ""
	}
	value := t.GO
	if p, ok := value.(*types.Pointer); ok {
		if t.GQL.NonNull {
			return ""
		}
		value = p.Elem()
	}
	if t.CastType != nil && types.TypeString(t.CastType, nil) != types.TypeString(value, nil) {
		return ""
	}
	name := types.TypeString(value, nil)
	if t.IsMarshaler {
		switch {
		case strings.HasSuffix(name, "/internal/gid.ID"):
			return "ID"
		case strings.HasSuffix(name, "/internal/page.Cursor"):
			return "Name"
		case t.Definition.Kind == ast.Enum:
			if basic, ok := value.Underlying().(*types.Basic); ok && basic.Kind() == types.String {
				return "Name"
			}
		}
		return ""
	}
	if t.Marshaler == nil {
		return ""
	}
	return map[string]string{
		"github.com/99designs/gqlgen/graphql.MarshalString string":                  "String",
		"github.com/99designs/gqlgen/graphql.MarshalInt int":                        "Int",
		"github.com/99designs/gqlgen/graphql.MarshalInt64 int64":                    "Int64",
		"github.com/99designs/gqlgen/graphql.MarshalBoolean bool":                   "Bool",
		"github.com/pursuing-equity/commons/graph/scalar.MarshalDateTime time.Time": "DateTime",
		"github.com/pursuing-equity/commons/graph/scalar.MarshalDate time.Time":     "Date",
	}[t.Marshaler.FullName()+" "+name]
}
