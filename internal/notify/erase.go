package notify

import (
	"context"
	"fmt"
	"strings"
	"time"

	"entgo.io/ent/dialect/sql"

	"github.com/pursuing-equity/commons/ent"
	"github.com/pursuing-equity/commons/ent/notice"
	"github.com/pursuing-equity/commons/ent/notification"
	"github.com/pursuing-equity/commons/ent/notificationpreference"
	"github.com/pursuing-equity/commons/ent/watchsetting"
	"github.com/pursuing-equity/commons/internal/gid"
	"github.com/pursuing-equity/commons/internal/page"
)

// Rename writes another handle in place of one wherever a text mentions it, in whatever case, in code too.
func Rename(body, handle, instead string) string {
	var b strings.Builder
	last := 0
	for _, m := range anyMention.FindAllStringSubmatchIndex(body, -1) {
		from := m[2]
		to := from + len(strings.TrimRight(body[from:m[3]], ".-_"))
		if strings.EqualFold(body[from:to], handle) {
			b.WriteString(body[last:from])
			b.WriteString(instead)
			last = to
		}
	}
	b.WriteString(body[last:])
	return b.String()
}

// PostsErased deletes what anybody was told of posts that are gone, within the transaction that made tombstones of them.
func (s *Service) PostsErased(ctx context.Context, tx *ent.Client, posts []gid.ID, at time.Time) error {
	of := page.AnyOf(notification.FieldPostID, posts)
	if err := s.read(ctx, tx, at, of); err != nil { // so that whoever counts what is unread hears of it
		return err
	}
	if _, err := tx.Notification.Delete().Where(of).Exec(ctx); err != nil {
		return fmt.Errorf("delete notifications: %w", err)
	}
	return nil
}

// eraseBatch is how many notifications are deleted at once.
const eraseBatch = 1000

// Erase deletes what a member was told, and what others were told of them. The posts of the member are erased before.
func (s *Service) Erase(ctx context.Context, id gid.ID) error {
	for _, theirs := range []func(*sql.Selector){notification.RecipientID(id), notification.ActorID(id)} {
		err := page.Walk(eraseBatch, func(n *ent.Notification) gid.ID { return n.ID }, func(within func(*sql.Selector)) ([]*ent.Notification, error) {
			return s.Store.Client(ctx).Notification.Query().Where(theirs, within).Select(notification.FieldID).All(ctx)
		}, func(rows []*ent.Notification) error {
			ids := make([]gid.ID, len(rows))
			for i, n := range rows {
				ids[i] = n.ID
			}
			return s.Store.InTx(ctx, func(ctx context.Context, tx *ent.Client) error {
				_, err := tx.Notification.Delete().Where(page.AnyOf(notification.FieldID, ids)).Exec(ctx)
				return err
			})
		})
		if err != nil {
			return fmt.Errorf("erase notifications: %w", err)
		}
	}
	if _, err := s.Store.Client(ctx).Notice.Delete().Where(notice.RecipientID(id)).Exec(ctx); err != nil {
		return fmt.Errorf("erase notices: %w", err)
	}
	if _, err := s.Store.Client(ctx).WatchSetting.Delete().Where(watchsetting.MemberID(id)).Exec(ctx); err != nil {
		return fmt.Errorf("erase watch settings: %w", err)
	}
	if _, err := s.Store.Client(ctx).NotificationPreference.Delete().Where(notificationpreference.MemberID(id)).Exec(ctx); err != nil {
		return fmt.Errorf("erase the notification preference: %w", err)
	}
	return nil
}
