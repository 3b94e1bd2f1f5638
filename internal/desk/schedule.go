package desk

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/pursuing-equity/commons/ent"
	"github.com/pursuing-equity/commons/ent/draft"
	"github.com/pursuing-equity/commons/ent/draftversion"
	"github.com/pursuing-equity/commons/ent/post"
	"github.com/pursuing-equity/commons/ent/predicate"
	"github.com/pursuing-equity/commons/ent/thread"
	"github.com/pursuing-equity/commons/internal/access"
	"github.com/pursuing-equity/commons/internal/event"
	"github.com/pursuing-equity/commons/internal/fault"
	"github.com/pursuing-equity/commons/internal/forum"
	"github.com/pursuing-equity/commons/internal/gid"
	"github.com/pursuing-equity/commons/internal/input"
	"github.com/pursuing-equity/commons/internal/page"
	"github.com/pursuing-equity/commons/internal/store"
	"github.com/pursuing-equity/commons/internal/viewer"
)

const (
	farthest = 366 * 24 * time.Hour // from now that something can be scheduled or reminded of
	batch    = 20                   // drafts that a process takes at once
	lease    = time.Minute          // for which they are its own
)

// future checks an instant at which something is to happen.
func (s *Service) future(c *input.Checker, path string, at time.Time) time.Time {
	now := s.Now()
	switch {
	case !at.After(now):
		c.Refuse(path, "This must be in the future.")
	case at.After(now.Add(farthest)):
		c.Refuse(path, "This must be within a year.")
	}
	return at.UTC().Truncate(time.Microsecond)
}

// ScheduleDraft has a draft published at an instant within a year, or at another one than before. It returns INVALID_INPUT for one
// that says too little to be published. What its author may do is looked at when it is published, not now.
func (s *Service) ScheduleDraft(ctx context.Context, v viewer.Viewer, id gid.ID, at time.Time) (*ent.Draft, error) {
	var check input.Checker
	at = s.future(&check, "publishAt", at)
	if err := check.Err(); err != nil {
		return nil, err
	}
	return s.plan(ctx, v, id, func(d *ent.Draft, u *ent.DraftUpdateOne) error {
		var c input.Checker
		if d.Body == "" {
			c.Refuse("draftId", "The draft says nothing yet.")
		}
		if d.SpaceID != nil && d.Title == "" {
			c.Refuse("draftId", "The draft of a thread needs a title.")
		}
		u.SetPublishAt(at).SetFailure("")
		return c.Err()
	})
}

// UnscheduleDraft keeps a draft from being published by itself. Doing it again changes nothing.
func (s *Service) UnscheduleDraft(ctx context.Context, v viewer.Viewer, id gid.ID) (*ent.Draft, error) {
	return s.plan(ctx, v, id, func(_ *ent.Draft, u *ent.DraftUpdateOne) error {
		u.ClearPublishAt()
		return nil
	})
}

func (s *Service) plan(ctx context.Context, v viewer.Viewer, id gid.ID, do func(*ent.Draft, *ent.DraftUpdateOne) error) (*ent.Draft, error) {
	err := s.change(ctx, v, func(ctx context.Context, tx *ent.Client, me gid.ID) error {
		d, err := own(ctx, tx, me, id)
		if err != nil {
			return err
		}
		u := tx.Draft.UpdateOneID(id)
		if err := do(d, u); err != nil {
			return err
		}
		if err := u.Exec(ctx); err != nil {
			return fmt.Errorf("schedule draft: %w", err)
		}
		return s.tell(ctx, tx, me, event.DraftChanged, id)
	})
	if err != nil {
		return nil, err
	}
	return s.Draft(ctx, v, id)
}

