package audit

import (
	"context"
	"fmt"
	"io"
	"strconv"

	"github.com/pursuing-equity/commons/ent"
	"github.com/pursuing-equity/commons/ent/auditentry"
	"github.com/pursuing-equity/commons/internal/access"
	"github.com/pursuing-equity/commons/internal/gid"
	"github.com/pursuing-equity/commons/internal/page"
	"github.com/pursuing-equity/commons/internal/viewer"
)

// newest is the order of entries: their ids rise with time.
var newest = page.Order{Name: "auditEntries", Part: page.ByID, Desc: true}

// Filter narrows a list of entries; nil fields narrow nothing.
type Filter struct {
	// Subject is what it was done to: a member stands for their roles, places in spaces and sign-ins too.
	Subject *gid.ID
	// Actor is who did it.
	Actor *gid.ID
}

// Entries are those that the viewer may read, the newest first.
func (l *Log) Entries(ctx context.Context, v viewer.Viewer, f Filter, a page.Args) (*page.Connection[ent.AuditEntry], error) {
	w, err := a.Window(newest, gid.ID{})
	if err != nil {
		return nil, err
	}
	q := l.Store.Client(ctx).AuditEntry.Query().Where(access.VisibleAuditEntries(v))
	if f.Subject != nil {
		q.Where(access.AuditEntriesAbout(*f.Subject))
	}
	if f.Actor != nil {
		q.Where(auditentry.ActorID(*f.Actor))
	}
	rows, err := q.Where(newest.Page(w)).All(ctx)
	if err != nil {
		return nil, fmt.Errorf("list audit entries: %w", err)
	}
	return page.Build(newest, w, gid.ID{}, rows, func(e *ent.AuditEntry) page.Key { return page.Key{ID: e.ID} }), nil
}

// Subjects are what was done to: nil where there is nothing, or nothing that the viewer can see. One statement a kind of object.
func (l *Log) Subjects(ctx context.Context, v viewer.Viewer, entries []*ent.AuditEntry) ([]any, error) {
	var ids []gid.ID
	for _, e := range entries {
		if e.SubjectID != nil {
			ids = append(ids, *e.SubjectID)
		}
	}
	found, err := access.Find(ctx, l.Store.Client(ctx), v, ids...)
	if err != nil {
		return nil, err
	}
	subjects := make([]any, len(entries))
	for i, e := range entries {
		if e.SubjectID != nil {
			subjects[i] = found[*e.SubjectID]
		}
	}
	return subjects, nil
}

// Addresses are from where it was done: nil where that is not known, and where it is not for the viewer to see.
func (l *Log) Addresses(ctx context.Context, v viewer.Viewer, entries []*ent.AuditEntry) ([]*string, error) {
	actor, err := access.Load(ctx, l.Store.Client(ctx), v)
	if err != nil {
		return nil, err
	}
	addresses := make([]*string, len(entries))
	for i, e := range entries {
		if e.Address != "" && actor.CanSeeAddress(e.ActorID) {
			addresses[i] = &e.Address
		}
	}
	return addresses, nil
}

// MarshalGQL writes the SDL's AuditAction.
func (a Action) MarshalGQL(w io.Writer) { _, _ = io.WriteString(w, strconv.Quote(string(a))) }

// UnmarshalGQL reads the SDL's AuditAction.
func (a *Action) UnmarshalGQL(v any) error {
	s, ok := v.(string)
	if !ok {
		return fmt.Errorf("an action must be a string, not %T", v)
	}
	*a = Action(s)
	return nil
}
