// Package archive puts what was said in a space into a file that those who manage it can keep: JSON for programs, Markdown for people.
//
// Who manages a space asks for an archive; a worker puts it together from one view of the database, page by page, into a file without a name, and
// stores it for the rest of the day. A process that dies on the way has stored nothing, and another one begins anew. Whether somebody may fetch it is
// asked when they do. What is said in hidden spaces is in no archive.
//
// What is taken back is in no archive either that can still be fetched: once a post is deleted or hidden, or a thread moved away, the space's archives
// are forgotten, and one that is being put together is begun anew; once a member is erased, all archives are (see forum.ForgetArchives).
package archive

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"time"

	"entgo.io/ent/dialect/sql"

	"github.com/pursuing-equity/commons/ent"
	"github.com/pursuing-equity/commons/ent/space"
	"github.com/pursuing-equity/commons/ent/spaceexport"
	"github.com/pursuing-equity/commons/internal/access"
	"github.com/pursuing-equity/commons/internal/audit"
	"github.com/pursuing-equity/commons/internal/fault"
	"github.com/pursuing-equity/commons/internal/file"
	"github.com/pursuing-equity/commons/internal/forum"
	"github.com/pursuing-equity/commons/internal/gid"
	"github.com/pursuing-equity/commons/internal/page"
	"github.com/pursuing-equity/commons/internal/store"
	"github.com/pursuing-equity/commons/internal/viewer"
)

// lasts is how long an archive is kept after it was asked for, and its links with it. The storage's sweep goes by the same time.
const lasts = 24 * time.Hour

// rate is how often a member may ask: an archive is much work.
var rate = store.Throttle{Burst: 10, Refill: lasts / 10}

// Service makes archives. All fields are needed; New makes one.
type Service struct {
	Config
	woken chan struct{}
}

// Config is what a Service needs.
type Config struct {
	Store     *store.Store
	Audit     *audit.Log
	Files     *file.Service
	Forum     *forum.Service // what quotes show
	Now       func() time.Time
	NewID     func(gid.Kind) gid.ID
	Directory string        // where archives are put together
	PublicURL func() string // what links begin with
	Lease     time.Duration // for which an archive is one process's own, anew while it is put together and stored; 0: a minute
	Logger    *slog.Logger
}

// New makes a Service. Run puts archives together.
func New(cfg Config) *Service {
	cfg.Lease = cmp.Or(cfg.Lease, time.Minute)
	return &Service{Config: cfg, woken: make(chan struct{}, 1)}
}

// Export is an archive that was asked for, as somebody who manages the space sees it.
type Export struct {
	State       State
	Posts       int
	Size        *int // in bytes; nil until it is there
	RequestedAt time.Time
	FinishedAt  *time.Time
	ExpiresAt   time.Time
	URL         *string // for the viewer; nil until it is there
}

// Request has an archive of a space put together, and returns it. While one is on its way, that is returned and nothing else is begun. It returns
// NOT_FOUND for a space that the viewer cannot see, FORBIDDEN for one that they do not manage and for a hidden one, and RATE_LIMITED after
// asking ten times in a day. The same key gives the same archive.
func (s *Service) Request(ctx context.Context, v viewer.Viewer, spaceID gid.ID, key *string) (*Export, error) {
	me, err := access.SignedIn(v)
	if err != nil {
		return nil, err
	}
	now := s.Now()
	if wait, err := s.Store.Take(ctx, "space export "+me.String(), rate, now); err != nil {
		return nil, err
	} else if wait > 0 {
		return nil, fault.New(fault.RateLimited, "You have asked for many archives today. Try again in %s.", wait.Round(time.Minute))
	}
	var id gid.ID
	err = s.Store.InTx(ctx, func(ctx context.Context, tx *ent.Client) (err error) {
		once := store.Once{Member: me, Operation: "requestSpaceExport", Key: key, Payload: spaceID, At: now}
		if err := s.allowed(ctx, tx, v, spaceID); err != nil {
			return err
		}
		if _, err := tx.Space.Query().Where(space.ID(spaceID), store.LockRow).Only(ctx); err != nil { // so that one is begun at a time
			return fmt.Errorf("hold the space: %w", err)
		}
		id, err = once.Do(ctx, tx, func() (gid.ID, error) { return s.begin(ctx, tx, v, me, spaceID, now) })
		return err
	})
	if err != nil {
		return nil, err
	}
	e, err := s.Store.Client(ctx).SpaceExport.Query().Where(spaceexport.ID(id)).Only(ctx)
	if ent.IsNotFound(err) {
		return nil, fault.Missing()
	}
	if err != nil {
		return nil, fmt.Errorf("load space export: %w", err)
	}
	return s.show(ctx, me, e)
}

