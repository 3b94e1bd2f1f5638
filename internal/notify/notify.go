// Package notify tells members of what concerns them: one notification for one member and post, with every reason.
package notify

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"entgo.io/ent/dialect/sql"

	"github.com/pursuing-equity/commons/ent"
	"github.com/pursuing-equity/commons/ent/member"
	"github.com/pursuing-equity/commons/ent/notification"
	"github.com/pursuing-equity/commons/ent/post"
	"github.com/pursuing-equity/commons/internal/access"
	"github.com/pursuing-equity/commons/internal/event"
	"github.com/pursuing-equity/commons/internal/fault"
	"github.com/pursuing-equity/commons/internal/gid"
	"github.com/pursuing-equity/commons/internal/page"
	"github.com/pursuing-equity/commons/internal/store"
	"github.com/pursuing-equity/commons/internal/viewer"
)

// Service makes notifications and reads them. All fields are needed.
type Service struct {
	Store  *store.Store
	Events *event.Log
	Now    func() time.Time
	NewID  func(gid.Kind) gid.ID
}

// Written is a post that was just written in the transaction.
type Written struct {
	Post      *ent.Post
	SpaceID   gid.ID
	RepliedTo *gid.ID // the author of the post that it answers
	At        time.Time
}

// maxMentions is how many people one post can call by name.
const maxMentions = 20

var (
	mention = regexp.MustCompile(`(?:^|[^\w@./])@([a-z0-9][a-z0-9._-]{1,39})`)
	// anyMention is mention without regard to case and to what stands before: a handle in code calls nobody, but is a handle.
	anyMention = regexp.MustCompile(`(?i)@([a-z0-9][a-z0-9._-]{1,39})`)
	code       = regexp.MustCompile("(?s)```.*?(?:```|$)|`[^`\n]*`")
)

// mentions are the handles that a text calls, code left out. A dot or hyphen at the end belongs to the sentence.
func mentions(body string) []string {
	var handles []string
	for _, m := range mention.FindAllStringSubmatch(code.ReplaceAllString(strings.ToLower(body), " "), -1) {
		h := strings.TrimRight(m[1], ".-_")
		if !slices.Contains(handles, h) && len(handles) < maxMentions {
			handles = append(handles, h)
		}
	}
	return handles
}

// PostWritten notifies those whom a post mentions or answers, if they belong to the space and hear from its author; never the author.
func (s *Service) PostWritten(ctx context.Context, tx *ent.Client, w Written) error {
	handles := mentions(w.Post.Body)
	if len(handles) == 0 && w.RepliedTo == nil {
		return nil
	}
	var who []func(*sql.Selector)
	if len(handles) > 0 {
		who = append(who, member.HandleIn(handles...))
	}
	if w.RepliedTo != nil {
		who = append(who, member.ID(*w.RepliedTo))
	}
	people, err := tx.Member.Query().Where(sql.OrPredicates(who...), member.IDNEQ(w.Post.AuthorID), access.SpaceReaders(w.SpaceID), access.HearsFrom(w.Post.AuthorID)).Order(member.ByID()).All(ctx)
	if err != nil {
		return fmt.Errorf("find whom to notify: %w", err)
	}
	entries := make(map[gid.ID]event.Entry, len(people))
	rows := make([]*ent.NotificationCreate, 0, len(people))
	for _, p := range people {
		var reasons []string
		if slices.Contains(handles, p.Handle) {
			reasons = append(reasons, string(Mention))
		}
		if w.RepliedTo != nil && p.ID == *w.RepliedTo {
			reasons = append(reasons, string(Reply))
		}
		id := s.NewID(gid.Notification)
		rows = append(rows, tx.Notification.Create().SetID(id).SetCreatedAt(w.At).SetRecipientID(p.ID).SetActorID(w.Post.AuthorID).
			SetThreadID(w.Post.ThreadID).SetPostID(w.Post.ID).SetReasons(reasons))
		entries[p.ID] = event.Entry{Kind: event.NotificationCreated, Object: id, Actor: w.Post.AuthorID}
	}
	if err := tx.Notification.CreateBulk(rows...).Exec(ctx); err != nil {
		return fmt.Errorf("notify: %w", err)
	}
	return s.Events.AppendToMembers(ctx, tx, w.At, entries)
}

// PostDeleted reads what is unread about a post that is gone: there is nothing left to look at. Who cannot read the thread any more
// is not told, and keeps what they cannot see: they must not learn that something happened there.
func (s *Service) PostDeleted(ctx context.Context, tx *ent.Client, threadID, postID gid.ID, at time.Time) error {
	return s.read(ctx, tx, at, notification.PostID(postID), notification.HasRecipientWith(access.ThreadReaders(threadID)))
}

// ThreadRead reads a member's notifications about a thread up to a post's number.
func (s *Service) ThreadRead(ctx context.Context, tx *ent.Client, memberID, threadID gid.ID, upTo int, at time.Time) error {
	return s.read(ctx, tx, at, notification.RecipientID(memberID), notification.ThreadID(threadID), notification.HasPostWith(post.SeqLTE(upTo)))
}

// MarkRead reads the viewer's notifications: those named, or all of them that they can still see. Ids of others change nothing.
func (s *Service) MarkRead(ctx context.Context, v viewer.Viewer, ids []gid.ID, all bool) error {
	me, err := access.SignedIn(v)
	if err != nil {
		return err
	}
	if len(ids) > page.Max {
		return fault.Invalid("notificationIds", "Name at most %d notifications at once.", page.Max)
	}
	return s.Store.InTx(ctx, func(ctx context.Context, tx *ent.Client) error {
		which := []func(*sql.Selector){notification.RecipientID(me), access.VisibleNotifications(v)}
		if !all {
			which = append(which, page.AnyOf(notification.FieldID, ids))
		}
		return s.read(ctx, tx, s.Now(), which...)
	})
}

// read marks what is unread among some notifications, and tells every member whom it concerns.
func (s *Service) read(ctx context.Context, tx *ent.Client, at time.Time, which ...func(*sql.Selector)) error {
	q := tx.Notification.Query().Where(notification.ReadAtIsNil())
	for _, w := range which {
		q.Where(w)
	}
	unread, err := q.Select(notification.FieldID, notification.FieldRecipientID).All(ctx)
	if err != nil {
		return fmt.Errorf("find unread notifications: %w", err)
	}
	if len(unread) == 0 {
		return nil
	}
	ids := make([]gid.ID, len(unread))
	entries := make(map[gid.ID]event.Entry)
	for i, n := range unread {
		ids[i] = n.ID
		entries[n.RecipientID] = event.Entry{Kind: event.NotificationsRead, Object: n.RecipientID}
	}
	if err := tx.Notification.Update().Where(page.AnyOf(notification.FieldID, ids), notification.ReadAtIsNil()).SetReadAt(at).Exec(ctx); err != nil {
		return fmt.Errorf("read notifications: %w", err)
	}
	return s.Events.AppendToMembers(ctx, tx, at, entries)
}

// UnreadCount is how many of the viewer's notifications are unread, of those that they can still see.
func (s *Service) UnreadCount(ctx context.Context, v viewer.Viewer) (int, error) {
	me, err := access.SignedIn(v)
	if err != nil {
		return 0, err
	}
	n, err := s.Store.Client(ctx).Notification.Query().
		Where(notification.RecipientID(me), notification.ReadAtIsNil(), access.VisibleNotifications(v)).Count(ctx)
	if err != nil {
		return 0, fmt.Errorf("count unread notifications: %w", err)
	}
	return n, nil
}
