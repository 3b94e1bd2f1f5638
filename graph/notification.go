package graph

import (
	"context"
	"slices"

	"github.com/99designs/gqlgen/graphql"

	"github.com/pursuing-equity/commons/ent"
	"github.com/pursuing-equity/commons/ent/space"
	"github.com/pursuing-equity/commons/ent/thread"
	"github.com/pursuing-equity/commons/graph/model"
	"github.com/pursuing-equity/commons/internal/access"
	"github.com/pursuing-equity/commons/internal/event"
	"github.com/pursuing-equity/commons/internal/forum"
	"github.com/pursuing-equity/commons/internal/gid"
	"github.com/pursuing-equity/commons/internal/notify"
	"github.com/pursuing-equity/commons/internal/page"
	"github.com/pursuing-equity/commons/internal/viewer"
)

func (r *Resolver) markNotificationsRead(ctx context.Context, v viewer.Viewer, in model.MarkNotificationsReadInput) (*ent.Member, error) {
	ids, named := in.NotificationIds.ValueOK()
	if err := r.Notify.MarkRead(ctx, v, ids, !named || ids == nil); err != nil {
		return nil, err
	}
	return r.viewer(ctx, v)
}

func (r *Resolver) markNotificationGroupRead(ctx context.Context, v viewer.Viewer, threadID gid.ID) (*ent.Member, error) {
	if err := r.Notify.MarkGroupRead(ctx, v, threadID); err != nil {
		return nil, err
	}
	return r.viewer(ctx, v)
}

// groupActors are the last who caused notifications of each of some groups: the members of all groups in one statement.
func (r *Resolver) groupActors(ctx context.Context, v viewer.Viewer, groups []*ent.Notification) ([][]*ent.Member, error) {
	ids, err := r.Notify.GroupActors(ctx, v, groups)
	if err != nil {
		return nil, err
	}
	members, err := r.members(ctx, slices.Concat(ids...))
	if err != nil {
		return nil, err
	}
	actors := make([][]*ent.Member, len(groups))
	for i, of := range ids {
		actors[i], members = compact(members[:len(of)]), members[len(of):]
	}
	return actors, nil
}

func (r *Resolver) markAllRead(ctx context.Context, v viewer.Viewer, in model.MarkAllReadInput) (*ent.Member, error) {
	if err := r.Forum.MarkAllRead(ctx, v, in.Notifications); err != nil {
		return nil, err
	}
	return r.viewer(ctx, v)
}

// known is what a map has under an id; nil when it has nothing.
func known[T any](of map[gid.ID]T, id gid.ID) *T {
	if t, ok := of[id]; ok {
		return &t
	}
	return nil
}

// readStateEvents are the events of changed read states, by their numbers, as far as the viewer can still see what they are about.
func (r *Resolver) readStateEvents(ctx context.Context, v viewer.Viewer, events []*ent.Event) (map[int]model.NotificationEvent, error) {
	var threads, spaces []gid.ID
	for _, e := range events {
		switch {
		case e.Kind != event.ReadStateChanged:
		case e.ObjectID.Kind() == gid.Thread:
			threads = append(threads, e.ObjectID)
		case e.ObjectID.Kind() == gid.Space:
			spaces = append(spaces, e.ObjectID)
		}
	}
	if !slices.ContainsFunc(events, func(e *ent.Event) bool { return e.Kind == event.ReadStateChanged }) {
		return nil, nil
	}
	c := r.Store.Client(ctx)
	seenThreads, err := byID(threads, func(t *ent.Thread) gid.ID { return t.ID }, func(ids []gid.ID) ([]*ent.Thread, error) {
		return c.Thread.Query().Where(page.AnyOf(thread.FieldID, ids), access.VisibleThreads(v)).All(ctx)
	})
	if err != nil {
		return nil, err
	}
	seenSpaces, err := byID(spaces, func(s *ent.Space) gid.ID { return s.ID }, func(ids []gid.ID) ([]*ent.Space, error) {
		return c.Space.Query().Where(page.AnyOf(space.FieldID, ids), access.VisibleSpaces(v)).All(ctx)
	})
	if err != nil {
		return nil, err
	}
	var all forum.Counts
	if asksFor(ctx, "unreadPostCount", "unreadMentionCount") { // that is every unread thread of theirs
		if all, err = r.Forum.UnreadOfAll(ctx, v); err != nil {
			return nil, err
		}
	}
	shown := make(map[int]model.NotificationEvent)
	for _, e := range events {
		if e.Kind != event.ReadStateChanged {
			continue
		}
		m := &model.ReadStateChanged{Cursor: event.Cursor(e.StreamID, e.Seq), UnreadPostCount: all.Posts, UnreadMentionCount: all.Mentions}
		switch e.ObjectID.Kind() {
		case gid.Thread:
			m.Thread, seenThreads = seenThreads[0], seenThreads[1:]
			if m.Thread == nil {
				continue
			}
		case gid.Space:
			m.Space, seenSpaces = seenSpaces[0], seenSpaces[1:]
			if m.Space == nil {
				continue
			}
		}
		shown[e.Seq] = m
	}
	return shown, nil
}

// noticeEvents shows the events of notices, by their numbers, as far as the viewer can still see them, or one that was told with them.
func (r *Resolver) noticeEvents(ctx context.Context, v viewer.Viewer, events []*ent.Event, unread int) (map[int]model.NotificationEvent, error) {
	told := slices.DeleteFunc(slices.Clone(events), func(e *ent.Event) bool { return e.Kind != event.NoticeCreated })
	notices, err := byID(each(told, func(e *ent.Event) gid.ID { return e.ObjectID }), func(n *ent.Notice) gid.ID { return n.ID }, func(ids []gid.ID) ([]*ent.Notice, error) {
		return r.Notify.NoticesByID(ctx, v, ids)
	})
	if err != nil {
		return nil, err
	}
	if slices.Contains(notices, nil) {
		if err := r.Notify.ToldWith(ctx, v, told, notices); err != nil {
			return nil, err
		}
	}
	shown := make(map[int]model.NotificationEvent, len(told))
	for i, e := range told {
		if notices[i] != nil {
			shown[e.Seq] = &model.NoticeCreated{Cursor: event.Cursor(e.StreamID, e.Seq), Notice: notices[i], UnreadNotificationCount: unread}
		}
	}
	return shown, nil
}

// asksFor is whether one of the fields is selected below the field at hand, whatever the type.
func asksFor(ctx context.Context, fields ...string) bool {
	return slices.ContainsFunc(graphql.CollectAllFields(ctx), func(name string) bool { return slices.Contains(fields, name) })
}

func preferencePatch(in model.UpdateNotificationPreferenceInput) notify.PreferencePatch {
	p := notify.PreferencePatch{
		DirectMail: optional(in.DirectMail), WatchedMail: optional(in.WatchedMail), DigestHour: optional(in.DigestHour), DigestWeek: optional(in.DigestWeekday),
		QuietChanged: in.QuietHours.IsSet(),
	}
	if quiet := optional(in.QuietHours); quiet != nil {
		p.QuietFrom, p.QuietUntil = &quiet.From, &quiet.Until
	}
	return p
}
