package forum

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/pursuing-equity/commons/ent"
	"github.com/pursuing-equity/commons/ent/reaction"
	"github.com/pursuing-equity/commons/ent/schema"
	"github.com/pursuing-equity/commons/internal/access"
	"github.com/pursuing-equity/commons/internal/event"
	"github.com/pursuing-equity/commons/internal/fault"
	"github.com/pursuing-equity/commons/internal/gid"
	"github.com/pursuing-equity/commons/internal/viewer"
)

// maxEmoji is how many different emoji one post takes.
const maxEmoji = 20

// AddReaction reacts to a post. Doing it again changes nothing.
func (s *Service) AddReaction(ctx context.Context, v viewer.Viewer, postID gid.ID, emoji string) (*ent.Post, error) {
	return s.react(ctx, v, postID, emoji, func(ctx context.Context, tx *ent.Client, p *ent.Post, me gid.ID, has bool) ([]schema.ReactionCount, error) {
		if has {
			return nil, nil
		}
		i := slices.IndexFunc(p.ReactionCounts, func(c schema.ReactionCount) bool { return c.Emoji == emoji })
		if i < 0 {
			if len(p.ReactionCounts) >= maxEmoji {
				return nil, fault.New(fault.LimitReached, "A post takes at most %d different emoji.", maxEmoji).At("emoji")
			}
			p.ReactionCounts = append(p.ReactionCounts, schema.ReactionCount{Emoji: emoji})
			i = len(p.ReactionCounts) - 1
		}
		p.ReactionCounts[i].Count++
		return p.ReactionCounts, tx.Reaction.Create().SetID(s.NewID(gid.Reaction)).SetPostID(p.ID).SetMemberID(me).SetEmoji(emoji).SetCreatedAt(s.Now()).Exec(ctx)
	})
}

// RemoveReaction takes a reaction back. Doing it again changes nothing.
func (s *Service) RemoveReaction(ctx context.Context, v viewer.Viewer, postID gid.ID, emoji string) (*ent.Post, error) {
	return s.react(ctx, v, postID, emoji, func(ctx context.Context, tx *ent.Client, p *ent.Post, me gid.ID, has bool) ([]schema.ReactionCount, error) {
		if !has {
			return nil, nil
		}
		counts := []schema.ReactionCount{}
		for _, c := range p.ReactionCounts {
			if c.Emoji == emoji {
				c.Count--
			}
			if c.Count > 0 {
				counts = append(counts, c)
			}
		}
		_, err := tx.Reaction.Delete().Where(reaction.PostID(p.ID), reaction.MemberID(me), reaction.Emoji(emoji)).Exec(ctx)
		return counts, err
	})
}

// react runs one change of a post's reactions under the thread's lock; a change that returns no counts changes nothing.
func (s *Service) react(ctx context.Context, v viewer.Viewer, postID gid.ID, emoji string,
	do func(ctx context.Context, tx *ent.Client, p *ent.Post, me gid.ID, has bool) ([]schema.ReactionCount, error),
) (*ent.Post, error) {
	me, err := access.SignedIn(v)
	if err != nil {
		return nil, err
	}
	if !isEmoji(emoji) {
		return nil, fault.Invalid("emoji", "This must be one emoji.")
	}
	err = s.Store.InTx(ctx, func(ctx context.Context, tx *ent.Client) error {
		t, p, err := s.lockOf(ctx, tx, v, postID)
		if err != nil {
			return err
		}
		if err := t.writable(); err != nil {
			return err
		}
		if p.DeletedAt != nil {
			return fault.Denied("This post was deleted.")
		}
		if p.HiddenAt != nil {
			return hiddenPost()
		}
		has, err := tx.Reaction.Query().Where(reaction.PostID(postID), reaction.MemberID(me), reaction.Emoji(emoji)).Exist(ctx)
		if err != nil {
			return fmt.Errorf("load reaction: %w", err)
		}
		counts, err := do(ctx, tx, p, me, has)
		if err != nil || counts == nil {
			return err
		}
		if err := tx.Post.UpdateOneID(postID).SetReactionCounts(counts).Exec(ctx); err != nil {
			return fmt.Errorf("count reactions: %w", err)
		}
		return s.touch(ctx, tx, t, s.Now(), event.Entry{Kind: event.ReactionsChanged, Object: postID, Actor: me})
	})
	if err != nil {
		return nil, err
	}
	return s.Post(ctx, v, postID)
}

// isEmoji accepts one emoji with its modifiers: symbols, joined by zero-width joiners, with variation selectors, skin tones,
// regional indicators, tags and keycaps. It accepts no letters, so nothing can be written in reactions.
func isEmoji(s string) bool {
	if s == "" || len(s) > 64 || !utf8.ValidString(s) {
		return false
	}
	symbols := 0
	for _, r := range s {
		switch {
		case r == 0x200D || r == 0xFE0F || r == 0x20E3 || r >= 0x1F3FB && r <= 0x1F3FF || r >= 0xE0020 && r <= 0xE007F:
		case unicode.Is(unicode.So, r):
			symbols++
		case r == '‼' || r == '⁉' || r == '〰' || r == '〽' || unicode.Is(unicode.Sm, r) && r >= 0x2190:
			symbols++
		case strings.ContainsRune("0123456789#*", r) && strings.HasSuffix(s, "\u20E3"):
			symbols++
		default:
			return false
		}
	}
	joins := strings.Count(s, "\u200D")
	flags := strings.IndexFunc(s, func(r rune) bool { return r >= 0x1F1E6 && r <= 0x1F1FF }) >= 0
	return symbols == joins+1 || flags && symbols == 2
}
