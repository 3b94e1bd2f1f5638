package access

import (
	"entgo.io/ent/dialect/sql"

	"github.com/pursuing-equity/commons/ent/member"
	"github.com/pursuing-equity/commons/ent/predicate"
	"github.com/pursuing-equity/commons/ent/savedview"
	"github.com/pursuing-equity/commons/internal/gid"
	"github.com/pursuing-equity/commons/internal/viewer"
)

// ListedApplications are those in the lists that staff work with: all for staff, none for anybody else, not even one's own. Such a list
// is narrowed by reviews and prepared decisions, which applicants must not learn of.
func ListedApplications(v viewer.Viewer) predicate.Application { return where(v, never, staff) }

// VisibleSavedViews are for staff their own and those that were shared.
func VisibleSavedViews(v viewer.Viewer) predicate.SavedView {
	return where(v, never, func(s *sql.Selector, m who) *sql.Predicate {
		return sql.And(staff(s, m), sql.Or(m.is(s.C(savedview.FieldOwnerID)), sql.EQ(s.C(savedview.FieldShared), true)))
	})
}

// OwnSavedViews are those that the viewer keeps, as long as they are staff.
func OwnSavedViews(v viewer.Viewer) predicate.SavedView {
	return where(v, never, func(s *sql.Selector, m who) *sql.Predicate {
		return sql.And(staff(s, m), m.is(s.C(savedview.FieldOwnerID)))
	})
}

// VisibleBulkActions are all for staff.
func VisibleBulkActions(v viewer.Viewer) predicate.BulkAction { return where(v, never, staff) }

// StaffAmong are those of some members who are staff now and may sign in: who may follow what staff do.
func StaffAmong(members []gid.ID) predicate.Member {
	return func(s *sql.Selector) {
		ids := make([]any, len(members))
		for i, id := range members {
			ids[i] = id
		}
		s.Where(sql.And(sql.In(s.C(member.FieldID), ids...), active(s), staff(s, who{outer: s.C(member.FieldID)})))
	}
}
