package graph

import (
	"github.com/pursuing-equity/commons/ent"
	"github.com/pursuing-equity/commons/graph/model"
	"github.com/pursuing-equity/commons/internal/forum"
)

func newThread(in model.CreateThreadInput) forum.NewThread {
	tags, _ := in.Tags.ValueOK()
	return forum.NewThread{
		SpaceID: in.SpaceID, Title: in.Title, Body: in.Body, Kind: orZero(in.Kind), Tags: tags, IdempotencyKey: optional(in.IdempotencyKey),
	}
}

// reacted picks from the viewer's reactions to posts those to each.
func reacted(posts []*ent.Post, mine map[forum.ReactionOf]bool) []map[string]bool {
	return pick(posts, func(p *ent.Post) map[string]bool {
		own := make(map[string]bool, len(p.ReactionCounts))
		for _, c := range p.ReactionCounts {
			own[c.Emoji] = mine[forum.ReactionOf{Post: p.ID, Emoji: c.Emoji}]
		}
		return own
	})
}

func lastRead(state *ent.ReadState) int {
	if state == nil {
		return 0
	}
	return state.LastReadSeq
}
