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
	"github.com/pursuing-equity/commons/ent/thread"
	"github.com/pursuing-equity/commons/internal/access"
	"github.com/pursuing-equity/commons/internal/gid"
	"github.com/pursuing-equity/commons/internal/mail"
	"github.com/pursuing-equity/commons/internal/page"
	"github.com/pursuing-equity/commons/internal/viewer"
)

// mostInMail is how many posts one mail tells of; of more it gives the number.
const mostInMail = 30

// Letter writes a mail about notifications, just before it is sent: of those that the member can still see, has not read and still
// wants to hear of by mail. Nothing of a hidden space is in it, neither what was said nor by whom, where or about what. It returns nil when
// nothing is left.
func (s *Service) Letter(ctx context.Context, address string, data map[string]string) (*mail.Draft, error) {
	id, err := gid.Parse(data[dataMember])
	if err != nil {
		return nil, err
	}
	at, err := time.Parse(time.RFC3339Nano, data[dataAt])
	if err != nil {
		return nil, err
	}
	c := s.Store.Client(ctx)
	m, err := c.Member.Query().Where(member.ID(id), member.Email(address), member.MailBouncingAtIsNil(), access.ActiveMembers()).Only(ctx)
	if ent.IsNotFound(err) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("load the member: %w", err)
	}
	wants, err := preferences(ctx, c, []gid.ID{id})
	if err != nil {
		return nil, err
	}
	v := viewer.Member(id, gid.ID{}, viewer.Read)
	rows, err := c.Notification.Query().Where(
		notification.RecipientID(id), notification.MailedAt(at), notification.ReadAtIsNil(), access.VisibleNotifications(v),
		notification.Or(notification.Duty(true), notification.HasPostWith(post.DeletedAtIsNil(), post.HiddenAtIsNil())),
	).WithPost(func(q *ent.PostQuery) { q.WithAuthor() }).WithThread(func(q *ent.ThreadQuery) { q.WithSpace() }).Order(notification.ByID()).All(ctx)
	if err != nil {
		return nil, fmt.Errorf("load what the mail tells of: %w", err)
	}
	if rows, err = s.apart(ctx, v, rows); err != nil || len(rows) == 0 {
		return nil, err
	}
	threads := make([]gid.ID, len(rows))
	for i, n := range rows {
		threads[i] = n.ThreadID
	}
	loud, err := c.Thread.Query().Where(page.AnyOf(thread.FieldID, threads), Unmuted(id)).IDs(ctx)
	if err != nil {
		return nil, fmt.Errorf("find what is muted: %w", err)
	}
	unmuted := setOf(loud)
	rows = slices.DeleteFunc(rows, func(n *ent.Notification) bool {
		return !wanted(n, wants[id], unmuted[n.ThreadID])
	})
	if len(rows) == 0 {
		return nil, nil
	}
	return s.draft(ctx, m, rows)
}

// wanted says whether a member still wants to hear of a post by mail: because of a reminder, which they asked for of this very post, or of its
// moderation, or because of what else they were told of it for.
func wanted(n *ent.Notification, p *ent.NotificationPreference, unmuted bool) bool {
	others := slices.DeleteFunc(Reasons(n), func(r Reason) bool { return r == Reminder || r.moderates() })
	if len(others) < len(n.Reasons) && rhythm(p, true) != never {
		return true
	}
	return unmuted && len(others) > 0 && rhythm(p, slices.ContainsFunc(others, Reason.direct)) != never
}

// news is what a mail says of a post: who wrote it, that it is one to be reminded of, and the post; or that it is about its moderation.
func news(n *ent.Notification) string {
	if n.Duty {
		return dutyText(n)
	}
	wrote := n.Edges.Post.Edges.Author.Name + " wrote: " + n.Edges.Post.Body
	if slices.Contains(Reasons(n), Reminder) {
		return "You wanted to be reminded. " + wrote
	}
	return wrote
}

