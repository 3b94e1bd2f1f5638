package desk

import (
	"context"
	"fmt"
	"slices"

	"github.com/pursuing-equity/commons/ent"
	"github.com/pursuing-equity/commons/ent/draft"
	"github.com/pursuing-equity/commons/ent/draftversion"
	"github.com/pursuing-equity/commons/ent/post"
	"github.com/pursuing-equity/commons/ent/space"
	"github.com/pursuing-equity/commons/ent/thread"
	"github.com/pursuing-equity/commons/internal/access"
	"github.com/pursuing-equity/commons/internal/event"
	"github.com/pursuing-equity/commons/internal/fault"
	"github.com/pursuing-equity/commons/internal/forum"
	"github.com/pursuing-equity/commons/internal/gid"
	"github.com/pursuing-equity/commons/internal/input"
	"github.com/pursuing-equity/commons/internal/store"
	"github.com/pursuing-equity/commons/internal/viewer"
)

const (
	maxDrafts   = 200 // of one member
	maxVersions = 20  // of one draft, beside what it says now
	maxTitle    = 200
	maxBody     = 50_000
)

// DraftPatch is what to save of a draft; nil leaves a field as it is.
type DraftPatch struct {
	ID                *gid.ID // nil for a new one
	SpaceID, ThreadID *gid.ID // where a new thread, or a post, would go: one of the two
	ReplyToID         *gid.ID // zero for none
	Title, Body       *string
	Kind              *thread.Kind // of a new thread
	Tags              *[]string    // of a new thread
	AttachmentFileIDs *[]gid.ID
	ExpectedVersion   *int    // needed unless it is a new one
	IdempotencyKey    *string `json:"-"`
}

func (p DraftPatch) check() (DraftPatch, error) {
	var c input.Checker
	if p.Title != nil {
		p.Title = new(c.Line("title", *p.Title, 0, maxTitle))
	}
	if p.Body != nil {
		p.Body = new(c.Text("body", *p.Body, 0, maxBody))
	}
	if p.Kind != nil && *p.Kind != "" && thread.KindValidator(*p.Kind) != nil {
		c.Refuse("kind", "There is no such sort of thread.")
	}
	if p.Tags != nil {
		p.Tags = new(forum.CheckTags(&c, *p.Tags))
	}
	if p.AttachmentFileIDs != nil {
		forum.CheckAttachments(&c, *p.AttachmentFileIDs)
	}
	if p.SpaceID != nil && p.ThreadID != nil {
		c.Refuse("threadId", "Name a space for a new thread, or a thread for a post, and not both.")
	}
	if p.ID == nil && p.SpaceID == nil && p.ThreadID == nil {
		c.Refuse("spaceId", "Say where it would go: a space for a new thread, or a thread for a post.")
	}
	if p.ID != nil && p.ExpectedVersion == nil {
		c.Refuse("expectedVersion", "Say which version was edited.")
	}
	return p, c.Err()
}

// SaveDraft keeps a draft, or a newer version of one. It returns NOT_FOUND for a place that the viewer cannot see and LIMIT_REACHED for
// one draft too many. With STALE_VERSION comes what another device has saved meanwhile; to save the same text again changes nothing.
func (s *Service) SaveDraft(ctx context.Context, v viewer.Viewer, patch DraftPatch) (saved, newer *ent.Draft, err error) {
	once := store.Once{Operation: "saveDraft", Key: patch.IdempotencyKey, Payload: patch, At: s.Now()}
	patch, err = patch.check()
	if err != nil {
		return nil, nil, err
	}
	var id gid.ID
	err = s.change(ctx, v, func(ctx context.Context, tx *ent.Client, me gid.ID) (err error) {
		once.Member = me
		id, err = once.Do(ctx, tx, func() (gid.ID, error) {
			if patch.ID == nil {
				return s.begin(ctx, tx, v, me, patch)
			}
			return *patch.ID, s.edit(ctx, tx, v, me, patch)
		})
		return err
	})
	if fault.Is(err, fault.StaleVersion) {
		newer, lost := s.Draft(ctx, v, *patch.ID)
		if lost != nil && !fault.Is(lost, fault.NotFound) {
			return nil, nil, lost
		}
		return nil, newer, err
	}
	if err != nil {
		return nil, nil, err
	}
	saved, err = s.Draft(ctx, v, id)
	return saved, nil, err
}

