// Package event is the log of every change: written in the change's own transaction, numbered without gaps within its
// stream, pushed to those who follow the stream, and resumed exactly from a cursor.
//
// A stream is a thread or a member (for what concerns that member alone). Its number comes from a counter in the row of the
// thread or member, which the writer has locked, so that numbers are in commit order and dense. A wake-up says only
// that a stream moved; readers read the table, so a lost wake-up loses nothing, and a slow poll makes up for it.
package event

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"entgo.io/ent/dialect/sql"

	"github.com/pursuing-equity/commons/ent"
	"github.com/pursuing-equity/commons/ent/event"
	"github.com/pursuing-equity/commons/ent/member"
	"github.com/pursuing-equity/commons/ent/thread"
	"github.com/pursuing-equity/commons/internal/gid"
	"github.com/pursuing-equity/commons/internal/page"
	"github.com/pursuing-equity/commons/internal/store"
	"github.com/pursuing-equity/commons/internal/viewer"
)

// The kinds of event. They are stored: never change one.
const (
	PostCreated         = "POST_CREATED"
	PostEdited          = "POST_EDITED"
	PostDeleted         = "POST_DELETED"
	ReactionsChanged    = "REACTIONS_CHANGED"
	ThreadChanged       = "THREAD_CHANGED"
	NotificationCreated = "NOTIFICATION_CREATED"
	NotificationsRead   = "NOTIFICATIONS_READ"
)

// Retention is how long events are kept, and so how old a cursor may be.
const Retention = 30 * 24 * time.Hour

// Log writes, follows and trims the event log. Run it once a process.
type Log struct {
	store *store.Store
	log   *slog.Logger
	now   func() time.Time
	hub   *hub
	wire  *wire // nil on SQLite: there is one process
}

// New makes the log of a store. Run must run for wake-ups from other processes and for the poll that backs them.
func New(s *store.Store, logger *slog.Logger, now func() time.Time) *Log {
	l := &Log{store: s, log: logger, now: now, hub: newHub()}
	if s.Postgres() {
		l.wire = newWire(s, logger)
	}
	return l
}

// Entry is one event to append.
type Entry struct {
	Kind   string
	Object gid.ID
	Actor  gid.ID
}

// Append writes events to a stream behind lastSeq within the transaction of ctx. The caller holds the lock of the stream's row
// and writes the returned number back to it.
func (l *Log) Append(ctx context.Context, tx *ent.Client, stream gid.ID, lastSeq int, at time.Time, entries ...Entry) (int, error) {
	rows := make([]*ent.EventCreate, len(entries))
	for i, e := range entries {
		lastSeq++
		rows[i] = tx.Event.Create().SetStreamID(stream).SetSeq(lastSeq).SetKind(e.Kind).SetObjectID(e.Object).SetCreatedAt(at)
		if !e.Actor.IsZero() {
			rows[i].SetActorID(e.Actor)
		}
	}
	if err := tx.Event.CreateBulk(rows...).Exec(ctx); err != nil {
		return 0, fmt.Errorf("append to the event log: %w", err)
	}
	l.WakeAfterCommit(ctx, stream)
	return lastSeq, nil
}

// AppendToMembers writes one event to the stream of each of several members. It locks their rows in the order of their ids,
// so that two writers that notify the same people never wait for each other in a circle.
func (l *Log) AppendToMembers(ctx context.Context, tx *ent.Client, at time.Time, entries map[gid.ID]Entry) error {
	if len(entries) == 0 {
		return nil
	}
	ids := make([]gid.ID, 0, len(entries))
	for id := range entries {
		ids = append(ids, id)
	}
	slices.SortFunc(ids, func(a, b gid.ID) int { return slices.Compare(a[:], b[:]) })
	rows, err := tx.Member.Query().Where(page.AnyOf(member.FieldID, ids), store.LockRow).Order(member.ByID()).All(ctx)
	if err != nil {
		return fmt.Errorf("lock members' streams: %w", err)
	}
	for _, m := range rows {
		if _, err := l.Append(ctx, tx, m.ID, m.EventSeq, at, entries[m.ID]); err != nil {
			return err
		}
	}
	if err := tx.Member.Update().Where(page.AnyOf(member.FieldID, ids)).AddEventSeq(1).Exec(ctx); err != nil {
		return fmt.Errorf("number members' streams: %w", err)
	}
	return nil
}

