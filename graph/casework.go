package graph

import (
	"context"

	"github.com/pursuing-equity/commons/ent"
	"github.com/pursuing-equity/commons/graph/model"
	"github.com/pursuing-equity/commons/internal/casework"
	"github.com/pursuing-equity/commons/internal/event"
	"github.com/pursuing-equity/commons/internal/gid"
	"github.com/pursuing-equity/commons/internal/page"
	"github.com/pursuing-equity/commons/internal/viewer"
)

func newBulkAction(in model.StartBulkActionInput) casework.NewBulkAction {
	ids, _ := in.ApplicationIds.ValueOK()
	keys, _ := in.Keys.ValueOK()
	reviewers, _ := in.ReviewerIds.ValueOK()
	return casework.NewBulkAction{
		CallID: in.CallID, ApplicationIDs: ids, Filter: optional(in.Filter), DryRun: orZero(in.DryRun), IdempotencyKey: optional(in.IdempotencyKey),
		Work: casework.Work{
			Kind: in.Kind, Message: orZero(in.Message), UntilLocal: orZero(in.UntilLocal), Keys: keys,
			Reviewers: reviewers, Decision: orZero(in.Decision), Note: orZero(in.Note),
		},
	}
}

func (r *Resolver) bulkActionEvents(ctx context.Context, id gid.ID, after *page.Cursor) (<-chan *model.BulkActionEvent, error) {
	return event.Follow(ctx, func() (event.Source, error) {
		_, err := r.Casework.BulkAction(ctx, viewer.From(ctx), id)
		return event.Source{Stream: id, After: after, Readers: r.Casework.Followers}, err
	}, func(ctx context.Context, events []*ent.Event) ([]event.Shown[*model.BulkActionEvent], error) {
		actions, err := r.Casework.Moved(ctx, each(events, func(e *ent.Event) gid.ID { return e.ObjectID }))
		if err != nil {
			return nil, err
		}
		shown := make([]event.Shown[*model.BulkActionEvent], len(events))
		for i, e := range events {
			shown[i] = event.Shown[*model.BulkActionEvent]{Event: e, As: &model.BulkActionEvent{Cursor: event.Cursor(e.StreamID, e.Seq), BulkAction: actions[i]}}
		}
		return shown, nil
	})
}
