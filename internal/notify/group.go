package notify

import (
	"context"
	"fmt"
	"slices"
	"time"

	"entgo.io/ent/dialect/sql"

	"github.com/pursuing-equity/commons/ent"
	"github.com/pursuing-equity/commons/ent/notification"
	"github.com/pursuing-equity/commons/ent/thread"
	"github.com/pursuing-equity/commons/internal/access"
	"github.com/pursuing-equity/commons/internal/fault"
	"github.com/pursuing-equity/commons/internal/gid"
	"github.com/pursuing-equity/commons/internal/page"
	"github.com/pursuing-equity/commons/internal/viewer"
)

const (
	// MostUnread is up to which number the unread notifications of a group are counted.
	MostUnread = 100
	// actorsShown are the last who caused notifications of a group, among the last actorsRead notifications.
	actorsShown = 3
	actorsRead  = 20
)

// newestGroups is the order of groups: by the notification that was told last, which stands for the group.
var newestGroups = page.Order{Name: "notificationGroups told", Column: notification.FieldToldAt, Part: page.ByTime, Desc: true}

// Groups are the viewer's notifications by thread, as far as they can still see them: of each thread the notification that was told last, the latest
// first: one that comes up again brings its group up. One statement, which walks the viewer's notifications from the page's place on, and looks for each whether the thread has a newer
// one: it reads what is newer than the page's last group, and nothing behind it.
func (s *Service) Groups(ctx context.Context, v viewer.Viewer, a page.Args) (*page.Connection[ent.Notification], error) {
	me, err := access.SignedIn(v)
	if err != nil {
		return nil, err
	}
	w, err := a.Window(newestGroups, me)
	if err != nil {
		return nil, err
	}
	rows, err := s.Store.Client(ctx).Notification.Query().
		Where(notification.RecipientID(me), newestOfThread(v, me), access.VisibleNotifications(v), newestGroups.Page(w)).All(ctx)
	if err != nil {
		return nil, fmt.Errorf("list groups of notifications: %w", err)
	}
	return page.Build(newestGroups, w, me, rows, func(n *ent.Notification) page.Key { return page.Key{Time: toldAt(n), ID: n.ID} }), nil
}

// newestOfThread is true for the notification after which the member was told of nothing in its thread that they hear of. It is looked up by itself for
// each, which PostgreSQL takes at its word: of a join it would read the table.
func newestOfThread(v viewer.Viewer, me gid.ID) func(*sql.Selector) {
	return func(s *sql.Selector) {
		latest := sql.Dialect(s.Dialect()).Select().From(sql.Table(notification.Table).As("later"))
		latest.Select(latest.C(notification.FieldID)).Where(sql.And(
			sql.EQ(latest.C(notification.FieldRecipientID), me), sql.ColumnsEQ(latest.C(notification.FieldThreadID), s.C(notification.FieldThreadID))))
		access.HeardNotifications(v)(latest)
		latest.OrderBy(sql.Desc(latest.C(notification.FieldToldAt)), sql.Desc(latest.C(notification.FieldID))).Limit(1)
		s.Where(sql.P(func(b *sql.Builder) {
			b.Ident(s.C(notification.FieldID)).WriteString(" = (").Join(latest).WriteString(")")
		}))
	}
}

// toldAt is when the member was told last.
func toldAt(n *ent.Notification) time.Time {
	if n.ToldAt != nil {
		return *n.ToldAt
	}
	return n.CreatedAt
}

// GroupUnread is how many notifications of each group are unread, up to MostUnread: one statement.
func (s *Service) GroupUnread(ctx context.Context, v viewer.Viewer, groups []*ent.Notification) ([]int, error) {
	rows, err := s.ofGroups(ctx, v, groups, MostUnread-1, access.UnreadNotifications(v))
	if err != nil {
		return nil, fmt.Errorf("count unread notifications: %w", err)
	}
	count := make(map[gid.ID]int, len(groups))
	for _, n := range rows {
		count[n.ThreadID]++
	}
	out := make([]int, len(groups))
	for i, g := range groups {
		out[i] = count[g.ThreadID]
	}
	return out, nil
}

// GroupActors are the last who caused notifications of each group, the last first, up to three and without the viewer: one statement.
func (s *Service) GroupActors(ctx context.Context, v viewer.Viewer, groups []*ent.Notification) ([][]gid.ID, error) {
	me, err := access.SignedIn(v)
	if err != nil {
		return nil, err
	}
	rows, err := s.ofGroups(ctx, v, groups, actorsRead-1)
	if err != nil {
		return nil, fmt.Errorf("find who caused notifications: %w", err)
	}
	of := make(map[gid.ID][]gid.ID, len(groups))
	for _, n := range rows { // the newest first
		if who := of[n.ThreadID]; n.ActorID != me && len(who) < actorsShown && !slices.Contains(who, n.ActorID) {
			of[n.ThreadID] = append(who, n.ActorID)
		}
	}
	out := make([][]gid.ID, len(groups))
	for i, g := range groups {
		out[i] = of[g.ThreadID]
	}
	return out, nil
}

// ofGroups are the newest notifications of each group, one more than most: one statement.
func (s *Service) ofGroups(ctx context.Context, v viewer.Viewer, groups []*ent.Notification, most int, which ...func(*sql.Selector)) ([]*ent.Notification, error) {
	me, err := access.SignedIn(v)
	if err != nil {
		return nil, err
	}
	threads := make([]gid.ID, len(groups))
	for i, g := range groups {
		threads[i] = g.ThreadID
	}
	which = append([]func(*sql.Selector){notification.RecipientID(me), access.HeardNotifications(v)}, which...)
	return s.Store.Client(ctx).Notification.Query().Where(newestGroups.PageOfEach(page.Window{Limit: most}, notification.FieldThreadID, threads, which...)).
		Select(notification.FieldID, notification.FieldThreadID, notification.FieldActorID).All(ctx)
}

// MarkGroupRead reads all of the viewer's notifications about a thread. It returns NOT_FOUND for one that they cannot see.
func (s *Service) MarkGroupRead(ctx context.Context, v viewer.Viewer, threadID gid.ID) error {
	me, err := access.SignedIn(v)
	if err != nil {
		return err
	}
	return s.Store.InTx(ctx, func(ctx context.Context, tx *ent.Client) error {
		seen, err := tx.Thread.Query().Where(thread.ID(threadID), access.VisibleThreads(v)).Exist(ctx)
		if err != nil {
			return fmt.Errorf("look for the thread: %w", err)
		}
		if !seen {
			return fault.Missing().At("threadId")
		}
		return s.read(ctx, tx, s.Now(), notification.RecipientID(me), notification.ThreadID(threadID), access.HeardNotifications(v))
	})
}
