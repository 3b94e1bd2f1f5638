package apitest_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net/http/httptest"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/pursuing-equity/commons/ent/migrate"
	"github.com/pursuing-equity/commons/graph"
	"github.com/pursuing-equity/commons/graph/generated"
	"github.com/pursuing-equity/commons/internal/apitest"
	"github.com/pursuing-equity/commons/internal/apitest/database"
	"github.com/pursuing-equity/commons/internal/gid"
	"github.com/pursuing-equity/commons/internal/server"
	"github.com/pursuing-equity/commons/internal/store"
)

// Queries are not executed by gqlgen but answered as gqlgen answers them, byte for byte: every type, with all that can be selected of it, of
// objects that are there, hidden or never were; lists in every page size; errors in nested fields, in arguments and in lists that must not hold null;
// fragments, aliases and conditions.
func TestQueriesAreAnsweredAsGqlgenDoes(t *testing.T) {
	t.Parallel()
	database.Each(t, func(t *testing.T, url string) {
		w := apitest.Serve(t, url)
		if err := w.App.LoadDemo(t.Context(), 1, 1); err != nil {
			t.Fatal(err)
		}
		tokens, err := w.App.DemoTokens(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		ours := executing(t, w, w.App.Resolver().Schema())
		theirs := executing(t, w, generated.NewExecutableSchema(generated.Config{Resolvers: w.App.Resolver()}))
		d := newDocuments(t)
		some := idsOfAllKinds(t, w)
		asked := 0
		for _, account := range []string{"admin", "member", "affinity", "outsider", ""} {
			a, b := ours(tokens[account+"@demo.example"]), theirs(tokens[account+"@demo.example"])
			same := func(query string, v vars) {
				t.Helper()
				asked++
				x, y := a.Do(query, v), b.Do(query, v)
				x.Body, y.Body = position.ReplaceAllString(x.Body, ""), position.ReplaceAllString(y.Body, "") // the program's own work moves it
				if x.Status != y.Status || x.Body != y.Body {
					at := 0
					for at < len(x.Body) && at < len(y.Body) && x.Body[at] == y.Body[at] {
						at++
					}
					t.Errorf("%s: %.200s %v\nours   … %.300s\ngqlgen … %.300s", account, query, v, x.Body[max(0, at-100):], y.Body[max(0, at-100):])
				}
			}
			for _, kind := range slices.Sorted(maps.Keys(kinds)) {
				of := kinds[kind]
				for _, id := range append(some[kind], w.NewID(kind)) {
					for depth := 1; depth <= 2; depth++ {
						same(fmt.Sprintf("query($id: ID!) { node(id: $id) { ... on %s { %s } } }", of, d.selection(d.Types[of], depth, 2, "")), vars{"id": id})
					}
				}
			}
			for _, name := range []string{"directory", "spaces", "resources", "notifications"} {
				for _, first := range []int{1, 7, 50, 0, 101} {
					same(apitest.Operation(t, name), vars{"first": first})
				}
			}
			for _, thread := range some[gid.Thread] {
				same(apitest.Operation(t, "thread-page"), vars{"id": thread, "first": 3})
				same(apitest.Operation(t, "thread-page"), vars{"id": thread, "first": 3, "after": "nonsense"})
				same(`query($id: ID!, $no: Boolean!) { a: node(id: $id) { ...T } b: node(id: $id) { __typename id ...T @skip(if: $no) ... @include(if: $no) { ... on Thread { title } } } none: node(id: "thr_x") { id } }
					fragment T on Thread { t: title title posts(first: 2) { edges { node { id author { id name } } } } posts(first: 2) { edges { node { seq author { title } } } } }`, vars{"id": thread, "no": true})
				same(`query($ids: [ID!]!) { nodes(ids: $ids) { __typename id ... on Thread { space { id kind } tags } } }`, vars{"ids": []any{thread, w.NewID(gid.Thread), thread}})
			}
			same(`{ programs { id offerings { id calls { id requirements { kind label signers } } supports { kind } fee { amount currency } sponsorships { waived { amount } } cohorts(first: 500) { edges { node { id } } } } } }`, nil)
			same(`{ __typename programs { __typename } __type(name: "Post") { name fields { name type { name ofType { name } } } } }`, nil)
		}
		if asked < 500 {
			t.Errorf("only %d documents", asked)
		}
	})
}

// Of a node whose fields need no resolver only their columns are read: each is what it is beside all the others.
func TestNodesOfChosenColumns(t *testing.T) {
	apitest.Each(t, func(w *apitest.World) {
		must0(w.T, w.App.LoadDemo(w.T.Context(), 1, 1))
		tokens, err := w.App.DemoTokens(w.T.Context())
		must0(w.T, err)
		d, some, fields := newDocuments(w.T), idsOfAllKinds(w.T, w), 0
		for _, account := range []string{"admin", "member", "outsider"} {
			c := w.As(tokens[account+"@demo.example"])
			for kind, of := range kinds {
				for _, id := range some[kind] {
					ask := func(selection string) *apitest.Response {
						return c.Do(fmt.Sprintf("query($id: ID!) { node(id: $id) { ... on %s { %s } } }", of, selection), vars{"id": id})
					}
					var chosen []string
					for _, f := range d.Types[of].Fields {
						if part := d.Types[f.Type.Name()]; generated.Kept[kind].Columns[f.Name] == "" {
							continue
						} else if part.Kind == ast.Object {
							chosen = append(chosen, f.Name+" { "+d.selection(part, 1, 2, "")+" }")
						} else {
							chosen = append(chosen, f.Name)
						}
					}
					all := ask(d.selection(d.Types[of], 1, 2, "") + " " + strings.Join(chosen, " "))
					for _, selection := range append(slices.Clone(chosen), strings.Join(chosen, " ")+" again: __typename") {
						got := ask(selection)
						if (got.At("node") == nil) != (all.At("node") == nil) {
							w.T.Errorf("%s { %s }: %s", of, selection, got.Body)
						}
						for name, value := range object(got.At("node")) {
							if fields++; name != "again" && !reflect.DeepEqual(value, all.At("node."+name)) {
								w.T.Errorf("%s.%s of %s: %v, not %v", of, name, id, value, all.At("node."+name))
							}
						}
					}
				}
			}
		}
		if fields < 500 {
			w.T.Errorf("only %d fields", fields)
		}
	})
}

func object(v any) map[string]any {
	o, _ := v.(map[string]any)
	return o
}

var position = regexp.MustCompile(`"eventCursor":"[^"]*"`)

// executing serves the program's graph with a schema of one's choice, as production does but for rates. It returns clients by token.
func executing(t *testing.T, w *apitest.World, schema graphql.ExecutableSchema) func(token string) *apitest.Client {
	t.Helper()
	s, err := server.New(server.Config{
		Schema: schema,
		SDL:    graph.SDL(),
		Authenticate: func(ctx context.Context, bearer, address string) (server.Session, error) {
			v, expires, err := w.App.Accounts.SignIn(ctx, bearer, address)
			return server.Session{Viewer: v, Expires: expires}, err
		},
		Explain:    store.Fault,
		Extensions: []graphql.HandlerExtension{graph.Snapshot{Store: w.App.Store}},
		Logger:     slog.New(slog.DiscardHandler),
		Now:        w.App.Config.Now,
	})
	if err != nil {
		t.Fatal(err)
	}
	h := httptest.NewServer(s.Handler())
	t.Cleanup(h.Close)
	return func(token string) *apitest.Client { return w.As(token).Elsewhere(h.URL) }
}

// idsOfAllKinds are two ids of each kind that the database has, the hidden ones among them.
func idsOfAllKinds(t *testing.T, w *apitest.World) map[gid.Kind][]gid.ID {
	t.Helper()
	ids := map[gid.Kind][]gid.ID{}
	for _, table := range migrate.Tables {
		if len(table.PrimaryKey) != 1 || table.PrimaryKey[0].Name != "id" || table.Name == "events" || table.Name == "search_documents" {
			continue // its ids are no objects'
		}
		for _, order := range []string{"ASC", "DESC"} {
			rows, err := w.App.Store.Client(w.System()).QueryContext(w.System(), fmt.Sprintf("SELECT id FROM %s ORDER BY id %s LIMIT 1", table.Name, order))
			if err != nil {
				t.Fatal(err)
			}
			for rows.Next() {
				var id gid.ID
				if err := rows.Scan(&id); err != nil {
					t.Fatal(err)
				}
				ids[id.Kind()] = append(ids[id.Kind()], id)
			}
			if err := errors.Join(rows.Err(), rows.Close()); err != nil { //nolint:sqlclosecheck // within the loop, and a failure ends the test
				t.Fatal(err)
			}
		}
	}
	return ids
}
