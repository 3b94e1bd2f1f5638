package casework

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strconv"

	"entgo.io/ent/dialect/sql"

	"github.com/pursuing-equity/commons/ent"
	"github.com/pursuing-equity/commons/ent/application"
	"github.com/pursuing-equity/commons/ent/bulkaction"
	"github.com/pursuing-equity/commons/internal/access"
	"github.com/pursuing-equity/commons/internal/audit"
	"github.com/pursuing-equity/commons/internal/event"
	"github.com/pursuing-equity/commons/internal/fault"
	"github.com/pursuing-equity/commons/internal/gid"
	"github.com/pursuing-equity/commons/internal/page"
	"github.com/pursuing-equity/commons/internal/store"
	"github.com/pursuing-equity/commons/internal/viewer"
)

// MaxTargets is how many applications a bulk action takes at most.
const MaxTargets = 5_000

// Kind is what a bulk action does to each application.
type Kind string

// MarshalGQL writes the SDL's BulkActionKind.
func (k Kind) MarshalGQL(w io.Writer) { _, _ = io.WriteString(w, strconv.Quote(string(k))) }

// UnmarshalGQL reads the SDL's BulkActionKind.
func (k *Kind) UnmarshalGQL(v any) error {
	text, ok := v.(string)
	if !ok {
		return fmt.Errorf("a kind must be a string, not %T", v)
	}
	*k = Kind(text)
	return nil
}

// NewBulkAction is a bulk action to start: on the applications of ids, or on those that a filter lets through now.
type NewBulkAction struct {
	CallID         gid.ID
	ApplicationIDs []gid.ID
	Filter         *Filter
	Work           Work
	DryRun         bool
	IdempotencyKey *string `json:"-"`
}

// StartBulkAction has something done to many applications to a call, one after the other, by a worker. Which ones is frozen now. A dry run does each and takes
// it back: its outcomes are what would happen. For staff. It returns INVALID_INPUT for no applications or more than 5,000, and NOT_FOUND for one
// that is no application to the call.
func (s *Service) StartBulkAction(ctx context.Context, v viewer.Viewer, in NewBulkAction) (*ent.BulkAction, error) {
	if err := in.check(); err != nil {
		return nil, err
	}
	narrowed, err := s.where(ctx, in.Filter, []gid.ID{in.CallID})
	if err != nil {
		return nil, err
	}
	var id gid.ID
	err = s.change(ctx, v, func(ctx context.Context, tx *ent.Client, me gid.ID) (err error) {
		once := store.Once{Member: me, At: s.Now(), Operation: "startBulkAction", Key: in.IdempotencyKey, Payload: in}
		id, err = once.Do(ctx, tx, func() (gid.ID, error) {
			if err := s.staffCall(ctx, tx, v, in.CallID); err != nil {
				return gid.ID{}, err
			}
			targets, err := frozen(ctx, tx, v, in, narrowed)
			if err != nil {
				return gid.ID{}, err
			}
			kept, err := in.Work.kept()
			if err != nil {
				return gid.ID{}, err
			}
			id := s.NewID(gid.BulkAction)
			err = tx.BulkAction.Create().SetID(id).SetCreatedAt(s.Now()).SetCallID(in.CallID).SetActorID(me).SetKind(string(in.Work.Kind)).SetInput(kept).
				SetTargets(targets).SetDryRun(in.DryRun).Exec(ctx)
			if err != nil {
				return gid.ID{}, fmt.Errorf("start a bulk action: %w", err)
			}
			store.AfterCommit(ctx, s.bulk.wake)
			if in.DryRun { // which changes nothing
				return id, nil
			}
			return id, s.Audit.Append(ctx, tx, v, audit.Entry{Action: audit.BulkActionStarted, Subject: id, Reason: string(in.Work.Kind)})
		})
		return err
	})
	if err != nil {
		return nil, err
	}
	return s.BulkAction(ctx, v, id)
}

func (in *NewBulkAction) check() error {
	switch byID := len(in.ApplicationIDs) > 0; {
	case byID == (in.Filter != nil):
		return fault.Invalid("applicationIds", "Say which applications: either by their ids or by a filter.")
	case len(in.ApplicationIDs) > MaxTargets:
		return fault.Invalid("applicationIds", "Take at most %d applications at once.", MaxTargets)
	}
	if err := in.Filter.check(); err != nil {
		return err
	}
	return in.Work.check()
}

