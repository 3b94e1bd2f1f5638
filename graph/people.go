package graph

import (
	"context"

	"github.com/pursuing-equity/commons/ent"
	"github.com/pursuing-equity/commons/internal/people"
	"github.com/pursuing-equity/commons/internal/viewer"
)

// given is an argument that has a default: null means the zero value, which the domain refuses where it is no good.
func given[T any](v *T) T {
	if v != nil {
		return *v
	}
	var zero T
	return zero
}

func ownPresence(v viewer.Viewer, m *ent.Member) *bool {
	if me, ok := v.MemberID(); !ok || m.ID != me {
		return nil
	}
	return &m.ShowsPresence
}

func suggestions(ctx context.Context, s *people.Service, v viewer.Viewer, members []*ent.Member, first int) ([][]*people.ConnectionSuggestion, error) {
	own, err := ofViewer(v, members, func() (*[]*people.ConnectionSuggestion, error) {
		found, err := s.Suggestions(ctx, v, first)
		return &found, err
	})
	return pick(own, func(of *[]*people.ConnectionSuggestion) []*people.ConnectionSuggestion {
		if of == nil {
			return nil
		}
		return *of
	}), err
}
