// Package notify tells members of what concerns them: one notification for one member and post, with every reason, and notices of what is no
// post.
package notify

import (
	"context"
	"fmt"
	"maps"
	"time"

	"entgo.io/ent/dialect/sql"

	"github.com/pursuing-equity/commons/ent"
	"github.com/pursuing-equity/commons/ent/member"
	"github.com/pursuing-equity/commons/ent/notice"
	"github.com/pursuing-equity/commons/ent/notification"
	"github.com/pursuing-equity/commons/ent/post"
	"github.com/pursuing-equity/commons/ent/predicate"
	"github.com/pursuing-equity/commons/ent/space"
	"github.com/pursuing-equity/commons/internal/access"
	"github.com/pursuing-equity/commons/internal/event"
	"github.com/pursuing-equity/commons/internal/fault"
	"github.com/pursuing-equity/commons/internal/gid"
	"github.com/pursuing-equity/commons/internal/mail"
	"github.com/pursuing-equity/commons/internal/page"
	"github.com/pursuing-equity/commons/internal/store"
	"github.com/pursuing-equity/commons/internal/viewer"
)

// Service makes notifications and reads them. All fields but Wake, ReplyAddress and ReturnPath are needed.
type Service struct {
	Store  *store.Store
	Events *event.Log
	Now    func() time.Time
	NewID  func(gid.Kind) gid.ID
	Mail   *mail.Service

	PublicURL  string // where links in mail lead: a front end shows /threads/{id}?post={number} and /notifications there
	MailDomain string // of Message-ID and List-Id: that of who mail is from

	// ReplyAddress is where an answer by mail to a notification goes; nil or empty: nowhere.
	ReplyAddress func(notificationID gid.ID) string

	// ReturnPath is where other servers report what became of mail to a member's address; nil or empty: to who it is from.
	ReturnPath func(memberID gid.ID, address string) string

	Wake func() // called when a post is committed of which many are to be told: Worker.Wake; nil: the poll finds it
}

// Written is a post that was just written in the transaction.
type Written struct {
	Post      *ent.Post
	Space     *ent.Space
	RepliedTo *gid.ID // the author of the post that it answers
	At        time.Time
}

// PostWritten notifies those few at once whom a post calls by name, answers, or is addressed to in a direct conversation, if they
// belong to the space; never its author. The others, who may be thousands, are told by a Worker once the post is committed.
func (s *Service) PostWritten(ctx context.Context, tx *ent.Client, w Written) error {
	p := &told{post: w.Post, space: w.Space, call: Called(w.Post.Body), repliedTo: w.RepliedTo, at: w.At}
	if err := s.enqueue(ctx, tx, p); err != nil {
		return err
	}
	direct := w.Space.Kind == space.KindDIRECT
	var who []func(*sql.Selector)
	if len(p.call.Handles) > 0 {
		who = append(who, member.HandleIn(p.call.Handles...))
	}
	if w.RepliedTo != nil {
		who = append(who, member.ID(*w.RepliedTo))
	}
	if len(who) == 0 && !direct {
		return nil
	}
	q := tx.Member.Query().Where(p.hearers(), access.SpaceReaders(w.Space.ID)).Order(member.ByID())
	if !direct {
		q.Where(sql.OrPredicates(who...))
	}
	people, err := q.All(ctx)
	if err != nil {
		return fmt.Errorf("find whom to notify: %w", err)
	}
	return s.tell(ctx, tx, p, people)
}

// PostDeleted reads what is unread about a post that is gone: there is nothing left to look at. Who cannot read the thread any more
// hears nothing of that, as they must not learn that something happened there: they find it read when they come back.
func (s *Service) PostDeleted(ctx context.Context, tx *ent.Client, threadID, postID gid.ID, at time.Time) error {
	if err := s.read(ctx, tx, at, notification.PostID(postID), notification.HasRecipientWith(access.ThreadReaders(threadID))); err != nil {
		return err
	}
	return readQuietly(tx.Notification.Update().Where(notification.PostID(postID), notification.ReadAtIsNil()), at).Exec(ctx)
}

