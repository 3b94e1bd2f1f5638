package webhook

import (
	"context"
	"fmt"
	"time"

	"entgo.io/ent/dialect/sql"

	"github.com/pursuing-equity/commons/ent"
	"github.com/pursuing-equity/commons/ent/predicate"
	"github.com/pursuing-equity/commons/ent/webhookdelivery"
	"github.com/pursuing-equity/commons/ent/webhookendpoint"
	"github.com/pursuing-equity/commons/internal/access"
	"github.com/pursuing-equity/commons/internal/audit"
	"github.com/pursuing-equity/commons/internal/fault"
	"github.com/pursuing-equity/commons/internal/gid"
	"github.com/pursuing-equity/commons/internal/input"
	"github.com/pursuing-equity/commons/internal/page"
	"github.com/pursuing-equity/commons/internal/store"
	"github.com/pursuing-equity/commons/internal/viewer"
)

const (
	maxDescription = 500 // characters
	mostEndpoints  = 20

	// previousLasts is how long the secret before still signs.
	previousLasts = 24 * time.Hour
)

// NewEndpoint is an endpoint to make.
type NewEndpoint struct {
	URL, Description string
	Events           []Event
	IdempotencyKey   *string `json:"-"`
}

// EndpointPatch is what to change of an endpoint: nil fields stay.
type EndpointPatch struct {
	URL, Description *string
	Events           *[]Event
	Enabled          *bool
}

func checkEvents(check *input.Checker, given []Event) []string {
	if len(given) == 0 {
		check.Refuse("events", "Name at least one event.")
	}
	seen := make(map[Event]bool, len(given))
	out := make([]string, 0, len(given))
	for _, e := range given {
		if !seen[e] {
			out = append(out, string(e))
		}
		seen[e] = true
	}
	return out
}

// staffOnly returns FORBIDDEN for everybody but staff.
func staffOnly(ctx context.Context, tx *ent.Client, v viewer.Viewer) error {
	actor, err := access.Load(ctx, tx, v)
	if err == nil && !actor.IsStaff() {
		err = fault.Denied("Only staff can do that.")
	}
	return err
}

// CreateEndpoint makes an endpoint, for staff, and returns its secret: here, to who sends the same key again, and never otherwise. It takes a
// sign-in with a browser: an endpoint outlives the token that would have made it. It returns LIMIT_REACHED when there are 20.
func (s *Service) CreateEndpoint(ctx context.Context, v viewer.Viewer, in NewEndpoint) (*ent.WebhookEndpoint, string, error) {
	me, err := access.InBrowser(v)
	if err != nil {
		return nil, "", err
	}
	once := store.Once{Member: me, Operation: "createWebhookEndpoint", Key: in.IdempotencyKey, Payload: in, At: s.Now()}
	var check input.Checker
	address := s.checkURL(&check, "url", in.URL)
	description := check.Line("description", in.Description, 0, maxDescription)
	wanted := checkEvents(&check, in.Events)
	if err := check.Err(); err != nil {
		return nil, "", err
	}
	return s.withSecret(ctx, v, once, func(ctx context.Context, tx *ent.Client, b box) (gid.ID, error) {
		// Whoever makes one holds the first, so that two do not make the last one at once.
		if _, err := tx.WebhookEndpoint.Query().Where(store.LockRow).Order(webhookendpoint.ByID()).Limit(1).All(ctx); err != nil {
			return gid.ID{}, fmt.Errorf("hold webhook endpoints: %w", err)
		}
		there, err := tx.WebhookEndpoint.Query().Count(ctx)
		if err != nil {
			return gid.ID{}, fmt.Errorf("count webhook endpoints: %w", err)
		}
		if there >= mostEndpoints {
			return gid.ID{}, fault.New(fault.LimitReached, "There are %d endpoints. Delete one that is no longer needed.", there)
		}
		now, id := s.Now(), s.NewID(gid.WebhookEndpoint)
		err = tx.WebhookEndpoint.Create().SetID(id).SetCreatedAt(now).SetUpdatedAt(now).SetOwnerID(me).SetURL(address).SetDescription(description).
			SetEvents(wanted).SetSecret(b.seal(id, newSecret())).Exec(ctx)
		if err != nil {
			return gid.ID{}, fmt.Errorf("create webhook endpoint: %w", err)
		}
		return id, s.Audit.Append(ctx, tx, v, audit.Entry{Action: audit.WebhookCreated, Subject: id})
	})
}

