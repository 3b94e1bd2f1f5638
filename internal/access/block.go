package access

import (
	"context"
	"fmt"

	"entgo.io/ent/dialect/sql"

	"github.com/pursuing-equity/commons/ent"
	"github.com/pursuing-equity/commons/ent/block"
	"github.com/pursuing-equity/commons/ent/member"
	"github.com/pursuing-equity/commons/ent/notification"
	"github.com/pursuing-equity/commons/ent/post"
	"github.com/pursuing-equity/commons/ent/predicate"
	"github.com/pursuing-equity/commons/ent/readstate"
	"github.com/pursuing-equity/commons/ent/searchdocument"
	"github.com/pursuing-equity/commons/ent/thread"
	"github.com/pursuing-equity/commons/internal/fault"
	"github.com/pursuing-equity/commons/internal/gid"
	"github.com/pursuing-equity/commons/internal/page"
	"github.com/pursuing-equity/commons/internal/viewer"
)

// Who blocks or mutes somebody does not hear from them, wherever both are. That takes nothing from what either of them may see: a post
// that is not heard is still found by its id, as when a reply leads to it. Nobody but the one who blocks can tell, with two exceptions:
// who starts a direct conversation with somebody who blocks them is told that this member does not take messages, and who introduces
// two of whom one blocks the other is refused, without a word on which of them.
//
// What opens an announcement is heard by everybody: it is the community's word, whoever wrote it. So is a warning, which is no post.

// unheard are those whom the member blocks or mutes.
func unheard(outer *sql.Selector, m who) *sql.Selector {
	s := from(outer, block.Table, block.FieldBlockedID)
	return s.Where(m.is(s.C(block.FieldMemberID)))
}

// unheardPost is true for a post that the member does not hear of.
func unheardPost(s *sql.Selector, m who) *sql.Predicate {
	// The thread's kind is asked of its one row: PostgreSQL would answer an EXISTS by reading all announcements at once.
	t := sql.Dialect(s.Dialect()).Select().From(sql.Table(thread.Table).As("announced"))
	t.Select(t.C(thread.FieldKind)).Where(sql.ColumnsEQ(t.C(thread.FieldID), s.C(post.FieldThreadID)))
	return sql.And(
		sql.In(s.C(post.FieldAuthorID), unheard(s, m)),
		sql.Or(sql.NEQ(s.C(post.FieldSeq), 1), sql.P(func(b *sql.Builder) {
			b.Wrap(func(b *sql.Builder) { b.Join(t) }).WriteString(" <> ").Arg(thread.KindANNOUNCEMENT)
		})))
}

// heard is true for a row of which the column names a post that the member hears of. Who blocks nobody pays one look into an index.
func heard(s *sql.Selector, m who, column string) *sql.Predicate {
	p := sql.Dialect(s.Dialect()).Select().From(sql.Table(post.Table).As("unheard_post"))
	p.Select(p.C(post.FieldID)).Where(sql.And(sql.ColumnsEQ(p.C(post.FieldID), s.C(column)), unheardPost(p, m)))
	return sql.Not(sql.And(sql.Exists(unheard(s, m)), sql.Exists(p)))
}

// HeardPosts are those that the viewer hears of. It goes beside VisiblePosts, wherever posts are listed or counted.
func HeardPosts(v viewer.Viewer) predicate.Post {
	return where(v, never, remembered("heard posts", func(s *sql.Selector, m who) *sql.Predicate { return sql.Not(unheardPost(s, m)) }))
}

// UnheardUnreadPosts are the others that stand behind where the viewer has read to: what counters of unread posts, which know nothing of
// blocks, have too many for them.
func UnheardUnreadPosts(v viewer.Viewer) predicate.Post {
	return where(v, never, remembered("unheard unread posts", func(s *sql.Selector, m who) *sql.Predicate {
		read := sql.Dialect(s.Dialect()).Select().From(sql.Table(readstate.Table))
		read.Select(read.C(readstate.FieldID)).Where(sql.And(
			sql.ColumnsEQ(read.C(readstate.FieldThreadID), s.C(post.FieldThreadID)), m.is(read.C(readstate.FieldMemberID)),
			sql.ColumnsGTE(read.C(readstate.FieldLastReadSeq), s.C(post.FieldSeq))))
		return sql.And(
			sql.Exists(unheard(s, m)), sql.IsNull(s.C(post.FieldDeletedAt)), sql.IsNull(s.C(post.FieldHiddenAt)), sql.IsNull(s.C(post.FieldMovedToID)),
			unheardPost(s, m), sql.Not(sql.Exists(read)))
	}))
}

