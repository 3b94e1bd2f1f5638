package demo

import (
	"context"
	"iter"
	"slices"
	"strings"

	"github.com/pursuing-equity/commons/internal/gid"
	"github.com/pursuing-equity/commons/internal/store"
)

// in is a row of a thread.
type in[T any] struct {
	thread gid.ID
	index  int
	row    T
}

// each goes through one kind of row of all threads.
func each[T any](batch []rendered, rows func(rendered) []T) iter.Seq2[rendered, in[T]] {
	return func(yield func(rendered, in[T]) bool) {
		for _, d := range batch {
			for i, r := range rows(d) {
				if !yield(d, in[T]{d.Thread.ID, i, r}) {
					return
				}
			}
		}
	}
}

// insertEach is insert for the rows of threads.
func insertEach[T any](ctx context.Context, l *store.Loader, table string, columns []string, batch []rendered, rows func(rendered) []T, row func(rendered, in[T]) []any) error {
	return l.Insert(ctx, table, columns, func(yield func([]any) bool) {
		for d, r := range each(batch, rows) {
			if !yield(row(d, r)) {
				return
			}
		}
	})
}

// loadDiscussions writes a batch of threads with everything in them, parents first.
func loadDiscussions(ctx context.Context, l *store.Loader, batch []rendered) error {
	err := insert(ctx, l, "threads", []string{"id", "created_at", "space_id", "author_id", "title", "kind", "accepted_post_id", "pinned", "locked", "lock_reason", "post_seq", "deleted_posts", "last_post_id", "last_activity_at", "updated_at"}, batch, func(d rendered) []any {
		t := d.Thread
		return []any{t.ID, t.CreatedAt, t.SpaceID, t.AuthorID, t.Title, t.Kind, t.AcceptedPostID, t.Pinned, t.Locked, t.LockReason, t.PostSeq, t.DeletedPosts, t.LastPostID, t.LastActivityAt, t.LastActivityAt}
	})
	if err != nil {
		return err
	}
	err = insertEach(ctx, l, "thread_tags", []string{"id", "created_at", "thread_id", "tag"}, batch,
		func(d rendered) []Tag { return d.Tags },
		func(d rendered, r in[Tag]) []any { return []any{r.row.ID, d.Thread.CreatedAt, r.thread, r.row.Tag} })
	if err != nil {
		return err
	}
	err = insertEach(ctx, l, "posts", []string{"id", "created_at", "thread_id", "author_id", "reply_to_id", "seq", "body", "body_html", "version", "reaction_counts", "edited_at", "deleted_at", "hidden_at", "hidden_by_id", "hidden_body", "hidden_reason"}, batch,
		func(d rendered) []Post { return d.Posts },
		func(d rendered, r in[Post]) []any {
			p := r.row
			return []any{
				p.ID, p.CreatedAt, r.thread, p.AuthorID, p.ReplyToID, p.Seq, p.Body, d.html[r.index], p.Version, list(p.ReactionCounts), instant(p.EditedAt), instant(p.DeletedAt),
				instant(p.HiddenAt), p.HiddenByID, p.HiddenBody, p.HiddenReason,
			}
		})
	if err != nil {
		return err
	}
	err = insertEach(ctx, l, "post_revisions", []string{"id", "created_at", "post_id", "editor_id", "version", "body"}, batch,
		func(d rendered) []PostRevision { return d.Revisions },
		func(_ rendered, r in[PostRevision]) []any {
			v := r.row
			return []any{v.ID, v.CreatedAt, v.PostID, v.EditorID, v.Version, v.Body}
		})
	if err != nil {
		return err
	}
	err = insertEach(ctx, l, "reactions", []string{"id", "created_at", "post_id", "member_id", "emoji"}, batch,
		func(d rendered) []Reaction { return d.Reactions },
		func(_ rendered, r in[Reaction]) []any {
			v := r.row
			return []any{v.ID, v.CreatedAt, v.PostID, v.MemberID, v.Emoji}
		})
	if err != nil {
		return err
	}
	err = insertEach(ctx, l, "read_states", []string{"id", "created_at", "thread_id", "member_id", "last_read_seq", "uncounted", "updated_at"}, batch,
		func(d rendered) []ReadState { return d.ReadStates },
		func(_ rendered, r in[ReadState]) []any {
			v := r.row
			return []any{v.ID, v.CreatedAt, r.thread, v.MemberID, v.LastReadSeq, v.Uncounted, v.CreatedAt}
		})
	if err != nil {
		return err
	}
	err = insertEach(ctx, l, "notifications", []string{"id", "created_at", "recipient_id", "actor_id", "thread_id", "post_id", "reasons", "mentions", "read_at"}, batch,
		func(d rendered) []Notification { return d.Notifications },
		func(_ rendered, r in[Notification]) []any {
			v := r.row
			return []any{v.ID, v.CreatedAt, v.RecipientID, v.ActorID, r.thread, v.PostID, stored(v.Reasons), slices.Contains(v.Reasons, "MENTION"), instant(v.ReadAt)}
		})
	if err != nil {
		return err
	}
	if err := loadModeration(ctx, l, batch); err != nil {
		return err
	}
	return insertDocuments(ctx, l, discussionDocuments(batch))
}

func loadModeration(ctx context.Context, l *store.Loader, batch []rendered) error {
	err := insertEach(ctx, l, "flags", []string{"id", "created_at", "post_id", "reporter_id", "reason", "note", "state", "resolver_id", "resolved_at", "resolution"}, batch,
		func(d rendered) []Flag { return d.Flags },
		func(_ rendered, r in[Flag]) []any {
			f := r.row
			return []any{f.ID, f.CreatedAt, f.PostID, f.ReporterID, f.Reason, f.Note, f.State, f.ResolverID, instant(f.ResolvedAt), f.Resolution}
		})
	if err != nil {
		return err
	}
	return insertEach(ctx, l, "moderation_actions", []string{"id", "created_at", "kind", "moderator_id", "member_id", "space_id", "thread_id", "post_id", "reason"}, batch,
		func(d rendered) []ModerationAction { return d.Acts },
		func(d rendered, r in[ModerationAction]) []any {
			a := r.row
			return []any{a.ID, a.CreatedAt, a.Kind, a.ModeratorID, a.MemberID, d.Thread.SpaceID, r.thread, a.PostID, a.Reason}
		})
}

// discussionDocuments are the search documents of threads and posts; a tombstone and a hidden post have none.
func discussionDocuments(batch []rendered) []document {
	var documents []document
	for _, d := range batch {
		var tags []string
		for _, t := range d.Tags {
			tags = append(tags, t.Tag)
		}
		documents = append(documents, document{kind: "THREAD", object: d.Thread.ID, thread: d.Thread.ID, title: d.Thread.Title, body: strings.Join(tags, " ")})
		for _, p := range d.Posts {
			if p.Body != "" {
				documents = append(documents, document{kind: "POST", object: p.ID, thread: d.Thread.ID, body: p.Body})
			}
		}
	}
	return documents
}
