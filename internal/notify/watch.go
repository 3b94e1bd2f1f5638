package notify

import (
	"context"
	"fmt"
	"time"

	"entgo.io/ent/dialect/sql"

	"github.com/pursuing-equity/commons/ent"
	"github.com/pursuing-equity/commons/ent/member"
	"github.com/pursuing-equity/commons/ent/predicate"
	"github.com/pursuing-equity/commons/ent/space"
	"github.com/pursuing-equity/commons/ent/thread"
	"github.com/pursuing-equity/commons/ent/watchsetting"
	"github.com/pursuing-equity/commons/internal/access"
	"github.com/pursuing-equity/commons/internal/event"
	"github.com/pursuing-equity/commons/internal/fault"
	"github.com/pursuing-equity/commons/internal/gid"
	"github.com/pursuing-equity/commons/internal/page"
	"github.com/pursuing-equity/commons/internal/store"
	"github.com/pursuing-equity/commons/internal/viewer"
)

// A member hears of a thread as the thread's setting says, or else the space's, or else NORMAL:
//
//   - WATCHING: every post makes a notification.
//   - TRACKING: no more notifications than NORMAL; a front end shows its unread posts where it hides those of others.
//   - NORMAL: what calls or answers the member makes a notification.
//   - MUTED: nothing makes one, not even a mention by handle, and nothing in it counts as unread in a space or in everything.

// watchers selects the members who set a level on one space or thread.
func watchers(dialect string, level watchsetting.Level, column string, id gid.ID) *sql.Selector {
	w := sql.Dialect(dialect).Select(watchsetting.FieldMemberID).From(sql.Table(watchsetting.Table))
	return w.Where(sql.And(sql.EQ(column, id), sql.EQ(watchsetting.FieldLevel, level)))
}

// withLevel are the members for whom a level holds in a thread of a space.
func withLevel(level watchsetting.Level, spaceID, threadID gid.ID) func(*sql.Selector) {
	return func(s *sql.Selector) {
		otherwise := sql.Dialect(s.Dialect()).Select(watchsetting.FieldMemberID).From(sql.Table(watchsetting.Table))
		otherwise.Where(sql.EQ(watchsetting.FieldThreadID, threadID))
		id := s.C(member.FieldID)
		s.Where(sql.Or(
			sql.In(id, watchers(s.Dialect(), level, watchsetting.FieldThreadID, threadID)),
			sql.And(sql.In(id, watchers(s.Dialect(), level, watchsetting.FieldSpaceID, spaceID)), sql.NotIn(id, otherwise)),
		))
	}
}

// Unmuted leaves out the threads that a member muted, or whose space they muted unless they set another level for the thread.
func Unmuted(memberID gid.ID) predicate.Thread {
	return func(s *sql.Selector) {
		own := func(column string, of string, and ...*sql.Predicate) *sql.Selector {
			w := sql.Dialect(s.Dialect()).Select(watchsetting.FieldID).From(sql.Table(watchsetting.Table))
			return w.Where(sql.And(append(and, sql.EQ(w.C(watchsetting.FieldMemberID), memberID), sql.ColumnsEQ(w.C(column), s.C(of)))...))
		}
		muted := sql.EQ(watchsetting.FieldLevel, watchsetting.LevelMUTED)
		s.Where(sql.Not(sql.Or(
			sql.Exists(own(watchsetting.FieldThreadID, thread.FieldID, muted)),
			sql.And(
				sql.Exists(own(watchsetting.FieldSpaceID, thread.FieldSpaceID, muted)),
				sql.Not(sql.Exists(own(watchsetting.FieldThreadID, thread.FieldID))),
			),
		)))
	}
}

// SetSpaceLevel sets how much the viewer wants to hear of a space; nil: as of any other. NOT_FOUND when they cannot see it.
func (s *Service) SetSpaceLevel(ctx context.Context, v viewer.Viewer, id gid.ID, level *watchsetting.Level) (*ent.Space, error) {
	var sp *ent.Space
	err := s.setLevel(ctx, v, "spaceId", id, level, func(ctx context.Context, c *ent.Client) (err error) {
		sp, err = c.Space.Query().Where(space.ID(id), access.VisibleSpaces(v)).Only(ctx)
		return err
	})
	return sp, err
}

