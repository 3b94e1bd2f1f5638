package graph

import (
	"context"

	"github.com/pursuing-equity/commons/ent"
	"github.com/pursuing-equity/commons/ent/draft"
	"github.com/pursuing-equity/commons/ent/post"
	"github.com/pursuing-equity/commons/ent/thread"
	"github.com/pursuing-equity/commons/graph/model"
	"github.com/pursuing-equity/commons/internal/access"
	"github.com/pursuing-equity/commons/internal/desk"
	"github.com/pursuing-equity/commons/internal/event"
	"github.com/pursuing-equity/commons/internal/fault"
	"github.com/pursuing-equity/commons/internal/gid"
	"github.com/pursuing-equity/commons/internal/page"
	"github.com/pursuing-equity/commons/internal/viewer"
)

func draftPatch(in model.SaveDraftInput) desk.DraftPatch {
	return desk.DraftPatch{
		ID: optional(in.DraftID), SpaceID: optional(in.SpaceID), ThreadID: optional(in.ThreadID), ReplyToID: patched(in.ReplyToID),
		Title: patched(in.Title), Body: patched(in.Body),
		Kind: patched(in.Kind), Tags: patchedList(in.Tags), AttachmentFileIDs: patchedList(in.AttachmentFileIds), ExpectedVersion: optional(in.ExpectedVersion), IdempotencyKey: optional(in.IdempotencyKey),
	}
}

// kindOf is the kind of thread that a draft names; nil for none.
func kindOf(kind string) *thread.Kind {
	if kind == "" {
		return nil
	}
	return new(thread.Kind(kind))
}

// draftFiles are the files that drafts, or versions of them, name: one statement for all.
func draftFiles[T any](ctx context.Context, r *Resolver, objs []*T, named func(*T) []string) ([][]*ent.File, error) {
	var all []gid.ID
	for _, o := range objs {
		all = append(all, desk.FileIDs(named(o))...)
	}
	found, err := r.files(ctx, all)
	if err != nil {
		return nil, err
	}
	out := make([][]*ent.File, len(objs))
	for i, o := range objs {
		out[i] = []*ent.File{}
		for range desk.FileIDs(named(o)) {
			if found[0] != nil {
				out[i] = append(out[i], found[0])
			}
			found = found[1:]
		}
	}
	return out, nil
}

func failure(d *ent.Draft) *fault.Code {
	if d.Failure == "" {
		return nil
	}
	return new(fault.Code(d.Failure))
}

// draftPlaces are what drafts are for, as far as the viewer can see it: found by the ids that an edge leads to, one statement a kind.
func draftPlaces[T any](ctx context.Context, v viewer.Viewer, c *ent.Client, drafts []*ent.Draft, id func(*ent.Draft) *gid.ID) ([]*T, error) {
	var wanted []gid.ID
	for _, d := range drafts {
		if i := id(d); i != nil {
			wanted = append(wanted, *i)
		}
	}
	found, err := access.Find(ctx, c, v, wanted...)
	if err != nil {
		return nil, err
	}
	return pick(drafts, func(d *ent.Draft) *T {
		place, _ := found[maybe(id(d))].(*T)
		return place
	}), nil
}

// deskEvents shows those of the viewer's events that are about their drafts and bookmarks, by their numbers.
func (r *Resolver) deskEvents(ctx context.Context, v viewer.Viewer, events []*ent.Event) (map[int]model.NotificationEvent, error) {
	of := make(map[string][]gid.ID)
	for _, e := range events {
		if e.Kind == event.DraftChanged || e.Kind == event.BookmarkChanged {
			of[e.Kind] = append(of[e.Kind], e.ObjectID)
		}
	}
	if len(of) == 0 {
		return nil, nil
	}
	drafts, err := byID(of[event.DraftChanged], func(d *ent.Draft) gid.ID { return d.ID }, func(ids []gid.ID) ([]*ent.Draft, error) {
		return r.Store.Client(ctx).Draft.Query().Where(page.AnyOf(draft.FieldID, ids), access.VisibleDrafts(v)).All(ctx)
	})
	if err != nil {
		return nil, err
	}
	posts, err := byID(of[event.BookmarkChanged], func(p *ent.Post) gid.ID { return p.ID }, func(ids []gid.ID) ([]*ent.Post, error) {
		return r.Store.Client(ctx).Post.Query().Where(page.AnyOf(post.FieldID, ids), access.VisiblePosts(v)).All(ctx)
	})
	if err != nil {
		return nil, err
	}
	bookmarks, err := r.Desk.BookmarksOf(ctx, v, of[event.BookmarkChanged])
	if err != nil {
		return nil, err
	}
	shown := make(map[int]model.NotificationEvent, len(events))
	for _, e := range events {
		c := event.Cursor(e.StreamID, e.Seq)
		switch e.Kind {
		case event.DraftChanged:
			shown[e.Seq] = &model.DraftChanged{Cursor: c, DraftID: e.ObjectID, Draft: drafts[0]}
			drafts = drafts[1:]
		case event.BookmarkChanged:
			if posts[0] != nil {
				shown[e.Seq] = &model.BookmarkChanged{Cursor: c, Post: posts[0], Bookmark: bookmarks[0]}
			}
			posts, bookmarks = posts[1:], bookmarks[1:]
		}
	}
	return shown, nil
}
