// Package webhook tells addresses outside what happens here, for the program's staff.
//
// What happened is written down for every endpoint that wants it, in the transaction of the change; a worker sends it afterwards,
// again and again until the endpoint says yes. What is sent names things by their ids and says little more: who needs more asks the
// API with their own rights. Nothing of a hidden space is ever written down, and what moved into one before it was sent is dropped.
//
// A delivery arrives at least once: a process that dies between the endpoint's yes and the end of its transaction sends it again, with
// the same webhook-id. Requests are signed as the Standard Webhooks specification says (https://www.standardwebhooks.com), version 1.
package webhook

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/pursuing-equity/commons/ent"
	"github.com/pursuing-equity/commons/ent/webhookendpoint"
	"github.com/pursuing-equity/commons/internal/audit"
	"github.com/pursuing-equity/commons/internal/gid"
	"github.com/pursuing-equity/commons/internal/mail"
	"github.com/pursuing-equity/commons/internal/store"
)

// Config is what a Service needs. Allow and Hold may be left out.
type Config struct {
	Store  *store.Store
	Audit  *audit.Log
	Mail   *mail.Service
	Now    func() time.Time
	NewID  func(gid.Kind) gid.ID
	Logger *slog.Logger

	// Allow are networks of the operator's own that endpoints may be in, at any port and without TLS. Everything else must be on the
	// public internet, by https.
	Allow []netip.Prefix
	// Hold writes deliveries down and sends none: a test's switch.
	Hold bool
}

// Service has the rules of endpoints and sends what they want. A nil Service tells nobody anything.
type Service struct {
	Config

	client *http.Client
	key    atomic.Pointer[[]byte]        // that secrets are sealed with; nil until it is needed
	known  atomic.Pointer[subscriptions] // what endpoints want; nil: to be read again
	woken  chan struct{}

	mu      sync.Mutex
	running map[gid.ID]int // how many deliveries of each endpoint this process is sending
	total   int
	tasks   sync.WaitGroup
}

// New makes a Service. Run sends.
func New(cfg Config) *Service {
	s := &Service{Config: cfg, woken: make(chan struct{}, 1), running: make(map[gid.ID]int)}
	s.client = s.newClient()
	return s
}

// Event is a kind of happening that endpoints can want, as it is written in the body's type. They are stored: never change one.
type Event string

// The events that there are.
const (
	ThreadCreated     Event = "thread.created"
	ThreadChanged     Event = "thread.changed"
	ThreadMerged      Event = "thread.merged"
	ThreadSplit       Event = "thread.split"
	PostCreated       Event = "post.created"
	PostEdited        Event = "post.edited"
	PostDeleted       Event = "post.deleted"
	MemberJoined      Event = "member.joined"
	EnrollmentChanged Event = "enrollment.changed"
	SpaceCreated      Event = "space.created"
)

// ping is what pingWebhookEndpoint sends, whatever the endpoint wants.
const ping Event = "ping"

func events() []Event {
	return []Event{ThreadCreated, ThreadChanged, ThreadMerged, ThreadSplit, PostCreated, PostEdited, PostDeleted, MemberJoined, EnrollmentChanged, SpaceCreated}
}

// Happening is something that endpoints may want to be told. Data is what the body says of it: ids, as texts, and words of the schema.
type Happening struct {
	Event Event
	Data  map[string]any
}

// fresh is how long a process goes without looking which endpoints there are.
const fresh = time.Second

// subscriptions are what the endpoints that are in use want.
type subscriptions struct {
	at     time.Time
	wanted map[Event][]gid.ID
}

// wants returns what the endpoints want: from memory, or if that is more than a second old within the transaction, by one statement
// that is not counted among those of the request.
func (s *Service) wants(ctx context.Context, tx *ent.Client) (map[Event][]gid.ID, error) {
	now := s.Now()
	if known := s.known.Load(); known != nil && now.Sub(known.at) < fresh {
		return known.wanted, nil
	}
	rows, err := tx.WebhookEndpoint.Query().Where(webhookendpoint.DisabledAtIsNil()).
		Select(webhookendpoint.FieldID, webhookendpoint.FieldEvents).All(store.Upkeep(ctx))
	if err != nil {
		return nil, fmt.Errorf("look for webhook endpoints: %w", err)
	}
	known := &subscriptions{at: now, wanted: make(map[Event][]gid.ID)}
	for _, e := range rows {
		for _, event := range e.Events {
			known.wanted[Event(event)] = append(known.wanted[Event(event)], e.ID)
		}
	}
	s.known.Store(known)
	return known.wanted, nil
}

// Wanted reports whether any endpoint wants one of the events, so that nothing is looked up for nobody.
func (s *Service) Wanted(ctx context.Context, tx *ent.Client, which ...Event) (bool, error) {
	if s == nil {
		return false, nil
	}
	wanted, err := s.wants(ctx, tx)
	return slices.ContainsFunc(which, func(e Event) bool { return len(wanted[e]) > 0 }), err
}

// Tell writes happenings down for the endpoints that want them, within the transaction of ctx. Nobody who may not see what they name
// must be able to guess it from there being one: the caller tells nothing of hidden spaces.
func (s *Service) Tell(ctx context.Context, tx *ent.Client, at time.Time, happenings ...Happening) error {
	which := make([]Event, len(happenings))
	for i, h := range happenings {
		which[i] = h.Event
	}
	if wanted, err := s.Wanted(ctx, tx, which...); err != nil || !wanted {
		return err
	}
	// Read again, and held so that none is deleted before its deliveries are there: what memory has may be a second old.
	endpoints, err := tx.WebhookEndpoint.Query().Where(webhookendpoint.DisabledAtIsNil(), store.KeepRows).Order(webhookendpoint.ByID()).All(ctx)
	if err != nil {
		return fmt.Errorf("load webhook endpoints: %w", err)
	}
	var rows []*ent.WebhookDeliveryCreate
	for _, h := range happenings {
		for _, e := range endpoints {
			if slices.Contains(e.Events, string(h.Event)) {
				rows = append(rows, s.delivery(tx, e.ID, h, at))
			}
		}
	}
	for some := range slices.Chunk(rows, mostRows) {
		if err := tx.WebhookDelivery.CreateBulk(some...).Exec(ctx); err != nil {
			return fmt.Errorf("write webhook deliveries down: %w", err)
		}
	}
	store.AfterCommit(ctx, s.Wake)
	return nil
}

// mostRows is how many deliveries one statement writes: databases bound its parameters.
const mostRows = 500

func (s *Service) delivery(tx *ent.Client, endpoint gid.ID, h Happening, at time.Time) *ent.WebhookDeliveryCreate {
	now := s.Now()
	return tx.WebhookDelivery.Create().SetID(s.NewID(gid.WebhookDelivery)).SetCreatedAt(now).SetNextAt(now).SetEndpointID(endpoint).
		SetEvent(string(h.Event)).SetPayload(map[string]any{"type": string(h.Event), "timestamp": at.UTC().Format(time.RFC3339Nano), "data": h.Data})
}

// Wake makes Run look for deliveries now. It never blocks.
func (s *Service) Wake() {
	select {
	case s.woken <- struct{}{}:
	default:
	}
}

// Name is the event as the SDL's WebhookEvent has it: POST_CREATED.
func (e Event) Name() string { return strings.ToUpper(strings.ReplaceAll(string(e), ".", "_")) }
