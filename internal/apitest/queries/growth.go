//go:build linux

package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/pursuing-equity/commons/internal/gid"
)

const (
	basePosts = 50_000
	// deep is the page that is compared with the first.
	deep = 1000
	// longPosts make a thread of more than deep pages.
	longPosts = deep*50 + 200
	// growthConnections ask at once, few enough that what is measured is the work and not the queue.
	growthConnections = 4
)

// growth is what an operation's median took with so many posts, and at page 1,000.
type growth struct {
	posts int
	p50   map[string]time.Duration
	pages map[string][2]time.Duration // the first, and page 1,000
}

// grow measures Commons while its data grow tenfold, and tenfold again: threads of the same spaces, of the same length.
func grow(ctx context.Context, o options) (err error) {
	o.scale = basePosts / 5000
	d, err := prepare(ctx, o)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, d.close()) }()
	if err := d.keepBase(ctx); err != nil {
		return err
	}
	long, err := d.lengthen(ctx)
	if err != nil {
		return err
	}
	var all []growth
	times := 1
	for _, posts := range o.posts {
		if next := posts / basePosts; next > times {
			began := time.Now()
			if err := d.multiply(ctx, times, next); err != nil {
				return err
			}
			times = next
			fmt.Fprintf(os.Stderr, "%d posts after %v\n", posts, time.Since(began).Round(time.Second))
		}
		if err := d.choose(ctx); err != nil {
			return err
		}
		g, err := d.measureGrowth(ctx, o, posts, long, posts == slices.Max(o.posts) && posts >= 100*basePosts)
		if err != nil {
			return err
		}
		all = append(all, g)
	}
	return reportGrowth(o, all)
}

// tables are those that grow, with the columns that hold ids of what grows.
var tables = []struct {
	name, where string
	own         []string // ids of rows that are made again, too
}{
	{"threads", "", []string{"id", "accepted_post_id", "merged_into_id", "last_post_id"}},
	{"posts", "", []string{"id", "thread_id", "reply_to_id", "moved_to_id"}},
	{"read_states", "", []string{"id", "thread_id"}},
	{"events", " WHERE stream_id IN (SELECT id FROM threads)", []string{"stream_id", "object_id"}},
	{"search_documents", " WHERE thread_id IS NOT NULL", []string{"object_id", "thread_id"}},
}

// keepBase sets the rows aside that everything grows from. The same row made for the nth time has n in its id.
func (d *data) keepBase(ctx context.Context) error {
	statements := []string{
		`CREATE FUNCTION again(id uuid, n int) RETURNS uuid LANGUAGE sql IMMUTABLE AS $$ SELECT overlay(id::text placing lpad(to_hex(n), 8, '0') from 25 for 8)::uuid $$`,
		`CREATE UNLOGGED TABLE base_search_index AS SELECT i.vector, d.object_id FROM search_index i JOIN search_documents d ON d.id = i.document_id WHERE d.thread_id IS NOT NULL`,
	}
	for _, t := range tables {
		statements = append(statements, "CREATE UNLOGGED TABLE base_"+t.name+" AS SELECT * FROM "+t.name+t.where)
	}
	return d.run(ctx, statements...)
}

// multiply makes the base's rows again, from the nth time up to before the mth. Constraints and triggers are left aside: what is made has the
// shape of what is there.
func (d *data) multiply(ctx context.Context, from, to int) error {
	statements := []string{"SET session_replication_role = replica", "SET synchronous_commit = off", "SET maintenance_work_mem = '512MB'", "DROP INDEX search_index_vector"}
	for _, t := range tables {
		columns, err := d.columns(ctx, t.name)
		if err != nil {
			return err
		}
		values := make([]string, len(columns))
		for i, c := range columns {
			if values[i] = c; slices.Contains(t.own, c) {
				values[i] = "again(" + c + ", n)"
			}
		}
		statements = append(statements, fmt.Sprintf("INSERT INTO %s (%s) SELECT %s FROM generate_series(%d, %d) n, base_%s",
			t.name, strings.Join(columns, ", "), strings.Join(values, ", "), from, to-1, t.name))
	}
	return d.run(ctx, append(statements,
		fmt.Sprintf(`INSERT INTO search_index (document_id, vector) SELECT d.id, b.vector FROM generate_series(%d, %d) n CROSS JOIN base_search_index b JOIN search_documents d ON d.object_id = again(b.object_id, n)`, from, to-1),
		"CREATE INDEX search_index_vector ON search_index USING gin (vector)",
		"RESET session_replication_role",
		"VACUUM ANALYZE",
		"CHECKPOINT",
	)...)
}

