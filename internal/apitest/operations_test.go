package apitest_test

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/pursuing-equity/commons/graph"
	"github.com/pursuing-equity/commons/internal/apitest"
	"github.com/pursuing-equity/commons/internal/apitest/database"
	"github.com/pursuing-equity/commons/internal/gid"
)

// The documents that front ends send today are valid, and are the same as those that were agreed.
func TestOperationsAreValid(t *testing.T) {
	t.Parallel()
	schema, err := gqlparser.LoadSchema(&ast.Source{Name: "schema.graphql", Input: graph.SDL()})
	if err != nil {
		t.Fatal(err)
	}
	files, _ := filepath.Glob("operations/*.graphql")
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".graphql")
		if _, err := gqlparser.LoadQueryWithRules(schema, apitest.Operation(t, name), nil); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		agreed, err := os.ReadFile(filepath.Join("..", "..", "..", "shared", "operations", filepath.Base(file)))
		if errors.Is(err, fs.ErrNotExist) {
			continue // the agreement is kept beside the project and need not be there
		}
		if err != nil || string(agreed) != apitest.Operation(t, name) {
			t.Errorf("%s is not a true copy: %v", name, err)
		}
	}
	if len(files) < 16 {
		t.Errorf("%d documents", len(files))
	}
}

// Every document answers as its comment says on the demo data, for member@ and for outsider@.
func TestOperationsOnDemoData(t *testing.T) {
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
		member, outsider := w.As(tokens["member@demo.example"]), w.As(tokens["outsider@demo.example"])
		op := func(name string) string { return apitest.Operation(t, name) }
		hidden := func(t *testing.T, name string, v func(id gid.ID) vars, id gid.ID) {
			t.Helper()
			var a, b *apitest.Response
			// An answer's eventCursor is a place among all transactions, those of work in the background too: the two are asked for while
			// none was written, which the third tells.
			w.Eventually("nothing is written between three questions", func() bool {
				a, b = outsider.Do(op(name), v(id)), outsider.Do(op(name), v(w.NewID(id.Kind())))
				return outsider.Do(op(name), v(id)).Body == a.Body
			})
			if a.Body != b.Body || a.Status != b.Status || a.Code() != "NOT_FOUND" {
				t.Errorf("%s tells an outsider more than of what never existed:\n%s\n%s", name, a.Body, b.Body)
			}
		}
		var network, thread, post gid.ID

		t.Run("directory: who takes part, cohort by cohort", func(t *testing.T) {
			r := member.Must(op("directory"), vars{"first": 10})
			teams := 0
			for i := range r.Len("cohorts.edges") {
				teams += r.Len(fmt.Sprintf("cohorts.edges.%d.node.teams.edges", i))
			}
			if r.Len("cohorts.edges") != 2 || teams < 40 || r.String("cohorts.edges.0.node.teams.edges.0.node.memberships.edges.0.node.member.timeZone") == "" {
				t.Errorf("%d cohorts with %d teams", r.Len("cohorts.edges"), teams)
			}
			if o := outsider.Must(op("directory"), vars{"first": 10}); o.Len("cohorts.edges") != 0 {
				t.Errorf("an outsider sees %v", o.Data)
			}
		})
		t.Run("spaces: those that the viewer may read", func(t *testing.T) {
			r := member.Must(op("spaces"), vars{"first": 100})
			for i := range r.Len("spaces.edges") {
				if at := fmt.Sprintf("spaces.edges.%d.node.", i); r.String(at+"kind") == "NETWORK" {
					network = must(t, r.String(at+"id"))
				}
			}
			if network.IsZero() {
				t.Fatalf("no network: %v", r.Data)
			}
			if o := outsider.Must(op("spaces"), vars{"first": 100}); o.Len("spaces.edges") != 0 {
				t.Errorf("an outsider sees %v", o.Data)
			}
		})
		t.Run("thread-list: the most recently active first, page after page", func(t *testing.T) {
			var after any
			var last string
			seen := map[string]bool{}
			for {
				r := member.Must(op("thread-list"), vars{"space": network, "first": 20, "after": after})
				for i := range r.Len("space.threads.edges") {
					at := fmt.Sprintf("space.threads.edges.%d.node.", i)
					if active := r.String(at + "lastPost.createdAt"); last != "" && active > last || seen[r.String(at+"id")] {
						t.Errorf("%s, active %s, comes after %s", r.String(at+"id"), active, last)
					} else {
						last = active
					}
					seen[r.String(at+"id")] = true
					if r.Int(at+"postCount") > 5 && thread.IsZero() {
						thread = must(t, r.String(at+"id"))
					}
				}
				if r.At("space.threads.pageInfo.hasNextPage") != true {
					break
				}
				after = r.At("space.threads.pageInfo.endCursor")
			}
			if len(seen) < 20 {
				t.Errorf("%d threads", len(seen))
			}
		})
		t.Run("thread-page: posts by number, with a cursor to subscribe from", func(t *testing.T) {
			r := member.Must(op("thread-page"), vars{"id": thread, "first": 100})
			for i := range r.Len("thread.posts.edges") {
				if r.Int(fmt.Sprintf("thread.posts.edges.%d.node.seq", i)) != i+1 {
					t.Errorf("edge %d has another number", i)
				}
			}
			post = must(t, r.String("thread.posts.edges.0.node.id"))
			if r.String("eventCursor") == "" || r.String("thread.posts.edges.0.node.author.name") == "" {
				t.Errorf("page: %v", r.Data)
			}
		})
		t.Run("to an outsider none of it exists", func(t *testing.T) {
			hidden(t, "thread-list", func(id gid.ID) vars { return vars{"space": id, "first": 10} }, network)
			hidden(t, "thread-page", func(id gid.ID) vars { return vars{"id": id, "first": 10} }, thread)
			hidden(t, "point-read", func(id gid.ID) vars { return vars{"id": id} }, thread)
			hidden(t, "create-thread", func(id gid.ID) vars { return input(vars{"spaceId": id, "title": "x", "body": "x"}) }, network)
			hidden(t, "create-post", func(id gid.ID) vars { return input(vars{"threadId": id, "body": "x"}) }, thread)
			hidden(t, "mark-read", func(id gid.ID) vars { return input(vars{"threadId": id, "upToSeq": 1}) }, thread)
			hidden(t, "edit-post", func(id gid.ID) vars { return input(vars{"postId": id, "expectedVersion": 1, "body": "x"}) }, post)
			hidden(t, "delete-post", func(id gid.ID) vars { return input(vars{"postId": id}) }, post)
			hidden(t, "react", func(id gid.ID) vars { return input(vars{"postId": id, "emoji": "👍"}) }, post)
			for _, id := range []gid.ID{thread, w.NewID(gid.Thread)} {
				if code := outsider.Subscribe(op("thread-events"), vars{"thread": id}).Failure(); code != "NOT_FOUND" {
					t.Errorf("subscription: %q", code)
				}
			}
		})
		t.Run("search: pages without duplicates, and nothing for an outsider that is not theirs", func(t *testing.T) {
			var after any
			kinds, ids := map[string]int{}, []string{}
			for range 5 {
				r := member.Must(op("search"), vars{"query": "health equity", "first": 20, "after": after})
				for i := range r.Len("search.edges") {
					at := fmt.Sprintf("search.edges.%d.", i)
					kinds[r.String(at+"node.__typename")]++
					if id := r.String(at + "node.id"); slices.Contains(ids, id) {
						t.Errorf("%s twice", id)
					} else {
						ids = append(ids, id)
					}
					if s := r.String(at + "snippet"); strings.Contains(strings.NewReplacer("<mark>", "", "</mark>", "").Replace(s), "<") {
						t.Errorf("snippet %q", s)
					}
				}
				if after = r.At("search.pageInfo.endCursor"); r.At("search.pageInfo.hasNextPage") != true {
					break
				}
			}
			if len(ids) == 0 {
				t.Error("nothing was found")
			}
			o := outsider.Must(op("search"), vars{"query": "health equity", "first": 100})
			for i := range o.Len("search.edges") {
				if kind := o.String(fmt.Sprintf("search.edges.%d.node.__typename", i)); kind == "Thread" || kind == "Post" || kind == "Organization" {
					t.Errorf("an outsider found a %s", kind)
				}
			}
		})
		t.Run("resources: more for those who take part than for an outsider", func(t *testing.T) {
			mine, theirs := member.Must(op("resources"), vars{"first": 100}), outsider.Must(op("resources"), vars{"first": 100})
			if mine.Len("resources.edges") <= theirs.Len("resources.edges") || theirs.Len("resources.edges") == 0 {
				t.Errorf("%d and %d resources", mine.Len("resources.edges"), theirs.Len("resources.edges"))
			}
		})
		t.Run("the hidden group is for its member only", func(t *testing.T) {
			affinity := w.As(tokens["affinity@demo.example"])
			group := func(c *apitest.Client) string {
				r := c.Must(op("spaces"), vars{"first": 100})
				for i := range r.Len("spaces.edges") {
					if at := fmt.Sprintf("spaces.edges.%d.node.", i); r.String(at+"kind") == "AFFINITY" {
						return r.String(at + "id")
					}
				}
				return ""
			}
			id := group(affinity)
			if id == "" {
				t.Fatal("affinity@ is in no group")
			}
			for _, who := range []string{"admin", "staff", "member", "lead", "expert", "reviewer", "outsider"} {
				c := w.As(tokens[who+"@demo.example"])
				a, b := c.Do(op("point-read"), vars{"id": id}), c.Do(op("point-read"), vars{"id": w.NewID(gid.Space)})
				if who != "member" && group(c) != "" || a.Body != b.Body || a.Code() != "NOT_FOUND" {
					t.Errorf("%s: %s", who, a.Body)
				}
			}
		})
	})
}

// What is loaded together is resolved together: the directory costs the same for ten and for a hundred rows.
func TestDirectoryStatements(t *testing.T) {
	now := time.Now().UTC().Truncate(time.Microsecond) // it stands still: so the sign-in of the first request is known for all
	apitest.Each(t, func(w *apitest.World) {
		if err := w.App.LoadDemo(w.T.Context(), 1, 1); err != nil {
			w.T.Fatal(err)
		}
		tokens, err := w.App.DemoTokens(w.T.Context())
		if err != nil {
			w.T.Fatal(err)
		}
		member := w.As(tokens["member@demo.example"])
		directory := apitest.Operation(w.T, "directory")
		small := strings.NewReplacer("first: 50", "first: 3", "first: 20", "first: 2").Replace(directory)
		count := func(query string) int64 {
			return w.LeastStatements(func() { member.Must(query, vars{"first": 10}) })
		}
		count(directory)
		few, all := count(small), count(directory)
		w.T.Logf("directory: %d statements", all)
		if few != all {
			w.T.Errorf("%d statements for a few rows, %d for all", few, all)
		}
	}, apitest.Clock(func() time.Time { return now }))
}