// begin makes a new draft.
func (s *Service) begin(ctx context.Context, tx *ent.Client, v viewer.Viewer, me gid.ID, patch DraftPatch) (gid.ID, error) {
	n, err := tx.Draft.Query().Where(draft.MemberID(me)).Count(ctx)
	if err != nil {
		return gid.ID{}, fmt.Errorf("count drafts: %w", err)
	}
	if n >= maxDrafts {
		return gid.ID{}, fault.New(fault.LimitReached, "You keep %d drafts already: delete one first.", maxDrafts)
	}
	d := &ent.Draft{ID: s.NewID(gid.Draft), MemberID: me, Version: 1}
	if err := patch.apply(ctx, tx, v, d); err != nil {
		return gid.ID{}, err
	}
	now := s.Now()
	err = tx.Draft.Create().SetID(d.ID).SetCreatedAt(now).SetUpdatedAt(now).SetMemberID(me).
		SetNillableSpaceID(d.SpaceID).SetNillableThreadID(d.ThreadID).SetNillableReplyToID(d.ReplyToID).SetTitle(d.Title).SetBody(d.Body).
		SetKind(d.Kind).SetTags(d.Tags).SetAttachments(d.Attachments).Exec(ctx)
	if err != nil {
		return gid.ID{}, fmt.Errorf("create draft: %w", err)
	}
	if err := s.keep(ctx, tx, d, now); err != nil {
		return gid.ID{}, err
	}
	return d.ID, s.tell(ctx, tx, me, event.DraftChanged, d.ID)
}

// edit saves the next version of a draft.
func (s *Service) edit(ctx context.Context, tx *ent.Client, v viewer.Viewer, me gid.ID, patch DraftPatch) error {
	before, err := own(ctx, tx, me, *patch.ID)
	if err != nil {
		return err
	}
	d := *before
	if err := patch.apply(ctx, tx, v, &d); err != nil {
		return err
	}
	same := d.Title == before.Title && d.Body == before.Body && equal(d.SpaceID, before.SpaceID) && equal(d.ThreadID, before.ThreadID) && equal(d.ReplyToID, before.ReplyToID) &&
		d.Kind == before.Kind && slices.Equal(d.Tags, before.Tags) && slices.Equal(d.Attachments, before.Attachments)
	switch {
	case same: // the answer to saving it got lost
		return nil
	case before.Version != *patch.ExpectedVersion:
		return stale(before)
	}
	now := s.Now()
	if err := s.keep(ctx, tx, &d, now); err != nil {
		return err
	}
	err = tx.DraftVersion.Create().SetID(s.NewID(gid.DraftVersion)).SetCreatedAt(before.UpdatedAt).SetDraftID(d.ID).
		SetVersion(before.Version).SetTitle(before.Title).SetBody(before.Body).
		SetKind(before.Kind).SetTags(before.Tags).SetAttachments(before.Attachments).Exec(ctx)
	if err != nil {
		return fmt.Errorf("keep the old version: %w", err)
	}
	_, err = tx.DraftVersion.Delete().Where(draftversion.DraftID(d.ID), draftversion.VersionLTE(before.Version-maxVersions)).Exec(ctx)
	if err != nil {
		return fmt.Errorf("forget the oldest version: %w", err)
	}
	u := tx.Draft.UpdateOneID(d.ID).SetTitle(d.Title).SetBody(d.Body).SetVersion(before.Version + 1).SetFailure("").SetUpdatedAt(now).
		SetKind(d.Kind).SetTags(d.Tags).SetAttachments(d.Attachments)
	point(d.SpaceID, u.SetSpaceID, u.ClearSpaceID)
	point(d.ThreadID, u.SetThreadID, u.ClearThreadID)
	point(d.ReplyToID, u.SetReplyToID, u.ClearReplyToID)
	if err := u.Exec(ctx); err != nil {
		return fmt.Errorf("save draft: %w", err)
	}
	if err := settle(ctx, tx, &d, now); err != nil {
		return err
	}
	return s.tell(ctx, tx, me, event.DraftChanged, d.ID)
}

func equal(a, b *gid.ID) bool { return a == b || a != nil && b != nil && *a == *b }

func point(id *gid.ID, set func(gid.ID) *ent.DraftUpdateOne, forget func() *ent.DraftUpdateOne) {
	if id == nil {
		forget()
		return
	}
	set(*id)
}

