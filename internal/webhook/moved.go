package webhook

import (
	"context"
	"time"

	"github.com/pursuing-equity/commons/ent"
	"github.com/pursuing-equity/commons/ent/thread"
	"github.com/pursuing-equity/commons/internal/access"
	"github.com/pursuing-equity/commons/internal/gid"
	"github.com/pursuing-equity/commons/internal/page"
)

// The fields that name the other thread of a merge and of a split, and its space.
const (
	intoThread, intoSpace = "intoThreadId", "intoSpaceId"
	fromThread, fromSpace = "fromThreadId", "fromSpaceId"
)

// Merged tells that all posts of a thread went to another one, within the transaction of ctx: one happening, whatever the number of posts.
func (s *Service) Merged(ctx context.Context, tx *ent.Client, at time.Time, actor gid.ID, from, into *ent.Thread) error {
	data := about(from, actor)
	data[intoThread], data[intoSpace] = into.ID.String(), into.SpaceID.String()
	return s.tellOfBoth(ctx, tx, at, from, into, Happening{ThreadMerged, data})
}

// Split tells that some posts of a thread began another one, within the transaction of ctx.
func (s *Service) Split(ctx context.Context, tx *ent.Client, at time.Time, actor gid.ID, from, into *ent.Thread, posts []gid.ID) error {
	data, ids := about(into, actor), make([]string, len(posts))
	for i, id := range posts {
		ids[i] = id.String()
	}
	data[fromThread], data[fromSpace], data["postIds"] = from.ID.String(), from.SpaceID.String(), ids
	return s.tellOfBoth(ctx, tx, at, from, into, Happening{ThreadCreated, about(into, actor)}, Happening{ThreadSplit, data})
}

// tellOfBoth tells what names two threads, unless one of them is in a hidden space.
func (s *Service) tellOfBoth(ctx context.Context, tx *ent.Client, at time.Time, a, b *ent.Thread, happenings ...Happening) error {
	which := make([]Event, len(happenings))
	for i, h := range happenings {
		which[i] = h.Event
	}
	if wanted, err := s.Wanted(ctx, tx, which...); err != nil || !wanted {
		return err
	}
	open, err := tx.Thread.Query().Where(page.AnyOf(thread.FieldID, []gid.ID{a.ID, b.ID}), access.ThreadsInTheOpen()).Count(ctx)
	if err != nil || open < 2 {
		return err
	}
	return s.Tell(ctx, tx, at, happenings...)
}
