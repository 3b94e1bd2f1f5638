package hand

import (
	"context"
	"errors"

	"github.com/pursuing-equity/commons/internal/gid"
)

// writable holds the thread and says whether the member may post in it.
var writable = `WITH ` + roles + `
SELECT t.locked OR t.merged_into_id IS NOT NULL OR s.archived_at IS NOT NULL
FROM threads t JOIN spaces s ON s.id = t.space_id
WHERE t.id = $2 AND ` + seesSpace + ` FOR NO KEY UPDATE OF t`

// write does in one statement all that follows from a post: its number, its event, the search index, the author's read state, and the job that
// tells who watches.
const write = `WITH t AS (
  UPDATE threads SET post_seq = post_seq + 1, event_seq = event_seq + 1, last_post_id = $2, last_activity_at = $5, updated_at = $5 WHERE id = $3 RETURNING post_seq, event_seq),
p AS (INSERT INTO posts (id, created_at, thread_id, author_id, seq, body, body_html, version) SELECT $2, $5, $3, $1, post_seq, $4, $6, 1 FROM t RETURNING seq),
e AS (INSERT INTO events (stream_id, seq, kind, object_id, actor_id, created_at) SELECT $3, event_seq, 'POST_CREATED', $2, $1, $5 FROM t),
d AS (INSERT INTO search_documents (kind, object_id, thread_id, title, body) VALUES ('POST', $2, $3, '', $4)),
r AS (INSERT INTO read_states (id, created_at, thread_id, member_id, last_read_seq, uncounted, updated_at) SELECT $7, $5, $3, $1, 0, 1, $5 FROM t
  ON CONFLICT (thread_id, member_id) DO UPDATE SET uncounted = read_states.uncounted + 1, updated_at = $5),
j AS (INSERT INTO notification_jobs (id, created_at, post_id, thread_id, next_at) VALUES ($8, $5, $2, $3, $5))
SELECT seq FROM p`

func (a *API) create(ctx context.Context, me gid.ID, v variables) (_ out, err error) {
	tx, err := a.db.BeginTx(ctx, nil)
	if err != nil {
		return nil, err
	}
	done := false
	defer func() {
		if !done {
			err = errors.Join(err, tx.Rollback())
		}
	}()
	var closed bool
	if err := tx.StmtContext(ctx, a.statements["writable"]).QueryRowContext(ctx, me, v.ID).Scan(&closed); err != nil { //nolint:sqlclosecheck // the transaction's end closes it
		return nil, err
	}
	if closed {
		return nil, errors.New("the thread takes no posts")
	}
	now := a.now().UTC()
	id := gid.New(gid.Post, now)
	var seq int
	err = tx.StmtContext(ctx, a.statements["write"]).QueryRowContext(ctx, me, id, v.ID, v.Input.Body, now, a.render(v.Input.Body), gid.New(gid.ReadState, now), gid.New(gid.NotificationJob, now)).Scan(&seq) //nolint:sqlclosecheck // the transaction's end closes it
	if err != nil {
		return nil, err
	}
	if err := tx.Commit(); err != nil {
		return nil, err
	}
	done = true
	o := make(out, 0, 256)
	o.raw(`{"data":{"createPost":{"post":{"id":`)
	o.id(id)
	o.raw(`,"seq":`)
	o.number(seq)
	o.raw(`,"version":1,"createdAt":`)
	o.instant(now)
	o.raw(`},"errors":[]}}}`)
	return o, nil
}
