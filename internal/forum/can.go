package forum

import (
	"context"
	"fmt"

	"github.com/pursuing-equity/commons/ent"
	"github.com/pursuing-equity/commons/ent/space"
	"github.com/pursuing-equity/commons/ent/thread"
	"github.com/pursuing-equity/commons/internal/access"
	"github.com/pursuing-equity/commons/internal/gid"
	"github.com/pursuing-equity/commons/internal/page"
	"github.com/pursuing-equity/commons/internal/viewer"
)

// ThreadAbilities are what the viewer may do with a thread.
type ThreadAbilities struct{ Reply, Rename, AcceptAnswer, Moderate bool }

// PostAbilities are what the viewer may do with a post.
type PostAbilities struct{ Edit, Delete, React, Flag, Hide bool }

// ThreadAbilities says for each thread what the viewer may do: at most two statements, whatever the number of threads.
func (s *Service) ThreadAbilities(ctx context.Context, v viewer.Viewer, threads []*ent.Thread) ([]ThreadAbilities, error) {
	can := make([]ThreadAbilities, len(threads))
	if !v.IsMember() {
		return can, nil
	}
	held, err := s.held(ctx, v, threads)
	if err != nil {
		return nil, err
	}
	for i, t := range threads {
		l := held[t.SpaceID]
		l.Thread = t
		changeable := l.changeable(v) == nil
		can[i] = ThreadAbilities{
			Reply:        l.writable() == nil,
			Rename:       changeable,
			AcceptAnswer: changeable && t.Kind == thread.KindQUESTION,
			Moderate:     l.rights.Moderate,
		}
	}
	return can, nil
}

// PostAbilities says for each post what the viewer may do: at most three statements, whatever the number of posts.
func (s *Service) PostAbilities(ctx context.Context, v viewer.Viewer, posts []*ent.Post) ([]PostAbilities, error) {
	can := make([]PostAbilities, len(posts))
	me, ok := v.MemberID()
	if !ok {
		return can, nil
	}
	ids := make([]gid.ID, len(posts))
	for i, p := range posts {
		ids[i] = p.ThreadID
	}
	threads, err := s.Store.Client(ctx).Thread.Query().Where(page.AnyOf(thread.FieldID, ids)).All(ctx)
	if err != nil {
		return nil, fmt.Errorf("load threads: %w", err)
	}
	held, err := s.held(ctx, v, threads)
	if err != nil {
		return nil, err
	}
	of := make(map[gid.ID]locked, len(threads))
	for _, t := range threads {
		l := held[t.SpaceID]
		l.Thread = t
		of[t.ID] = l
	}
	for i, p := range posts {
		l := of[p.ThreadID]
		open := l.writable() == nil && !silent(p)
		can[i] = PostAbilities{
			Edit:   open && p.AuthorID == me,
			Delete: p.DeletedAt == nil && (p.AuthorID == me && !l.rights.Glass || l.rights.Moderate),
			React:  open,
			Flag:   access.CanFlag(l.rights, l.space, p, me) == nil,
			Hide:   !silent(p) && access.CanJudge(l.rights, l.space, p, me) == nil,
		}
	}
	return can, nil
}

// held loads the spaces of threads with the viewer's rights in them.
func (s *Service) held(ctx context.Context, v viewer.Viewer, threads []*ent.Thread) (map[gid.ID]locked, error) {
	ids := make([]gid.ID, len(threads))
	for i, t := range threads {
		ids[i] = t.SpaceID
	}
	spaces, rights, err := access.HeldSpaces(ctx, s.Store.Client(ctx), v, page.AnyOf(space.FieldID, ids))
	if err != nil {
		return nil, err
	}
	held := make(map[gid.ID]locked, len(spaces))
	for _, sp := range spaces {
		held[sp.ID] = locked{space: sp, rights: rights[sp.ID]}
	}
	return held, nil
}
