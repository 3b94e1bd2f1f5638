// Package access decides who may see and do what; nothing else does.
//
// Visible… are predicates: they go into the query, before its order, limit, count, search and cursor, so that what is
// hidden leaves no trace. Rights… and Can… are decisions about objects that the viewer can see; what the viewer
// cannot see is fault.Missing, whatever was asked of it.
//
// The rules, in one place:
//
//   - A space is read by its current members. Staff and administrators also read every space that is not hidden; a cohort's
//     facilitators its space and its teams' spaces; an organization's leads its teams' spaces. AFFINITY and DIRECT
//     spaces are hidden: no role opens them.
//   - An administrator who breaks a hidden space's glass reads it, and writes nothing in it, until the glass ends: by the clock, by
//     hand, or with the administrator's role. Its members see who, when, why and until when.
//   - A thread, a post, a reaction and a notification are seen by whoever can see the space.
//   - A notice is seen by whom it tells of something, as long as that is theirs to do or to know: see notice.go.
//   - What a moderator hid says nothing to anybody but its author and those who moderate the space: see internal/forum.
//   - A flag is seen by who raised it and by those who moderate the post's space, but for the post's author. What moderators did is seen
//     by those who moderate the space; a warning by whom it was given to, too. See moderation.go.
//   - A draft is seen by its author, and a bookmark by who made it, as long as they can see the post.
//   - Who asks to join a group sees that they asked, and never more: whether there is such a group they learn by being let in. Whoever
//     looks after the group sees who asks.
//   - A participant is a current member of a network space, a cohort's facilitator, or staff. Participants see organizations,
//     teams, cohorts, enrollments, staff, and each other. Everybody sees themselves, and the organizations and teams that they
//     belong to.
//   - Programs, offerings, sponsorships and frameworks are seen by everybody, signed in or not, and so are calls once they are published.
//     Calls before that, and forms that are being written, are seen by staff: see call.go.
//   - An application is seen by its editors and staff, and once submitted by its current reviewers, as long as they have no conflict of
//     interest: see admission.go. To all others there is none. In a blind call reviewers see nothing that names who applies.
//   - An assignment to review is seen by staff and by its reviewer, as long as they see the application; a review by its author likewise, by
//     staff once it is submitted, and by those who have submitted theirs about the same application, but in blind calls. See review.go.
//   - Whom a member blocks or mutes they do not hear from: what those write is in no list, count, search, notification or event of
//     theirs. That is no rule of seeing: see block.go.
//   - A resource is seen as its audience says; one with the audience ENTITLED by the members of teams for which a support of their
//     offering opens it, and by staff. Entitlements themselves are seen by staff.
//   - A file is seen by its owner, by who sees a resource that holds it or held it in a version, by who sees a post that holds it, and
//     by who sees the member whose picture it is. A link to it is good for whoever has it.
//   - A role is seen by who has it, and by staff; one within a hidden space only by who can see the space.
//   - An entry of the audit log is seen by who acted, by whom it was done to, and by administrators; one of a hidden space by who can
//     see the space, and by nobody else. Network addresses are for administrators and for who asked from there.
//   - A feed shows what the member who made its address can see and hears of at the moment; a hidden space has none.
//   - Webhook endpoints and their deliveries are for staff, who see every space that deliveries may tell of: nothing of a hidden one
//     is written down for an endpoint.
//   - Mail that could not be sent is seen by staff, but not what it says; of mail about hidden spaces alone they see nothing.
//   - What is in an affinity group is in no export, not even its author's own, and in no analytics.
//   - Who may not sign in (an account that is closed, or suspended at the moment) is nobody: see ActiveMembers.
//   - An account is suspended, closed and opened again by staff, and closed by its member; that of an administrator only by
//     administrators and itself. It is erased by its member and by administrators, from a browser.
//   - Who may not sign in counts for nothing: the places of a closed account are kept and give nobody anything.
//
// Memberships and roles count from their start to their end by the database's clock.
package access

