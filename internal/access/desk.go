package access

import (
	"entgo.io/ent/dialect/sql"

	"github.com/pursuing-equity/commons/ent/bookmark"
	"github.com/pursuing-equity/commons/ent/draft"
	"github.com/pursuing-equity/commons/ent/post"
	"github.com/pursuing-equity/commons/ent/predicate"
	"github.com/pursuing-equity/commons/internal/viewer"
)

// VisibleDrafts are the viewer's own. They are the viewer's words alone: they stay when the place that they are for is lost from sight.
func VisibleDrafts(v viewer.Viewer) predicate.Draft {
	return where(v, never, func(s *sql.Selector, m who) *sql.Predicate { return m.is(s.C(draft.FieldMemberID)) })
}

// VisibleBookmarks are the viewer's own, as long as they can see the post.
func VisibleBookmarks(v viewer.Viewer) predicate.Bookmark {
	return where(v, never, func(s *sql.Selector, m who) *sql.Predicate {
		posts := from(s, post.Table, post.FieldID)
		posts.Where(sql.And(sql.ColumnsEQ(posts.C(post.FieldID), s.C(bookmark.FieldPostID)), threadVisible(posts, m)))
		return sql.And(m.is(s.C(bookmark.FieldMemberID)), sql.Exists(posts))
	})
}

// ExportableDrafts are the drafts that may leave: the viewer's.
func ExportableDrafts(v viewer.Viewer) predicate.Draft {
	return exportable(v, draftsOutside, draft.FieldMemberID)
}

// draftsOutside is true for a draft of what would be in no affinity group.
func draftsOutside(s *sql.Selector) *sql.Predicate {
	return sql.And(
		sql.Or(sql.IsNull(s.C(draft.FieldSpaceID)), outsideAffinity(s)),
		sql.Or(sql.IsNull(s.C(draft.FieldThreadID)), sql.In(s.C(draft.FieldThreadID), threadsOutside(s))))
}

// ExportableBookmarks are the bookmarks that may leave: the viewer's.
func ExportableBookmarks(v viewer.Viewer) predicate.Bookmark {
	return exportable(v, func(s *sql.Selector) *sql.Predicate {
		posts := from(s, post.Table, post.FieldID)
		return sql.In(s.C(bookmark.FieldPostID), posts.Where(sql.In(posts.C(post.FieldThreadID), threadsOutside(posts))))
	}, bookmark.FieldMemberID)
}
