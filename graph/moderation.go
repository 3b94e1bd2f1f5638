package graph

import (
	"context"

	"github.com/pursuing-equity/commons/ent"
	"github.com/pursuing-equity/commons/ent/post"
	"github.com/pursuing-equity/commons/graph/model"
	"github.com/pursuing-equity/commons/internal/access"
	"github.com/pursuing-equity/commons/internal/event"
	"github.com/pursuing-equity/commons/internal/forum"
	"github.com/pursuing-equity/commons/internal/gid"
	"github.com/pursuing-equity/commons/internal/moderation"
	"github.com/pursuing-equity/commons/internal/page"
	"github.com/pursuing-equity/commons/internal/viewer"
)

func newFlag(in model.FlagPostInput) moderation.NewFlag {
	return moderation.NewFlag{PostID: in.PostID, Reason: in.Reason, Note: orZero(in.Note), IdempotencyKey: optional(in.IdempotencyKey)}
}

func resolution(in model.ResolveFlagsInput) moderation.Resolution {
	return moderation.Resolution{PostID: in.PostID, Outcome: in.Outcome, Measure: in.Action, Reason: orZero(in.Reason)}
}

func newWarning(in model.WarnMemberInput) moderation.NewWarning {
	return moderation.NewWarning{
		MemberID: in.MemberID, SpaceID: optional(in.SpaceID), PostID: optional(in.PostID), Text: in.Text, IdempotencyKey: optional(in.IdempotencyKey),
	}
}

// hidden is something of what hidden posts said, for who may know it.
func (r *Resolver) hidden(ctx context.Context, v viewer.Viewer, posts []*ent.Post, what func(*forum.Hidden) *string) ([]*string, error) {
	said, err := r.Forum.Hidden(ctx, v, posts)
	return pick(said, func(h *forum.Hidden) *string {
		if h == nil {
			return nil
		}
		return what(h)
	}), err
}

// resolvers are which moderators decided about flags, for who moderates their posts; nil for others and while they wait.
func (r *Resolver) resolvers(ctx context.Context, v viewer.Viewer, flags []*ent.Flag) ([]*ent.Member, error) {
	judges, err := r.Moderation.Judges(ctx, v, flags)
	if err != nil {
		return nil, err
	}
	ids := make([]gid.ID, len(flags))
	for i, f := range flags {
		if judges[i] {
			ids[i] = maybe(f.ResolverID)
		}
	}
	return r.members(ctx, ids)
}

// resolutions are why, as resolvers are who.
func (r *Resolver) resolutions(ctx context.Context, v viewer.Viewer, flags []*ent.Flag) ([]*string, error) {
	judges, err := r.Moderation.Judges(ctx, v, flags)
	if err != nil {
		return nil, err
	}
	why := make([]*string, len(flags))
	for i, f := range flags {
		if judges[i] && f.ResolvedAt != nil {
			why[i] = &f.Resolution
		}
	}
	return why, nil
}

// actionParts are what moderators' acts were about, as far as the viewer can see it: one statement.
func actionParts[T any](ctx context.Context, v viewer.Viewer, c *ent.Client, acts []*ent.ModerationAction, id func(*ent.ModerationAction) *gid.ID) ([]*T, error) {
	var wanted []gid.ID
	for _, a := range acts {
		if i := id(a); i != nil {
			wanted = append(wanted, *i)
		}
	}
	found, err := access.Find(ctx, c, v, wanted...)
	if err != nil {
		return nil, err
	}
	return pick(acts, func(a *ent.ModerationAction) *T {
		part, _ := found[maybe(id(a))].(*T)
		return part
	}), nil
}

// moderationEvents shows those of the viewer's events that are about what they moderate, flagged or were warned of, by their numbers.
func (r *Resolver) moderationEvents(ctx context.Context, v viewer.Viewer, events []*ent.Event) (map[int]model.NotificationEvent, error) {
	of := make(map[string][]gid.ID)
	for _, e := range events {
		switch e.Kind {
		case event.QueueChanged, event.OwnPostModerated, event.FlagResolved, event.MemberWarned:
			of[e.Kind] = append(of[e.Kind], e.ObjectID)
		}
	}
	if len(of) == 0 {
		return nil, nil
	}
	posts, count, err := r.queueEvents(ctx, v, of[event.QueueChanged])
	if err != nil {
		return nil, err
	}
	flags, err := byID(of[event.FlagResolved], func(f *ent.Flag) gid.ID { return f.ID }, func(ids []gid.ID) ([]*ent.Flag, error) {
		return r.Moderation.FlagsByID(ctx, v, ids)
	})
	if err != nil {
		return nil, err
	}
	warnings, err := r.warnings(ctx, v, of[event.MemberWarned])
	if err != nil {
		return nil, err
	}
	own, err := byID(of[event.OwnPostModerated], func(p *ent.Post) gid.ID { return p.ID }, func(ids []gid.ID) ([]*ent.Post, error) {
		return r.Store.Client(ctx).Post.Query().Where(page.AnyOf(post.FieldID, ids), access.VisiblePosts(v)).All(ctx)
	})
	if err != nil {
		return nil, err
	}
	shown := make(map[int]model.NotificationEvent, len(events))
	for _, e := range events {
		c := event.Cursor(e.StreamID, e.Seq)
		switch e.Kind {
		case event.QueueChanged:
			if posts[0] != nil {
				shown[e.Seq] = &model.ModerationQueueChanged{Cursor: c, Post: posts[0], OpenFlagCount: count}
			}
			posts = posts[1:]
		case event.OwnPostModerated:
			if own[0] != nil {
				shown[e.Seq] = &model.OwnPostModerated{Cursor: c, Post: own[0]}
			}
			own = own[1:]
		case event.FlagResolved:
			if flags[0] != nil {
				shown[e.Seq] = &model.FlagResolved{Cursor: c, Flag: flags[0]}
			}
			flags = flags[1:]
		case event.MemberWarned:
			if warnings[0] != nil {
				shown[e.Seq] = &model.MemberWarned{Cursor: c, Warning: warnings[0]}
			}
			warnings = warnings[1:]
		}
	}
	return shown, nil
}

func (r *Resolver) warnings(ctx context.Context, v viewer.Viewer, ids []gid.ID) ([]*ent.ModerationAction, error) {
	return byID(ids, func(a *ent.ModerationAction) gid.ID { return a.ID }, func(ids []gid.ID) ([]*ent.ModerationAction, error) {
		return r.Moderation.ActionsByID(ctx, v, ids)
	})
}

// queueEvents are the posts of which the viewer's queue has changed, as far as they still moderate them, and how long it is now.
func (r *Resolver) queueEvents(ctx context.Context, v viewer.Viewer, ids []gid.ID) ([]*ent.Post, int, error) {
	if len(ids) == 0 {
		return nil, 0, nil
	}
	posts, err := byID(ids, func(p *ent.Post) gid.ID { return p.ID }, func(ids []gid.ID) ([]*ent.Post, error) {
		return r.Store.Client(ctx).Post.Query().Where(page.AnyOf(post.FieldID, ids), access.JudgedPosts(v)).All(ctx)
	})
	if err != nil {
		return nil, 0, err
	}
	count, err := r.Moderation.OpenCount(ctx, v)
	return posts, count, err
}
