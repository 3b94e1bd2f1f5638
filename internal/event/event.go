// Package event is the log of every change: written in the change's own transaction, numbered without gaps within its
// stream, pushed to those who follow the stream, and resumed exactly from a cursor.
//
// A stream is a thread, an application, a call, a bulk action or a member (for what concerns that member alone). Its number comes from a counter in the
// row of that, which the writer has locked, so that numbers are in commit order and dense. A wake-up says only
// that a stream moved; readers read the table, so a lost wake-up loses nothing, and a slow poll makes up for it.
//
// Each process has one feed for a stream that is followed in it, and in a feed a group for each different subscription:
// the same document and variables, and the same member where the answer depends on who asks. A feed reads each event once
// and executes it once for a group; all of the group are sent the same bytes. Each group keeps the newest of them in a ring,
// so that those who come back together, as after a restart, cost one reading.
//
// Nobody gets what was written after their access was lost. Triggers in the database write down whatever may cost somebody
// their access, in the same transaction; between executing events and sending them a feed reads what was written down
// since, and asks about those subscribers whom it concerns. Triggers, not calls after a commit: they see every way to write,
// and another process's changes in the order in which they were committed.
//
// Beside the events there is a thread's activity: who follows it just now and who is writing. It goes the same way to the
// same subscribers but is never stored.
package event

import (
	"context"
	"crypto/rand"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"entgo.io/ent/dialect/sql"

	"github.com/pursuing-equity/commons/ent"
	"github.com/pursuing-equity/commons/ent/application"
	"github.com/pursuing-equity/commons/ent/bulkaction"
	"github.com/pursuing-equity/commons/ent/call"
	"github.com/pursuing-equity/commons/ent/event"
	"github.com/pursuing-equity/commons/ent/member"
	"github.com/pursuing-equity/commons/ent/thread"
	"github.com/pursuing-equity/commons/internal/event/bus"
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
	PollChanged         = "POLL_CHANGED"
	PostMoved           = "POST_MOVED"
	PostHidden          = "POST_HIDDEN"
	PostRestored        = "POST_RESTORED"
	NotificationCreated = "NOTIFICATION_CREATED"
	NotificationsRead   = "NOTIFICATIONS_READ"
	NoticeCreated       = "NOTICE_CREATED"
	ReadStateChanged    = "READ_STATE_CHANGED" // its object is the thread, the space, or the member for everything
	DraftChanged        = "DRAFT_CHANGED"
	BookmarkChanged     = "BOOKMARK_CHANGED"
	QueueChanged        = "MODERATION_QUEUE_CHANGED" // its object is the post
	OwnPostModerated    = "OWN_POST_MODERATED"       // its object is the post
	FlagResolved        = "FLAG_RESOLVED"            // its object is the flag
	MemberWarned        = "MEMBER_WARNED"            // its object is the moderation action
)

// The kinds of event of applications.
const (
	AnswerSaved          = "ANSWER_SAVED"           // its object is the answer
	EditorAdded          = "EDITOR_ADDED"           // its object is the member
	EditorRemoved        = "EDITOR_REMOVED"         // its object is the member
	OwnerChanged         = "OWNER_CHANGED"          // its object is the member who owns it now
	DocumentAdded        = "DOCUMENT_ADDED"         // its object is the document
	DocumentRemoved      = "DOCUMENT_REMOVED"       // its object is the document
	SignerRequestChanged = "SIGNER_REQUEST_CHANGED" // its object is the signer request
	InformationRequested = "INFORMATION_REQUESTED"  // its object is the application
	ExtensionGranted     = "EXTENSION_GRANTED"      // its object is the extension
	ApplicationSubmitted = "APPLICATION_SUBMITTED"  // its object is the submission
	BulkActionMoved      = "BULK_ACTION_MOVED"
	ApplicationChanged   = "APPLICATION_CHANGED" // its object is the application, its state another one
)

// The kinds of event of calls. Their object is the call.
const (
	CallChanged  = "CALL_CHANGED"
	CallPrepared = "CALL_PREPARED" // something of it that staff alone can see
)

// Retention is how long events are kept unless it is said otherwise, and so how old a cursor may be.
const Retention = 30 * 24 * time.Hour

// Log writes, follows and trims the event log. Run it once a process.
type Log struct {
	store     *store.Store
	log       *slog.Logger
	now       func() time.Time
	retention time.Duration
	deaf      bool
	ended     func(ctx context.Context, tokens []gid.ID) ([]gid.ID, error)
	appended  func(ctx context.Context, tx *ent.Client, stream gid.ID, at time.Time, entries ...Entry) error
	hub       *hub
	changes   *changes
	bus       bus.Bus // nil: there is one process
	process   string  // names this process to the others
	turn      atomic.Uint64
	sealing   sync.Mutex
	sealed    *seal

	work  context.Context // the feeds' goroutines live as long; ends with Run
	stop  context.CancelFunc
	tasks sync.WaitGroup
}

