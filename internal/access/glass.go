package access

import (
	"entgo.io/ent/dialect/sql"

	"github.com/pursuing-equity/commons/ent/breakglass"
	"github.com/pursuing-equity/commons/ent/predicate"
	"github.com/pursuing-equity/commons/internal/fault"
	"github.com/pursuing-equity/commons/internal/viewer"
)

// openGlasses are the hidden spaces that the member has broken the glass of and may read for that now. The role is asked for as
// well: whoever stops being an administrator loses what they opened as one.
func openGlasses(outer *sql.Selector, m who) *sql.Selector {
	s := from(outer, breakglass.Table, breakglass.FieldSpaceID)
	return s.Where(sql.And(m.is(s.C(breakglass.FieldMemberID)), compare(s, breakglass.FieldEndsAt, ">"), administrator(s, m)))
}

// CanBreakGlass is for administrators. Everybody else is told what they would be told of a space that never existed, before
// anything is looked at.
func (a *Actor) CanBreakGlass() error {
	if !a.IsAdmin() {
		return fault.Missing().At("spaceId")
	}
	return nil
}

// BreakableSpaces are those whose glass the viewer may break if they are hidden: for administrators all that there are. It is the
// one predicate that sees more than the viewer does; nothing but breaking a glass may use it.
func BreakableSpaces(v viewer.Viewer) predicate.Space { return where(v, never, administrator) }

// VisibleBreakGlasses are those of the spaces that the viewer may read.
func VisibleBreakGlasses(v viewer.Viewer) predicate.BreakGlass {
	return where(v, never, func(s *sql.Selector, m who) *sql.Predicate {
		return sql.In(s.C(breakglass.FieldSpaceID), visibleSpaceIDs(s, m))
	})
}
