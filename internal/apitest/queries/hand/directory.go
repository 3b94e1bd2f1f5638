package hand

import (
	"context"
	"database/sql"
	"errors"
	"time"

	"github.com/lib/pq"

	"github.com/pursuing-equity/commons/internal/gid"
	"github.com/pursuing-equity/commons/internal/page"
)

// teams takes the first $2 cohorts behind ($3, $4), with the first 50 teams of each.
var teams = `WITH ` + roles + `, seen AS MATERIALIZED (
  SELECT c.* FROM cohorts c WHERE c.archived_at IS NULL AND (` + participant + ` OR EXISTS (SELECT FROM roles WHERE role = 'FACILITATOR' AND scope = 'COHORT' AND scope_id = c.id))
  AND (c.name, c.id) > ($3, $4) ORDER BY c.name, c.id LIMIT $2)
SELECT c.id, c.name, c.starts_on, c.ends_on, f.id, f.name, g.id, g.name, t.id, t.name, o.id, o.name
FROM seen c JOIN offerings f ON f.id = c.offering_id JOIN programs g ON g.id = f.program_id
LEFT JOIN LATERAL (SELECT t.* FROM enrollments e JOIN teams t ON t.id = e.team_id WHERE e.cohort_id = c.id AND e.state = 'ENROLLED' AND ` + seesTeam("t") + ` ORDER BY t.name, t.id LIMIT 51) t ON true
LEFT JOIN organizations o ON o.id = t.organization_id
ORDER BY c.name, c.id, t.name, t.id`

// memberships takes the first 20 memberships of each team that was seen.
var memberships = `SELECT x.team_id, x.id, x.role, m.id, m.name, m.title, m.avatar_url, m.time_zone
FROM unnest($1::uuid[]) AS p(id) CROSS JOIN LATERAL (
  SELECT tm.* FROM team_memberships tm JOIN members h ON h.id = tm.member_id
  WHERE tm.team_id = p.id AND tm.ends_on IS NULL AND h.status = 'ACTIVE' ORDER BY tm.id LIMIT 20) x
JOIN members m ON m.id = x.member_id ORDER BY x.team_id, x.id`

type person struct {
	id, member                      gid.ID
	role, name, title, avatar, zone string
}

type seenTeam struct {
	id, organization       gid.ID
	name, organizationName string
}

type seenCohort struct {
	id, offering, program           gid.ID
	name, offeringName, programName string
	starts, ends                    time.Time
	teams                           []seenTeam
}

func (a *API) directory(ctx context.Context, me gid.ID, v variables) (out, error) {
	seen, err := a.cohorts(ctx, me, v)
	if err != nil {
		return nil, err
	}
	more := len(seen) > v.First
	if more {
		seen = seen[:v.First]
	}
	people, err := a.people(ctx, seen)
	if err != nil {
		return nil, err
	}
	o := make(out, 0, 128<<10)
	o.raw(`{"data":{"cohorts":{"edges":[`)
	var end *page.Cursor
	for i, c := range seen {
		if i > 0 {
			o.raw(",")
		}
		cursor := cohorts.Cursor(page.Key{Text: c.name, ID: c.id}, gid.ID{})
		end = &cursor
		o.cohort(c, people)
	}
	o.raw(`],`)
	o.pageInfo(more, end)
	o.raw(`}}}`)
	return o, nil
}

func (o *out) cohort(c seenCohort, people map[gid.ID][]person) {
	o.raw(`{"node":{"id":`)
	o.id(c.id)
	o.raw(`,"name":`)
	o.text(c.name)
	o.raw(`,"startsOn":`)
	o.day(c.starts)
	o.raw(`,"endsOn":`)
	o.day(c.ends)
	o.raw(`,"offering":{"id":`)
	o.id(c.offering)
	o.raw(`,"name":`)
	o.text(c.offeringName)
	o.raw(`,"program":{"id":`)
	o.id(c.program)
	o.raw(`,"name":`)
	o.text(c.programName)
	o.raw(`}},"teams":{"edges":[`)
	var end *page.Cursor
	for i, t := range c.teams {
		if i == 50 {
			break
		}
		if i > 0 {
			o.raw(",")
		}
		cursor := cohortTeam.Cursor(page.Key{Text: t.name, ID: t.id}, c.id)
		end = &cursor
		o.raw(`{"node":{"id":`)
		o.id(t.id)
		o.raw(`,"name":`)
		o.text(t.name)
		o.raw(`,"organization":{"id":`)
		o.id(t.organization)
		o.raw(`,"name":`)
		o.text(t.organizationName)
		o.raw(`},"memberships":{"edges":[`)
		for j, p := range people[t.id] {
			if j > 0 {
				o.raw(",")
			}
			o.raw(`{"node":{"id":`)
			o.id(p.id)
			o.raw(`,"role":"`)
			o.raw(p.role)
			o.raw(`","member":{"id":`)
			o.id(p.member)
			o.raw(`,"name":`)
			o.text(p.name)
			o.raw(`,"title":`)
			o.text(p.title)
			o.raw(`,"avatarUrl":`)
			o.textOrNull(p.avatar)
			o.raw(`,"timeZone":`)
			o.text(p.zone)
			o.raw(`}}}`)
		}
		o.raw(`]}}}`)
	}
	o.raw(`],`)
	o.pageInfo(len(c.teams) > 50, end)
	o.raw(`}}}`)
}

func (a *API) cohorts(ctx context.Context, me gid.ID, v variables) (_ []seenCohort, err error) {
	var after page.Key
	if v.After != nil {
		w, err := page.Args{First: &v.First, After: v.After}.Window(cohorts, gid.ID{})
		if err != nil {
			return nil, err
		}
		after = *w.After
	}
	rows, err := a.statements["teams"].QueryContext(ctx, me, v.First+1, after.Text, after.ID)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	var seen []seenCohort
	for rows.Next() {
		var c seenCohort
		var t seenTeam
		var name, organization sql.NullString
		err := rows.Scan(&c.id, &c.name, &c.starts, &c.ends, &c.offering, &c.offeringName, &c.program, &c.programName, nullable{&t.id}, &name, nullable{&t.organization}, &organization)
		if err != nil {
			return nil, err
		}
		if len(seen) == 0 || seen[len(seen)-1].id != c.id {
			seen = append(seen, c)
		}
		if name.Valid {
			t.name, t.organizationName = name.String, organization.String
			last := &seen[len(seen)-1]
			last.teams = append(last.teams, t)
		}
	}
	return seen, rows.Err()
}

func (a *API) people(ctx context.Context, seen []seenCohort) (_ map[gid.ID][]person, err error) {
	var ids []string
	for _, c := range seen {
		for _, t := range c.teams {
			ids = append(ids, t.id.UUID())
		}
	}
	rows, err := a.statements["memberships"].QueryContext(ctx, pq.Array(ids))
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	people := map[gid.ID][]person{}
	for rows.Next() {
		var p person
		var team gid.ID
		var avatar sql.NullString
		if err := rows.Scan(&team, &p.id, &p.role, &p.member, &p.name, &p.title, &avatar, &p.zone); err != nil {
			return nil, err
		}
		p.avatar = avatar.String
		people[team] = append(people[team], p)
	}
	return people, rows.Err()
}