// withSecret runs what makes a secret, at most once for an idempotency key, for staff, and returns the endpoint with it.
func (s *Service) withSecret(ctx context.Context, v viewer.Viewer, once store.Once, do func(context.Context, *ent.Client, box) (gid.ID, error),
) (*ent.WebhookEndpoint, string, error) {
	b, err := s.box(ctx)
	if err != nil {
		return nil, "", err
	}
	var id gid.ID
	err = s.Store.InTx(ctx, func(ctx context.Context, tx *ent.Client) (err error) {
		if err := staffOnly(ctx, tx, v); err != nil {
			return err
		}
		id, err = once.Do(ctx, tx, func() (gid.ID, error) { return do(ctx, tx, b) })
		store.AfterCommit(ctx, s.changed)
		return err
	})
	if err != nil {
		return nil, "", err
	}
	e, err := s.endpoint(ctx, s.Store.Client(ctx), v, id)
	if err != nil {
		return nil, "", err
	}
	secret, err := b.open(id, e.Secret)
	return e, written(secret), err
}

// changed makes this process look at once for what endpoints want, and others do within a second.
func (s *Service) changed() { s.known.Store(nil) }

func (s *Service) endpoint(ctx context.Context, c *ent.Client, v viewer.Viewer, id gid.ID, more ...func(*sql.Selector)) (*ent.WebhookEndpoint, error) {
	q := c.WebhookEndpoint.Query().Where(webhookendpoint.ID(id), access.VisibleWebhookEndpoints(v))
	for _, p := range more {
		q.Where(p)
	}
	e, err := q.Only(ctx)
	if ent.IsNotFound(err) {
		return nil, fault.Missing().At("endpointId")
	}
	if err != nil {
		return nil, fmt.Errorf("load webhook endpoint: %w", err)
	}
	return e, nil
}

// change runs a change of an endpoint whose row it holds. It returns NOT_FOUND for who is not staff.
func (s *Service) change(ctx context.Context, v viewer.Viewer, id gid.ID, do func(context.Context, *ent.Client, *ent.WebhookEndpoint) error) (*ent.WebhookEndpoint, error) {
	if _, err := access.SignedIn(v); err != nil {
		return nil, err
	}
	err := s.Store.InTx(ctx, func(ctx context.Context, tx *ent.Client) error {
		e, err := s.endpoint(ctx, tx, v, id, store.LockRow)
		if err != nil {
			return err
		}
		store.AfterCommit(ctx, s.changed)
		return do(ctx, tx, e)
	})
	if err != nil {
		return nil, err
	}
	return s.endpoint(ctx, s.Store.Client(ctx), v, id)
}

// UpdateEndpoint changes an endpoint. One that is disabled is sent nothing, and what happens meanwhile is not written down for it; when
// it is enabled again its failures are forgotten. Another URL takes a sign-in with a browser.
func (s *Service) UpdateEndpoint(ctx context.Context, v viewer.Viewer, id gid.ID, patch EndpointPatch) (*ent.WebhookEndpoint, error) {
	var check input.Checker
	var wanted []string
	if patch.URL != nil {
		if _, err := access.InBrowser(v); err != nil {
			return nil, err
		}
		*patch.URL = s.checkURL(&check, "url", *patch.URL)
	}
	if patch.Description != nil {
		*patch.Description = check.Line("description", *patch.Description, 0, maxDescription)
	}
	if patch.Events != nil {
		wanted = checkEvents(&check, *patch.Events)
	}
	if err := check.Err(); err != nil {
		return nil, err
	}
	disables := false
	e, err := s.change(ctx, v, id, func(ctx context.Context, tx *ent.Client, e *ent.WebhookEndpoint) error {
		now := s.Now()
		u := tx.WebhookEndpoint.UpdateOneID(id).SetUpdatedAt(now).SetNillableURL(patch.URL).SetNillableDescription(patch.Description)
		if patch.Events != nil {
			u.SetEvents(wanted)
		}
		if patch.Enabled != nil && *patch.Enabled != (e.DisabledAt == nil) {
			if *patch.Enabled {
				u.ClearDisabledAt().ClearFailingSince()
			} else {
				u.SetDisabledAt(now)
				disables = true
			}
		}
		if err := u.Exec(ctx); err != nil {
			return fmt.Errorf("update webhook endpoint: %w", err)
		}
		return s.Audit.Append(ctx, tx, v, audit.Entry{Action: audit.WebhookChanged, Subject: id})
	})
	if err == nil && disables {
		// It is disabled, whatever becomes of the rest.
		if failed := s.giveUp(ctx, id, givenUpAtOnce); failed != nil {
			s.Logger.WarnContext(ctx, "what waits for a disabled webhook endpoint is given up later", "endpoint", id, "error", failed.Error())
		}
	}
	return e, err
}

