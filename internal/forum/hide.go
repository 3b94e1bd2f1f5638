package forum

import (
	"context"
	"fmt"
	"time"

	"github.com/pursuing-equity/commons/ent"
	"github.com/pursuing-equity/commons/ent/member"
	"github.com/pursuing-equity/commons/ent/moderationaction"
	"github.com/pursuing-equity/commons/ent/post"
	"github.com/pursuing-equity/commons/ent/searchdocument"
	"github.com/pursuing-equity/commons/internal/access"
	"github.com/pursuing-equity/commons/internal/audit"
	"github.com/pursuing-equity/commons/internal/event"
	"github.com/pursuing-equity/commons/internal/fault"
	"github.com/pursuing-equity/commons/internal/gid"
	"github.com/pursuing-equity/commons/internal/page"
	"github.com/pursuing-equity/commons/internal/store"
	"github.com/pursuing-equity/commons/internal/viewer"
)

// A hidden post keeps its place, as a tombstone does, and can be shown again. Its text goes to another column, so that nothing that
// reads a post's text can show it by mistake. To every counter it is a tombstone.

func hiddenPost() *fault.Error { return fault.Denied("This post was hidden by a moderator.") }

// Judged is a post that a moderator decides about, while the transaction holds its thread.
type Judged struct {
	Post  *ent.Post
	Space *ent.Space

	forum  *Service
	thread *locked
	viewer viewer.Viewer
	me     gid.ID
	at     time.Time

	changed bool // it was hidden or is shown again
}

// Judge locks the thread of a post for somebody who decides about the post. It returns NOT_FOUND when they cannot see it, and FORBIDDEN
// when they do not moderate it or wrote it themselves.
func (s *Service) Judge(ctx context.Context, tx *ent.Client, v viewer.Viewer, postID gid.ID, at time.Time) (*Judged, error) {
	j, err := s.Hold(ctx, tx, v, postID, at)
	if err != nil {
		return nil, err
	}
	return j, access.CanJudge(j.thread.rights, j.Space, j.Post, j.me)
}

// Hold locks the thread of a post that the viewer can see; NOT_FOUND when they cannot.
func (s *Service) Hold(ctx context.Context, tx *ent.Client, v viewer.Viewer, postID gid.ID, at time.Time) (*Judged, error) {
	me, err := access.SignedIn(v)
	if err != nil {
		return nil, err
	}
	t, p, err := s.lockOf(ctx, tx, v, postID)
	if err != nil {
		return nil, err
	}
	return &Judged{Post: p, Space: t.space, forum: s, thread: t, viewer: v, me: me, at: at}, nil
}

// CanFlag says whether the viewer may flag the post.
func (j *Judged) CanFlag() error {
	return access.CanFlag(j.thread.rights, j.Space, j.Post, j.me)
}

// Hide takes the post's text from everybody but its author and moderators: from the thread, searches, quotes, counts, notifications and
// mail that waits. It is an accepted answer no more. Hiding what is hidden changes nothing.
func (j *Judged) Hide(ctx context.Context, tx *ent.Client, reason string) error {
	s, p, t := j.forum, j.Post, j.thread
	switch {
	case p.DeletedAt != nil:
		return fault.Denied("This post was deleted.")
	case p.HiddenAt != nil:
		return nil
	}
	j.changed = true
	err := tx.Post.UpdateOneID(p.ID).SetBody("").SetBodyHTML("").SetHiddenBody(p.Body).SetHiddenAt(j.at).SetHiddenByID(j.me).SetHiddenReason(reason).Exec(ctx)
	if err != nil {
		return fmt.Errorf("hide post: %w", err)
	}
	if err := store.Unindex(ctx, tx, p.ID); err != nil {
		return err
	}
	if err := s.Notify.PostDeleted(ctx, tx, t.ID, p.ID, j.at); err != nil {
		return err
	}
	if err := forgetArchivesOf(ctx, tx, t.SpaceID, j.at); err != nil {
		return err
	}
	if err := s.uncount(ctx, tx, p, 1); err != nil {
		return err
	}
	u, err := s.record(ctx, tx, t, j.at, event.Entry{Kind: event.PostHidden, Object: p.ID, Actor: j.me})
	if err != nil {
		return err
	}
	if t.AcceptedPostID != nil && *t.AcceptedPostID == p.ID {
		if u, err = s.record(ctx, tx, t, j.at, event.Entry{Kind: event.ThreadChanged, Object: t.ID, Actor: j.me}); err != nil {
			return err
		}
		u.ClearAcceptedPostID()
	}
	t.DeletedPosts++
	if err := u.SetDeletedPosts(t.DeletedPosts).Exec(ctx); err != nil {
		return fmt.Errorf("count hidden posts: %w", err)
	}
	if err := s.requote(ctx, tx, t, p.ID, j.at); err != nil {
		return err
	}
	if err := j.tellAuthor(ctx, tx); err != nil {
		return err
	}
	return s.Audit.Moderated(ctx, tx, j.viewer, j.act(moderationaction.KindHIDE, audit.PostHidden, reason))
}

