package moderation

import (
	"context"
	"fmt"

	"entgo.io/ent/dialect/sql"

	"github.com/pursuing-equity/commons/ent"
	"github.com/pursuing-equity/commons/ent/flag"
	"github.com/pursuing-equity/commons/ent/moderationaction"
	"github.com/pursuing-equity/commons/ent/post"
	"github.com/pursuing-equity/commons/internal/gid"
	"github.com/pursuing-equity/commons/internal/notify"
	"github.com/pursuing-equity/commons/internal/page"
)

// Erase scrubs what a member wrote and did here. It may be broken off at any moment, and done again changes nothing more. What they said
// with flags, why they decided, and what moderators wrote to them or about what they wrote goes; that there was a flag or an act stays.
func (s *Service) Erase(ctx context.Context, id gid.ID) error {
	for _, part := range []func(context.Context, gid.ID) error{s.eraseBlocks, s.eraseFlags, s.eraseActions, s.eraseReasons} {
		if err := part(ctx, id); err != nil {
			return fmt.Errorf("erase what %s moderated: %w", id, err)
		}
	}
	return nil
}

// eraseFlags forgets what the member said, as who raised or resolved flags, and what others said about the member's posts: they are words
// about the member.
func (s *Service) eraseFlags(ctx context.Context, id gid.ID) error {
	theirs := flag.HasPostWith(post.AuthorID(id))
	for _, part := range []struct {
		which func(*sql.Selector)
		scrub func(*ent.FlagUpdate) *ent.FlagUpdate
	}{
		{flag.And(flag.NoteNEQ(""), flag.Or(flag.ReporterID(id), theirs)), func(u *ent.FlagUpdate) *ent.FlagUpdate { return u.SetNote("") }},
		{flag.And(flag.ResolutionNEQ(""), flag.Or(flag.ResolverID(id), theirs)), func(u *ent.FlagUpdate) *ent.FlagUpdate { return u.SetResolution("") }},
	} {
		err := s.eachFlag(ctx, part.which, func(ctx context.Context, tx *ent.Client, f *ent.Flag) error {
			return part.scrub(tx.Flag.Update().Where(flag.ID(f.ID))).Exec(ctx)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func (s *Service) eraseActions(ctx context.Context, id gid.ID) error {
	return s.eachAction(ctx, moderationaction.And(
		moderationaction.Or(moderationaction.ModeratorID(id), moderationaction.MemberID(id)), moderationaction.ReasonNEQ(""),
	), func(*ent.ModerationAction) string { return "" })
}

// eraseReasons forgets why the member hid posts.
func (s *Service) eraseReasons(ctx context.Context, id gid.ID) error {
	return page.Walk(eraseBatch, func(p *ent.Post) gid.ID { return p.ID }, func(within func(*sql.Selector)) ([]*ent.Post, error) {
		return s.Store.Client(ctx).Post.Query().Where(post.HiddenByID(id), post.HiddenReasonNEQ(""), within).Select(post.FieldID).All(ctx)
	}, func(rows []*ent.Post) error {
		ids := make([]gid.ID, len(rows))
		for i, p := range rows {
			ids[i] = p.ID
		}
		return s.Store.InTx(ctx, func(ctx context.Context, tx *ent.Client) error {
			return tx.Post.Update().Where(page.AnyOf(post.FieldID, ids), post.HiddenByID(id)).SetHiddenReason("").Exec(ctx)
		})
	})
}

// EraseMentions writes another handle in place of an erased member's in what members said with flags and moderators gave as reasons.
func (s *Service) EraseMentions(ctx context.Context, handle, instead string) error {
	mentions := "@" + handle
	// All by the text that was read: a moderator may have decided meanwhile, and another erasure may have forgotten it.
	err := s.eachFlag(ctx, flag.Or(flag.NoteContainsFold(mentions), flag.ResolutionContainsFold(mentions)), func(ctx context.Context, tx *ent.Client, f *ent.Flag) error {
		err := tx.Flag.Update().Where(flag.ID(f.ID), flag.Note(f.Note)).SetNote(notify.Rename(f.Note, handle, instead)).Exec(ctx)
		if err != nil {
			return err
		}
		return tx.Flag.Update().Where(flag.ID(f.ID), flag.Resolution(f.Resolution), flag.ResolutionNEQ("")).SetResolution(notify.Rename(f.Resolution, handle, instead)).Exec(ctx)
	})
	if err != nil {
		return fmt.Errorf("erase mentions: %w", err)
	}
	err = s.eachAction(ctx, moderationaction.ReasonContainsFold(mentions), func(a *ent.ModerationAction) string {
		return notify.Rename(a.Reason, handle, instead)
	})
	if err != nil {
		return fmt.Errorf("erase mentions: %w", err)
	}
	err = page.Walk(eraseBatch, func(p *ent.Post) gid.ID { return p.ID }, func(within func(*sql.Selector)) ([]*ent.Post, error) {
		return s.Store.Client(ctx).Post.Query().Where(post.HiddenReasonContainsFold(mentions), within).All(ctx)
	}, func(rows []*ent.Post) error {
		return s.Store.InTx(ctx, func(ctx context.Context, tx *ent.Client) error {
			for _, p := range rows {
				err := tx.Post.Update().Where(post.ID(p.ID), post.HiddenReason(p.HiddenReason)).SetHiddenReason(notify.Rename(p.HiddenReason, handle, instead)).Exec(ctx)
				if err != nil {
					return fmt.Errorf("replace a mention: %w", err)
				}
			}
			return nil
		})
	})
	if err != nil {
		return fmt.Errorf("erase mentions: %w", err)
	}
	return nil
}

func (s *Service) eachFlag(ctx context.Context, which func(*sql.Selector), do func(context.Context, *ent.Client, *ent.Flag) error) error {
	return page.Walk(eraseBatch, func(f *ent.Flag) gid.ID { return f.ID }, func(within func(*sql.Selector)) ([]*ent.Flag, error) {
		return s.Store.Client(ctx).Flag.Query().Where(which, within).All(ctx)
	}, func(rows []*ent.Flag) error {
		return s.Store.InTx(ctx, func(ctx context.Context, tx *ent.Client) error {
			for _, f := range rows {
				if err := do(ctx, tx, f); err != nil {
					return fmt.Errorf("scrub a flag: %w", err)
				}
			}
			return nil
		})
	})
}

func (s *Service) eachAction(ctx context.Context, which func(*sql.Selector), reason func(*ent.ModerationAction) string) error {
	return page.Walk(eraseBatch, func(a *ent.ModerationAction) gid.ID { return a.ID }, func(within func(*sql.Selector)) ([]*ent.ModerationAction, error) {
		return s.Store.Client(ctx).ModerationAction.Query().Where(which, within).All(ctx)
	}, func(rows []*ent.ModerationAction) error {
		return s.Store.InTx(ctx, func(ctx context.Context, tx *ent.Client) error {
			for _, a := range rows {
				if err := tx.ModerationAction.Update().Where(moderationaction.ID(a.ID), moderationaction.Reason(a.Reason)).SetReason(reason(a)).Exec(ctx); err != nil {
					return fmt.Errorf("scrub a moderator's reason: %w", err)
				}
			}
			return nil
		})
	})
}
