package access

import (
	"entgo.io/ent/dialect/sql"

	"github.com/pursuing-equity/commons/ent"
	"github.com/pursuing-equity/commons/ent/flag"
	"github.com/pursuing-equity/commons/ent/member"
	"github.com/pursuing-equity/commons/ent/moderationaction"
	"github.com/pursuing-equity/commons/ent/post"
	"github.com/pursuing-equity/commons/ent/predicate"
	"github.com/pursuing-equity/commons/ent/roleassignment"
	"github.com/pursuing-equity/commons/ent/space"
	"github.com/pursuing-equity/commons/ent/spacemembership"
	"github.com/pursuing-equity/commons/ent/thread"
	"github.com/pursuing-equity/commons/internal/fault"
	"github.com/pursuing-equity/commons/internal/gid"
	"github.com/pursuing-equity/commons/internal/viewer"
)

// A flag goes to those who moderate the post's space, as SpaceRights.Moderate says: a hidden group's own facilitators and nobody else.
// Nobody moderates a direct conversation: who began it has no power over what the others say. And nobody judges their own posts: flags
// on them are in none of their lists and counts, and they cannot act on them. The author of a post never learns who flagged it.

// led are the spaces that the member facilitates as one who belongs to them.
func led(outer *sql.Selector, m who) *sql.Selector {
	s := from(outer, spacemembership.Table, spacemembership.FieldSpaceID)
	return s.Where(sql.And(
		m.is(s.C(spacemembership.FieldMemberID)), sql.EQ(s.C(spacemembership.FieldRole), spacemembership.RoleFACILITATOR), current(s)))
}

// moderated is true for a space that the member moderates: SpaceRights.Moderate in SQL, but for direct conversations.
func moderated(s *sql.Selector, m who) *sql.Predicate {
	return sql.And(
		sql.NEQ(s.C(space.FieldKind), space.KindDIRECT),
		sql.Or(
			sql.In(s.C(space.FieldID), led(s, m)),
			sql.And(
				sql.Not(hidden(s)),
				sql.Or(
					staff(s, m),
					sql.In(s.C(space.FieldID), scopes(s, m, roleassignment.RoleFACILITATOR, roleassignment.ScopeSPACE)),
					sql.In(s.C(space.FieldCohortID), scopes(s, m, roleassignment.RoleFACILITATOR, roleassignment.ScopeCOHORT)),
				),
			),
		),
	)
}

func moderatedSpaceIDs(outer *sql.Selector, m who) *sql.Selector {
	ids := from(outer, space.Table, space.FieldID)
	return ids.Where(moderated(ids, m))
}

// SpaceModerators are the active members who moderate the space now.
func SpaceModerators(spaceID gid.ID) predicate.Member {
	return func(s *sql.Selector) {
		of := from(s, space.Table, space.FieldID)
		of.Where(sql.And(sql.EQ(of.C(space.FieldID), spaceID), moderated(of, who{outer: s.C(member.FieldID)})))
		s.Where(sql.And(active(s), sql.Exists(of)))
	}
}

// judged is true for a post that the member moderates and did not write.
func judged(s *sql.Selector, m who) *sql.Predicate {
	t := sql.Dialect(s.Dialect()).Select().From(sql.Table(thread.Table).As("judged_thread"))
	t.Select(t.C(thread.FieldID)).Where(sql.And(
		sql.ColumnsEQ(t.C(thread.FieldID), s.C(post.FieldThreadID)), sql.In(t.C(thread.FieldSpaceID), moderatedSpaceIDs(t, m))))
	return sql.And(sql.Not(m.is(s.C(post.FieldAuthorID))), sql.Exists(t))
}

// JudgedPosts are those that the viewer moderates and did not write: theirs to hide, to show again, and to decide about.
func JudgedPosts(v viewer.Viewer) predicate.Post { return where(v, never, judged) }

// ofPost is true for a row whose post is as a rule says.
func ofPost(s *sql.Selector, m who, rule func(*sql.Selector, who) *sql.Predicate) *sql.Predicate {
	p := sql.Dialect(s.Dialect()).Select().From(sql.Table(post.Table).As("flagged_post"))
	p.Select(p.C(post.FieldID)).Where(sql.And(sql.ColumnsEQ(p.C(post.FieldID), s.C(flag.FieldPostID)), rule(p, m)))
	return sql.Exists(p)
}

// JudgedFlags are those on posts that the viewer moderates and did not write.
func JudgedFlags(v viewer.Viewer) predicate.Flag {
	return where(v, never, func(s *sql.Selector, m who) *sql.Predicate { return ofPost(s, m, judged) })
}

// OwnFlags are those that the viewer raised, on posts that they can still see.
func OwnFlags(v viewer.Viewer) predicate.Flag {
	return where(v, never, func(s *sql.Selector, m who) *sql.Predicate {
		return sql.And(m.is(s.C(flag.FieldReporterID)), ofPost(s, m, threadVisible))
	})
}

