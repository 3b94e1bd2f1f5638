package forum

import (
	"context"
	"fmt"

	"entgo.io/ent/dialect/sql"

	"github.com/pursuing-equity/commons/ent"
	"github.com/pursuing-equity/commons/ent/notification"
	"github.com/pursuing-equity/commons/ent/post"
	"github.com/pursuing-equity/commons/ent/predicate"
	"github.com/pursuing-equity/commons/ent/readstate"
	"github.com/pursuing-equity/commons/ent/space"
	"github.com/pursuing-equity/commons/ent/thread"
	"github.com/pursuing-equity/commons/internal/access"
	"github.com/pursuing-equity/commons/internal/fault"
	"github.com/pursuing-equity/commons/internal/gid"
	"github.com/pursuing-equity/commons/internal/notify"
	"github.com/pursuing-equity/commons/internal/page"
	"github.com/pursuing-equity/commons/internal/store"
	"github.com/pursuing-equity/commons/internal/viewer"
)

// Counts are what a member has not read.
type Counts struct {
	Posts    int // as Unread counts them
	Mentions int // notifications of posts that call the member, alone or with others
}

// UnreadOfSpaces counts for each of some spaces what the viewer has not read there. What they muted is left out, and so are spaces that
// they do not belong to. Three statements for all spaces, from kept counters: posts are read for those only who block or mute somebody.
func (s *Service) UnreadOfSpaces(ctx context.Context, v viewer.Viewer, spaces []gid.ID) (map[gid.ID]Counts, error) {
	return s.unread(ctx, v, page.AnyOf(thread.FieldSpaceID, spaces))
}

// UnreadOfAll is UnreadOfSpaces for all spaces together.
func (s *Service) UnreadOfAll(ctx context.Context, v viewer.Viewer) (Counts, error) {
	of, err := s.unread(ctx, v, func(*sql.Selector) {})
	var all Counts
	for _, c := range of {
		all.Posts += c.Posts
		all.Mentions += c.Mentions
	}
	return all, err
}

func (s *Service) unread(ctx context.Context, v viewer.Viewer, which predicate.Thread) (map[gid.ID]Counts, error) {
	me, ok := v.MemberID()
	if !ok {
		return nil, nil
	}
	counted := thread.And(which, access.OwnThreads(v), notify.Unmuted(me))
	type row struct {
		SpaceID gid.ID `json:"space_id"`
		Unread  int    `json:"unread"`
	}
	var posts, mentions, unheard []row
	err := s.Store.Client(ctx).Thread.Query().Where(counted).Modify(func(s *sql.Selector) {
		state := sql.Table(readstate.Table).As("state")
		s.LeftJoin(state).OnP(sql.And(sql.ColumnsEQ(state.C(readstate.FieldThreadID), s.C(thread.FieldID)), sql.EQ(state.C(readstate.FieldMemberID), me)))
		n := fmt.Sprintf("%s - coalesce(%s, 0) - coalesce(%s, %s)", s.C(thread.FieldPostSeq),
			state.C(readstate.FieldLastReadSeq), state.C(readstate.FieldUncounted), s.C(thread.FieldDeletedPosts))
		s.Select(s.C(thread.FieldSpaceID), sql.As(fmt.Sprintf("sum(CASE WHEN %s > 0 THEN %s ELSE 0 END)", n, n), "unread")).GroupBy(s.C(thread.FieldSpaceID))
	}).Scan(ctx, &posts)
	if err != nil {
		return nil, fmt.Errorf("count unread posts: %w", err)
	}
	err = s.Store.Client(ctx).Notification.Query().
		Where(notification.HasThreadWith(counted), access.UnreadMentions(v)).
		Modify(func(s *sql.Selector) {
			t := sql.Table(thread.Table).As("of_thread")
			s.Join(t).On(s.C(notification.FieldThreadID), t.C(thread.FieldID))
			s.Select(sql.As(t.C(thread.FieldSpaceID), "space_id"), sql.As(sql.Count("*"), "unread")).GroupBy(t.C(thread.FieldSpaceID))
		}).Scan(ctx, &mentions)
	if err != nil {
		return nil, fmt.Errorf("count unread mentions: %w", err)
	}
	err = s.Store.Client(ctx).Post.Query().Where(post.HasThreadWith(counted), access.UnheardUnreadPosts(v)).
		Modify(func(s *sql.Selector) {
			t := sql.Table(thread.Table).As("of_thread")
			s.Join(t).On(s.C(post.FieldThreadID), t.C(thread.FieldID))
			s.Select(sql.As(t.C(thread.FieldSpaceID), "space_id"), sql.As(sql.Count("*"), "unread")).GroupBy(t.C(thread.FieldSpaceID))
		}).Scan(ctx, &unheard)
	if err != nil {
		return nil, fmt.Errorf("count posts that are not heard: %w", err)
	}
	counts := make(map[gid.ID]Counts, len(posts))
	for _, r := range posts {
		counts[r.SpaceID] = Counts{Posts: r.Unread}
	}
	for _, r := range unheard {
		counts[r.SpaceID] = Counts{Posts: max(0, counts[r.SpaceID].Posts-r.Unread)}
	}
	for _, r := range mentions {
		c := counts[r.SpaceID]
		c.Mentions = r.Unread
		counts[r.SpaceID] = c
	}
	return counts, nil
}

