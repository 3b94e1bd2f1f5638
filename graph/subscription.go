package graph

import (
	"context"
	"errors"

	"github.com/pursuing-equity/commons/ent"
	"github.com/pursuing-equity/commons/graph/model"
	"github.com/pursuing-equity/commons/internal/access"
	"github.com/pursuing-equity/commons/internal/event"
	"github.com/pursuing-equity/commons/internal/fault"
	"github.com/pursuing-equity/commons/internal/gid"
	"github.com/pursuing-equity/commons/internal/page"
	"github.com/pursuing-equity/commons/internal/viewer"
)

func (r *Resolver) threadEvents(ctx context.Context, v viewer.Viewer, threadID gid.ID, after *page.Cursor) (<-chan model.ThreadEvent, error) {
	allowed := func(ctx context.Context) error {
		_, err := r.Forum.Thread(ctx, v, threadID)
		return err
	}
	return follow(ctx, r, v, threadID, after, allowed, func(ctx context.Context, events []*ent.Event) ([]model.ThreadEvent, error) {
		posts, err := r.posts(ctx, each(events, postOf))
		if err != nil {
			return nil, err
		}
		thread, err := r.threads(ctx, []gid.ID{threadID})
		if err != nil {
			return nil, err
		}
		out := make([]model.ThreadEvent, len(events))
		for i, e := range events {
			out[i] = threadEvent(event.Cursor(e.StreamID, e.Seq), e.Kind, posts[i], thread[0])
		}
		return out, nil
	})
}

func postOf(e *ent.Event) gid.ID {
	if e.ObjectID.Kind() == gid.Post {
		return e.ObjectID
	}
	return gid.ID{}
}

func threadEvent(c page.Cursor, kind string, post *ent.Post, thread *ent.Thread) model.ThreadEvent {
	switch kind {
	case event.PostCreated:
		return &model.PostCreated{Cursor: c, Post: post}
	case event.PostEdited:
		return &model.PostEdited{Cursor: c, Post: post}
	case event.PostDeleted:
		return &model.PostDeleted{Cursor: c, Post: post}
	case event.ReactionsChanged:
		return &model.ReactionsChanged{Cursor: c, Post: post}
	default:
		return &model.ThreadChanged{Cursor: c, Thread: thread}
	}
}

func (r *Resolver) notificationEvents(ctx context.Context, v viewer.Viewer, after *page.Cursor) (<-chan model.NotificationEvent, error) {
	me, err := access.SignedIn(v)
	if err != nil {
		return nil, err
	}
	allowed := func(context.Context) error { return nil } // one's own stream; what a notification is about is checked as it is loaded
	return follow(ctx, r, v, me, after, allowed, func(ctx context.Context, events []*ent.Event) ([]model.NotificationEvent, error) {
		if len(events) == 0 {
			return nil, nil
		}
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
		out := make([]model.NotificationEvent, 0, len(events))
		for _, e := range events {
			c := event.Cursor(e.StreamID, e.Seq)
			if e.Kind == event.NotificationsRead {
				out = append(out, &model.NotificationsRead{Cursor: c, UnreadNotificationCount: count})
			} else if n := visible[e.ObjectID]; n != nil {
				out = append(out, &model.NotificationCreated{Cursor: c, Notification: n, UnreadNotificationCount: count})
			}
		}
		return out, nil
	})
}

// follow runs a subscription to a stream in a goroutine that ends with ctx. Why it ended, if not by the client, is told as
// the subscription's error.
func follow[T any](ctx context.Context, r *Resolver, v viewer.Viewer, stream gid.ID, after *page.Cursor,
	allowed func(context.Context) error, prepare func(context.Context, []*ent.Event) ([]T, error),
) (<-chan T, error) {
	if err := allowed(ctx); err != nil {
		return nil, err
	}
	me, err := access.SignedIn(v)
	if err != nil {
		return nil, err
	}
	f, err := r.Events.Follow(ctx, stream, me, after)
	if err != nil {
		return nil, err
	}
	out := make(chan T)
	go func() {
		defer close(out)
		err := event.Run(ctx, f, allowed, prepare, func(item T) error {
			select {
			case out <- item:
				return nil
			case <-ctx.Done():
				return ctx.Err()
			}
		})
		if err != nil && !errors.Is(err, context.Canceled) {
			fault.EndWith(ctx, err)
		}
	}()
	return out, nil
}
