package notify

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/pursuing-equity/commons/ent"
	"github.com/pursuing-equity/commons/ent/member"
	"github.com/pursuing-equity/commons/ent/notification"
	"github.com/pursuing-equity/commons/internal/access"
	"github.com/pursuing-equity/commons/internal/event"
	"github.com/pursuing-equity/commons/internal/gid"
	"github.com/pursuing-equity/commons/internal/page"
)

// Moderated tells members of a post because of its moderation, whatever they were told of it before, whomever they mute, and by mail as they
// want what is meant for them. The actor is the post's author, as in all that is told of the post: neither who flagged it nor who decided
// is named. The number of statements does not grow with the members, but for the ways in which they were told before.
func (s *Service) Moderated(ctx context.Context, tx *ent.Client, p *ent.Post, why Reason, members []gid.ID, at time.Time) error {
	if len(members) == 0 {
		return nil
	}
	people, err := tx.Member.Query().Where(page.AnyOf(member.FieldID, members), access.ActiveMembers()).Order(member.ByID()).All(ctx)
	if err != nil {
		return fmt.Errorf("load whom to tell: %w", err)
	}
	before, err := tx.Notification.Query().Where(notification.PostID(p.ID), page.AnyOf(notification.FieldRecipientID, members)).All(ctx)
	if err != nil {
		return fmt.Errorf("find what they were told before: %w", err)
	}
	told := make(map[gid.ID]*ent.Notification, len(before))
	for _, n := range before {
		told[n.RecipientID] = n
	}
	wants, err := preferences(ctx, tx, members)
	if err != nil {
		return err
	}
	entries := make(map[gid.ID]event.Entry, len(people))
	again := make(changes)
	var rows []*ent.NotificationCreate
	for _, m := range people {
		due := mailDueAt(m, wants[m.ID], true, at)
		n := told[m.ID]
		if n == nil {
			id := s.NewID(gid.Notification)
			rows = append(rows, tx.Notification.Create().SetID(id).SetCreatedAt(at).SetToldAt(at).SetRecipientID(m.ID).SetActorID(p.AuthorID).
				SetThreadID(p.ThreadID).SetPostID(p.ID).SetReasons(names([]Reason{why})).SetDuty(true).SetFlagged(why == Flagged).SetNews(false).SetNillableMailDueAt(due))
			entries[m.ID] = event.Entry{Kind: event.NotificationCreated, Object: id}
			continue
		}
		reasons := append(without(n.Reasons, why), string(why))
		if waits := n.MailDueAt; waits != nil && (due == nil || waits.Before(*due)) {
			due = waits // the mail that it waits for tells of this too
		}
		rest := n.RestReadAt
		if why != Flagged {
			rest = nil
		} else if n.ReadAt != nil {
			rest = n.ReadAt
		}
		again.add(n.ID, changed{reasons: reasons, rest: rest, due: due, told: at})
		entries[m.ID] = event.Entry{Kind: event.NotificationCreated, Object: n.ID}
	}
	if len(rows) > 0 {
		if err := tx.Notification.CreateBulk(rows...).Exec(ctx); err != nil {
			return fmt.Errorf("tell of moderation: %w", err)
		}
	}
	if err := again.write(ctx, tx); err != nil {
		return err
	}
	return s.Events.AppendToMembers(ctx, tx, at, entries)
}

// FlagsResolved takes what those who moderate were told of a post's flags: there is nothing left to do. What else they were told of the post
// is unread or read as it was; who was told of nothing else has read it.
func (s *Service) FlagsResolved(ctx context.Context, tx *ent.Client, postID gid.ID, at time.Time) error {
	rows, err := tx.Notification.Query().Where(notification.PostID(postID), notification.Duty(true)).All(ctx)
	if err != nil {
		return fmt.Errorf("find who was told of flags: %w", err)
	}
	var over []gid.ID
	var others []*ent.Notification
	entries := make(map[gid.ID]event.Entry)
	for _, n := range rows {
		switch rest := without(n.Reasons, Flagged); {
		case len(rest) == len(n.Reasons):
		case len(rest) > 0:
			others = append(others, n)
			entries[n.RecipientID] = event.Entry{Kind: event.NotificationsRead, Object: n.RecipientID}
		case n.ReadAt == nil:
			over = append(over, n.ID)
		}
	}
	if len(others) > 0 {
		if err := s.leaveRest(ctx, tx, others); err != nil {
			return err
		}
		if err := s.Events.AppendToMembers(ctx, tx, at, entries); err != nil {
			return err
		}
	}
	if len(over) == 0 {
		return nil
	}
	return s.read(ctx, tx, at, page.AnyOf(notification.FieldID, over))
}

// leaveRest takes flags out of notifications that have other reasons. Mail that waits tells of these when it would have without the flags.
func (s *Service) leaveRest(ctx context.Context, tx *ent.Client, rows []*ent.Notification) error {
	ids := make([]gid.ID, len(rows))
	for i, n := range rows {
		ids[i] = n.RecipientID
	}
	people, err := tx.Member.Query().Where(page.AnyOf(member.FieldID, ids)).All(ctx)
	if err != nil {
		return fmt.Errorf("load who was told of flags: %w", err)
	}
	of := make(map[gid.ID]*ent.Member, len(people))
	for _, m := range people {
		of[m.ID] = m
	}
	wants, err := preferences(ctx, tx, ids)
	if err != nil {
		return err
	}
	left := make(changes)
	for _, n := range rows {
		c := changed{reasons: without(n.Reasons, Flagged), read: n.ReadAt, told: toldAt(n)}
		if c.read == nil {
			c.read = n.RestReadAt
		}
		told := n.MailedAt != nil && !slices.Contains(n.Reasons, string(Reminder))
		if c.read == nil && n.MailDueAt != nil && !told {
			c.due = mailDueAt(of[n.RecipientID], wants[n.RecipientID], slices.ContainsFunc(reasonsOf(c.reasons), Reason.direct), n.CreatedAt)
		}
		left.add(n.ID, c)
	}
	return left.write(ctx, tx)
}

// duty is the last reason of moderation that somebody was told of a post for; empty when there is none.
func duty(n *ent.Notification) Reason {
	for _, r := range slices.Backward(Reasons(n)) {
		if r.moderates() {
			return r
		}
	}
	return ""
}

// moderates reports whether the reason is one of moderation.
func (r Reason) moderates() bool { return r == Flagged || r == FlagResolved || r == Warned }

// dutyText is what mail says of moderation: that something happened, and nothing of what a post says.
func dutyText(n *ent.Notification) string {
	switch duty(n) {
	case FlagResolved:
		return "Those who moderate have decided about a post that you flagged."
	case Warned:
		return "Those who moderate have warned you because of a post of yours."
	default:
		return "Somebody flagged a post by " + n.Edges.Post.Edges.Author.Name + ". It waits for those who moderate."
	}
}
