package access

import (
	"entgo.io/ent/dialect"
	"entgo.io/ent/dialect/sql"

	"github.com/pursuing-equity/commons/ent/cohort"
	"github.com/pursuing-equity/commons/ent/enrollment"
	"github.com/pursuing-equity/commons/ent/entitlement"
	"github.com/pursuing-equity/commons/ent/offering"
	"github.com/pursuing-equity/commons/ent/predicate"
	"github.com/pursuing-equity/commons/ent/resource"
	"github.com/pursuing-equity/commons/ent/teammembership"
	"github.com/pursuing-equity/commons/internal/viewer"
)

// opens is true for an entitlement whose support is one of the offering's at the moment.
func opens(e *sql.Selector) *sql.Predicate {
	o := from(e, offering.Table, offering.FieldID)
	has := sql.P(func(b *sql.Builder) {
		if e.Dialect() == dialect.SQLite { // SQLite keeps the JSON as bytes, which its functions take for something else
			b.WriteString("EXISTS (SELECT 1 FROM json_each(CAST(").Ident(o.C(offering.FieldSupports))
			b.WriteString(" AS TEXT)) AS has WHERE json_extract(has.value, '$.kind') = ").Ident(e.C(entitlement.FieldSupport)).WriteString(")")
			return
		}
		b.Ident(o.C(offering.FieldSupports)).WriteString(" @> jsonb_build_array(jsonb_build_object('kind', ")
		b.Ident(e.C(entitlement.FieldSupport)).WriteString("))")
	})
	return sql.Exists(o.Where(sql.And(sql.ColumnsEQ(o.C(offering.FieldID), e.C(entitlement.FieldOfferingID)), has)))
}

// opensFor is true for an entitlement that is for the membership's role in its team: no roles mean all.
func opensFor(e, membership *sql.Selector) *sql.Predicate {
	return sql.P(func(b *sql.Builder) {
		roles, role := e.C(entitlement.FieldTeamRoles), membership.C(teammembership.FieldRole)
		b.WriteString("(").Ident(roles).WriteString(" IS NULL OR ")
		if e.Dialect() == dialect.SQLite {
			b.WriteString("json_array_length(CAST(").Ident(roles).WriteString(" AS TEXT)) = 0 OR EXISTS (SELECT 1 FROM json_each(CAST(").Ident(roles)
			b.WriteString(" AS TEXT)) AS of WHERE of.value = ").Ident(role).WriteString("))")
			return
		}
		b.Ident(roles).WriteString(" IN ('[]', 'null') OR ").Ident(roles).WriteString(" @> to_jsonb(").Ident(role).WriteString("::text))")
	})
}

// entitled is true for a resource that a support opens for one of the member's teams: by an offering that the team is enrolled in,
// or that it completed.
func entitled(s *sql.Selector, m who) *sql.Predicate {
	e := from(s, entitlement.Table, entitlement.FieldResourceID)
	runs := from(s, cohort.Table, cohort.FieldID)
	runs.Where(sql.ColumnsEQ(runs.C(cohort.FieldOfferingID), e.C(entitlement.FieldOfferingID)))
	enrolled := from(s, enrollment.Table, enrollment.FieldTeamID)
	enrolled.Where(sql.And(
		sql.NEQ(enrolled.C(enrollment.FieldState), enrollment.StateWITHDRAWN), sql.In(enrolled.C(enrollment.FieldCohortID), runs)))
	mine := from(s, teammembership.Table, teammembership.FieldID)
	mine.Where(sql.And(
		m.is(mine.C(teammembership.FieldMemberID)), compare(mine, teammembership.FieldStartsOn, "<="), sql.IsNull(mine.C(teammembership.FieldEndsOn)),
		sql.In(mine.C(teammembership.FieldTeamID), enrolled), opensFor(e, mine)))
	e.Where(sql.And(sql.NotNull(e.C(entitlement.FieldResourceID)), opens(e), sql.Exists(mine)))
	return sql.In(s.C(resource.FieldID), e)
}

// OpenEntitlements are those whose support is one of the offering's at the moment.
func OpenEntitlements() predicate.Entitlement { return func(s *sql.Selector) { s.Where(opens(s)) } }

// VisibleEntitlements are all for staff. What one's own open shows itself: the spaces and the resources.
func VisibleEntitlements(v viewer.Viewer) predicate.Entitlement { return where(v, never, staff) }
