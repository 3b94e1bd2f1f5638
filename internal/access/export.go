package access

import (
	"entgo.io/ent/dialect/sql"

	"github.com/pursuing-equity/commons/ent/draft"
	"github.com/pursuing-equity/commons/ent/draftattachment"
	"github.com/pursuing-equity/commons/ent/file"
	"github.com/pursuing-equity/commons/ent/notification"
	"github.com/pursuing-equity/commons/ent/poll"
	"github.com/pursuing-equity/commons/ent/pollvote"
	"github.com/pursuing-equity/commons/ent/post"
	"github.com/pursuing-equity/commons/ent/postattachment"
	"github.com/pursuing-equity/commons/ent/predicate"
	"github.com/pursuing-equity/commons/ent/reaction"
	"github.com/pursuing-equity/commons/ent/readstate"
	"github.com/pursuing-equity/commons/ent/resource"
	"github.com/pursuing-equity/commons/ent/resourceversion"
	"github.com/pursuing-equity/commons/ent/space"
	"github.com/pursuing-equity/commons/ent/spacemembership"
	"github.com/pursuing-equity/commons/ent/thread"
	"github.com/pursuing-equity/commons/ent/watchsetting"
	"github.com/pursuing-equity/commons/internal/viewer"
)

// What is exported or counted leaves the place where it was said: an archive is mailed, kept and shown to others, and a figure that
// includes a group tells of it. So the Exportable… predicates leave out whatever is in an affinity group, for everybody, even
// from an archive of one's own posts. To the program itself, which counts for analytics, they give everything else; to a member
// what is their own, wherever they wrote it and whether they can still read there or not; to anybody else nothing.

// exportable makes such a predicate of a column with the space's id and of what makes a row somebody's own.
func exportable(v viewer.Viewer, outside func(s *sql.Selector) *sql.Predicate, own string) func(*sql.Selector) {
	return func(s *sql.Selector) {
		s.Where(outside(s))
		if m, ok := v.MemberID(); ok {
			s.Where(sql.EQ(s.C(own), m))
		} else if !v.IsSystem() {
			s.Where(never(s))
		}
	}
}

// outsideAffinity is true for a row with a space_id that is no affinity group's.
func outsideAffinity(s *sql.Selector) *sql.Predicate {
	groups := from(s, space.Table, space.FieldID)
	return sql.NotIn(s.C(thread.FieldSpaceID), groups.Where(sql.EQ(groups.C(space.FieldKind), space.KindAFFINITY)))
}

// ExportableThreads are the threads that may leave: those that the viewer started.
func ExportableThreads(v viewer.Viewer) predicate.Thread {
	return exportable(v, outsideAffinity, thread.FieldAuthorID)
}

// ExportablePosts are the posts that may leave: those that the viewer wrote.
func ExportablePosts(v viewer.Viewer) predicate.Post {
	return exportable(v, func(s *sql.Selector) *sql.Predicate {
		return sql.In(s.C(post.FieldThreadID), threadsOutside(s))
	}, post.FieldAuthorID)
}

// ExportableSpaceMemberships are the places in spaces that may be told of: the viewer's.
func ExportableSpaceMemberships(v viewer.Viewer) predicate.SpaceMembership {
	return exportable(v, outsideAffinity, spacemembership.FieldMemberID)
}

// threadsOutside are the ids of threads that are in no affinity group.
func threadsOutside(s *sql.Selector) *sql.Selector {
	threads := from(s, thread.Table, thread.FieldID)
	return threads.Where(outsideAffinity(threads))
}

// ExportableWatchSettings are the watch settings that may leave: the viewer's, of spaces and threads that are no affinity group's.
func ExportableWatchSettings(v viewer.Viewer) predicate.WatchSetting {
	return exportable(v, func(s *sql.Selector) *sql.Predicate {
		spaces := from(s, space.Table, space.FieldID)
		spaces.Where(sql.NEQ(spaces.C(space.FieldKind), space.KindAFFINITY))
		return sql.Or(sql.In(s.C(watchsetting.FieldSpaceID), spaces), sql.In(s.C(watchsetting.FieldThreadID), threadsOutside(s)))
	}, watchsetting.FieldMemberID)
}

