package casework

import (
	"context"
	"encoding/json"
	"fmt"

	"entgo.io/ent/dialect/sql"

	"github.com/pursuing-equity/commons/ent"
	"github.com/pursuing-equity/commons/ent/call"
	"github.com/pursuing-equity/commons/ent/predicate"
	"github.com/pursuing-equity/commons/ent/savedview"
	"github.com/pursuing-equity/commons/internal/access"
	"github.com/pursuing-equity/commons/internal/fault"
	"github.com/pursuing-equity/commons/internal/gid"
	"github.com/pursuing-equity/commons/internal/input"
	"github.com/pursuing-equity/commons/internal/page"
	"github.com/pursuing-equity/commons/internal/store"
	"github.com/pursuing-equity/commons/internal/viewer"
)

// Limits of saved views.
const (
	maxViewName = 100
	maxViews    = 50  // that one member keeps of one call
	maxShown    = 500 // that a call shows: one's own first
)

// View is a view to keep.
type View struct {
	CallID         gid.ID
	Name           string
	Filter         *Filter
	Shared         bool
	IdempotencyKey *string `json:"-"`
}

// ViewPatch is what to change of a view; nil leaves a part as it is.
type ViewPatch struct {
	Name   *string
	Filter *Filter
	Shared *bool
}

// CreateView keeps a filter of a call's applications under a name, for the viewer or for all staff. For staff. It returns ALREADY_EXISTS for a
// name that the viewer has for another view of the call, and LIMIT_REACHED after 50 views.
func (s *Service) CreateView(ctx context.Context, v viewer.Viewer, in View) (*ent.SavedView, error) {
	var check input.Checker
	in.Name = check.Line("name", in.Name, 1, maxViewName)
	if err := check.Err(); err != nil {
		return nil, err
	}
	if err := in.Filter.check(); err != nil {
		return nil, err
	}
	kept, err := in.Filter.kept()
	if err != nil {
		return nil, err
	}
	var id gid.ID
	err = s.change(ctx, v, func(ctx context.Context, tx *ent.Client, me gid.ID) (err error) {
		once := store.Once{Member: me, At: s.Now(), Operation: "createSavedView", Key: in.IdempotencyKey, Payload: in}
		id, err = once.Do(ctx, tx, func() (gid.ID, error) {
			if err := s.staffCall(ctx, tx, v, in.CallID, store.LockRow); err != nil {
				return gid.ID{}, err
			}
			switch n, err := tx.SavedView.Query().Where(savedview.CallID(in.CallID), savedview.OwnerID(me)).Count(ctx); {
			case err != nil:
				return gid.ID{}, fmt.Errorf("count views: %w", err)
			case n >= maxViews:
				return gid.ID{}, fault.New(fault.LimitReached, "You have %d views of this call. Delete one that you do not need.", n)
			}
			if err := unnamed(ctx, tx, in.CallID, me, in.Name); err != nil {
				return gid.ID{}, err
			}
			now, id := s.Now(), s.NewID(gid.SavedView)
			err := tx.SavedView.Create().SetID(id).SetCreatedAt(now).SetUpdatedAt(now).SetCallID(in.CallID).SetOwnerID(me).SetName(in.Name).
				SetFilter(kept).SetShared(in.Shared).Exec(ctx)
			return id, store.RetryOnConflict(err)
		})
		return err
	})
	if err != nil {
		return nil, err
	}
	return s.view(ctx, v, id)
}

// UpdateView changes a view of the viewer's own; that of somebody else is FORBIDDEN when it is shared, and NOT_FOUND else.
func (s *Service) UpdateView(ctx context.Context, v viewer.Viewer, id gid.ID, patch ViewPatch) (*ent.SavedView, error) {
	var check input.Checker
	if patch.Name != nil {
		name := check.Line("name", *patch.Name, 1, maxViewName)
		patch.Name = &name
	}
	if err := check.Err(); err != nil {
		return nil, err
	}
	if err := patch.Filter.check(); err != nil {
		return nil, err
	}
	err := s.change(ctx, v, func(ctx context.Context, tx *ent.Client, me gid.ID) error {
		old, err := s.ownView(ctx, tx, v, me, id)
		if err != nil {
			return err
		}
		u := tx.SavedView.UpdateOneID(id).SetUpdatedAt(s.Now()).SetNillableShared(patch.Shared)
		if patch.Name != nil {
			if err := unnamed(ctx, tx, old.CallID, me, *patch.Name, savedview.IDNEQ(id)); err != nil {
				return err
			}
			u.SetName(*patch.Name)
		}
		if patch.Filter != nil {
			kept, err := patch.Filter.kept()
			if err != nil {
				return err
			}
			u.SetFilter(kept)
		}
		return store.RetryOnConflict(u.Exec(ctx))
	})
	if err != nil {
		return nil, err
	}
	return s.view(ctx, v, id)
}