// UnreadMentions counts for each of some threads the unread notifications of posts that call the viewer: one statement.
func (s *Service) UnreadMentions(ctx context.Context, v viewer.Viewer, threads []gid.ID) (map[gid.ID]int, error) {
	var rows []struct {
		ThreadID gid.ID `json:"thread_id"`
		Unread   int    `json:"unread"`
	}
	err := s.Store.Client(ctx).Notification.Query().
		Where(page.AnyOf(notification.FieldThreadID, threads), access.UnreadMentions(v)).
		Modify(func(s *sql.Selector) {
			s.Select(s.C(notification.FieldThreadID), sql.As(sql.Count("*"), "unread")).GroupBy(s.C(notification.FieldThreadID))
		}).Scan(ctx, &rows)
	if err != nil {
		return nil, fmt.Errorf("count unread mentions: %w", err)
	}
	counts := make(map[gid.ID]int, len(rows))
	for _, r := range rows {
		counts[r.ThreadID] = r.Unread
	}
	return counts, nil
}

// MarkSpaceRead reads all posts and notifications of a space. NOT_FOUND when the viewer cannot see it.
func (s *Service) MarkSpaceRead(ctx context.Context, v viewer.Viewer, id gid.ID) (*ent.Space, error) {
	me, err := access.SignedIn(v)
	if err != nil {
		return nil, err
	}
	sp, err := s.Store.Client(ctx).Space.Query().Where(space.ID(id), access.VisibleSpaces(v)).Only(ctx)
	if ent.IsNotFound(err) {
		return nil, fault.Missing().At("spaceId")
	}
	if err != nil {
		return nil, fmt.Errorf("load space: %w", err)
	}
	return sp, s.readAll(ctx, me, id, thread.And(thread.SpaceID(id), access.VisibleThreads(v)), true)
}

// MarkAllRead reads all posts of the spaces that the viewer belongs to, and everything in the bell too if that is wanted.
func (s *Service) MarkAllRead(ctx context.Context, v viewer.Viewer, notifications bool) error {
	me, err := access.SignedIn(v)
	if err != nil {
		return err
	}
	err = s.readAll(ctx, me, me, access.OwnThreads(v), notifications)
	if err != nil || !notifications {
		return err
	}
	return s.Notify.MarkRead(ctx, v, nil, true) // what is of none of these threads
}

// opened is how many threads that a member had never opened are held at once: nobody can write in them meanwhile.
const opened = 200

