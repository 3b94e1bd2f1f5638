// Package invariant says what is true of every database, whoever wrote it: the services, an import or a bulk load. A test
// calls Check at its end.
package invariant

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"testing"

	"github.com/pursuing-equity/commons/ent"
	"github.com/pursuing-equity/commons/ent/schema"
)

// rule is a sentence and the SQL that counts the rows for which it is not so. The SQL is the same for both databases.
type rule struct{ sentence, violations string }

// Check fails the test for every rule that the database breaks. The context must say that the system asks.
func Check(ctx context.Context, t testing.TB, client *ent.Client) {
	t.Helper()
	broken, err := Broken(ctx, client)
	if err != nil {
		t.Error(err)
	}
	for _, sentence := range broken {
		t.Error(sentence)
	}
}

// Broken returns a sentence for every rule that the database breaks.
func Broken(ctx context.Context, client *ent.Client) ([]string, error) {
	var broken []string
	for _, r := range append(append(forum(), lists()...), community()...) {
		var n int
		err := each(ctx, client, r.violations, func(rows *sql.Rows) error { return rows.Scan(&n) })
		if err != nil {
			return broken, fmt.Errorf("check that %s: %w", r.sentence, err)
		}
		if n > 0 {
			broken = append(broken, fmt.Sprintf("%s: not so for %d rows", r.sentence, n))
		}
	}
	n, err := miscounted(ctx, client)
	if n > 0 {
		broken = append(broken, fmt.Sprintf("a post counts its reactions: not so for %d kinds of reaction", n))
	}
	return broken, err
}

