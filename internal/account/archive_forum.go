package account

import (
	"context"
	"fmt"
	"time"

	"entgo.io/ent/dialect/sql"

	"github.com/pursuing-equity/commons/ent"
	"github.com/pursuing-equity/commons/ent/postrevision"
	"github.com/pursuing-equity/commons/ent/thread"
	"github.com/pursuing-equity/commons/internal/access"
	"github.com/pursuing-equity/commons/internal/gid"
	"github.com/pursuing-equity/commons/internal/page"
)

func (a *archive) threads(ctx context.Context) error {
	return rows(a, "threads.json", func(r *ent.Thread) gid.ID { return r.ID }, func(within func(*sql.Selector)) ([]*ent.Thread, error) {
		return a.Store.Client(ctx).Thread.Query().Where(access.ExportableThreads(a.viewer), within).All(ctx)
	}, func(r *ent.Thread) any {
		return map[string]any{"id": r.ID, "spaceId": r.SpaceID, "title": r.Title, "createdAt": r.CreatedAt}
	})
}

// eachPost hands over the member's posts, page by page.
func (a *archive) eachPost(ctx context.Context, do func([]*ent.Post) error) error {
	return page.Walk(exportPage, func(p *ent.Post) gid.ID { return p.ID }, func(within func(*sql.Selector)) ([]*ent.Post, error) {
		return a.Store.Client(ctx).Post.Query().Where(access.ExportablePosts(a.viewer), within).All(ctx)
	}, do)
}

func (a *archive) posts(ctx context.Context) error {
	return a.list("posts.json", func(add func(any) error) error {
		return a.eachPost(ctx, func(posts []*ent.Post) error {
			revisions, err := a.revisions(ctx, posts)
			if err != nil {
				return err
			}
			quotes, err := a.Forum.Quotes(ctx, posts) // not of what is hidden
			if err != nil {
				return err
			}
			for i, p := range posts {
				quote := ""
				if quotes[i] != nil {
					quote = *quotes[i]
				}
				err := add(map[string]any{
					"id": p.ID, "threadId": p.ThreadID, "seq": p.Seq, "replyToId": p.ReplyToID, "quote": quote, "body": said(p), "hiddenAt": p.HiddenAt, "version": p.Version,
					"revisions": revisions[p.ID], "reactions": p.ReactionCounts, "createdAt": p.CreatedAt, "editedAt": p.EditedAt, "deletedAt": p.DeletedAt,
				})
				if err != nil {
					return err
				}
			}
			return nil
		})
	})
}

// revisions are what posts said before, by post: one page at a time, for a post has as many as its author made.
func (a *archive) revisions(ctx context.Context, posts []*ent.Post) (map[gid.ID][]any, error) {
	of := make(map[gid.ID][]any)
	var edited []gid.ID
	for _, p := range posts {
		if p.Version > 1 && p.DeletedAt == nil {
			edited = append(edited, p.ID)
		}
	}
	if len(edited) == 0 {
		return of, nil
	}
	all, err := a.Store.Client(ctx).PostRevision.Query().Where(page.AnyOf(postrevision.FieldPostID, edited)).Order(postrevision.ByVersion()).All(ctx)
	if err != nil {
		return nil, fmt.Errorf("load revisions: %w", err)
	}
	for _, r := range all {
		of[r.PostID] = append(of[r.PostID], map[string]any{"version": r.Version, "body": r.Body, "createdAt": r.CreatedAt})
	}
	return of, nil
}

// text writes the posts to be read, the oldest first. A thread is called by its title where the member can still read it.
func (a *archive) text(ctx context.Context) error {
	w, err := a.create("posts.md")
	if err != nil {
		return err
	}
	if _, err := fmt.Fprintf(w, "# Posts by %s\n", a.member.Name); err != nil {
		return err
	}
	return a.eachPost(ctx, func(posts []*ent.Post) error {
		ids := idsOf(posts, func(p *ent.Post) gid.ID { return p.ThreadID })
		threads, err := a.Store.Client(ctx).Thread.Query().Where(page.AnyOf(thread.FieldID, ids), access.VisibleThreads(a.viewer)).
			Select(thread.FieldID, thread.FieldTitle).All(ctx)
		if err != nil {
			return fmt.Errorf("load threads: %w", err)
		}
		titles := make(map[gid.ID]string, len(threads))
		for _, t := range threads {
			titles[t.ID] = t.Title
		}
		for _, p := range posts {
			title, body := titles[p.ThreadID], said(p)
			if title == "" {
				title = p.ThreadID.String()
			}
			if p.DeletedAt != nil {
				body = "*Deleted.*"
			}
			if _, err := fmt.Fprintf(w, "\n## %s, post %d\n\n*%s*\n\n%s\n", title, p.Seq, p.CreatedAt.UTC().Format(time.RFC1123), body); err != nil {
				return err
			}
		}
		return nil
	})
}

func (a *archive) reactions(ctx context.Context) error {
	return rows(a, "reactions.json", func(r *ent.Reaction) gid.ID { return r.ID }, func(within func(*sql.Selector)) ([]*ent.Reaction, error) {
		return a.Store.Client(ctx).Reaction.Query().Where(access.ExportableReactions(a.viewer), within).All(ctx)
	}, func(r *ent.Reaction) any {
		return map[string]any{"postId": r.PostID, "emoji": r.Emoji, "createdAt": r.CreatedAt}
	})
}

