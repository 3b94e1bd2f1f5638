package graph

import (
	"github.com/pursuing-equity/commons/ent"
	"github.com/pursuing-equity/commons/graph/model"
	"github.com/pursuing-equity/commons/internal/forum"
	"github.com/pursuing-equity/commons/internal/gid"
	"github.com/pursuing-equity/commons/internal/viewer"
)

func reactionGroups(posts []*ent.Post, mine map[forum.ReactionOf]bool) [][]*model.ReactionGroup {
	return pick(posts, func(p *ent.Post) []*model.ReactionGroup {
		groups := make([]*model.ReactionGroup, len(p.ReactionCounts))
		for i, c := range p.ReactionCounts {
			groups[i] = &model.ReactionGroup{Emoji: c.Emoji, Count: c.Count, ViewerHasReacted: mine[forum.ReactionOf{Post: p.ID, Emoji: c.Emoji}]}
		}
		return groups
	})
}

func unread(v viewer.Viewer, t *ent.Thread, states map[gid.ID]*ent.ReadState) int {
	if !v.IsMember() {
		return 0
	}
	return forum.Unread(t, states[t.ID])
}

func lastRead(state *ent.ReadState) int {
	if state == nil {
		return 0
	}
	return state.LastReadSeq
}
