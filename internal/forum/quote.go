package forum

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/pursuing-equity/commons/ent"
	"github.com/pursuing-equity/commons/ent/post"
	"github.com/pursuing-equity/commons/internal/event"
	"github.com/pursuing-equity/commons/internal/fault"
	"github.com/pursuing-equity/commons/internal/gid"
)

// maxQuote is the longest quote, in characters.
const maxQuote = 2_000

// quotable says whether a quote is of a post: it must stand in its body as it is now. White space is all the same.
func quotable(quote string, from *ent.Post) error {
	plain := func(text string) string { return strings.Join(strings.Fields(text), " ") }
	switch {
	case quote == "":
		return nil
	case from == nil:
		return fault.Invalid("quote", "A quote needs the post that it is from: give replyToId.")
	case from.HiddenAt != nil || !strings.Contains(plain(from.Body), plain(quote)):
		return fault.Invalid("quote", "The post that is answered does not say this.")
	}
	return nil
}

// Quotes are what posts repeat of the posts that they answer, nil for nothing; nothing while the quoted post is hidden, or in a space of
// other readers. At most two statements for all, none when there are no quotes.
func (s *Service) Quotes(ctx context.Context, posts []*ent.Post) ([]*string, error) {
	quotes := make([]*string, len(posts))
	var quoting []*ent.Post
	for _, p := range posts {
		if p.Quote != "" && p.HiddenAt == nil {
			quoting = append(quoting, p)
		}
	}
	answered, err := s.Answered(ctx, quoting, Whole)
	if err != nil {
		return nil, err
	}
	shown := make(map[gid.ID]bool, len(quoting))
	for i, p := range quoting {
		shown[p.ID] = answered[i] != nil && answered[i].HiddenAt == nil
	}
	for i, p := range posts {
		if shown[p.ID] {
			quotes[i] = &p.Quote
		}
	}
	return quotes, nil
}

// requote tells those who follow a thread of the replies in it that quote a post, which was hidden or is shown again.
func (s *Service) requote(ctx context.Context, tx *ent.Client, t *locked, id gid.ID, at time.Time) error {
	replies, err := tx.Post.Query().Where(post.ThreadID(t.ID), post.ReplyToID(id), quoting, post.HiddenAtIsNil()).
		Select(post.FieldID).Order(post.BySeq()).All(ctx)
	if err != nil {
		return fmt.Errorf("look for quotes: %w", err)
	}
	if len(replies) == 0 {
		return nil
	}
	u, err := s.announce(ctx, tx, t, replies, at, event.PostEdited, gid.ID{})
	if err != nil {
		return err
	}
	return u.Exec(ctx)
}

// RequoteElsewhere is what hiding a post, or showing it again, does in the thread of the post, for replies that were moved to other threads. It
// comes after the commit, and holds each thread alone: two under one lock could wait for each other in a circle. What those threads show is
// right as soon as the post is hidden; should the process end before, who follows them sees it when they load the post again.
func (s *Service) RequoteElsewhere(ctx context.Context, j *Judged) error {
	if !j.changed {
		return nil
	}
	replies, err := s.Store.Client(ctx).Post.Query().Where(post.ReplyToID(j.Post.ID), post.ThreadIDNEQ(j.Post.ThreadID), quoting, post.HiddenAtIsNil()).
		Select(post.FieldID, post.FieldThreadID).Order(post.ByThreadID(), post.BySeq()).All(ctx)
	if err != nil {
		return fmt.Errorf("look for quotes elsewhere: %w", err)
	}
	return s.tellOfQuotes(ctx, replies)
}

// tellOfQuotes tells those who follow the threads of replies that these show another quote, or none any more.
func (s *Service) tellOfQuotes(ctx context.Context, replies []*ent.Post) error {
	return s.perThread(ctx, replies, func(ctx context.Context, tx *ent.Client, t *locked, replies []*ent.Post, at time.Time) error {
		u, err := s.announce(ctx, tx, t, replies, at, event.PostEdited, gid.ID{})
		if err != nil {
			return err
		}
		return u.Exec(ctx)
	})
}