// SetThreadLevel sets how much the viewer wants to hear of a thread; nil: as much as of its space. NOT_FOUND when they cannot see it.
func (s *Service) SetThreadLevel(ctx context.Context, v viewer.Viewer, id gid.ID, level *watchsetting.Level) (*ent.Thread, error) {
	var t *ent.Thread
	err := s.setLevel(ctx, v, "threadId", id, level, func(ctx context.Context, c *ent.Client) (err error) {
		t, err = c.Thread.Query().Where(thread.ID(id), access.VisibleThreads(v)).Only(ctx)
		return err
	})
	return t, err
}

// setLevel writes one setting and tells the viewer's other devices, whose counters it changes.
func (s *Service) setLevel(ctx context.Context, v viewer.Viewer, field string, id gid.ID, level *watchsetting.Level, load func(context.Context, *ent.Client) error) error {
	me, err := access.SignedIn(v)
	if err != nil {
		return err
	}
	return s.Store.InTx(ctx, func(ctx context.Context, tx *ent.Client) error {
		err := load(ctx, tx)
		if ent.IsNotFound(err) {
			return fault.Missing().At(field)
		}
		if err != nil {
			return fmt.Errorf("load what is watched: %w", err)
		}
		of := watchsetting.SpaceID(id)
		if id.Kind() == gid.Thread {
			of = watchsetting.ThreadID(id)
		}
		now := s.Now()
		switch old, err := tx.WatchSetting.Query().Where(watchsetting.MemberID(me), of, store.LockRow).Only(ctx); {
		case err != nil && !ent.IsNotFound(err):
			return fmt.Errorf("lock the setting: %w", err)
		case old == nil && level == nil, old != nil && level != nil && old.Level == *level:
			return nil
		case level == nil:
			err = tx.WatchSetting.DeleteOneID(old.ID).Exec(ctx)
			if err != nil {
				return fmt.Errorf("delete the setting: %w", err)
			}
		case old != nil:
			if err := tx.WatchSetting.UpdateOneID(old.ID).SetLevel(*level).SetUpdatedAt(now).Exec(ctx); err != nil {
				return fmt.Errorf("change the setting: %w", err)
			}
		default:
			create := tx.WatchSetting.Create().SetID(s.NewID(gid.WatchSetting)).SetMemberID(me).SetLevel(*level).SetCreatedAt(now).SetUpdatedAt(now)
			if id.Kind() == gid.Thread {
				create.SetThreadID(id)
			} else {
				create.SetSpaceID(id)
			}
			if err := create.Exec(ctx); err != nil {
				return store.RetryOnConflict(err)
			}
		}
		return s.ReadStateChanged(ctx, tx, me, id, now)
	})
}

// ReadStateChanged tells a member's devices that what is unread has changed for them in a thread, in a space, or, when the id is the
// member's own, everywhere.
func (s *Service) ReadStateChanged(ctx context.Context, tx *ent.Client, memberID, of gid.ID, at time.Time) error {
	return s.Events.AppendToMembers(ctx, tx, at, map[gid.ID]event.Entry{memberID: {Kind: event.ReadStateChanged, Object: of}})
}

// Levels are the viewer's own settings of spaces or threads: one statement. Where there is none, there is none in the map.
func (s *Service) Levels(ctx context.Context, v viewer.Viewer, column string, ids []gid.ID) (map[gid.ID]watchsetting.Level, error) {
	me, ok := v.MemberID()
	if !ok {
		return nil, nil
	}
	rows, err := s.Store.Client(ctx).WatchSetting.Query().Where(watchsetting.MemberID(me), page.AnyOf(column, ids)).All(ctx)
	if err != nil {
		return nil, fmt.Errorf("load watch settings: %w", err)
	}
	levels := make(map[gid.ID]watchsetting.Level, len(rows))
	for _, r := range rows {
		of := r.SpaceID
		if column == watchsetting.FieldThreadID {
			of = r.ThreadID
		}
		levels[*of] = r.Level
	}
	return levels, nil
}
