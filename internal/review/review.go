// Package review has the rules of who reviews which application and what they say.
//
// Who must not judge is read from affiliations, editors and declarations each time: see internal/access. So a post that is added later takes
// an application away from its reviewer at once, with all that hangs on it; what they said stays, counts for nothing while it lasts, and
// counts again when it is over. Staff see such assignments flagged, and decide.
package review

import (
	"context"
	"fmt"
	"time"

	"github.com/pursuing-equity/commons/ent"
	"github.com/pursuing-equity/commons/internal/access"
	"github.com/pursuing-equity/commons/internal/admission"
	"github.com/pursuing-equity/commons/internal/audit"
	"github.com/pursuing-equity/commons/internal/fault"
	"github.com/pursuing-equity/commons/internal/gid"
	"github.com/pursuing-equity/commons/internal/mail"
	"github.com/pursuing-equity/commons/internal/notify"
	"github.com/pursuing-equity/commons/internal/store"
	"github.com/pursuing-equity/commons/internal/viewer"
)

// Service has the rules of reviews. All fields are needed.
type Service struct {
	Store     *store.Store
	Audit     *audit.Log
	Mail      *mail.Service
	Notify    *notify.Service
	Admission *admission.Service
	PublicURL string // where the pages are that mail leads to
	Now       func() time.Time
	NewID     func(gid.Kind) gid.ID
}

func staffOnly(ctx context.Context, tx *ent.Client, v viewer.Viewer) (gid.ID, error) {
	me, err := access.SignedIn(v)
	if err != nil {
		return me, err
	}
	actor, err := access.Load(ctx, tx, v)
	if err == nil && !actor.IsStaff() {
		err = fault.Denied("Only staff can do that.")
	}
	return me, err
}

// isStaff says whether the viewer is staff, the program itself included.
func (s *Service) isStaff(ctx context.Context, v viewer.Viewer) (bool, error) {
	actor, err := access.Load(ctx, s.Store.Client(ctx), v)
	if err != nil {
		return false, err
	}
	return actor.IsStaff(), nil
}

// missing makes NOT_FOUND at a path of what a query did not find, and wraps every other error.
func missing(err error, path string) error {
	if ent.IsNotFound(err) {
		return fault.Missing().At(path)
	}
	return fmt.Errorf("load what %s names: %w", path, err)
}

func idsOf[T any](rows []*T, id func(*T) gid.ID) []gid.ID {
	ids := make([]gid.ID, len(rows))
	for i, r := range rows {
		ids[i] = id(r)
	}
	return ids
}

func applicationID(a *ent.Application) gid.ID { return a.ID }

func setOf(ids []gid.ID) map[gid.ID]bool {
	set := make(map[gid.ID]bool, len(ids))
	for _, id := range ids {
		set[id] = true
	}
	return set
}
