// Package library has the rules of resources, and search over everything that can be found.
package library

import (
	"context"
	"fmt"
	"time"

	"github.com/pursuing-equity/commons/ent"
	"github.com/pursuing-equity/commons/ent/resource"
	"github.com/pursuing-equity/commons/internal/access"
	"github.com/pursuing-equity/commons/internal/fault"
	"github.com/pursuing-equity/commons/internal/gid"
	"github.com/pursuing-equity/commons/internal/store"
	"github.com/pursuing-equity/commons/internal/viewer"
)

// Service has the rules of resources and of search. All fields are needed.
type Service struct {
	Store *store.Store
	Now   func() time.Time
	NewID func(gid.Kind) gid.ID
}

// Resource loads a resource that the viewer can see, retired ones included; NOT_FOUND otherwise.
func (s *Service) Resource(ctx context.Context, v viewer.Viewer, id gid.ID) (*ent.Resource, error) {
	r, err := s.Store.Client(ctx).Resource.Query().Where(resource.ID(id), access.VisibleResources(v)).Only(ctx)
	if ent.IsNotFound(err) {
		return nil, fault.Missing()
	}
	if err != nil {
		return nil, fmt.Errorf("load resource: %w", err)
	}
	return r, nil
}

// CanUpdate says for each resource whether the viewer may change it now: at most four statements, whatever the number.
func (s *Service) CanUpdate(ctx context.Context, v viewer.Viewer, resources []*ent.Resource) ([]bool, error) {
	c := s.Store.Client(ctx)
	actor, err := access.Load(ctx, c, v)
	if err != nil {
		return nil, err
	}
	refused, err := actor.CanUpdateResources(ctx, c, resources...)
	if err != nil {
		return nil, err
	}
	can := make([]bool, len(resources))
	for i, r := range resources {
		can[i] = refused[r.ID] == nil
	}
	return can, nil
}
