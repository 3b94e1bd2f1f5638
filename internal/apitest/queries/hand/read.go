package hand

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/lib/pq"

	"github.com/pursuing-equity/commons/internal/gid"
	"github.com/pursuing-equity/commons/internal/page"
)

// The lists' orders, so that cursors are the same.
var (
	byActivity = page.Order{Name: "threads", Column: "last_activity_at", Part: page.ByTime, Desc: true}
	bySeq      = page.Order{Name: "posts", Column: "seq", Part: page.ByInt}
	cohorts    = page.Order{Name: "cohorts", Column: "name", Part: page.ByText}
	cohortTeam = page.Order{Name: "cohort.teams", Column: "name", Part: page.ByText}
)

var point = `WITH ` + roles + `
SELECT t.title, t.created_at, t.locked FROM threads t JOIN spaces s ON s.id = t.space_id WHERE t.id = $2 AND ` + seesSpace

func (a *API) point(ctx context.Context, me gid.ID, v variables) (out, error) {
	o := make(out, 0, 256)
	var title string
	var created time.Time
	var locked bool
	err := a.statements["point"].QueryRowContext(ctx, me, v.ID).Scan(&title, &created, &locked)
	if errors.Is(err, sql.ErrNoRows) {
		return out(`{"data":{"node":null},"errors":[{"message":"There is nothing with this id.","path":["node"],"extensions":{"code":"NOT_FOUND"}}]}`), nil
	}
	if err != nil {
		return nil, err
	}
	o.raw(`{"data":{"node":{"__typename":"Thread","id":`)
	o.id(v.ID)
	o.raw(`,"title":`)
	o.text(title)
	o.raw(`,"createdAt":`)
	o.instant(created)
	o.raw(`,"locked":`)
	o.truth(locked)
	o.raw(`}}}`)
	return o, nil
}

// list takes the page behind ($3, $4), newest activity first; $5 is how many. The place behind which it begins is beyond all for the first page.
var list = `WITH ` + roles + `
SELECT s.name, t.id, t.title, t.pinned, t.locked, t.created_at, t.last_activity_at, t.post_seq - t.deleted_posts,
  m.id, m.name, m.avatar_url, a.title, o.id, o.name,
  p.id, p.seq, p.created_at, pm.id, pm.name,
  CASE WHEN r.id IS NULL THEN t.post_seq - t.deleted_posts ELSE greatest(0, t.post_seq - r.last_read_seq - r.uncounted) END
  - CASE WHEN EXISTS (SELECT FROM blocks WHERE member_id = $1) THEN (SELECT count(*) FROM posts u
      WHERE u.thread_id = t.id AND u.deleted_at IS NULL AND u.hidden_at IS NULL AND u.moved_to_id IS NULL AND u.seq > coalesce(r.last_read_seq, 0) AND NOT ` + heard("u") + `) ELSE 0 END
FROM spaces s
LEFT JOIN LATERAL (SELECT * FROM threads WHERE space_id = s.id AND merged_into_id IS NULL AND (last_activity_at, id) < ($3, $4) ORDER BY last_activity_at DESC, id DESC LIMIT $5) t ON true
LEFT JOIN members m ON m.id = t.author_id
LEFT JOIN affiliations a ON a.member_id = m.id AND a.is_primary AND ` + seesMember("m.id") + `
LEFT JOIN organizations o ON o.id = a.organization_id
LEFT JOIN LATERAL (SELECT * FROM posts p WHERE p.thread_id = t.id AND ` + heard("p") + ` ORDER BY p.seq DESC LIMIT 1) p ON true
LEFT JOIN members pm ON pm.id = p.author_id
LEFT JOIN read_states r ON r.thread_id = t.id AND r.member_id = $1
WHERE s.id = $2 AND ` + seesSpace + `
ORDER BY t.last_activity_at DESC, t.id DESC`

