package webhook

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/pursuing-equity/commons/ent"
	"github.com/pursuing-equity/commons/ent/post"
	"github.com/pursuing-equity/commons/ent/thread"
	"github.com/pursuing-equity/commons/internal/access"
	"github.com/pursuing-equity/commons/internal/event"
	"github.com/pursuing-equity/commons/internal/gid"
	"github.com/pursuing-equity/commons/internal/page"
)

// ofThreads are the happenings of the event log that endpoints can want.
var ofThreads = map[string]Event{
	event.PostCreated: PostCreated, event.PostEdited: PostEdited, event.PostDeleted: PostDeleted, event.ThreadChanged: ThreadChanged,
	event.PostHidden: PostEdited, event.PostRestored: PostEdited, // to who shows it, it says something else now
}

// Appended is told what the event log writes, within its transaction, and writes it down for the endpoints that want it. While none
// does it takes no statement.
func (s *Service) Appended(ctx context.Context, tx *ent.Client, stream gid.ID, at time.Time, entries ...event.Entry) error {
	if s == nil || stream.Kind() != gid.Thread {
		return nil
	}
	which := make([]Event, 0, len(entries)+1)
	var created []gid.ID
	entries = slices.DeleteFunc(slices.Clone(entries), func(e event.Entry) bool { return e.Moved }) // Merged and Split tell of those
	for _, e := range entries {
		if of, is := ofThreads[e.Kind]; is {
			which = append(which, of)
		}
		if e.Kind == event.PostCreated {
			which, created = append(which, ThreadCreated), append(created, e.Object)
		}
	}
	if wanted, err := s.Wanted(ctx, tx, which...); err != nil || !wanted {
		return err
	}
	t, err := tx.Thread.Query().Where(thread.ID(stream), access.ThreadsInTheOpen()).Only(ctx)
	if ent.IsNotFound(err) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("load the thread to tell of: %w", err)
	}
	firsts, err := firstPosts(ctx, tx, created)
	if err != nil {
		return err
	}
	var all []Happening
	for _, e := range entries {
		of, is := ofThreads[e.Kind]
		if !is {
			continue
		}
		if firsts[e.Object] {
			all = append(all, Happening{ThreadCreated, about(t, e.Actor)})
		}
		data := about(t, e.Actor)
		if e.Object.Kind() == gid.Post {
			data["postId"] = e.Object.String()
		}
		all = append(all, Happening{of, data})
	}
	return s.Tell(ctx, tx, at, all...)
}

func about(t *ent.Thread, actor gid.ID) map[string]any {
	data := map[string]any{"threadId": t.ID.String(), "spaceId": t.SpaceID.String()}
	if !actor.IsZero() {
		data["actorId"] = actor.String()
	}
	return data
}

// firstPosts are those of the posts with which threads began.
func firstPosts(ctx context.Context, tx *ent.Client, posts []gid.ID) (map[gid.ID]bool, error) {
	if len(posts) == 0 {
		return nil, nil
	}
	ids, err := tx.Post.Query().Where(page.AnyOf(post.FieldID, posts), post.Seq(1)).IDs(ctx)
	if err != nil {
		return nil, fmt.Errorf("look for a thread's first post: %w", err)
	}
	is := make(map[gid.ID]bool, len(ids))
	for _, id := range ids {
		is[id] = true
	}
	return is, nil
}
