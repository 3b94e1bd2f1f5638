package people

import (
	"context"

	"github.com/pursuing-equity/commons/ent"
	"github.com/pursuing-equity/commons/ent/thread"
	"github.com/pursuing-equity/commons/internal/access"
	"github.com/pursuing-equity/commons/internal/fault"
	"github.com/pursuing-equity/commons/internal/forum"
	"github.com/pursuing-equity/commons/internal/gid"
	"github.com/pursuing-equity/commons/internal/viewer"
)

// introductionTitle names nobody: a title outlives those whom it names.
const introductionTitle = "Introduction"

// Introduction is two members to bring together.
type Introduction struct {
	MemberIDs      []gid.ID
	Message        string
	IdempotencyKey *string
}

// Introduce starts a direct conversation of the viewer's with two members, with a first post. It returns FORBIDDEN for a viewer who may
// start none and when one of the three blocks another one, and NOT_FOUND at a member whom the viewer cannot see.
func (s *Service) Introduce(ctx context.Context, v viewer.Viewer, in Introduction) (*ent.Thread, error) {
	me, err := access.SignedIn(v)
	if err != nil {
		return nil, err
	}
	if len(in.MemberIDs) != 2 {
		return nil, fault.Invalid("memberIds", "Name the two whom you introduce to each other.")
	}
	if err := s.Newcomers.Introduction(ctx, v, in.IdempotencyKey); err != nil {
		return nil, err
	}
	t, err := s.Forum.CreateThread(ctx, v, forum.NewThread{
		Title: introductionTitle, Body: in.Message, Kind: thread.KindINTRODUCTION, With: in.MemberIDs, IdempotencyKey: in.IdempotencyKey,
		Place: func(ctx context.Context, tx *ent.Client) (gid.ID, error) {
			// First whether they can be seen: a block is told of to nobody else.
			id, err := s.Community.StartConversation(ctx, tx, v, in.MemberIDs)
			if err != nil {
				return gid.ID{}, err
			}
			return id, access.CanIntroduce(ctx, tx, append([]gid.ID{me}, in.MemberIDs...)...)
		},
	})
	return t, rename(err, "body", "message")
}

// rename points the faults at a path to another one.
func rename(err error, from, to string) error {
	faults := fault.All(err)
	if len(faults) == 0 {
		return err
	}
	var list fault.List
	for _, f := range faults {
		if len(f.Path) == 1 && f.Path[0] == from {
			f = f.At(to)
		}
		list = append(list, f)
	}
	return list
}
