package access

import (
	"context"
	"fmt"

	"entgo.io/ent/dialect/sql"

	"github.com/pursuing-equity/commons/ent"
	"github.com/pursuing-equity/commons/ent/predicate"
	"github.com/pursuing-equity/commons/ent/roleassignment"
	"github.com/pursuing-equity/commons/ent/space"
	"github.com/pursuing-equity/commons/ent/spacemembership"
	"github.com/pursuing-equity/commons/internal/gid"
	"github.com/pursuing-equity/commons/internal/viewer"
)

// HeldSpaces loads spaces together with what the viewer may do in each: one statement, whatever the number of spaces, and another for who
// leads an organization. Whether the viewer can see them is for the predicates to say.
func HeldSpaces(ctx context.Context, c *ent.Client, v viewer.Viewer, which ...predicate.Space) (map[gid.ID]*ent.Space, map[gid.ID]SpaceRights, error) {
	query := c.Space.Query().Where(which...)
	m, ok := v.MemberID()
	if ok {
		query.Modify(func(s *sql.Selector) { besideRights(s, who{id: m, noRole: v.HoldsNoRole()}) })
	}
	rows, err := query.All(ctx)
	if err != nil {
		return nil, nil, fmt.Errorf("load spaces: %w", err)
	}
	spaces := make(map[gid.ID]*ent.Space, len(rows))
	if !ok {
		for _, s := range rows {
			spaces[s.ID] = s
		}
		return spaces, map[gid.ID]SpaceRights{}, nil
	}
	actor := &Actor{viewer: v}
	places := make(map[gid.ID]spacemembership.Role, len(rows))
	var distinct []*ent.Space
	for _, s := range rows { // each space stands there once for each of the viewer's roles
		role, place, err := right(s, v.HoldsNoRole())
		if err != nil {
			return nil, nil, err
		}
		if role != nil && s.ID == rows[0].ID {
			actor.roles = append(actor.roles, role)
		}
		if spaces[s.ID] == nil {
			spaces[s.ID], places[s.ID] = s, place
			distinct = append(distinct, s)
		}
	}
	rights, err := actor.rights(ctx, c, places, distinct)
	return spaces, rights, err
}

// The columns of rights beside those of a space.
const (
	heldPlace = "held_place"
	heldRole  = "held_role"
	heldScope = "held_scope"
	heldID    = "held_scope_id"
)

// besideRights puts the viewer's place in a space, and each of their roles, beside the space.
func besideRights(s *sql.Selector, m who) {
	named := func(table, name string) (*sql.SelectTable, *sql.Selector) { // the rules want a selector to ask for a column's name
		t := sql.Dialect(s.Dialect()).Table(table).As(name)
		return t, sql.Dialect(s.Dialect()).Select().From(t)
	}
	place, places := named(spacemembership.Table, "place")
	s.LeftJoin(place).OnP(sql.And(
		sql.ColumnsEQ(place.C(spacemembership.FieldSpaceID), s.C(space.FieldID)), m.is(place.C(spacemembership.FieldMemberID)), current(places), inUse(places)))
	s.AppendSelectAs(place.C(spacemembership.FieldRole), heldPlace)
	if m.noRole {
		return
	}
	role, roles := named(roleassignment.Table, "role")
	s.LeftJoin(role).OnP(sql.And(m.is(role.C(roleassignment.FieldMemberID)), running(roles)))
	s.AppendSelectAs(role.C(roleassignment.FieldRole), heldRole)
	s.AppendSelectAs(role.C(roleassignment.FieldScope), heldScope)
	s.AppendSelectAs(role.C(roleassignment.FieldScopeID), heldID)
}

// right reads what besideRights put beside a space.
func right(s *ent.Space, noRole bool) (*ent.RoleAssignment, spacemembership.Role, error) {
	var texts [3]string
	columns := []string{heldPlace, heldRole, heldScope}
	if noRole {
		columns = columns[:1]
	}
	for i, column := range columns {
		value, err := s.Value(column)
		if err != nil {
			return nil, "", fmt.Errorf("read the rights in a space: %w", err)
		}
		switch value := value.(type) {
		case string:
			texts[i] = value
		case []byte:
			texts[i] = string(value)
		}
	}
	place := spacemembership.Role(texts[0])
	if texts[1] == "" {
		return nil, place, nil
	}
	value, err := s.Value(heldID)
	if err != nil {
		return nil, "", fmt.Errorf("read the rights in a space: %w", err)
	}
	role := &ent.RoleAssignment{Role: roleassignment.Role(texts[1]), Scope: roleassignment.Scope(texts[2])}
	var id gid.ID
	if err := id.Scan(value); err != nil {
		return nil, "", fmt.Errorf("read the rights in a space: %w", err)
	}
	if !id.IsZero() {
		role.ScopeID = &id
	}
	return role, place, nil
}
