package notify

import (
	"context"

	"github.com/pursuing-equity/commons/ent"
	"github.com/pursuing-equity/commons/ent/notification"
	"github.com/pursuing-equity/commons/internal/access"
	"github.com/pursuing-equity/commons/internal/gid"
	"github.com/pursuing-equity/commons/internal/page"
	"github.com/pursuing-equity/commons/internal/viewer"
)

// newest is the order of notifications: their ids rise with time, and the database keeps them in an index.
var newest = page.Order{Name: "notifications", Part: page.ByID, Desc: true}

// Notifications are the viewer's own, the newest first, of those that they can still see.
func (s *Service) Notifications(ctx context.Context, v viewer.Viewer, a page.Args) (*page.Connection[ent.Notification], error) {
	me, err := access.SignedIn(v)
	if err != nil {
		return nil, err
	}
	w, err := a.Window(newest, me)
	if err != nil {
		return nil, err
	}
	rows, err := s.Store.Client(ctx).Notification.Query().
		Where(notification.RecipientID(me), access.VisibleNotifications(v), newest.Page(w)).All(ctx)
	return page.Build(newest, w, me, rows, func(n *ent.Notification) page.Key { return page.Key{ID: n.ID} }), err
}

// Notification loads one of the viewer's own.
func (s *Service) Notification(ctx context.Context, v viewer.Viewer, ids []gid.ID) ([]*ent.Notification, error) {
	return s.Store.Client(ctx).Notification.Query().Where(page.AnyOf(notification.FieldID, ids), access.VisibleNotifications(v)).All(ctx)
}
