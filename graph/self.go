package graph

import (
	"context"

	"github.com/pursuing-equity/commons/ent"
	"github.com/pursuing-equity/commons/internal/notify"
	"github.com/pursuing-equity/commons/internal/viewer"
)

// ofViewer answers a field of members that is for themselves only: nil for everybody but the viewer.
func ofViewer[T any](v viewer.Viewer, members []*ent.Member, load func() (*T, error)) ([]*T, error) {
	out := make([]*T, len(members))
	me, ok := v.MemberID()
	var own *T
	for i, m := range members {
		if !ok || m.ID != me {
			continue
		}
		if own == nil {
			var err error
			if own, err = load(); err != nil {
				return nil, err
			}
		}
		out[i] = own
	}
	return out, nil
}

func unreadNotifications(ctx context.Context, s *notify.Service, v viewer.Viewer) (*int, error) {
	n, err := s.UnreadCount(ctx, v)
	return &n, err
}
