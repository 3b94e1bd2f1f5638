package library

import (
	"context"
	"fmt"

	"entgo.io/ent/dialect/sql"

	"github.com/pursuing-equity/commons/ent"
	"github.com/pursuing-equity/commons/ent/framework"
	"github.com/pursuing-equity/commons/ent/resource"
	"github.com/pursuing-equity/commons/ent/resourceversion"
	"github.com/pursuing-equity/commons/internal/access"
	"github.com/pursuing-equity/commons/internal/gid"
	"github.com/pursuing-equity/commons/internal/page"
	"github.com/pursuing-equity/commons/internal/viewer"
)

// The orders of this package's lists.
var (
	byChange = page.Order{Name: "resources", Column: resource.FieldUpdatedAt, Part: page.ByTime, Desc: true}
	byNumber = page.Order{Name: "versions", Column: resourceversion.FieldNumber, Part: page.ByInt, Desc: true}
)

func place(r *ent.Resource) page.Key { return page.Key{Time: r.UpdatedAt, ID: r.ID} }

// Filter narrows a list of resources; nil fields narrow nothing.
type Filter struct {
	Kind        *resource.Kind
	FrameworkID *gid.ID
}

// List is the resources that the viewer can see, the most recently changed first; retired ones are left out.
func (s *Service) List(ctx context.Context, v viewer.Viewer, f Filter, a page.Args) (*page.Connection[ent.Resource], error) {
	w, err := a.Window(byChange, gid.ID{})
	if err != nil {
		return nil, err
	}
	q := s.Store.Client(ctx).Resource.Query().Where(resource.ArchivedAtIsNil(), access.VisibleResources(v))
	if f.Kind != nil {
		q.Where(resource.KindEQ(*f.Kind))
	}
	if f.FrameworkID != nil {
		q.Where(resource.HasFrameworksWith(framework.ID(*f.FrameworkID)))
	}
	rows, err := q.Where(byChange.Page(w)).All(ctx)
	if err != nil {
		return nil, fmt.Errorf("list resources: %w", err)
	}
	return page.Build(byChange, w, gid.ID{}, rows, place), nil
}

// InSpaces are the resources that are kept in spaces, as List has them: one statement for all spaces.
func (s *Service) InSpaces(ctx context.Context, v viewer.Viewer, spaces []gid.ID, a page.Args) ([]*page.Connection[ent.Resource], error) {
	return page.Each(byChange, a, resource.FieldSpaceID, spaces, place,
		func(r *ent.Resource) gid.ID { return *r.SpaceID },
		func(within func(*sql.Selector)) ([]*ent.Resource, error) {
			return s.Store.Client(ctx).Resource.Query().Where(within).All(ctx)
		}, resource.ArchivedAtIsNil(), access.VisibleResources(v))
}

// Versions are what resources were, the newest first: one statement for all resources.
func (s *Service) Versions(ctx context.Context, v viewer.Viewer, resources []gid.ID, a page.Args) ([]*page.Connection[ent.ResourceVersion], error) {
	return page.Each(byNumber, a, resourceversion.FieldResourceID, resources,
		func(r *ent.ResourceVersion) page.Key { return page.Key{Int: int64(r.Number)} },
		func(r *ent.ResourceVersion) gid.ID { return r.ResourceID },
		func(within func(*sql.Selector)) ([]*ent.ResourceVersion, error) {
			return s.Store.Client(ctx).ResourceVersion.Query().Where(within, access.VisibleResourceVersions(v)).All(ctx)
		})
}

// Frameworks are all frameworks by name. Everybody can see them.
func (s *Service) Frameworks(ctx context.Context) ([]*ent.Framework, error) {
	all, err := s.Store.Client(ctx).Framework.Query().Order(framework.ByName(), framework.ByID()).All(ctx)
	if err != nil {
		return nil, fmt.Errorf("list frameworks: %w", err)
	}
	return all, nil
}

// FrameworksOf are the frameworks that each resource belongs to, by name: one statement for all resources.
func (s *Service) FrameworksOf(ctx context.Context, resources []gid.ID) ([][]*ent.Framework, error) {
	const tagged = "tagged_id"
	q := s.Store.Client(ctx).Framework.Query().Order(framework.ByName(), framework.ByID())
	q.Modify(func(f *sql.Selector) {
		tags := sql.Dialect(f.Dialect()).Table(resource.FrameworksTable).As("tags")
		resourceID, frameworkID := tags.C(resource.FrameworksPrimaryKey[0]), tags.C(resource.FrameworksPrimaryKey[1])
		f.Join(tags).On(f.C(framework.FieldID), frameworkID)
		page.AnyOf(resourceID, resources)(f)
		f.AppendSelectAs(resourceID, tagged)
	})
	rows, err := q.All(ctx)
	if err != nil {
		return nil, fmt.Errorf("load frameworks: %w", err)
	}
	of := make(map[gid.ID][]*ent.Framework, len(resources))
	for _, f := range rows {
		value, err := f.Value(tagged)
		if err != nil {
			return nil, fmt.Errorf("load frameworks: %w", err)
		}
		var id gid.ID
		if err := id.Scan(value); err != nil {
			return nil, fmt.Errorf("load frameworks: %w", err)
		}
		of[id] = append(of[id], f)
	}
	out := make([][]*ent.Framework, len(resources))
	for i, id := range resources {
		if out[i] = of[id]; out[i] == nil {
			out[i] = []*ent.Framework{}
		}
	}
	return out, nil
}