// each runs fn for each row of a query.
func each(ctx context.Context, client *ent.Client, query string, fn func(*sql.Rows) error) error {
	rows, err := client.QueryContext(ctx, query)
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		if err := fn(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}

func forum() []rule {
	return []rule{
		{"a thread's posts are numbered from 1 without a gap",
			`SELECT count(*) FROM (SELECT thread_id FROM posts GROUP BY thread_id HAVING min(seq) <> 1 OR max(seq) <> count(*)) x`},
		{"a thread counts its posts, and those that were deleted or hidden",
			`SELECT count(*) FROM threads t WHERE post_seq <> (SELECT count(*) FROM posts p WHERE p.thread_id = t.id)
			OR deleted_posts <> (SELECT count(*) FROM posts p WHERE p.thread_id = t.id AND (p.deleted_at IS NOT NULL OR p.hidden_at IS NOT NULL))`},
		{"a thread knows its newest post",
			`SELECT count(*) FROM threads t LEFT JOIN posts p ON p.id = t.last_post_id
			WHERE p.id IS NULL OR p.thread_id <> t.id OR p.seq <> t.post_seq`},
		{"a thread's last activity is when the youngest of its posts was written, wherever that was",
			`SELECT count(*) FROM threads t WHERE t.last_activity_at <> (SELECT max(p.created_at) FROM posts p WHERE p.thread_id = t.id)`},
		{"a thread's stream of events ends at its counter and has no gap",
			`SELECT count(*) FROM threads t JOIN (SELECT stream_id, min(seq) AS low, max(seq) AS high, count(*) AS n FROM events GROUP BY stream_id) e
			ON e.stream_id = t.id WHERE e.high <> t.event_seq OR e.n <> e.high - e.low + 1`},
		{"a member's stream of events ends at its counter and has no gap",
			`SELECT count(*) FROM members m JOIN (SELECT stream_id, min(seq) AS low, max(seq) AS high, count(*) AS n FROM events GROUP BY stream_id) e
			ON e.stream_id = m.id WHERE e.high <> m.event_seq OR e.n <> e.high - e.low + 1`},
		{"an application's stream of events ends at its counter and has no gap",
			`SELECT count(*) FROM applications a JOIN (SELECT stream_id, min(seq) AS low, max(seq) AS high, count(*) AS n FROM events GROUP BY stream_id) e
			ON e.stream_id = a.id WHERE e.high <> a.event_seq OR e.n <> e.high - e.low + 1`},
		{"a call's stream of events ends at its counter and has no gap",
			`SELECT count(*) FROM calls c JOIN (SELECT stream_id, min(seq) AS low, max(seq) AS high, count(*) AS n FROM events GROUP BY stream_id) e
			ON e.stream_id = c.id WHERE e.high <> c.event_seq OR e.n <> e.high - e.low + 1`},
		{"an application that somebody edits has one owner",
			`SELECT count(*) FROM (SELECT application_id FROM application_editors GROUP BY application_id HAVING sum(CASE WHEN owner THEN 1 ELSE 0 END) <> 1) o`},
		{"a tombstone says nothing",
			`SELECT count(*) FROM posts p WHERE p.deleted_at IS NOT NULL AND (p.body <> '' OR p.body_html <> '' OR p.quote <> '' OR p.hidden_at IS NOT NULL
			OR EXISTS (SELECT 1 FROM post_revisions r WHERE r.post_id = p.id) OR EXISTS (SELECT 1 FROM reactions r WHERE r.post_id = p.id)
			OR EXISTS (SELECT 1 FROM post_attachments a WHERE a.post_id = p.id) OR EXISTS (SELECT 1 FROM post_links l WHERE l.post_id = p.id)
			OR EXISTS (SELECT 1 FROM polls o WHERE o.post_id = p.id) OR EXISTS (SELECT 1 FROM search_documents d WHERE d.object_id = p.id))`},
		{"a hidden post says nothing where it is read, and only a hidden one keeps what it said",
			`SELECT count(*) FROM posts p WHERE p.hidden_at IS NOT NULL AND (p.body <> '' OR p.body_html <> '' OR p.hidden_body = '' OR p.hidden_by_id IS NULL
			OR EXISTS (SELECT 1 FROM search_documents d WHERE d.object_id = p.id))
			OR p.hidden_at IS NULL AND (p.hidden_body <> '' OR p.hidden_reason <> '' OR p.hidden_by_id IS NOT NULL)`},
		{"a flag waits until somebody decides",
			`SELECT count(*) FROM flags WHERE (state = 'OPEN') <> (resolved_at IS NULL) OR (resolver_id IS NULL) <> (resolved_at IS NULL)`},
		{"nothing is left of what was said of the flags on an erased member's posts",
			`SELECT count(*) FROM flags f JOIN posts p ON p.id = f.post_id JOIN members m ON m.id = p.author_id
			WHERE m.status = 'ERASED' AND m.erasing_handle IS NULL AND (f.note <> '' OR f.resolution <> '')`},
		{"a quote is of a post that stands",
			`SELECT count(*) FROM posts p LEFT JOIN posts q ON q.id = p.reply_to_id WHERE p.quote <> '' AND (q.id IS NULL OR q.deleted_at IS NOT NULL)`},
		{"a file that a post holds is its author's, and served",
			`SELECT count(*) FROM post_attachments a JOIN posts p ON p.id = a.post_id JOIN files f ON f.id = a.file_id
			WHERE f.owner_id <> p.author_id OR f.purpose <> 'POST' OR f.attached_at IS NULL OR f.deleted_at IS NOT NULL`},
		{"a file that a draft keeps is its author's, and served",
			`SELECT count(*) FROM draft_attachments a JOIN drafts d ON d.id = a.draft_id JOIN files f ON f.id = a.file_id
			WHERE f.owner_id <> d.member_id OR f.purpose <> 'POST' OR f.attached_at IS NULL OR f.deleted_at IS NOT NULL`},
		{"a poll counts who voted, and for what",
			`SELECT (SELECT count(*) FROM polls o WHERE o.voters <> (SELECT count(DISTINCT member_id) FROM poll_votes v WHERE v.poll_id = o.id))
			+ (SELECT count(*) FROM poll_options o WHERE o.votes <> (SELECT count(*) FROM poll_votes v WHERE v.option_id = o.id AND v.poll_id = o.poll_id))`},
		{"nobody votes twice where one answer is asked for",
			`SELECT count(*) FROM (SELECT v.poll_id, v.member_id FROM poll_votes v JOIN polls o ON o.id = v.poll_id WHERE NOT o.multiple
			GROUP BY v.poll_id, v.member_id HAVING count(*) > 1) x`},
		{"a post that is not deleted or hidden says something",
			`SELECT count(*) FROM posts WHERE deleted_at IS NULL AND hidden_at IS NULL AND (body = '' OR body_html = '')`},
		{"a post has a revision for every older version",
			`SELECT count(*) FROM posts p WHERE p.deleted_at IS NULL AND (p.version <> 1 + (SELECT count(*) FROM post_revisions r WHERE r.post_id = p.id)
			OR p.version - 1 <> (SELECT coalesce(max(r.version), 0) FROM post_revisions r WHERE r.post_id = p.id))`},
		{"a post is edited when it has versions",
			`SELECT count(*) FROM posts WHERE deleted_at IS NULL AND (version > 1) <> (edited_at IS NOT NULL)`},
		{"a reply answers an earlier post",
			`SELECT count(*) FROM posts p JOIN posts r ON r.id = p.reply_to_id WHERE r.id = p.id OR r.created_at > p.created_at`},
		{"a reply answers a post of its thread, unless one of the two was moved",
			`SELECT count(*) FROM posts p JOIN posts r ON r.id = p.reply_to_id WHERE (r.thread_id <> p.thread_id OR r.seq >= p.seq)
			AND NOT EXISTS (SELECT 1 FROM posts m WHERE m.moved_to_id = p.id OR m.moved_to_id = r.id)`},
		{"what leads to a moved post is a tombstone in another thread",
			`SELECT count(*) FROM posts s LEFT JOIN posts p ON p.id = s.moved_to_id WHERE s.moved_to_id IS NOT NULL AND (p.id IS NULL OR s.deleted_at IS NULL)`},
		{"a merged thread has nothing but tombstones, and leads to one that is not merged",
			`SELECT count(*) FROM threads t LEFT JOIN threads o ON o.id = t.merged_into_id WHERE t.merged_into_id IS NOT NULL
			AND (o.id IS NULL OR o.merged_into_id IS NOT NULL OR t.post_seq <> t.deleted_posts OR t.pinned OR t.accepted_post_id IS NOT NULL)`},
		{"an accepted answer stands in its question's thread",
			`SELECT count(*) FROM threads t LEFT JOIN posts p ON p.id = t.accepted_post_id
			WHERE t.accepted_post_id IS NOT NULL AND (p.id IS NULL OR p.thread_id <> t.id OR p.deleted_at IS NOT NULL OR p.hidden_at IS NOT NULL OR t.kind <> 'QUESTION')`},
		{"nobody has read further than a thread goes",
			`SELECT count(*) FROM read_states r JOIN threads t ON t.id = r.thread_id WHERE r.last_read_seq > t.post_seq OR r.last_read_seq < 0`},
		{"a read state counts the member's own later posts, and later ones that were deleted or hidden",
			`SELECT count(*) FROM read_states r WHERE r.uncounted <> (SELECT count(*) FROM posts p
			WHERE p.thread_id = r.thread_id AND p.seq > r.last_read_seq AND (p.author_id = r.member_id OR p.deleted_at IS NOT NULL OR p.hidden_at IS NOT NULL))`},
		{"of their own post somebody is notified by warnings and reminders alone",
			`SELECT count(*) FROM notifications n JOIN posts p ON p.id = n.post_id
			WHERE n.recipient_id = p.author_id AND replace(replace(CAST(n.reasons AS text), '"WARNED"', ''), '"REMINDER"', '') LIKE '%"%'`},
		{"a notification is by the post's author, or of a reminder of the member's own",
			`SELECT count(*) FROM notifications n JOIN posts p ON p.id = n.post_id
			WHERE n.actor_id <> p.author_id AND (n.actor_id <> n.recipient_id OR CAST(n.reasons AS text) NOT LIKE '%"REMINDER"%')`},
		{"a notification is in its post's thread, told when it was made or later",
			`SELECT count(*) FROM notifications n JOIN posts p ON p.id = n.post_id WHERE n.thread_id <> p.thread_id OR n.told_at < n.created_at`},
		{"a notice is of an application or a warning of the member's, told when it was made or later",
			`SELECT count(*) FROM notices n LEFT JOIN moderation_actions m ON m.id = n.warning_id WHERE n.told_at < n.created_at
			OR (n.application_id IS NULL) = (n.warning_id IS NULL) OR (n.reason = 'WARNED') <> (n.warning_id IS NOT NULL)
			OR n.warning_id IS NOT NULL AND (m.kind <> 'WARN' OR m.member_id <> n.recipient_id)`},
	}
}

func lists() []rule {
	return []rule{
		{"search knows every thread by its title",
			`SELECT count(*) FROM threads t LEFT JOIN search_documents d ON d.object_id = t.id WHERE t.merged_into_id IS NULL AND (d.id IS NULL OR d.kind <> 'THREAD' OR d.thread_id <> t.id OR d.title <> t.title)`},
		{"search knows every post by its thread",
			`SELECT count(*) FROM posts p LEFT JOIN search_documents d ON d.object_id = p.id
			WHERE p.deleted_at IS NULL AND p.hidden_at IS NULL AND (d.id IS NULL OR d.kind <> 'POST' OR d.thread_id <> p.thread_id)`},
		{"search knows every active member by name",
			`SELECT count(*) FROM members m LEFT JOIN search_documents d ON d.object_id = m.id WHERE m.status = 'ACTIVE' AND (d.id IS NULL OR d.kind <> 'MEMBER' OR d.title <> m.name)`},
		{"search knows every organization by name",
			`SELECT count(*) FROM organizations o LEFT JOIN search_documents d ON d.object_id = o.id
			WHERE o.archived_at IS NULL AND (d.id IS NULL OR d.kind <> 'ORGANIZATION' OR d.title <> o.name)`},
		{"search knows every resource by its title",
			`SELECT count(*) FROM resources r LEFT JOIN search_documents d ON d.object_id = r.id WHERE r.archived_at IS NULL AND (d.id IS NULL OR d.kind <> 'RESOURCE' OR d.title <> r.title)`},
		{"a resource is at its newest version",
			`SELECT count(*) FROM resources r WHERE r.version <> (SELECT coalesce(max(v.number), 0) FROM resource_versions v WHERE v.resource_id = r.id)
			OR r.version <> (SELECT count(*) FROM resource_versions v WHERE v.resource_id = r.id)`},
		{"a resource for a space has one, the others have none",
			`SELECT count(*) FROM resources WHERE (audience = 'SPACE') <> (space_id IS NOT NULL)`},
	}
}

func community() []rule {
	// Whom a space's membership follows from: teams for their spaces, enrolled teams for cohorts' and the network's.
	const reasons = `SELECT s.id AS space_id, m.member_id FROM team_memberships m JOIN spaces s ON s.team_id = m.team_id WHERE m.ends_on IS NULL
		UNION SELECT s.id, m.member_id FROM team_memberships m JOIN enrollments e ON e.team_id = m.team_id AND e.state <> 'WITHDRAWN'
			JOIN spaces s ON s.cohort_id = e.cohort_id OR s.kind = 'NETWORK' WHERE m.ends_on IS NULL`
	return []rule{
		{"who is in a team is in the spaces that follow from it",
			`SELECT count(*) FROM (` + reasons + `) w LEFT JOIN space_memberships m ON m.space_id = w.space_id AND m.member_id = w.member_id AND m.ends_at IS NULL WHERE m.id IS NULL`},
		{"a derived membership of a space has a reason",
			`SELECT count(*) FROM space_memberships m LEFT JOIN (` + reasons + `) w ON w.space_id = m.space_id AND w.member_id = m.member_id
			WHERE m.derived AND m.ends_at IS NULL AND w.space_id IS NULL`},
		{"nobody is derived into a space that people choose",
			`SELECT count(*) FROM space_memberships m JOIN spaces s ON s.id = m.space_id WHERE m.derived AND s.kind NOT IN ('NETWORK', 'COHORT', 'TEAM')`},
		{"a cohort's space has a cohort and a team's a team",
			`SELECT count(*) FROM spaces WHERE (kind = 'COHORT') <> (cohort_id IS NOT NULL) OR (kind = 'TEAM') <> (team_id IS NOT NULL)`},
	}
}

// miscounted is how many pairs of a post and an emoji have another count than reactions.
func miscounted(ctx context.Context, client *ent.Client) (int, error) {
	type key struct{ post, emoji string }
	there := map[key]int{}
	err := each(ctx, client, `SELECT post_id, emoji, count(*) FROM reactions GROUP BY post_id, emoji`, func(rows *sql.Rows) error {
		var post []byte
		var emoji string
		var n int
		err := rows.Scan(&post, &emoji, &n)
		there[key{string(post), emoji}] = n
		return err
	})
	if err != nil {
		return 0, fmt.Errorf("count reactions: %w", err)
	}
	wrong := 0
	err = each(ctx, client, `SELECT id, reaction_counts FROM posts WHERE reaction_counts IS NOT NULL`, func(rows *sql.Rows) error {
		var post, raw []byte
		if err := rows.Scan(&post, &raw); err != nil {
			return err
		}
		var counts []schema.ReactionCount
		if err := json.Unmarshal(raw, &counts); err != nil {
			return err
		}
		for _, c := range counts {
			k := key{string(post), c.Emoji}
			if there[k] != c.Count {
				wrong++
			}
			delete(there, k)
		}
		return nil
	})
	if err != nil {
		return 0, fmt.Errorf("read reaction counts: %w", err)
	}
	return wrong + len(there), nil
}