// columns are a table's, but for those that the database fills.
func (d *data) columns(ctx context.Context, table string) (names []string, err error) {
	rows, err := d.db.QueryContext(ctx, `SELECT column_name FROM information_schema.columns WHERE table_schema = 'public' AND table_name = $1 AND is_identity = 'NO' AND column_name <> 'xid' ORDER BY ordinal_position`, table)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			return nil, err
		}
		names = append(names, name)
	}
	return names, rows.Err()
}

// lengthen makes one thread of the network longer than a thousand pages, and returns it.
func (d *data) lengthen(ctx context.Context) (long gid.ID, err error) {
	long = d.threads[0]
	return long, d.run(ctx, "SET session_replication_role = replica",
		fmt.Sprintf(`INSERT INTO posts (id, created_at, seq, body, body_html, thread_id, author_id)
			SELECT again(p.id, n + 1000000), p.created_at, t.post_seq + n, p.body, p.body_html, t.id, p.author_id
			FROM generate_series(1, %d) n, threads t JOIN posts p ON p.thread_id = t.id AND p.seq = 2 WHERE t.id = '%s'`, longPosts, long.UUID()),
		fmt.Sprintf(`UPDATE threads SET post_seq = post_seq + %d, last_post_id = (SELECT id FROM posts WHERE thread_id = threads.id ORDER BY seq DESC LIMIT 1) WHERE id = '%s'`, longPosts, long.UUID()),
		"RESET session_replication_role", "VACUUM ANALYZE posts")
}

// run runs statements on one connection.
func (d *data) run(ctx context.Context, statements ...string) error {
	c, err := d.db.Conn(ctx)
	if err != nil {
		return err
	}
	for _, s := range statements {
		if _, err := c.ExecContext(ctx, s); err != nil {
			return errors.Join(fmt.Errorf("%.100s: %w", s, err), c.Close())
		}
	}
	return c.Close()
}

func (d *data) measureGrowth(ctx context.Context, o options, posts int, long gid.ID, last bool) (g growth, err error) {
	s, err := d.open(ctx, "commons", o)
	if err != nil {
		return g, err
	}
	defer s.stop()
	if err := d.settle(ctx); err != nil {
		return g, err
	}
	g = growth{posts: posts, p50: map[string]time.Duration{}, pages: map[string][2]time.Duration{}}
	for _, op := range []string{"thread-list", "thread-page", "create-post"} {
		if g.p50[op], err = medianOf(ctx, s, o, s.requests[op]); err != nil {
			return g, fmt.Errorf("%s: %w", op, err)
		}
		fmt.Fprintf(os.Stderr, "%9d posts  %-12s  p50 %8v\n", posts, op, g.p50[op].Round(10*time.Microsecond))
	}
	if !last {
		return g, nil
	}
	for op, v := range map[string]map[string]any{"thread-list": {"space": d.spaces[0], "first": 25}, "thread-page": {"id": long, "first": 50}} {
		first, err := d.request(s, op, v)
		if err != nil {
			return g, err
		}
		if v["after"], err = d.walk(ctx, s, op, v); err != nil {
			return g, fmt.Errorf("%s: %w", op, err)
		}
		there, err := d.request(s, op, v)
		if err != nil {
			return g, err
		}
		var pages [2]time.Duration
		for i, r := range []request{first, there} {
			if pages[i], err = medianOf(ctx, s, o, []request{r}); err != nil {
				return g, err
			}
		}
		g.pages[op] = pages
		fmt.Fprintf(os.Stderr, "%9d posts  %-12s  page 1 %v, page %d %v\n", posts, op, pages[0], deep, pages[1])
	}
	return g, nil
}