// readAll reads all posts of some threads, and perhaps their notifications: in a number of statements that does not depend on that of the
// threads, but for some for each 200 that the member had never opened. These are opened first, as many at a time; when that is broken off,
// so many are read, and doing it again reads the others.
func (s *Service) readAll(ctx context.Context, me, of gid.ID, which predicate.Thread, notifications bool) error {
	some := 0
	for more := true; more; {
		err := s.Store.InTx(ctx, func(ctx context.Context, tx *ent.Client) error {
			n, err := s.open(ctx, tx, me, which)
			some += n
			more = n == opened
			return err
		})
		if err != nil {
			return err
		}
	}
	return s.Store.InTx(ctx, func(ctx context.Context, tx *ent.Client) error {
		return s.readOpened(ctx, tx, me, of, which, some > 0, notifications)
	})
}

// open reads the next threads that the member has never opened, and returns how many. The order of locks is that of a new post: threads,
// and then read states.
func (s *Service) open(ctx context.Context, tx *ent.Client, me gid.ID, which predicate.Thread) (int, error) {
	now := s.Now()
	unopened, err := tx.Thread.Query().Where(which, func(s *sql.Selector) {
		known := sql.Dialect(s.Dialect()).Select(readstate.FieldThreadID).From(sql.Table(readstate.Table))
		s.Where(sql.NotIn(s.C(thread.FieldID), known.Where(sql.EQ(readstate.FieldMemberID, me))))
	}, store.LockRow).Order(thread.ByID()).Limit(opened).Select(thread.FieldID, thread.FieldPostSeq).All(ctx)
	if err != nil {
		return 0, fmt.Errorf("lock threads never opened: %w", err)
	}
	rows := make([]*ent.ReadStateCreate, len(unopened))
	for i, t := range unopened {
		rows[i] = tx.ReadState.Create().SetID(s.NewID(gid.ReadState)).SetThreadID(t.ID).SetMemberID(me).SetLastReadSeq(t.PostSeq).SetCreatedAt(now).SetUpdatedAt(now)
	}
	if err := tx.ReadState.CreateBulk(rows...).Exec(ctx); err != nil {
		return 0, store.RetryOnConflict(err) // a post of their own made one
	}
	return len(unopened), nil
}

// readOpened reads all posts of threads of which the member has a read state, and tells their devices if anything changed.
func (s *Service) readOpened(ctx context.Context, tx *ent.Client, me, of gid.ID, which predicate.Thread, changed, notifications bool) error {
	now := s.Now()
	behind := readstate.And(readstate.MemberID(me), readstate.HasThreadWith(which), func(s *sql.Selector) {
		t := sql.Dialect(s.Dialect()).Select(thread.FieldID).From(sql.Table(thread.Table).As("ahead"))
		s.Where(sql.Exists(t.Where(sql.And(sql.ColumnsEQ(t.C(thread.FieldID), s.C(readstate.FieldThreadID)), sql.ColumnsGT(t.C(thread.FieldPostSeq), s.C(readstate.FieldLastReadSeq))))))
	})
	// Held first, and only then read how far the threads are: of a tombstone that is made meanwhile either both know or neither.
	ids, err := tx.ReadState.Query().Where(behind, store.LockRow).Order(readstate.ByID()).IDs(ctx)
	if err != nil {
		return fmt.Errorf("lock read states: %w", err)
	}
	if len(ids) > 0 {
		err = tx.ReadState.Update().Where(page.AnyOf(readstate.FieldID, ids)).SetUncounted(0).SetUpdatedAt(now).Modify(func(u *sql.UpdateBuilder) {
			seq := sql.Dialect(u.Dialect()).Select(thread.FieldPostSeq).From(sql.Table(thread.Table))
			seq.Where(sql.ColumnsEQ(seq.C(thread.FieldID), sql.Dialect(u.Dialect()).Table(readstate.Table).C(readstate.FieldThreadID)))
			u.Set(readstate.FieldLastReadSeq, sql.ExprFunc(func(b *sql.Builder) { b.WriteByte('(').Join(seq).WriteByte(')') }))
		}).Exec(ctx)
		if err != nil {
			return fmt.Errorf("read threads: %w", err)
		}
	}
	if notifications {
		if err := s.Notify.ThreadsRead(ctx, tx, me, which, now); err != nil {
			return err
		}
	}
	if !changed && len(ids) == 0 {
		return nil
	}
	return s.Notify.ReadStateChanged(ctx, tx, me, of, now)
}
