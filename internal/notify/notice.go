package notify

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/pursuing-equity/commons/ent"
	"github.com/pursuing-equity/commons/ent/notice"
	"github.com/pursuing-equity/commons/ent/predicate"
	"github.com/pursuing-equity/commons/internal/access"
	"github.com/pursuing-equity/commons/internal/event"
	"github.com/pursuing-equity/commons/internal/gid"
	"github.com/pursuing-equity/commons/internal/page"
	"github.com/pursuing-equity/commons/internal/store"
	"github.com/pursuing-equity/commons/internal/viewer"
)

// noticeBatch is how many notices are told with one statement: databases bound the number of its arguments.
const noticeBatch = 1000

// newestNotices is the order of notices: by when they were told last.
var newestNotices = page.Order{Name: "notices told", Column: notice.FieldToldAt, Part: page.ByTime, Desc: true}

// About is whom a notice tells of what: of an application or a warning.
type About struct{ Recipient, Subject gid.ID }

// OfReview are the notices of reviews that members are to write.
func OfReview() predicate.Notice {
	return notice.ReasonIn(notice.ReasonREVIEW_ASSIGNED, notice.ReasonREVIEW_REOPENED)
}

// TellNotices tells members of applications or warnings in the bell, in the transaction of what happened. Who was told of the same for the same
// reason before has no second notice of it: it is unread again, and told now. Each member has one event of the notices that are told
// together, a thousand at a time, and so many statements.
func (s *Service) TellNotices(ctx context.Context, tx *ent.Client, why notice.Reason, all []About, at time.Time) error {
	all = slices.Clone(all) // members are locked in the order of their ids
	slices.SortStableFunc(all, func(a, b About) int { return bytes.Compare(a.Recipient[:], b.Recipient[:]) })
	for some := range slices.Chunk(all, noticeBatch) {
		if err := s.tellNotices(ctx, tx, why, some, at); err != nil {
			return fmt.Errorf("tell notices: %w", err)
		}
	}
	return nil
}

func (s *Service) tellNotices(ctx context.Context, tx *ent.Client, why notice.Reason, all []About, at time.Time) error {
	told, err := toldBefore(ctx, tx, why, all)
	if err != nil {
		return err
	}
	var again []gid.ID
	var rows []*ent.NoticeCreate
	entries := make(map[gid.ID]event.Entry, len(all))
	for _, a := range all {
		id, before := told[a]
		switch {
		case before:
			again = append(again, id)
		default:
			id = s.NewID(gid.Notice)
			told[a] = id
			row := tx.Notice.Create().SetID(id).SetCreatedAt(at).SetToldAt(at).SetRecipientID(a.Recipient).SetReason(why)
			if a.Subject.Kind() == gid.Application {
				row.SetApplicationID(a.Subject)
			} else {
				row.SetWarningID(a.Subject)
			}
			rows = append(rows, row)
		}
		entries[a.Recipient] = event.Entry{Kind: event.NoticeCreated, Object: id}
	}
	if len(again) > 0 {
		if err := tx.Notice.Update().Where(page.AnyOf(notice.FieldID, again)).SetToldAt(at).ClearReadAt().Exec(ctx); err != nil {
			return err
		}
	}
	if len(rows) > 0 {
		if err := tx.Notice.CreateBulk(rows...).Exec(ctx); err != nil {
			return store.RetryOnConflict(err)
		}
	}
	return s.Events.AppendToMembers(ctx, tx, at, entries)
}

// toldBefore are the notices that there are of what members are told.
func toldBefore(ctx context.Context, tx *ent.Client, why notice.Reason, all []About) (map[About]gid.ID, error) {
	recipients, subjects := make([]gid.ID, len(all)), make([]gid.ID, len(all))
	for i, a := range all {
		recipients[i], subjects[i] = a.Recipient, a.Subject
	}
	rows, err := tx.Notice.Query().Where(notice.ReasonEQ(why), page.AnyOf(notice.FieldRecipientID, recipients),
		notice.Or(page.AnyOf(notice.FieldApplicationID, subjects), page.AnyOf(notice.FieldWarningID, subjects))).All(ctx)
	if err != nil {
		return nil, err
	}
	told := make(map[About]gid.ID, len(rows))
	for _, n := range rows {
		subject := n.ApplicationID
		if subject == nil {
			subject = n.WarningID
		}
		told[About{n.RecipientID, *subject}] = n.ID
	}
	return told, nil
}

// WithdrawNotices deletes notices of what is over, and tells every member whose unread ones are gone.
func (s *Service) WithdrawNotices(ctx context.Context, tx *ent.Client, at time.Time, which ...predicate.Notice) error {
	if err := s.NoticesChanged(ctx, tx, at, which...); err != nil {
		return err
	}
	if _, err := tx.Notice.Delete().Where(which...).Exec(ctx); err != nil {
		return fmt.Errorf("withdraw notices: %w", err)
	}
	return nil
}