// WakeAfterCommit wakes the followers of a key once the transaction of ctx has been committed: those of a stream, or all of
// a member's subscriptions so that they check again what the member may see.
func (l *Log) WakeAfterCommit(ctx context.Context, key gid.ID) {
	store.AfterCommit(ctx, func() {
		l.hub.wake(key)
		if l.wire != nil {
			l.wire.send(key)
		}
	})
}

// Run carries wake-ups from and to other processes, polls for those that got lost, and trims the log, until ctx ends.
func (l *Log) Run(ctx context.Context) {
	ctx = viewer.NewContext(ctx, viewer.System("event log"))
	done := make(chan struct{})
	go func() {
		defer close(done)
		if l.wire != nil {
			l.wire.run(ctx, l.hub)
		}
	}()
	poll := time.NewTicker(pollEvery)
	defer poll.Stop()
	trim := time.NewTicker(time.Hour)
	defer trim.Stop()
	for {
		select {
		case <-ctx.Done():
			<-done
			return
		case <-poll.C:
			if err := l.poll(ctx); err != nil && ctx.Err() == nil {
				l.log.WarnContext(ctx, "event log: poll failed", "error", err)
			}
		case <-trim.C:
			if n, err := l.Trim(ctx, l.now().Add(-Retention)); err != nil && ctx.Err() == nil {
				l.log.WarnContext(ctx, "event log: trim failed", "error", err)
			} else if n > 0 {
				l.log.InfoContext(ctx, "event log: trimmed", "events", n)
			}
		}
	}
}

// pollEvery is how late an event can be when its wake-up got lost.
const pollEvery = 5 * time.Second

// poll wakes the followers of streams that moved unannounced: two statements by primary key for all of them.
func (l *Log) poll(ctx context.Context) error {
	threads, members := l.hub.streams()
	for chunk := range slices.Chunk(threads, 5000) {
		rows, err := l.store.Client(ctx).Thread.Query().Where(page.AnyOf(thread.FieldID, chunk)).Select(thread.FieldID, thread.FieldEventSeq).All(ctx)
		if err != nil {
			return err
		}
		for _, t := range rows {
			l.hub.moved(t.ID, t.EventSeq)
		}
	}
	for chunk := range slices.Chunk(members, 5000) {
		rows, err := l.store.Client(ctx).Member.Query().Where(page.AnyOf(member.FieldID, chunk)).Select(member.FieldID, member.FieldEventSeq).All(ctx)
		if err != nil {
			return err
		}
		for _, m := range rows {
			l.hub.moved(m.ID, m.EventSeq)
		}
	}
	return nil
}

// Trim deletes events from before an instant, a thousand at a time, and returns how many.
func (l *Log) Trim(ctx context.Context, before time.Time) (int, error) {
	total := 0
	for {
		n := 0
		err := l.store.InTx(ctx, func(ctx context.Context, tx *ent.Client) error {
			ids, err := tx.Event.Query().Where(event.CreatedAtLT(before)).Order(event.ByCreatedAt()).Limit(1000).IDs(ctx)
			if err != nil || len(ids) == 0 {
				return err
			}
			n, err = tx.Event.Delete().Where(func(s *sql.Selector) {
				args := make([]any, len(ids))
				for i, id := range ids {
					args[i] = id
				}
				s.Where(sql.In(s.C(event.FieldID), args...))
			}).Exec(ctx)
			return err
		})
		total += n
		if err != nil || n < 1000 {
			return total, err
		}
	}
}
