package graph

import (
	"context"

	"github.com/pursuing-equity/commons/ent"
	"github.com/pursuing-equity/commons/graph/model"
	"github.com/pursuing-equity/commons/internal/viewer"
)

func (r *Resolver) markNotificationsRead(ctx context.Context, v viewer.Viewer, in model.MarkNotificationsReadInput) (*ent.Member, error) {
	ids, named := in.NotificationIds.ValueOK()
	if err := r.Notify.MarkRead(ctx, v, ids, !named || ids == nil); err != nil {
		return nil, err
	}
	return r.viewer(ctx, v)
}
