package forum

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"strconv"
	"time"

	"entgo.io/ent/dialect/sql"

	"github.com/pursuing-equity/commons/ent"
	"github.com/pursuing-equity/commons/ent/notification"
	"github.com/pursuing-equity/commons/ent/notificationjob"
	"github.com/pursuing-equity/commons/ent/post"
	"github.com/pursuing-equity/commons/ent/searchdocument"
	"github.com/pursuing-equity/commons/ent/thread"
	"github.com/pursuing-equity/commons/internal/access"
	"github.com/pursuing-equity/commons/internal/event"
	"github.com/pursuing-equity/commons/internal/fault"
	"github.com/pursuing-equity/commons/internal/gid"
	"github.com/pursuing-equity/commons/internal/page"
	"github.com/pursuing-equity/commons/internal/viewer"
)

// Posts that go to another thread keep their ids, and get the next numbers there in the order that they had. A tombstone that leads to each stays
// at its old number, and is counted among the thread's tombstones: so numbers and counters are as if the posts had been deleted here, and
// written there.
//
// What a member has read is a position, so a moved post counts as read only where a position can say so. In a thread that somebody had read to
// its end, the position goes on over those moved posts that they had read before, up to the first that they had not. For everybody else
// the moved posts come after something that is unread, and are unread as whatever comes. Their own and tombstones never are.

// insertBatch is how many rows one statement inserts.
const insertBatch = 500

// relocation is posts on their way, by their numbers, from one thread to another, while the transaction holds both.
type relocation struct {
	from, into *locked
	posts      []*ent.Post
	actor      gid.ID
	at         time.Time
}

func (r *relocation) ids() []gid.ID {
	ids := make([]gid.ID, len(r.posts))
	for i, p := range r.posts {
		ids[i] = p.ID
	}
	return ids
}

// lockTwo locks two threads in the order of their ids, so that two of these never wait for each other in a circle. What the viewer cannot
// see is missing at its path.
func (s *Service) lockTwo(ctx context.Context, tx *ent.Client, v viewer.Viewer, a, b gid.ID, pathA, pathB string) (*locked, *locked, error) {
	held := make(map[gid.ID]*locked, 2)
	ids := []gid.ID{a, b}
	slices.SortFunc(ids, func(a, b gid.ID) int { return bytes.Compare(a[:], b[:]) })
	for _, id := range ids {
		t, err := s.lock(ctx, tx, v, id)
		if err != nil && !fault.Is(err, fault.NotFound) {
			return nil, nil, err
		}
		held[id] = t
	}
	switch {
	case held[a] == nil:
		return nil, nil, fault.Missing().At(pathA)
	case held[b] == nil:
		return nil, nil, fault.Missing().At(pathB)
	}
	return held[a], held[b], nil
}

// exchangeable says whether posts can go from a space to another, for somebody who moderates both.
func exchangeable(from, into *ent.Space) error {
	if from.ID != into.ID && (access.Hidden(from.Kind) || access.Hidden(into.Kind)) {
		return fault.Denied("A post never leaves or enters a hidden space.")
	}
	if from.ArchivedAt != nil || into.ArchivedAt != nil {
		return fault.New(fault.Archived, "This space was archived; it is read only.")
	}
	return nil
}

// relocate moves the posts with all that belongs to them, and changes both threads' rows but for what only a merge or a split changes. What leaves a
// space is in no archive of it.
func (s *Service) relocate(ctx context.Context, tx *ent.Client, r *relocation) error {
	places := make(map[gid.ID]int, len(r.posts))
	for i, p := range r.posts {
		places[p.ID] = r.into.PostSeq + 1 + i
	}
	if err := renumber(ctx, tx, r, places); err != nil {
		return err
	}
	left, err := s.leave(ctx, tx, r)
	if err != nil {
		return err
	}
	if err := r.follow(ctx, tx); err != nil {
		return err
	}
	if r.from.SpaceID != r.into.SpaceID {
		if err := forgetArchivesOf(ctx, tx, r.from.SpaceID, r.at); err != nil {
			return err
		}
	}
	return s.tellBoth(ctx, tx, r, left)
}

// renumber gives the posts their new places: all of a thread by one sum, some by a list.
func renumber(ctx context.Context, tx *ent.Client, r *relocation, places map[gid.ID]int) error {
	moved := tx.Post.Update().Where(post.ThreadID(r.from.ID)).SetThreadID(r.into.ID)
	if len(r.posts) == r.from.PostSeq {
		moved.AddSeq(r.into.PostSeq)
	} else {
		moved.Where(page.AnyOf(post.FieldID, r.ids())).Modify(func(u *sql.UpdateBuilder) {
			u.Set(post.FieldSeq, sql.ExprFunc(func(b *sql.Builder) {
				b.WriteString("CASE ").Ident(post.FieldID)
				for _, p := range r.posts {
					b.WriteString(" WHEN ").Arg(p.ID).WriteString(" THEN " + strconv.Itoa(places[p.ID]))
				}
				b.WriteString(" END")
			}))
		})
	}
	if err := moved.Exec(ctx); err != nil {
		return fmt.Errorf("renumber posts: %w", err)
	}
	return nil
}

