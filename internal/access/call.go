package access

import (
	"entgo.io/ent/dialect/sql"

	"github.com/pursuing-equity/commons/ent/call"
	"github.com/pursuing-equity/commons/ent/member"
	"github.com/pursuing-equity/commons/ent/predicate"
	"github.com/pursuing-equity/commons/internal/gid"
	"github.com/pursuing-equity/commons/internal/viewer"
)

func publishedCalls(s *sql.Selector) *sql.Predicate { return sql.NotNull(s.C(call.FieldPublishedAt)) }

// VisibleCalls are those that were published, for everybody; staff also see what they prepare.
func VisibleCalls(v viewer.Viewer) predicate.Call {
	return where(v, publishedCalls, func(s *sql.Selector, m who) *sql.Predicate { return sql.Or(publishedCalls(s), staff(s, m)) })
}

// CallFollowers are the active members who may follow the call now, by the rule of VisibleCalls.
func CallFollowers(id gid.ID) predicate.Member {
	return func(s *sql.Selector) {
		c := from(s, call.Table, call.FieldID)
		c.Where(sql.And(sql.EQ(c.C(call.FieldID), id), sql.Or(publishedCalls(c), staff(c, who{outer: s.C(member.FieldID)}))))
		s.Where(sql.And(active(s), sql.Exists(c)))
	}
}

// VisibleFormVersions are all for staff. What applicants see of a form are the questions of their call and of their application.
func VisibleFormVersions(v viewer.Viewer) predicate.FormVersion { return where(v, never, staff) }
