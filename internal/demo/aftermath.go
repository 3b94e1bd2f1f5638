package demo

import (
	"strings"
	"time"

	"github.com/pursuing-equity/commons/internal/gid"
)

// changePosts edits about one post in fifteen and deletes about one in a hundred, never the first.
func (w *writer) changePosts() {
	for i := range w.out.Posts {
		p := &w.out.Posts[i]
		switch n := w.IntN(100); {
		case n < 6:
			w.edit(p)
			if w.chance(20) {
				w.edit(p)
			}
		case n == 99 && i > 0:
			at := p.CreatedAt.Add(time.Duration(w.between(3, 600)) * time.Minute)
			if at.Before(w.plan.until) {
				p.Body, p.DeletedAt = "", at
				w.out.Thread.DeletedPosts++
			}
		}
	}
}

// edit gives the post a new version and keeps the old one.
func (w *writer) edit(p *Post) {
	from := p.CreatedAt
	if !p.EditedAt.IsZero() {
		from = p.EditedAt
	}
	at := from.Add(time.Duration(w.between(60, 7200)) * time.Second).Add(time.Duration(w.IntN(1_000_000)) * time.Microsecond)
	if !at.Before(w.plan.until) {
		return
	}
	w.out.Revisions = append(w.out.Revisions, PostRevision{
		ID: w.id(gid.PostRevision, from), PostID: p.ID, EditorID: p.AuthorID, Version: p.Version, Body: p.Body, CreatedAt: from,
	})
	p.EditedAt, p.Version = at, p.Version+1
	p.Body += "\n\n*Edit:* " + slots{stream: w.stream, at: at}.filled(w.unsaid(p.Body))
}

// unsaid is a sentence that the body does not hold yet, as far as a few tries find one.
func (w *writer) unsaid(body string) string {
	var sentence string
	for range 4 {
		sentence = w.decks[partSay].deal(w.stream)
		if begin, _, _ := strings.Cut(sentence, "{"); begin != "" && !strings.Contains(body, begin) {
			break
		}
	}
	return sentence
}

// reactable are the emoji that people use, the common ones more than once.
func reactable() []string {
	return []string{"👍", "👍", "👍", "❤️", "❤️", "🎉", "🙏", "🙏", "💡", "👏", "👀"}
}

// react lets the thread's people react to a third of the posts.
func (w *writer) react() {
	for i := range w.out.Posts {
		p := &w.out.Posts[i]
		if !p.DeletedAt.IsZero() || !w.chance(33) {
			continue
		}
		at := p.CreatedAt
		for _, m := range sample(w.stream, w.members, w.between(1, 4)) {
			at = at.Add(time.Duration(w.between(1, 5_000_000)) * time.Millisecond)
			if !at.Before(w.plan.until) {
				break
			}
			symbol := pick(w.stream, reactable())
			w.out.Reactions = append(w.out.Reactions, Reaction{ID: w.id(gid.Reaction, at), PostID: p.ID, MemberID: w.plan.members[m].ID, Emoji: symbol, CreatedAt: at})
			p.count(symbol)
		}
	}
}

// count adds one to an emoji's count, keeping the order of first use.
func (p *Post) count(symbol string) {
	for i := range p.ReactionCounts {
		if p.ReactionCounts[i].Emoji == symbol {
			p.ReactionCounts[i].Count++
			return
		}
	}
	p.ReactionCounts = append(p.ReactionCounts, ReactionCount{Emoji: symbol, Count: 1})
}

// readStates gives everyone in the thread a read position; some have read all, some are behind.
func (w *writer) readStates() {
	newest := len(w.out.Posts)
	for _, m := range w.members {
		id := w.plan.members[m].ID
		read := newest
		if w.chance(35) {
			read = newest - w.IntN(min(newest, 30))
		}
		r := ReadState{MemberID: id, LastReadSeq: read, CreatedAt: w.out.Posts[read-1].CreatedAt}
		r.ID = w.id(gid.ReadState, r.CreatedAt)
		for _, p := range w.out.Posts[read:] {
			if p.AuthorID == id || !p.stands() {
				r.Uncounted++
			}
		}
		w.out.ReadStates = append(w.out.ReadStates, r)
	}
}

// stands says whether a post can be read: it was neither deleted nor hidden.
func (p *Post) stands() bool { return p.DeletedAt.IsZero() && p.HiddenAt.IsZero() }

// Reasons of a notification.
const (
	reasonMention = "MENTION"
	reasonReply   = "REPLY"
)

// notify tells those who are mentioned in a post and the author of the post that it answers, once for each post, and
// marks as read what lies before the recipient's read position. Who writes by role only, such as staff, is not told.
func (w *writer) notify() {
	read := make(map[gid.ID]int, len(w.out.ReadStates))
	for _, r := range w.out.ReadStates {
		read[r.MemberID] = r.LastReadSeq
	}
	told := map[gid.ID]bool{} // whom a notification may reach
	for _, m := range w.members {
		id := w.plan.members[m].ID
		told[id] = w.plan.members[m].Status == "ACTIVE" && w.plan.inside[[2]gid.ID{w.out.Thread.SpaceID, id}]
	}
	authors := make(map[gid.ID]gid.ID, len(w.out.Posts))
	for _, p := range w.out.Posts {
		authors[p.ID] = p.AuthorID
		if !p.stands() {
			continue
		}
		reasons := map[gid.ID][]string{}
		var order []gid.ID
		tell := func(to gid.ID, reason string) {
			if to == p.AuthorID || !told[to] {
				return
			}
			if reasons[to] == nil {
				order = append(order, to)
			}
			reasons[to] = append(reasons[to], reason)
		}
		for _, m := range w.members {
			if mentions(p.Body, w.plan.members[m].Handle) {
				tell(w.plan.members[m].ID, reasonMention)
			}
		}
		if to, ok := authors[p.ReplyToID]; ok {
			tell(to, reasonReply)
		}
		for _, to := range order {
			n := Notification{ID: w.id(gid.Notification, p.CreatedAt), RecipientID: to, ActorID: p.AuthorID, PostID: p.ID, Reasons: reasons[to], CreatedAt: p.CreatedAt}
			if read[to] >= p.Seq {
				n.ReadAt = earlier(p.CreatedAt.Add(time.Duration(w.between(5, 900))*time.Minute), w.plan.until)
			}
			w.out.Notifications = append(w.out.Notifications, n)
		}
	}
}

// mentions reports whether the body holds @handle, not as the beginning of a longer handle.
func mentions(body, handle string) bool {
	for {
		i := strings.Index(body, "@"+handle)
		if i < 0 {
			return false
		}
		body = body[i+1+len(handle):]
		if body == "" || !strings.ContainsAny(body[:1], "abcdefghijklmnopqrstuvwxyz0123456789-_") {
			return true
		}
	}
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}