// NoticesChanged tells every member who has unread ones among some notices that there are fewer for them now, or more again.
func (s *Service) NoticesChanged(ctx context.Context, tx *ent.Client, at time.Time, which ...predicate.Notice) error {
	_, whom, err := unreadNotices(ctx, tx, which...)
	if err != nil {
		return err
	}
	return s.Events.AppendToMembers(ctx, tx, at, whom)
}

// ReadNotices marks what is unread among some notices, and tells every member who can see theirs: who can see it no more must not learn when it is read.
func (s *Service) ReadNotices(ctx context.Context, tx *ent.Client, at time.Time, which ...predicate.Notice) error {
	_, whom, err := unreadNotices(ctx, tx, append(which, access.SeenNotices())...)
	if err != nil {
		return err
	}
	_, err = s.markNotices(ctx, tx, at, which...)
	if err != nil {
		return err
	}
	return s.Events.AppendToMembers(ctx, tx, at, whom)
}

// markNotices marks what is unread among some notices, and returns what every member whom it concerns is to be told.
func (s *Service) markNotices(ctx context.Context, tx *ent.Client, at time.Time, which ...predicate.Notice) (map[gid.ID]event.Entry, error) {
	ids, whom, err := unreadNotices(ctx, tx, which...)
	if err != nil || len(ids) == 0 {
		return nil, err
	}
	if err := tx.Notice.Update().Where(page.AnyOf(notice.FieldID, ids), notice.ReadAtIsNil()).SetReadAt(at).Exec(ctx); err != nil {
		return nil, fmt.Errorf("read notices: %w", err)
	}
	return whom, nil
}

// unreadNotices are the unread ones among some notices, and what whom they are for is told when they are not unread any more.
func unreadNotices(ctx context.Context, tx *ent.Client, which ...predicate.Notice) ([]gid.ID, map[gid.ID]event.Entry, error) {
	rows, err := tx.Notice.Query().Where(which...).Where(notice.ReadAtIsNil()).Select(notice.FieldID, notice.FieldRecipientID).All(ctx)
	if err != nil {
		return nil, nil, fmt.Errorf("find unread notices: %w", err)
	}
	ids, whom := make([]gid.ID, len(rows)), make(map[gid.ID]event.Entry, len(rows))
	for i, n := range rows {
		ids[i] = n.ID
		whom[n.RecipientID] = event.Entry{Kind: event.NotificationsRead, Object: n.RecipientID}
	}
	return ids, whom, nil
}

// Notices are the viewer's own that they can still see, what was told last first.
func (s *Service) Notices(ctx context.Context, v viewer.Viewer, a page.Args) (*page.Connection[ent.Notice], error) {
	me, err := access.SignedIn(v)
	if err != nil {
		return nil, err
	}
	w, err := a.Window(newestNotices, me)
	if err != nil {
		return nil, err
	}
	rows, err := s.Store.Client(ctx).Notice.Query().Where(notice.RecipientID(me), access.VisibleNotices(v), newestNotices.Page(w)).All(ctx)
	if err != nil {
		return nil, fmt.Errorf("list notices: %w", err)
	}
	return page.Build(newestNotices, w, me, rows, func(n *ent.Notice) page.Key { return page.Key{Time: n.ToldAt, ID: n.ID} }), nil
}

// ToldWith fills in, for events of notices that the viewer cannot see any more, others that were told together with these, as far as there are any.
func (s *Service) ToldWith(ctx context.Context, v viewer.Viewer, told []*ent.Event, notices []*ent.Notice) error {
	me, err := access.SignedIn(v)
	if err != nil {
		return err
	}
	var hidden []time.Time
	for i, e := range told {
		if notices[i] == nil {
			hidden = append(hidden, e.CreatedAt)
		}
	}
	rows, err := s.Store.Client(ctx).Notice.Query().Where(notice.RecipientID(me), notice.ToldAtIn(hidden...), access.VisibleNotices(v)).Order(notice.ByID()).All(ctx)
	if err != nil {
		return fmt.Errorf("load what was told together: %w", err)
	}
	for i, e := range told {
		for _, n := range rows {
			if notices[i] == nil && n.ToldAt.Equal(e.CreatedAt) {
				notices[i] = n
			}
		}
	}
	return nil
}

// NoticesByID loads those of the viewer's own that they can still see.
func (s *Service) NoticesByID(ctx context.Context, v viewer.Viewer, ids []gid.ID) ([]*ent.Notice, error) {
	rows, err := s.Store.Client(ctx).Notice.Query().Where(page.AnyOf(notice.FieldID, ids), access.VisibleNotices(v)).All(ctx)
	if err != nil {
		return nil, fmt.Errorf("load notices: %w", err)
	}
	return rows, nil
}