func (a *archive) votes(ctx context.Context) error {
	return rows(a, "votes.json", func(r *ent.PollVote) gid.ID { return r.ID }, func(within func(*sql.Selector)) ([]*ent.PollVote, error) {
		return a.Store.Client(ctx).PollVote.Query().Where(access.ExportablePollVotes(a.viewer), within).All(ctx)
	}, func(r *ent.PollVote) any {
		return map[string]any{"pollId": r.PollID, "optionId": r.OptionID, "createdAt": r.CreatedAt}
	})
}

func (a *archive) positions(ctx context.Context) error {
	return rows(a, "read-positions.json", func(r *ent.ReadState) gid.ID { return r.ID }, func(within func(*sql.Selector)) ([]*ent.ReadState, error) {
		return a.Store.Client(ctx).ReadState.Query().Where(access.ExportableReadStates(a.viewer), within).All(ctx)
	}, func(r *ent.ReadState) any {
		return map[string]any{"threadId": r.ThreadID, "lastReadSeq": r.LastReadSeq, "updatedAt": r.UpdatedAt}
	})
}

func (a *archive) notifications(ctx context.Context) error {
	return rows(a, "notifications.json", func(r *ent.Notification) gid.ID { return r.ID }, func(within func(*sql.Selector)) ([]*ent.Notification, error) {
		return a.Store.Client(ctx).Notification.Query().Where(access.ExportableNotifications(a.viewer), within).All(ctx)
	}, func(r *ent.Notification) any {
		return map[string]any{"id": r.ID, "reasons": r.Reasons, "threadId": r.ThreadID, "postId": r.PostID, "createdAt": r.CreatedAt, "readAt": r.ReadAt}
	})
}

func (a *archive) notices(ctx context.Context) error {
	return rows(a, "notices.json", func(r *ent.Notice) gid.ID { return r.ID }, func(within func(*sql.Selector)) ([]*ent.Notice, error) {
		return a.Store.Client(ctx).Notice.Query().Where(access.ExportableNotices(a.viewer), within).All(ctx)
	}, func(r *ent.Notice) any {
		return map[string]any{"id": r.ID, "reason": r.Reason, "applicationId": r.ApplicationID, "warningId": r.WarningID, "createdAt": r.CreatedAt, "toldAt": r.ToldAt, "readAt": r.ReadAt}
	})
}

func (a *archive) drafts(ctx context.Context) error {
	return a.list("drafts.json", func(add func(any) error) error {
		return page.Walk(exportPage, func(d *ent.Draft) gid.ID { return d.ID }, func(within func(*sql.Selector)) ([]*ent.Draft, error) {
			return a.Store.Client(ctx).Draft.Query().Where(access.ExportableDrafts(a.viewer), within).All(ctx)
		}, func(drafts []*ent.Draft) error {
			versions, err := a.Desk.Versions(ctx, idsOf(drafts, func(d *ent.Draft) gid.ID { return d.ID }))
			if err != nil {
				return err
			}
			for i, d := range drafts {
				before := make([]any, len(versions[i]))
				for j, r := range versions[i] {
					before[j] = map[string]any{"version": r.Version, "title": r.Title, "body": r.Body, "kind": r.Kind, "tags": r.Tags, "fileIds": r.Attachments, "savedAt": r.CreatedAt}
				}
				err := add(map[string]any{
					"id": d.ID, "spaceId": d.SpaceID, "threadId": d.ThreadID, "replyToId": d.ReplyToID, "title": d.Title, "body": d.Body, "kind": d.Kind, "tags": d.Tags, "fileIds": d.Attachments,
					"version": d.Version, "versions": before, "publishAt": d.PublishAt, "createdAt": d.CreatedAt, "updatedAt": d.UpdatedAt,
				})
				if err != nil {
					return err
				}
			}
			return nil
		})
	})
}

func (a *archive) bookmarks(ctx context.Context) error {
	return rows(a, "bookmarks.json", func(b *ent.Bookmark) gid.ID { return b.ID }, func(within func(*sql.Selector)) ([]*ent.Bookmark, error) {
		return a.Store.Client(ctx).Bookmark.Query().Where(access.ExportableBookmarks(a.viewer), within).All(ctx)
	}, func(b *ent.Bookmark) any {
		return map[string]any{"postId": b.PostID, "note": b.Note, "remindAt": b.RemindAt, "createdAt": b.CreatedAt}
	})
}

// watching is how much the member wants to hear of spaces and threads, but for those of affinity groups.
func (a *archive) watching(ctx context.Context) error {
	return rows(a, "watching.json", func(w *ent.WatchSetting) gid.ID { return w.ID }, func(within func(*sql.Selector)) ([]*ent.WatchSetting, error) {
		return a.Store.Client(ctx).WatchSetting.Query().Where(access.ExportableWatchSettings(a.viewer), within).All(ctx)
	}, func(w *ent.WatchSetting) any {
		return map[string]any{"spaceId": w.SpaceID, "threadId": w.ThreadID, "level": w.Level, "updatedAt": w.UpdatedAt}
	})
}
