package apitest_test

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/pursuing-equity/commons/ent"
	"github.com/pursuing-equity/commons/ent/space"
	"github.com/pursuing-equity/commons/internal/apitest"
	"github.com/pursuing-equity/commons/internal/gid"
)

// Page 1,000 of a long thread costs what page 1 costs, and a late page of a space's threads what the first one costs: the
// databases walk an index to the page and sort nothing.
func TestLatePagesCostWhatTheFirstOneCosts(t *testing.T) {
	apitest.Each(t, func(w *apitest.World) {
		ada := w.Member("ada")
		network := w.Space(space.KindNETWORK, "Network", ada)
		thread := w.Thread(ada, network, "Long", "first")
		const posts, threads = 20_000, 2_000
		at := w.App.Config.Now()
		for from := 2; from <= posts; from += 500 {
			w.Tx(func(ctx context.Context, tx *ent.Client) error {
				rows := make([]*ent.PostCreate, 0, 500)
				for seq := from; seq < from+500 && seq <= posts; seq++ {
					rows = append(rows, tx.Post.Create().SetID(w.NewID(gid.Post)).SetThreadID(thread).SetAuthorID(ada.ID).SetSeq(seq).
						SetBody("x").SetBodyHTML("<p>x</p>").SetCreatedAt(at))
				}
				return tx.Post.CreateBulk(rows...).Exec(ctx)
			})
		}
		for from := 0; from < threads; from += 500 {
			w.Tx(func(ctx context.Context, tx *ent.Client) error {
				rows := make([]*ent.ThreadCreate, 500)
				for i := range rows {
					active := at.Add(time.Duration(from+i) * time.Second)
					rows[i] = tx.Thread.Create().SetID(w.NewID(gid.Thread)).SetSpaceID(network).SetAuthorID(ada.ID).SetTitle("T").SetPostSeq(1).
						SetCreatedAt(active).SetUpdatedAt(active).SetLastActivityAt(active)
				}
				return tx.Thread.CreateBulk(rows...).Exec(ctx)
			})
		}
		w.Tx(func(ctx context.Context, tx *ent.Client) error {
			return tx.Thread.UpdateOneID(thread).SetPostSeq(posts).Exec(ctx)
		})
		if _, err := w.App.Store.Client(w.System()).ExecContext(w.System(), "ANALYZE"); err != nil {
			w.T.Fatal(err)
		}

		for name, c := range map[string]struct {
			query, list, table string
			size, pages        int
			id                 gid.ID
		}{
			"posts":   {`query($id: ID!, $first: Int!, $after: Cursor) { node(id: $id) { ... on Thread { posts(first: $first, after: $after) { edges { node { seq } } pageInfo { endCursor } } } } }`, "posts", "posts", 20, 1000, thread},
			"threads": {`query($id: ID!, $first: Int!, $after: Cursor) { node(id: $id) { ... on Space { threads(first: $first, after: $after) { edges { node { id } } pageInfo { endCursor } } } } }`, "threads", "threads", 20, 100, network},
		} {
			w.T.Run(name, func(t *testing.T) {
				read := func(first int, after any) *apitest.Response {
					return ada.Must(c.query, vars{"id": c.id, "first": first, "after": after})
				}
				explain := func(after any) plan {
					var p plan
					statements := w.App.Store.Record(func() { read(c.size, after) })
					for _, s := range statements {
						if strings.Contains(s.Query, `FROM "`+c.table+`"`) || strings.Contains(s.Query, "FROM `"+c.table+"`") {
							if strings.Contains(s.Query, "LIMIT") && strings.Contains(s.Query, "ORDER BY") {
								p = explained(t, w, s.Query, s.Args)
							}
						}
					}
					if p.text == "" {
						t.Fatalf("the list's statement is not among %d", len(statements))
					}
					return p
				}
				var after any
				for n := 0; n < (c.pages-1)*c.size; n += 100 { // walk to the late page as a client would
					step := min(100, (c.pages-1)*c.size-n)
					after = read(step, after).At("node." + c.list + ".pageInfo.endCursor")
				}
				first, late := explain(nil), explain(after)
				t.Logf("buffers: first page %d, page %d %d\n%s", first.buffers, c.pages, late.buffers, late.text)
				for _, p := range []plan{first, late} {
					if p.sorts || p.scans {
						t.Errorf("the plan sorts or reads the whole table:\n%s", p.text)
					}
				}
				if late.buffers > first.buffers*3/2+8 {
					t.Errorf("page %d reads %d buffers, the first %d", c.pages, late.buffers, first.buffers)
				}
			})
		}
	})
}

// plan is what a database says of how it runs a statement.
type plan struct {
	text         string
	buffers      int
	sorts, scans bool
}

func explained(t *testing.T, w *apitest.World, query string, args []any) plan {
	t.Helper()
	ctx := w.System()
	if !w.App.Store.Postgres() {
		rows, err := w.App.Store.Client(ctx).QueryContext(ctx, "EXPLAIN QUERY PLAN "+query, args...)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = rows.Close() }()
		var p plan
		for rows.Next() {
			var id, parent, unused int
			var detail string
			if err := rows.Scan(&id, &parent, &unused, &detail); err != nil {
				t.Fatal(err)
			}
			p.text += detail + "\n"
			p.sorts = p.sorts || strings.Contains(detail, "TEMP B-TREE FOR ORDER BY")
			p.scans = p.scans || strings.HasPrefix(detail, "SCAN posts") || strings.HasPrefix(detail, "SCAN threads")
		}
		if err := rows.Err(); err != nil {
			t.Fatal(err)
		}
		return p
	}
	rows, err := w.App.Store.Client(ctx).QueryContext(ctx, "EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) "+query, args...)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	var text string
	for rows.Next() {
		if err := rows.Scan(&text); err != nil {
			t.Fatal(err)
		}
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	var parsed []struct {
		Plan node `json:"Plan"`
	}
	if err := json.Unmarshal([]byte(text), &parsed); err != nil || len(parsed) != 1 {
		t.Fatalf("plan: %v", err)
	}
	p := plan{buffers: parsed[0].Plan.Hit + parsed[0].Plan.Read}
	parsed[0].Plan.walk(&p, 0)
	return p
}

type node struct {
	Type     string `json:"Node Type"`
	Relation string `json:"Relation Name"`
	Index    string `json:"Index Name"`
	Hit      int    `json:"Shared Hit Blocks"`
	Read     int    `json:"Shared Read Blocks"`
	Plans    []node `json:"Plans"`
}

func (n node) walk(p *plan, depth int) {
	p.text += fmt.Sprintf("%s%s %s %s (%d)\n", strings.Repeat("  ", depth), n.Type, n.Relation, n.Index, n.Hit+n.Read)
	p.sorts = p.sorts || strings.Contains(n.Type, "Sort")
	p.scans = p.scans || n.Type == "Seq Scan" && (n.Relation == "posts" || n.Relation == "threads")
	for _, c := range n.Plans {
		c.walk(p, depth+1)
	}
}
