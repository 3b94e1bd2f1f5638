package forum

import (
	"context"
	"fmt"
	"slices"
	"time"

	"entgo.io/ent/dialect/sql"

	"github.com/pursuing-equity/commons/ent"
	"github.com/pursuing-equity/commons/ent/poll"
	"github.com/pursuing-equity/commons/ent/polloption"
	"github.com/pursuing-equity/commons/ent/pollvote"
	"github.com/pursuing-equity/commons/ent/post"
	"github.com/pursuing-equity/commons/ent/postlink"
	"github.com/pursuing-equity/commons/ent/postrevision"
	"github.com/pursuing-equity/commons/ent/reaction"
	"github.com/pursuing-equity/commons/ent/schema"
	"github.com/pursuing-equity/commons/internal/event"
	"github.com/pursuing-equity/commons/internal/gid"
	"github.com/pursuing-equity/commons/internal/page"
	"github.com/pursuing-equity/commons/internal/store"
)

// bury makes tombstones of posts of a thread that the transaction holds: what they said and held is gone, and what other posts quote of
// them. Those who follow the thread are told of replies that lost their quote; it returns those in other threads, of which tellOfQuotes tells after the
// commit.
func (s *Service) bury(ctx context.Context, tx *ent.Client, t *locked, ids []gid.ID, now time.Time) (elsewhere []*ent.Post, err error) {
	err = tx.Post.Update().Where(page.AnyOf(post.FieldID, ids)).
		SetBody("").SetBodyHTML("").SetQuote("").ClearHiddenAt().ClearHiddenByID().SetHiddenBody("").SetHiddenReason("").SetReactionCounts([]schema.ReactionCount{}).SetDeletedAt(now).Exec(ctx)
	if err != nil {
		return nil, fmt.Errorf("make tombstones: %w", err)
	}
	if _, err := tx.PostRevision.Delete().Where(page.AnyOf(postrevision.FieldPostID, ids)).Exec(ctx); err != nil {
		return nil, fmt.Errorf("delete revisions: %w", err)
	}
	if _, err := tx.Reaction.Delete().Where(page.AnyOf(reaction.FieldPostID, ids)).Exec(ctx); err != nil {
		return nil, fmt.Errorf("delete reactions: %w", err)
	}
	if _, err := tx.PostLink.Delete().Where(page.AnyOf(postlink.FieldPostID, ids)).Exec(ctx); err != nil {
		return nil, fmt.Errorf("delete links: %w", err)
	}
	if err := detach(ctx, tx, ids, now); err != nil {
		return nil, err
	}
	if err := deletePolls(ctx, tx, ids); err != nil {
		return nil, err
	}
	if err := store.Unindex(ctx, tx, ids...); err != nil {
		return nil, err
	}
	if t.AcceptedPostID != nil && slices.Contains(ids, *t.AcceptedPostID) {
		if err := tx.Thread.UpdateOneID(t.ID).ClearAcceptedPostID().Exec(ctx); err != nil {
			return nil, fmt.Errorf("forget the accepted answer: %w", err)
		}
	}
	if err := forgetArchivesOf(ctx, tx, t.SpaceID, now); err != nil {
		return nil, err
	}
	return s.unquote(ctx, tx, t, ids, now)
}

// quoting is true for a post that quotes another; the index on quotes says it in the same words.
func quoting(s *sql.Selector) {
	s.Where(sql.P(func(b *sql.Builder) { b.WriteString("length(").Ident(s.C(post.FieldQuote)).WriteString(") > 0") }))
}

// unquote forgets what is quoted of posts, wherever it is, and tells those who follow the thread. It returns the replies in other threads.
func (s *Service) unquote(ctx context.Context, tx *ent.Client, t *locked, ids []gid.ID, now time.Time) (elsewhere []*ent.Post, err error) {
	replies, err := tx.Post.Query().Where(page.AnyOf(post.FieldReplyToID, ids), quoting).Select(post.FieldID, post.FieldThreadID).
		Order(post.ByThreadID(), post.BySeq()).All(ctx)
	if err != nil || len(replies) == 0 {
		return nil, err
	}
	all := make([]gid.ID, len(replies))
	var here []*ent.Post
	for i, r := range replies {
		all[i] = r.ID
		if r.ThreadID == t.ID {
			here = append(here, r)
		} else {
			elsewhere = append(elsewhere, r)
		}
	}
	if err := tx.Post.Update().Where(page.AnyOf(post.FieldID, all)).SetQuote("").Exec(ctx); err != nil {
		return nil, fmt.Errorf("forget quotes: %w", err)
	}
	if len(here) == 0 {
		return elsewhere, nil
	}
	u, err := s.announce(ctx, tx, t, here, now, event.PostEdited, gid.ID{})
	if err != nil {
		return nil, err
	}
	return elsewhere, u.Exec(ctx)
}

func deletePolls(ctx context.Context, tx *ent.Client, posts []gid.ID) error {
	ids, err := tx.Poll.Query().Where(page.AnyOf(poll.FieldPostID, posts)).IDs(ctx)
	if err != nil || len(ids) == 0 {
		return err
	}
	if _, err := tx.PollVote.Delete().Where(page.AnyOf(pollvote.FieldPollID, ids)).Exec(ctx); err != nil {
		return fmt.Errorf("delete votes: %w", err)
	}
	if _, err := tx.PollOption.Delete().Where(page.AnyOf(polloption.FieldPollID, ids)).Exec(ctx); err != nil {
		return fmt.Errorf("delete options: %w", err)
	}
	if _, err := tx.Poll.Delete().Where(page.AnyOf(poll.FieldID, ids)).Exec(ctx); err != nil {
		return fmt.Errorf("delete polls: %w", err)
	}
	return nil
}