// ExportableReactions are the reactions that may leave: the viewer's.
func ExportableReactions(v viewer.Viewer) predicate.Reaction {
	return exportable(v, func(s *sql.Selector) *sql.Predicate {
		posts := from(s, post.Table, post.FieldID)
		return sql.In(s.C(reaction.FieldPostID), posts.Where(sql.In(posts.C(post.FieldThreadID), threadsOutside(posts))))
	}, reaction.FieldMemberID)
}

// ExportableReadStates are the read positions that may leave: the viewer's.
func ExportableReadStates(v viewer.Viewer) predicate.ReadState {
	return exportable(v, func(s *sql.Selector) *sql.Predicate {
		return sql.In(s.C(readstate.FieldThreadID), threadsOutside(s))
	}, readstate.FieldMemberID)
}

// ExportableNotifications are the notifications that may leave: the viewer's.
func ExportableNotifications(v viewer.Viewer) predicate.Notification {
	return exportable(v, func(s *sql.Selector) *sql.Predicate {
		return sql.In(s.C(notification.FieldThreadID), threadsOutside(s))
	}, notification.FieldRecipientID)
}

// ExportableResources are the resources that may leave: those that the viewer added.
func ExportableResources(v viewer.Viewer) predicate.Resource {
	return exportable(v, func(s *sql.Selector) *sql.Predicate {
		return sql.Or(sql.IsNull(s.C(resource.FieldSpaceID)), outsideAffinity(s))
	}, resource.FieldAuthorID)
}

// ExportablePollVotes are the votes that may leave: the viewer's.
func ExportablePollVotes(v viewer.Viewer) predicate.PollVote {
	return exportable(v, func(s *sql.Selector) *sql.Predicate {
		polls := from(s, poll.Table, poll.FieldID)
		polls.Where(sql.In(polls.C(poll.FieldPostID), postsOutside(s)))
		return sql.In(s.C(pollvote.FieldPollID), polls)
	}, pollvote.FieldMemberID)
}

// postsOutside are the ids of posts that are in no affinity group.
func postsOutside(s *sql.Selector) *sql.Selector {
	posts := from(s, post.Table, post.FieldID)
	return posts.Where(sql.In(posts.C(post.FieldThreadID), threadsOutside(posts)))
}

// ExportableFiles are the files that may leave: the viewer's, but for those of resources, posts and drafts that are in an affinity group.
func ExportableFiles(v viewer.Viewer) predicate.File {
	return exportable(v, func(s *sql.Selector) *sql.Predicate {
		groups := func(s *sql.Selector) *sql.Predicate {
			return sql.And(sql.NotNull(s.C(resource.FieldSpaceID)), sql.Not(outsideAffinity(s)))
		}
		inside := from(s, resource.Table, resource.FieldID)
		inside.Where(groups(inside))
		now := from(s, resource.Table, resource.FieldFileID)
		now.Where(sql.And(sql.NotNull(now.C(resource.FieldFileID)), groups(now)))
		before := from(s, resourceversion.Table, resourceversion.FieldFileID)
		before.Where(sql.And(sql.NotNull(before.C(resourceversion.FieldFileID)), sql.In(before.C(resourceversion.FieldResourceID), inside)))
		posted := from(s, postattachment.Table, postattachment.FieldFileID)
		posted.Where(sql.Not(sql.In(posted.C(postattachment.FieldPostID), postsOutside(s))))
		drafts := from(s, draft.Table, draft.FieldID)
		drafts.Where(sql.Not(draftsOutside(drafts)))
		begun := from(s, draftattachment.Table, draftattachment.FieldFileID)
		begun.Where(sql.In(begun.C(draftattachment.FieldDraftID), drafts))
		return sql.And(sql.NotIn(s.C(file.FieldID), now), sql.NotIn(s.C(file.FieldID), before), sql.NotIn(s.C(file.FieldID), posted), sql.NotIn(s.C(file.FieldID), begun))
	}, file.FieldOwnerID)
}