// Config is what a Log needs beside its store. Every zero value but Logger and Now is safe.
type Config struct {
	Logger    *slog.Logger
	Now       func() time.Time
	Retention time.Duration // zero: Retention
	// Ended returns those of the tokens that sign nobody in any more. Nil: none.
	Ended func(ctx context.Context, tokens []gid.ID) ([]gid.ID, error)
	// Appended is told what is written, within its transaction: what else must be written down with it. Nil: nobody.
	Appended func(ctx context.Context, tx *ent.Client, stream gid.ID, at time.Time, entries ...Entry) error
	// Bus carries wake-ups and activity between processes. Nil: there is one.
	Bus bus.Bus
	// Deaf drops every wake-up, for tests of the poll that backs them.
	Deaf bool
}

// New makes the log of a store. Run must run for wake-ups from other processes and for the poll that backs them.
func New(s *store.Store, cfg Config) *Log {
	h := newHub()
	l := &Log{store: s, log: cfg.Logger, now: cfg.Now, retention: cfg.Retention, deaf: cfg.Deaf, ended: cfg.Ended, appended: cfg.Appended, process: rand.Text()[:16], hub: h, changes: &changes{store: s, hub: h}}
	if l.retention == 0 {
		l.retention = Retention
	}
	if !cfg.Deaf {
		l.bus = cfg.Bus
	}
	l.work, l.stop = context.WithCancel(l.system(context.Background()))
	return l
}

// system is the context of the log's own reading.
func (l *Log) system(ctx context.Context) context.Context {
	return viewer.NewContext(ctx, viewer.System("event log"))
}

// Entry is one event to append.
type Entry struct {
	Kind   string
	Object gid.ID
	Actor  gid.ID
	// Moved says of a post that is new in this thread that it came from another one. It is not kept: it is for who is told within the
	// transaction.
	Moved bool
}

func (e Entry) row(tx *ent.Client, stream gid.ID, seq int, at time.Time) *ent.EventCreate {
	create := tx.Event.Create().SetStreamID(stream).SetSeq(seq).SetKind(e.Kind).SetObjectID(e.Object).SetCreatedAt(at)
	if !e.Actor.IsZero() {
		create.SetActorID(e.Actor)
	}
	return create
}

// Append writes events to a stream behind lastSeq within the transaction of ctx. The caller holds the lock of the stream's row
// and writes the returned number back to it.
func (l *Log) Append(ctx context.Context, tx *ent.Client, stream gid.ID, lastSeq int, at time.Time, entries ...Entry) (int, error) {
	rows := make([]*ent.EventCreate, len(entries))
	for i, e := range entries {
		lastSeq++
		rows[i] = e.row(tx, stream, lastSeq, at)
	}
	if err := tx.Event.CreateBulk(rows...).Exec(ctx); err != nil {
		return 0, fmt.Errorf("append to the event log: %w", err)
	}
	if l.appended != nil {
		if err := l.appended(ctx, tx, stream, at, entries...); err != nil {
			return 0, err
		}
	}
	store.AfterCommit(ctx, func() { l.wake(stream) })
	return lastSeq, nil
}

// AppendToMembers writes one event to the stream of each of several members, in four statements whatever their number. It locks
// their rows in the order of their ids, so that two writers that notify the same people never wait for each other in a circle.
func (l *Log) AppendToMembers(ctx context.Context, tx *ent.Client, at time.Time, entries map[gid.ID]Entry) error {
	if len(entries) == 0 {
		return nil
	}
	ids := make([]gid.ID, 0, len(entries))
	for id := range entries {
		ids = append(ids, id)
	}
	slices.SortFunc(ids, func(a, b gid.ID) int { return slices.Compare(a[:], b[:]) })
	streams, err := tx.Member.Query().Where(page.AnyOf(member.FieldID, ids), store.LockRow).Order(member.ByID()).
		Select(member.FieldID, member.FieldEventSeq).All(ctx)
	if err != nil {
		return fmt.Errorf("lock members' streams: %w", err)
	}
	rows := make([]*ent.EventCreate, len(streams))
	for i, m := range streams {
		rows[i] = entries[m.ID].row(tx, m.ID, m.EventSeq+1, at)
	}
	if err := tx.Event.CreateBulk(rows...).Exec(ctx); err != nil {
		return fmt.Errorf("append to members' streams: %w", err)
	}
	if err := tx.Member.Update().Where(page.AnyOf(member.FieldID, ids)).AddEventSeq(1).Exec(ctx); err != nil {
		return fmt.Errorf("number members' streams: %w", err)
	}
	store.AfterCommit(ctx, func() { l.wake(ids...) })
	return nil
}

