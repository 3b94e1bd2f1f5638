package access

import (
	"entgo.io/ent/dialect/sql"

	"github.com/pursuing-equity/commons/ent/application"
	"github.com/pursuing-equity/commons/ent/moderationaction"
	"github.com/pursuing-equity/commons/ent/notice"
	"github.com/pursuing-equity/commons/ent/predicate"
	"github.com/pursuing-equity/commons/internal/viewer"
)

// notices is true for the member's own: those of a review as long as they are to review the application and may judge it, the others of an
// application as long as they edit it, and those of warnings in any case.
func notices(s *sql.Selector, m who) *sql.Predicate {
	ofReview := sql.In(s.C(notice.FieldReason), notice.ReasonREVIEW_ASSIGNED, notice.ReasonREVIEW_REOPENED)
	ofEditor := sql.NotIn(s.C(notice.FieldReason), notice.ReasonREVIEW_ASSIGNED, notice.ReasonREVIEW_REOPENED)
	a := from(s, application.Table, application.FieldID)
	a.Where(sql.And(
		sql.ColumnsEQ(a.C(application.FieldID), s.C(notice.FieldApplicationID)),
		sql.Or(sql.And(ofReview, assessed(a, m)), sql.And(ofEditor, edited(a, m)))))
	return sql.And(m.is(s.C(notice.FieldRecipientID)), sql.Or(sql.NotNull(s.C(notice.FieldWarningID)), sql.Exists(a)))
}

// VisibleNotices are the viewer's own, as long as what they tell of is theirs to do or to know.
func VisibleNotices(v viewer.Viewer) predicate.Notice {
	return where(v, never, remembered("notices", notices))
}

// SeenNotices are those that their recipients can see now, by the rule of VisibleNotices.
func SeenNotices() predicate.Notice {
	return func(s *sql.Selector) { s.Where(notices(s, who{outer: s.C(notice.FieldRecipientID)})) }
}

// ExportableNotices are the notices that may leave: the viewer's that they can see, but for those of warnings in an affinity group.
func ExportableNotices(v viewer.Viewer) predicate.Notice {
	return func(s *sql.Selector) {
		VisibleNotices(v)(s)
		warnings := from(s, moderationaction.Table, moderationaction.FieldID)
		warnings.Where(sql.And(sql.NotNull(warnings.C(moderationaction.FieldSpaceID)), sql.Not(outsideAffinity(warnings))))
		s.Where(sql.Or(sql.IsNull(s.C(notice.FieldWarningID)), sql.NotIn(s.C(notice.FieldWarningID), warnings)))
	}
}
