package notify

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/pursuing-equity/commons/ent"
	"github.com/pursuing-equity/commons/ent/member"
	"github.com/pursuing-equity/commons/ent/notification"
	"github.com/pursuing-equity/commons/ent/post"
	"github.com/pursuing-equity/commons/internal/access"
	"github.com/pursuing-equity/commons/internal/event"
	"github.com/pursuing-equity/commons/internal/gid"
	"github.com/pursuing-equity/commons/internal/page"
	"github.com/pursuing-equity/commons/internal/viewer"
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
	again := make(map[string]*repeated)
	var rows []*ent.NotificationCreate
	for _, m := range people {
		due := mailDueAt(m, wants[m.ID], true, at)
		n := told[m.ID]
		if n == nil {
			id := s.NewID(gid.Notification)
			rows = append(rows, tx.Notification.Create().SetID(id).SetCreatedAt(at).SetRecipientID(m.ID).SetActorID(p.AuthorID).
				SetThreadID(p.ThreadID).SetPostID(p.ID).SetReasons(names([]Reason{why})).SetDuty(true).SetNillableMailDueAt(due))
			entries[m.ID] = event.Entry{Kind: event.NotificationCreated, Object: id}
			continue
		}
		reasons := append(slices.DeleteFunc(slices.Clone(n.Reasons), func(r string) bool { return r == string(why) }), string(why))
		if waits := n.MailDueAt; waits != nil && (due == nil || waits.Before(*due)) {
			due = waits // the mail that it waits for tells of this too
		}
		key := fmt.Sprint(strings.Join(reasons, " "), due)
		if again[key] == nil {
			again[key] = &repeated{reasons: reasons, due: due}
		}
		again[key].ids = append(again[key].ids, n.ID)
		entries[m.ID] = event.Entry{Kind: event.NotificationCreated, Object: n.ID}
	}
	if len(rows) > 0 {
		if err := tx.Notification.CreateBulk(rows...).Exec(ctx); err != nil {
			return fmt.Errorf("tell of moderation: %w", err)
		}
	}
	for _, r := range again {
		u := tx.Notification.Update().Where(page.AnyOf(notification.FieldID, r.ids)).SetReasons(r.reasons).SetDuty(true).ClearReadAt()
		if r.due != nil {
			u.SetMailDueAt(*r.due)
		} else {
			u.ClearMailDueAt()
		}
		if err := u.Exec(ctx); err != nil {
			return fmt.Errorf("tell of moderation again: %w", err)
		}
	}
	return s.Events.AppendToMembers(ctx, tx, at, entries)
}

// repeated are notifications that come up again in the same way.
type repeated struct {
	ids     []gid.ID
	reasons []string
	due     *time.Time
}

// FlagsResolved reads what those who moderate were told of a post's flags: there is nothing left to do.
func (s *Service) FlagsResolved(ctx context.Context, tx *ent.Client, postID gid.ID, at time.Time) error {
	rows, err := tx.Notification.Query().Where(notification.PostID(postID), notification.Duty(true), notification.ReadAtIsNil()).All(ctx)
	if err != nil {
		return fmt.Errorf("find who was told of flags: %w", err)
	}
	var ids []gid.ID
	for _, n := range rows {
		if duty(n) == Flagged {
			ids = append(ids, n.ID)
		}
	}
	if len(ids) == 0 {
		return nil
	}
	return s.read(ctx, tx, at, page.AnyOf(notification.FieldID, ids))
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

// judged leaves out what a member was told of flags and may not know any more: they do not moderate there now.
func (s *Service) judged(ctx context.Context, memberID gid.ID, rows []*ent.Notification) ([]*ent.Notification, error) {
	var flagged []gid.ID
	for _, n := range rows {
		if duty(n) == Flagged {
			flagged = append(flagged, n.PostID)
		}
	}
	if len(flagged) == 0 {
		return rows, nil
	}
	ids, err := s.Store.Client(ctx).Post.Query().Where(page.AnyOf(post.FieldID, flagged), access.JudgedPosts(viewer.Member(memberID, gid.ID{}, viewer.Read))).IDs(ctx)
	if err != nil {
		return nil, fmt.Errorf("look for what the member moderates: %w", err)
	}
	theirs := setOf(ids)
	return slices.DeleteFunc(rows, func(n *ent.Notification) bool { return duty(n) == Flagged && !theirs[n.PostID] }), nil
}

// notice is what mail says of moderation: that something happened, and nothing of what a post says.
func notice(n *ent.Notification) string {
	switch duty(n) {
	case FlagResolved:
		return "Those who moderate have decided about a post that you flagged."
	case Warned:
		return "Those who moderate have warned you because of a post of yours."
	default:
		return "Somebody flagged a post by " + n.Edges.Post.Edges.Author.Name + ". It waits for those who moderate."
	}
}
