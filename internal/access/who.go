package access

import (
	"fmt"

	"entgo.io/ent/dialect/sql"

	"github.com/pursuing-equity/commons/ent"
	"github.com/pursuing-equity/commons/ent/member"
	"github.com/pursuing-equity/commons/ent/predicate"
	"github.com/pursuing-equity/commons/ent/roleassignment"
	"github.com/pursuing-equity/commons/ent/thread"
	"github.com/pursuing-equity/commons/internal/gid"
	"github.com/pursuing-equity/commons/internal/viewer"
)

// who is the member that a rule is about: one that is known, or the one of an outer row, so that one statement asks the same
// rule for many members.
type who struct {
	id    gid.ID
	outer string // a qualified column; empty when the id is known

	noRole bool // they are known to hold none: rules are a fraction as long
}

// is says that a column holds the member's id.
func (w who) is(column string) *sql.Predicate {
	if w.outer != "" {
		return sql.ColumnsEQ(column, w.outer)
	}
	return sql.EQ(column, w.id)
}

// ThreadReaders are the active members who may read the thread now, by the rule of VisibleThreads.
func ThreadReaders(threadID gid.ID) predicate.Member {
	return func(s *sql.Selector) {
		t := from(s, thread.Table, thread.FieldID)
		t.Where(sql.And(sql.EQ(t.C(thread.FieldID), threadID), threads(t, who{outer: s.C(member.FieldID)})))
		s.Where(sql.And(active(s), sql.Exists(t)))
	}
}

// active is true for a member who may sign in: the account is in use and not suspended at the moment.
func active(s *sql.Selector) *sql.Predicate {
	end := member.FieldSuspendedUntil
	return sql.And(sql.EQ(s.C(member.FieldStatus), member.StatusACTIVE), sql.Or(sql.IsNull(s.C(end)), compare(s, end, "<=")))
}

// ActiveMembers are those who may sign in: their account is in use and not suspended at the moment.
func ActiveMembers() predicate.Member { return func(s *sql.Selector) { s.Where(active(s)) } }

// holdsRole is the column of BesideRole.
const holdsRole = "holds_role"

// BesideRole puts beside each row of a table with a member_id whether the member holds any role at the moment.
func BesideRole(s *sql.Selector) {
	role := from(s, roleassignment.Table, roleassignment.FieldID)
	role.Where(sql.And(sql.ColumnsEQ(role.C(roleassignment.FieldMemberID), s.C(roleassignment.FieldMemberID)), running(role)))
	s.AppendSelectExprAs(sql.ExprFunc(func(b *sql.Builder) {
		b.WriteString("(CASE WHEN ").Join(sql.Exists(role)).WriteString(" THEN 1 ELSE 0 END)")
	}), holdsRole)
}

// Standing is the viewer as a row with BesideRole shows them: most members hold no role.
func Standing(v viewer.Viewer, row interface {
	Value(string) (ent.Value, error)
}) (viewer.Viewer, error) {
	holds, err := row.Value(holdsRole)
	if err != nil {
		return v, fmt.Errorf("read whether a member holds a role: %w", err)
	}
	if holds == any(int64(0)) {
		return v.WithoutRoles(), nil
	}
	return v, nil
}