// PublishDraft publishes a draft now, by the rules of writing a post or starting a thread, and returns the post; it deletes the draft. Of
// one that was published before, by another device or by its schedule, it returns the post again. expectedVersion, if it is given, guards
// against publishing what another device has written: STALE_VERSION.
func (s *Service) PublishDraft(ctx context.Context, v viewer.Viewer, id gid.ID, expectedVersion *int) (*ent.Post, error) {
	me, err := access.SignedIn(v)
	if err != nil {
		return nil, err
	}
	d, err := s.Draft(ctx, v, id)
	switch {
	case fault.Is(err, fault.NotFound):
		return s.published(ctx, v, me, id)
	case err != nil:
		return nil, err
	case expectedVersion != nil && *expectedVersion != d.Version:
		return nil, stale(d)
	}
	err = s.publish(ctx, v, d)
	if errors.Is(err, errChanged) || fault.Is(err, fault.IdempotencyConflict) { // another device or the schedule was first
		if d, err := s.Draft(ctx, v, id); err == nil {
			return nil, stale(d)
		}
		err = nil
	}
	if err != nil {
		return nil, err
	}
	return s.published(ctx, v, me, id)
}

// key is the idempotency key with which a draft is published: whoever publishes it, it is published once.
func key(id gid.ID) string { return "publish " + id.String() }

// published is the post that a draft has become.
func (s *Service) published(ctx context.Context, v viewer.Viewer, me, id gid.ID) (*ent.Post, error) {
	became, found, err := s.Store.Result(ctx, me, key(id))
	if err != nil {
		return nil, err
	}
	if !found {
		return nil, fault.Missing().At("draftId")
	}
	q := s.Store.Client(ctx).Post.Query().Where(access.VisiblePosts(v))
	if became.Kind() == gid.Thread {
		q.Where(post.ThreadID(became)).Order(post.BySeq())
	} else {
		q.Where(post.ID(became))
	}
	p, err := q.First(ctx)
	if ent.IsNotFound(err) {
		return nil, fault.Missing().At("draftId")
	}
	return p, err
}

// errChanged says that a draft is not any more what was about to be published.
var errChanged = errors.New("the draft was changed or published meanwhile")

// publish makes a post, or a thread, of a draft with its author's rights. The draft goes in the same transaction: the two are never there
// together, nor is neither.
func (s *Service) publish(ctx context.Context, v viewer.Viewer, d *ent.Draft, still ...predicate.Draft) error {
	still = append(still, draft.ID(d.ID), draft.Version(d.Version))
	then := func(ctx context.Context, tx *ent.Client) error {
		if err := hold(ctx, tx, d.MemberID); err != nil {
			return err
		}
		switch n, err := remove(ctx, tx, s.Now(), still...); {
		case err != nil:
			return err
		case n == 0:
			return errChanged
		}
		return s.tell(ctx, tx, d.MemberID, event.DraftChanged, d.ID)
	}
	extras := forum.PostExtras{AttachmentFileIDs: FileIDs(d.Attachments), KeptFileIDs: FileIDs(d.Attachments)}
	if d.SpaceID != nil {
		_, err := s.Forum.CreateThread(ctx, v, forum.NewThread{SpaceID: *d.SpaceID, Title: d.Title, Body: d.Body, Kind: thread.Kind(d.Kind), Tags: d.Tags, PostExtras: extras, IdempotencyKey: new(key(d.ID)), Then: then})
		return at(err, map[string]string{"spaceId": "draftId", "title": "draftId", "body": "draftId", "kind": "draftId", "tags": "draftId", attachmentPath: "draftId"})
	}
	_, err := s.Forum.CreatePost(ctx, v, forum.NewPost{ThreadID: *d.ThreadID, Body: d.Body, ReplyToID: d.ReplyToID, PostExtras: extras, IdempotencyKey: new(key(d.ID)), Then: then})
	return at(err, map[string]string{"threadId": "draftId", "body": "draftId", "replyToId": "draftId", attachmentPath: "draftId"})
}

// at points faults of writing into the input of publishing, which names the draft alone.
func at(err error, paths map[string]string) error {
	faults := fault.All(err)
	if len(faults) == 0 {
		return err
	}
	var list fault.List
	for _, f := range faults {
		if len(f.Path) > 0 {
			f = f.At(paths[f.Path[0]])
		}
		list = append(list, f)
	}
	return list
}

