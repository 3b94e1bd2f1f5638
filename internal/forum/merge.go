package forum

import (
	"context"
	"fmt"

	"entgo.io/ent/dialect/sql"

	"github.com/pursuing-equity/commons/ent"
	"github.com/pursuing-equity/commons/ent/post"
	"github.com/pursuing-equity/commons/ent/readstate"
	"github.com/pursuing-equity/commons/ent/thread"
	"github.com/pursuing-equity/commons/ent/watchsetting"
	"github.com/pursuing-equity/commons/internal/access"
	"github.com/pursuing-equity/commons/internal/audit"
	"github.com/pursuing-equity/commons/internal/event"
	"github.com/pursuing-equity/commons/internal/fault"
	"github.com/pursuing-equity/commons/internal/gid"
	"github.com/pursuing-equity/commons/internal/page"
	"github.com/pursuing-equity/commons/internal/store"
	"github.com/pursuing-equity/commons/internal/viewer"
)

// maxMerged is how many posts a thread can have to be merged into another: both are held meanwhile.
const maxMerged = 1_000

// MergeThreads moves all posts of a thread to the end of another, which the first leads to from then on: it takes no more posts and is in
// no list. For who moderates both; nothing leaves or enters a hidden space. Doing it again changes nothing.
func (s *Service) MergeThreads(ctx context.Context, v viewer.Viewer, fromID, intoID gid.ID) (*ent.Thread, error) {
	me, err := access.SignedIn(v)
	if err != nil {
		return nil, err
	}
	if fromID == intoID {
		return nil, fault.Invalid("intoThreadId", "A thread cannot be merged into itself.")
	}
	err = s.Store.InTx(ctx, func(ctx context.Context, tx *ent.Client) error {
		from, into, err := s.lockTwo(ctx, tx, v, fromID, intoID, "fromThreadId", "intoThreadId")
		if err != nil {
			return err
		}
		if err := from.moderable(); err != nil {
			return err
		}
		if err := into.moderable(); err != nil {
			return err
		}
		switch {
		case from.MergedIntoID != nil && *from.MergedIntoID == intoID:
			return nil
		case from.MergedIntoID != nil:
			return fault.Invalid("fromThreadId", "This thread was merged into another one before.")
		case into.MergedIntoID != nil:
			return fault.Invalid("intoThreadId", "This thread was merged into another one: name that one.")
		case from.PostSeq > maxMerged:
			return fault.New(fault.LimitReached, "A thread of more than %d posts cannot be merged.", maxMerged).At("fromThreadId")
		}
		if err := exchangeable(from.space, into.space); err != nil {
			return err
		}
		return s.merge(ctx, tx, v, &relocation{from: from, into: into, actor: me, at: s.Now()})
	})
	if err != nil {
		return nil, err
	}
	return s.Thread(ctx, v, intoID)
}

func (s *Service) merge(ctx context.Context, tx *ent.Client, v viewer.Viewer, r *relocation) (err error) {
	r.posts, err = tx.Post.Query().Where(post.ThreadID(r.from.ID)).Order(post.BySeq()).All(ctx)
	if err != nil {
		return fmt.Errorf("load posts: %w", err)
	}
	before := r.into.PostSeq
	if err := s.relocate(ctx, tx, r); err != nil {
		return err
	}
	if err := s.readOn(ctx, tx, r, before); err != nil {
		return err
	}
	u, err := s.record(ctx, tx, r.from, r.at, event.Entry{Kind: event.ThreadChanged, Object: r.from.ID, Actor: r.actor})
	if err != nil {
		return err
	}
	if err := u.SetMergedIntoID(r.into.ID).SetPinned(false).ClearAcceptedPostID().Exec(ctx); err != nil {
		return fmt.Errorf("lead to the other thread: %w", err)
	}
	// What led here before leads on, so that nobody is sent from one to the next.
	if err := tx.Thread.Update().Where(thread.MergedIntoID(r.from.ID)).SetMergedIntoID(r.into.ID).Exec(ctx); err != nil {
		return fmt.Errorf("lead on: %w", err)
	}
	if err := store.Unindex(ctx, tx, r.from.ID); err != nil {
		return err
	}
	err = tx.WatchSetting.Update().Where(watchsetting.ThreadID(r.from.ID), func(s *sql.Selector) { // who has set nothing for the other thread
		set := sql.Dialect(s.Dialect()).Select().From(sql.Table(watchsetting.Table).As("other"))
		set.Select(set.C(watchsetting.FieldMemberID)).Where(sql.EQ(set.C(watchsetting.FieldThreadID), r.into.ID))
		s.Where(sql.NotIn(s.C(watchsetting.FieldMemberID), set))
	}).SetThreadID(r.into.ID).Exec(ctx)
	if err != nil {
		return fmt.Errorf("watch the other thread: %w", err)
	}
	if err := s.Webhooks.Merged(ctx, tx, r.at, r.actor, r.from.Thread, r.into.Thread); err != nil {
		return err
	}
	return s.tell(ctx, tx, v, r.from, audit.Entry{Action: audit.ThreadsMerged, Subject: r.from.ID})
}

// readOn moves the positions of those who had read the other thread to its end over what they had read of this one: the moved posts are
// numbered on from there, in their order, so it is one sum.
func (s *Service) readOn(ctx context.Context, tx *ent.Client, r *relocation, before int) error {
	err := tx.ReadState.Update().Where(readstate.ThreadID(r.into.ID), func(s *sql.Selector) {
		s.Where(sql.P(func(b *sql.Builder) {
			b.Ident(s.C(readstate.FieldLastReadSeq)).WriteString(" + ").Ident(s.C(readstate.FieldUncounted)).WriteString(" >= ").Arg(before)
		}))
	}).Modify(func(u *sql.UpdateBuilder) {
		b := sql.Dialect(u.Dialect())
		here, state := b.Table(readstate.Table).As("here"), b.Table(readstate.Table)
		position := b.Select(here.C(readstate.FieldLastReadSeq)).From(here).
			Where(sql.And(sql.EQ(here.C(readstate.FieldThreadID), r.from.ID), sql.ColumnsEQ(here.C(readstate.FieldMemberID), state.C(readstate.FieldMemberID))))
		u.Set(readstate.FieldLastReadSeq, sql.ExprFunc(func(b *sql.Builder) {
			b.Arg(before).WriteString(" + coalesce((").Join(position).WriteString("), 0)")
		}))
	}).Exec(ctx)
	if err != nil {
		return fmt.Errorf("move read positions: %w", err)
	}
	// Who wrote something that came here has a position here, so that it is not unread for them.
	authors, err := tx.ReadState.Query().Where(readstate.ThreadID(r.into.ID), page.AnyOf(readstate.FieldMemberID, r.authors())).Select(readstate.FieldMemberID).All(ctx)
	if err != nil {
		return fmt.Errorf("look for read positions: %w", err)
	}
	positions := make(map[gid.ID]int)
	for _, id := range r.authors() {
		positions[id] = 0
	}
	for _, a := range authors {
		delete(positions, a.MemberID)
	}
	if err := s.begin(ctx, tx, r, positions); err != nil {
		return err
	}
	if err := recount(ctx, tx, r.into.ID); err != nil {
		return err
	}
	return recount(ctx, tx, r.from.ID)
}
