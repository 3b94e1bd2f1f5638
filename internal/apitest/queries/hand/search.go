package hand

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"html"
	"strings"

	"github.com/pursuing-equity/commons/internal/gid"
	"github.com/pursuing-equity/commons/internal/page"
	"github.com/pursuing-equity/commons/internal/store"
)

const query = `(to_tsquery('english', $2) || to_tsquery('simple', $3))`

// search takes one word, $2 quoted, $3 as the beginning of one; $4 is how many. Only the first page.
var search = `WITH ` + roles + `, mine AS MATERIALIZED (SELECT s.id FROM spaces s WHERE ` + seesSpace + `),
blocked AS MATERIALIZED (SELECT blocked_id FROM blocks WHERE member_id = $1),
hits AS MATERIALIZED (SELECT document_id, vector FROM search_index WHERE vector @@ ` + query + `),
found AS MATERIALIZED (
  SELECT d.id AS document, d.object_id AS id, d.kind, d.thread_id, CAST(1000000 * ts_rank_cd('{0.1, 0.2, 0.4, 1.0}', hits.vector, ` + query + `, 1) AS bigint) AS rank
  FROM hits JOIN search_documents d ON d.id = hits.document_id
  LEFT JOIN threads t ON t.id = d.thread_id
  WHERE CASE d.kind
    WHEN 'THREAD' THEN t.space_id IN (SELECT id FROM mine)
    WHEN 'POST' THEN t.space_id IN (SELECT id FROM mine) AND (NOT EXISTS (SELECT FROM blocked) OR EXISTS (SELECT FROM posts p WHERE p.id = d.object_id AND ` + heard("p") + `))
    WHEN 'RESOURCE' THEN EXISTS (SELECT FROM resources r WHERE r.id = d.object_id AND r.archived_at IS NULL AND (r.audience = 'PUBLIC' OR r.audience = 'NETWORK' AND ` + participant + ` OR r.audience = 'SPACE' AND r.space_id IN (SELECT id FROM mine)))
    WHEN 'MEMBER' THEN ` + seesMember("d.object_id") + ` AND EXISTS (SELECT FROM members m WHERE m.id = d.object_id AND m.status <> 'ERASED')
    WHEN 'ORGANIZATION' THEN ` + participant + ` ELSE false END),
page AS (SELECT * FROM found ORDER BY rank DESC, id DESC LIMIT $4)
SELECT page.id, page.kind, page.rank, ts_headline('english', concat_ws(E'\n', nullif(d.title, ''), nullif(left(d.body, 100000), '')), ` + query + `, 'MaxWords=32, MinWords=16, ShortWord=0, StartSel=' || chr(1) || ', StopSel=' || chr(2)),
  CASE page.kind WHEN 'POST' THEN t.title ELSE coalesce(o.name, m.name, r.title, t.title) END, t.id, p.seq
FROM page JOIN search_documents d ON d.id = page.document
LEFT JOIN threads t ON t.id = page.thread_id LEFT JOIN posts p ON page.kind = 'POST' AND p.id = page.id LEFT JOIN resources r ON page.kind = 'RESOURCE' AND r.id = page.id
LEFT JOIN members m ON page.kind = 'MEMBER' AND m.id = page.id LEFT JOIN organizations o ON page.kind = 'ORGANIZATION' AND o.id = page.id
ORDER BY page.rank DESC, page.id DESC`

var marks = strings.NewReplacer(store.MarkStart, "<mark>", store.MarkEnd, "</mark>")

func (a *API) search(ctx context.Context, me gid.ID, v variables) (_ out, err error) {
	word := "'" + strings.NewReplacer(`\`, `\\`, `'`, `''`).Replace(v.Query) + "'"
	rows, err := a.statements["search"].QueryContext(ctx, me, word, word+":*", v.First+1)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	order := store.SearchOrder(fmt.Sprintf("search [] %s", v.Query))
	o := make(out, 0, 16<<10)
	o.raw(`{"data":{"search":{"edges":[`)
	var end *page.Cursor
	n := 0
	for rows.Next() {
		var id, thread gid.ID
		var kind, passage, title string
		var rank int64
		var seq sql.NullInt64
		if err := rows.Scan(&id, &kind, &rank, &passage, &title, nullable{&thread}, &seq); err != nil {
			return nil, err
		}
		if n++; n > v.First {
			continue
		}
		if n > 1 {
			o.raw(",")
		}
		c := order.Cursor(page.Key{Int: rank, ID: id}, gid.ID{})
		end = &c
		o.raw(`{"cursor":`)
		o.cursor(c)
		o.raw(`,"snippet":`)
		o.text(marks.Replace(html.EscapeString(passage)))
		o.raw(`,"node":{"__typename":"`)
		o.raw(kind[:1] + strings.ToLower(kind[1:]))
		o.raw(`","id":`)
		o.id(id)
		switch kind {
		case "POST":
			o.raw(`,"seq":`)
			o.number(int(seq.Int64))
			o.raw(`,"thread":{"id":`)
			o.id(thread)
			o.raw(`,"title":`)
			o.text(title)
			o.raw(`}`)
		case "MEMBER", "ORGANIZATION":
			o.raw(`,"name":`)
			o.text(title)
		default:
			o.raw(`,"title":`)
			o.text(title)
		}
		o.raw(`}}`)
	}
	if err := rows.Err(); err != nil {
		return nil, err
	}
	o.raw(`],`)
	o.pageInfo(n > v.First, end)
	o.raw(`}}}`)
	return o, nil
}