// HeardNotifications are those of posts that the viewer hears of, those of warnings and decisions, and those of flags where they moderate
// now. VisibleNotifications has this rule.
func HeardNotifications(v viewer.Viewer) predicate.Notification {
	return where(v, never, heardNotification)
}

func heardNotification(s *sql.Selector, m who) *sql.Predicate {
	return sql.Or(
		sql.And(sql.EQ(s.C(notification.FieldNews), true), heard(s, m, notification.FieldPostID)),
		sql.And(sql.EQ(s.C(notification.FieldDuty), true), sql.Or(sql.EQ(s.C(notification.FieldFlagged), false), judgedNotification(s, m))))
}

// judgedNotification is true for a notification of a post that the member moderates now.
func judgedNotification(s *sql.Selector, m who) *sql.Predicate {
	p := sql.Dialect(s.Dialect()).Select().From(sql.Table(post.Table).As("flagged_post"))
	p.Select(p.C(post.FieldID)).Where(sql.And(sql.ColumnsEQ(p.C(post.FieldID), s.C(notification.FieldPostID)), judged(p, m)))
	return sql.Exists(p)
}

// UnreadNotifications are those that are unread for the viewer: what is unread because of flags alone is so to who moderates there now.
func UnreadNotifications(v viewer.Viewer) predicate.Notification {
	return where(v, never, func(s *sql.Selector, m who) *sql.Predicate {
		return sql.And(sql.IsNull(s.C(notification.FieldReadAt)), sql.Or(sql.IsNull(s.C(notification.FieldRestReadAt)), judgedNotification(s, m)))
	})
}

// UnreadMentions are the viewer's unread notifications of posts that call them, of those that they hear of: what is unread because of
// flags alone is none.
func UnreadMentions(v viewer.Viewer) predicate.Notification {
	return where(v, never, func(s *sql.Selector, m who) *sql.Predicate {
		return sql.And(
			m.is(s.C(notification.FieldRecipientID)), sql.IsNull(s.C(notification.FieldReadAt)), sql.IsNull(s.C(notification.FieldRestReadAt)),
			sql.EQ(s.C(notification.FieldMentions), true), heard(s, m, notification.FieldPostID))
	})
}

// heardDocument is true for a search document that is no post, or one that the member hears of.
func heardDocument(s *sql.Selector, m who) *sql.Predicate {
	return sql.Or(sql.NEQ(s.C(searchdocument.FieldKind), searchdocument.KindPOST), heard(s, m, searchdocument.FieldObjectID))
}

// HearsFrom are the members who neither block nor mute an author: those whom the author's posts, mentions and reactions reach.
func HearsFrom(author gid.ID) predicate.Member {
	return func(s *sql.Selector) {
		deaf := from(s, block.Table, block.FieldMemberID)
		s.Where(sql.NotIn(s.C(member.FieldID), deaf.Where(sql.EQ(deaf.C(block.FieldBlockedID), author))))
	}
}

// TakesMessagesOf are the members who do not block a sender. A mute does not show: who is muted can write and is not heard.
func TakesMessagesOf(sender gid.ID) predicate.Member {
	return func(s *sql.Selector) {
		closed := from(s, block.Table, block.FieldMemberID)
		closed.Where(sql.And(sql.EQ(closed.C(block.FieldBlockedID), sender), sql.EQ(closed.C(block.FieldKind), block.KindBLOCK)))
		s.Where(sql.NotIn(s.C(member.FieldID), closed))
	}
}

// TakesNoMessages is what a sender is told who cannot write to a member directly. It does not say why.
func TakesNoMessages() *fault.Error { return fault.Denied("This member does not take messages.") }

// OwnBlocks are whom the viewer blocks and mutes. Nobody else sees them, staff and the system included.
func OwnBlocks(v viewer.Viewer) predicate.Block {
	me, ok := v.MemberID()
	return func(s *sql.Selector) {
		if !ok {
			s.Where(sql.False())
			return
		}
		s.Where(sql.EQ(s.C(block.FieldMemberID), me))
	}
}

// Unheard loads whom each of some members does not hear from, for those who block or mute anybody: one statement.
func Unheard(ctx context.Context, c *ent.Client, members ...gid.ID) (map[gid.ID]map[gid.ID]bool, error) {
	rows, err := c.Block.Query().Where(page.AnyOf(block.FieldMemberID, members)).All(ctx)
	if err != nil {
		return nil, fmt.Errorf("load blocks: %w", err)
	}
	of := make(map[gid.ID]map[gid.ID]bool)
	for _, b := range rows {
		if of[b.MemberID] == nil {
			of[b.MemberID] = make(map[gid.ID]bool)
		}
		of[b.MemberID][b.BlockedID] = true
	}
	return of, nil
}
