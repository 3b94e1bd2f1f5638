package forum

import (
	"context"
	"fmt"
	"time"

	"github.com/pursuing-equity/commons/ent"
	"github.com/pursuing-equity/commons/ent/post"
	"github.com/pursuing-equity/commons/ent/readstate"
	"github.com/pursuing-equity/commons/ent/thread"
	"github.com/pursuing-equity/commons/internal/access"
	"github.com/pursuing-equity/commons/internal/fault"
	"github.com/pursuing-equity/commons/internal/gid"
	"github.com/pursuing-equity/commons/internal/page"
	"github.com/pursuing-equity/commons/internal/store"
	"github.com/pursuing-equity/commons/internal/viewer"
)

// Unread is how many posts of a thread a member has not read, from kept counters: no post is counted. State is nil for a
// thread that they never opened. Their own posts, tombstones and hidden posts are never unread.
func Unread(t *ent.Thread, state *ent.ReadState) int {
	if state == nil {
		return t.PostSeq - t.DeletedPosts
	}
	return max(0, t.PostSeq-state.LastReadSeq-state.Uncounted)
}

// ReadStates loads how far the viewer has read each of the threads: one statement.
func (s *Service) ReadStates(ctx context.Context, v viewer.Viewer, threads []gid.ID) (map[gid.ID]*ent.ReadState, error) {
	me, ok := v.MemberID()
	if !ok {
		return nil, nil
	}
	rows, err := s.Store.Client(ctx).ReadState.Query().Where(readstate.MemberID(me), page.AnyOf(readstate.FieldThreadID, threads)).All(ctx)
	if err != nil {
		return nil, fmt.Errorf("load read states: %w", err)
	}
	states := make(map[gid.ID]*ent.ReadState, len(rows))
	for _, r := range rows {
		states[r.ThreadID] = r
	}
	return states, nil
}

// MarkThreadRead moves the viewer's read position forward to a post's number, and reads the notifications up to it. A position
// that lies behind changes nothing; one beyond the newest post means the newest.
func (s *Service) MarkThreadRead(ctx context.Context, v viewer.Viewer, id gid.ID, upTo int) (*ent.Thread, error) {
	if upTo < 0 {
		return nil, fault.Invalid("upToSeq", "This must not be negative.")
	}
	return s.place(ctx, v, id, false, func(ctx context.Context, tx *ent.Client, me gid.ID, t *ent.Thread, state *ent.ReadState, now time.Time) (int, error) {
		upTo := min(upTo, t.PostSeq)
		if state != nil {
			upTo = max(upTo, state.LastReadSeq)
		}
		return upTo, s.Notify.ThreadRead(ctx, tx, me, id, upTo, now)
	})
}

// MarkThreadUnread moves the viewer's read position back or forward, so that the first unread post is the one with that number.
// Notifications that were read stay so.
func (s *Service) MarkThreadUnread(ctx context.Context, v viewer.Viewer, id gid.ID, from int) (*ent.Thread, error) {
	if from < 1 {
		return nil, fault.Invalid("fromSeq", "This must be the number of a post, 1 or more.")
	}
	return s.place(ctx, v, id, true, func(_ context.Context, _ *ent.Client, _ gid.ID, t *ent.Thread, _ *ent.ReadState, _ time.Time) (int, error) {
		return min(from-1, t.PostSeq), nil
	})
}