import (
	"entgo.io/ent/dialect"
	"entgo.io/ent/dialect/sql"

	"github.com/pursuing-equity/commons/ent"
	"github.com/pursuing-equity/commons/ent/affiliation"
	"github.com/pursuing-equity/commons/ent/application"
	"github.com/pursuing-equity/commons/ent/cohort"
	"github.com/pursuing-equity/commons/ent/enrollment"
	"github.com/pursuing-equity/commons/ent/member"
	"github.com/pursuing-equity/commons/ent/notification"
	"github.com/pursuing-equity/commons/ent/organization"
	"github.com/pursuing-equity/commons/ent/poll"
	"github.com/pursuing-equity/commons/ent/polloption"
	"github.com/pursuing-equity/commons/ent/post"
	"github.com/pursuing-equity/commons/ent/postrevision"
	"github.com/pursuing-equity/commons/ent/predicate"
	"github.com/pursuing-equity/commons/ent/resource"
	"github.com/pursuing-equity/commons/ent/resourceversion"
	"github.com/pursuing-equity/commons/ent/roleassignment"
	"github.com/pursuing-equity/commons/ent/searchdocument"
	"github.com/pursuing-equity/commons/ent/space"
	"github.com/pursuing-equity/commons/ent/spacemembership"
	"github.com/pursuing-equity/commons/ent/team"
	"github.com/pursuing-equity/commons/ent/teammembership"
	"github.com/pursuing-equity/commons/ent/thread"
	"github.com/pursuing-equity/commons/internal/gid"
	"github.com/pursuing-equity/commons/internal/viewer"
)

// now is the database's clock, comparable with a stored instant.
func now(d string) sql.Querier {
	if d == dialect.SQLite {
		return sql.Raw("strftime('%Y-%m-%d %H:%M:%f+00:00', 'now')")
	}
	return sql.Raw("now()")
}

// compare is column op now, as a predicate; ent's builders take only values there.
func compare(s *sql.Selector, column, op string) *sql.Predicate {
	return sql.P(func(b *sql.Builder) {
		b.Ident(s.C(column)).WriteString(" " + op + " ")
		b.Join(now(s.Dialect()))
	})
}

// running is true for a row that has not ended: every table with an end calls it ends_at.
func running(s *sql.Selector) *sql.Predicate {
	const end = spacemembership.FieldEndsAt
	return sql.Or(sql.IsNull(s.C(end)), compare(s, end, ">"))
}

// current is true for a space membership that has begun and has not ended.
func current(s *sql.Selector) *sql.Predicate {
	return sql.And(compare(s, spacemembership.FieldStartsAt, "<="), running(s))
}

// from begins a sub-select of a column.
func from(outer *sql.Selector, table, column string) *sql.Selector {
	s := sql.Dialect(outer.Dialect()).Select().From(sql.Table(table))
	return s.Select(s.C(column))
}

// never is a predicate that nothing satisfies.
func never(*sql.Selector) *sql.Predicate { return sql.False() }

// mySpaces are the spaces that the member currently belongs to.
func mySpaces(outer *sql.Selector, m who) *sql.Selector {
	s := from(outer, spacemembership.Table, spacemembership.FieldSpaceID)
	return s.Where(sql.And(m.is(s.C(spacemembership.FieldMemberID)), current(s)))
}

// scopes are what the member's current roles reach: cohorts, organizations, spaces.
func scopes(outer *sql.Selector, m who, role roleassignment.Role, scope roleassignment.Scope) *sql.Selector {
	s := from(outer, roleassignment.Table, roleassignment.FieldScopeID)
	if m.noRole {
		return s.Where(sql.False())
	}
	return s.Where(sql.And(
		m.is(s.C(roleassignment.FieldMemberID)), sql.EQ(s.C(roleassignment.FieldRole), role), sql.EQ(s.C(roleassignment.FieldScope), scope),
		running(s)))
}