func (a *API) list(ctx context.Context, me gid.ID, v variables) (_ out, err error) {
	beforeTime, beforeID := time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC), gid.ID{0: 0xff}
	if v.After != nil {
		w, err := page.Args{First: &v.First, After: v.After}.Window(byActivity, v.Space)
		if err != nil {
			return nil, err
		}
		beforeTime, beforeID = w.After.Time, w.After.ID
	}
	rows, err := a.statements["list"].QueryContext(ctx, me, v.Space, beforeTime, beforeID, v.First+1)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	o := make(out, 0, 16<<10)
	var end *page.Cursor
	n := 0
	for rows.Next() {
		var space, title, name string
		var avatar, affiliation, organization, lastName sql.NullString
		var id, author, orgID, lastID, lastAuthor gid.ID
		var pinned, locked bool
		var created, active, lastCreated time.Time
		var count, lastSeq, unread int
		err := rows.Scan(&space, &id, &title, &pinned, &locked, &created, &active, &count, &author, &name, &avatar, &affiliation, nullable{&orgID}, &organization,
			&lastID, &lastSeq, &lastCreated, &lastAuthor, &lastName, &unread)
		if err != nil {
			return nil, err
		}
		if n == 0 {
			o.raw(`{"data":{"space":{"id":`)
			o.id(v.Space)
			o.raw(`,"name":`)
			o.text(space)
			o.raw(`,"threads":{"edges":[`)
		}
		if n++; n > v.First {
			continue
		}
		if n > 1 {
			o.raw(",")
		}
		c := byActivity.Cursor(page.Key{Time: active, ID: id}, v.Space)
		end = &c
		o.raw(`{"cursor":`)
		o.cursor(c)
		o.raw(`,"node":{"id":`)
		o.id(id)
		o.raw(`,"title":`)
		o.text(title)
		o.raw(`,"pinned":`)
		o.truth(pinned)
		o.raw(`,"locked":`)
		o.truth(locked)
		o.raw(`,"createdAt":`)
		o.instant(created)
		o.raw(`,"postCount":`)
		o.number(count)
		o.raw(`,"author":{"id":`)
		o.id(author)
		o.raw(`,"name":`)
		o.text(name)
		o.raw(`,"avatarUrl":`)
		o.textOrNull(avatar.String)
		o.raw(`,"primaryAffiliation":`)
		if affiliation.Valid {
			o.raw(`{"title":`)
			o.text(affiliation.String)
			o.raw(`,"organization":{"id":`)
			o.id(orgID)
			o.raw(`,"name":`)
			o.text(organization.String)
			o.raw(`}}`)
		} else {
			o.raw("null")
		}
		o.raw(`},"lastPost":{"id":`)
		o.id(lastID)
		o.raw(`,"seq":`)
		o.number(lastSeq)
		o.raw(`,"createdAt":`)
		o.instant(lastCreated)
		o.raw(`,"author":{"id":`)
		o.id(lastAuthor)
		o.raw(`,"name":`)
		o.text(lastName.String)
		o.raw(`}},"viewerUnreadCount":`)
		o.number(unread)
		o.raw(`}}`)
	}
	if err := rows.Err(); err != nil {
		return nil, err
	}
	if n == 0 {
		return out(`{"data":{"space":null}}`), nil
	}
	o.raw(`],`)
	o.pageInfo(n > v.First, end)
	o.raw(`}}}}`)
	return o, nil
}

// threadPage takes the posts behind number $3; $4 is how many.
var threadPage = `WITH ` + roles + `
SELECT pg_current_snapshot()::text, t.title, t.locked,
  NOT t.locked AND t.merged_into_id IS NULL AND s.archived_at IS NULL AND (
    EXISTS (SELECT FROM space_memberships sm JOIN members me ON me.id = sm.member_id WHERE sm.member_id = $1 AND sm.space_id = s.id AND me.status = 'ACTIVE' AND ` + current + `)
    OR s.kind NOT IN ('AFFINITY', 'DIRECT') AND (` + staff + `
      OR EXISTS (SELECT FROM roles WHERE role = 'FACILITATOR' AND (scope = 'SPACE' AND scope_id = s.id OR scope = 'COHORT' AND scope_id = s.cohort_id))
      OR EXISTS (SELECT FROM roles r JOIN teams tm ON tm.organization_id = r.scope_id WHERE r.role = 'LEAD' AND r.scope = 'ORGANIZATION' AND tm.id = s.team_id))),
  p.id, p.seq, p.body, p.body_html, p.version, p.created_at, p.edited_at, p.deleted_at, p.reaction_counts, m.id, m.name, m.avatar_url, q.id, q.seq,
  CASE WHEN p.reaction_counts IS NULL THEN NULL ELSE (SELECT array_agg(emoji) FROM reactions WHERE post_id = p.id AND member_id = $1) END
FROM threads t JOIN spaces s ON s.id = t.space_id
LEFT JOIN LATERAL (SELECT * FROM posts p WHERE p.thread_id = t.id AND p.seq > $3 AND ` + heard("p") + ` ORDER BY p.seq LIMIT $4) p ON true
LEFT JOIN members m ON m.id = p.author_id
LEFT JOIN posts q ON q.id = p.reply_to_id
WHERE t.id = $2 AND ` + seesSpace + `
ORDER BY p.seq`