// giveUp makes what waits for a disabled endpoint fail: it can be replayed. There can be very much of it, so it is done a thousand at a time,
// and posts find their way between. What is left after most, or should the process end, the sender gives up, each when it is due; 0: all.
func (s *Service) giveUp(ctx context.Context, endpoint gid.ID, most int) error {
	waits := webhookdelivery.And(webhookdelivery.EndpointID(endpoint), webhookdelivery.NextAtNotNil(), webhookdelivery.HasEndpointWith(webhookendpoint.DisabledAtNotNil()))
	_, err := s.eachPart(ctx, waits, most, func(ctx context.Context, u *ent.WebhookDeliveryUpdate) error {
		return u.ClearNextAt().SetFailedAt(s.Now()).SetLastError("The endpoint was disabled.").Exec(ctx)
	})
	if err != nil {
		return fmt.Errorf("give up what waits: %w", err)
	}
	return nil
}

const (
	partOf        = 1000       // deliveries that are changed in one transaction
	givenUpAtOnce = 5 * partOf // while somebody waits for the answer
)

// eachPart changes deliveries in transactions of a thousand, in the order of their ids, until there are as many as most or none is left; 0:
// all. It returns how many there were.
func (s *Service) eachPart(ctx context.Context, which predicate.WebhookDelivery, most int, do func(context.Context, *ent.WebhookDeliveryUpdate) error) (n int, err error) {
	var last gid.ID
	for {
		var ids []gid.ID
		err := s.Store.InTx(ctx, func(ctx context.Context, tx *ent.Client) (err error) {
			q := tx.WebhookDelivery.Query().Where(which)
			if !last.IsZero() {
				q.Where(webhookdelivery.IDGT(last))
			}
			ids, err = q.Order(webhookdelivery.ByID()).Limit(partOf).IDs(ctx)
			if err != nil || len(ids) == 0 {
				return err
			}
			return do(ctx, tx.WebhookDelivery.Update().Where(which, page.AnyOf(webhookdelivery.FieldID, ids)))
		})
		if err != nil {
			return n, err
		}
		n += len(ids)
		if len(ids) < partOf || most > 0 && n >= most {
			return n, nil
		}
		last = ids[len(ids)-1]
	}
}

// RotateSecret gives an endpoint another secret and returns it, as CreateEndpoint does and to the same. The one before signs too for 24 hours.
func (s *Service) RotateSecret(ctx context.Context, v viewer.Viewer, id gid.ID, key *string) (*ent.WebhookEndpoint, string, error) {
	me, err := access.InBrowser(v)
	if err != nil {
		return nil, "", err
	}
	if _, err := s.endpoint(ctx, s.Store.Client(ctx), v, id); err != nil {
		return nil, "", err
	}
	once := store.Once{Member: me, Operation: "rotateWebhookSecret", Key: key, Payload: id, At: s.Now()}
	return s.withSecret(ctx, v, once, func(ctx context.Context, tx *ent.Client, b box) (gid.ID, error) {
		e, err := s.endpoint(ctx, tx, v, id, store.LockRow)
		if err != nil {
			return gid.ID{}, err
		}
		now := s.Now()
		err = tx.WebhookEndpoint.UpdateOneID(id).SetUpdatedAt(now).SetSecret(b.seal(id, newSecret())).
			SetPreviousSecret(e.Secret).SetPreviousSecretEndsAt(now.Add(previousLasts)).Exec(ctx)
		if err != nil {
			return gid.ID{}, fmt.Errorf("rotate a webhook's secret: %w", err)
		}
		return id, s.Audit.Append(ctx, tx, v, audit.Entry{Action: audit.WebhookSecretRotated, Subject: id})
	})
}

