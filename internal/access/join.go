package access

import (
	"entgo.io/ent/dialect/sql"

	"github.com/pursuing-equity/commons/ent/joinrequest"
	"github.com/pursuing-equity/commons/ent/predicate"
	"github.com/pursuing-equity/commons/ent/space"
	"github.com/pursuing-equity/commons/internal/viewer"
)

// managedJoinRequests is true for a request to the address of an affinity group that the member facilitates.
func managedJoinRequests(s *sql.Selector, m who) *sql.Predicate {
	addresses := from(s, space.Table, space.FieldJoinAddress)
	addresses.Where(sql.And(
		sql.EQ(addresses.C(space.FieldKind), space.KindAFFINITY), sql.NotNull(addresses.C(space.FieldJoinAddress)), sql.In(addresses.C(space.FieldID), led(s, m))))
	return sql.In(s.C(joinrequest.FieldAddress), addresses)
}

// ManagedJoinRequests are those to the groups that the viewer facilitates: theirs to accept and decline.
func ManagedJoinRequests(v viewer.Viewer) predicate.JoinRequest {
	return where(v, never, managedJoinRequests)
}

// VisibleJoinRequests are the viewer's own, and those that they may accept and decline.
func VisibleJoinRequests(v viewer.Viewer) predicate.JoinRequest {
	return where(v, never, func(s *sql.Selector, m who) *sql.Predicate {
		return sql.Or(m.is(s.C(joinrequest.FieldMemberID)), managedJoinRequests(s, m))
	})
}