// AppendToApplications writes one event to the stream of each of several applications, in four statements whatever their number. It
// locks their rows in the order of their ids, and the caller need not have.
func (l *Log) AppendToApplications(ctx context.Context, tx *ent.Client, at time.Time, entries map[gid.ID]Entry) error {
	if len(entries) == 0 {
		return nil
	}
	ids := make([]gid.ID, 0, len(entries))
	for id := range entries {
		ids = append(ids, id)
	}
	slices.SortFunc(ids, compareIDs)
	streams, err := tx.Application.Query().Where(page.AnyOf(application.FieldID, ids), store.LockRow).Order(application.ByID()).
		Select(application.FieldID, application.FieldEventSeq).All(ctx)
	if err != nil {
		return fmt.Errorf("lock applications' streams: %w", err)
	}
	rows := make([]*ent.EventCreate, len(streams))
	for i, a := range streams {
		rows[i] = entries[a.ID].row(tx, a.ID, a.EventSeq+1, at)
	}
	if err := tx.Event.CreateBulk(rows...).Exec(ctx); err != nil {
		return fmt.Errorf("append to applications' streams: %w", err)
	}
	if err := tx.Application.Update().Where(page.AnyOf(application.FieldID, ids)).AddEventSeq(1).Exec(ctx); err != nil {
		return fmt.Errorf("number applications' streams: %w", err)
	}
	store.AfterCommit(ctx, func() { l.wake(ids...) })
	return nil
}

// wake tells this process and the others that streams have moved: the others many in one message.
func (l *Log) wake(streams ...gid.ID) {
	if l.deaf {
		return
	}
	for _, stream := range streams {
		l.hub.wake(stream)
	}
	for some := range slices.Chunk(streams, streamsPerMessage) {
		l.say(sayMoved, some...)
	}
}

// streamsPerMessage keeps a message within what the bus takes.
const streamsPerMessage = 100

// Run carries wake-ups from and to other processes, polls for those that got lost, looks for lost access and trims the log,
// until ctx ends. It returns when nothing of the log runs any more.
func (l *Log) Run(ctx context.Context) {
	ctx = l.system(ctx)
	if _, err := l.seal(ctx); err != nil && ctx.Err() == nil { // now: the first to ask may find the database busy
		l.log.WarnContext(ctx, "event log: no key for cursors yet", "error", err)
	}
	var parts sync.WaitGroup
	if l.bus != nil {
		parts.Go(func() { l.bus.Run(ctx, l.heard, l.hub.wakeAll) })
	}
	parts.Go(func() { l.every(ctx, pollEvery, "poll", l.poll) })
	parts.Go(func() { l.every(ctx, changesEvery, "look for lost access", l.changes.sync) })
	parts.Go(func() {
		l.every(ctx, time.Hour, "trim", func(ctx context.Context) error {
			if n, err := l.Trim(ctx, l.now().Add(-l.retention)); err != nil {
				return err
			} else if n > 0 {
				l.log.InfoContext(ctx, "event log: trimmed", "events", n)
			}
			return l.store.ForgetAccessChanges(ctx, l.now())
		})
	})
	parts.Wait()
	l.stop()
	l.tasks.Wait()
}

// every does something at an interval until ctx ends.
func (l *Log) every(ctx context.Context, interval time.Duration, what string, do func(context.Context) error) {
	ticker := time.NewTicker(interval)
	defer ticker.Stop()
	failing := false
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		err := do(store.Upkeep(ctx))
		if err != nil && ctx.Err() == nil && !failing {
			l.log.WarnContext(ctx, "event log: something fails, trying on", "what", what, "error", err)
		}
		failing = err != nil
	}
}

const (
	// pollEvery is how late an event can be when its wake-up got lost.
	pollEvery = 5 * time.Second
	// changesEvery is how late a lost access can end a subscription in which nothing happens.
	changesEvery = time.Second
)

// poll wakes the followers of streams that moved unannounced: a statement by primary key for all of a kind.
func (l *Log) poll(ctx context.Context) error {
	for kind, ids := range l.hub.streams() {
		for chunk := range slices.Chunk(ids, 5000) {
			numbers, err := l.numbers(ctx, kind, chunk...)
			if err != nil {
				return err
			}
			for _, n := range numbers {
				l.hub.moved(n.ID, n.EventSeq)
			}
		}
	}
	return nil
}

// number is that of the last event of a stream.
type number struct {
	ID       gid.ID `json:"id"`
	EventSeq int    `json:"event_seq"`
}

// numbers reads the counters of streams of one kind by primary key, as far as they are there.
func (l *Log) numbers(ctx context.Context, kind gid.Kind, ids ...gid.ID) ([]number, error) {
	var q interface {
		Scan(context.Context, any) error
	}
	c := l.store.Client(ctx)
	switch kind {
	case gid.Thread:
		q = c.Thread.Query().Where(page.AnyOf(thread.FieldID, ids)).Select(thread.FieldID, thread.FieldEventSeq)
	case gid.Application:
		q = c.Application.Query().Where(page.AnyOf(application.FieldID, ids)).Select(application.FieldID, application.FieldEventSeq)
	case gid.BulkAction:
		q = c.BulkAction.Query().Where(page.AnyOf(bulkaction.FieldID, ids)).Select(bulkaction.FieldID, bulkaction.FieldEventSeq)
	case gid.Call:
		q = c.Call.Query().Where(page.AnyOf(call.FieldID, ids)).Select(call.FieldID, call.FieldEventSeq)
	default:
		q = c.Member.Query().Where(page.AnyOf(member.FieldID, ids)).Select(member.FieldID, member.FieldEventSeq)
	}
	var rows []number
	if err := q.Scan(ctx, &rows); err != nil {
		return nil, fmt.Errorf("read the counters of streams: %w", err)
	}
	return rows, nil
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