// Restore shows a hidden post again, as it was. Restoring what is not hidden changes nothing.
func (j *Judged) Restore(ctx context.Context, tx *ent.Client, reason string) error {
	s, p, t := j.forum, j.Post, j.thread
	if p.HiddenAt == nil {
		return nil
	}
	j.changed = true
	err := tx.Post.UpdateOneID(p.ID).SetBody(p.HiddenBody).SetBodyHTML(s.Markdown.HTML(p.HiddenBody)).SetHiddenBody("").ClearHiddenAt().
		ClearHiddenByID().SetHiddenReason("").Exec(ctx)
	if err != nil {
		return fmt.Errorf("restore post: %w", err)
	}
	if err := store.Index(ctx, tx, store.Document{Kind: searchdocument.KindPOST, Object: p.ID, Thread: &t.ID, Body: p.HiddenBody}); err != nil {
		return err
	}
	if err := s.uncount(ctx, tx, p, -1); err != nil {
		return err
	}
	u, err := s.record(ctx, tx, t, j.at, event.Entry{Kind: event.PostRestored, Object: p.ID, Actor: j.me})
	if err != nil {
		return err
	}
	t.DeletedPosts--
	if err := u.SetDeletedPosts(t.DeletedPosts).Exec(ctx); err != nil {
		return fmt.Errorf("count hidden posts: %w", err)
	}
	if err := s.requote(ctx, tx, t, p.ID, j.at); err != nil {
		return err
	}
	if err := j.tellAuthor(ctx, tx); err != nil {
		return err
	}
	return s.Audit.Moderated(ctx, tx, j.viewer, j.act(moderationaction.KindUNHIDE, audit.PostRestored, reason))
}

// Lock locks the post's thread, as LockThread does. Locking what is locked changes nothing.
func (j *Judged) Lock(ctx context.Context, tx *ent.Client, reason string) error {
	s, t := j.forum, j.thread
	if t.Locked {
		return nil
	}
	u, err := s.record(ctx, tx, t, j.at, event.Entry{Kind: event.ThreadChanged, Object: t.ID, Actor: j.me})
	if err != nil {
		return err
	}
	if err := u.SetLocked(true).SetLockReason(reason).SetLockedByID(j.me).SetUpdatedAt(j.at).Exec(ctx); err != nil {
		return fmt.Errorf("lock thread: %w", err)
	}
	return s.lockedBy(ctx, tx, j.viewer, t, reason)
}

// tellAuthor tells the devices of the post's author that it was hidden or is shown again, if they can still read it.
func (j *Judged) tellAuthor(ctx context.Context, tx *ent.Client) error {
	reads, err := tx.Member.Query().Where(member.ID(j.Post.AuthorID), access.ThreadReaders(j.Post.ThreadID)).Exist(ctx)
	if err != nil {
		return fmt.Errorf("look for the post's author: %w", err)
	}
	if !reads {
		return nil
	}
	return j.forum.Events.AppendToMembers(ctx, tx, j.at, map[gid.ID]event.Entry{j.Post.AuthorID: {Kind: event.OwnPostModerated, Object: j.Post.ID}})
}

func (j *Judged) act(kind moderationaction.Kind, action audit.Action, reason string) audit.Act {
	return audit.Act{
		Kind: kind, Action: action, Subject: j.Post.ID, Space: j.Space, Thread: j.Post.ThreadID, Post: j.Post.ID, Member: j.Post.AuthorID, Reason: reason,
	}
}

// Hidden is what a hidden post said, and why it was hidden.
type Hidden struct{ Body, Reason string }

// Hidden says what hidden posts said to their authors and to those who moderate them; nil for everybody else, and for posts that are not
// hidden. One statement, none when nothing is hidden.
func (s *Service) Hidden(ctx context.Context, v viewer.Viewer, posts []*ent.Post) ([]*Hidden, error) {
	said := make([]*Hidden, len(posts))
	var ids []gid.ID
	for _, p := range posts {
		if p.HiddenAt != nil {
			ids = append(ids, p.ID)
		}
	}
	if len(ids) == 0 || !v.IsMember() {
		return said, nil
	}
	me, _ := v.MemberID()
	judged, err := s.Store.Client(ctx).Post.Query().Where(page.AnyOf(post.FieldID, ids), access.JudgedPosts(v)).IDs(ctx)
	if err != nil {
		return nil, fmt.Errorf("look for what the viewer moderates: %w", err)
	}
	may := make(map[gid.ID]bool, len(judged))
	for _, id := range judged {
		may[id] = true
	}
	for i, p := range posts {
		if p.HiddenAt != nil && (p.AuthorID == me || may[p.ID]) {
			said[i] = &Hidden{p.HiddenBody, p.HiddenReason}
		}
	}
	return said, nil
}