// platform is true for those who have one of the roles on the platform. It refers to no outer row: databases evaluate it once.
func platform(outer *sql.Selector, m who, roles ...any) *sql.Predicate {
	if m.noRole {
		return sql.False()
	}
	s := from(outer, roleassignment.Table, roleassignment.FieldID)
	return sql.Exists(s.Where(sql.And(
		m.is(s.C(roleassignment.FieldMemberID)), sql.EQ(s.C(roleassignment.FieldScope), roleassignment.ScopePLATFORM),
		sql.In(s.C(roleassignment.FieldRole), roles...), running(s))))
}

// staff is true for staff and administrators.
func staff(outer *sql.Selector, m who) *sql.Predicate {
	return platform(outer, m, roleassignment.RoleADMIN, roleassignment.RoleSTAFF)
}

// administrator is true for administrators.
func administrator(outer *sql.Selector, m who) *sql.Predicate {
	return platform(outer, m, roleassignment.RoleADMIN)
}

// networkSpaces are the spaces of the kind NETWORK: one, usually.
func networkSpaces(outer *sql.Selector) *sql.Selector {
	s := from(outer, space.Table, space.FieldID)
	return s.Where(sql.EQ(s.C(space.FieldKind), space.KindNETWORK))
}

// participant is true for those who take part in the network, and staff.
func participant(outer *sql.Selector, m who) *sql.Predicate {
	s := from(outer, spacemembership.Table, spacemembership.FieldID)
	s.Where(sql.And(
		m.is(s.C(spacemembership.FieldMemberID)), sql.In(s.C(spacemembership.FieldSpaceID), networkSpaces(outer)),
		current(s)))
	if m.noRole {
		return sql.Exists(s)
	}
	return sql.Or(sql.Exists(s), staff(outer, m), sql.Exists(scopes(outer, m, roleassignment.RoleFACILITATOR, roleassignment.ScopeCOHORT)))
}

// where makes a predicate for each kind of viewer: the system sees everything, a member what is said, others what public says.
func where(v viewer.Viewer, public func(*sql.Selector) *sql.Predicate, signedIn func(s *sql.Selector, m who) *sql.Predicate) func(*sql.Selector) {
	return func(s *sql.Selector) {
		if v.IsSystem() {
			return
		}
		if m, ok := v.MemberID(); ok {
			s.Where(signedIn(s, who{id: m, noRole: v.HoldsNoRole()}))
			return
		}
		s.Where(public(s))
	}
}

// Hidden reports whether spaces of the kind exist for their members only.
func Hidden(k space.Kind) bool { return k == space.KindAFFINITY || k == space.KindDIRECT }

// HiddenID is the space's id if it is hidden, and else the zero id: under it the audit log keeps what happens there.
func HiddenID(s *ent.Space) gid.ID {
	if Hidden(s.Kind) {
		return s.ID
	}
	return gid.ID{}
}

// hidden is true for a hidden space.
func hidden(s *sql.Selector) *sql.Predicate {
	return sql.In(s.C(space.FieldKind), space.KindAFFINITY, space.KindDIRECT)
}

func spaces(s *sql.Selector, m who) *sql.Predicate {
	if m.noRole {
		return sql.In(s.C(space.FieldID), mySpaces(s, m))
	}
	teams := from(s, team.Table, team.FieldID)
	teams.Where(sql.In(teams.C(team.FieldOrganizationID), scopes(s, m, roleassignment.RoleLEAD, roleassignment.ScopeORGANIZATION)))
	enrolled := from(s, enrollment.Table, enrollment.FieldTeamID)
	enrolled.Where(sql.And(
		sql.EQ(enrolled.C(enrollment.FieldState), enrollment.StateENROLLED),
		sql.In(enrolled.C(enrollment.FieldCohortID), scopes(s, m, roleassignment.RoleFACILITATOR, roleassignment.ScopeCOHORT))))
	return sql.Or(
		sql.In(s.C(space.FieldID), mySpaces(s, m)),
		sql.In(s.C(space.FieldID), openGlasses(s, m)),
		sql.And(
			sql.Not(hidden(s)),
			sql.Or(
				staff(s, m),
				sql.In(s.C(space.FieldID), scopes(s, m, roleassignment.RoleFACILITATOR, roleassignment.ScopeSPACE)),
				sql.In(s.C(space.FieldCohortID), scopes(s, m, roleassignment.RoleFACILITATOR, roleassignment.ScopeCOHORT)),
				sql.In(s.C(space.FieldTeamID), enrolled),
				sql.In(s.C(space.FieldTeamID), teams),
			),
		),
	)
}