// apply writes the patch into a draft. Places that it names must be such as the viewer can see.
func (p DraftPatch) apply(ctx context.Context, tx *ent.Client, v viewer.Viewer, d *ent.Draft) error {
	if p.Title != nil {
		d.Title = *p.Title
	}
	if p.Body != nil {
		d.Body = *p.Body
	}
	if p.SpaceID != nil {
		if err := seen(ctx, "spaceId", tx.Space.Query().Where(space.ID(*p.SpaceID), access.VisibleSpaces(v)).Exist); err != nil {
			return err
		}
		d.SpaceID, d.ThreadID, d.ReplyToID = p.SpaceID, nil, nil
	}
	if p.ThreadID != nil && !equal(p.ThreadID, d.ThreadID) {
		if err := seen(ctx, "threadId", tx.Thread.Query().Where(thread.ID(*p.ThreadID), access.VisibleThreads(v)).Exist); err != nil {
			return err
		}
		d.SpaceID, d.ThreadID, d.ReplyToID = nil, p.ThreadID, nil
		d.Kind, d.Tags = "", nil // a post has none
	}
	if p.AttachmentFileIDs != nil {
		d.Attachments = texts(*p.AttachmentFileIDs)
	}
	if err := p.file(d); err != nil {
		return err
	}
	switch {
	case p.ReplyToID == nil:
	case p.ReplyToID.IsZero():
		d.ReplyToID = nil
	case d.ThreadID == nil:
		return fault.Invalid("replyToId", "Only a post answers another one.")
	case !equal(p.ReplyToID, d.ReplyToID):
		if err := seen(ctx, "replyToId", tx.Post.Query().Where(post.ID(*p.ReplyToID), post.ThreadID(*d.ThreadID), access.VisiblePosts(v)).Exist); err != nil {
			return err
		}
		d.ReplyToID = p.ReplyToID
	}
	return nil
}

// file writes the kind and the tags of a new thread into a draft.
func (p DraftPatch) file(d *ent.Draft) error {
	if p.Kind != nil {
		d.Kind = string(*p.Kind)
	}
	if p.Tags != nil {
		d.Tags = *p.Tags
	}
	switch {
	case d.ThreadID == nil:
		return nil
	case d.Kind != "":
		return fault.Invalid("kind", "Only a thread has a kind.")
	case len(d.Tags) > 0:
		return fault.Invalid("tags", "Only a thread has tags.")
	}
	return nil
}

// seen is NOT_FOUND at a path unless there is what a query looks for.
func seen(ctx context.Context, path string, exist func(context.Context) (bool, error)) error {
	found, err := exist(ctx)
	if err != nil {
		return fmt.Errorf("look for what %s names: %w", path, err)
	}
	if !found {
		return fault.Missing().At(path)
	}
	return nil
}

func stale(d *ent.Draft) error {
	return fault.New(fault.StaleVersion, "This draft has version %d by now. Merge what it says, and save again.", d.Version).At("expectedVersion")
}

// own loads a draft of the member's; NOT_FOUND otherwise. The transaction holds the member's row, so that nobody else changes it.
func own(ctx context.Context, tx *ent.Client, me, id gid.ID) (*ent.Draft, error) {
	d, err := tx.Draft.Query().Where(draft.ID(id), draft.MemberID(me)).Only(ctx)
	if ent.IsNotFound(err) {
		return nil, fault.Missing().At("draftId")
	}
	if err != nil {
		return nil, fmt.Errorf("load draft: %w", err)
	}
	return d, nil
}

// Draft loads one of the viewer's own.
func (s *Service) Draft(ctx context.Context, v viewer.Viewer, id gid.ID) (*ent.Draft, error) {
	d, err := s.Store.Client(ctx).Draft.Query().Where(draft.ID(id), access.VisibleDrafts(v)).Only(ctx)
	if ent.IsNotFound(err) {
		return nil, fault.Missing().At("draftId")
	}
	return d, err
}

// DeleteDraft deletes one of the viewer's drafts with all its versions, and returns its id.
func (s *Service) DeleteDraft(ctx context.Context, v viewer.Viewer, id gid.ID) (*gid.ID, error) {
	err := s.change(ctx, v, func(ctx context.Context, tx *ent.Client, me gid.ID) error {
		if _, err := own(ctx, tx, me, id); err != nil {
			return err
		}
		if _, err := remove(ctx, tx, s.Now(), draft.ID(id)); err != nil {
			return err
		}
		return s.tell(ctx, tx, me, event.DraftChanged, id)
	})
	if err != nil {
		return nil, err
	}
	return &id, nil
}
