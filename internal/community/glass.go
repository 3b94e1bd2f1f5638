package community

import (
	"context"
	"fmt"
	"time"

	"entgo.io/ent/dialect/sql"

	"github.com/pursuing-equity/commons/ent"
	"github.com/pursuing-equity/commons/ent/breakglass"
	"github.com/pursuing-equity/commons/ent/space"
	"github.com/pursuing-equity/commons/internal/access"
	"github.com/pursuing-equity/commons/internal/audit"
	"github.com/pursuing-equity/commons/internal/fault"
	"github.com/pursuing-equity/commons/internal/gid"
	"github.com/pursuing-equity/commons/internal/input"
	"github.com/pursuing-equity/commons/internal/page"
	"github.com/pursuing-equity/commons/internal/store"
	"github.com/pursuing-equity/commons/internal/viewer"
)

// NewBreakGlass is a hidden space that an administrator must read, for so many hours, and why.
type NewBreakGlass struct {
	SpaceID        gid.ID
	Reason         string
	Hours          int
	IdempotencyKey *string `json:"-"`
}

// Why a glass is broken is told to those whom it concerns: a word is no reason. It lasts a working day, not a week.
const (
	minGlassReason = 20
	maxGlassHours  = 24
)

// BreakGlass lets an administrator read a hidden space for a while, and its members know: who, when, why and until when. Everybody
// else gets NOT_FOUND, whether there is such a space or not. It returns ALREADY_EXISTS for a space that the viewer can read anyway.
func (s *Service) BreakGlass(ctx context.Context, v viewer.Viewer, in NewBreakGlass) (*ent.BreakGlass, error) {
	if _, err := access.SignedIn(v); err != nil {
		return nil, err
	}
	actor, err := access.Load(ctx, s.Store.Client(ctx), v)
	if err != nil {
		return nil, err
	}
	if err := actor.CanBreakGlass(); err != nil {
		return nil, err
	}
	var check input.Checker
	in.Reason = check.Text("reason", in.Reason, minGlassReason, maxReason)
	if in.Hours < 1 || in.Hours > maxGlassHours {
		check.Refuse("hours", "This must be from 1 to %d.", maxGlassHours)
	}
	if err := check.Err(); err != nil {
		return nil, err
	}
	once := store.Once{Operation: "breakGlass", Key: in.IdempotencyKey, Payload: in}
	return create[ent.BreakGlass](ctx, s, v, once, func(ctx context.Context, tx *ent.Client) (gid.ID, error) {
		sp, err := tx.Space.Query().Where(space.ID(in.SpaceID), access.BreakableSpaces(v), store.LockRow).Only(ctx)
		if err != nil {
			return gid.ID{}, missing(err, "spaceId")
		}
		reads, err := tx.Space.Query().Where(space.ID(sp.ID), access.VisibleSpaces(v)).Exist(ctx)
		if err != nil {
			return gid.ID{}, fmt.Errorf("look for the space: %w", err)
		}
		if reads {
			return gid.ID{}, exists("spaceId", "You can read this space already.")
		}
		me, _ := v.MemberID()
		id, now := s.NewID(gid.BreakGlass), s.Now()
		err = tx.BreakGlass.Create().SetID(id).SetCreatedAt(now).SetSpaceID(sp.ID).SetMemberID(me).SetReason(in.Reason).
			SetEndsAt(now.Add(time.Duration(in.Hours) * time.Hour)).Exec(ctx)
		if err != nil {
			return gid.ID{}, fmt.Errorf("break the glass: %w", err)
		}
		return id, s.Audit.Append(ctx, tx, v, audit.Entry{Action: audit.GlassBroken, Subject: id, Space: sp.ID, Reason: in.Reason})
	})
}

// EndBreakGlass ends what BreakGlass began, at once. For the administrator who began it. It returns nil when the viewer lost sight of
// the space by that.
func (s *Service) EndBreakGlass(ctx context.Context, v viewer.Viewer, id gid.ID) (*ent.BreakGlass, error) {
	err := s.change(ctx, v, func(ctx context.Context, tx *ent.Client) error {
		g, err := tx.BreakGlass.Query().Where(breakglass.ID(id), access.VisibleBreakGlasses(v), store.LockRow).Only(ctx)
		if err != nil {
			return missing(err, "breakGlassId")
		}
		now := s.instant()
		switch me, _ := v.MemberID(); {
		case g.MemberID != me:
			return fault.Denied("Only the administrator who broke the glass can do that.")
		case !g.EndsAt.After(now):
			return nil
		}
		if err := tx.BreakGlass.UpdateOneID(id).SetEndsAt(now).Exec(ctx); err != nil {
			return fmt.Errorf("mend the glass: %w", err)
		}
		return s.Audit.Append(ctx, tx, v, audit.Entry{Action: audit.GlassMended, Subject: id, Space: g.SpaceID})
	})
	if err != nil {
		return nil, err
	}
	return still[ent.BreakGlass](ctx, s, v, id)
}

// BreakGlasses are who broke the glass of spaces, the newest first: one statement for all spaces.
func (s *Service) BreakGlasses(ctx context.Context, v viewer.Viewer, spaces []gid.ID, a page.Args) ([]*page.Connection[ent.BreakGlass], error) {
	return page.Each(spaceBreakGlasses, a, breakglass.FieldSpaceID, spaces,
		func(g *ent.BreakGlass) page.Key { return page.Key{ID: g.ID} },
		func(g *ent.BreakGlass) gid.ID { return g.SpaceID },
		func(within func(*sql.Selector)) ([]*ent.BreakGlass, error) {
			return s.Store.Client(ctx).BreakGlass.Query().Where(within).All(ctx)
		}, access.VisibleBreakGlasses(v))
}
