package graph

import (
	"context"
	"slices"

	"github.com/pursuing-equity/commons/ent"
	"github.com/pursuing-equity/commons/graph/model"
	"github.com/pursuing-equity/commons/internal/access"
	"github.com/pursuing-equity/commons/internal/event"
	"github.com/pursuing-equity/commons/internal/gid"
	"github.com/pursuing-equity/commons/internal/page"
	"github.com/pursuing-equity/commons/internal/viewer"
)

func (r *Resolver) threadEvents(ctx context.Context, threadID gid.ID, after *page.Cursor) (<-chan model.ThreadEvent, error) {
	return event.Follow(ctx, func() (event.Source, error) {
		_, err := r.Forum.Thread(ctx, viewer.From(ctx), threadID)
		return event.Source{Stream: threadID, After: after, Readers: r.Forum.Readers(threadID)}, err
	}, func(ctx context.Context, events []*ent.Event) ([]event.Shown[model.ThreadEvent], error) {
		posts, err := r.Forum.InThread(ctx, threadID, each(events, postOf))
		if err != nil {
			return nil, err
		}
		threads, err := r.threads(ctx, each(events, threadOf))
		if err != nil {
			return nil, err
		}
		shown := make([]event.Shown[model.ThreadEvent], len(events))
		for i, e := range events {
			shown[i] = event.Shown[model.ThreadEvent]{Event: e, As: threadEvent(event.Cursor(e.StreamID, e.Seq), e.Kind, posts[i], threads[i]), By: by(e, posts[i])}
		}
		return shown, nil
	})
}

func (r *Resolver) threadActivity(ctx context.Context, threadID gid.ID) (<-chan *model.ThreadActivity, error) {
	return event.FollowActivity(ctx, func() (event.Source, error) {
		_, err := r.Forum.Thread(ctx, viewer.From(ctx), threadID)
		return event.Source{Stream: threadID, Readers: r.Forum.Readers(threadID)}, err
	}, func(ctx context.Context, a event.Activity) (*model.ThreadActivity, error) {
		members, err := r.members(ctx, slices.Concat(a.Present, a.Typing))
		if err != nil {
			return nil, err
		}
		present, typing := members[:len(a.Present)], members[len(a.Present):]
		return &model.ThreadActivity{Present: compact(present), Typing: compact(typing)}, nil
	})
}

// compact leaves out what is not there any more.
func compact[T any](found []*T) []*T {
	return slices.DeleteFunc(slices.Clone(found), func(t *T) bool { return t == nil })
}

func postOf(e *ent.Event) gid.ID {
	if e.ObjectID.Kind() == gid.Post {
		return e.ObjectID
	}
	return gid.ID{}
}

// by are the members whose words or doing an event shows. That a post is gone everybody is told: it may be on their screen.
func by(e *ent.Event, post *ent.Post) []gid.ID {
	switch e.Kind {
	case event.PostCreated, event.PostEdited, event.PostRestored, event.ReactionsChanged:
		return []gid.ID{post.AuthorID, maybe(e.ActorID)}
	}
	return nil
}

func threadOf(e *ent.Event) gid.ID {
	if e.Kind == event.ThreadChanged {
		return e.StreamID
	}
	return gid.ID{}
}

func threadEvent(c page.Cursor, kind string, post *ent.Post, thread *ent.Thread) model.ThreadEvent {
	switch kind {
	case event.PostCreated:
		return &model.PostCreated{Cursor: c, Post: post}
	case event.PostEdited:
		return &model.PostEdited{Cursor: c, Post: post}
	case event.PostHidden:
		return &model.PostHidden{Cursor: c, Post: post}
	case event.PostRestored:
		return &model.PostRestored{Cursor: c, Post: post}
	case event.PostMoved:
		return &model.PostMoved{Cursor: c, Post: post}
	case event.PostDeleted:
		return &model.PostDeleted{Cursor: c, Post: post}
	case event.PollChanged:
		return &model.PollChanged{Cursor: c, Post: post}
	case event.ReactionsChanged:
		return &model.ReactionsChanged{Cursor: c, Post: post}
	default:
		return &model.ThreadChanged{Cursor: c, Thread: thread}
	}
}

func (r *Resolver) notificationEvents(ctx context.Context, after *page.Cursor) (<-chan model.NotificationEvent, error) {
	v := viewer.From(ctx)
	return event.Follow(ctx, func() (event.Source, error) {
		me, err := access.SignedIn(v)
		return event.Source{Stream: me, After: after}, err // one's own stream; what a notification is about is checked as it is loaded
	}, func(ctx context.Context, events []*ent.Event) ([]event.Shown[model.NotificationEvent], error) {
		rows, err := r.Notify.Notification(ctx, v, each(events, func(e *ent.Event) gid.ID { return e.ObjectID }))
		if err != nil {
			return nil, err
		}
		visible := make(map[gid.ID]*ent.Notification, len(rows))
		for _, n := range rows {
			visible[n.ID] = n
		}
		count, err := r.Notify.UnreadCount(ctx, v)
		if err != nil {
			return nil, err
		}
		desk, err := r.deskEvents(ctx, v, events)
		if err != nil {
			return nil, err
		}
		read, err := r.readStateEvents(ctx, v, events)
		if err != nil {
			return nil, err
		}
		moderation, err := r.moderationEvents(ctx, v, events)
		if err != nil {
			return nil, err
		}
		notices, err := r.noticeEvents(ctx, v, events, count)
		if err != nil {
			return nil, err
		}
		shown := make([]event.Shown[model.NotificationEvent], 0, len(events))
		for _, e := range events {
			c := event.Cursor(e.StreamID, e.Seq)
			if d := desk[e.Seq]; d != nil {
				shown = append(shown, event.Shown[model.NotificationEvent]{Event: e, As: d})
			} else if m := moderation[e.Seq]; m != nil {
				shown = append(shown, event.Shown[model.NotificationEvent]{Event: e, As: m})
			} else if changed := read[e.Seq]; changed != nil {
				shown = append(shown, event.Shown[model.NotificationEvent]{Event: e, As: changed})
			} else if told := notices[e.Seq]; told != nil {
				shown = append(shown, event.Shown[model.NotificationEvent]{Event: e, As: told})
			} else if e.Kind == event.NotificationsRead {
				shown = append(shown, event.Shown[model.NotificationEvent]{Event: e, As: &model.NotificationsRead{Cursor: c, UnreadNotificationCount: count}})
			} else if n := visible[e.ObjectID]; n != nil {
				shown = append(shown, event.Shown[model.NotificationEvent]{Event: e, As: &model.NotificationCreated{Cursor: c, Notification: n, UnreadNotificationCount: count}})
			}
		}
		return shown, nil
	})
}
