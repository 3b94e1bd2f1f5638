package notify

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/pursuing-equity/commons/ent"
	"github.com/pursuing-equity/commons/ent/post"
	"github.com/pursuing-equity/commons/internal/access"
	"github.com/pursuing-equity/commons/internal/gid"
	"github.com/pursuing-equity/commons/internal/page"
	"github.com/pursuing-equity/commons/internal/viewer"
)

// ReasonsOf are why the viewer's notifications were made, the strongest first: flags only while they moderate the post's space.
func (s *Service) ReasonsOf(ctx context.Context, v viewer.Viewer, rows []*ent.Notification) ([][]Reason, error) {
	theirs, err := s.judges(ctx, v, rows)
	if err != nil {
		return nil, err
	}
	out := make([][]Reason, len(rows))
	for i, n := range rows {
		out[i] = slices.DeleteFunc(Reasons(n), func(r Reason) bool { return r == Flagged && !theirs[n.PostID] })
	}
	return out, nil
}

// ReadAts are when the viewer read each of their notifications, nil while they have not: for who does not moderate the post's space any more, what
// they had read before flags made it unread is read.
func (s *Service) ReadAts(ctx context.Context, v viewer.Viewer, rows []*ent.Notification) ([]*time.Time, error) {
	theirs, err := s.judges(ctx, v, slices.DeleteFunc(slices.Clone(rows), func(n *ent.Notification) bool { return n.ReadAt != nil || n.RestReadAt == nil }))
	if err != nil {
		return nil, err
	}
	out := make([]*time.Time, len(rows))
	for i, n := range rows {
		if out[i] = n.ReadAt; n.ReadAt == nil && !theirs[n.PostID] {
			out[i] = n.RestReadAt
		}
	}
	return out, nil
}

// judges are the posts of which a member was told flags and which they moderate now.
func (s *Service) judges(ctx context.Context, v viewer.Viewer, rows []*ent.Notification) (map[gid.ID]bool, error) {
	var flagged []gid.ID
	for _, n := range rows {
		if slices.Contains(Reasons(n), Flagged) {
			flagged = append(flagged, n.PostID)
		}
	}
	if len(flagged) == 0 {
		return nil, nil
	}
	ids, err := s.Store.Client(ctx).Post.Query().Where(page.AnyOf(post.FieldID, flagged), access.JudgedPosts(v)).IDs(ctx)
	if err != nil {
		return nil, fmt.Errorf("look for what the member moderates: %w", err)
	}
	return setOf(ids), nil
}

// apart has what mail tells of moderation and what it tells of the post itself, each as a notification of its own: flags only to who
// moderates there now, and of the post only what was not read before the flags came, is still there, and is by somebody whom the member hears.
func (s *Service) apart(ctx context.Context, v viewer.Viewer, rows []*ent.Notification) ([]*ent.Notification, error) {
	theirs, err := s.judges(ctx, v, rows)
	if err != nil {
		return nil, err
	}
	var both []gid.ID
	for _, n := range rows {
		if n.Duty && n.News && n.RestReadAt == nil {
			both = append(both, n.PostID)
		}
	}
	said := make(map[gid.ID]bool)
	if len(both) > 0 {
		ids, err := s.Store.Client(ctx).Post.Query().Where(page.AnyOf(post.FieldID, both), post.DeletedAtIsNil(), post.HiddenAtIsNil(), access.HeardPosts(v)).IDs(ctx)
		if err != nil {
			return nil, fmt.Errorf("look for what may be told of beside moderation: %w", err)
		}
		said = setOf(ids)
	}
	var out []*ent.Notification
	for _, n := range rows {
		if !n.Duty {
			out = append(out, n)
			continue
		}
		of := func(moderation bool) *ent.Notification {
			c := *n
			c.Duty = moderation
			c.Reasons = slices.DeleteFunc(slices.Clone(n.Reasons), func(r string) bool { return Reason(r).moderates() != moderation })
			return &c
		}
		if d := of(true); duty(d) != Flagged || theirs[n.PostID] {
			out = append(out, d)
		}
		if said[n.PostID] {
			out = append(out, of(false))
		}
	}
	return out, nil
}
