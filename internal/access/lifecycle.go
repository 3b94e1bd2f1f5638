package access

import (
	"context"
	"fmt"

	"entgo.io/ent/dialect/sql"

	"github.com/pursuing-equity/commons/ent"
	"github.com/pursuing-equity/commons/ent/member"
	"github.com/pursuing-equity/commons/ent/roleassignment"
	"github.com/pursuing-equity/commons/ent/spacemembership"
	"github.com/pursuing-equity/commons/internal/fault"
	"github.com/pursuing-equity/commons/internal/gid"
)

// CanCloseAccount says whether the viewer may suspend or deactivate an account, or open it again: staff; that of an administrator only
// administrators, so that nobody is kept out by those whom they look after. It takes at most one statement.
func (a *Actor) CanCloseAccount(ctx context.Context, c *ent.Client, id gid.ID) error {
	if !a.IsStaff() {
		return fault.Denied("Only staff can do that to the account of somebody else.")
	}
	if a.IsAdmin() {
		return nil
	}
	admin, err := c.RoleAssignment.Query().
		Where(roleassignment.MemberID(id), roleassignment.RoleEQ(roleassignment.RoleADMIN), CurrentRoleAssignments()).Exist(ctx)
	if err != nil {
		return fmt.Errorf("look for administrators: %w", err)
	}
	if admin {
		return fault.Denied("Only administrators can do that to the account of an administrator.")
	}
	return nil
}

// CanErase says whether the viewer may erase an account: the member, and administrators; each only after signing in with a browser. It
// cannot be undone, and so a token that got into the wrong hands must not be enough.
func (a *Actor) CanErase(id gid.ID) error {
	me, _ := a.viewer.MemberID()
	switch {
	case me != id && !a.IsAdmin():
		return fault.Denied("Only administrators can erase somebody else.")
	case !a.viewer.InBrowser() && !a.viewer.IsSystem():
		return fault.Denied("Sign in with a browser to do that: an access token is not enough for what cannot be undone.")
	}
	return nil
}

// inUse is true for a row of a member whose account is in use. The places of others are kept and count for nothing until the account is
// opened again.
func inUse(s *sql.Selector) *sql.Predicate {
	m := sql.Dialect(s.Dialect()).Select().From(sql.Table(member.Table).As("holder"))
	m.Select(m.C(member.FieldID)).Where(sql.And(
		sql.ColumnsEQ(m.C(member.FieldID), s.C(spacemembership.FieldMemberID)), sql.EQ(m.C(member.FieldStatus), member.StatusACTIVE)))
	return sql.Exists(m)
}

// OfOpenAccounts are the rows of members whose account is in use.
func OfOpenAccounts(s *sql.Selector) { s.Where(inUse(s)) }
