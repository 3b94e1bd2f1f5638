package apitest_test

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/vektah/gqlparser/v2/ast"

	"github.com/pursuing-equity/commons/ent"
	"github.com/pursuing-equity/commons/internal/apitest"
	"github.com/pursuing-equity/commons/internal/store"
)

// Every list of the graph, asked for by who sees most and by a member like most, is served by an index that has its order: with data of ten times the
// program's size no statement of it reads a large table from end to end, or sorts many rows. And where the data are few, the index is there all
// the same: the planner is told to sort only where it has nothing else.
func TestListsHaveIndexes(t *testing.T) {
	apitest.Each(t, func(w *apitest.World) {
		if !w.App.Store.Postgres() {
			return // its planner has other cost, and its own test in plan_test.go
		}
		must0(w.T, w.App.LoadDemo(w.T.Context(), 10, 1))
		tokens, err := w.App.DemoTokens(w.T.Context())
		must0(w.T, err)
		_, err = w.App.Store.Client(w.System()).ExecContext(w.System(), "ANALYZE")
		must0(w.T, err)
		d, some := newDocuments(w.T), idsOfAllKinds(w.T, w)
		seen, lists := map[string]bool{}, 0
		for _, account := range []string{"admin", "member"} {
			c := w.As(tokens[account+"@demo.example"])
			check := func(what, query string, v vars) {
				lists++
				for _, s := range w.App.Store.Record(func() { c.Do(query, v) }) {
					if seen[s.Query] || !strings.HasPrefix(s.Query, "SELECT") && !strings.HasPrefix(s.Query, "WITH") {
						continue
					}
					seen[s.Query] = true
					if wrong := unserved(w, s, false); wrong != "" {
						w.T.Errorf("%s, %s: %s\n%.300s", account, what, wrong, s.Query)
					} else if wrong := unserved(w, s, true); wrong != "" {
						w.T.Errorf("%s, %s, without an index: %s\n%.300s", account, what, wrong, s.Query)
					}
				}
			}
			for _, f := range d.Query.Fields {
				if f.Arguments.ForName("first") != nil && !slices.ContainsFunc(f.Arguments, func(a *ast.ArgumentDefinition) bool { return a.Type.NonNull && a.DefaultValue == nil }) {
					check(f.Name, fmt.Sprintf("{ %s(first: 50) { edges { cursor } } }", f.Name), nil)
				}
			}
			for _, kind := range slices.Sorted(maps.Keys(kinds)) {
				for _, f := range d.Types[kinds[kind]].Fields {
					if f.Arguments.ForName("first") == nil {
						continue
					}
					for _, id := range some[kind] {
						check(kinds[kind]+"."+f.Name, fmt.Sprintf("query($id: ID!) { node(id: $id) { ... on %s { %s(first: 50) { edges { cursor } } } } }", kinds[kind], f.Name), vars{"id": id})
					}
					if kinds[kind] == "Member" {
						check("viewer."+f.Name, fmt.Sprintf("{ viewer { %s(first: 50) { edges { cursor } } } }", f.Name), nil)
					}
				}
			}
		}
		w.T.Logf("%d lists, %d statements", lists, len(seen))
	})
}

// manyRows are more than a statement may read from end to end, or sort: of fewer the planner may well do so where there is an index.
const manyRows = 1000

// unserved says what is wrong with the plan of a list's statement. With only it says whether there is no index, however few the rows are.
func unserved(w *apitest.World, s store.Statement, only bool) (wrong string) {
	w.Tx(func(ctx context.Context, tx *ent.Client) error {
		if only {
			if _, err := tx.ExecContext(ctx, "SET LOCAL enable_sort = off"); err != nil {
				return err
			}
		}
		rows, err := tx.QueryContext(ctx, "EXPLAIN (ANALYZE, FORMAT JSON) "+s.Query, s.Args...)
		if err != nil {
			return err
		}
		defer func() { _ = rows.Close() }()
		var text string
		for rows.Next() {
			if err := rows.Scan(&text); err != nil {
				return err
			}
		}
		if err := rows.Err(); err != nil {
			return err
		}
		var parsed []struct{ Plan planStep }
		if err := json.Unmarshal([]byte(text), &parsed); err != nil {
			return err
		}
		wrong = parsed[0].Plan.wrong(only)
		return nil
	})
	return wrong
}

// planStep is a node of PostgreSQL's plan.
type planStep struct {
	Type     string     `json:"Node Type"`
	Relation string     `json:"Relation Name"`
	Key      []string   `json:"Sort Key"`
	Filter   string     `json:"Filter"`
	Rows     float64    `json:"Actual Rows"`
	Loops    float64    `json:"Actual Loops"`
	Removed  float64    `json:"Rows Removed by Filter"`
	Plans    []planStep `json:"Plans"`
}

func (s planStep) wrong(only bool) string {
	switch {
	case s.Type == "Seq Scan" && (s.Rows+s.Removed)*max(1, s.Loops) > manyRows:
		return fmt.Sprintf("reads %s from end to end, %.0f rows, for %s", s.Relation, s.Rows+s.Removed, s.Filter)
	case s.Type == "Sort" && s.Plans[0].Type != "Result" && (only || s.Plans[0].Rows > manyRows): // a Result is that of a rule that is never true
		return fmt.Sprintf("sorts %.0f rows by %s", s.Plans[0].Rows, s.Key)
	}
	for _, below := range s.Plans {
		if wrong := below.wrong(only); wrong != "" {
			return wrong
		}
	}
	return ""
}
