package graph

import (
	"github.com/pursuing-equity/commons/ent"
	"github.com/pursuing-equity/commons/internal/forum"
)

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
