package access

import (
	"entgo.io/ent/dialect/sql"

	"github.com/pursuing-equity/commons/ent"
	"github.com/pursuing-equity/commons/ent/draftattachment"
	"github.com/pursuing-equity/commons/ent/file"
	"github.com/pursuing-equity/commons/ent/member"
	"github.com/pursuing-equity/commons/ent/post"
	"github.com/pursuing-equity/commons/ent/postattachment"
	"github.com/pursuing-equity/commons/ent/predicate"
	"github.com/pursuing-equity/commons/ent/resource"
	"github.com/pursuing-equity/commons/ent/resourceversion"
	"github.com/pursuing-equity/commons/internal/fault"
	"github.com/pursuing-equity/commons/internal/gid"
	"github.com/pursuing-equity/commons/internal/viewer"
)

// held is true for a file that something refers to which is left by the rules of its kind: a version of a resource that was not
// retired, the newest included, a post that says something, or a member.
func held(s *sql.Selector, resources, posts, members func(*sql.Selector) *sql.Predicate) *sql.Predicate {
	version := from(s, resourceversion.Table, resourceversion.FieldID)
	of := from(s, resource.Table, resource.FieldID)
	of.Where(sql.And(sql.ColumnsEQ(of.C(resource.FieldID), version.C(resourceversion.FieldResourceID)), sql.IsNull(of.C(resource.FieldArchivedAt)), resources(of)))
	version.Where(sql.And(sql.ColumnsEQ(version.C(resourceversion.FieldFileID), s.C(file.FieldID)), sql.Exists(of)))
	who := from(s, member.Table, member.FieldID)
	who.Where(sql.And(sql.ColumnsEQ(who.C(member.FieldAvatarFileID), s.C(file.FieldID)), members(who)))
	attachment := from(s, postattachment.Table, postattachment.FieldID)
	attachment.Where(sql.And(sql.ColumnsEQ(attachment.C(postattachment.FieldFileID), s.C(file.FieldID)), posts(attachment)))
	return sql.Or(sql.Exists(version), sql.Exists(attachment), sql.Exists(who))
}

// standing is true for a row whose post says something to those who can see it.
func standing(s *sql.Selector) *sql.Predicate {
	of := from(s, post.Table, post.FieldID)
	return sql.Exists(of.Where(sql.And(sql.ColumnsEQ(of.C(post.FieldID), s.C(postattachment.FieldPostID)), sql.IsNull(of.C(post.FieldHiddenAt)))))
}

// served is true for a file that is there for anybody: not deleted, and, once something took it, still held by something.
func served(s *sql.Selector) *sql.Predicate {
	anything := func(s *sql.Selector) *sql.Predicate { return sql.NotNull(s.C(member.FieldID)) } // every table's is called id
	return sql.And(sql.IsNull(s.C(file.FieldDeletedAt)), sql.Or(sql.IsNull(s.C(file.FieldAttachedAt)), held(s, anything, standing, anything), applied(s, anything, anything), begun(s)))
}

// begun is true for a file that a draft keeps: its owner's.
func begun(s *sql.Selector) *sql.Predicate {
	kept := from(s, draftattachment.Table, draftattachment.FieldID)
	return sql.Exists(kept.Where(sql.ColumnsEQ(kept.C(draftattachment.FieldFileID), s.C(file.FieldID))))
}

// ServedFiles are those that a link, or what holds them, leads to: they were not deleted, and not only retired resources and hidden posts hold them.
// Who may have the link is for VisibleFiles, and for the rules of what holds them, to say.
func ServedFiles() predicate.File { return func(s *sql.Selector) { s.Where(served(s)) } }

// FilesOfApplications are those that were uploaded for one: each of their links is somebody's own.
func FilesOfApplications() predicate.File { return file.PurposeEQ(file.PurposeAPPLICATION) }

// VisibleFiles are those that are served and that the viewer owns, or sees something that holds them.
func VisibleFiles(v viewer.Viewer) predicate.File {
	return where(v,
		func(s *sql.Selector) *sql.Predicate {
			return sql.And(sql.IsNull(s.C(file.FieldDeletedAt)), held(s, publicResources, never, never))
		},
		func(s *sql.Selector, m who) *sql.Predicate {
			by := func(p func(*sql.Selector, who) *sql.Predicate) func(*sql.Selector) *sql.Predicate {
				return func(s *sql.Selector) *sql.Predicate { return p(s, m) }
			}
			return sql.And(served(s), sql.Or(m.is(s.C(file.FieldOwnerID)), held(s, by(resources), by(postShown), by(members)), applied(s, by(documentShown), by(versionShown))))
		})
}

// OwnFiles are those of a member that were not deleted: what only they can give to a resource or to their profile.
func OwnFiles(owner gid.ID) predicate.File {
	return file.And(file.OwnerID(owner), file.DeletedAtIsNil())
}

// CanDeleteFile says whether the viewer may delete a file that they can see: its owner, as long as nothing refers to it.
func CanDeleteFile(v viewer.Viewer, f *ent.File) error {
	m, ok := v.MemberID()
	switch {
	case !ok || m != f.OwnerID:
		return fault.Denied("You can see this file but not delete it.")
	case f.AttachedAt != nil:
		return fault.Denied("This file is in use: a resource keeps what its versions hold, a post and an application their files, and a profile its picture until it is replaced.")
	}
	return nil
}
