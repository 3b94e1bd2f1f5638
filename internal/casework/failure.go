package casework

import (
	"context"
	"fmt"
	"math"

	"github.com/pursuing-equity/commons/ent"
	"github.com/pursuing-equity/commons/ent/bulkfailure"
	"github.com/pursuing-equity/commons/ent/predicate"
	"github.com/pursuing-equity/commons/internal/access"
	"github.com/pursuing-equity/commons/internal/fault"
	"github.com/pursuing-equity/commons/internal/gid"
	"github.com/pursuing-equity/commons/internal/page"
	"github.com/pursuing-equity/commons/internal/viewer"
)

// Failure is an application that a bulk action could not do its work on.
type Failure struct {
	Application *ent.Application
	Code        string
	Message     string
}

// FailureCount is how many applications a bulk action could not do its work on.
func FailureCount(b *ent.BulkAction) int { return len(b.Outcomes) + b.Failed }

// Failures are the failures of each of several bulk actions in the order of the applications, from one on, and as far as the viewer can still see
// the applications: two statements.
func (s *Service) Failures(ctx context.Context, v viewer.Viewer, of []*ent.BulkAction, skip, limit int) ([][]*Failure, error) {
	if limit < 1 || limit > page.Max || skip < 0 {
		return nil, fault.Invalid("limit", "Ask for 1 to %d failures.", page.Max)
	}
	skip = min(skip, math.MaxInt32) // there are never so many
	out := make([][]*Failure, len(of))
	var ids []gid.ID
	var wanted []predicate.BulkFailure
	for i, b := range of {
		out[i] = []*Failure{}
		early := len(b.Outcomes) // those of an earlier version come first
		for _, o := range b.Outcomes[min(skip, early):min(skip+limit, early)] {
			id, err := gid.Parse(o.Target)
			if err != nil {
				return nil, fmt.Errorf("read an outcome: %w", err)
			}
			ids = append(ids, id)
			out[i] = append(out[i], &Failure{Application: &ent.Application{ID: id}, Code: o.Code, Message: o.Message})
		}
		if skip+limit > early && b.Failed > 0 {
			wanted = append(wanted, bulkfailure.And(
				bulkfailure.BulkActionID(b.ID), bulkfailure.NumberGT(max(0, skip-early)), bulkfailure.NumberLTE(skip+limit-early)))
		}
	}
	if len(wanted) > 0 {
		rows, err := s.Store.Client(ctx).BulkFailure.Query().Where(bulkfailure.Or(wanted...)).Order(bulkfailure.ByNumber(), bulkfailure.ByID()).All(ctx)
		if err != nil {
			return nil, fmt.Errorf("load failures: %w", err)
		}
		for _, r := range rows {
			ids = append(ids, r.ApplicationID)
			for i, b := range of {
				if b.ID == r.BulkActionID {
					out[i] = append(out[i], &Failure{Application: &ent.Application{ID: r.ApplicationID}, Code: r.Code, Message: r.Message})
				}
			}
		}
	}
	found, err := access.Find(ctx, s.Store.Client(ctx), v, ids...)
	if err != nil {
		return nil, err
	}
	for _, failures := range out {
		for _, f := range failures {
			f.Application, _ = found[f.Application.ID].(*ent.Application)
		}
	}
	return out, nil
}