// remove deletes drafts with their versions, lets their files go that no post has taken over, and returns how many drafts there were.
func remove(ctx context.Context, tx *ent.Client, now time.Time, which ...predicate.Draft) (int, error) {
	ids, err := tx.Draft.Query().Where(which...).IDs(ctx)
	if err != nil {
		return 0, fmt.Errorf("find drafts: %w", err)
	}
	if _, err := tx.DraftVersion.Delete().Where(page.AnyOf(draftversion.FieldDraftID, ids)).Exec(ctx); err != nil {
		return 0, fmt.Errorf("delete versions of drafts: %w", err)
	}
	if err := letGoOf(ctx, tx, ids, now); err != nil {
		return 0, err
	}
	n, err := tx.Draft.Delete().Where(page.AnyOf(draft.FieldID, ids)).Where(which...).Exec(ctx)
	if err != nil {
		return 0, fmt.Errorf("delete drafts: %w", err)
	}
	return n, nil
}

// PublishDue publishes the drafts whose time has come. A process that dies on the way has published a draft or has not; what it had taken
// is tried by another one when its lease is over.
func (s *Service) PublishDue(ctx context.Context) error {
	ctx = viewer.NewContext(ctx, viewer.System("publish scheduled drafts"))
	for {
		drafts, err := s.take(ctx)
		if err != nil || len(drafts) == 0 {
			return err
		}
		var failed error
		for _, d := range drafts {
			failed = errors.Join(failed, s.publishDue(ctx, d))
		}
		if failed != nil || ctx.Err() != nil {
			return errors.Join(failed, ctx.Err())
		}
	}
}

// take makes drafts that are due this process's own for the time of a lease.
func (s *Service) take(ctx context.Context) (drafts []*ent.Draft, err error) {
	now := s.Now()
	due := draft.PublishAtLTE(now)
	// A look comes first, so that a process with nothing to do never asks for the write lock.
	if some, err := s.Store.Client(ctx).Draft.Query().Where(due).Exist(ctx); err != nil || !some {
		return nil, err
	}
	until := now.Add(lease)
	err = s.Store.InTx(ctx, func(ctx context.Context, tx *ent.Client) (err error) {
		drafts, err = tx.Draft.Query().Where(due, store.LockFreeRows).Order(draft.ByPublishAt(), draft.ByID()).Limit(batch).All(ctx)
		if err != nil || len(drafts) == 0 {
			return err
		}
		ids := make([]gid.ID, len(drafts))
		for i, d := range drafts {
			ids[i], d.PublishAt = d.ID, &until
		}
		return tx.Draft.Update().Where(page.AnyOf(draft.FieldID, ids)).SetPublishAt(until).Exec(ctx)
	})
	if err != nil {
		return nil, fmt.Errorf("take scheduled drafts: %w", err)
	}
	return drafts, nil
}

// publishDue publishes a draft that this process has taken, or writes down why its author may not. A lease that ran out, an edit or
// another plan of the author's leave it to who comes next.
func (s *Service) publishDue(ctx context.Context, d *ent.Draft) error {
	mine := draft.PublishAt(*d.PublishAt)
	err := s.publish(ctx, viewer.Member(d.MemberID, gid.ID{}, viewer.Write), d, mine)
	faults := fault.All(err)
	switch {
	case err == nil || errors.Is(err, errChanged):
		return nil
	case len(faults) == 0:
		return fmt.Errorf("publish %s: %w", d.ID, err)
	}
	code := faults[0].Code
	if !code.Payload() { // an account that is closed or suspended
		code = fault.Forbidden
	}
	return s.Store.InTx(ctx, func(ctx context.Context, tx *ent.Client) error {
		if err := lock(ctx, tx, d.MemberID); err != nil {
			return err
		}
		n, err := tx.Draft.Update().Where(draft.ID(d.ID), draft.Version(d.Version), mine).ClearPublishAt().SetFailure(string(code)).Save(ctx)
		if err != nil {
			return fmt.Errorf("write down why %s was not published: %w", d.ID, err)
		}
		if n == 0 {
			return nil
		}
		return s.tell(ctx, tx, d.MemberID, event.DraftChanged, d.ID)
	})
}
