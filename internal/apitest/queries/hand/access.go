package hand

import "strings"

// The permission rules of internal/access, by hand, for the member $1. Each is a condition on an alias, as short as the planner likes it:
// the usual case, a membership, comes first.

// roles are the member's current roles; it begins the statements that need more than a membership.
const roles = `roles AS MATERIALIZED (
  SELECT role, scope, scope_id FROM role_assignments WHERE member_id = $1 AND (ends_at IS NULL OR ends_at > now()))`

const current = `starts_at <= now() AND (ends_at IS NULL OR ends_at > now())`

const staff = `EXISTS (SELECT FROM roles WHERE scope = 'PLATFORM' AND role IN ('ADMIN', 'STAFF'))`

// participant is whether the member takes part in the network.
const participant = `(EXISTS (SELECT FROM space_memberships sm JOIN spaces n ON n.id = sm.space_id WHERE sm.member_id = $1 AND n.kind = 'NETWORK' AND ` + current + `)
  OR ` + staff + ` OR EXISTS (SELECT FROM roles WHERE role = 'FACILITATOR' AND scope = 'COHORT'))`

// seesSpace is whether the member sees the space s.
const seesSpace = `(EXISTS (SELECT FROM space_memberships WHERE member_id = $1 AND space_id = s.id AND ` + current + `)
  OR s.kind NOT IN ('AFFINITY', 'DIRECT') AND (` + staff + `
    OR EXISTS (SELECT FROM roles WHERE role = 'FACILITATOR' AND (scope = 'SPACE' AND scope_id = s.id OR scope = 'COHORT' AND scope_id = s.cohort_id))
    OR EXISTS (SELECT FROM roles r JOIN enrollments e ON e.cohort_id = r.scope_id WHERE r.role = 'FACILITATOR' AND r.scope = 'COHORT' AND e.team_id = s.team_id AND e.state = 'ENROLLED')
    OR EXISTS (SELECT FROM roles r JOIN teams t ON t.organization_id = r.scope_id WHERE r.role = 'LEAD' AND r.scope = 'ORGANIZATION' AND t.id = s.team_id))
  OR EXISTS (SELECT FROM roles WHERE scope = 'PLATFORM' AND role = 'ADMIN') AND EXISTS (SELECT FROM break_glasses WHERE member_id = $1 AND space_id = s.id AND ends_at > now()))`

// seesMember is whether the member sees the member whose id is given.
func seesMember(id string) string {
	return strings.ReplaceAll(`(ID = $1 OR `+staff+`
  OR `+participant+` AND (EXISTS (SELECT FROM space_memberships sm JOIN spaces n ON n.id = sm.space_id WHERE sm.member_id = ID AND n.kind = 'NETWORK')
    OR EXISTS (SELECT FROM role_assignments WHERE member_id = ID AND scope = 'PLATFORM' AND role IN ('ADMIN', 'STAFF')))
  OR EXISTS (SELECT FROM space_memberships a JOIN space_memberships b ON b.space_id = a.space_id
    WHERE a.member_id = ID AND b.member_id = $1 AND b.starts_at <= now() AND (b.ends_at IS NULL OR b.ends_at > now())))`, "ID", id)
}

// seesTeam is whether the member sees the team of an alias.
func seesTeam(t string) string {
	return strings.ReplaceAll(`(`+participant+` OR EXISTS (SELECT FROM team_memberships WHERE member_id = $1 AND team_id = t.id AND ends_on IS NULL)
  OR EXISTS (SELECT FROM roles WHERE role = 'LEAD' AND scope = 'ORGANIZATION' AND scope_id = t.organization_id))`, "t.", t+".")
}

// heard is whether the post of an alias, in the thread t, is by somebody whom the member hears.
func heard(p string) string {
	return strings.ReplaceAll(`(NOT EXISTS (SELECT FROM blocks WHERE member_id = $1 AND blocked_id = p.author_id) OR p.seq = 1 AND t.kind = 'ANNOUNCEMENT')`, "p.", p+".")
}