// leave writes the tombstones that stay in the old places. What was a tombstone of this sort leads to where it led.
func (s *Service) leave(ctx context.Context, tx *ent.Client, r *relocation) ([]*ent.Post, error) {
	left := make([]*ent.Post, len(r.posts))
	rows := make([]*ent.PostCreate, len(r.posts))
	for i, p := range r.posts {
		to := p.ID
		if p.MovedToID != nil {
			to = *p.MovedToID
		}
		left[i] = &ent.Post{ID: s.NewID(gid.Post), ThreadID: r.from.ID, Seq: p.Seq}
		rows[i] = tx.Post.Create().SetID(left[i].ID).SetCreatedAt(p.CreatedAt).SetThreadID(r.from.ID).SetAuthorID(p.AuthorID).SetSeq(p.Seq).
			SetBody("").SetBodyHTML("").SetDeletedAt(r.at).SetMovedToID(to)
	}
	for some := range slices.Chunk(rows, insertBatch) {
		if err := tx.Post.CreateBulk(some...).Exec(ctx); err != nil {
			return nil, fmt.Errorf("leave tombstones: %w", err)
		}
	}
	return left, nil
}

// follow takes what is kept of the posts along: search documents, notifications, and notifying that is not finished.
func (r *relocation) follow(ctx context.Context, tx *ent.Client) error {
	ids := r.ids()
	err := tx.SearchDocument.Update().Where(page.AnyOf(searchdocument.FieldObjectID, ids)).SetThreadID(r.into.ID).Exec(ctx)
	if err != nil {
		return fmt.Errorf("move search documents: %w", err)
	}
	err = tx.Notification.Update().Where(page.AnyOf(notification.FieldPostID, ids)).SetThreadID(r.into.ID).Exec(ctx)
	if err != nil {
		return fmt.Errorf("move notifications: %w", err)
	}
	err = tx.NotificationJob.Update().Where(page.AnyOf(notificationjob.FieldPostID, ids)).
		Modify(func(u *sql.UpdateBuilder) { u.Set(notificationjob.FieldThreadID, r.into.ID) }).Exec(ctx)
	if err != nil {
		return fmt.Errorf("move what is to be notified: %w", err)
	}
	return nil
}

// tellBoth tells those who follow either thread, and writes the counters of both.
func (s *Service) tellBoth(ctx context.Context, tx *ent.Client, r *relocation, left []*ent.Post) error {
	went, came := tx.Thread.UpdateOneID(r.from.ID), tx.Thread.UpdateOneID(r.into.ID)
	for some := range slices.Chunk(left, insertBatch) {
		if _, err := s.announce(ctx, tx, r.from, some, r.at, event.PostMoved, r.actor); err != nil {
			return err
		}
	}
	for some := range slices.Chunk(r.posts, insertBatch) {
		if _, err := s.announce(ctx, tx, r.into, some, r.at, event.PostCreated, r.actor); err != nil { // they are new here
			return err
		}
	}
	buried := 0
	for _, p := range r.posts {
		if silent(p) {
			buried++
		}
		if r.from.AcceptedPostID != nil && *r.from.AcceptedPostID == p.ID {
			went.ClearAcceptedPostID()
		}
	}
	if last := left[len(left)-1]; last.Seq == r.from.PostSeq {
		went.SetLastPostID(last.ID)
	}
	r.from.DeletedPosts += len(left) - buried
	if err := went.SetEventSeq(r.from.EventSeq).SetDeletedPosts(r.from.DeletedPosts).SetUpdatedAt(r.at).Exec(ctx); err != nil {
		return fmt.Errorf("count what went: %w", err)
	}
	last := r.posts[len(r.posts)-1]
	newest := slices.MaxFunc(r.posts, func(a, b *ent.Post) int { return a.CreatedAt.Compare(b.CreatedAt) }).CreatedAt // the last, unless they were moved before
	if r.into.PostSeq == 0 || newest.After(r.into.LastActivityAt) {
		came.SetLastActivityAt(newest)
	}
	r.into.PostSeq += len(r.posts)
	r.into.DeletedPosts += buried
	err := came.SetEventSeq(r.into.EventSeq).SetPostSeq(r.into.PostSeq).SetDeletedPosts(r.into.DeletedPosts).SetLastPostID(last.ID).SetUpdatedAt(r.at).Exec(ctx)
	if err != nil {
		return fmt.Errorf("count what came: %w", err)
	}
	return nil
}

