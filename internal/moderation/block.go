package moderation

import (
	"context"
	"fmt"

	"entgo.io/ent/dialect/sql"

	"github.com/pursuing-equity/commons/ent"
	"github.com/pursuing-equity/commons/ent/block"
	"github.com/pursuing-equity/commons/ent/member"
	"github.com/pursuing-equity/commons/internal/access"
	"github.com/pursuing-equity/commons/internal/fault"
	"github.com/pursuing-equity/commons/internal/gid"
	"github.com/pursuing-equity/commons/internal/page"
	"github.com/pursuing-equity/commons/internal/viewer"
)

// mostBlocks is how many members one can block and mute.
const mostBlocks = 500

// BlockMember keeps the viewer from hearing from a member, and the member from writing to them directly; a mute becomes a block. Doing it
// again changes nothing. It returns NOT_FOUND for whom the viewer cannot see, and LIMIT_REACHED for who has 500.
func (s *Service) BlockMember(ctx context.Context, v viewer.Viewer, id gid.ID) error {
	return s.deafen(ctx, v, id, block.KindBLOCK)
}

// MuteMember keeps the viewer from hearing from a member, who can tell even less of it. Whom the viewer blocks stays blocked.
func (s *Service) MuteMember(ctx context.Context, v viewer.Viewer, id gid.ID) error {
	return s.deafen(ctx, v, id, block.KindMUTE)
}

func (s *Service) deafen(ctx context.Context, v viewer.Viewer, id gid.ID, kind block.Kind) error {
	return s.alone(ctx, v, func(ctx context.Context, tx *ent.Client, me gid.ID) error {
		if id == me {
			return fault.Invalid("memberId", "That is yourself.")
		}
		seen, err := tx.Member.Query().Where(member.ID(id), access.VisibleMembers(v)).Exist(ctx)
		if err != nil {
			return fmt.Errorf("load member: %w", err)
		}
		if !seen {
			return fault.Missing().At("memberId")
		}
		old, err := tx.Block.Query().Where(access.OwnBlocks(v), block.BlockedID(id)).Only(ctx)
		switch {
		case err == nil && (old.Kind == kind || kind == block.KindMUTE):
			return nil
		case err == nil:
			return tx.Block.UpdateOne(old).SetKind(kind).Exec(ctx)
		case !ent.IsNotFound(err):
			return fmt.Errorf("load block: %w", err)
		}
		n, err := tx.Block.Query().Where(access.OwnBlocks(v)).Count(ctx)
		if err != nil {
			return fmt.Errorf("count blocks: %w", err)
		}
		if n >= mostBlocks {
			return fault.New(fault.LimitReached, "You block and mute %d members. End one that you no longer need.", n)
		}
		err = tx.Block.Create().SetID(s.NewID(gid.Block)).SetCreatedAt(s.Now()).SetMemberID(me).SetBlockedID(id).SetKind(kind).Exec(ctx)
		if err != nil {
			return fmt.Errorf("block member: %w", err)
		}
		return nil
	})
}

// UnblockMember ends a block. It returns NOT_FOUND for whom the viewer can neither see nor blocks; where there is no block it changes nothing.
func (s *Service) UnblockMember(ctx context.Context, v viewer.Viewer, id gid.ID) error {
	return s.hear(ctx, v, id, block.KindBLOCK)
}

// UnmuteMember ends a mute, as UnblockMember does a block.
func (s *Service) UnmuteMember(ctx context.Context, v viewer.Viewer, id gid.ID) error {
	return s.hear(ctx, v, id, block.KindMUTE)
}

func (s *Service) hear(ctx context.Context, v viewer.Viewer, id gid.ID, kind block.Kind) error {
	return s.alone(ctx, v, func(ctx context.Context, tx *ent.Client, _ gid.ID) error {
		n, err := tx.Block.Delete().Where(access.OwnBlocks(v), block.BlockedID(id), block.KindEQ(kind)).Exec(ctx)
		if err != nil {
			return fmt.Errorf("end block: %w", err)
		}
		if n > 0 {
			return nil
		}
		seen, err := tx.Member.Query().Where(member.ID(id), access.VisibleMembers(v)).Exist(ctx)
		if err == nil && !seen {
			err = fault.Missing().At("memberId")
		}
		return err
	})
}

// Block is one of the viewer's, with the blocked member as far as the viewer can still see them.
type Block struct {
	*ent.Block
	Blocked *ent.Member
}

// Blocks are whom the viewer blocks and mutes, the newest first: 500 at most. Two statements.
func (s *Service) Blocks(ctx context.Context, v viewer.Viewer) ([]*Block, error) {
	c := s.Store.Client(ctx)
	rows, err := c.Block.Query().Where(access.OwnBlocks(v)).Order(ent.Desc(block.FieldID)).All(ctx)
	if err != nil {
		return nil, fmt.Errorf("load blocks: %w", err)
	}
	ids := make([]gid.ID, len(rows))
	for i, b := range rows {
		ids[i] = b.BlockedID
	}
	members, err := c.Member.Query().Where(page.AnyOf(member.FieldID, ids), access.VisibleMembers(v)).All(ctx)
	if err != nil {
		return nil, fmt.Errorf("load members: %w", err)
	}
	of := make(map[gid.ID]*ent.Member, len(members))
	for _, m := range members {
		of[m.ID] = m
	}
	blocks := make([]*Block, len(rows))
	for i, b := range rows {
		blocks[i] = &Block{b, of[b.BlockedID]}
	}
	return blocks, nil
}

// eraseBatch is how many rows are scrubbed at once.
const eraseBatch = 1000

// eraseBlocks deletes whom a member blocked, and who blocked them.
func (s *Service) eraseBlocks(ctx context.Context, id gid.ID) error {
	return page.Walk(eraseBatch, func(b *ent.Block) gid.ID { return b.ID }, func(within func(*sql.Selector)) ([]*ent.Block, error) {
		return s.Store.Client(ctx).Block.Query().Where(block.Or(block.MemberID(id), block.BlockedID(id)), within).Select(block.FieldID).All(ctx)
	}, func(rows []*ent.Block) error {
		ids := make([]gid.ID, len(rows))
		for i, b := range rows {
			ids[i] = b.ID
		}
		return s.Store.InTx(ctx, func(ctx context.Context, tx *ent.Client) error {
			_, err := tx.Block.Delete().Where(page.AnyOf(block.FieldID, ids)).Exec(ctx)
			return err
		})
	})
}
