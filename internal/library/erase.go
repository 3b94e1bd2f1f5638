package library

import (
	"context"
	"fmt"

	"entgo.io/ent/dialect/sql"

	"github.com/pursuing-equity/commons/ent"
	"github.com/pursuing-equity/commons/ent/resource"
	"github.com/pursuing-equity/commons/ent/resourceversion"
	"github.com/pursuing-equity/commons/internal/gid"
	"github.com/pursuing-equity/commons/internal/page"
	"github.com/pursuing-equity/commons/internal/store"
)

// erasedTitle is what stands in place of what an erased member wrote.
const erasedTitle = "Erased resource"

// Erase scrubs what a member wrote in resources that are kept in spaces: each of their versions, and the resource itself when the
// newest version is theirs; it is retired then. What the whole network or the public works with was published by the program under a
// licence, and stays. It may be broken off at any moment, and done again changes nothing more.
func (s *Service) Erase(ctx context.Context, author gid.ID) error {
	theirs := []func(*sql.Selector){
		resourceversion.AuthorID(author), resourceversion.TitleNEQ(erasedTitle),
		resourceversion.HasResourceWith(resource.AudienceEQ(resource.AudienceSPACE)),
	}
	err := page.Walk(page.Max, func(v *ent.ResourceVersion) gid.ID { return v.ID }, func(within func(*sql.Selector)) ([]*ent.ResourceVersion, error) {
		q := s.Store.Client(ctx).ResourceVersion.Query().Where(within)
		for _, p := range theirs {
			q.Where(p)
		}
		return q.All(ctx)
	}, func(versions []*ent.ResourceVersion) error {
		for _, v := range versions {
			err := s.Store.InTx(ctx, func(ctx context.Context, tx *ent.Client) error { return s.eraseVersion(ctx, tx, v) })
			if err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("erase resources of %s: %w", author, err)
	}
	return nil
}

func (s *Service) eraseVersion(ctx context.Context, tx *ent.Client, v *ent.ResourceVersion) error {
	r, err := tx.Resource.Query().Where(resource.ID(v.ResourceID), store.LockRow).Only(ctx)
	if err != nil {
		return fmt.Errorf("lock resource: %w", err)
	}
	err = tx.ResourceVersion.UpdateOneID(v.ID).SetTitle(erasedTitle).SetSummary("").SetURL("").SetLicence("").SetNote("").ClearFileID().Exec(ctx)
	if err != nil {
		return fmt.Errorf("erase a version: %w", err)
	}
	if v.Number != r.Version {
		return nil
	}
	now := s.Now()
	u := tx.Resource.UpdateOneID(r.ID).SetTitle(erasedTitle).SetSummary("").SetURL("").SetLicence("").ClearFileID().SetUpdatedAt(now)
	if r.ArchivedAt == nil {
		u.SetArchivedAt(now)
	}
	if err := u.Exec(ctx); err != nil {
		return fmt.Errorf("erase a resource: %w", err)
	}
	return store.Unindex(ctx, tx, r.ID)
}