func readQuietly(u *ent.NotificationUpdate, at time.Time) *ent.NotificationUpdate {
	return u.SetReadAt(at).ClearRestReadAt().ClearMailDueAt()
}

// ThreadRead reads a member's notifications about a thread up to a post's number.
func (s *Service) ThreadRead(ctx context.Context, tx *ent.Client, memberID, threadID gid.ID, upTo int, at time.Time) error {
	return s.read(ctx, tx, at, notification.RecipientID(memberID), notification.ThreadID(threadID), notification.HasPostWith(post.SeqLTE(upTo)))
}

// ThreadsRead reads a member's notifications about some threads.
func (s *Service) ThreadsRead(ctx context.Context, tx *ent.Client, memberID gid.ID, which predicate.Thread, at time.Time) error {
	return s.read(ctx, tx, at, notification.RecipientID(memberID), notification.HasThreadWith(which))
}

// MarkRead reads the viewer's notifications and notices: those named, or all of them that they can still see. Ids of others change nothing.
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
		notices := []predicate.Notice{notice.RecipientID(me), access.VisibleNotices(v)}
		if !all {
			which = append(which, page.AnyOf(notification.FieldID, ids))
			notices = append(notices, page.AnyOf(notice.FieldID, ids))
		}
		now := s.Now()
		whom, err := s.mark(ctx, tx, now, which...)
		if err != nil {
			return err
		}
		too, err := s.markNotices(ctx, tx, now, notices...)
		if err != nil {
			return err
		}
		maps.Copy(whom, too)
		return s.Events.AppendToMembers(ctx, tx, now, whom)
	})
}

// read marks what is unread among some notifications, and tells every member whom it concerns.
func (s *Service) read(ctx context.Context, tx *ent.Client, at time.Time, which ...func(*sql.Selector)) error {
	whom, err := s.mark(ctx, tx, at, which...)
	if err != nil {
		return err
	}
	return s.Events.AppendToMembers(ctx, tx, at, whom)
}

// mark marks what is unread among some notifications, and returns what every member whom it concerns is to be told.
func (s *Service) mark(ctx context.Context, tx *ent.Client, at time.Time, which ...func(*sql.Selector)) (map[gid.ID]event.Entry, error) {
	q := tx.Notification.Query().Where(notification.ReadAtIsNil())
	for _, w := range which {
		q.Where(w)
	}
	unread, err := q.Select(notification.FieldID, notification.FieldRecipientID).All(ctx)
	if err != nil {
		return nil, fmt.Errorf("find unread notifications: %w", err)
	}
	entries := make(map[gid.ID]event.Entry)
	if len(unread) == 0 {
		return entries, nil
	}
	ids := make([]gid.ID, len(unread))
	for i, n := range unread {
		ids[i] = n.ID
		entries[n.RecipientID] = event.Entry{Kind: event.NotificationsRead, Object: n.RecipientID}
	}
	if err := readQuietly(tx.Notification.Update().Where(page.AnyOf(notification.FieldID, ids), notification.ReadAtIsNil()), at).Exec(ctx); err != nil {
		return nil, fmt.Errorf("read notifications: %w", err)
	}
	return entries, nil
}

// UnreadCount is how many of the viewer's notifications and notices are unread, of those that they can still see.
func (s *Service) UnreadCount(ctx context.Context, v viewer.Viewer) (int, error) {
	me, err := access.SignedIn(v)
	if err != nil {
		return 0, err
	}
	n, err := s.Store.Client(ctx).Notification.Query().
		Where(notification.RecipientID(me), access.UnreadNotifications(v), access.VisibleNotifications(v)).Count(ctx)
	if err != nil {
		return 0, fmt.Errorf("count unread notifications: %w", err)
	}
	notices, err := s.Store.Client(ctx).Notice.Query().Where(notice.RecipientID(me), notice.ReadAtIsNil(), access.VisibleNotices(v)).Count(ctx)
	if err != nil {
		return 0, fmt.Errorf("count unread notices: %w", err)
	}
	return n + notices, nil
}
