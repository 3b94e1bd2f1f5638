package admission

import (
	"context"
	"fmt"

	"github.com/pursuing-equity/commons/ent"
	"github.com/pursuing-equity/commons/ent/application"
	"github.com/pursuing-equity/commons/ent/member"
	"github.com/pursuing-equity/commons/internal/access"
	"github.com/pursuing-equity/commons/internal/event"
	"github.com/pursuing-equity/commons/internal/gid"
	"github.com/pursuing-equity/commons/internal/page"
	"github.com/pursuing-equity/commons/internal/viewer"
)

// Changed tells those who follow applications that their states are others, within the transaction that made them so: one event for
// each, in four statements whatever their number. The viewer did it; the system's doing has no actor. It locks the applications' rows in the
// order of their ids: who holds some of them already must have locked them in that order, too.
func (s *Service) Changed(ctx context.Context, tx *ent.Client, v viewer.Viewer, ids ...gid.ID) error {
	actor, _ := v.MemberID()
	entries := make(map[gid.ID]event.Entry, len(ids))
	for _, id := range ids {
		entries[id] = event.Entry{Kind: event.ApplicationChanged, Object: id, Actor: actor}
	}
	return s.Events.AppendToApplications(ctx, tx, s.Now(), entries)
}

// tell writes one event to the stream of an application that the transaction has locked.
func (s *Service) tell(ctx context.Context, tx *ent.Client, v viewer.Viewer, id gid.ID, kind string, object gid.ID) error {
	actor, _ := v.MemberID()
	return s.Events.AppendToApplications(ctx, tx, s.Now(), map[gid.ID]event.Entry{id: {Kind: kind, Object: object, Actor: actor}})
}

// Followed returns NOT_FOUND for an application that the viewer may not follow.
func (s *Service) Followed(ctx context.Context, v viewer.Viewer, id gid.ID) error {
	_, err := s.followed(ctx, s.Store.Client(ctx), v, id)
	return err
}

// Followers tells who of some members may follow an application.
func (s *Service) Followers(id gid.ID) func(context.Context, []gid.ID) ([]gid.ID, error) {
	return func(ctx context.Context, members []gid.ID) ([]gid.ID, error) {
		return s.Store.Client(ctx).Member.Query().Where(page.AnyOf(member.FieldID, members), access.ApplicationFollowers(id)).IDs(ctx)
	}
}

func (s *Service) followed(ctx context.Context, c *ent.Client, v viewer.Viewer, id gid.ID) (*ent.Application, error) {
	a, err := c.Application.Query().Where(application.ID(id), access.FollowedApplications(v)).Only(ctx)
	if err != nil {
		return nil, missing(err, "")
	}
	return a, nil
}

// followedOf are those of the applications that the viewer may follow.
func (s *Service) followedOf(ctx context.Context, v viewer.Viewer, of []*ent.Application) (map[gid.ID]bool, error) {
	ids, err := s.Store.Client(ctx).Application.Query().Where(page.AnyOf(application.FieldID, idsOf(of)), access.FollowedApplications(v)).IDs(ctx)
	if err != nil {
		return nil, fmt.Errorf("load who follows applications: %w", err)
	}
	mine := make(map[gid.ID]bool, len(ids))
	for _, id := range ids {
		mine[id] = true
	}
	return mine, nil
}
