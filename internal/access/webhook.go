package access

import (
	"entgo.io/ent/dialect/sql"

	"github.com/pursuing-equity/commons/ent/member"
	"github.com/pursuing-equity/commons/ent/predicate"
	"github.com/pursuing-equity/commons/ent/space"
	"github.com/pursuing-equity/commons/ent/thread"
	"github.com/pursuing-equity/commons/internal/viewer"
)

// VisibleWebhookEndpoints are all for staff, and none for anybody else: they belong to the program, whoever made them.
func VisibleWebhookEndpoints(v viewer.Viewer) predicate.WebhookEndpoint {
	return where(v, never, staff)
}

// VisibleWebhookDeliveries are those of the endpoints that the viewer can see.
func VisibleWebhookDeliveries(v viewer.Viewer) predicate.WebhookDelivery {
	return where(v, never, staff)
}

// ThreadsInTheOpen are those of spaces that are not hidden: what staff may see, and what may be told to who is no member, as far as
// that one may know of the space.
func ThreadsInTheOpen() predicate.Thread {
	return func(s *sql.Selector) {
		secret := from(s, space.Table, space.FieldID)
		s.Where(sql.NotIn(s.C(thread.FieldSpaceID), secret.Where(hidden(secret))))
	}
}

// Staff are the members who run the program and may sign in.
func Staff() predicate.Member {
	return func(s *sql.Selector) {
		s.Where(sql.And(active(s), staff(s, who{outer: s.C(member.FieldID)})))
	}
}