// DeleteEndpoint deletes an endpoint and its deliveries. It is disabled first: if the process dies on the way, the rest can be deleted
// again. It returns the id.
func (s *Service) DeleteEndpoint(ctx context.Context, v viewer.Viewer, id gid.ID) (*gid.ID, error) {
	off := false
	if _, err := s.UpdateEndpoint(ctx, v, id, EndpointPatch{Enabled: &off}); err != nil {
		return nil, err
	}
	for {
		n := 0
		err := s.Store.InTx(ctx, func(ctx context.Context, tx *ent.Client) error {
			if _, err := s.endpoint(ctx, tx, v, id, store.LockRow); err != nil {
				return err
			}
			ids, err := tx.WebhookDelivery.Query().Where(webhookdelivery.EndpointID(id)).Limit(forgetAtOnce).IDs(ctx)
			if err != nil {
				return err
			}
			if n, err = tx.WebhookDelivery.Delete().Where(page.AnyOf(webhookdelivery.FieldID, ids)).Exec(ctx); err != nil || n == forgetAtOnce {
				return err
			}
			if err := tx.WebhookEndpoint.DeleteOneID(id).Exec(ctx); err != nil {
				return err
			}
			store.AfterCommit(ctx, s.changed)
			return s.Audit.Append(ctx, tx, v, audit.Entry{Action: audit.WebhookDeleted, Subject: id})
		})
		if err != nil {
			return nil, fmt.Errorf("delete webhook endpoint: %w", err)
		}
		if n < forgetAtOnce {
			return &id, nil
		}
	}
}

// Ping sends an endpoint a delivery that tells of nothing, whatever it wants.
func (s *Service) Ping(ctx context.Context, v viewer.Viewer, id gid.ID, key *string) (*ent.WebhookDelivery, error) {
	me, err := access.SignedIn(v)
	if err != nil {
		return nil, err
	}
	var made gid.ID
	_, err = s.change(ctx, v, id, func(ctx context.Context, tx *ent.Client, e *ent.WebhookEndpoint) (err error) {
		now := s.Now()
		once := store.Once{Member: me, Operation: "pingWebhookEndpoint", Key: key, Payload: id, At: now}
		made, err = once.Do(ctx, tx, func() (gid.ID, error) {
			if e.DisabledAt != nil {
				return gid.ID{}, disabled()
			}
			d, err := s.delivery(tx, id, Happening{ping, map[string]any{"endpointId": id.String()}}, now).Save(ctx)
			if err != nil {
				return gid.ID{}, fmt.Errorf("ping: %w", err)
			}
			store.AfterCommit(ctx, s.Wake)
			return d.ID, nil
		})
		return err
	})
	if err != nil {
		return nil, err
	}
	return s.deliveryOf(ctx, s.Store.Client(ctx), v, made)
}

func disabled() error {
	return fault.Denied("This endpoint is disabled. Enable it first.").At("endpointId")
}

// Endpoints are those that the viewer can see, the oldest first: there are few.
func (s *Service) Endpoints(ctx context.Context, v viewer.Viewer) ([]*ent.WebhookEndpoint, error) {
	all, err := s.Store.Client(ctx).WebhookEndpoint.Query().Where(access.VisibleWebhookEndpoints(v)).Order(webhookendpoint.ByID()).All(ctx)
	if err != nil {
		return nil, fmt.Errorf("list webhook endpoints: %w", err)
	}
	return all, nil
}