// VisibleSpaces are the spaces that the viewer may read.
func VisibleSpaces(v viewer.Viewer) predicate.Space {
	return where(v, never, remembered("spaces", spaces))
}

func visibleSpaceIDs(s *sql.Selector, m who) *sql.Selector {
	ids := from(s, space.Table, space.FieldID)
	return ids.Where(spaces(ids, m))
}

// threads asks about each thread's one space, and first whether the member belongs to it: that is one look into an index, and
// nearly always the answer. A list of all visible spaces costs a point read more than all the rest of it.
func threads(s *sql.Selector, m who) *sql.Predicate {
	mine := mySpaces(s, m)
	mine.Where(sql.ColumnsEQ(mine.C(spacemembership.FieldSpaceID), s.C(thread.FieldSpaceID)))
	if m.noRole {
		return sql.Exists(mine)
	}
	visible := visibleSpaceIDs(s, m)
	visible.Where(sql.ColumnsEQ(visible.C(space.FieldID), s.C(thread.FieldSpaceID)))
	return sql.Or(sql.Exists(mine), sql.Exists(visible))
}

// VisibleThreads are the threads of the spaces that the viewer may read.
func VisibleThreads(v viewer.Viewer) predicate.Thread {
	return where(v, never, remembered("threads", threads))
}

// OwnThreads are the threads of the spaces that the viewer belongs to now: what counts as unread for them. What they may read by a role
// alone is left out; they did not ask to follow it.
func OwnThreads(v viewer.Viewer) predicate.Thread {
	return where(v, never, remembered("own threads", func(s *sql.Selector, m who) *sql.Predicate {
		return sql.In(s.C(thread.FieldSpaceID), mySpaces(s, m))
	}))
}

// threadVisible says of a row with a thread_id whether the thread is visible. It looks at the row's one thread: the list of all
// visible threads, which SQLite would make for an IN, grows with the community.
func threadVisible(s *sql.Selector, m who) *sql.Predicate {
	t := sql.Dialect(s.Dialect()).Select().From(sql.Table(thread.Table).As("visible_thread"))
	t.Select(t.C(thread.FieldID)).Where(sql.And(sql.ColumnsEQ(t.C(thread.FieldID), s.C(post.FieldThreadID)), threads(t, m)))
	return sql.Exists(t)
}

// VisiblePosts are the posts of the threads that the viewer may read.
func VisiblePosts(v viewer.Viewer) predicate.Post {
	return where(v, never, remembered("posts", threadVisible))
}

// postShown says of a row with a post_id whether the post is visible and says something: polls and their parts go with it.
func postShown(s *sql.Selector, m who) *sql.Predicate {
	of := sql.Dialect(s.Dialect()).Select().From(sql.Table(post.Table).As("shown_post"))
	of.Select(of.C(post.FieldID)).Where(sql.And(
		sql.ColumnsEQ(of.C(post.FieldID), s.C(poll.FieldPostID)), sql.IsNull(of.C(post.FieldDeletedAt)), sql.IsNull(of.C(post.FieldHiddenAt)),
		threadVisible(of, m)))
	return sql.Exists(of)
}

// VisiblePolls are those of the posts that the viewer may read. How somebody voted is theirs: no predicate shows it to others.
func VisiblePolls(v viewer.Viewer) predicate.Poll { return where(v, never, postShown) }