// VisibleFlags are the viewer's own, and those on posts that they moderate and did not write.
func VisibleFlags(v viewer.Viewer) predicate.Flag {
	return where(v, never, func(s *sql.Selector, m who) *sql.Predicate {
		return sql.Or(sql.And(m.is(s.C(flag.FieldReporterID)), ofPost(s, m, threadVisible)), ofPost(s, m, judged))
	})
}

// moderationLog is true for an action in a space that the member moderates; and for staff, for one that is in no space. A warning to the
// member is never there: they would learn who gave it.
func moderationLog(s *sql.Selector, m who) *sql.Predicate {
	in := s.C(moderationaction.FieldSpaceID)
	return sql.And(sql.Not(ownWarning(s, m)), sql.Or(sql.In(in, moderatedSpaceIDs(s, m)), sql.And(sql.IsNull(in), staff(s, m))))
}

// ModerationLog are the actions of the spaces that the viewer moderates, and for staff those that are in no space; without warnings to
// the viewer.
func ModerationLog(v viewer.Viewer) predicate.ModerationAction { return where(v, never, moderationLog) }

// OwnWarnings are the viewer's: they keep them, wherever they were warned and whether they can still read there or not.
func OwnWarnings(v viewer.Viewer) predicate.ModerationAction {
	return where(v, never, ownWarning)
}

func ownWarning(s *sql.Selector, m who) *sql.Predicate {
	return sql.And(sql.EQ(s.C(moderationaction.FieldKind), moderationaction.KindWARN), m.is(s.C(moderationaction.FieldMemberID)))
}

// VisibleModerationActions are those of ModerationLog and OwnWarnings.
func VisibleModerationActions(v viewer.Viewer) predicate.ModerationAction {
	return where(v, never, func(s *sql.Selector, m who) *sql.Predicate { return sql.Or(moderationLog(s, m), ownWarning(s, m)) })
}

// ExportableFlags are the flags that may leave: those that the viewer raised.
func ExportableFlags(v viewer.Viewer) predicate.Flag {
	return exportable(v, func(s *sql.Selector) *sql.Predicate { return sql.In(s.C(flag.FieldPostID), postsOutside(s)) }, flag.FieldReporterID)
}

// ExportableModerationActions are what may leave of what was done to the viewer: who did it is not theirs.
func ExportableModerationActions(v viewer.Viewer) predicate.ModerationAction {
	return exportable(v, func(s *sql.Selector) *sql.Predicate {
		return sql.Or(sql.IsNull(s.C(moderationaction.FieldSpaceID)), outsideAffinity(s))
	}, moderationaction.FieldMemberID)
}

// CanJudge says whether a member may decide about a post of a space in which they have these rights: who moderates it, and did not write
// the post.
func CanJudge(r SpaceRights, in *ent.Space, p *ent.Post, me gid.ID) error {
	switch {
	case in.Kind == space.KindDIRECT:
		return fault.Denied("Nobody moderates a direct conversation.")
	case !r.Moderate:
		return fault.Denied("Only those who moderate this space can do that.")
	case p.AuthorID == me:
		return fault.Denied("This post is yours: somebody else who moderates this space decides about it.")
	}
	return nil
}

// CanFlag says whether a member may flag a post that they can see.
func CanFlag(r SpaceRights, in *ent.Space, p *ent.Post, me gid.ID) error {
	switch {
	case in.Kind == space.KindDIRECT:
		return fault.Denied("Nobody moderates a direct conversation. Block the member, or ask for help.")
	case r.Glass:
		return fault.Denied("You can read this space but not write in it.")
	case p.AuthorID == me:
		return fault.Denied("This post is yours.")
	case p.DeletedAt != nil:
		return fault.Denied("This post was deleted.")
	case p.HiddenAt != nil:
		return fault.Denied("This post was hidden by a moderator.")
	}
	return nil
}

// TrustedMembers are staff, and those who facilitate something: a cohort, or a space that is not hidden. Who begins a direct conversation
// facilitates it, and is no more trusted for that.
func TrustedMembers() predicate.Member {
	return func(s *sql.Selector) {
		m := who{outer: s.C(member.FieldID)}
		roles := from(s, roleassignment.Table, roleassignment.FieldID)
		roles.Where(sql.And(
			m.is(roles.C(roleassignment.FieldMemberID)),
			sql.In(roles.C(roleassignment.FieldRole), roleassignment.RoleADMIN, roleassignment.RoleSTAFF, roleassignment.RoleFACILITATOR), running(roles)))
		open := from(s, space.Table, space.FieldID)
		open.Where(sql.And(sql.Not(hidden(open)), sql.In(open.C(space.FieldID), led(s, m))))
		s.Where(sql.Or(sql.Exists(roles), sql.Exists(open)))
	}
}