func (a *API) page(ctx context.Context, me gid.ID, v variables) (_ out, err error) {
	after := 0
	if v.After != nil {
		w, err := page.Args{First: &v.First, After: v.After}.Window(bySeq, v.ID)
		if err != nil {
			return nil, err
		}
		after = int(w.After.Int)
	}
	rows, err := a.statements["page"].QueryContext(ctx, me, v.ID, after, v.First+1)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	o := make(out, 0, 64<<10)
	var start, end *page.Cursor
	n := 0
	for rows.Next() {
		var snapshot, title, body, html, name string
		var avatar sql.NullString
		var locked, reply bool
		var id, author, answered gid.ID
		var seq, version int
		var answeredSeq sql.NullInt64
		var created time.Time
		var edited, deleted *time.Time
		var counts []byte
		var mine []string
		err := rows.Scan(&snapshot, &title, &locked, &reply, &id, &seq, &body, &html, &version, &created, &edited, &deleted, &counts, &author, &name, &avatar,
			nullable{&answered}, &answeredSeq, pq.Array(&mine))
		if err != nil {
			return nil, err
		}
		if n == 0 {
			o.raw(`{"data":{"eventCursor":`)
			o.text(snapshot)
			o.raw(`,"thread":{"id":`)
			o.id(v.ID)
			o.raw(`,"title":`)
			o.text(title)
			o.raw(`,"locked":`)
			o.truth(locked)
			o.raw(`,"viewerCanReply":`)
			o.truth(reply)
			o.raw(`,"posts":{"edges":[`)
		}
		if n++; n > v.First {
			continue
		}
		if n > 1 {
			o.raw(",")
		}
		c := bySeq.Cursor(page.Key{Int: int64(seq), ID: id}, v.ID)
		if end = &c; start == nil {
			start = &c
		}
		o.raw(`{"cursor":`)
		o.cursor(c)
		o.raw(`,"node":{"id":`)
		o.id(id)
		o.raw(`,"seq":`)
		o.number(seq)
		o.raw(`,"body":`)
		o.text(body)
		o.raw(`,"bodyHTML":`)
		o.text(html)
		o.raw(`,"version":`)
		o.number(version)
		o.raw(`,"createdAt":`)
		o.instant(created)
		o.raw(`,"editedAt":`)
		o.perhaps(edited)
		o.raw(`,"deletedAt":`)
		o.perhaps(deleted)
		o.raw(`,"author":{"id":`)
		o.id(author)
		o.raw(`,"name":`)
		o.text(name)
		o.raw(`,"avatarUrl":`)
		o.textOrNull(avatar.String)
		o.raw(`},"replyTo":`)
		if answeredSeq.Valid {
			o.raw(`{"id":`)
			o.id(answered)
			o.raw(`,"seq":`)
			o.number(int(answeredSeq.Int64))
			o.raw(`}`)
		} else {
			o.raw("null")
		}
		o.raw(`,"reactions":`)
		if err := o.reactions(counts, mine); err != nil {
			return nil, err
		}
		o.raw(`}}`)
	}
	if err := rows.Err(); err != nil {
		return nil, err
	}
	if n == 0 {
		return out(`{"data":{"thread":null}}`), nil
	}
	o.raw(`],"pageInfo":{"hasNextPage":`)
	o.truth(n > v.First)
	o.raw(`,"hasPreviousPage":`)
	o.truth(v.After != nil)
	o.raw(`,"startCursor":`)
	o.cursorOrNull(start)
	o.raw(`,"endCursor":`)
	o.cursorOrNull(end)
	o.raw(`}}}}}`)
	return o, nil
}

// nullable reads an id that may be absent.
type nullable struct{ id *gid.ID }

// Scan is for database/sql.
func (n nullable) Scan(v any) error {
	if v == nil {
		*n.id = gid.ID{}
		return nil
	}
	return n.id.Scan(v)
}