// place puts the viewer's read position in a thread where decide says, and tells their devices.
//
// The member's own row is locked, and not the thread's: readers do not queue behind writers. Who has no row yet, or moves back, holds the
// thread, too: whoever makes a tombstone meanwhile would see no row, or one that has read the post, and could not take the post off its
// count.
func (s *Service) place(ctx context.Context, v viewer.Viewer, id gid.ID, back bool,
	decide func(ctx context.Context, tx *ent.Client, me gid.ID, t *ent.Thread, state *ent.ReadState, now time.Time) (int, error),
) (*ent.Thread, error) {
	me, err := access.SignedIn(v)
	if err != nil {
		return nil, err
	}
	err = s.Store.InTx(ctx, func(ctx context.Context, tx *ent.Client) error {
		var state *ent.ReadState
		if !back {
			if state, err = s.lockRead(ctx, tx, me, id); err != nil {
				return err
			}
		}
		q := tx.Thread.Query().Where(thread.ID(id), access.VisibleThreads(v))
		if state == nil {
			q.Where(store.LockRow)
		}
		t, err := q.Only(ctx)
		if ent.IsNotFound(err) {
			return fault.Missing().At("threadId")
		}
		if err != nil {
			return fmt.Errorf("load thread: %w", err)
		}
		if state == nil { // after the thread, as writers do; a post of their own may have made it while they waited
			if state, err = s.lockRead(ctx, tx, me, id); err != nil {
				return err
			}
		}
		now := s.Now()
		seq, err := decide(ctx, tx, me, t, state, now)
		if err != nil || state != nil && state.LastReadSeq == seq {
			return err
		}
		uncounted, err := tx.Post.Query().Where(post.ThreadID(id), post.SeqGT(seq), post.Or(post.AuthorID(me), post.DeletedAtNotNil(), post.HiddenAtNotNil())).Count(ctx)
		if err != nil {
			return fmt.Errorf("count own posts: %w", err)
		}
		if err := s.setRead(ctx, tx, state, id, me, seq, uncounted, now); err != nil {
			return err
		}
		return s.Notify.ReadStateChanged(ctx, tx, me, id, now)
	})
	if err != nil {
		return nil, err
	}
	return s.Thread(ctx, v, id)
}

// lockRead loads how far a member has read a thread, and holds the row; nil when there is none.
func (s *Service) lockRead(ctx context.Context, tx *ent.Client, me, threadID gid.ID) (*ent.ReadState, error) {
	state, err := tx.ReadState.Query().Where(readstate.MemberID(me), readstate.ThreadID(threadID), store.LockRow).Only(ctx)
	if err != nil && !ent.IsNotFound(err) {
		return nil, fmt.Errorf("lock read state: %w", err)
	}
	return state, nil
}

func (s *Service) setRead(ctx context.Context, tx *ent.Client, state *ent.ReadState, threadID, me gid.ID, seq, uncounted int, now time.Time) error {
	if state != nil {
		return tx.ReadState.Update().Where(readstate.ID(state.ID)).SetLastReadSeq(seq).SetUncounted(uncounted).SetUpdatedAt(now).Exec(ctx)
	}
	err := tx.ReadState.Create().SetID(s.NewID(gid.ReadState)).SetThreadID(threadID).SetMemberID(me).
		SetLastReadSeq(seq).SetUncounted(uncounted).SetCreatedAt(now).SetUpdatedAt(now).Exec(ctx)
	return store.RetryOnConflict(err)
}

// readOwn keeps a member's own new post from being unread: it moves the position on when everything before was read, and
// else counts the post among those that do not count.
func (s *Service) readOwn(ctx context.Context, tx *ent.Client, t *locked, me gid.ID, seq int, now time.Time) error {
	state, err := s.lockRead(ctx, tx, me, t.ID)
	if err != nil {
		return err
	}
	last, uncounted := 0, t.DeletedPosts
	if state != nil {
		last, uncounted = state.LastReadSeq, state.Uncounted
	}
	if last+uncounted == seq-1 {
		return s.setRead(ctx, tx, state, t.ID, me, seq, 0, now)
	}
	return s.setRead(ctx, tx, state, t.ID, me, last, uncounted+1, now)
}

// uncount keeps a tombstone or a hidden post from being unread for those who had not read the post, or with -1 counts one again that is
// shown. Its author's own count has it in either case.
func (s *Service) uncount(ctx context.Context, tx *ent.Client, p *ent.Post, by int) error {
	err := tx.ReadState.Update().Where(readstate.ThreadID(p.ThreadID), readstate.LastReadSeqLT(p.Seq), readstate.MemberIDNEQ(p.AuthorID)).AddUncounted(by).Exec(ctx)
	if err != nil {
		return fmt.Errorf("uncount a post: %w", err)
	}
	return nil
}