// VisiblePollOptions are those of the polls that the viewer can see.
func VisiblePollOptions(v viewer.Viewer) predicate.PollOption {
	return where(v, never, func(s *sql.Selector, m who) *sql.Predicate {
		polls := from(s, poll.Table, poll.FieldID)
		return sql.Exists(polls.Where(sql.And(sql.ColumnsEQ(polls.C(poll.FieldID), s.C(polloption.FieldPollID)), postShown(polls, m))))
	})
}

// VisiblePostRevisions are those of the posts that the viewer may read; of a hidden one, none.
func VisiblePostRevisions(v viewer.Viewer) predicate.PostRevision {
	return where(v, never, func(s *sql.Selector, m who) *sql.Predicate {
		ids := from(s, post.Table, post.FieldID)
		ids.Where(sql.And(sql.ColumnsEQ(ids.C(post.FieldID), s.C(postrevision.FieldPostID)), sql.IsNull(ids.C(post.FieldHiddenAt)), threadVisible(ids, m)))
		return sql.Exists(ids)
	})
}

// VisibleNotifications are the viewer's own, as long as they can see what they are about and hear from who wrote it; of moderation they
// are told in any case.
func VisibleNotifications(v viewer.Viewer) predicate.Notification {
	return where(v, never, remembered("notifications", func(s *sql.Selector, m who) *sql.Predicate {
		return sql.And(m.is(s.C(notification.FieldRecipientID)), threadVisible(s, m), heardNotification(s, m))
	}))
}

// VisibleSpaceMemberships are those of the spaces that the viewer may read.
func VisibleSpaceMemberships(v viewer.Viewer) predicate.SpaceMembership {
	return where(v, never, func(s *sql.Selector, m who) *sql.Predicate {
		return sql.In(s.C(spacemembership.FieldSpaceID), visibleSpaceIDs(s, m))
	})
}

// CurrentSpaceMemberships are those that count now: of members whose account is in use.
func CurrentSpaceMemberships() predicate.SpaceMembership {
	return func(s *sql.Selector) { s.Where(sql.And(current(s), inUse(s))) }
}

// members asks about each member by itself. A list of all whom the viewer sees, which an IN would make, is the whole network, and who asks
// wants to know it of the few on a page. PostgreSQL would make that list of an EXISTS, too, but of none with an OFFSET.
func members(s *sql.Selector, m who) *sql.Predicate {
	of := func(table, column string) *sql.Selector {
		rows := from(s, table, column)
		if s.Dialect() == dialect.Postgres {
			rows.Offset(0)
		}
		return rows.Where(sql.ColumnsEQ(rows.C(column), s.C(member.FieldID)))
	}
	network := of(spacemembership.Table, spacemembership.FieldMemberID) // ended rows too: who wrote here stays known
	network.Where(sql.In(network.C(spacemembership.FieldSpaceID), networkSpaces(s)))
	back := of(roleassignment.Table, roleassignment.FieldMemberID) // the program's own people, whether they joined a space or not
	back.Where(sql.And(
		sql.EQ(back.C(roleassignment.FieldScope), roleassignment.ScopePLATFORM),
		sql.In(back.C(roleassignment.FieldRole), roleassignment.RoleADMIN, roleassignment.RoleSTAFF), running(back)))
	shared := of(spacemembership.Table, spacemembership.FieldMemberID)
	shared.Where(sql.In(shared.C(spacemembership.FieldSpaceID), mySpaces(s, m)))
	return sql.Or(
		m.is(s.C(member.FieldID)),
		staff(s, m),
		sql.And(participant(s, m), sql.Or(sql.Exists(network), sql.Exists(back))),
		sql.Exists(shared),
	)
}

// VisibleMembers are the viewer, those who take part beside the viewer, and for staff all.
func VisibleMembers(v viewer.Viewer) predicate.Member {
	return where(v, never, remembered("members", members))
}

