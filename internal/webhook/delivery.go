package webhook

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"entgo.io/ent/dialect/sql"

	"github.com/pursuing-equity/commons/ent"
	"github.com/pursuing-equity/commons/ent/webhookdelivery"
	"github.com/pursuing-equity/commons/ent/webhookendpoint"
	"github.com/pursuing-equity/commons/internal/access"
	"github.com/pursuing-equity/commons/internal/fault"
	"github.com/pursuing-equity/commons/internal/gid"
	"github.com/pursuing-equity/commons/internal/page"
	"github.com/pursuing-equity/commons/internal/store"
	"github.com/pursuing-equity/commons/internal/viewer"
)

// newest is the order of deliveries: their ids rise with time.
var newest = page.Order{Name: "webhookDeliveries", Part: page.ByID, Desc: true}

// Deliveries are those of each of several endpoints, the newest first, for who can see them: one statement for all.
func (s *Service) Deliveries(ctx context.Context, v viewer.Viewer, endpoints []gid.ID, a page.Args) ([]*page.Connection[ent.WebhookDelivery], error) {
	return page.Each(newest, a, webhookdelivery.FieldEndpointID, endpoints,
		func(d *ent.WebhookDelivery) page.Key { return page.Key{ID: d.ID} }, func(d *ent.WebhookDelivery) gid.ID { return d.EndpointID },
		func(within func(*sql.Selector)) ([]*ent.WebhookDelivery, error) {
			return s.Store.Client(ctx).WebhookDelivery.Query().Where(access.VisibleWebhookDeliveries(v), within).All(ctx)
		})
}

func (s *Service) deliveryOf(ctx context.Context, c *ent.Client, v viewer.Viewer, id gid.ID, more ...func(*sql.Selector)) (*ent.WebhookDelivery, error) {
	q := c.WebhookDelivery.Query().Where(webhookdelivery.ID(id), access.VisibleWebhookDeliveries(v))
	for _, p := range more {
		q.Where(p)
	}
	d, err := q.Only(ctx)
	if ent.IsNotFound(err) {
		return nil, fault.Missing().At("deliveryId")
	}
	if err != nil {
		return nil, fmt.Errorf("load webhook delivery: %w", err)
	}
	return d, nil
}

// Replay sends a delivery again, with the same webhook-id, whether it arrived or not, and tries as often as for a new one. For staff.
func (s *Service) Replay(ctx context.Context, v viewer.Viewer, id gid.ID) (*ent.WebhookDelivery, error) {
	if _, err := access.SignedIn(v); err != nil {
		return nil, err
	}
	err := s.Store.InTx(ctx, func(ctx context.Context, tx *ent.Client) error {
		d, err := s.deliveryOf(ctx, tx, v, id, store.LockRow)
		if err != nil {
			return err
		}
		usable, err := tx.WebhookEndpoint.Query().Where(webhookendpoint.ID(d.EndpointID), webhookendpoint.DisabledAtIsNil()).Exist(ctx)
		if err != nil {
			return fmt.Errorf("load webhook endpoint: %w", err)
		}
		if !usable {
			return disabled()
		}
		store.AfterCommit(ctx, s.Wake)
		return again(ctx, tx.WebhookDelivery.Update().Where(webhookdelivery.ID(id)), s.Now())
	})
	if err != nil {
		return nil, err
	}
	return s.deliveryOf(ctx, s.Store.Client(ctx), v, id)
}

// again makes deliveries due as if they were new.
func again(ctx context.Context, which *ent.WebhookDeliveryUpdate, now time.Time) error {
	if err := which.SetNextAt(now).SetAttempts(0).ClearFailedAt().ClearDeliveredAt().Exec(ctx); err != nil {
		return fmt.Errorf("replay: %w", err)
	}
	return nil
}

// ReplayFailed sends again what failed for good since a time, and returns how many there are. For staff. It is done a thousand at a time: what
// goes wrong on the way leaves the rest failed, and replaying again goes on.
func (s *Service) ReplayFailed(ctx context.Context, v viewer.Viewer, endpoint gid.ID, since time.Time) (*int, error) {
	if _, err := access.SignedIn(v); err != nil {
		return nil, err
	}
	e, err := s.endpoint(ctx, s.Store.Client(ctx), v, endpoint)
	if err != nil {
		return nil, err
	}
	if e.DisabledAt != nil {
		return nil, disabled()
	}
	failed := webhookdelivery.And(webhookdelivery.EndpointID(endpoint), webhookdelivery.FailedAtNotNil(), webhookdelivery.CreatedAtGTE(since),
		webhookdelivery.HasEndpointWith(webhookendpoint.DisabledAtIsNil()))
	n, err := s.eachPart(ctx, failed, 0, func(ctx context.Context, u *ent.WebhookDeliveryUpdate) error {
		store.AfterCommit(ctx, s.Wake)
		return again(ctx, u, s.Now())
	})
	if err != nil {
		return nil, err
	}
	return &n, nil
}

// StatusOf is the status of a delivery's last answer; nil when there was none.
func StatusOf(d *ent.WebhookDelivery) *int {
	if d.Status == 0 {
		return nil
	}
	return &d.Status
}

// EventsOf is what an endpoint wants.
func EventsOf(e *ent.WebhookEndpoint) []Event {
	all := make([]Event, len(e.Events))
	for i, event := range e.Events {
		all[i] = Event(event)
	}
	return all
}

// StateOf is where a delivery stands.
func StateOf(d *ent.WebhookDelivery) State {
	switch {
	case d.DeliveredAt != nil:
		return Delivered
	case d.FailedAt != nil:
		return Failed
	default:
		return Pending
	}
}

// PayloadOf is a delivery's body as JSON.
func PayloadOf(d *ent.WebhookDelivery) (string, error) {
	text, err := json.Marshal(d.Payload)
	return string(text), err
}

const (
	keep         = 30 * 24 * time.Hour
	forgetAtOnce = 1000
)

// Forget deletes deliveries that are older than 30 days, a thousand at a time.
func (s *Service) Forget(ctx context.Context) error {
	for {
		n := 0
		err := s.Store.InTx(ctx, func(ctx context.Context, tx *ent.Client) error {
			ids, err := tx.WebhookDelivery.Query().Where(webhookdelivery.CreatedAtLT(s.Now().Add(-keep))).Limit(forgetAtOnce).IDs(ctx)
			if err != nil || len(ids) == 0 {
				return err
			}
			n, err = tx.WebhookDelivery.Delete().Where(page.AnyOf(webhookdelivery.FieldID, ids)).Exec(ctx)
			return err
		})
		if err != nil {
			return fmt.Errorf("forget webhook deliveries: %w", err)
		}
		if n < forgetAtOnce {
			return nil
		}
	}
}