// frozen are the targets, in the order of their numbers.
func frozen(ctx context.Context, tx *ent.Client, v viewer.Viewer, in NewBulkAction, narrowed []func(*sql.Selector)) ([]string, error) {
	q := tx.Application.Query().Where(application.CallID(in.CallID), access.ListedApplications(v))
	for _, n := range narrowed {
		q.Where(n)
	}
	wanted := map[gid.ID]bool{}
	if in.Filter == nil {
		q.Where(page.AnyOf(application.FieldID, in.ApplicationIDs))
		for _, id := range in.ApplicationIDs {
			wanted[id] = true
		}
	}
	ids, err := q.Order(application.ByNumber()).Limit(MaxTargets + 1).IDs(ctx)
	switch {
	case err != nil:
		return nil, fmt.Errorf("freeze the applications of a bulk action: %w", err)
	case in.Filter == nil && len(ids) < len(wanted):
		return nil, fault.Missing().At("applicationIds")
	case len(ids) == 0:
		return nil, fault.Invalid("filter", "The filter lets no application through.")
	case len(ids) > MaxTargets:
		return nil, fault.Invalid("filter", "Take at most %d applications at once.", MaxTargets)
	}
	targets := make([]string, len(ids))
	for i, id := range ids {
		targets[i] = id.String()
	}
	return targets, nil
}

// CancelBulkAction stops a bulk action before its next application; what was done stays done. For staff. Of one that is over it changes nothing.
func (s *Service) CancelBulkAction(ctx context.Context, v viewer.Viewer, id gid.ID) (*ent.BulkAction, error) {
	err := s.change(ctx, v, func(ctx context.Context, tx *ent.Client, me gid.ID) error {
		b, err := tx.BulkAction.Query().Where(bulkaction.ID(id), access.VisibleBulkActions(v), store.LockRow).Only(ctx)
		if err != nil {
			return missing(err, "bulkActionId")
		}
		if b.FinishedAt != nil {
			return nil
		}
		if err := s.end(ctx, tx, b); err != nil {
			return err
		}
		u := tx.BulkAction.UpdateOneID(id).SetState(bulkaction.StateCANCELLED).SetFinishedAt(s.Now()).ClearLeasedUntil()
		if err := s.tell(ctx, tx, b, u, me); err != nil {
			return err
		}
		return s.Audit.Append(ctx, tx, v, audit.Entry{Action: audit.BulkActionCancelled, Subject: id, Reason: b.Kind})
	})
	if err != nil {
		return nil, err
	}
	return s.BulkAction(ctx, v, id)
}

// tell changes a bulk action, whose row is held, and writes an event of it.
func (s *Service) tell(ctx context.Context, tx *ent.Client, b *ent.BulkAction, u *ent.BulkActionUpdateOne, actor gid.ID) error {
	seq, err := s.Events.Append(ctx, tx, b.ID, b.EventSeq, s.Now(), event.Entry{Kind: event.BulkActionMoved, Object: b.ID, Actor: actor})
	if err != nil {
		return err
	}
	if err := u.SetEventSeq(seq).Exec(ctx); err != nil {
		return fmt.Errorf("move a bulk action on: %w", err)
	}
	return nil
}

// BulkAction is one that the viewer can see: NOT_FOUND else.
func (s *Service) BulkAction(ctx context.Context, v viewer.Viewer, id gid.ID) (*ent.BulkAction, error) {
	b, err := s.Store.Client(ctx).BulkAction.Query().Where(bulkaction.ID(id), access.VisibleBulkActions(v)).Only(ctx)
	if err != nil {
		return nil, missing(err, "bulkActionId")
	}
	return b, nil
}

// Moved are the bulk actions of events, as they are now.
func (s *Service) Moved(ctx context.Context, ids []gid.ID) ([]*ent.BulkAction, error) {
	rows, err := s.Store.Client(ctx).BulkAction.Query().Where(page.AnyOf(bulkaction.FieldID, ids)).All(ctx)
	if err != nil {
		return nil, fmt.Errorf("load bulk actions: %w", err)
	}
	out := make([]*ent.BulkAction, len(ids))
	for i, id := range ids {
		if at := slices.IndexFunc(rows, func(b *ent.BulkAction) bool { return b.ID == id }); at >= 0 {
			out[i] = rows[at]
		}
	}
	return out, nil
}

// Followers tells who of some members may follow a bulk action: staff.
func (s *Service) Followers(ctx context.Context, members []gid.ID) ([]gid.ID, error) {
	return s.Store.Client(ctx).Member.Query().Where(access.StaffAmong(members)).IDs(ctx)
}

var bulkActions = page.Order{Name: "bulkActions", Part: page.ByID, Desc: true}

// BulkActions are those of calls, the newest first: for staff. One statement for all calls.
func (s *Service) BulkActions(ctx context.Context, v viewer.Viewer, calls []gid.ID, a page.Args) ([]*page.Connection[ent.BulkAction], error) {
	return page.Each(bulkActions, a, bulkaction.FieldCallID, calls,
		func(b *ent.BulkAction) page.Key { return page.Key{ID: b.ID} }, func(b *ent.BulkAction) gid.ID { return b.CallID },
		func(within func(*sql.Selector)) ([]*ent.BulkAction, error) {
			return s.Store.Client(ctx).BulkAction.Query().Where(within).All(ctx)
		}, access.VisibleBulkActions(v))
}