func (s *Service) allowed(ctx context.Context, c *ent.Client, v viewer.Viewer, spaceID gid.ID) error {
	sp, rights, err := access.Space(ctx, c, v, spaceID)
	if fault.Is(err, fault.NotFound) {
		return fault.Missing().At("spaceId")
	}
	if err != nil {
		return err
	}
	return access.CanExportSpace(rights, sp)
}

// begin returns the archive that is on its way, or writes down that one is wanted.
func (s *Service) begin(ctx context.Context, tx *ent.Client, v viewer.Viewer, me, spaceID gid.ID, now time.Time) (gid.ID, error) {
	open, err := tx.SpaceExport.Query().Where(spaceexport.SpaceID(spaceID), spaceexport.NextAtNotNil()).FirstID(ctx)
	if err == nil || !ent.IsNotFound(err) {
		return open, err
	}
	id := s.NewID(gid.SpaceExport)
	if err := tx.SpaceExport.Create().SetID(id).SetCreatedAt(now).SetSpaceID(spaceID).SetRequesterID(me).SetNextAt(now).Exec(ctx); err != nil {
		return id, fmt.Errorf("ask for a space export: %w", err)
	}
	store.AfterCommit(ctx, s.Wake)
	return id, s.Audit.Append(ctx, tx, v, audit.Entry{Action: audit.SpaceExportRequested, Subject: spaceID})
}

// Newest are the newest archives of spaces that were asked for within a day, as far as the viewer may have them; nil for others. At most four
// statements, whatever the number of spaces.
func (s *Service) Newest(ctx context.Context, v viewer.Viewer, spaces []*ent.Space) ([]*Export, error) {
	all := make([]*Export, len(spaces))
	me, ok := v.MemberID()
	if !ok {
		return all, nil
	}
	c := s.Store.Client(ctx)
	actor, err := access.Load(ctx, c, v)
	if err != nil {
		return nil, err
	}
	rights, err := actor.Spaces(ctx, c, spaces...)
	if err != nil {
		return nil, err
	}
	var ids []gid.ID
	for _, sp := range spaces {
		if access.CanExportSpace(rights[sp.ID], sp) == nil {
			ids = append(ids, sp.ID)
		}
	}
	if len(ids) == 0 {
		return all, nil
	}
	rows, err := c.SpaceExport.Query().Where(page.AnyOf(spaceexport.FieldSpaceID, ids), spaceexport.CreatedAtGT(s.Now().Add(-lasts))).
		Order(spaceexport.ByID(sql.OrderDesc())).All(ctx)
	if err != nil {
		return nil, fmt.Errorf("load space exports: %w", err)
	}
	for i, sp := range spaces {
		for _, e := range rows {
			if e.SpaceID == sp.ID && all[i] == nil {
				if all[i], err = s.show(ctx, me, e); err != nil {
					return nil, err
				}
			}
		}
	}
	return all, nil
}

// show is an archive with a link for a member.
func (s *Service) show(ctx context.Context, me gid.ID, e *ent.SpaceExport) (*Export, error) {
	out := &Export{State: stateOf(e), Posts: e.Posts, RequestedAt: e.CreatedAt, FinishedAt: e.FinishedAt, ExpiresAt: e.CreatedAt.Add(lasts)}
	if e.FinishedAt == nil {
		return out, nil
	}
	link, err := s.link(ctx, e, me)
	out.URL, out.Size = &link, new(int(e.Size))
	return out, err
}