func (s *Service) draft(ctx context.Context, m *ent.Member, rows []*ent.Notification) (*mail.Draft, error) {
	var open []*ent.Notification
	private := false
	for _, n := range rows {
		if access.Hidden(n.Edges.Thread.Edges.Space.Kind) {
			private = true
			continue
		}
		open = append(open, n)
	}
	// By space and thread, each in the order of what is first told of it.
	first := make(map[gid.ID]int, len(open))
	for i, n := range open {
		for _, of := range []gid.ID{n.Edges.Thread.SpaceID, n.ThreadID} {
			if _, known := first[of]; !known {
				first[of] = i
			}
		}
	}
	slices.SortStableFunc(open, func(a, b *ent.Notification) int {
		if d := first[a.Edges.Thread.SpaceID] - first[b.Edges.Thread.SpaceID]; d != 0 {
			return d
		}
		return first[a.ThreadID] - first[b.ThreadID]
	})
	d := &mail.Draft{Subject: "What is new in Commons", Parts: []mail.Part{{Text: "Hello " + m.Name + ","}}}
	spaces, threads := make(map[gid.ID]bool), make(map[gid.ID]bool)
	for i, n := range open {
		t := n.Edges.Thread
		spaces[t.SpaceID] = true
		if i >= mostInMail {
			continue
		}
		if !threads[t.ID] {
			threads[t.ID] = true
			d.Parts = append(d.Parts, mail.Part{Text: t.Edges.Space.Name + " · " + t.Title})
		}
		d.Parts = append(d.Parts, mail.Part{Text: news(n)})
		if i+1 == len(open) || i+1 == mostInMail || open[i+1].ThreadID != n.ThreadID {
			d.Parts = append(d.Parts, mail.Part{Text: "Read it", Link: fmt.Sprintf("%s/threads/%s?post=%d", s.PublicURL, t.ID, n.Edges.Post.Seq)})
		}
	}
	if more := len(open) - mostInMail; more > 0 {
		d.Parts = append(d.Parts, mail.Part{Text: fmt.Sprintf("There are %d more posts.", more)})
	}
	if private {
		d.Parts = append(d.Parts, mail.Part{Text: "There is something new in a private conversation", Link: s.PublicURL + "/notifications"})
	}
	of, list := m.ID, "notifications"
	if !private && len(spaces) == 1 {
		t := open[0].Edges.Thread
		of, list = t.SpaceID, t.SpaceID.String()
		d.Subject = t.Edges.Space.Name + ": what is new"
		if len(threads) == 1 {
			of = t.ID
			d.Subject = t.Title
			root := "<" + t.ID.String() + "." + m.ID.String() + "@" + s.MailDomain + ">"
			d.Headers = append(d.Headers, mail.Header{Name: "In-Reply-To", Value: root}, mail.Header{Name: "References", Value: root})
			// A reminder, and what moderators do, is another mail about the same post: by the same id, it would be taken for the first.
			if len(open) == 1 && !open[0].Duty && !slices.Contains(Reasons(open[0]), Reminder) {
				d.ID = open[0].PostID.String() + "." + m.ID.String()
			}
		}
	}
	token, err := s.unsubscribeToken(ctx, m, of)
	if err != nil {
		return nil, err
	}
	link := s.PublicURL + unsubscribePath + "?token=" + token
	d.Parts = append(d.Parts, mail.Part{Text: "You get this mail because of your settings. To get no more of it", Link: link})
	d.Headers = append(d.Headers,
		mail.Header{Name: "List-Id", Value: "<" + list + "." + s.MailDomain + ">"},
		mail.Header{Name: "List-Unsubscribe", Value: "<" + link + ">"},
		mail.Header{Name: "List-Unsubscribe-Post", Value: "List-Unsubscribe=One-Click"}, // RFC 8058
	)
	if s.ReplyAddress != nil && !private && len(threads) == 1 && !open[len(open)-1].Duty { // nobody posts an answer to moderators
		if address := s.ReplyAddress(open[len(open)-1].ID); address != "" && !strings.ContainsAny(address, "\r\n") {
			d.Headers = append(d.Headers, mail.Header{Name: "Reply-To", Value: "<" + address + ">"})
		}
	}
	if s.ReturnPath != nil {
		d.ReturnPath = s.ReturnPath(m.ID, m.Email)
	}
	return d, nil
}