// VisibleAffiliations are those of the members that the viewer can see.
func VisibleAffiliations(v viewer.Viewer) predicate.Affiliation {
	return where(v, never, remembered("affiliations", func(s *sql.Selector, m who) *sql.Predicate {
		of := from(s, member.Table, member.FieldID)
		return sql.Exists(of.Where(sql.And(sql.ColumnsEQ(of.C(member.FieldID), s.C(affiliation.FieldMemberID)), members(of, m))))
	}))
}

func myTeams(s *sql.Selector, m who, column string) *sql.Selector {
	if column == team.FieldID {
		mine := from(s, teammembership.Table, teammembership.FieldTeamID)
		return mine.Where(sql.And(m.is(mine.C(teammembership.FieldMemberID)), sql.IsNull(mine.C(teammembership.FieldEndsOn))))
	}
	t := from(s, team.Table, column)
	return t.Where(sql.In(t.C(team.FieldID), myTeams(s, m, team.FieldID)))
}

func organizations(s *sql.Selector, m who) *sql.Predicate {
	affiliated := from(s, affiliation.Table, affiliation.FieldOrganizationID)
	affiliated.Where(m.is(affiliated.C(affiliation.FieldMemberID)))
	return sql.Or(
		participant(s, m),
		sql.In(s.C(organization.FieldID), affiliated),
		sql.In(s.C(organization.FieldID), myTeams(s, m, team.FieldOrganizationID)),
		sql.In(s.C(organization.FieldID), scopes(s, m, roleassignment.RoleLEAD, roleassignment.ScopeORGANIZATION)),
	)
}

// VisibleOrganizations are all for those who take part, and one's own.
func VisibleOrganizations(v viewer.Viewer) predicate.Organization {
	return where(v, never, remembered("organizations", organizations))
}

func teams(s *sql.Selector, m who) *sql.Predicate {
	return sql.Or(
		participant(s, m),
		sql.In(s.C(team.FieldID), myTeams(s, m, team.FieldID)),
		sql.In(s.C(team.FieldOrganizationID), scopes(s, m, roleassignment.RoleLEAD, roleassignment.ScopeORGANIZATION)),
	)
}

// VisibleTeams are all for those who take part, and one's own.
func VisibleTeams(v viewer.Viewer) predicate.Team {
	return where(v, never, remembered("teams", teams))
}

// VisibleTeamMemberships are those of the teams that the viewer can see.
func VisibleTeamMemberships(v viewer.Viewer) predicate.TeamMembership {
	return where(v, never, remembered("team memberships", func(s *sql.Selector, m who) *sql.Predicate {
		of := from(s, team.Table, team.FieldID)
		return sql.Exists(of.Where(sql.And(sql.ColumnsEQ(of.C(team.FieldID), s.C(teammembership.FieldTeamID)), teams(of, m))))
	}))
}

func cohorts(s *sql.Selector, m who) *sql.Predicate {
	return sql.Or(participant(s, m), sql.In(s.C(cohort.FieldID), scopes(s, m, roleassignment.RoleFACILITATOR, roleassignment.ScopeCOHORT)))
}

// VisibleCohorts are all for those who take part, and those that the viewer looks after.
func VisibleCohorts(v viewer.Viewer) predicate.Cohort {
	return where(v, never, remembered("cohorts", cohorts))
}

// VisibleEnrollments are those of the cohorts that the viewer can see.
func VisibleEnrollments(v viewer.Viewer) predicate.Enrollment {
	return where(v, never, func(s *sql.Selector, m who) *sql.Predicate {
		ids := from(s, cohort.Table, cohort.FieldID)
		return sql.In(s.C(enrollment.FieldCohortID), ids.Where(cohorts(ids, m)))
	})
}

// VisibleRoleAssignments are the viewer's own, and for staff all; of those within a hidden space only where they can see it.
func VisibleRoleAssignments(v viewer.Viewer) predicate.RoleAssignment {
	return where(v, never, func(s *sql.Selector, m who) *sql.Predicate {
		unseen := from(s, space.Table, space.FieldID)
		unseen.Where(sql.And(hidden(unseen), sql.Not(spaces(unseen, m))))
		scope := s.C(roleassignment.FieldScopeID)
		return sql.And(
			sql.Or(m.is(s.C(roleassignment.FieldMemberID)), staff(s, m)),
			sql.Or(sql.IsNull(scope), sql.NotIn(scope, unseen)),
		)
	})
}

