package forum

import (
	"context"
	"fmt"
	"slices"
	"strconv"

	"entgo.io/ent/dialect/sql"

	"github.com/pursuing-equity/commons/ent"
	"github.com/pursuing-equity/commons/ent/post"
	"github.com/pursuing-equity/commons/ent/readstate"
	"github.com/pursuing-equity/commons/internal/gid"
	"github.com/pursuing-equity/commons/internal/store"
)

// recountBatch is for how many positions one statement counts anew.
const recountBatch = 500

// recount counts anew, for everybody who has a position in a thread, what is never unread behind it. What is silent is counted once for all who
// stand at one place, and only those who wrote in the thread are looked at one by one: the statements grow with the places where
// somebody stands, and not with the readers. All positions are held first: who read on between two of the statements would stand at a place
// that no statement knows, with what they counted before the posts moved.
func recount(ctx context.Context, tx *ent.Client, threadID gid.ID) error {
	silent, err := tx.Post.Query().Where(post.ThreadID(threadID), post.Or(post.DeletedAtNotNil(), post.HiddenAtNotNil())).
		Order(post.BySeq()).Select(post.FieldSeq).Ints(ctx)
	if err != nil {
		return fmt.Errorf("look for what says nothing: %w", err)
	}
	places, err := tx.ReadState.Query().Where(readstate.ThreadID(threadID), store.LockRow).Order(readstate.ByID()).Select(readstate.FieldLastReadSeq).Ints(ctx)
	if err != nil {
		return fmt.Errorf("hold where readers stand: %w", err)
	}
	slices.Sort(places)
	places = slices.Compact(places)
	for some := range slices.Chunk(places, recountBatch) {
		err := tx.ReadState.Update().Where(readstate.ThreadID(threadID), readstate.LastReadSeqIn(some...)).Modify(func(u *sql.UpdateBuilder) {
			u.Set(readstate.FieldUncounted, sql.ExprFunc(func(b *sql.Builder) {
				b.WriteString("CASE ").Ident(readstate.FieldLastReadSeq)
				for _, place := range some {
					before, _ := slices.BinarySearch(silent, place+1)
					b.WriteString(" WHEN " + strconv.Itoa(place) + " THEN " + strconv.Itoa(len(silent)-before))
				}
				b.WriteString(" END")
			}))
		}).Exec(ctx)
		if err != nil {
			return fmt.Errorf("count anew what says nothing: %w", err)
		}
	}
	return recountAuthors(ctx, tx, threadID)
}

// recountAuthors is recount for those who wrote in the thread: what they wrote is never unread to them.
func recountAuthors(ctx context.Context, tx *ent.Client, threadID gid.ID) error {
	err := tx.ReadState.Update().Where(readstate.ThreadID(threadID), func(s *sql.Selector) {
		b := sql.Dialect(s.Dialect())
		wrote := b.Table(post.Table).As("w")
		s.Where(sql.In(s.C(readstate.FieldMemberID), b.Select(wrote.C(post.FieldAuthorID)).From(wrote).Where(sql.EQ(wrote.C(post.FieldThreadID), threadID))))
	}).Modify(func(u *sql.UpdateBuilder) {
		b := sql.Dialect(u.Dialect())
		p, state := b.Table(post.Table).As("p"), b.Table(readstate.Table)
		never := b.Select(sql.Count("*")).From(p)
		never.Where(sql.And(
			sql.EQ(p.C(post.FieldThreadID), threadID),
			sql.ColumnsGT(p.C(post.FieldSeq), state.C(readstate.FieldLastReadSeq)),
			sql.Or(sql.ColumnsEQ(p.C(post.FieldAuthorID), state.C(readstate.FieldMemberID)), sql.NotNull(p.C(post.FieldDeletedAt)), sql.NotNull(p.C(post.FieldHiddenAt))),
		))
		u.Set(readstate.FieldUncounted, sql.ExprFunc(func(b *sql.Builder) { b.WriteByte('(').Join(never).WriteByte(')') }))
	}).Exec(ctx)
	if err != nil {
		return fmt.Errorf("count anew what is never unread: %w", err)
	}
	return nil
}