// DeleteView deletes a view of the viewer's own, as UpdateView finds it, and returns its id.
func (s *Service) DeleteView(ctx context.Context, v viewer.Viewer, id gid.ID) (*gid.ID, error) {
	err := s.change(ctx, v, func(ctx context.Context, tx *ent.Client, me gid.ID) error {
		if _, err := s.ownView(ctx, tx, v, me, id); err != nil {
			return err
		}
		return tx.SavedView.DeleteOneID(id).Exec(ctx)
	})
	if err != nil {
		return nil, err
	}
	return &id, nil
}

// ownView locks a view of the member's own.
func (s *Service) ownView(ctx context.Context, tx *ent.Client, v viewer.Viewer, me, id gid.ID) (*ent.SavedView, error) {
	found, err := tx.SavedView.Query().Where(savedview.ID(id), access.VisibleSavedViews(v), store.LockRow).Only(ctx)
	switch {
	case err != nil:
		return nil, missing(err, "savedViewId")
	case found.OwnerID != me:
		return nil, fault.Denied("Only who made a view can change it.")
	}
	return found, nil
}

// unnamed returns ALREADY_EXISTS when another view of the member's has the name.
func unnamed(ctx context.Context, tx *ent.Client, callID, me gid.ID, name string, others ...predicate.SavedView) error {
	there, err := tx.SavedView.Query().Where(savedview.CallID(callID), savedview.OwnerID(me), savedview.Name(name)).Where(others...).Exist(ctx)
	switch {
	case err != nil:
		return fmt.Errorf("look for a view: %w", err)
	case there:
		return fault.New(fault.AlreadyExists, "You have a view of this name.").At("name")
	}
	return nil
}

func (s *Service) view(ctx context.Context, v viewer.Viewer, id gid.ID) (*ent.SavedView, error) {
	found, err := s.Store.Client(ctx).SavedView.Query().Where(savedview.ID(id), access.VisibleSavedViews(v)).Only(ctx)
	if err != nil {
		return nil, missing(err, "savedViewId")
	}
	return found, nil
}

// Views are those of calls that the viewer can see, by name: one statement for all calls.
func (s *Service) Views(ctx context.Context, v viewer.Viewer, calls []gid.ID) ([][]*ent.SavedView, error) {
	rows, err := s.Store.Client(ctx).SavedView.Query().Where(page.AnyOf(savedview.FieldCallID, calls), access.VisibleSavedViews(v)).
		Order(savedview.ByName(), savedview.ByID()).Limit(maxShown * len(calls)).All(ctx)
	if err != nil {
		return nil, fmt.Errorf("list saved views: %w", err)
	}
	of := make(map[gid.ID][]*ent.SavedView, len(calls))
	for _, r := range rows {
		of[r.CallID] = append(of[r.CallID], r)
	}
	out := make([][]*ent.SavedView, len(calls))
	for i, id := range calls {
		out[i] = of[id]
		if out[i] == nil {
			out[i] = []*ent.SavedView{}
		}
	}
	return out, nil
}

// kept is a filter as it is kept.
func (f *Filter) kept() (map[string]any, error) {
	kept := map[string]any{}
	if f == nil {
		return kept, nil
	}
	text, err := json.Marshal(f)
	if err == nil {
		err = json.Unmarshal(text, &kept)
	}
	if err != nil {
		return nil, fmt.Errorf("keep a filter: %w", err)
	}
	return kept, nil
}

// read is the filter that was kept.
func read(kept map[string]any) (*Filter, error) {
	text, err := json.Marshal(kept)
	f := new(Filter)
	if err == nil {
		err = json.Unmarshal(text, f)
	}
	if err != nil {
		return nil, fmt.Errorf("read a filter: %w", err)
	}
	return f, nil
}

// ViewFilter is the filter that a view keeps.
func (s *Service) ViewFilter(of *ent.SavedView) (*Filter, error) { return read(of.Filter) }

// change runs what a member who is signed in changes.
func (s *Service) change(ctx context.Context, v viewer.Viewer, do func(ctx context.Context, tx *ent.Client, me gid.ID) error) error {
	me, err := access.SignedIn(v)
	if err != nil {
		return err
	}
	return s.Store.InTx(ctx, func(ctx context.Context, tx *ent.Client) error { return do(ctx, tx, me) })
}

// staffCall looks for a call for staff: NOT_FOUND where there is none, FORBIDDEN for everybody else.
func (s *Service) staffCall(ctx context.Context, c *ent.Client, v viewer.Viewer, id gid.ID, lock ...func(*sql.Selector)) error {
	actor, err := access.Load(ctx, c, v)
	if err != nil {
		return err
	}
	if err := actor.CanHandleApplications("Only staff can do this."); err != nil {
		return err
	}
	q := c.Call.Query().Where(call.ID(id))
	for _, l := range lock {
		q.Where(l)
	}
	if _, err := q.OnlyID(ctx); err != nil {
		return missing(err, "callId")
	}
	return nil
}