func publicResources(s *sql.Selector) *sql.Predicate {
	return sql.EQ(s.C(resource.FieldAudience), resource.AudiencePUBLIC)
}

func resources(s *sql.Selector, m who) *sql.Predicate {
	return sql.Or(
		publicResources(s),
		sql.And(sql.EQ(s.C(resource.FieldAudience), resource.AudienceNETWORK), participant(s, m)),
		sql.And(sql.EQ(s.C(resource.FieldAudience), resource.AudienceSPACE), sql.In(s.C(resource.FieldSpaceID), visibleSpaceIDs(s, m))),
		sql.And(sql.EQ(s.C(resource.FieldAudience), resource.AudienceENTITLED), sql.Or(staff(s, m), entitled(s, m))),
	)
}

// VisibleResources are those whose audience the viewer belongs to.
func VisibleResources(v viewer.Viewer) predicate.Resource {
	return where(v, publicResources, remembered("resources", resources))
}

// VisibleResourceVersions are those of the resources that the viewer can see.
func VisibleResourceVersions(v viewer.Viewer) predicate.ResourceVersion {
	of := func(s *sql.Selector, visible func(*sql.Selector) *sql.Predicate) *sql.Predicate {
		ids := from(s, resource.Table, resource.FieldID)
		return sql.In(s.C(resourceversion.FieldResourceID), ids.Where(visible(ids)))
	}
	return where(v,
		func(s *sql.Selector) *sql.Predicate { return of(s, publicResources) },
		func(s *sql.Selector, m who) *sql.Predicate {
			return of(s, func(s *sql.Selector) *sql.Predicate { return resources(s, m) })
		})
}

// VisibleSearchDocuments are the documents of what the viewer can see, of applications where they may know who applies. What was retired is in no
// list and is not found, and neither are posts of whom the viewer does not hear.
func VisibleSearchDocuments(v viewer.Viewer) predicate.SearchDocument {
	found := func(s *sql.Selector, res, mem, org, app func(*sql.Selector) *sql.Predicate, thr *sql.Predicate) *sql.Predicate {
		of := func(kind searchdocument.Kind, table, column, retired string, visible func(*sql.Selector) *sql.Predicate) *sql.Predicate {
			object := from(s, table, column)
			p := sql.And(sql.ColumnsEQ(object.C(column), s.C(searchdocument.FieldObjectID)), visible(object))
			if retired != "" {
				p = sql.And(p, sql.IsNull(object.C(retired)))
			}
			return sql.And(sql.EQ(s.C(searchdocument.FieldKind), kind), sql.Exists(object.Where(p)))
		}
		parts := []*sql.Predicate{
			of(searchdocument.KindRESOURCE, resource.Table, resource.FieldID, resource.FieldArchivedAt, res),
			of(searchdocument.KindMEMBER, member.Table, member.FieldID, "", mem),
			of(searchdocument.KindORGANIZATION, organization.Table, organization.FieldID, organization.FieldArchivedAt, org),
			of(searchdocument.KindAPPLICATION, application.Table, application.FieldID, "", app),
		}
		if thr != nil {
			parts = append(parts, thr)
		}
		return sql.Or(parts...)
	}
	return where(v,
		func(s *sql.Selector) *sql.Predicate { return found(s, publicResources, never, never, never, nil) },
		remembered("search documents", func(s *sql.Selector, m who) *sql.Predicate {
			by := func(p func(*sql.Selector, who) *sql.Predicate) func(*sql.Selector) *sql.Predicate {
				return func(s *sql.Selector) *sql.Predicate { return p(s, m) }
			}
			return found(s, by(resources), by(members), by(organizations), by(named), sql.And(threadVisible(s, m), heardDocument(s, m)))
		}))
}