// InThread loads posts of a thread, in the order of their ids: in the place of one that has gone to another thread, which not everybody
// who reads this one may see, the tombstone that it left. Nil for what is not there.
func (s *Service) InThread(ctx context.Context, threadID gid.ID, ids []gid.ID) ([]*ent.Post, error) {
	c := s.Store.Client(ctx)
	found := make(map[gid.ID]*ent.Post, len(ids))
	rows, err := c.Post.Query().Where(page.AnyOf(post.FieldID, ids)).All(ctx)
	if err != nil {
		return nil, fmt.Errorf("load posts: %w", err)
	}
	var gone []gid.ID
	for _, p := range rows {
		if p.ThreadID == threadID {
			found[p.ID] = p
		} else {
			gone = append(gone, p.ID)
		}
	}
	if len(gone) > 0 {
		left, err := c.Post.Query().Where(post.ThreadID(threadID), page.AnyOf(post.FieldMovedToID, gone)).Order(post.BySeq()).All(ctx)
		if err != nil {
			return nil, fmt.Errorf("load tombstones: %w", err)
		}
		for _, p := range left {
			found[*p.MovedToID] = p
		}
	}
	out := make([]*ent.Post, len(ids))
	for i, id := range ids {
		out[i] = found[id]
	}
	return out, nil
}

// Answered are the posts that each post answers. One that was moved to another space, or that the answer left behind there, is nil: not
// everybody who reads the one may read the other. At most two statements, and none for those that stand on the same page.
func (s *Service) Answered(ctx context.Context, posts []*ent.Post, part Part) ([]*ent.Post, error) {
	found := make(map[gid.ID]*ent.Post, len(posts))
	for _, p := range posts {
		if part == Head || whole(p) {
			found[p.ID] = p
		}
	}
	var ids []gid.ID
	for _, p := range posts {
		if p.ReplyToID != nil && found[*p.ReplyToID] == nil {
			ids = append(ids, *p.ReplyToID)
		}
	}
	answered := make([]*ent.Post, len(posts))
	if len(ids) > 0 {
		rows, err := part.of(s.Store.Client(ctx).Post.Query().Where(page.AnyOf(post.FieldID, ids))).All(ctx)
		if err != nil {
			return nil, fmt.Errorf("load the posts that are answered: %w", err)
		}
		for _, p := range rows {
			found[p.ID] = p
		}
	}
	var apart []gid.ID
	for i, p := range posts {
		if p.ReplyToID == nil || found[*p.ReplyToID] == nil {
			continue
		}
		answered[i] = found[*p.ReplyToID]
		if answered[i].ThreadID != p.ThreadID {
			apart = append(apart, p.ThreadID, answered[i].ThreadID)
		}
	}
	if len(apart) == 0 {
		return answered, nil
	}
	spaces, err := s.spacesOf(ctx, apart)
	if err != nil {
		return nil, err
	}
	for i, p := range posts {
		if to := answered[i]; to != nil && to.ThreadID != p.ThreadID && spaces[to.ThreadID] != spaces[p.ThreadID] {
			answered[i] = nil
		}
	}
	return answered, nil
}

// spacesOf are the spaces that threads are in: one statement.
func (s *Service) spacesOf(ctx context.Context, threads []gid.ID) (map[gid.ID]gid.ID, error) {
	rows, err := s.Store.Client(ctx).Thread.Query().Where(page.AnyOf(thread.FieldID, threads)).Select(thread.FieldID, thread.FieldSpaceID).All(ctx)
	if err != nil {
		return nil, fmt.Errorf("load threads: %w", err)
	}
	spaces := make(map[gid.ID]gid.ID, len(rows))
	for _, t := range rows {
		spaces[t.ID] = t.SpaceID
	}
	return spaces, nil
}

// MovedTo are the posts that tombstones lead to, as far as the viewer can see them; nil for others. One statement, none when no post moved.
func (s *Service) MovedTo(ctx context.Context, v viewer.Viewer, posts []*ent.Post) ([]*ent.Post, error) {
	var ids []gid.ID
	for _, p := range posts {
		if p.MovedToID != nil {
			ids = append(ids, *p.MovedToID)
		}
	}
	to := make([]*ent.Post, len(posts))
	if len(ids) == 0 {
		return to, nil
	}
	rows, err := s.Store.Client(ctx).Post.Query().Where(page.AnyOf(post.FieldID, ids), access.VisiblePosts(v)).All(ctx)
	if err != nil {
		return nil, fmt.Errorf("load moved posts: %w", err)
	}
	for i, p := range posts {
		for _, row := range rows {
			if p.MovedToID != nil && row.ID == *p.MovedToID {
				to[i] = row
			}
		}
	}
	return to, nil
}

// MergedInto are the threads that threads were merged into, as far as the viewer can see them; nil for others. One statement, none when none
// was merged.
func (s *Service) MergedInto(ctx context.Context, v viewer.Viewer, threads []*ent.Thread) ([]*ent.Thread, error) {
	var ids []gid.ID
	for _, t := range threads {
		if t.MergedIntoID != nil {
			ids = append(ids, *t.MergedIntoID)
		}
	}
	to := make([]*ent.Thread, len(threads))
	if len(ids) == 0 {
		return to, nil
	}
	rows, err := s.Store.Client(ctx).Thread.Query().Where(page.AnyOf(thread.FieldID, ids), access.VisibleThreads(v)).All(ctx)
	if err != nil {
		return nil, fmt.Errorf("load merged threads: %w", err)
	}
	for i, t := range threads {
		for _, row := range rows {
			if t.MergedIntoID != nil && row.ID == *t.MergedIntoID {
				to[i] = row
			}
		}
	}
	return to, nil
}