// medianOf is the median of the turns' medians.
func medianOf(ctx context.Context, s *server, o options, requests []request) (time.Duration, error) {
	if _, err := ask(ctx, s.address, growthConnections, o.each/2, requests); err != nil {
		return 0, err
	}
	var all []time.Duration
	for range o.rounds {
		out, err := ask(ctx, s.address, growthConnections, o.each/2, requests)
		if err != nil {
			return 0, err
		}
		all = append(all, out.p50)
	}
	slices.Sort(all)
	return all[len(all)/2], nil
}

func (d *data) request(s *server, op string, v map[string]any) (request, error) {
	text, err := document(op)
	if err != nil {
		return nil, err
	}
	all, err := bodies(text, []map[string]any{v})
	if err != nil {
		return nil, err
	}
	return post(s.address, "/graphql", all[0], "Authorization", "Bearer "+d.token), nil
}

// walk reads a list page by page and returns the cursor before page 1,000.
func (d *data) walk(ctx context.Context, s *server, op string, v map[string]any) (string, error) {
	c, err := dial(ctx, s.address)
	if err != nil {
		return "", err
	}
	defer func() { _ = c.Close() }()
	var b []byte
	after := ""
	for range deep - 1 {
		if after != "" {
			v["after"] = after
		}
		r, err := d.request(s, op, v)
		if err != nil {
			return "", err
		}
		if b, err = c.do(r, b); err != nil {
			return "", err
		}
		type list struct {
			PageInfo struct {
				HasNextPage bool   `json:"hasNextPage"`
				EndCursor   string `json:"endCursor"`
			} `json:"pageInfo"`
		}
		var got struct {
			Data struct {
				Space  struct{ Threads list } `json:"space"`
				Thread struct{ Posts list }   `json:"thread"`
			} `json:"data"`
		}
		if err := json.Unmarshal(b, &got); err != nil {
			return "", err
		}
		of := got.Data.Space.Threads
		if op == "thread-page" {
			of = got.Data.Thread.Posts
		}
		if !of.PageInfo.HasNextPage {
			return "", errors.New("the list is too short")
		}
		after = of.PageInfo.EndCursor
	}
	return after, nil
}

// reportGrowth prints what grew and whether that was promised.
func reportGrowth(o options, all []growth) error {
	var text strings.Builder
	w := tabwriter.NewWriter(&text, 0, 0, 2, ' ', 0)
	fmt.Fprint(w, "p50")
	for _, g := range all {
		fmt.Fprintf(w, "\t%d posts", g.posts)
	}
	fmt.Fprintln(w, "\tgrows")
	fine := true
	for _, op := range []string{"thread-list", "thread-page", "create-post"} {
		fmt.Fprint(w, op)
		for _, g := range all {
			fmt.Fprintf(w, "\t%.2f ms", ms(g.p50[op]))
		}
		ratio := ms(all[len(all)-1].p50[op]) / ms(all[0].p50[op])
		fine = fine && ratio <= 1.3
		fmt.Fprintf(w, "\t%.2f ≤ 1.3 %s\n", ratio, word(ratio <= 1.3))
	}
	last := all[len(all)-1]
	for _, op := range slices.Sorted(maps.Keys(last.pages)) {
		pages := last.pages[op]
		ratio := ms(pages[1]) / ms(pages[0])
		fine = fine && ratio <= 1.2
		fmt.Fprintf(w, "%s, page %d after page 1\t%.2f ms\t%.2f ms\t\t%.2f ≤ 1.2 %s\n", op, deep, ms(pages[0]), ms(pages[1]), ratio, word(ratio <= 1.2))
	}
	if err := w.Flush(); err != nil {
		return err
	}
	return o.publish(text.String(), fine)
}

func ms(d time.Duration) float64 { return float64(d) / 1e6 }
